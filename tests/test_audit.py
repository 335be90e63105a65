from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common import BankConnectCommon


@tagged("post_install", "-at_install")
class TestAuditEvent(BankConnectCommon):
    """What is recorded stays as it was recorded."""

    def setUp(self):
        super().setUp()
        self.trail = self.env["bank.audit.event"]

    def record(self, **details):
        self.trail._record("connection_changed", self.connection, **details)
        return self.trail.search([("kind", "=", "connection_changed")], limit=1)

    def test_who_what_and_when(self):
        event = self.record(url=["https://old.example", "https://new.example"])
        self.assertEqual(event.res_model, "bank.connection")
        self.assertEqual(event.res_id, self.connection.id)
        self.assertEqual(event.res_name, self.connection.name)
        self.assertEqual(event.user_number, self.env.uid)
        self.assertEqual(event.company_number, self.company.id)
        self.assertIn("new.example", event.details)
        self.assertEqual(event.display_name, "Connection changed", "in words, not by its key")
        self.assertTrue(event.superuser)

    def test_nobody_changes_it_through_odoo(self):
        event = self.record()
        for user in (self.admin, self.auditor, self.env.user):
            mine = event.with_user(user)
            for attempt in (
                lambda mine=mine: mine.write({"user_login": "somebody"}),
                lambda mine=mine: mine.unlink(),
                lambda mine=mine: mine.create({"kind": "batch_approved"}),
                lambda mine=mine: mine.sudo().write({"position": 1}),
            ):
                with self.assertRaises(AccessError):
                    attempt()

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_as_well(self):
        """Updates, removals and emptying the table; before and after the event got its place."""
        event = self.record()
        for linked in (False, True):
            if linked:
                self.trail._link_pending()
            for statement in (
                "UPDATE bank_audit_event SET user_login = 'x' WHERE id = %s",
                "UPDATE bank_audit_event SET user_login = 'x', position = 99999 WHERE id = %s",
                "UPDATE bank_audit_event SET content_mac = NULL WHERE id = %s",
                "DELETE FROM bank_audit_event WHERE id = %s",
                "TRUNCATE bank_audit_event -- %s",
            ):
                with self.assertRaisesRegex(IntegrityError, "can't be changed"):
                    with self.env.cr.savepoint():
                        self.env.cr.execute(statement, (event.id,))
