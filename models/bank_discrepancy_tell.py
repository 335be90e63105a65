"""Telling people of discrepancies: at once where money left that nobody here ordered."""

from markupsafe import Markup
from odoo import fields, models

ACTIVITY = "account_bank_connect.activity_discrepancy"
MOST = 10  # tasks given out for one document; the list shows the rest
GROUPS = ("account_bank_connect.group_admin", "account_bank_connect.group_approver")


class BankDiscrepancy(models.Model):
    _inherit = "bank.discrepancy"

    def _tell(self):
        """Give those concerned a task; for what is urgent, a mail or notification as well."""
        urgent = self.filtered(lambda each: each.severity == "high")
        for company, those in urgent.grouped("company_id").items():
            those._alarm(company)
        for each in self - urgent:
            if each.owner_id:
                each._give_task(each.owner_id)
        if self:
            self.write({"told_on": fields.Datetime.now()})
        urgent._refresh_discrepancy_counters()

    def _alarm(self, company):
        users = self._people_to_alarm(company)
        for each in self[:MOST]:
            each._give_task(users | each.owner_id)
        first = self[0]
        for lang, group in users.grouped("lang").items():
            alarm = first.with_context(lang=lang)
            body = alarm.env["ir.qweb"]._render(
                "account_bank_connect.mail_discrepancy",
                {"discrepancies": self.with_context(lang=lang)[:MOST], "count": len(self),
                 "first": alarm},
            )
            # A mail crosses other people's servers: it names neither payee, account nor amount.
            alarm.message_notify(
                partner_ids=group.partner_id.ids,
                subject=alarm.env._("Alarm: money left or changed in a way nobody approved"),
                body=Markup(body),
                email_layout_xmlid="mail.mail_notification_light",
            )

    def _give_task(self, users):
        """A task for each of these users who has none yet. No amount: its text may be mailed."""
        self.ensure_one()
        kind = self.env.ref(ACTIVITY)
        known = self.activity_ids.filtered(lambda task: task.activity_type_id == kind).user_id
        labels = self._fields["kind"]
        for user in users - known:
            each = self.with_context(lang=user.lang, tz=user.tz)
            label = dict(labels._description_selection(each.env))[self.kind]
            # The task's own mail would repeat ours.
            each.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY, user_id=user.id, summary=label, note=each.cure,
                date_deadline=self.deadline,
            )

    def _end_tasks(self):
        # sudo: the tasks of everybody end with what they were about.
        tasks = self.sudo().activity_ids
        kind = self.env.ref(ACTIVITY)
        tasks.filtered(lambda task: task.activity_type_id == kind).unlink()
        self._refresh_discrepancy_counters()

    def _people_to_alarm(self, company):
        """Bank administrators and approvers of a company."""
        # sudo: who they are is no secret, but users' groups are the administrator's to read.
        users = self.env["res.users"].sudo().union(
            *(self.env.ref(group).sudo().all_user_ids for group in GROUPS)
        )
        return users.filtered(
            lambda user: user.active
            and company in user.company_ids
            and not user._is_superuser()
        )

    def _refresh_discrepancy_counters(self):
        """Let the counters in the menus ask again, once this is committed."""
        users = self.env["res.users"].union(
            *(self._people_to_alarm(company) for company in self.company_id)
        )
        users.partner_id._bus_send("bank_connect/discrepancy", {})
