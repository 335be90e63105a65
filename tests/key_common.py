"""Keys and certificates of a connection, as its administrator handles them."""

import base64

from .certificates import Issuer, certificate_for, new_key
from .common import BankConnectCommon


class KeyCase(BankConnectCommon):
    """A connection in an administrator's hands, and the bank's authority."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.issuer = Issuer()
        cls.line = cls.connection.with_user(cls.admin)

    def make(self, role="tls", algorithm="ec256", **values):
        """Make a key and its request; returns the row that waits."""
        wizard = (
            self.env["bank.key.wizard"]
            .with_user(self.admin)
            .with_context(default_connection_id=self.connection.id)
            .create({"role": role, "algorithm": algorithm, **values})
        )
        action = wizard.action_make()
        return self.env["bank.certificate"].with_user(self.admin).browse(action["res_id"])

    def bring(self, certificate, key=None, password=None, **values):
        """Import files as an administrator does."""
        files = {"certificate_file": base64.b64encode(certificate)}
        if key:
            files["key_file"] = base64.b64encode(key)
        wizard = (
            self.env["bank.certificate.wizard"]
            .with_user(self.admin)
            .create(
                {"connection_id": self.connection.id, "password": password, **files, **values}
            )
        )
        wizard.action_import()
        return self.env["bank.certificate"].with_user(self.admin).search(
            [("connection_id", "=", self.connection.id), ("owner", "=", "ours")],
            order="id desc", limit=1,
        )

    def row_in_use(self, days=365, **values):
        """A certificate of ours in use."""
        key, pem = new_key()
        return self.bring(certificate_for(key, days=days), pem, start="now", **values)

    def sealed_text(self, key):
        return base64.b64decode(key.sudo().with_context(bin_size=False).content)
