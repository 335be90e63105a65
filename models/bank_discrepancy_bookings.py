"""Checks of the bank's bookings that speak of payments sent from here.

A booking speaks of a payment by the numbers in it (``transaction_details``, as the import kept
them), by its batch, or because it was matched with it.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

# Whether a message that asks the bank for the payments of ``batch`` has left, or may have.
HAS_LEFT = SQL(
    """
    EXISTS (SELECT 1 FROM bank_message message
             WHERE message.batch_id = batch.id AND message.direction = 'out'
               AND message.purpose = 'payment'
               AND (message.attempts > 0 OR message.state NOT IN ('queued', 'withdrawn')))
    """
)


class BankDiscrepancyCheck(models.AbstractModel):
    _inherit = "bank.discrepancy.check"

    def _checks_of_bookings(self):
        return [
            *super()._checks_of_bookings(),
            (
                ("never_sent", "booked_twice", "differs_booking", "line_open"),
                self._find_wrong_bookings,
            ),
            (("line_unposted",), self._find_unposted),
        ]

    def _find_wrong_bookings(self, company, ids):
        """Debits for payments that never left, left once, or left for another amount."""
        lines = self.env["account.bank.statement.line"].browse(ids)
        named = self._payments_named(ids)
        matched = self._payments_matched(ids)
        everyone = self.env["account.payment"].browse(
            {number for numbers in (*named.values(), *matched.values()) for number in numbers}
        )
        unsent, others = self._never_left(everyone), self._debits_of(everyone)
        wrong = {}
        for line in lines.browse([*named, *(each for each in matched if each not in named)]):
            payments = everyone.browse(matched.get(line.id) or sorted(named[line.id]))
            code = self._what_is_wrong(line, payments, unsent, others)
            if code:
                wrong[line] = (code, payments)
        # The sealed copies of the payments that will be shown, and of no others.
        sealed = self._sealed(
            everyone.union(*(payments for _code, payments in wrong.values() if len(payments) == 1))
        )
        return [
            self._found_booking(code, line, payments, sealed, others)
            for line, (code, payments) in wrong.items()
        ]

    def _what_is_wrong(self, line, payments, unsent, others):
        """The code of what is wrong with a debit for these payments, or None."""
        if not unsent.isdisjoint(payments._ids):
            return "never_sent"
        if any(self._earlier(line, payment, others) for payment in payments):
            return "booked_twice"
        if not self._same(line, payments):
            return "differs_booking"
        # What the bank executed after rejecting it has a discrepancy of its own.
        known = line.is_reconciled or any(payments.mapped("bank_rejected_first"))
        return None if known else "line_open"

    def _earlier(self, line, payment, others):
        """An earlier debit for the payment than this one, or None."""
        earlier = [other for other in others[payment.id] if other != line.id]
        matched = line.id in others[payment.id]
        return min((other for other in earlier if not matched or other < line.id), default=None)

    def _same(self, line, payments):
        """Whether the bank took what was approved, but for charges that it names and what the
        company lets go. Who books more than that on some account explains nothing."""
        currency, details = payments.currency_id[:1], line.transaction_details or {}
        approved = sum(self._decimal(payment.amount, currency) for payment in payments)
        if currency != line.currency_id:
            told = [
                Decimal(detail["amount"])
                for detail in details.get("details") or [details.get("instructed") or {}]
                if detail.get("amount") and detail.get("currency") == currency.name
            ]
            return sum(told) == approved if told else line.is_reconciled
        charges = sum(
            Decimal(charge["amount"])
            for charge in details.get("charges") or []
            if charge.get("amount") and charge.get("included") is not False
            and charge.get("currency") == currency.name
        )
        company = line.company_id
        allowed = Decimal(0)
        if currency == company.currency_id:
            allowed = self._decimal(company.bank_match_tolerance, currency)
        taken = self._decimal(-line.amount, currency) - approved
        return min(abs(taken), abs(taken - charges)) <= allowed

    def _decimal(self, amount, currency):
        return Decimal(self._money(amount, currency).split()[0])

    def _found_booking(self, code, line, payments, sealed, others):
        single = payments if len(payments) == 1 else None
        batch = payments.bank_batch_id[:1]
        total = self._money(sum(payments.mapped("amount")), payments.currency_id[:1])
        values = {
            "about": line.move_id.name or line.payment_ref,
            "amount": self._money(-line.amount, line.currency_id),
            "date": str(line.bank_booking_date or line.date),
            "payee": payments[0].partner_id.display_name if single else batch.name,
            "batch": batch.name,
            "approved": total,
        }
        if code == "booked_twice":
            earlier = self.env["account.bank.statement.line"].browse(
                min(filter(None, (self._earlier(line, each, others) for each in payments)))
            )
            values["earlier"] = str(earlier.bank_booking_date or earlier.date)
        if single:
            rows = self._three_ways(
                single, sealed.get(single.id), line, self._detail_of(line, single)
            )
        else:
            rows = [
                {"what": "count", "approved": str(len(payments)), "bank": None, "ledger": None},
                {"what": "amount", "approved": total, "bank": values["amount"], "ledger": total,
                 "differs": total != values["amount"]},
                {"what": "reference", "approved": batch.reference, "bank": line.bank_reference,
                 "ledger": line.move_id.name},
            ]
        rows += self._charges(line)
        return self._found_in(
            code, line, line.bank_booking_date or line.date,
            self._refs(single, line, batch), values, rows, payment_ids=payments.ids[:1000],
        )

    def _charges(self, line):
        """What the bank says it took for itself, and what was ordered in another currency."""
        details = line.transaction_details or {}
        said = [f"{each.get('amount')} {each.get('currency')}" for each in details.get("charges") or
                [] if each.get("amount")]
        instructed = details.get("instructed") or {}
        if instructed.get("amount"):
            said.append(f"{instructed['amount']} {instructed.get('currency')}")
        return [{"what": "balance", "bank": "; ".join(said)}] if said else []

    def _detail_of(self, line, payment):
        """What the booking says of one payment."""
        for detail in (line.transaction_details or {}).get("details") or []:
            if payment.end_to_end_id and detail.get("end_to_end_id") == payment.end_to_end_id:
                return detail
            if payment.uetr and (detail.get("uetr") or "").lower() == payment.uetr:
                return detail
        return None

    # -- which payments -----------------------------------------------------------------------

    def _payments_named(self, ids):
        """Debit's id → ids of the payments that it names but is not matched with."""
        rows = self.env.execute_query(
            SQL(
                """
                WITH line AS (
                    SELECT line.id, line.journal_id, line.transaction_details AS told
                      FROM account_bank_statement_line line
                     WHERE line.id IN %(ids)s AND line.amount < 0
                       AND line.transaction_details IS NOT NULL
                       AND jsonb_typeof(line.transaction_details) = 'object'
                       AND NOT EXISTS (SELECT 1 FROM bank_statement_line_payment link
                                        WHERE link.line_id = line.id)
                ), detail AS (
                    SELECT line.id, line.journal_id, detail
                      FROM line CROSS JOIN LATERAL jsonb_array_elements(
                           CASE WHEN jsonb_typeof(line.told->'details') = 'array'
                                THEN line.told->'details' ELSE '[]' END) detail
                )
                SELECT detail.id, payment.id
                  FROM detail
                  JOIN account_payment payment
                    ON payment.end_to_end_id = detail.detail->>'end_to_end_id'
                   AND payment.journal_id = detail.journal_id
                 UNION
                SELECT detail.id, payment.id
                  FROM detail
                  JOIN account_payment payment
                    ON payment.uetr = lower(detail.detail->>'uetr')
                   AND payment.journal_id = detail.journal_id
                 UNION
                SELECT line.id, payment.id
                  FROM line
                  JOIN bank_payment_batch batch
                    ON batch.reference IN (
                           regexp_replace(line.told->'batch'->>'payment_information_id', '-1$', ''),
                           line.told->'batch'->>'message_id')
                   AND batch.journal_id = line.journal_id
                  JOIN account_payment payment ON payment.bank_batch_id = batch.id
                   AND COALESCE(payment.bank_status, '') NOT IN ('RJCT', 'CANC')
                 WHERE NOT EXISTS (SELECT 1 FROM detail
                                    WHERE detail.id = line.id
                                      AND detail.detail->>'end_to_end_id' IS NOT NULL)
                """,
                ids=tuple(ids),
            )
        )
        named = defaultdict(set)
        for line, payment in rows:
            named[line].add(payment)
        return named

    def _payments_matched(self, ids):
        """Debit's id → ids of the payments it is matched with, where anything may be wrong."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id, array_agg(link.payment_id ORDER BY link.payment_id)
                  FROM account_bank_statement_line line
                  JOIN bank_statement_line_payment link ON link.line_id = line.id
                  JOIN account_payment payment ON payment.id = link.payment_id
             LEFT JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
                 WHERE line.id IN %(ids)s AND line.amount < 0
              GROUP BY line.id
                HAVING NOT COALESCE(line.is_reconciled, false)
                    OR bool_or(payment.currency_id <> line.currency_id)
                    OR abs(line.amount + sum(payment.amount)) >= 0.005
                    OR NOT bool_and(%(left)s)
                    OR bool_or(EXISTS (
                        SELECT 1 FROM bank_statement_line_payment twin
                          JOIN account_bank_statement_line other ON other.id = twin.line_id
                         WHERE twin.payment_id = link.payment_id AND twin.line_id < line.id
                           AND other.amount < 0))
                """,
                ids=tuple(ids), left=HAS_LEFT,
            )
        )
        return dict(rows)

    def _debits_of(self, payments):
        """Payment's id → ids of the debits matched with it."""
        found = defaultdict(list)
        if payments:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT link.payment_id, line.id
                      FROM bank_statement_line_payment link
                      JOIN account_bank_statement_line line ON line.id = link.line_id
                     WHERE link.payment_id IN %s AND line.amount < 0
                    """,
                    payments._ids,
                )
            )
            for payment, line in rows:
                found[payment].append(line)
        return found

    def _never_left(self, payments):
        """Ids of the payments of which no message has left."""
        if not payments:
            return set()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT payment.id
                  FROM account_payment payment
             LEFT JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
                 WHERE payment.id IN %s AND NOT %s
                """,
                payments._ids, HAS_LEFT,
            )
        )
        return {row[0] for row in rows}

    # -- the ledger's side --------------------------------------------------------------------

    def _find_unposted(self, company, ids):
        """Bookings of the bank whose entry somebody took out of the ledger."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id
                  FROM account_bank_statement_line line
                  JOIN account_move entry ON entry.id = line.move_id
                 WHERE line.id IN %s AND entry.state <> 'posted'
                   AND line.bank_message_id IS NOT NULL
                """,
                tuple(ids),
            )
        )
        found = []
        for line in self.env["account.bank.statement.line"].browse([row[0] for row in rows]):
            amount = self._money(line.amount, line.currency_id)
            found.append(
                self._found_in(
                    "line_unposted", line, line.bank_booking_date or line.date,
                    self._refs(None, line),
                    {
                        "about": line.payment_ref, "amount": amount,
                        "date": str(line.bank_booking_date or line.date),
                    },
                    [
                        {"what": "amount", "approved": None, "bank": amount, "ledger": None,
                         "differs": True},
                        {"what": "change", "approved": None, "bank": None,
                         "ledger": line.move_id.write_uid.name, "differs": False},
                    ],
                )
            )
        return found
