"""The accountant's day: what failed, what is late, what needs a decision. One line for each matter.

A line is a count of records that the user may read, and opens the list of just these: figure and
list are one search and can't differ. What a user may not read is no line of theirs.
"""

from collections import namedtuple
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

FAILED, LATE, DECIDE = "1_failed", "2_late", "3_decide"

#: One matter. ``age``: the field that says since when; ``action``: XML id whose list is opened
#: (None: the model's own); ``hint``: what to do about it.
Matter = namedtuple("Matter", "code urgency model domain age action title hint")


class BankDay(models.Model):
    """What waits for people, at this moment; nothing is kept."""

    _name = "bank.day"
    _description = "What Waits"
    _auto = False
    _rec_name = "title"
    _order = "urgency, id"

    code = fields.Char(readonly=True)
    urgency = fields.Selection(
        [(FAILED, "Failed"), (LATE, "Late"), (DECIDE, "To decide")], readonly=True
    )
    count = fields.Integer(string="How many", readonly=True)
    since = fields.Datetime(string="Oldest since", readonly=True)
    age = fields.Char(string="Oldest", compute="_compute_words")
    title = fields.Char(compute="_compute_words")
    hint = fields.Char(string="What to do", compute="_compute_words")

    @property
    def _table_query(self):
        rows = [
            SQL(
                "(%s, %s, %s, %s, %s::timestamp)",
                number, matter.code, matter.urgency, count, since,
            )
            for number, (matter, count, since) in enumerate(self._waiting(), 1)
        ]
        return SQL(
            "SELECT * FROM (VALUES %s) AS line (id, code, urgency, count, since) WHERE count > 0",
            SQL(", ").join(rows or [SQL("(0, '', '', 0, NULL::timestamp)")]),
        )

    @api.depends("code", "since")
    @api.depends_context("lang")
    def _compute_words(self):
        matters = {matter.code: matter for matter in self._matters()}
        now = fields.Datetime.now()
        for line in self:
            matter = matters.get(line.code)
            # Made for the reader's language here: a lazy text knows no environment.
            line.title = matter and self.env._(matter.title)
            line.hint = matter and self.env._(matter.hint)
            line.age = line.since and self._age(now - line.since)

    @api.model
    def _age(self, span):
        hours = max(int(span.total_seconds() // 3600), 0)
        if hours < 1:
            return self.env._("less than an hour")
        if hours < 48:
            return self.env._("%s hours", hours)
        return self.env._("%s days", hours // 24)

    # -- counting ---------------------------------------------------------------------------------

    @api.model
    def _waiting(self):
        """Each matter that the user may look into: (matter, number of records, oldest moment)."""
        found = []
        for matter in self._matters():
            if matter.model not in self.env:
                continue
            model = self.env[matter.model]
            if not model.has_access("read"):
                continue
            domain = [*matter.domain, *self._own_companies(model)]
            ((count, since),) = model._read_group(domain, [], ["__count", f"{matter.age}:min"])
            found.append((matter, count, since or None))
        return found

    @api.model
    def _own_companies(self, model):
        """Rules let a branch see more than its own; a day is that of the companies chosen."""
        if "company_id" not in model._fields or not model._fields["company_id"].store:
            return []
        return [("company_id", "in", [*self.env.companies.ids, False])]

    @api.model
    def _matters(self):
        """Every matter, in the order of the page. Which of them are shown, rights decide."""
        return [*self._failed(), *self._late(), *self._to_decide()]

    @api.model
    def _failed(self):
        # A payment is done with when its bills are paid otherwise, or on their way once more.
        open_again = [
            ("bank_last_bill_ids.payment_state", "in", ("not_paid", "partial")),
        ]
        return [
            Matter(
                "returned", FAILED, "account.payment",
                [("bank_returned", "=", True), *open_again],
                "bank_status_date", None,
                _lt("Payments that came back"),
                _lt("Ask the payee for the right account, then send the bills again."),
            ),
            Matter(
                "rejected", FAILED, "account.payment",
                [("bank_status", "=", "RJCT"), ("bank_returned", "=", False), *open_again],
                "bank_status_date", None,
                _lt("Payments that the bank rejected"),
                _lt("Put right what the bank says, then send the bills again."),
            ),
            Matter(
                "advice_failed", FAILED, "bank.remittance.advice",
                [("state", "=", "failed")],
                "create_date", "action_remittance_advice",
                _lt("Remittance advice that could not be written"),
                _lt("Put the mail's template right, then let it be written again."),
            ),
            Matter(
                "advice_unsent", FAILED, "bank.remittance.advice",
                [("state", "=", "unsent")],
                "sent_date", "action_remittance_advice",
                _lt("Remittance advice that did not arrive"),
                _lt("Put the address or the mail server right, then let it be written again."),
            ),
            Matter(
                "alerts", FAILED, "bank.alert",
                [("closed_on", "=", False)],
                "since", "action_alert",
                _lt("Trouble on the way to a bank"),
                _lt("The alert says what to do; bank administrators have a task."),
            ),
        ]

    @api.model
    def _late(self):
        now = fields.Datetime.now()
        watch = self.env["bank.watch"]
        answer = now - timedelta(hours=watch._limit("alert_unanswered_hours") or 24)
        reminded = now - timedelta(hours=self.env["bank.payment.batch"]._remind_hours() or 24)
        return [
            Matter(
                "uncertain", LATE, "bank.message",
                [("state", "=", "uncertain")],
                "uncertain_since", "action_uncertain",
                _lt("Messages of which nobody knows whether the bank has them"),
                _lt("Don't pay again. The bank is being asked; else two people find out."),
            ),
            Matter(
                "approval", LATE, "bank.payment.batch",
                [("state", "=", "to_approve"), ("asked_date", "<", reminded)],
                "asked_date", "action_batch",
                _lt("Batches that wait for approval for long"),
                _lt("Ask the approvers, or withdraw the batch."),
            ),
            Matter(
                "unanswered", LATE, "bank.payment.batch",
                [
                    ("state", "=", "sent"),
                    ("message_ids_bank.sent_date", "<", answer),
                ],
                "create_date", "action_batch",
                _lt("Batches that the bank does not answer"),
                _lt("Ask the bank; don't send again."),
            ),
        ]

    @api.model
    def _to_decide(self):
        return [
            Matter(
                "discrepancies", DECIDE, "bank.discrepancy",
                [("state", "=", "open")],
                "found_on", "action_discrepancy",
                _lt("Where bank and ledger disagree"),
                _lt("Look at the evidence, put it right, and say how it was resolved."),
            ),
            Matter(
                "mine", DECIDE, "bank.payment.batch",
                [("may_approve", "=", True)],
                "asked_date", "action_batch_to_approve",
                _lt("Batches that wait for your decision"),
                _lt("Approve or reject them."),
            ),
            Matter(
                "accounts", DECIDE, "bank.account.change",
                [("state", "=", "pending"), ("own", "=", False)],
                "date", "action_account_change",
                _lt("Payees' accounts on hold"),
                _lt("Somebody else than who entered an account confirms it with the payee."),
            ),
            Matter(
                "bookings", DECIDE, "account.bank.statement.line",
                [("is_reconciled", "=", False), ("bank_message_id", "!=", False)],
                "create_date", "action_statement_line",
                _lt("Bank bookings to reconcile"),
                _lt("Say what each of them pays, or which account it belongs to."),
            ),
            Matter(
                "addresses", DECIDE, "bank.remittance.advice",
                [("state", "=", "missing")],
                "create_date", "action_remittance_advice",
                _lt("Payees without a mail address for remittance advice"),
                _lt("Add one to the payee and write again, or say there that none is wanted."),
            ),
            Matter(
                "quarantined", DECIDE, "bank.message",
                [("state", "=", "quarantined")],
                "create_date", "action_message",
                _lt("Documents of the bank that were put aside"),
                _lt("Each says why. Put the cause right and process it again, or assign it."),
            ),
        ]

    # -- on the screen ----------------------------------------------------------------------------

    def action_open(self):
        """The records behind the figure."""
        self.ensure_one()
        matter = next(each for each in self._matters() if each.code == self.code)
        domain = [*matter.domain, *self._own_companies(self.env[matter.model])]
        if not matter.action:
            return {
                "type": "ir.actions.act_window",
                "name": self.title,
                "res_model": matter.model,
                "view_mode": "list,kanban,form",
                "domain": domain,
                "context": {"create": False},
            }
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"account_bank_connect.{matter.action}"
        )
        return action | {
            "display_name": self.title, "domain": domain, "context": {"create": False}
        }


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_last_bill_ids = fields.One2many(
        "account.move", "bank_payment_id", string="Bills last paid by this", readonly=True
    )
