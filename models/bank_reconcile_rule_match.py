"""Which bookings a rule matches: asked of the database, for many at once."""

import re

from odoo import models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from psycopg2.errors import DataError, QueryCanceled

#: Milliseconds that one rule may take. PostgreSQL's expressions do not backtrack unless they refer
#: back, which is refused below; this is the last bound.
PATIENCE = 2000
_REFERS_BACK = re.compile(r"\\[1-9]")
_PLAIN = re.compile(r"[^A-Z0-9]")


class BankReconcileRule(models.Model):
    _inherit = "bank.reconcile.rule"

    def _matching(self, lines):
        """Those of the statement lines that meet every condition of the rule: one query.

        :raises UserError: the pattern can't be read, or takes too long
        """
        self.ensure_one()
        if not lines or not self._asks_for_something():
            return lines.browse()
        query = lines._search(Domain("id", "in", lines.ids) & self._conditions())
        for condition in self._conditions_in_sql(query.table):
            query.add_where(condition)
        lines.flush_model(["payment_ref", "partner_name", "account_number"])
        ask = self._bounded if self.text_pattern else self.env.execute_query
        found = {row[0] for row in ask(query.select())}
        return lines.filtered(lambda line: line.id in found)

    def _conditions(self):
        """What can be said as a domain."""
        rule = self.sudo()  # sudo: the other side's account is hidden from some
        domain = rule._scope()
        if rule.journal_ids:
            domain &= Domain("journal_id", "in", rule.journal_ids._origin.ids)
        if rule.direction != "any":
            domain &= Domain("amount", ">" if rule.direction == "in" else "<", 0)
        if rule.transaction_code:
            code = rule.transaction_code.strip().replace("\\", "").replace("%", "").replace("_", "")
            domain &= Domain("transaction_type", "=ilike", f"{code}%") if code else Domain.FALSE
        text = (rule.text or "").strip()
        if text and not rule.text_pattern:
            domain &= Domain("payment_ref", "ilike", text) | Domain("partner_name", "ilike", text)
        if rule.amount_from:
            domain &= Domain("amount", ">=", rule.amount_from) | Domain(
                "amount", "<=", -rule.amount_from
            )
        if rule.amount_to:
            domain &= Domain("amount", "<=", rule.amount_to)
            domain &= Domain("amount", ">=", -rule.amount_to)
        return domain

    def _conditions_in_sql(self, table):
        """What only SQL can say."""
        rule = self.sudo()  # sudo: the other side's account is hidden from some
        text = (rule.text or "").strip()
        if text and rule.text_pattern:
            self._check_no_back_reference(text)
            yield SQL(
                "(%(text)s ~* %(pattern)s OR %(name)s ~* %(pattern)s)",
                text=SQL.identifier(table, "payment_ref"),
                name=SQL.identifier(table, "partner_name"),
                pattern=text,
            )
        if rule.account_number:
            yield SQL(
                "regexp_replace(upper(%s), '[^A-Z0-9]', '', 'g') = %s",
                SQL.identifier(table, "account_number"),
                plain_number(rule.account_number),
            )

    def _try_pattern(self):
        """
        :raises ValidationError: the pattern can't be read, or would take too long
        """
        text = (self.text or "").strip()
        try:
            self._check_no_back_reference(text)
            # Long, and of one letter: what patterns that explode choke on.
            self._bounded(SQL("SELECT %s ~* %s", "a" * 2000 + "!", text))
        except UserError as error:
            raise ValidationError(error.args[0]) from error

    def _check_no_back_reference(self, pattern):
        if _REFERS_BACK.search(pattern):
            raise UserError(
                self.env._("The pattern of the rule %s refers back to a part of itself (as \\1 "
                  "does). Such patterns may take for ever, and are not allowed.", self.name or "")
            )

    def _bounded(self, query):
        """The rows of a query that may take no longer than :data:`PATIENCE`."""
        cr = self.env.cr
        try:
            with cr.savepoint(flush=False):
                cr.execute("SHOW statement_timeout")
                before = cr.fetchone()[0]
                cr.execute("SELECT set_config('statement_timeout', %s, true)", (str(PATIENCE),))
                # What a person mistypes is told to them, and is no error of the server's.
                cr.execute(query, log_exceptions=False)
                rows = cr.fetchall()
                # The end of a savepoint keeps settings: what held before has to hold again.
                cr.execute("SELECT set_config('statement_timeout', %s, true)", (before,))
                return rows
        except QueryCanceled as error:
            raise UserError(
                self.env._("The pattern of the rule %s takes too long. Say it more simply.",
                  self.name or "")
            ) from error
        except DataError as error:
            raise UserError(
                self.env._("The pattern of the rule %(rule)s can't be read: %(error)s",
                  rule=self.name or "", error=str(error).splitlines()[0])
            ) from error


def plain_number(number):
    """An account number as it is compared: capitals and digits."""
    return _PLAIN.sub("", (number or "").upper())
