import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..connectors import profiles
from ..connectors.interface import SettingsError
from ..connectors.registry import PROFILES
from ..formats import charset, pain001
from . import connector_texts


class BankConnectionProfile(models.Model):
    """What is the same for every customer of one bank: its protocol, forms and limits.

    A new bank of a known kind is a record here, not code.
    """

    _name = "bank.connection.profile"
    _description = "Bank Profile"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    protocol = fields.Selection(
        [
            ("rest", "REST (Berlin Group and relatives)"),
            ("soap", "SOAP (Bank Web Services)"),
        ],
        required=True,
        default="rest",
    )
    client_certificate = fields.Boolean(
        string="Certificate in TLS",
        default=True,
        help="The bank asks for a certificate of ours when the line is opened. Otherwise one is "
        "shown only where the connection has one.",
    )
    settings = fields.Text(
        string="Protocol settings",
        required=True,
        help="Either the name of a built-in profile in quotation marks, or a JSON object with the "
        "bank's paths, headers and answer codes.",
    )
    is_sandbox = fields.Boolean(
        string="Practice bank",
        help="Moves no money. Allows addresses on this machine and local networks.",
    )
    message_version = fields.Selection(
        [(version, version) for version in pain001.VERSIONS],
        string="Payment message",
        required=True,
        default="pain.001.001.09",
        help="ISO 20022 version of the payment message that the bank accepts.",
    )
    charset = fields.Selection(
        selection="_selection_charset",
        string="Character set",
        required=True,
        default="sepa",
        help="Letters that the bank's channel can carry. Accents are mapped to plain letters "
        "where needed; text that can't be carried at all is refused before anything is sent.",
    )
    batch_booking = fields.Boolean(
        string="One debit per batch",
        help="The bank books one debit for all payments of a batch, not one for each.",
    )
    key_window_hours = fields.Integer(
        string="Key window (hours)",
        help="How long this bank recognises a repeated message by its key. 0: it does not.",
    )
    max_payments = fields.Integer(
        string="Most payments per message",
        default=10000,
        help="Larger batches are split into several.",
    )
    document_kinds = fields.Char(
        string="Documents to fetch",
        required=True,
        default="pain.002,camt.054,camt.053",
        help="Kinds separated by commas: pain.002, camt.052, camt.053, camt.054, mt940, mt942, "
        "berlin.transactions, pdf. A bank that takes recalls as messages answers them in "
        "camt.029.",
    )
    poll_status = fields.Boolean(
        string="Ask for status",
        default=True,
        help="Ask the bank about each message until its fate is final, besides fetching documents.",
    )
    notes = fields.Html(translate=True)

    @api.model
    def _selection_charset(self):
        labels = {
            "sepa": self.env._("SEPA (Latin letters without accents)"),
            "swift-x": self.env._("SWIFT x (Latin letters without accents)"),
            "latin-1": self.env._("Western European (with accents)"),
            "utf-8": self.env._("Unicode (every script)"),
        }
        return [(name, labels.get(name, name)) for name in charset.CHARSETS]

    @api.constrains("settings", "protocol")
    def _check_settings(self):
        for profile in self:
            try:
                profile._read_profile()
            except (ValueError, SettingsError) as error:
                if isinstance(error, SettingsError):
                    said = connector_texts.settings_error(self.env, error)
                else:
                    said = error
                raise ValidationError(
                    self.env._(
                        "The settings of “%(name)s” can't be used: %(error)s",
                        name=profile.name,
                        error=said,
                    )
                ) from error

    def _settings(self):
        """The connector's profile: a name, or a dict.

        :raises ValueError: not JSON
        """
        self.ensure_one()
        try:
            return json.loads(self.settings)
        except json.JSONDecodeError as error:
            raise ValueError(
                self.env._("line %(line)s: %(error)s", line=error.lineno, error=error.msg)
            ) from error

    def _can_recall(self):
        """Whether the bank takes recalls over this protocol."""
        return self._read_profile().can_recall

    def _read_profile(self):
        """The protocol settings as the connectors read them.

        :raises ValueError: not JSON
        :raises SettingsError: not a profile; the text names the key
        """
        settings = self._settings()
        if isinstance(settings, str):
            settings = profiles.profile(settings)
        return PROFILES[self.protocol].from_dict(settings)

    def _document_kinds(self):
        self.ensure_one()
        return [kind for part in self.document_kinds.split(",") if (kind := part.strip())]
