from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import html_escape as escape

from ..models.bank_connection_soap import STAND_IN, VALUES

STEPS = [
    ("bank", "Bank"),
    ("identity", "Contract"),
    ("keys", "Our keys"),
    ("trust", "The bank's"),
    ("accounts", "Accounts"),
    ("test", "Test"),
    ("schedule", "Schedule"),
    ("activate", "Activate"),
]
ORDER = [step for step, _label in STEPS]


class BankSetupWizard(models.TransientModel):
    """Sets a connection up, step by step.

    Everything is kept in the draft connection at once: whoever leaves comes back to the first step
    that is not done.
    """

    _name = "bank.setup.wizard"
    _description = "Set up a Bank Connection"

    step = fields.Selection(STEPS, default="bank", required=True, readonly=True)
    connection_id = fields.Many2one("bank.connection", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    name = fields.Char(string="Name of the connection")
    profile_id = fields.Many2one(
        "bank.connection.profile", string="Bank profile",
        default=lambda self: self.env["bank.connection.profile"].search([], limit=1),
    )
    url = fields.Char(string="Address")
    allow_private_address = fields.Boolean(string="Allow local addresses")
    is_sandbox = fields.Boolean(related="profile_id.is_sandbox")
    protocol = fields.Selection(related="profile_id.protocol")

    contract_code = fields.Char(related="connection_id.contract_code", readonly=False)
    consent_code = fields.Char(related="connection_id.consent_code", readonly=False)
    client_address = fields.Char(related="connection_id.client_address", readonly=False)
    soap_sender = fields.Char(related="connection_id.soap_sender", readonly=False)
    soap_customer = fields.Char(related="connection_id.soap_customer", readonly=False)
    soap_receiver = fields.Char(related="connection_id.soap_receiver", readonly=False)
    soap_target = fields.Char(related="connection_id.soap_target", readonly=False)
    soap_environment = fields.Selection(related="connection_id.soap_environment", readonly=False)
    variable_ids = fields.One2many(related="connection_id.variable_ids", readonly=False)

    bank_certificate_ids = fields.One2many(related="connection_id.bank_certificate_ids")
    trusted_certificates = fields.Text(
        related="connection_id.trusted_certificates", readonly=False
    )
    pinned_fingerprints = fields.Char(related="connection_id.pinned_fingerprints", readonly=False)
    bank_signers = fields.Text(related="connection_id.bank_signers", readonly=False)
    bank_encryption = fields.Text(related="connection_id.bank_encryption", readonly=False)

    journal_ids = fields.Many2many(
        "account.journal", string="Bank journals", domain=[("type", "=", "bank")]
    )
    new_account = fields.Char(
        string="New account", help="IBAN: a bank journal for it is made, and connected."
    )
    health_html = fields.Html(related="connection_id.health_html")
    schedule_html = fields.Html(compute="_compute_schedule_html", sanitize=False)
    problems = fields.Text(compute="_compute_problems")

    @api.depends("step")
    def _compute_schedule_html(self):
        crons = self.env["ir.cron"].browse()
        for name in ("send", "fetch", "process", "certificates", "watch"):
            crons |= self.env.ref(f"account_bank_connect.cron_{name}")
        # sudo: when our scheduled actions run is no secret; changing them is the system's.
        rows = "".join(
            f"<tr><td>{escape(cron.name)}</td><td>{escape(self._every(cron))}</td>"
            f"<td>{escape(str(cron.nextcall) if cron.active else self.env._('switched off'))}</td>"
            "</tr>"
            for cron in crons.sudo()
        )
        for wizard in self:
            wizard.schedule_html = f'<table class="table table-sm"><tbody>{rows}</tbody></table>'

    def _every(self, cron):
        units = dict(cron._fields["interval_type"]._description_selection(self.env))
        return f"{cron.interval_number} {units[cron.interval_type]}"

    @api.depends("step", "connection_id")
    def _compute_problems(self):
        for wizard in self:
            wizard.problems = (
                "\n".join(wizard.connection_id._activation_problems())
                if wizard.connection_id and wizard.step == "activate"
                else False
            )

    # -- opening --------------------------------------------------------------------------------

    @api.model
    def _open(self, connection=None):
        """The wizard for a new connection, or where somebody left off."""
        self._check_right()
        values = {}
        if connection:
            if connection.state == "active":
                raise UserError(self.env._("This connection is set up; suspend it to change it."))
            values = {
                "connection_id": connection.id,
                "company_id": connection.company_id.id,
                "name": connection.name,
                "profile_id": connection.profile_id.id,
                "url": connection.url,
                "allow_private_address": connection.allow_private_address,
                "journal_ids": [Command.set(connection.journal_ids.ids)],
                "step": connection._setup_step(),
            }
        return self.create(values)._again()

    def _again(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set up a bank connection"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "current",
        }

    @api.model
    def _check_right(self):
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may do this."))

    # -- steps ------------------------------------------------------------------------------------

    def action_next(self):
        """Do what the step asks for, and go to the next one."""
        self.ensure_one()
        self._check_right()
        # What was typed has to be in the connection before a step looks at it.
        self.flush_recordset()
        getattr(self, f"_done_{self.step}", lambda: None)()
        self.step = ORDER[min(ORDER.index(self.step) + 1, len(ORDER) - 1)]
        return self._again()

    def action_back(self):
        self.ensure_one()
        self.step = ORDER[max(ORDER.index(self.step) - 1, 0)]
        return self._again()

    def _done_bank(self):
        if not (self.name and self.profile_id and self.url):
            raise UserError(self.env._("Name, bank profile and address are needed."))
        values = {
            "name": self.name,
            "profile_id": self.profile_id.id,
            "url": self.url.strip(),
            "allow_private_address": self.allow_private_address and self.profile_id.is_sandbox,
        }
        if self.connection_id:
            self.connection_id.write(values)
        else:
            self.connection_id = self.env["bank.connection"].create(
                {**values, "company_id": self.company_id.id}
            )

    def _done_identity(self):
        missing = self.connection_id._missing_identity()
        if missing:
            raise UserError(self.env._("Enter what this bank asks for: %s.", ", ".join(missing)))

    def _done_keys(self):
        waiting = self.connection_id.bank_certificate_ids.filtered(
            lambda row: row.state == "requested"
        )
        problems = self.connection_id._missing_keys()
        if problems and waiting:
            raise UserError(
                self.env._(
                    "The bank's certificate for the request is still missing. You may leave now: "
                    "when it has come, continue the set-up and import it here."
                )
            )
        if problems:
            raise UserError("\n".join(problems))

    def _done_trust(self):
        if problems := self.connection_id._trust_problems():
            raise UserError("\n".join(problems))
        if self.protocol == "soap" and (problems := self.connection_id._soap_problems()):
            raise UserError("\n".join(problems))

    def _done_accounts(self):
        self.connection_id.write({"journal_ids": [Command.set(self.journal_ids.ids)]})
        if not self.journal_ids:
            raise UserError(self.env._("Choose at least one bank journal."))
        for journal in self.journal_ids:
            if not journal.bank_account_id:
                raise UserError(
                    self.env._("The journal %s has no bank account number.", journal.display_name)
                )

    def _done_test(self):
        if not self.connection_id._tested_well():
            raise UserError(self.env._("Test the connection first, until every step has a tick."))

    # -- buttons within a step --------------------------------------------------------------------

    def action_make_key(self):
        return self.connection_id.action_make_key()

    def action_import(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_bank_connect.action_certificate_wizard"
            ),
            "context": {"default_connection_id": self.connection_id.id},
        }

    def action_pin(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_bank_connect.action_pin_wizard"
            ),
            "context": {"default_connection_id": self.connection_id.id},
        }

    def action_add_account(self):
        """Make a bank journal for an account number, as whoever may make journals."""
        self.ensure_one()
        self._check_right()
        number = (self.new_account or "").strip()
        if not number:
            raise UserError(self.env._("Type the account's IBAN."))
        journals = self.env["account.journal"]
        if not (
            journals.has_access("create") and self.env["res.partner.bank"].has_access("create")
        ):
            raise AccessError(
                self.env._("Only an accounting manager who may create contacts makes journals and "
                           "accounts: ask for one with the account %s, and choose it here.", number)
            )
        company = self.connection_id.company_id
        journal = journals.create(
            {
                "name": self.env._("Bank %s", number[-4:]),
                "type": "bank",
                "code": self._free_code(company),
                "company_id": company.id,
                "bank_acc_number": number,
            }
        )
        self.write({"journal_ids": [Command.link(journal.id)], "new_account": False})
        self.connection_id.write({"journal_ids": [Command.link(journal.id)]})
        return self._again()

    def _free_code(self, company):
        used = set(
            self.env["account.journal"].with_context(active_test=False).search(
                [("company_id", "=", company.id)]
            ).mapped("code")
        )
        return next(f"BC{n}" for n in range(1, 1000) if f"BC{n}" not in used)

    def action_test(self):
        """Try the line; what was found is shown with each step's tick, or cause and cure."""
        self.ensure_one()
        self._check_right()
        self.connection_id.action_test()
        return self._again()

    def action_activate(self):
        self.ensure_one()
        self._check_right()
        self.connection_id.action_activate()
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.connection",
            "res_id": self.connection_id.id,
            "view_mode": "form",
        }


