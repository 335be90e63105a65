"""Telling people about a batch: who has to decide, and who is still waited for."""

from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models

ACTIVITY = "account_bank_connect.activity_approve"
REMIND_AFTER = "account_bank_connect.remind_after_hours"
REMIND_AFTER_DEFAULT = 24


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    asked_date = fields.Datetime(string="Waiting since", readonly=True, copy=False)
    reminded_date = fields.Datetime(readonly=True, copy=False)

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"asked_date", "reminded_date"}

    def _tell_approvers(self, users):
        """Give each of these users a task and a mail.

        :param users: who may decide about this batch now
        """
        self.ensure_one()
        if not self.asked_date:
            self._engine().write({"asked_date": fields.Datetime.now(), "reminded_date": False})
        asked = self._asked_to_approve()
        # sudo: the preparer may not know the approvers' mailboxes; the module writes to them.
        for user in (users - asked).sudo():
            batch = self.sudo().with_context(lang=user.lang)
            # The activity's own mail would repeat ours.
            batch.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY, user_id=user.id, summary=batch._what_to_approve()
            )
        self._mail_approvers(users, "account_bank_connect.mail_to_approve")

    def _what_to_approve(self):
        """What is asked, in the reader's language. No amount: a task's text may end in a mail."""
        self.ensure_one()
        if self.payment_count == 1:
            return self.env._("Approve one payment")
        return self.env._("Approve %s payments", self.payment_count)

    def _asked_to_approve(self):
        """The users who have the task to decide about these batches."""
        kind = self.env.ref(ACTIVITY)
        # sudo: other people's tasks are not for the reader; only whose they are matters here.
        tasks = self.sudo().activity_ids
        return tasks.filtered(lambda task: task.activity_type_id == kind).user_id.sudo(False)

    def _mail_approvers(self, users, template):
        """Notify users as each prefers: by mail, or in Odoo.

        A mail crosses other people's servers and is forwarded easily, so it names neither payee,
        account nor amount: those are read after logging in.
        """
        self.ensure_one()
        for lang, group in users.sudo().grouped("lang").items():
            batch = self.sudo().with_context(lang=lang)
            body = batch.env["ir.qweb"]._render(
                template, {"batch": batch, "flagged": batch._flagged_count()}
            )
            batch.message_notify(
                partner_ids=group.partner_id.ids,
                subject=batch.env._(
                    "%(batch)s: %(task)s", batch=batch.name, task=batch._what_to_approve()
                ),
                body=Markup(body),
                author_id=batch.preparer_id.partner_id.id,
                email_layout_xmlid="mail.mail_notification_light",
            )

    def _flagged_count(self):
        """How many payments deserve a look."""
        return 0

    def _refresh_counters(self):
        """Let the counters in the approvers' menus ask again, once this is committed."""
        group = self.env.ref("account_bank_connect.group_approver")
        # sudo: users' groups are the administrator's to read; nothing but "ask again" is sent.
        users = group.sudo().all_user_ids.filtered(
            lambda user: user.active and user.company_ids & self.company_id
        )
        users.partner_id._bus_send("bank_connect/awaiting", {})

    def write(self, vals):
        # Whoever is asked to approve counts one more, or one less.
        changing = self.browse()
        if "state" in vals:
            changing = self.filtered(
                lambda batch: (
                    "to_approve" in (batch.state, vals["state"]) and batch.state != vals["state"]
                )
            )
        result = super().write(vals)
        if changing:
            changing._refresh_counters()
        return result

    # -- reminder ---------------------------------------------------------------------------

    @api.model
    def _remind_hours(self):
        # sudo: a system parameter; any value but a number falls back to the default.
        setting = self.env["ir.config_parameter"].sudo().get_param(REMIND_AFTER, "")
        return int(setting) if setting.isdigit() else REMIND_AFTER_DEFAULT

    @api.model
    def _cron_remind_approvers(self):
        """Remind those who are asked about a batch that has waited for long.

        How long is the system parameter ``account_bank_connect.remind_after_hours``; 0 is never.
        """
        hours = self._remind_hours()
        if not hours:
            return
        limit = fields.Datetime.now() - timedelta(hours=hours)
        waiting = self.search(
            [
                ("state", "=", "to_approve"),
                ("asked_date", "<=", limit),
                "|",
                ("reminded_date", "=", False),
                ("reminded_date", "<=", limit),
            ]
        )
        for batch in waiting:
            users = batch._asked_to_approve().filtered("active")
            batch._engine().write({"reminded_date": fields.Datetime.now()})
            if users:
                batch._mail_approvers(users, "account_bank_connect.mail_still_to_approve")
