"""Checks of batches and payments: seal, bank's answers and ledger against each other."""

import hashlib
from decimal import Decimal

from odoo import fields, models
from odoo.tools import SQL

# Batches that have left, or may have.
LEFT = ("sending", "uncertain", "sent", "accepted", "settled", "refused")

# Payments that a booking of the bank's own document clears in the ledger, matched by whomever.
CLEARED = SQL(
    """
    EXISTS (
        SELECT 1
          FROM account_move_line item
          JOIN account_partial_reconcile part ON part.credit_move_id = item.id
          JOIN account_move_line other ON other.id = part.debit_move_id
          JOIN account_bank_statement_line booking ON booking.move_id = other.move_id
         WHERE booking.bank_message_id IS NOT NULL
           AND (item.move_id = payment.move_id
                OR item.id IN (SELECT move_line_id FROM bank_payment_instalment
                                WHERE payment_id = payment.id AND payment.move_id IS NULL)))
    """
)


class BankDiscrepancyCheck(models.AbstractModel):
    _inherit = "bank.discrepancy.check"

    def _checks_of_batches(self):
        return [
            *super()._checks_of_batches(),
            (("answer_overdue",), self._find_answers_overdue),
            (("booking_overdue",), self._find_bookings_overdue),
            (("seal_altered",), self._find_altered_seals),
        ]

    def _checks_of_payments(self):
        return [
            *super()._checks_of_payments(),
            (("differs_ledger",), self._find_changed_payments),
            (("rejected_but_paid", "paid_not_booked", "after_rejection"), self._find_wrong_states),
        ]

    # -- overdue ------------------------------------------------------------------------------

    def _find_answers_overdue(self, company):
        """Batches of which the bank has not said more than that it has them."""
        found = []
        for days, connections in self._connections_by_days(company, "answer").items():
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT batch.id, min(message.id), min(message.sent_date)::date,
                           array_agg(payment.id ORDER BY payment.id)
                      FROM bank_payment_batch batch
                      JOIN bank_message message ON message.batch_id = batch.id
                       AND message.direction = 'out' AND message.purpose = 'payment'
                       AND message.state = 'delivered'
                      JOIN account_payment payment ON payment.bank_batch_id = batch.id
                     WHERE batch.company_id = %(company)s AND batch.connection_id IN %(connections)s
                       AND batch.state IN ('sent', 'accepted')
                       AND message.sent_date < %(before)s
                       AND (payment.bank_status IS NULL OR payment.bank_status = 'RCVD')
                       AND payment.bank_booked IS NOT TRUE AND NOT %(cleared)s
                  GROUP BY batch.id
                    """,
                    company=company.id, connections=connections,
                    before=self._moment_before(days), cleared=CLEARED,
                )
            )
            found += self._found_overdue("answer_overdue", rows)
        return found

    def _find_bookings_overdue(self, company):
        """Batches with payments that no statement shows, long after they were due."""
        found = []
        for days, connections in self._connections_by_days(company, "booking").items():
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT batch.id, min(message.id),
                           GREATEST(batch.execution_date, min(message.sent_date)::date),
                           array_agg(payment.id ORDER BY payment.id)
                      FROM bank_payment_batch batch
                      JOIN bank_message message ON message.batch_id = batch.id
                       AND message.direction = 'out' AND message.purpose = 'payment'
                       AND message.state = 'delivered'
                      JOIN account_payment payment ON payment.bank_batch_id = batch.id
                     WHERE batch.company_id = %(company)s AND batch.connection_id IN %(connections)s
                       AND batch.state IN ('sent', 'accepted')
                       AND batch.execution_date <= %(before)s AND message.sent_date < %(moment)s
                       AND COALESCE(payment.bank_status, '') NOT IN ('RJCT', 'CANC')
                       AND payment.bank_returned IS NOT TRUE
                       AND payment.bank_booked IS NOT TRUE AND NOT %(cleared)s
                       AND %(statements)s
                  GROUP BY batch.id
                    """,
                    company=company.id, connections=connections,
                    before=self._business_day_before(days), moment=self._moment_before(days),
                    cleared=CLEARED, statements=self._brings_statements(),
                )
            )
            found += self._found_overdue("booking_overdue", rows)
        return found

    def _brings_statements(self):
        """Only an account of which statements come can miss a booking."""
        return SQL(
            """
            (EXISTS (SELECT 1 FROM account_bank_statement_line line
                      WHERE line.journal_id = batch.journal_id AND line.bank_message_id IS NOT NULL)
             OR EXISTS (SELECT 1 FROM bank_connection connection
                          JOIN bank_connection_profile profile
                            ON profile.id = connection.profile_id
                         WHERE connection.id = batch.connection_id
                           AND profile.document_kinds ~ 'camt.053|mt940'))
            """
        )

    def _moment_before(self, days):
        # What was sent on that day itself has as many business days behind it.
        day = self._business_day_before(days)
        return fields.Datetime.to_datetime(fields.Date.add(day, days=1))

    def _connections_by_days(self, company, what):
        """Business days → ids of the connections that are given so many; 0 is never."""
        groups = {}
        journals = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("bank_connection_id", "!=", False)]
        )
        batches = self.env["bank.payment.batch"]._read_group(
            [("company_id", "=", company.id), ("state", "in", ("sent", "accepted"))],
            ["connection_id"],
        )
        connections = journals.bank_connection_id.union(*(each for (each,) in batches))
        for connection in connections:
            days = connection.profile_id[f"{what}_days"] or company[f"bank_{what}_days"]
            if days:
                groups.setdefault(days, []).append(connection.id)
        return {days: tuple(ids) for days, ids in groups.items()}

    def _found_overdue(self, code, rows):
        found = []
        everyone = self.env["account.payment"].browse([id for row in rows for id in row[3]])
        sealed = self._sealed(
            everyone.browse([row[3][0] for row in rows if len(row[3]) == 1])
        )
        for batch_id, message_id, day, payment_ids in rows:
            batch = self.env["bank.payment.batch"].browse(batch_id)
            payments = everyone.browse(payment_ids)
            single = payments if len(payments) == 1 else None
            refs = {**self._refs(single, batch=batch), "message_id": message_id}
            if single:
                table = self._three_ways(single, sealed.get(single.id))
            else:
                table = self._batch_rows(batch, payments)
            found.append(
                self._found_in(
                    code, batch, day, refs,
                    {
                        "about": batch.name, "batch": batch.name, "date": str(day),
                        "count": str(len(payments)),
                    },
                    # Days pass and some are answered: an explanation holds for the whole batch.
                    table, mark="batch", payment_ids=payment_ids[:1000],
                )
            )
        return found

    def _batch_rows(self, batch, payments):
        total = self._money(sum(payments.mapped("amount")), batch.currency_id)
        statuses = {status or None for status in payments.mapped("bank_status")}
        return [
            {"what": "count", "approved": str(batch.payment_count), "bank": None,
             "ledger": str(len(payments)), "differs": False},
            {"what": "amount", "approved": self._money(batch.amount_total, batch.currency_id),
             "bank": None, "ledger": total, "differs": False},
            {"what": "date", "approved": str(batch.execution_date), "bank": None, "ledger": None,
             "differs": False},
            {"what": "status", "approved": batch.state,
             "bank": statuses.pop() if len(statuses) == 1 else None, "ledger": None,
             "differs": False},
        ]

    # -- the seal -----------------------------------------------------------------------------

    def _find_altered_seals(self, company):
        """Batches whose sealed copy is not the one whose digest was approved."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM bank_payment_batch
                 WHERE company_id = %(company)s AND state IN %(left)s
                   AND sealed_content IS NOT NULL AND seal IS NOT NULL
                   AND encode(sha256(convert_to(sealed_content, 'UTF8')), 'hex') <> seal
                """,
                company=company.id, left=LEFT,
            )
        )
        found = []
        for batch in self.env["bank.payment.batch"].browse([row[0] for row in rows]):
            now = hashlib.sha256(batch.sealed_content.encode()).hexdigest()
            found.append(
                self._found_in(
                    "seal_altered", batch, fields.Date.today(), self._refs(batch=batch),
                    {"about": batch.name, "batch": batch.name},
                    [{"what": "reference", "approved": batch.seal, "bank": None, "ledger": now,
                      "differs": True}],
                )
            )
        return found

    def _find_changed_payments(self, company, ids):
        """Payments or their entries that say another amount or currency than was approved."""
        payments = self.env["account.payment"].browse(ids)
        payments = payments.filtered(
            lambda pay: pay.bank_batch_id.state in LEFT
            and pay.state in ("in_process", "paid")
        )
        sealed = self._sealed(payments)
        entries = self._entry_amounts(payments)
        found = []
        for payment in payments:
            approved = sealed.get(payment.id)
            if not approved:
                continue
            currency = payment.currency_id
            said = {f"{Decimal(approved['amount']):f} {approved['currency']}"}
            said.add(self._money(payment.amount, currency))
            if payment.id in entries:
                said.add(entries[payment.id])
            if len(said) == 1:
                continue
            table = self._three_ways(payment, approved)
            if entries.get(payment.id):
                table.append(
                    {"what": "balance", "approved": None, "bank": None,
                     "ledger": entries[payment.id], "differs": True}
                )
            table.append(
                {"what": "change", "approved": None, "bank": None,
                 "ledger": payment.write_uid.name, "differs": False}
            )
            found.append(
                self._found_in(
                    "differs_ledger", payment, fields.Date.today(), self._refs(payment),
                    {
                        "about": payment.name, "payee": payment.partner_id.display_name,
                        "approved": f"{approved['amount']} {approved['currency']}",
                    },
                    table,
                )
            )
        return found

    def _entry_amounts(self, payments):
        """What the entry of each payment says left the bank: its id → amount and currency."""
        if not payments:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT payment.id, item.currency_id, abs(sum(item.amount_currency))
                  FROM account_payment payment
                  JOIN account_move entry ON entry.id = payment.move_id
                  JOIN account_move_line item ON item.move_id = entry.id
                   AND item.account_id = payment.outstanding_account_id
                 WHERE payment.id IN %s AND entry.state = 'posted'
              GROUP BY payment.id, item.currency_id
                """,
                payments._ids,
            )
        )
        currencies = self.env["res.currency"]
        return {
            payment: self._money(float(amount), currencies.browse(currency))
            for payment, currency, amount in rows
        }

    # -- states -------------------------------------------------------------------------------

    def _find_wrong_states(self, company, ids):
        """Payments that the ledger and the bank see differently."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT payment.id,
                       payment.bank_rejected_first,
                       (payment.bank_status IN ('RJCT', 'CANC') OR payment.bank_returned)
                           AND payment.state IN ('in_process', 'paid') AS rejected,
                       payment.state IN ('in_process', 'paid') AND payment.is_matched
                           AND payment.bank_booked IS NOT TRUE AND NOT %(cleared)s AS unbooked
                  FROM account_payment payment
                  JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
                 WHERE payment.id IN %(ids)s
                   AND (batch.state IN %(left)s OR payment.bank_status IS NOT NULL)
                """,
                ids=tuple(ids), left=LEFT, cleared=CLEARED,
            )
        )
        rows = [row for row in rows if any(row[1:])]
        payments = self.env["account.payment"].browse([row[0] for row in rows])
        sealed = self._sealed(payments)
        lines = self._lines_of(payments)
        found = []
        for number, again, rejected, unbooked in rows:
            payment = payments.browse(number)
            code = (
                "after_rejection" if again
                else "rejected_but_paid" if rejected
                else "paid_not_booked" if unbooked else None
            )
            line = lines.get(payment.id)
            since = payment.bank_status_date.date() if payment.bank_status_date else payment.date
            found.append(
                self._found_in(
                    code, payment, since, self._refs(payment, line),
                    {
                        "about": payment.name or payment.end_to_end_id,
                        "payee": payment.partner_id.display_name,
                        "amount": self._money(payment.amount, payment.currency_id),
                    },
                    self._three_ways(payment, sealed.get(payment.id), line),
                    # Once said why, it is said, whatever the bank adds.
                    mark="once" if again else "",
                )
            )
        return found

    def _lines_of(self, payments):
        """Payment's id → the first debit that the bank booked for it."""
        lines = self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payments.ids), ("amount", "<", 0)], order="id desc"
        )
        return {payment.id: line for line in lines for payment in line.bank_payment_ids}


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_rejected_first = fields.Boolean(
        readonly=True, copy=False, index="btree_not_null",
        help="The bank rejected or cancelled it, and executed it then all the same.",
    )

    def _bank_paid_after_all(self):
        self.write({"bank_rejected_first": True})
        return super()._bank_paid_after_all()
