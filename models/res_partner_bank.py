from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .audit_mask import SEES_PAYEES_ACCOUNTS
from .bank_account_identity import WATCHED
from .engine import ENGINE

# Written by holding and confirming only.
GUARDED = {"bank_trust", "bank_confirmed", "bank_change_ids"}


class ResPartnerBank(models.Model):
    """A payee's account is paid to when a second person has confirmed it, and not before.

    Core's trust (``allow_out_payment``) is forced off by every change, and nothing but a
    confirmation turns it on. Accounts of our own companies are no payees' accounts: their changes
    are written down and their trust is left to core; who wants to pay to one needs a confirmation
    all the same.
    """

    _inherit = "res.partner.bank"

    # Core would write full numbers into the chatter; changes are noted there masked.
    acc_number = fields.Char(tracking=False)
    # (nothing) ─► hold ◄─► refused
    #               ▲ │        │
    #               │ ▼        ▼
    #   before ─────┴─ confirmed
    bank_trust = fields.Selection(
        [
            ("hold", "On hold"),
            ("refused", "Refused"),
            ("confirmed", "Confirmed"),
            ("before", "Trusted before Bank Connect"),
        ],
        string="Confirmation",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Payments reach an account through Bank Connect when somebody else than who entered "
        "or changed it has confirmed it.",
    )
    bank_confirmed = fields.Json(
        string="What was confirmed", readonly=True, copy=False, groups=SEES_PAYEES_ACCOUNTS
    )
    bank_change_ids = fields.One2many(
        "bank.account.change", "account_id", string="Changes", readonly=True, copy=False,
        groups=SEES_PAYEES_ACCOUNTS,
    )
    bank_pending = fields.Html(
        string="Waits for confirmation", compute="_compute_bank_pending", compute_sudo=True,
        groups=SEES_PAYEES_ACCOUNTS,
    )

    @api.depends("bank_trust", "bank_change_ids.state")
    def _compute_bank_pending(self):
        """Old and new side by side."""
        for account in self:
            pending = account.bank_change_ids.filtered(
                lambda change, account=account: (
                    change.state == "pending"
                    or (account.bank_trust == "refused" and change.state == "refused")
                )
            )
            account.bank_pending = pending._as_table() if pending else False

    # -- whose trust is ours to give ----------------------------------------------------------

    @api.model
    def _bank_controlled(self, partners):
        """Those partners whose accounts may be trusted by a confirmation only.

        An account that several companies share is controlled as soon as one of them wants it.
        """
        # sudo: which companies there are and what they chose decides, not what the user sees.
        companies = self.env["res.company"].sudo().search([("bank_account_control", "=", True)])
        return partners.filtered(
            lambda partner: (
                not partner.sudo().ref_company_ids
                and (partner.sudo().company_id or companies) & companies
            )
        )

    def _bank_payees(self):
        """Those of these accounts whose trust is given by a confirmation only."""
        owners = self._bank_controlled(self.sudo().partner_id)
        return self.filtered(lambda account: account.sudo().partner_id in owners)

    # -- guard --------------------------------------------------------------------------------

    def _bank_account_engine(self):
        """The accounts with the right to change trust.

        sudo: holding and confirming act for users who may do it, not write the record; the caller
        has checked that. The marker is an object that no remote call can supply.
        """
        return self.sudo().with_context(bank_account_engine=ENGINE, tracking_disable=True)

    def _bank_is_engine(self):
        return self.env.context.get("bank_account_engine") is ENGINE

    @api.model_create_multi
    def create(self, vals_list):
        owners = self.env["res.partner"].browse(
            {vals["partner_id"] for vals in vals_list if vals.get("partner_id")}
        )
        controlled = set(self._bank_controlled(owners).ids)
        free = set(owners.ids) - controlled
        # Said explicitly, else a default from the context would decide.
        new = {"bank_trust": "hold", "bank_confirmed": False}
        accounts = super().create(
            [
                {
                    **{name: value for name, value in vals.items() if name not in GUARDED},
                    **new,
                    **({} if vals.get("partner_id") in free else {"allow_out_payment": False}),
                }
                for vals in vals_list
            ]
        )
        accounts._bank_note_new()
        return accounts

    def write(self, vals):
        if self._bank_is_engine():
            return super().write(vals)
        if GUARDED & vals.keys():
            raise AccessError(self.env._("An account's confirmation is not changed by hand."))
        if vals.get("allow_out_payment") and not self._bank_may_trust():
            vals = {name: value for name, value in vals.items() if name != "allow_out_payment"}
        distrusted = self.browse()
        if "allow_out_payment" in vals and not vals["allow_out_payment"]:
            distrusted = self.filtered("allow_out_payment")
        if not distrusted and not WATCHED & vals.keys():
            return super().write(vals)
        before = self._bank_snapshot()
        result = super().write(vals)
        changes = self._bank_differences(before)
        for values in changes.values():
            if "bank_id" not in values:
                values.pop("bic", None)  # the bank's own record has noted that
        changes = {id_: values for id_, values in changes.items() if values}
        self.browse(changes)._bank_put_on_hold("changed", changes)
        (distrusted - self.browse(changes))._bank_put_on_hold(
            "hold", reason=self.env._("Trust was withdrawn.")
        )
        return result

    def _bank_may_trust(self):
        """Whether core may be asked to trust these; refuses where a confirmation is needed.

        :return: False where the wish is to be passed over: data files of other modules must not
            fail to load
        """
        waiting = self._bank_payees().filtered(lambda account: not account.allow_out_payment)
        if not waiting:
            return True
        if self.env.context.get("install_mode"):
            return False
        raise UserError(
            self.env._(
                "The account %(account)s is trusted by confirming it: somebody else than who "
                "entered or changed it does so under Bank Connect ▸ Accounts to confirm.",
                account=waiting[0].acc_number,
            )
        )

    def _check_allow_out_payment(self):
        # Core asks for the right to validate accounts; a confirmation has its own check.
        if not self._bank_is_engine():
            return super()._check_allow_out_payment()

    # -- buttons ------------------------------------------------------------------------------

    def action_bank_ask(self):
        """Ask for a confirmation where none is pending: of old accounts, and of refused ones."""
        self.check_access("write")
        asked = self._bank_unconfirmed().filtered(
            lambda account: "pending" not in account.sudo().bank_change_ids.mapped("state")
        )
        if not asked:
            raise UserError(self.env._("There is nothing to ask for: look at Confirmation."))
        asked._bank_put_on_hold("asked", reason=self.env._("Asked for by %s.", self.env.user.name))

    def action_bank_decide(self):
        """Show what changed, to confirm or refuse it."""
        pending = self.bank_change_ids.filtered(lambda change: change.state == "pending")
        return pending.action_decide()

    def _mail_track(self, tracked_fields, initial_values):
        # Holding and confirming leave their own note, for all accounts at once.
        if self._bank_is_engine():
            return set(), []
        return super()._mail_track(tracked_fields, initial_values)
