"""The day by mail, every morning, for who wants it."""

from odoo import api, fields, models

from .audit_mask import ROLES


class ResUsers(models.Model):
    _inherit = "res.users"

    bank_day_digest = fields.Boolean(
        string="Bank Connect: what waits, every morning",
        help="A mail each morning that counts what failed, what is late and what needs a "
        "decision; none when nothing does.",
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "bank_day_digest"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, "bank_day_digest"]


class BankDay(models.Model):
    _inherit = "bank.day"

    @api.model
    def _cron_digest(self):
        """Scheduled action: tell each user who wants to know what waits for them."""
        users = self.env["res.users"].search(
            [("bank_day_digest", "=", True), ("share", "=", False)]
        )
        values = []
        for user in users:
            # As the user, in all of the user's companies: the mail counts what they may see.
            lines = self.with_user(user).with_context(
                lang=user.lang, allowed_company_ids=user.company_ids.ids
            )
            if user.email and user.has_groups(ROLES):
                found = lines.search([("count", ">", 0)])
                values += [found._digest(user)] if found else []
        # sudo: the mails are the module's own.
        self.env["mail.mail"].sudo().create(values)
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _digest(self, user):
        """A mail with counts and ages, and neither name nor amount: those are read in Odoo."""
        body = self.env["ir.qweb"]._render(
            "account_bank_connect.mail_day", {"lines": self, "user": user}
        )
        return {
            "subject": self.env._("Bank Connect: %s matters wait", len(self)),
            "body_html": body,
            "email_from": user.company_id.email_formatted or user.email_formatted,
            "recipient_ids": [fields.Command.link(user.partner_id.id)],
            "auto_delete": True,
        }
