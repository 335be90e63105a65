"""Bookings of a bank, and what people do with them on the reconciliation screen."""

from odoo import Command, fields

from .common import BankConnectCommon


class ReconcileCommon(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = cls.new_user("reader", "account.group_account_readonly")
        cls.fees = cls.new_account("628900", "Bank charges")
        cls.rules = cls.env["bank.reconcile.rule"]
        cls.lines = cls.env["account.bank.statement.line"]

    @classmethod
    def new_account(cls, code, name, kind="expense", company=None):
        return cls.env["account.account"].create(
            {
                "code": code,
                "name": name,
                "account_type": kind,
                "company_ids": [Command.set((company or cls.company).ids)],
            }
        )

    @classmethod
    def new_booking(cls, amount, text="Something", journal=None, **values):
        return cls.env["account.bank.statement.line"].create(
            {
                "journal_id": (journal or cls.journal).id,
                "date": fields.Date.today(),
                "amount": amount,
                "payment_ref": text,
                **values,
            }
        )

    @classmethod
    def new_rule(cls, name="Fee", text="account fee", **values):
        return cls.env["bank.reconcile.rule"].create(
            {
                "name": name,
                "text": text,
                "company_id": cls.company.id,
                "account_id": cls.fees.id,
                **values,
            }
        )

    @classmethod
    def new_tax(cls, percent=19.0, use="purchase"):
        return cls.env["account.tax"].create(
            {
                "name": f"{percent:.0f}% {use}",
                "amount": percent,
                "type_tax_use": use,
                "company_id": cls.company.id,
                "country_id": cls.company.account_fiscal_country_id.id,
            }
        )

    @classmethod
    def new_analytic(cls, name="Head office"):
        plan = cls.env["account.analytic.plan"].create({"name": "Departments"})
        return cls.env["account.analytic.account"].create(
            {"name": name, "plan_id": plan.id, "company_id": cls.company.id}
        )

    def screen(self, user=None):
        return self.env["bank.reconcile.screen"].with_user(user or self.clerk)

    def stamp(self, line):
        return self.screen()._stamp(line)

    def apply(self, line, *parts, user=None, stamp=None):
        """Book a line as the browser does; returns the answer."""
        return self.screen(user).apply(line.id, list(parts), stamp or self.stamp(line))

    def payable(self, bill):
        return bill.line_ids.filtered(
            lambda item: item.account_id.account_type in ("liability_payable", "asset_receivable")
        )

    def fee_of(self, line):
        """What of a line is booked on the fees' account, without its tax."""
        return line.line_ids.filtered(
            lambda item: item.account_id == self.fees and not item.tax_line_id
        )

    def booked(self, line):
        """Account and amount of what a line is booked on, without the bank's own side."""
        liquidity, _suspense, _others = line._seek_for_lines()
        return sorted(
            (item.account_id.code, item.balance) for item in line.line_ids - liquidity
        )
