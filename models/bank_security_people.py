"""The questions of a security review about people and their rights."""

from datetime import timedelta

from odoo import api, models

from .bank_security_check import Found

MODULE = "account_bank_connect"
INACTIVE = timedelta(days=90)
TRUST = "account.group_validate_bank_account"
SYSTEM = "base.group_system"
ACTING = ("preparer", "approver", "admin")
# Two rights that one person should not have: code → groups.
CONFLICTS = {
    "rights_prepare_approve": ("preparer", "approver"),
    "rights_admin_approve": ("admin", "approver"),
    "rights_admin_prepare": ("admin", "preparer"),
    "rights_admin_trust": ("admin", TRUST),
    "rights_prepare_trust": ("preparer", TRUST),
    "rights_system_approve": (SYSTEM, "approver"),
}


class BankSecurityCheck(models.AbstractModel):
    _inherit = "bank.security.check"

    def _checks(self):
        return [*super()._checks(), self._conflicts, self._second_factor, self._inactive]

    @api.model
    def _members(self, group, companies):
        """People of a group who work in one of these companies."""
        name = group if "." in group else f"{MODULE}.group_{group}"
        return self.env.ref(name).all_user_ids.filtered(
            lambda user: user.active
            and user.company_ids & companies
            and not user._is_superuser()
        )

    def _conflicts(self, companies, _since):
        members = {
            group: self._members(group, companies)
            for group in (*ACTING, "auditor", TRUST, SYSTEM)
        }
        found = [
            Found(code, user, {"user": user.name}, (user.id,))
            for code, (one, other) in CONFLICTS.items()
            # By person: two rights in two logins of one person are together all the same.
            for user in members[one]
            if user.partner_id in members[other].partner_id
        ]
        names = {
            group: self.env.ref(f"{MODULE}.group_{group}").full_name for group in ACTING
        }
        for user in members["auditor"]:
            held = [names[group] for group in ACTING if user in members[group]]
            if held:
                facts = {"user": user.name, "rights": ", ".join(held)}
                found.append(Found("rights_auditor_acts", user, facts, (user.id,)))
        return found

    def _second_factor(self, companies, _since):
        users = self.env["res.users"]
        if "totp_enabled" not in users._fields and "auth_passkey_key_ids" not in users._fields:
            return [Found("second_factor_missing")]
        deciding = self._members("approver", companies) | self._members("admin", companies)
        everybody = users.union(
            deciding, *(self._members(group, companies) for group in ("preparer", "auditor"))
        )
        return [
            Found(
                "second_factor", user, {"user": user.name}, (user.id,),
                # Whose password moves money, or moves who may.
                severity="high" if user in deciding else "",
            )
            for user in everybody
            if not user._mfa_type() and not self._has_passkey(user)
        ]

    def _has_passkey(self, user):
        return "auth_passkey_key_ids" in user._fields and bool(user.auth_passkey_key_ids)

    def _inactive(self, companies, _since):
        approvers = self._members("approver", companies)
        seen = dict(
            self.env["res.users.log"]._read_group(
                [("create_uid", "in", approvers.ids)], ["create_uid"], ["create_date:max"]
            )
        )
        before = self.env.cr.now() - INACTIVE
        return [
            Found("approver_inactive", user, {"user": user.name, "since": str(last)}, (user.id,))
            for user in approvers
            if (last := seen.get(user) or user.create_date) < before
        ]
