from odoo import fields, models
from odoo.exceptions import AccessError, UserError


class BankStop(models.AbstractModel):
    """The emergency switch: nothing leaves but recalls; what is under way is finished.

    The banks' answers are still fetched: whoever stops payments needs to know what became of those
    that left before.
    """

    _name = "bank.stop"
    _description = "Switch that stops payments"

    bank_stopped = fields.Boolean(
        string="Payments stopped",
        readonly=True,
        copy=False,
        help="Nothing leaves but recalls. What is under way is finished.",
    )
    bank_stop_reason = fields.Char(readonly=True, copy=False)
    bank_stop_user_id = fields.Many2one("res.users", readonly=True, copy=False)
    bank_stop_date = fields.Datetime(readonly=True, copy=False)

    def action_bank_stop(self, reason):
        """Stop every payment of these companies, or over these connections, at once.

        An approver may stop as well as an administrator: whoever sees a fraud must not first
        look for somebody with more rights.
        """
        self._bank_check_may_switch()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why payments are stopped."))
        # sudo: neither companies nor connections are an approver's; only the switch is written.
        self.sudo().write(
            {
                "bank_stopped": True,
                "bank_stop_reason": reason,
                "bank_stop_user_id": self.env.user.id,
                "bank_stop_date": fields.Datetime.now(),
            }
        )
        self._bank_note_switch(self.env._("Payments stopped: %s", reason))

    def action_bank_resume(self):
        """Let payments leave again; only a bank administrator may."""
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may let payments leave again."))
        self._bank_check_may_switch()
        # sudo: as above.
        self.sudo().write({"bank_stopped": False})
        self._bank_note_switch(self.env._("Payments may leave again."))
        self.env["bank.message"].sudo()._wake_senders()

    def _bank_check_may_switch(self):
        if not (
            self.env.user.has_group("account_bank_connect.group_admin")
            or self.env.user.has_group("account_bank_connect.group_approver")
        ):
            raise AccessError(
                self.env._("Only an approver or a bank administrator may stop payments.")
            )
        if self._bank_stop_companies() - self.env.user.company_ids:
            raise AccessError(self.env._("You do not work for this company."))

    def _bank_stop_companies(self):
        raise NotImplementedError

    def _bank_note_switch(self, text):
        """Record it where people look: on every connection concerned, in the user's name."""
        for connection in self._bank_stop_connections():
            connection.message_post(body=text, author_id=self.env.user.partner_id.id)

    def _bank_stop_connections(self):
        raise NotImplementedError


class ResCompany(models.Model):
    """The switch for everything a company pays."""

    _name = "res.company"
    _inherit = ["res.company", "bank.stop"]

    def _bank_stop_companies(self):
        return self

    def _bank_stop_connections(self):
        # sudo: all lines of the company are told, whichever the user may see.
        return self.env["bank.connection"].sudo().search([("company_id", "in", self.ids)])


class BankConnection(models.Model):
    """The switch for one bank."""

    _name = "bank.connection"
    _inherit = ["bank.connection", "bank.stop"]

    def _bank_stop_companies(self):
        # sudo: which company it is of is compared, nothing told.
        return self.sudo().company_id

    def _bank_stop_connections(self):
        # sudo: an approver may not write on a connection's wall, but used its switch.
        return self.sudo()

    def write(self, vals):
        if not self.env.su and any(name.startswith("bank_stop") for name in vals):
            raise AccessError(self.env._("Payments are stopped and resumed by the buttons only."))
        return super().write(vals)
