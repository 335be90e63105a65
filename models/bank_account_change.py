import hashlib
import json

from markupsafe import Markup
from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from . import audit_mask
from .bank_account_hold import CONFIRMING
from .engine import ENGINE
from .in_person import check_in_person


def masked(number):
    """An account number of which only the last four characters show."""
    plain = "".join((number or "").split())
    return f"•••• {plain[-4:]}" if len(plain) > 4 else "••••"


class BankAccountChange(models.Model):
    """What was changed about a bank account, by whom, and who confirmed it. Kept for ever."""

    _name = "bank.account.change"
    _description = "Change of a bank account"
    _inherit = ["bank.engine.mixin"]
    _order = "id desc"

    # An account goes when its partner is removed; what was said about it stays.
    account_id = fields.Many2one("res.partner.bank", readonly=True, index=True, ondelete="set null")
    company_id = fields.Many2one(related="account_id.company_id", store=True, index=True)
    payee = fields.Char(readonly=True)
    number = fields.Char(string="Account number", readonly=True)
    own = fields.Boolean(
        string="Our own account",
        readonly=True,
        help="It belongs to one of our companies. A confirmation is needed to pay to it only.",
    )
    user_id = fields.Many2one(
        "res.users", string="Changed by", required=True, readonly=True, ondelete="restrict"
    )
    date = fields.Datetime(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("created", "Entered"),
            ("changed", "Changed"),
            ("bank", "Bank's BIC changed"),
            ("payee", "Payee joined or left a group"),
            ("hold", "Put on hold"),
            ("asked", "Confirmation asked for"),
        ],
        string="What",
        required=True,
        readonly=True,
    )
    values = fields.Json(string="Old and new", readonly=True)
    reason = fields.Char(readonly=True)
    # pending ─► confirmed
    #    └─────► refused
    state = fields.Selection(
        [("pending", "To be confirmed"), ("confirmed", "Confirmed"), ("refused", "Refused")],
        default="pending",
        required=True,
        readonly=True,
        index=True,
    )
    decider_id = fields.Many2one(
        "res.users", string="Confirmed or refused by", readonly=True, ondelete="restrict"
    )
    decided_on = fields.Datetime(readonly=True)
    method = fields.Selection(
        [
            ("call", "Called back, on a number known before"),
            ("document", "Document of the payee's bank"),
            ("meeting", "In person"),
            ("register", "Public register or the payee's signed contract"),
            ("other", "Otherwise: see the note"),
        ],
        string="How it was verified",
        readonly=True,
    )
    note = fields.Text(readonly=True)
    evidence_ids = fields.Many2many("ir.attachment", readonly=True)
    comparison = fields.Html(string="Old and new values", compute="_compute_comparison")
    summary = fields.Char(compute="_compute_summary")
    may_confirm = fields.Boolean(compute="_compute_may_confirm")

    # -- on the screen ------------------------------------------------------------------------

    @api.depends("payee", "number")
    def _compute_display_name(self):
        for change in self:
            change.display_name = f"{change.payee}: {masked(change.number)}"

    @api.depends("values", "reason")
    @api.depends_context("lang")
    def _compute_comparison(self):
        for change in self:
            change.comparison = change._as_table()

    @api.depends("values", "reason", "kind")
    @api.depends_context("lang")
    def _compute_summary(self):
        for change in self:
            change.summary = "; ".join(change._sentences()) or change.reason

    @api.depends_context("uid")
    @api.depends("state", "user_id")
    def _compute_may_confirm(self):
        entitled = self._entitled()
        changers = self.account_id._bank_changers() if entitled else {}
        for change in self:
            change.may_confirm = (
                entitled
                and change.state == "pending"
                and self.env.user.partner_id
                not in changers.get(change.account_id.id, self.env.user).partner_id
            )

    def _names(self):
        """Fields of an account → what people call them."""
        return {
            "acc_number": self.env._("Account number"),
            "partner_id": self.env._("Payee"),
            "commercial_partner_id": self.env._("Payee's company"),
            "acc_holder_name": self.env._("Account holder"),
            "bank_id": self.env._("Bank"),
            "bic": self.env._("BIC"),
            "clearing_number": self.env._("Clearing number"),
            "currency_id": self.env._("Currency"),
            "active": self.env._("Use"),
        }

    def _as_table(self):
        """Old and new side by side, as HTML; every text in it is escaped."""
        names = self._names()
        row = Markup("<tr><td>%s</td><td>%s</td><td><strong>%s</strong></td><td>%s, %s</td></tr>")
        rows = [
            row
            % (
                names.get(field, field),
                value["old"] or "–",
                value["new"] or "–",
                change.user_id.name,
                fields.Date.to_string(change.date),
            )
            for change in self.sorted("id")
            for field, value in (change.values or {}).items()
        ]
        rows += [
            Markup("<tr><td colspan='3'>%s</td><td>%s, %s</td></tr>")
            % (change.reason, change.user_id.name, fields.Date.to_string(change.date))
            for change in self.sorted("id")
            if change.reason
        ]
        if not rows:
            return False
        return Markup(
            "<table class='table table-sm mb-0'><thead><tr><th></th><th>%s</th><th>%s</th>"
            "<th>%s</th></tr></thead><tbody>%s</tbody></table>"
        ) % (
            self.env._("Old value"), self.env._("New value"), self.env._("Changed by"),
            Markup().join(rows),
        )

    def _sentences(self):
        """What changed, with account numbers masked: for lists and the chatter."""
        names = self._names()
        found = []
        for field, value in (self.values or {}).items():
            old, new = value["old"], value["new"]
            if field == "acc_number":
                old, new = old and masked(old), masked(new)
            if self.kind == "created":
                found.append(f"{names.get(field, field)}: {new}")
            else:
                found.append(f"{names.get(field, field)}: {old or '–'} → {new or '–'}")
        return found

    def _say(self):
        """Leave a note on accounts and payees, for all of them at once."""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        notes = {}
        for change in self:
            account = change.account_id
            notes[account] = self.env._(
                "%(what)s, account %(number)s: %(details)s. Payments to it are held back until "
                "somebody else has confirmed it.",
                what=kinds[change.kind],
                number=masked(change.number),
                details=change.summary or "–",
            )
        self._log_on_accounts(notes)

    def _record_event(self, kind):
        """For the auditor: which fields, and a digest of what they said.

        The trail can't forget, and a payee may ask to be forgotten: so it holds neither names nor
        values, but what proves them as long as they are kept here.
        """
        kinds = dict(self._fields["kind"].selection)
        items = [
            (
                change,
                {
                    "what": kinds[change.kind],
                    "fields": sorted(change.values or {}),
                    "sha256": change._content_digest(),
                    **({"method": change.method} if change.method else {}),
                },
            )
            for change in self
        ]
        self.env["bank.audit.event"]._record_each(kind, items)

    def _content(self):
        """What names a payee, or may do so."""
        self.ensure_one()
        return {
            name: self[name] or None for name in ("payee", "number", "values", "reason", "note")
        }

    def _content_digest(self):
        """SHA-256 of it, as canonical JSON."""
        text = json.dumps(
            self._content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def _audit_name(self):
        # Not the payee's: see `_record_event`.
        return masked(self.number or "")

    def _log_on_accounts(self, notes):
        """:param notes: account → text"""
        accounts = self.account_id
        # People quote numbers in their notes; whole ones stay in the history.
        notes = {account: audit_mask.masked(note) for account, note in notes.items()}
        accounts._message_log_batch({account.id: note for account, note in notes.items()})
        bodies = {}
        for account, note in notes.items():
            bodies.setdefault(account.partner_id.id, []).append(note)
        accounts.partner_id._message_log_batch(
            {id_: Markup("<br/>").join(texts) for id_, texts in bodies.items()}
        )

    def action_decide(self):
        """Show these changes and what else is pending on their accounts, to decide about them."""
        wizard = self.env["bank.account.wizard"].create(
            {
                "change_ids": [
                    fields.Command.set(
                        self.search(
                            [
                                ("account_id", "in", self.account_id.ids),
                                ("state", "=", "pending"),
                            ]
                        ).ids
                    )
                ]
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Confirm accounts"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    # -- the second person ----------------------------------------------------------------------

    @api.model
    def _entitled(self):
        return any(self.env.user.has_group(group) for group in CONFIRMING)

    def action_confirm(self, method, note, evidence_ids=None):
        """Confirm accounts as they are now, as somebody else than who changed them.

        :param method: how it was verified, of the field ``method``
        :param note: whom you asked, when, what was said
        :param evidence_ids: ids of own attachments
        :raises AccessError: you may not, or you changed one of the accounts yourself
        :raises UserError: decided already, or changed again since you looked
        """
        if method not in dict(self._fields["method"].selection):
            raise UserError(self.env._("Say how it was verified."))
        pending, evidence = self._prepare_decision(note, evidence_ids)
        accounts = pending.account_id
        changers = accounts._bank_changers()
        for account in accounts:
            if not account._bank_may_be_confirmed_by(self.env.user.sudo(), changers[account.id]):
                raise AccessError(
                    self.env._(
                        "You entered or changed the account %s yourself: somebody else has to "
                        "confirm it.",
                        account.acc_number,
                    )
                )
        pending._decide("confirmed", method, note, evidence)
        accounts._bank_account_engine().write(
            {"bank_trust": "confirmed", "allow_out_payment": True}
        )
        accounts._bank_keep_identity()

    def action_refuse(self, note, evidence_ids=None):
        """Say that an account is wrong; it stays on hold, with its old values in the history."""
        pending, evidence = self._prepare_decision(note, evidence_ids)
        pending._decide("refused", False, note, evidence)
        pending.account_id._bank_account_engine().write({"bank_trust": "refused"})

    def _prepare_decision(self, note, evidence_ids):
        """Check who decides about what; the accounts are locked from here on.

        :return: the changes, with the right to decide; the evidence
        """
        self = self.browse(self.ids)  # read together, wherever they came from
        self.check_access("read")
        if self.env.uid == SUPERUSER_ID or not self._entitled():
            raise AccessError(
                self.env._(
                    "Only an approver, or somebody with the right to validate bank accounts, may "
                    "confirm or refuse an account: a person, under their own name."
                )
            )
        check_in_person(self.env)
        if not (note or "").strip():
            raise UserError(
                self.env._("Say whom you asked, when, and what was said: auditors read it.")
            )
        evidence = self.env["ir.attachment"].browse(evidence_ids or [])
        if evidence.sudo().create_uid - self.env.user:
            raise AccessError(self.env._("Attach your own evidence, not other people's documents."))
        # sudo: the history is nobody's to edit; decisions are written by these methods only.
        changes = self.sudo().with_context(bank_account_engine=ENGINE)
        changes.account_id.lock_for_update()
        changes.invalidate_recordset(["state"])
        if not changes or any(change.state != "pending" for change in changes):
            raise UserError(self.env._("This was decided already."))
        if not all(change.account_id for change in changes):
            raise UserError(self.env._("The account was removed together with its payee."))
        pending = [("account_id", "in", changes.account_id.ids), ("state", "=", "pending")]
        newer = changes.search(pending) - changes
        if newer:
            raise UserError(
                self.env._(
                    "%s was changed again meanwhile. Look at all of its changes, and decide then.",
                    newer[0].display_name,
                )
            )
        return changes, evidence

    def _decide(self, state, method, note, evidence):
        self.write(
            {
                "state": state,
                "method": method,
                "note": note.strip(),
                "decider_id": self.env.uid,
                "decided_on": fields.Datetime.now(),
                **({"evidence_ids": [fields.Command.set(evidence.ids)]} if evidence else {}),
            }
        )
        # From now on the evidence belongs to the history, and nobody can change it.
        evidence.sudo().write({"res_model": self._name, "res_id": self[0].id})
        self._record_event("account_confirmed" if state == "confirmed" else "account_refused")
        methods = dict(self._fields["method"]._description_selection(self.env))
        if state == "confirmed":
            text = self.env._(
                "The account %(number)s was confirmed by %(user)s. %(method)s: %(note)s"
            )
        else:
            text = self.env._("The account %(number)s was refused by %(user)s: %(note)s")
        values = {"user": self.env.user.name, "method": methods.get(method, ""), "note": note}
        self._log_on_accounts(
            {
                account: text % {**values, "number": masked(account.acc_number)}
                for account in self.account_id
            }
        )
        self.account_id.activity_feedback(
            ["account_bank_connect.activity_confirm_account"], feedback=audit_mask.masked(note)
        )

    # -- kept for ever --------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("bank_account_engine") is not ENGINE:
            raise AccessError(self.env._("The history of accounts is not written by hand."))
        return super().create(vals_list)

    def write(self, vals):
        if self.env.context.get("bank_account_engine") is not ENGINE:
            raise AccessError(self.env._("The history of accounts is not written by hand."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The history of accounts can't be removed."))
