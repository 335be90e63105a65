import secrets
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .audit_mask import ROLES, SEES_ACCOUNTS
from .engine import ENGINE

LIVE_STATES = ("draft", "to_approve", "approved", "sending", "uncertain", "sent", "accepted")
REFUSED = ("RJCT", "CANC")  # what a bank says of a payment that it will not make


class BankPaymentBatch(models.Model):
    """Payments that leave together: one debtor account, one currency, one execution date."""

    _name = "bank.payment.batch"
    _description = "Bank Payment Batch"
    _inherit = ["bank.engine.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    reference = fields.Char(
        readonly=True,
        copy=False,
        index=True,
        help="The message's number at the bank, and the first part of every end-to-end number.",
    )
    company_id = fields.Many2one(related="journal_id.company_id", store=True, index=True)
    journal_id = fields.Many2one(
        "account.journal",
        string="Bank account",
        required=True,
        readonly=True,
        domain=[("bank_connection_id", "!=", False)],
    )
    connection_id = fields.Many2one(
        "bank.connection", required=True, readonly=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    execution_date = fields.Date(
        required=True, readonly=True, help="The day on which the bank is asked to pay."
    )
    service_level = fields.Selection(
        [("SEPA", "SEPA"), ("NURG", "Normal"), ("URGP", "Urgent")], readonly=True
    )
    instant = fields.Boolean(readonly=True)
    batch_booking = fields.Boolean(string="One debit", readonly=True)
    # draft ─► to_approve ─► approved ─► sending ─► sent ─► accepted ─► settled
    #              │                        │  ▲      └──────┴───────► refused
    #              ├─► rejected             ▼  │
    #              └─► cancelled         uncertain
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "To approve"),
            ("approved", "Approved"),
            ("sending", "Sending"),
            ("uncertain", "Uncertain"),
            ("sent", "Sent"),
            ("accepted", "Accepted"),
            ("settled", "Settled"),
            ("rejected", "Rejected"),
            ("refused", "Refused by the bank"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
    )
    preparer_id = fields.Many2one(
        "res.users",
        string="Prepared by",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
    )
    payment_ids = fields.One2many("account.payment", "bank_batch_id", readonly=True)
    payment_count = fields.Integer(compute="_compute_totals", store=True)
    amount_total = fields.Monetary(compute="_compute_totals", store=True)
    # Long as the batch is: read only where it is asked for.
    sealed_content = fields.Text(readonly=True, copy=False, groups=SEES_ACCOUNTS, prefetch=False)
    seal = fields.Char(readonly=True, copy=False)
    approval_ids = fields.One2many("bank.approval", "batch_id", readonly=True, groups=ROLES)
    message_ids_bank = fields.One2many(
        "bank.message", "batch_id", string="Bank messages", readonly=True, groups=ROLES
    )
    note = fields.Text(readonly=True, help="What the bank or the approver said.")

    _reference_uniq = models.Constraint(
        "UNIQUE(reference)", "Two batches can't have the same reference."
    )

    @api.depends("payment_ids.amount")
    def _compute_totals(self):
        for batch in self:
            batch.payment_count = len(batch.payment_ids)
            batch.amount_total = sum(batch.payment_ids.mapped("amount"))

    @api.model_create_multi
    def create(self, vals_list):
        # Before a number is drawn: who may not make batches uses none up.
        self.check_access("create")
        journals = self.env["account.journal"].browse({vals["journal_id"] for vals in vals_list})
        lines = {journal.id: journal.bank_connection_id.id for journal in journals}
        for vals in vals_list:
            vals["connection_id"] = lines[vals["journal_id"]]
            vals["name"] = self.env["ir.sequence"].next_by_code("bank.payment.batch")
            vals["reference"] = self._new_reference()
            # Nobody prepares in somebody else's name.
            vals["preparer_id"] = self.env.user.id
            vals["state"] = "draft"
        return super().create(vals_list)

    def write(self, vals):
        if set(vals) & self._guarded_fields() and self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("A batch is changed by its buttons only."))
        return super().write(vals)

    @api.model
    def _guarded_fields(self):
        return {
            "state",
            "seal",
            "sealed_content",
            "reference",
            "journal_id",
            "connection_id",
            "currency_id",
            "execution_date",
            "service_level",
            "instant",
            "batch_booking",
            "preparer_id",
            "payment_ids",
            "approval_ids",
            "note",
            "name",
            "company_id",
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_only_unused(self):
        if any(batch.state not in ("draft", "cancelled") for batch in self):
            raise UserError(self.env._("Only a draft or cancelled batch can be removed."))

    @api.model
    def _new_reference(self):
        """A number no other batch has, at this bank or anywhere: 17 characters."""
        alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike
        token = "".join(secrets.choice(alphabet) for _position in range(8))
        return f"BC{fields.Date.today():%y%m%d}-{token}"

    def _engine(self):
        """The batch with the right to change its own state.

        sudo: the state machine acts for users who may press a button, not write the record; the
        caller has checked that right. The marker is an object that no remote call can supply.
        """
        return self.sudo().with_context(bank_engine=ENGINE)

    # -- what the bank says -----------------------------------------------------------------

    def _follow_payments(self):
        """Bring the batch's state in line with its payments' fates."""
        batches = self.filtered(lambda batch: batch.state in (*LIVE_STATES, "settled"))
        # Counted by the database: a long statement asks anew after each slice of a large batch.
        counts = {batch: Counter() for batch in batches}
        for batch, status, booked, number in self.env["account.payment"]._read_group(
            [("bank_batch_id", "in", batches.ids)],
            ["bank_batch_id", "bank_status", "bank_booked"],
            ["__count"],
        ):
            counts[batch][status, booked] += number
        for batch, those in counts.items():
            total = those.total()
            rejected = sum(those[kind] for kind in those if kind[0] in REFUSED)
            booked = sum(those[kind] for kind in those if kind[1] and kind[0] not in REFUSED)
            if rejected == total:
                cancelled = any(status == "CANC" for status, _booked in those)
                state = "cancelled" if cancelled else "refused"
            elif rejected + booked == total:
                state = "settled"
            elif any(status not in (False, "RCVD") for status, _booked in those):
                state = "accepted"
            elif batch.state == "settled" or any(status for status, _booked in those):
                state = "sent"
            else:
                continue
            if batch.state != state:
                batch.write({"state": state})

    def action_view_payments(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payments"),
            "res_model": "account.payment",
            "view_mode": "list,form",
            "domain": [("bank_batch_id", "=", self.id)],
        }

    def action_download_message(self):
        self.ensure_one()
        message = self._payment_message()
        if not message:
            raise UserError(self.env._("There is no message yet: it is made on approval."))
        return message.action_download()

    def _payment_message(self):
        """The one message that asks the bank to pay this batch; empty before approval."""
        self.ensure_one()
        return self.message_ids_bank.filtered(
            lambda message: message.direction == "out" and message.purpose == "payment"
        )
