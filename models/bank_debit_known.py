"""Debits that need no instruction: the bank's own charges, cards, direct debits, known others."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .audit_mask import SEES_ACCOUNTS
from .engine import ENGINE
from .in_person import check_in_person, same_person

GUARDED = {"state", "proposer_id", "confirmer_id", "discrepancy_id", "reason"}
CONDITIONS = {"journal_id", "codes", "partner_name", "account_number", "amount_max"}


class BankDebitKnown(models.Model):
    """One kind of debit, or one other side, that takes money without a payment from here.

    What is set has to be true of a debit, all of it. A bank administrator enters them. What a
    preparer wants remembered counts when somebody else has confirmed it: whoever could make a
    payment look ordinary could keep an alarm from being raised.
    """

    _name = "bank.debit.known"
    _description = "Known Debit"
    _inherit = ["bank.audit.mixin"]
    _order = "state desc, sequence, id"
    _check_company_auto = True

    _audit_prefix = "known_debit"
    _audit_plain = frozenset(
        ("active", "company_id", "journal_id", "codes", "amount_max", "state")
    )
    _audit_ignored = frozenset(("sequence",))

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    # proposed ──► confirmed
    state = fields.Selection(
        [("proposed", "To be confirmed"), ("confirmed", "Confirmed")],
        required=True, readonly=True, default="confirmed",
    )
    company_id = fields.Many2one(
        "res.company", help="Empty: every company.", default=lambda self: self.env.company
    )
    journal_id = fields.Many2one(
        "account.journal", string="Bank account", domain="[('type', '=', 'bank')]",
        check_company=True,
        help="Empty: every bank account.",
    )
    codes = fields.Char(
        string="Bank's codes",
        help="Codes of the booking, separated by spaces: a family such as PMNT/RDDT, the last part "
        "alone, such as CHRG, or a code of MT940, such as NCHG.",
    )
    partner_name = fields.Char(
        string="Other side's name", help="As the bank writes it; capitals don't matter."
    )
    account_number = fields.Char(string="Other side's account", groups=SEES_ACCOUNTS)
    amount_max = fields.Float(
        string="Up to", digits=(16, 2),
        help="In the currency of the bank account. 0: any amount.",
    )
    reason = fields.Text(string="Why it is known", readonly=True)
    proposer_id = fields.Many2one("res.users", string="Remembered by", readonly=True)
    confirmer_id = fields.Many2one("res.users", string="Confirmed by", readonly=True)
    discrepancy_id = fields.Many2one("bank.discrepancy", string="Remembered from", readonly=True)
    may_confirm = fields.Boolean(compute="_compute_may_confirm")

    @api.constrains("codes", "partner_name", "account_number")
    def _check_conditions(self):
        for known in self:
            if not any(
                (known[name] or "").strip() for name in ("codes", "partner_name", "account_number")
            ):
                raise ValidationError(
                    self.env._("Say by what the debit is known: a code, a name or an account.")
                )

    @api.depends("state", "proposer_id")
    @api.depends_context("uid")
    def _compute_may_confirm(self):
        entitled = self._may_decide()
        for known in self:
            known.may_confirm = (
                entitled and known.state == "proposed"
                and not same_person(known.proposer_id, self.env.user)
            )

    def _audit_name(self):
        # The trail can't forget: it holds no names.
        return f"known debit {self.id}"

    @api.model
    def _may_decide(self):
        return self.env.user.has_groups(
            "account_bank_connect.group_approver,account_bank_connect.group_admin"
        )

    # -- remembered from a discrepancy --------------------------------------------------------

    @api.model
    def _remember(self, discrepancy, reason):
        """Remember the other side of a debit. What a preparer remembers has to be confirmed."""
        line = discrepancy.sudo().line_id
        number = "".join((line.account_number or "").split()).upper()
        if not number and not line.partner_name:
            raise UserError(
                self.env._("The bank names nobody for this debit: there is nothing to remember.")
            )
        decided = self._may_decide()
        # sudo: remembered by the button only, after what has to be checked.
        return self.sudo().with_context(bank_engine=ENGINE).create(
            {
                "name": line.partner_name or self.env._("Account known to us"),
                "company_id": line.company_id.id,
                # The account says it best; a name can be anybody's.
                "account_number": number or False,
                "partner_name": False if number else line.partner_name,
                "state": "confirmed" if decided else "proposed",
                "reason": reason,
                "proposer_id": self.env.user.id,
                "confirmer_id": self.env.user.id if decided else False,
                "discrepancy_id": discrepancy.id,
            }
        )

    def action_confirm(self):
        """Let what somebody else remembered count."""
        self.check_access("read")
        check_in_person(self.env)
        for known in self:
            if not known.may_confirm:
                raise AccessError(
                    self.env._(
                        "An approver or bank administrator who did not remember “%s” has to "
                        "confirm it.", known.name,
                    )
                )
        # sudo: see above.
        self.sudo().with_context(bank_engine=ENGINE).write(
            {"state": "confirmed", "confirmer_id": self.env.user.id}
        )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_guarded({name for vals in vals_list for name in vals})
        known = super().create([self._clean(vals) for vals in vals_list])
        known._check_whose_alarms()
        return known

    def write(self, vals):
        self._check_guarded(vals)
        if (
            set(vals) & CONDITIONS
            and self.env.context.get("bank_engine") is not ENGINE
            and any(known.state == "proposed" for known in self)
        ):
            raise AccessError(self.env._("Confirm it first, or archive it and enter another."))
        self._check_whose_alarms()
        result = super().write(self._clean(vals))
        self._check_whose_alarms()
        return result

    def _check_whose_alarms(self):
        """What keeps alarms of every company from being raised is for who works in every one."""
        shared = self.filtered(lambda known: not known.company_id)
        if not shared or self.env.su:
            return
        # sudo: only which companies there are is asked.
        own = self.env.user.sudo().company_ids
        if self.env["res.company"].sudo().search_count([("id", "not in", own.ids)], limit=1):
            raise AccessError(
                self.env._(
                    "“%s” holds for every company: only who works in all of them may enter or "
                    "change it. Enter one for your own company.", shared[0].name,
                )
            )

    @api.model
    def _clean(self, vals):
        vals = dict(vals)
        if vals.get("account_number"):
            vals["account_number"] = "".join(
                char for char in vals["account_number"] if char.isalnum()
            ).upper()
        if vals.get("codes"):
            vals["codes"] = " ".join(vals["codes"].upper().split())
        return vals

    @api.model
    def _check_guarded(self, names):
        if set(names) & GUARDED and self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("This is set by confirming, not by hand."))

    # -- asked --------------------------------------------------------------------------------

    @api.model
    def _is_known(self):
        """SQL: whether a statement line ``line`` is a known debit."""
        return SQL(
            r"""
            EXISTS (
                SELECT 1 FROM bank_debit_known known
                 WHERE known.active AND known.state = 'confirmed'
                   AND (known.company_id IS NULL OR known.company_id = line.company_id)
                   AND (known.journal_id IS NULL OR known.journal_id = line.journal_id)
                   AND (COALESCE(known.amount_max, 0) = 0 OR -line.amount <= known.amount_max)
                   AND (COALESCE(known.codes, '') = '' OR EXISTS (
                        SELECT 1 FROM unnest(string_to_array(known.codes, ' ')) code
                         WHERE code = ANY(string_to_array(line.transaction_type, '+'))
                            OR starts_with(line.transaction_type, code || '/')
                            OR right(line.transaction_type, length(code) + 1) = '/' || code))
                   AND (COALESCE(known.partner_name, '') = ''
                        OR lower(trim(known.partner_name)) = lower(trim(line.partner_name)))
                   AND (COALESCE(known.account_number, '') = ''
                        OR known.account_number
                         = upper(regexp_replace(line.account_number, '[^[:alnum:]]', '', 'g'))))
            """
        )
