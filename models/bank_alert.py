from datetime import timedelta

from odoo import api, fields, models

MOST_GAPS = 5  # that an alert tells one by one


class BankAlert(models.Model):
    """Trouble on a connection, from the moment it is noticed until it is over.

    The scheduled action opens a task for the bank administrators, once, and closes it by itself
    when the trouble is over. Who ticks the task off while the trouble lasts is reminded a day
    later.
    """

    _name = "bank.alert"
    _description = "Bank Alert"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "closed_on desc, id desc"
    _mail_post_access = "read"

    connection_id = fields.Many2one(
        "bank.connection", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    code = fields.Selection(
        [
            ("uncertain", "Fate of payments unknown"),
            ("queued", "Payments do not leave"),
            ("unanswered", "Bank does not answer"),
            ("quarantined", "Documents put aside"),
            ("certificate", "Certificate expires"),
            ("bank_certificate", "Bank's certificate expires"),
            ("master_key", "Master key missing"),
            ("silent", "No contact"),
            ("statement", "Statement missing"),
            ("discrepancy", "Discrepancies nobody explains"),
            ("gap", "Statements do not join"),
        ],
        string="Trouble", required=True, readonly=True,
    )
    level = fields.Integer(
        readonly=True, aggregator=None,
        help="The smaller, the more urgent: for a certificate, days.",
    )
    count = fields.Integer(readonly=True)
    since = fields.Datetime(readonly=True)
    told_on = fields.Datetime(string="Last told on", readonly=True)
    closed_on = fields.Datetime(string="Over since", readonly=True)
    summary = fields.Char(compute="_compute_summary")

    _one_open = models.UniqueIndex(
        "(connection_id, code) WHERE closed_on IS NULL", "This alert is open already."
    )

    @api.depends("code", "connection_id")
    def _compute_display_name(self):
        labels = dict(self._fields["code"]._description_selection(self.env))
        for alert in self:
            alert.display_name = f"{alert.connection_id.name}: {labels.get(alert.code, '')}"

    @api.depends("code", "count", "since", "level")
    @api.depends_context("lang", "tz")
    def _compute_summary(self):
        for alert in self:
            alert.summary = alert._sentence()

    def _sentence(self):
        """What is wrong and what to do, for a person."""
        self.ensure_one()
        if self.code == "gap":
            return self._gap_sentence()
        since = fields.Datetime.context_timestamp(self, self.since or fields.Datetime.now())
        values = {"count": self.count, "since": f"{since:%Y-%m-%d %H:%M}"}
        return {
            "uncertain": self.env._(
                "Messages whose fate is unknown: %(count)s, of the oldest since %(since)s. Ask the "
                "bank, or resolve them with evidence.", **values),
            "queued": self.env._(
                "Messages that could not leave: %(count)s, the oldest since %(since)s. Test the "
                "connection.", **values),
            "unanswered": self.env._(
                "Messages of which the bank has not said what becomes of them: %(count)s, the "
                "oldest sent on %(since)s. Ask the bank.", **values),
            "quarantined": self.env._(
                "Documents that could not be understood and were put aside: %(count)s, the oldest "
                "on %(since)s. See why, and process them again.", **values),
            "certificate": self.env._("The certificate has expired on %(since)s. Nothing can be "
                                      "sent.", **values)
            if self.level == 0
            else self.env._("The certificate expires within %(days)s days, on %(since)s. Ask the "
                            "bank for a new one.", days=self.level, **values),
            "bank_certificate": self.env._(
                "The bank's certificate has expired on %(since)s. Ask the bank for the new one.",
                **values)
            if self.level == 0
            else self.env._("The bank's certificate expires within %(days)s days, on %(since)s. "
                            "Ask the bank for the new one, and add it beside the old one.",
                            days=self.level, **values),
            "master_key": self.env._(
                "The private keys were sealed under a master key that this server does not have. "
                "Nothing can be sent or fetched. Give the server that key, or import the "
                "certificates again."),
            "silent": self.env._(
                "No contact with the bank since %(since)s. Test the connection.", **values),
            "statement": self.env._(
                "Business days without a statement: %(count)s, the last one came on %(since)s. Ask "
                "the bank, if the accounts moved.", **values),
        }[self.code]

    def _gap_sentence(self):
        """Each gap in words of its own, as far as they are few."""
        gaps = self.connection_id.journal_ids._bank_continuity_gaps()
        sentences = [gap["sentence"] for gap in gaps[:MOST_GAPS]]
        if len(gaps) > MOST_GAPS:
            sentences.append(self.env._("Further gaps: %s.", len(gaps) - MOST_GAPS))
        return " ".join(sentences) or self.env._("The statements join.")

    # -- the scheduled action -----------------------------------------------------------------

    @api.model
    def _cron_watch(self):
        """Scheduled action: open, renew and close alerts by what is found now."""
        open_alerts = {
            (alert.connection_id.id, alert.code): alert
            for alert in self.search([("closed_on", "=", False)])
        }
        for finding in self.env["bank.watch"]._findings():
            alert = open_alerts.pop((finding.connection_id, finding.code), self.browse())
            alert._follow(finding)
        self.union(*open_alerts.values())._close()

    def _follow(self, finding):
        """Open or renew the alert for a finding, and tell people where that is news."""
        values = finding._asdict()
        news = not self or finding.level < self.level
        alert = self or self.create(values)
        if self:
            self.write({name: values[name] for name in ("level", "count", "since")})
        if self and news:
            # More urgent than what people were told: one task, with the new text.
            self.activity_unlink(["account_bank_connect.activity_alert"])
        if news or alert._forgotten():
            alert._tell()

    def _forgotten(self):
        """Whether the task was ticked off a while ago, and the trouble is still there."""
        hours = self.env["bank.watch"]._limit("alert_remind_hours")
        return (
            hours > 0
            and not self.activity_ids
            and self.told_on <= fields.Datetime.now() - timedelta(hours=hours)
        )

    def _tell(self):
        self.told_on = fields.Datetime.now()
        for user in self.connection_id._administrators():
            alert = self.with_context(lang=user.lang, tz=user.tz)
            self.activity_schedule(
                "account_bank_connect.activity_alert", user_id=user.id,
                summary=alert.display_name, note=alert._sentence(),
            )

    def _close(self):
        self.write({"closed_on": fields.Datetime.now()})
        for alert in self:
            alert.activity_feedback(
                ["account_bank_connect.activity_alert"], feedback=self.env._("It is over.")
            )

    # -- on the screen --------------------------------------------------------------------------

    def action_view_trouble(self):
        """Where something can be done about it."""
        self.ensure_one()
        states = {
            "uncertain": "uncertain", "queued": "queued", "quarantined": "quarantined",
            "unanswered": "delivered",
        }
        if self.code == "gap":
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "account_bank_connect.action_account_report"
            )
            return action | {"domain": [("journal_id", "in", self.connection_id.journal_ids.ids)]}
        if self.code in states:
            return self.connection_id._action_messages(states[self.code])
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.connection",
            "res_id": self.connection_id.id,
            "view_mode": "form",
        }
