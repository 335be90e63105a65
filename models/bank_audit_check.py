"""The proof that the audit trail is whole: made every day, and whenever somebody asks for it."""

import base64
import contextlib
import json
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

_logger = logging.getLogger(__name__)

MAIL_PARAMETER = "account_bank_connect.audit_head_email"
ACTIVITY = "account_bank_connect.activity_audit"
HEADS = 1000  # of earlier checks that a new one compares with


class BankAuditCheck(models.Model):
    """One verification of the whole trail, and the head that it ended with."""

    _name = "bank.audit.check"
    _description = "Verification of the Audit Trail"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "create_date"
    _mail_post_access = "read"

    create_date = fields.Datetime(string="Verified on", readonly=True)
    create_uid = fields.Many2one("res.users", string="Verified by", readonly=True)
    result = fields.Selection(
        [("intact", "Whole"), ("unproven", "Not all proven"), ("broken", "Broken")],
        required=True, readonly=True,
    )
    position = fields.Integer(
        string="Events", readonly=True, aggregator=None,
        help="How many events were found in order.",
    )
    pending = fields.Integer(
        string="Not linked yet", readonly=True, aggregator=None,
        help="Events of the last moments, which are given their place next.",
    )
    unsigned = fields.Integer(
        readonly=True, aggregator=None, help="Recorded while no master key was configured."
    )
    unchecked = fields.Integer(
        string="Signed under an unknown key", readonly=True, aggregator=None,
        help="The master key that would check them is not configured on this server.",
    )
    first_doubtful = fields.Integer(
        string="First not proven", readonly=True, aggregator=None, help="Its place in the chain."
    )
    break_code = fields.Selection(
        [
            ("missing", "Event removed"),
            ("moved", "Event moved or put in"),
            ("edited", "Event changed"),
            ("forged_event", "Event forged"),
            ("forged_link", "Link forged"),
            ("rewritten", "Chain rewritten"),
            ("truncated", "Chain cut off"),
            ("unlinked", "Event left out"),
        ],
        string="What is wrong", readonly=True,
    )
    break_position = fields.Integer(string="At event", readonly=True, aggregator=None)
    break_event = fields.Integer(string="Number of the event", readonly=True, aggregator=None)
    break_date = fields.Datetime(string="Which happened on", readonly=True)
    head = fields.Text(readonly=True, help="The last good link, signed, as JSON.")
    summary = fields.Char(compute="_compute_summary")

    @api.depends("result", "break_code", "break_position", "position", "unsigned", "unchecked")
    def _compute_summary(self):
        for check in self:
            check.summary = check._sentence()

    def _sentence(self):
        """What was found, for a person."""
        self.ensure_one()
        values = {
            "place": self.break_position, "number": self.break_event,
            "date": fields.Datetime.to_string(self.break_date) or "?",
        }
        if self.result == "broken":
            return {
                "missing": self.env._(
                    "Event %(place)s was removed; the next one happened on %(date)s.", **values),
                "moved": self.env._(
                    "Event %(place)s (number %(number)s, %(date)s) does not follow the one before "
                    "it: it was moved or put in, or one before it was removed.", **values),
                "edited": self.env._(
                    "Event %(place)s (number %(number)s, %(date)s) was changed after it was "
                    "recorded.", **values),
                "forged_event": self.env._(
                    "The event of number %(number)s (%(date)s) was not recorded by this server, "
                    "or was changed.", **values),
                "forged_link": self.env._(
                    "The place of event %(place)s (number %(number)s, %(date)s) was not given by "
                    "this server.", **values),
                "rewritten": self.env._(
                    "Another event stood at place %(place)s when an earlier head was taken: the "
                    "trail was rewritten from there or before.", **values),
                "truncated": self.env._(
                    "The trail was longer once: what followed event %(last)s (%(date)s) was cut "
                    "off.", last=self.position, **values),
                "unlinked": self.env._(
                    "The event of number %(number)s (%(date)s) was given no place in the chain. "
                    "See whether the scheduled action that links the audit trail runs.",
                    **values),
            }[self.break_code]
        if self.result == "unproven":
            return self.env._(
                "%(count)s events are in order, but not all are proven: %(unsigned)s were recorded "
                "without a master key, %(unchecked)s are signed under a key that this server does "
                "not have. The first of them is event %(first)s.",
                count=self.position, unsigned=self.unsigned, unchecked=self.unchecked,
                first=self.first_doubtful,
            )
        return self.env._("All %(count)s events are as they were recorded.", count=self.position)

    # -- verifying ------------------------------------------------------------------------

    @api.model
    def action_verify(self):
        """Verify the whole trail now, and show what was found."""
        self._check_auditor()
        # sudo: checks are made here only, so that none has a result somebody chose.
        check = self.sudo()._verify()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": check.id,
            "view_mode": "form",
        }

    def action_export_head(self):
        """Download the signed head, to be kept elsewhere."""
        self._check_auditor()
        return {"type": "ir.actions.act_url", "url": "/bank_connect/audit/head", "target": "self"}

    @api.model
    def _export_head(self):
        self._check_auditor()
        # sudo: the head names no business of any company; which it is does not depend on rules.
        trail = self.env["bank.audit.event"].sudo()
        head = trail._head()
        self.env["bank.audit.event"]._record(
            "audit_exported", position=head["position"], hash=head["hash"]
        )
        return head

    @api.model
    def _check_auditor(self):
        if not self.env.su and not self.env.user.has_groups(
            "account_bank_connect.group_admin,account_bank_connect.group_auditor"
        ):
            raise AccessError(
                self.env._("Only an auditor or a bank administrator may verify the audit trail.")
            )

    @api.model
    def _verify(self, head=None):
        """Verify the trail, also against the heads of earlier checks.

        :param dict head: one more head, which was kept elsewhere
        """
        trail = self.env["bank.audit.event"]
        found = self._examine(head)
        check = self.create(self._values(found))
        trail._record(
            "audit_broken" if found.fault else "audit_verified", check,
            result=found.result, position=found.position, hash=found.hash,
            unsigned=found.unsigned, unchecked=found.unchecked,
            code=found.fault and found.fault.code,
        )
        if found.fault:
            check._alarm()
        return check

    @api.model
    def _examine(self, head=None):
        heads = self._earlier_heads()
        if head:
            # It comes from outside the database, so it outweighs whatever is found inside.
            heads[head["position"]] = head["hash"]
        heads.pop(0, None)
        return self.env["bank.audit.event"]._examine(heads)

    @api.model
    def _values(self, found):
        fault = found.fault
        return {
            "result": found.result,
            "position": found.position,
            "pending": found.pending,
            "unsigned": found.unsigned,
            "unchecked": found.unchecked,
            "first_doubtful": found.first_doubtful,
            "break_code": fault and fault.code,
            "break_position": fault and fault.position,
            "break_event": fault and fault.event_id,
            "break_date": fault and fault.date and fault.date.replace(microsecond=0),
            "head": not fault and json.dumps(self.env["bank.audit.event"]._head(), indent=1),
        }

    @api.model
    def _verify_in_shell(self, head_text=None, export=False):
        """For the command line: nothing is written, but that the head is exported.

        :return: ``{"result", "summary"}``, and the head where it is asked for
        """
        head = head_text and self.env["bank.audit.event"]._read_head(head_text)
        check = self.new(self._values(self._examine(head)))
        found = {"result": check.result, "summary": check._sentence()}
        return found, export and self._export_head()

    @api.model
    def _earlier_heads(self):
        heads = {}
        for check in self.search_fetch([("head", "!=", False)], ["head"], limit=HEADS):
            with contextlib.suppress(UserError):
                head = self.env["bank.audit.event"]._read_head(check.head)
                heads[head["position"]] = head["hash"]
        return heads

    def _alarm(self):
        """Tell every bank administrator and auditor, once for each break."""
        _logger.error("The audit trail is broken: %s", self._sentence())
        groups = self.env.ref("account_bank_connect.group_admin")
        groups |= self.env.ref("account_bank_connect.group_auditor")
        users = groups.all_user_ids.filtered(
            lambda user: user.active and not user._is_superuser()
        )
        same = self.search(
            [
                ("break_code", "=", self.break_code),
                ("break_position", "=", self.break_position),
                ("break_event", "=", self.break_event),
            ]
        )
        told = same.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(ACTIVITY)
        ).user_id
        for user in users - told:
            self.activity_schedule(
                ACTIVITY, user_id=user.id,
                summary=self.with_context(lang=user.lang)._sentence()[:250],
            )

    @api.model
    def _cron_verify(self):
        """Scheduled action: verify the trail, and send its head to where it is kept safe."""
        self._verify()
        # sudo: where heads go is the system administrator's to set.
        address = self.env["ir.config_parameter"].sudo().get_param(MAIL_PARAMETER)
        if address:
            self._mail_head(address)

    @api.model
    def _mail_head(self, address):
        trail = self.env["bank.audit.event"]
        head = trail._head()
        trail._record("audit_exported", to=address, position=head["position"], hash=head["hash"])
        name = f"audit-head-{head['position']}.json"
        # sudo: the mail leaves in the server's name, and nobody's inbox keeps it.
        self.env["mail.mail"].sudo().create(
            {
                "subject": self.env._("Head of the audit trail: event %s", head["position"]),
                "body_html": self.env._(
                    "<p>Keep the attached file where nobody who administers Odoo can change it. "
                    "It proves that nothing was removed from the audit trail since.</p>"
                ),
                "email_to": address,
                "attachment_ids": [
                    fields.Command.create(
                        {
                            "name": name,
                            "datas": base64.b64encode(json.dumps(head, indent=1).encode()),
                            "mimetype": "application/json",
                        }
                    )
                ],
            }
        )
