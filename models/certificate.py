"""Odoo's certificate store, with the private key sealed.

Odoo keeps a private key as an unencrypted file. A key that a bank trusts with money is kept
sealed under the keyring instead: ``content`` then holds the sealed text, and only
:meth:`CertificateKey._bank_private_key` opens it, in memory, for the moment of use.
"""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from odoo import api, fields, models
from odoo.exceptions import UserError

from . import certificate_files, keyring

PURPOSE = "private-key"


class CertificateKey(models.Model):
    _inherit = "certificate.key"

    bank_sealed = fields.Boolean(
        string="Sealed",
        readonly=True,
        copy=False,
        help="The key is encrypted under this server's master key, which is not in the database.",
    )
    bank_master_key = fields.Char(
        string="Sealed under",
        readonly=True,
        copy=False,
        help="The name of the master key that opens it.",
    )

    @api.depends("bank_sealed")
    def _compute_pem_key(self):
        sealed = self.filtered("bank_sealed")
        for key in sealed:
            key.pem_key = False
            key.public = False
            key.loading_error = ""
        return super(CertificateKey, self - sealed)._compute_pem_key()

    @api.model
    def _bank_create_sealed(self, pem, password=None, name=None, company=None):
        """Store a private key sealed.

        :param bytes pem: the key, PEM or DER
        :param password: opens the key where it is encrypted (text)
        :return: the ``certificate.key`` record
        :raises UserError: the key can't be read, or no master key is configured
        """
        try:
            private_key = certificate_files.load_key(pem, password)
        except certificate_files.FileError:
            raise UserError(
                self.env._("This private key could not be read. Check the file and its password.")
            ) from None
        try:
            sealed = keyring.seal(certificate_files.key_pem(private_key), PURPOSE)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        # `bank_sealed` first: without it Odoo would try to read the sealed text as a key.
        return self.create(
            {
                "name": name or self.env._("Bank key"),
                "bank_sealed": True,
                "bank_master_key": keyring.key_id_of(sealed),
                "content": base64.b64encode(sealed.encode()),
                "company_id": (company or self.env.company).id,
            }
        )

    def _bank_private_key(self):
        """The private key as unencrypted PEM bytes, for the moment of use only."""
        self.ensure_one()
        content = base64.b64decode(self.with_context(bin_size=False).content)
        if not self.bank_sealed:
            return content
        return keyring.unseal(content.decode(), PURPOSE)

    def _get_public_key_bytes(self, encoding="der", formatting="encodebytes"):
        # Odoo compares a certificate with its key through this: answer from the sealed key.
        self.ensure_one()
        if not self.bank_sealed:
            return super()._get_public_key_bytes(encoding=encoding, formatting=formatting)
        try:
            private_key = serialization.load_pem_private_key(self._bank_private_key(), None)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        public = private_key.public_key().public_bytes(
            serialization.Encoding.DER if encoding == "der" else serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        return (
            base64.encodebytes(public) if formatting == "encodebytes" else base64.b64encode(public)
        )


class CertificateCertificate(models.Model):
    _inherit = "certificate.certificate"

    scope = fields.Selection(
        selection_add=[("bank_connect", "Bank Connect")],
        ondelete={"bank_connect": "set null"},
    )

    @api.model
    def _bank_create(self, certificate_pem, key_pem, password=None, name=None, company=None):
        """Store a certificate (PEM, leaf first, chain allowed) with its private key sealed.

        :return: the ``certificate.certificate`` record
        :raises UserError: a file can't be read, or key and certificate don't belong together
        """
        company = company or self.env.company
        try:
            leaf = x509.load_pem_x509_certificates(certificate_pem)[0]
        except (ValueError, IndexError):
            raise UserError(
                self.env._("This certificate could not be read. A PEM file is needed.")
            ) from None
        key = self.env["certificate.key"]._bank_create_sealed(
            key_pem, password=password, name=name, company=company
        )
        return self.create(
            {
                "name": name or leaf.subject.rfc4514_string(),
                "scope": "bank_connect",
                "content": base64.b64encode(certificate_pem),
                "private_key_id": key.id,
                "company_id": company.id,
            }
        )

    @api.model
    def _bank_create_for_key(self, chain, key, connection):
        """Store the certificate that answers a request, with the key that waited for it.

        :param chain: list of ``x509.Certificate``, leaf first
        :param key: the sealed ``certificate.key``
        """
        return self.create(
            {
                "name": connection.name,
                "scope": "bank_connect",
                "content": base64.b64encode(certificate_files.pem_of(chain)),
                "private_key_id": key.id,
                "company_id": connection.company_id.id,
            }
        )

    def _bank_chain(self):
        """The certificate and its chain as PEM bytes, leaf first."""
        self.ensure_one()
        certificate = self.with_context(bin_size=False)
        content = base64.b64decode(certificate.content)
        if certificate.content_format == "pem":
            return content
        return base64.b64decode(certificate.pem_certificate)