class BankConnection(models.Model):
    _inherit = "bank.connection"

    def action_setup(self):
        """Go on with the set-up where it was left."""
        self.ensure_one()
        self.check_access("write")
        return self.env["bank.setup.wizard"]._open(self)

    @api.model
    def action_setup_new(self):
        return self.env["bank.setup.wizard"]._open()

    def _missing_identity(self):
        """Labels of what the bank profile asks for and nobody has entered."""
        # sudo: whether a value is there is no secret.
        given = set(self.sudo().variable_ids.filtered("is_set").mapped("name"))
        missing = sorted(self.profile_id._wanted_values() - given)
        if self.protocol == "soap":
            for name, field in VALUES.items():
                if field not in self.profile_id._soap_fields() or self[field]:
                    continue
                if not any(self[other] for other in STAND_IN.get(name, ())):
                    missing.append(self._fields[field]._description_string(self.env))
        return missing

    def _missing_keys(self):
        """What is wrong with our certificates, that a bank of this protocol needs."""
        # sudo: that there is a certificate is no secret.
        mine = self.sudo()
        problems = self._certificate_problems()
        signs = mine.signing_certificate_id or mine.certificate_id
        if self.protocol == "soap" and not signs and not problems:
            problems.append(
                self.env._("Import or make the certificate that signs this company's files.")
            )
        return problems

    def _tested_well(self):
        checks = (self.health or {}).get("checks") or []
        return bool(checks) and not [check for check in checks if check["ok"] is False]

    def _setup_step(self):
        """The first step that is not done."""
        if self._missing_identity():
            return "identity"
        if self._missing_keys():
            return "keys"
        if self._trust_problems() or (self.protocol == "soap" and self._soap_problems()):
            return "trust"
        if not self.journal_ids or self.journal_ids.filtered(lambda j: not j.bank_account_id):
            return "accounts"
        return "schedule" if self._tested_well() else "test"
