from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .audit_mask import masked
from .bank_watch import business_days_between
from .discrepancy_texts import CATALOGUE, KINDS, SEVERITIES, VERDICTS, say
from .engine import ENGINE
from .in_person import check_in_person, logins_of

# What people may set themselves.
THEIRS = {"owner_id", "deadline"}
# What the chatter and the tasks keep in the same row.
OPEN_COLUMNS = {"activity_ids", "message_follower_ids", "message_ids", "message_main_attachment_id"}


class BankDiscrepancy(models.Model):
    """Where bank and ledger disagree, from the moment it is noticed until somebody says why.

    One record for each thing, ever: its key is unique in the database. What comes back opens the
    same record again. Only the verification finds and closes; only people resolve, with a reason.
    """

    _name = "bank.discrepancy"
    _description = "Discrepancy between Bank and Ledger"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "state, severity, since, id"  # open first; high, medium, note
    _mail_post_access = "read"

    key = fields.Char(required=True, readonly=True, help="What makes it this one and no other.")
    code = fields.Char(required=True, readonly=True, help="Of the catalogue discrepancy_texts.")
    kind = fields.Selection(KINDS, required=True, readonly=True, index=True)
    severity = fields.Selection(SEVERITIES, string="To be dealt with", required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    # open ──► resolved (by people) ──(comes back, or changes)──► open
    #   └────► closed (its cause is gone) ──(comes back)──────────► open
    state = fields.Selection(
        [("open", "Unexplained"), ("resolved", "Explained"), ("closed", "Gone by itself")],
        required=True, readonly=True, default="open", index=True,
    )
    present = fields.Boolean(
        readonly=True, help="Whether the last verification still found it."
    )
    connection_id = fields.Many2one("bank.connection", readonly=True, index="btree_not_null")
    journal_id = fields.Many2one("account.journal", string="Bank account", readonly=True)
    batch_id = fields.Many2one("bank.payment.batch", readonly=True, index="btree_not_null")
    payment_id = fields.Many2one("account.payment", readonly=True, index="btree_not_null")
    message_id = fields.Many2one(
        "bank.message", string="Document", readonly=True, index="btree_not_null"
    )
    line_id = fields.Many2one(
        "account.bank.statement.line", string="Bank booking", readonly=True,
        index="btree_not_null", ondelete="set null",
    )
    move_id = fields.Many2one(
        "account.move", string="Entry", readonly=True, index="btree_not_null", ondelete="set null"
    )
    facts = fields.Json(readonly=True, help="The evidence: what each side says.")
    mark = fields.Char(readonly=True, help="When it changes, an explanation holds no longer.")
    since = fields.Date(string="Exists since", required=True, readonly=True)
    found_on = fields.Datetime(readonly=True)
    reopened = fields.Integer(string="Times reopened", readonly=True, aggregator=None)
    told_on = fields.Datetime(readonly=True)
    owner_id = fields.Many2one(
        "res.users", string="Taken on by", index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    deadline = fields.Date(string="To be explained by")
    verdict = fields.Selection(VERDICTS, readonly=True)
    reason = fields.Text(string="Explanation", readonly=True)
    resolver_id = fields.Many2one("res.users", string="Explained by", readonly=True)
    resolved_on = fields.Datetime(string="Settled on", readonly=True)
    sentence = fields.Text(string="What was found out", compute="_compute_texts")
    cure = fields.Text(string="What to do about it", compute="_compute_texts")
    figures = fields.Html(
        string="Approved, bank, ledger", compute="_compute_figures", sanitize=False
    )
    age = fields.Integer(string="Age (days)", compute="_compute_age", aggregator=None)
    overdue = fields.Boolean(compute="_compute_age", search="_search_overdue")
    may_resolve = fields.Boolean(compute="_compute_may_resolve")

    _key_uniq = models.Constraint("UNIQUE(key)", "This discrepancy is known.")

    # -- told -----------------------------------------------------------------------------------

    @api.depends("kind", "code", "facts")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for each in self:
            about = ((each.facts or {}).get("values") or {}).get("about")
            kind = labels.get(each.kind) or ""
            each.display_name = f"{kind}: {about}" if about else kind

    @api.depends("code", "facts")
    @api.depends_context("lang")
    def _compute_texts(self):
        for each in self:
            # What another version found may have no text any more.
            entry = CATALOGUE.get(each.code)
            each.sentence = entry and say(self.env, entry.sentence, each._spoken_values())
            each.cure = entry and say(self.env, entry.cure)

    @api.depends("since", "deadline", "state")
    def _compute_age(self):
        today = fields.Date.context_today(self)
        for each in self:
            end = each.resolved_on.date() if each.state != "open" and each.resolved_on else today
            each.age = max((end - each.since).days, 0) if each.since else 0
            each.overdue = each.state == "open" and bool(each.deadline) and each.deadline < today

    def _search_overdue(self, operator, value):
        if operator not in ("in", "not in") or list(value) not in ([True], [False]):
            return NotImplemented
        domain = [("state", "=", "open"), ("deadline", "<", fields.Date.context_today(self))]
        wanted = (operator == "in") == (True in value)
        return domain if wanted else ["!", "&", *domain]

    # -- resolving ------------------------------------------------------------------------------

    @api.depends("state", "code", "payment_id", "batch_id", "line_id")
    @api.depends_context("uid")
    def _compute_may_resolve(self):
        entitled = self._entitled()
        for each in self:
            each.may_resolve = entitled and each.state == "open" and not each._is_barred()

    @api.model
    def _entitled(self):
        return self.env.user.has_groups(
            "account_bank_connect.group_preparer,account_bank_connect.group_approver,"
            "account_bank_connect.group_admin"
        )

    def _is_barred(self):
        """Whether the user prepared the money that left; a second login of theirs counts as them.
        """
        self.ensure_one()
        entry = CATALOGUE.get(self.code)
        if entry and not entry.money_out:
            return False
        # sudo: who prepared is only compared, whatever the user may see of it.
        this = self.sudo()
        batches = (
            this.batch_id
            | this.payment_id.bank_batch_id
            | this.line_id.bank_payment_ids.bank_batch_id
        )
        prepared = self.env["res.users"].sudo().union(
            *(batch._people_who_prepared() for batch in batches)
        )
        return self.env.user in logins_of(prepared)

    def action_resolve(self, verdict, reason):
        """Explain these, as somebody who did not prepare the money that left.

        :raises AccessError: you may not, or you prepared one of the payments
        :raises UserError: no explanation, or not open
        """
        self.check_access("read")
        if not self._entitled() or self.env.user._is_superuser():
            raise AccessError(
                self.env._("Only preparers, approvers and bank administrators explain "
                           "discrepancies.")
            )
        check_in_person(self.env)
        if verdict not in dict(self._fields["verdict"].selection):
            raise UserError(self.env._("Say what became of it."))
        if len((reason or "").strip()) < 5:
            raise UserError(self.env._("Write down how it is explained: auditors read it."))
        reason = masked(reason.strip())
        for each in self:
            each._lock()
            if each.state != "open":
                raise UserError(self.env._("“%s” is not open any more.", each.display_name))
            if each._is_barred():
                raise AccessError(
                    self.env._(
                        "You prepared the payments that “%s” is about: somebody else has to "
                        "explain it.", each.display_name,
                    )
                )
        self._engine().write(
            {
                "state": "resolved",
                "verdict": verdict,
                "reason": reason,
                "resolver_id": self.env.user.id,
                "resolved_on": fields.Datetime.now(),
            }
        )
        labels = dict(self._fields["verdict"]._description_selection(self.env))
        self._note_each(f"{labels[verdict]}: {reason}", author=self.env.user.partner_id)
        self._end_tasks()
        self.env["bank.audit.event"]._record_each(
            "discrepancy_resolved",
            [(each, {**each._audit_details(), "verdict": verdict, "reason": reason})
             for each in self],
        )

    def _lock(self):
        """Decide one after the other, on what the other left."""
        # sudo: only its row is locked; whether they may was asked before.
        self.sudo().lock_for_update()
        self.invalidate_recordset(["state"])

    def action_reopen(self, reason):
        """Take an explanation back that turned out wrong."""
        self.check_access("read")
        if not self._entitled() or self.env.user._is_superuser():
            raise AccessError(
                self.env._("Only preparers, approvers and bank administrators explain "
                           "discrepancies.")
            )
        check_in_person(self.env)
        if len((reason or "").strip()) < 5:
            raise UserError(self.env._("Say why it is open again: auditors read it."))
        explained = self.filtered(lambda each: each.state == "resolved")
        explained._engine()._open_again(masked(reason.strip()))

    @api.model
    def action_verify_now(self):
        """Verify the companies that the user works in, now."""
        return self.env["bank.verification"].action_verify_now()

    def action_take(self):
        """Take these on: whoever looks at the list sees that somebody sees to it."""
        self.check_access("write")
        self.write({"owner_id": self.env.user.id})

    # -- written ----------------------------------------------------------------------------------

    def _engine(self):
        """The discrepancies with the right to change them.

        sudo: the verification and the buttons act for people who may press them, not write. The
        marker is an object that no remote call can supply.
        """
        return self.sudo().with_context(bank_engine=ENGINE)

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("A discrepancy is found by verifying, not by hand."))
        return super().create(vals_list)

    def write(self, vals):
        engine = self.env.context.get("bank_engine") is ENGINE
        if not engine and set(vals) - THEIRS - OPEN_COLUMNS:
            raise AccessError(
                self.env._("Of a discrepancy only owner and deadline are set by hand.")
            )
        if not engine:
            self.check_access("write")
        before = {each: each.owner_id for each in self} if "owner_id" in vals else {}
        if "owner_id" in vals and vals["owner_id"] and not engine:
            self._check_owner(self.env["res.users"].browse(vals["owner_id"]))
        result = super().write(vals)
        changed = [each for each, owner in before.items() if each.owner_id != owner]
        self.env["bank.audit.event"]._record_each(
            "discrepancy_owned",
            [(each, {**each._audit_details(), "owner": each.owner_id.sudo().login or None})
             for each in changed],
        )
        return result

    def _check_owner(self, owner):
        # sudo: only asked where this person works, and as what.
        owner = owner.sudo()
        if owner.share or self.company_id - owner.company_ids or not owner.active:
            raise UserError(
                self.env._("%s does not work for this company.", owner.display_name)
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("Discrepancies are kept: they are evidence."))

    def _audit_name(self):
        return f"{self.kind} {self.id}"

    def _audit_details(self):
        # sudo: the trail tells of the whole discrepancy, whatever the user may see of it.
        each = self.sudo()
        # The trail can't forget: it holds no names.
        values = {
            name: value for name, value in ((each.facts or {}).get("values") or {}).items()
            if name not in ("payee", "about")
        }
        said = {
            "kind": each.kind, "code": each.code, "key": each.key,
            "account": each.journal_id.code, "batch": each.batch_id.name,
            "payment": each.payment_id.end_to_end_id, "values": values,
        }
        return {name: value for name, value in said.items() if value}

    @api.model
    def _deadline_in(self, days):
        """The day on which so many business days have passed."""
        day = fields.Date.today()
        while days and business_days_between(fields.Date.today(), day) < days:
            day += timedelta(days=1)
        return day

    # -- where it is ------------------------------------------------------------------------------

    def _action_record(self, record):
        self.ensure_one()
        if not record:
            raise UserError(self.env._("There is nothing of this kind to show."))
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }

    def action_view_payments(self):
        """The payments it is about."""
        self.ensure_one()
        ids = (self.facts or {}).get("payment_ids") or self.payment_id.ids
        if len(ids) == 1:
            return self._action_record(self.env["account.payment"].browse(ids))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payments"),
            "res_model": "account.payment",
            "view_mode": "list,form",
            "domain": [("id", "in", ids)],
        }

    def action_view_bookings(self):
        """The bank's bookings it is about."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_statement_line"
        )
        ids = (self.facts or {}).get("line_ids") or self.line_id.ids
        return action | {"domain": [("id", "in", ids)], "context": {}}
