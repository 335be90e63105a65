from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .in_person import check_in_person, same_person


class BankResolution(models.Model):
    """What two people found out about a message whose fate nobody knew, with their evidence.

    One proposes, another confirms. Neither can do both, and nothing is changed before both have
    spoken. Kept for ever.
    """

    _name = "bank.resolution"
    _description = "Resolution of an uncertain message"
    _order = "id desc"
    _inherit = ["bank.engine.mixin", "mail.thread"]

    message_id = fields.Many2one(
        "bank.message", required=True, ondelete="restrict", index=True, readonly=True
    )
    company_id = fields.Many2one(related="message_id.company_id", store=True)
    batch_id = fields.Many2one(related="message_id.batch_id")
    verdict = fields.Selection(
        [
            ("delivered", "The bank has it"),
            ("resend", "The bank does not have it: send it again"),
            ("give_up", "The bank does not have it: give the batch up"),
        ],
        required=True,
        readonly=True,
    )
    note = fields.Text(
        string="How it was found out",
        required=True,
        readonly=True,
        help="Whom you asked, when, and what was said.",
    )
    evidence_ids = fields.Many2many(
        "ir.attachment",
        readonly=True,
        help="The bank's letter or mail, a print of its portal.",
    )
    # proposed ─► confirmed
    #     └─────► declined
    state = fields.Selection(
        [("proposed", "Proposed"), ("confirmed", "Confirmed"), ("declined", "Declined")],
        default="proposed",
        required=True,
        readonly=True,
        tracking=True,
    )
    proposer_id = fields.Many2one("res.users", required=True, readonly=True)
    decider_id = fields.Many2one("res.users", readonly=True)
    decided_on = fields.Datetime(readonly=True)
    may_decide = fields.Boolean(compute="_compute_may_decide")

    _one_open = models.UniqueIndex(
        "(message_id) WHERE state = 'proposed'",
        "Somebody has proposed a resolution already. Confirm or decline that one first.",
    )

    @api.depends("message_id", "verdict")
    def _compute_display_name(self):
        labels = dict(self._fields["verdict"]._description_selection(self.env))
        for resolution in self:
            resolution.display_name = (
                f"{resolution.message_id.name}: {labels.get(resolution.verdict)}"
            )

    @api.depends_context("uid")
    @api.depends("state", "proposer_id")
    def _compute_may_decide(self):
        entitled = self._entitled()
        for resolution in self:
            resolution.may_decide = (
                entitled
                and resolution.state == "proposed"
                and not same_person(resolution.proposer_id, self.env.user)
            )

    @api.model
    def _entitled(self):
        return self.env.user.has_group(
            "account_bank_connect.group_admin"
        ) or self.env.user.has_group("account_bank_connect.group_approver")

    @api.model
    def _propose(self, message, verdict, note, evidence):
        """Propose what became of an uncertain message.

        :raises UserError: it is not uncertain, or evidence or note is missing
        :raises AccessError: the user is neither approver nor bank administrator
        """
        if not self._entitled():
            raise AccessError(
                self.env._("Only an approver or a bank administrator may resolve this.")
            )
        check_in_person(self.env)
        if message.state != "uncertain":
            raise UserError(self.env._("The fate of %s is known already.", message.name))
        if not (note or "").strip() or not evidence:
            raise UserError(
                self.env._(
                    "Say how it was found out, and attach the evidence: the bank's mail, "
                    "or a print of its portal."
                )
            )
        if evidence.create_uid - self.env.user:
            raise AccessError(self.env._("Attach your own evidence, not other people's documents."))
        # sudo: resolutions are made here only, so that nobody proposes in another's name.
        resolution = self.sudo().create(
            {
                "message_id": message.id,
                "verdict": verdict,
                "note": note,
                "evidence_ids": [fields.Command.set(evidence.ids)],
                "proposer_id": self.env.user.id,
            }
        )
        evidence.sudo().write({"res_model": self._name, "res_id": resolution.id})
        return resolution.with_env(self.env)

    def action_confirm(self):
        """Agree, as the second person; the verdict then takes effect."""
        for resolution in self:
            resolution._decide("confirmed")
            resolution.sudo()._take_effect()

    def action_decline(self):
        """Disagree; the message stays uncertain."""
        for resolution in self:
            resolution._decide("declined")

    def _decide(self, state):
        self.check_access("read")
        if not self._entitled():
            raise AccessError(
                self.env._("Only an approver or a bank administrator may resolve this.")
            )
        check_in_person(self.env)
        if same_person(self.env.user, self.proposer_id):
            raise AccessError(
                self.env._("You proposed this yourself: a second person has to agree.")
            )
        # sudo: the record is nobody's to edit; the decision is written by its buttons only.
        resolution = self.sudo()
        resolution.lock_for_update()
        resolution.invalidate_recordset(["state"])
        if resolution.state != "proposed":
            raise UserError(self.env._("This was decided already."))
        resolution.write(
            {"state": state, "decider_id": self.env.user.id, "decided_on": fields.Datetime.now()}
        )

    def _take_effect(self):
        message = self.message_id
        message.lock_for_update()
        message.invalidate_recordset(["state"])
        if message.state != "uncertain":
            raise UserError(
                self.env._(
                    "The bank has answered meanwhile: the fate of %s is known.", message.name
                )
            )
        note = self.env._(
            "Resolved by %(first)s and %(second)s: %(note)s",
            first=self.proposer_id.name,
            second=self.decider_id.name,
            note=self.note,
        )
        message.write({"doubt": False, "error": note, "error_code": "resolved"})
        batch = message.batch_id._engine()
        if self.verdict == "delivered":
            message.write(
                {
                    "state": "delivered",
                    "sent_date": message.last_attempt,
                    "next_attempt": fields.Datetime.now(),
                }
            )
            message._follow()
        elif self.verdict == "resend":
            message.write({"state": "queued", "next_attempt": fields.Datetime.now()})
            message._follow()
            message._wake_senders()
        else:
            message.write({"state": "refused"})
            message._follow("NARR", note)
        batch.message_post(body=note)
