import hashlib
import hmac
import secrets

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from psycopg2.errors import ReadOnlySqlTransaction

BYTES = 32  # of randomness in a token


class BankMonitorToken(models.Model):
    """What a monitoring program shows to read the figures of some companies.

    Only a digest is kept. A plain SHA-256 is enough, since nobody can guess 32 random bytes; and
    it lets monitoring go on where the master key is missing, which is when it is needed.
    """

    _name = "bank.monitor.token"
    _description = "Access Token for Monitoring"
    _order = "id desc"

    name = fields.Char(string="Used by", required=True, default="Prometheus")
    digest = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    company_ids = fields.Many2many(
        "res.company", string="Companies", required=True, readonly=True,
        default=lambda self: self.env.companies,
    )
    create_date = fields.Datetime(string="Made on", readonly=True)
    create_uid = fields.Many2one("res.users", string="Made by", readonly=True)
    last_used = fields.Date(
        string="Last used", readonly=True, copy=False, help="What nobody uses need not exist."
    )

    def write(self, vals):
        if set(vals) - {"name"} and not self.env.su:
            raise AccessError(self.env._("A token opens what it was made for. Make another one."))
        return super().write(vals)

    def action_new(self):
        """Make a token for the chosen companies, and show it this one time."""
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may make a token."))
        if self.env.companies - self.env.user.company_ids:
            raise UserError(self.env._("You do not work for these companies."))
        token = secrets.token_urlsafe(BYTES)
        # sudo: tokens are made here only, so that none has a digest somebody chose.
        self.sudo().create(
            {
                "digest": self._digest(token),
                "company_ids": [Command.set(self.env.companies.ids)],
            }
        )
        return self.env["bank.secret.wizard"]._show(
            self.env._("Access token for monitoring"), token,
            self.env._("Send it as “Authorization: Bearer …” to /bank_connect/health and "
                       "/bank_connect/metrics."),
        )

    @api.model
    def _companies_of(self, token):
        """The companies whose figures ``token`` (text) opens; none where it is unknown."""
        digest = self._digest(token)
        companies = self.env["res.company"]
        # sudo: nobody is logged in yet; every token is compared, in constant time.
        for known in self.sudo().search([("digest", "!=", False)]):
            if hmac.compare_digest(known.digest, digest):
                companies |= known.company_ids
                known._note_use()
        return companies

    def _note_use(self):
        """Remember the day: a token that nobody uses is found out by the security review."""
        today = fields.Date.today()
        if self.last_used == today:
            return
        if self.env.cr.readonly:
            # Odoo repeats the request with a cursor that can write.
            raise ReadOnlySqlTransaction("the day of use is noted")
        self.last_used = today

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()
