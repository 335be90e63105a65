"""A bank account with bookings, payments and statements, for tests of reconciliation statements."""

from odoo import Command, fields

from .common import BankConnectCommon


class ReconciliationCommon(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.day = fields.Date.to_date("2026-10-31")
        cls.sheets = cls.env["bank.reconciliation"]
        cls.other = cls.new_user("other_preparer", "account_bank_connect.group_preparer")
        cls.income = cls.env["account.account"].search(
            [("account_type", "=", "income"), ("company_ids", "in", cls.company.ids)], limit=1
        )

    # -- what happens -------------------------------------------------------------------------

    def statement(self, opening, closing, *bookings, journal=None, name=None):
        """A statement of the bank.

        :param bookings: (date, amount), or dicts of more
        """
        lines = self.bookings(*bookings, journal=journal)
        return self.env["account.bank.statement"].create(
            {
                "name": name or f"S{closing}",
                "line_ids": [Command.set(lines.ids)],
                "balance_start": opening,
                "balance_end_real": closing,
            }
        )

    def bookings(self, *bookings, journal=None):
        """What the bank booked, on no statement."""
        bookings = [
            booking if isinstance(booking, dict) else {"date": booking[0], "amount": booking[1]}
            for booking in bookings
        ]
        return self.env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": (journal or self.journal).id,
                    "payment_ref": "booking",
                    "bank_booking_date": booking["date"],
                    **booking,
                }
                for booking in bookings
            ]
        )

    def pay(self, day, amount, journal=None, partner=None, memo=None, **values):
        """A payment recorded in the ledger: paid out, or received where it is positive."""
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound" if amount > 0 else "outbound",
                "partner_type": "customer" if amount > 0 else "supplier",
                "partner_id": (partner or self.vendor).id,
                "amount": abs(amount),
                "date": day,
                "memo": memo or f"payment of {amount}",
                "journal_id": (journal or self.journal).id,
                **values,
            }
        )
        payment.action_post()
        return payment

    def match(self, line, payment):
        """Reconcile a booking with a payment, as people do."""
        _liquidity, suspense, _other = line._seek_for_lines()
        target = payment.move_id.line_ids.filtered(
            lambda item: item.account_id == payment.outstanding_account_id
        )
        suspense.account_id = target.account_id
        (suspense + target).reconcile()

    def treat(self, line, account=None):
        """Write a booking to an account."""
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = account or self.expense

    def entry(self, day, amount, journal=None, account=None):
        """An entry on the bank's account that no booking of the bank stands behind."""
        move = self.env["account.move"].create(
            {
                "date": day,
                "journal_id": self.env["account.journal"].search(
                    [("type", "=", "general"), ("company_id", "=", self.company.id)], limit=1
                ).id,
                "line_ids": [
                    Command.create(
                        {
                            "name": "by hand",
                            "account_id": ((journal or self.journal).default_account_id).id,
                            "balance": amount,
                        }
                    ),
                    Command.create(
                        {"name": "by hand", "account_id": (account or self.income).id,
                         "balance": -amount}
                    ),
                ],
            }
        )
        move.action_post()
        return move

    # -- the statement of reconciliation ------------------------------------------------------

    def sheet(self, day=None, journal=None, user=None):
        day = fields.Date.to_date(day) if day else self.day
        return self.sheets.with_user(user or self.preparer)._open(journal or self.journal, day)

    def signed(self, day=None, journal=None, reason=None):
        """A statement that both have signed."""
        sheet = self.sheet(day, journal)
        sheet.action_prepare()
        sheet.with_user(self.approver).action_countersign(reason)
        return sheet

    def amounts(self, sheet, kind):
        return sheet.line_ids.filtered(lambda line: line.kind == kind).mapped("amount")

    def assert_agrees(self, sheet, adjusted):
        self.assertEqual(sheet.bank_adjusted, adjusted)
        self.assertEqual(sheet.ledger_adjusted, adjusted)
        self.assertEqual(sheet.difference, 0)
