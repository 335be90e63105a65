from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import keyring

# What a connection has fields of its own for.
STANDARD = {"contract_id", "consent_id", "psu_ip_address"}
MASK = "••••••"


class BankConnectionVariable(models.Model):
    """One value that a bank's profile asks for: a client number, a scope, a client secret.

    A secret is sealed before it reaches the database, and nobody reads it again: it can be
    replaced, and that it is there can be seen.
    """

    _name = "bank.connection.variable"
    _description = "Value for a Bank's Channel"
    _order = "is_secret, name"

    connection_id = fields.Many2one(
        "bank.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True)
    name = fields.Char(required=True, help="As the bank profile names it, for example client_id.")
    is_secret = fields.Boolean(string="Secret", help="Kept sealed, and never shown again.")
    value = fields.Char(help="Of a secret only what is typed anew; what is kept is not shown.")
    sealed = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    is_set = fields.Boolean(string="There", compute="_compute_is_set")

    _name_uniq = models.UniqueIndex("(connection_id, name)", "This value is there already.")

    @api.depends("value", "sealed", "is_secret")
    def _compute_is_set(self):
        for variable in self:
            # sudo: whether a secret is there is no secret.
            variable.is_set = bool(variable.sudo().sealed if variable.is_secret else variable.value)

    @api.constrains("name")
    def _check_name(self):
        for variable in self:
            name = variable.name
            if not name.isascii() or not name.replace("_", "a").isalnum() or name.lower() != name:
                raise ValidationError(
                    self.env._("“%s” is no name: small letters, digits and underscores.", name)
                )
            if name in STANDARD:
                raise ValidationError(self.env._("“%s” has a field of its own.", name))

    @api.constrains("value")
    def _check_value(self):
        for variable in self.filtered("value"):
            variable._check_printable(variable.value)

    def _check_printable(self, value):
        if not value.isprintable():
            raise ValidationError(
                self.env._("The value of “%s” has line breaks or other control marks.", self.name)
            )

    @api.model_create_multi
    def create(self, vals_list):
        typed = [vals.get("value") if vals.get("is_secret") else None for vals in vals_list]
        plain = [{**vals, "value": False} if vals.get("is_secret") else vals for vals in vals_list]
        # A secret is typed in, not copied. (Nobody but the module may name the field at all.)
        plain = [{name: vals[name] for name in vals if name != "sealed"} for vals in plain]
        variables = super().create(plain)
        for variable, value in zip(variables, typed, strict=True):
            variable._seal(value)
        variables.filtered("is_set")._tell()
        return variables

    def write(self, vals):
        for variable in self:
            same = vals.get("connection_id", variable.connection_id.id) == variable.connection_id.id
            if same and vals.get("name", variable.name) == variable.name:
                continue
            # What is sealed is bound to both.
            raise UserError(self.env._("Remove this value and add another one."))
        if "sealed" in vals:
            raise UserError(self.env._("A secret is typed in, not copied."))
        for variable in self:
            secret = vals.get("is_secret", variable.is_secret)
            changed = dict(vals)
            if secret and not variable.is_secret:
                # What was readable until now is sealed with it.
                changed.setdefault("value", variable.value)
            typed = changed.get("value") if secret else None
            if secret:
                changed["value"] = False
            elif variable.is_secret:
                # A secret is not made readable by calling it plain.
                # sudo: nobody else may write what is sealed.
                super(BankConnectionVariable, variable.sudo()).write({"sealed": False})
            super(BankConnectionVariable, variable).write(changed)
            variable._seal(typed)
        if {"value", "is_secret"} & set(vals):
            self._tell()
        return True

    def unlink(self):
        for variable in self:
            variable._tell(removed=True)
        return super().unlink()

    def _seal(self, value):
        """Keep `value` sealed; nothing typed leaves what there is."""
        if not value:
            return
        self._check_printable(value)
        try:
            sealed = keyring.seal(value.encode(), self._purpose())
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        # sudo: nobody may read or write what is sealed but this.
        models.Model.write(self.sudo(), {"sealed": sealed})

    def _purpose(self):
        return f"connection-variable/{self.connection_id.id}/{self.name}"

    def _open(self):
        """The value, for the connector.

        :raises KeyringError:
        """
        # sudo: the connector needs the secret; whoever may use the connection never sees it.
        variable = self.sudo()
        if not variable.is_secret:
            return variable.value or ""
        if not variable.sealed:
            return ""
        return keyring.unseal(variable.sealed, variable._purpose()).decode()

    def _tell(self, removed=False):
        for variable in self:
            told = None if removed else MASK if variable.is_secret else variable.value or None
            self.env["bank.audit.event"]._record(
                "connection_changed", variable.connection_id, changes={variable.name: [None, told]}
            )


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    def _wanted_values(self):
        """Names of the values that a connection has to give, beside its own fields."""
        profile = self._read_profile()
        return set(profile.variables()) - STANDARD - set(getattr(profile, "defaults", ()))

    def _needs(self):
        """What a connection has to say, as it is shown to people."""
        secrets = self._secret_values()
        return [
            self.env._("%s (secret)", name) if name in secrets else name
            for name in sorted(self._wanted_values())
        ]

    def _secret_values(self):
        """Those of them that are kept sealed."""
        return set(getattr(self._read_profile(), "secrets", ()))


class BankConnection(models.Model):
    _inherit = "bank.connection"

    variable_ids = fields.One2many(
        "bank.connection.variable",
        "connection_id",
        string="Values for the bank's channel",
        copy=False,
        groups="account_bank_connect.group_admin",
    )

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        connections._add_variables()
        return connections

    def write(self, vals):
        result = super().write(vals)
        if "profile_id" in vals:
            self._add_variables()
        return result

    def _add_variables(self):
        """Add a line for each value that the bank profile asks for."""
        for connection in self:
            # sudo: which values a bank asks for is no secret; the lines are the administrator's.
            connection = connection.sudo()
            there = set(connection.variable_ids.mapped("name"))
            secrets = connection.profile_id._secret_values()
            wanted = connection.profile_id._wanted_values() - there
            connection.variable_ids = [
                Command.create({"name": name, "is_secret": name in secrets})
                for name in sorted(wanted)
            ]

    def _activation_problems(self):
        problems = super()._activation_problems()
        given = self.sudo().variable_ids.filtered("is_set").mapped("name")
        missing = self.profile_id._wanted_values() - set(given)
        if missing:
            problems.append(
                self.env._("Enter what this bank asks for: %s.", ", ".join(sorted(missing)))
            )
        return problems
