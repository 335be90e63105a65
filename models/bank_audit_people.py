"""The audit trail of who may do what: members of this module's groups, and their companies."""

from odoo import api, models

# Whoever administers Odoo may give themselves any right.
ADMINISTRATOR = "base.group_system"
# By what people are known to be themselves: field → what it is called in the trail.
MEANS = {
    "password": "password",
    "totp_secret": "code",
    "auth_passkey_key_ids": "passkey",
    "partner_id": "person",
}


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._bank_note_access({})
        return users

    def write(self, vals):
        self._bank_note_means(vals)
        if not any(
            name in ("company_ids", "active", "login", "role") or "group" in name for name in vals
        ):
            return super().write(vals)
        before = self._bank_access()
        result = super().write(vals)
        self._bank_note_access(before)
        return result

    def unlink(self):
        before = self._bank_access()
        nothing = dict.fromkeys(before)
        self._bank_note_access(before, nothing)
        return super().unlink()

    def _bank_note_means(self, vals):
        """Record whose means of logging in change, and who changes them.

        Whoever sets an approver's password can log in as that approver.
        """
        means = sorted(name for field, name in MEANS.items() if field in vals)
        if means:
            members = self._bank_access()
            self.env["bank.audit.event"]._record_each(
                "login_changed",
                [
                    (user, {"means": means, "own": user.id == self.env.uid})
                    for user in self.sudo()
                    if user in members
                ],
                company=self.env["res.company"],
            )

    def _bank_access(self):
        """What these users may do here: user → plain values, without those who may nothing."""
        groups = self.env["res.groups"]._bank_groups()
        access = {}
        # sudo: the trail tells of every change of rights, whoever makes it.
        for user in self.sudo():
            held = sorted(groups[group] for group in user.all_group_ids if group in groups)
            if held:
                access[user] = {
                    "groups": held,
                    "companies": sorted(user.company_ids.mapped("name")),
                    "active": user.active,
                    "login": user.login,
                }
        return access

    def _bank_note_access(self, before, after=None):
        """Record whose access is another than ``before`` (see :meth:`_bank_access`)."""
        after = self._bank_access() if after is None else after
        self.env["bank.audit.event"]._record_each(
            "access_changed",
            [
                (user, {"before": before.get(user), "after": after.get(user)})
                for user in self.sudo()
                if before.get(user) != after.get(user)
            ],
            company=self.env["res.company"],
        )


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        members = self._bank_members()
        before = members._bank_access()
        groups = super().create(vals_list)
        (members | self._bank_members())._bank_note_access(before)
        return groups

    def write(self, vals):
        if not any("user" in name or "impl" in name for name in vals):
            return super().write(vals)
        members = self._bank_members()
        before = members._bank_access()
        result = super().write(vals)
        (members | self._bank_members())._bank_note_access(before)
        return result

    @api.model
    def _bank_groups(self):
        """The groups that open this module: group → name that never changes."""
        # sudo: which groups are ours is no secret.
        data = self.env["ir.model.data"].sudo().search_fetch(
            [("module", "=", "account_bank_connect"), ("model", "=", "res.groups")],
            ["name", "res_id"],
        )
        groups = {self.sudo().browse(each.res_id): each.name for each in data}
        groups[self.env.ref(ADMINISTRATOR).sudo()] = ADMINISTRATOR
        return groups

    @api.model
    def _bank_members(self):
        groups = self.sudo().union(*self._bank_groups())
        return groups.with_context(active_test=False).all_user_ids
