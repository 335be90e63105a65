"""What every browser tour needs."""

from odoo.tests import HttpCase
from odoo.tools import file_path

from .common import BankConnectCommon


class TourCommon(BankConnectCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leave_out_missing_file()

    @classmethod
    def leave_out_missing_file(cls):
        """Debian's package of Odoo lacks a file of the video calls; the browser would complain.

        Only where it is missing: a changed bundle is built anew for each test.
        """
        path = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
        try:
            file_path(path)
        except FileNotFoundError:
            cls.env["ir.asset"].create(
                {
                    "name": "without the backgrounds of video calls",
                    "bundle": "web.assets_backend",
                    "directive": "remove",
                    "path": path,
                }
            )

    def walk(self, tour, action, user, **options):
        """Walk a tour of ours, from an action, as one of the people."""
        self.start_tour(
            f"/odoo/action-{action}", f"bank_connect_{tour}", login=user.login, **options
        )
