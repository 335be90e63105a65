"""Where OCA's ``queue_job`` is installed, its jobs carry the messages instead of our lanes.

A message is one job at a time: its identity key is the message's own key, so that however often
it is asked for, one job waits. What a job may do is decided by the message's row, exactly as for
the scheduled action: taken with ``SKIP LOCKED``, marked as sending and committed before the first
byte. A job that runs twice, late, or for nothing therefore finds nothing to send.
"""

from odoo import api, models
from psycopg2.errors import UniqueViolation

CHANNEL = "bank_connect"  # below “root”; its capacity is set where queue_job is configured


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model
    def _jobs_carry(self):
        """Whether jobs carry the work on this database."""
        return "queue.job" in self.env.registry

    @api.model
    def _wake_senders(self, at=None):
        if not self._jobs_carry():
            super()._wake_senders(at)
            return
        self.env.flush_all()
        # sudo: whoever approved may not read every waiting message; they are only queued here.
        waiting = self.sudo().search([("direction", "=", "out"), ("state", "=", "queued")])
        waiting._enqueue()

    @api.model
    def _cron_send(self):
        if not self._jobs_carry():
            super()._cron_send()
            return
        # The scheduled action only sees to it that nothing waits without a job.
        self._find_abandoned()
        self._wake_senders()
        self._commit()

    def _enqueue(self):
        """Give each message the one job that will try it when it is due."""
        try:
            with self.env.cr.savepoint():
                self._job_function()
        except UniqueViolation:
            # Another worker does the same in this very moment.
            self.env.invalidate_all()
        # sudo: jobs are queue_job's own records; ours carry nothing but the message's number.
        engine = self.sudo().with_context(lang="en_US")
        for message in engine:
            message.with_delay(
                identity_key=f"bank.message-{message.key}",
                channel=f"root.{CHANNEL}",
                eta=message.next_attempt,
                max_retries=0,
                description=self.env._("Send %s to the bank", message.name),
            )._job_send()

    def _job_send(self):
        """What the job does: one attempt, if the message is still due."""
        self.ensure_one()
        message = self._take(self)
        if message:
            message._send()
        elif self.state == "queued":
            # The bank rests, or payments are stopped: the scheduled action asks again.
            return self.env._("Not due yet.")
        return self.state

    @api.model
    def _job_function(self):
        """Let the job commit, which queue_job allows only where it is told to."""
        functions = self.env["queue.job.function"].sudo()
        name = "<bank.message>._job_send"
        if functions.search_count([("name", "=", name)], limit=1):
            return
        channels = self.env["queue.job.channel"].sudo()
        channel = channels.search([("complete_name", "=", f"root.{CHANNEL}")], limit=1)
        if not channel:
            root = self.env.ref("queue_job.channel_root")
            channel = channels.create({"name": CHANNEL, "parent_id": root.id})
        functions.create(
            {
                "model_id": self.env["ir.model"]._get("bank.message").id,
                "method": "_job_send",
                "channel_id": channel.id,
                "allow_commit": True,
            }
        )
