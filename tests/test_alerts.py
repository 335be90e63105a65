from datetime import date, datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import Uncertain
from odoo.addons.account_bank_connect.models.bank_watch import business_days_between
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from .common import MODULE, BankConnectCommon


def own_certificate():
    """A certificate and its key as PEM; what it says matters to nobody here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Payer GmbH")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


@tagged("post_install", "-at_install")
class TestAlerts(BankConnectCommon):
    """Whatever is wrong becomes one task for those who look after the bank, until it is over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Nothing is wrong, whatever else the database holds.
        cls.env["bank.connection"].search([]).write({"state": "suspended"})
        cls.connection.write({"state": "active", "last_success": fields.Datetime.now()})

    def watch(self):
        """Run the scheduled action; returns the open alerts of the connection."""
        self.run_cron("watch")
        self.env.invalidate_all()
        return self.alerts()

    def alerts(self):
        return self.env["bank.alert"].search(
            [("connection_id", "=", self.connection.id), ("closed_on", "=", False)]
        )

    def tasks(self, alerts):
        return self.activities(alerts, "alert")

    def age(self, record, name, **duration):
        """Make a moment of a record lie further back, also one that Odoo keeps by itself."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id IN %s", SQL.identifier(record._table),
                SQL.identifier(name), fields.Datetime.now() - timedelta(**duration),
                tuple(record.ids),
            )
        )
        self.env.invalidate_all()

    def uncertain_message(self, **age):
        self.bank.on_submit.append(Uncertain("timeout", "The bank did not answer."))
        message = self.message_of(self.sent(self.new_bill(100)))
        self.assertEqual(message.state, "uncertain")
        self.age(message, "uncertain_since", **age)
        return message

    def alert(self, code):
        """The only alert there is, which must be of this kind."""
        alert = self.watch()
        self.assertEqual(alert.mapped("code"), [code])
        return alert

    # -- one task, once -------------------------------------------------------------------------

    def test_nothing_wrong_opens_nothing(self):
        self.assertFalse(self.watch())

    def test_an_old_uncertain_message_opens_one_task_for_each_administrator(self):
        self.uncertain_message(hours=5)
        second = self.new_user("second", f"{MODULE}.group_admin")
        alert = self.alert("uncertain")
        self.assertEqual(self.tasks(alert).user_id & (self.admin | second | self.preparer),
                         self.admin | second)
        self.assertIn("fate is unknown: 1", alert.summary)
        self.assertEqual(len(self.tasks(alert).filtered(lambda task: task.user_id == second)), 1)

    def test_a_young_uncertain_message_is_left_to_the_inquiry(self):
        self.uncertain_message(hours=3)
        self.assertFalse(self.watch())

    def test_it_is_told_once_while_the_task_is_open(self):
        self.uncertain_message(hours=5)
        alert = self.watch()
        tasks = self.tasks(alert)
        for _run in range(3):
            self.assertEqual(self.watch(), alert)
        self.age(alert, "told_on", days=9)
        self.assertEqual(self.watch(), alert)
        self.assertEqual(self.tasks(alert), tasks)

    def test_a_task_ticked_off_too_early_comes_back_after_a_day(self):
        self.uncertain_message(hours=5)
        alert = self.watch()
        for task in self.tasks(alert):
            task.with_user(task.user_id).action_done()
        self.assertFalse(self.tasks(self.watch()))
        self.age(alert, "told_on", hours=25)
        self.assertIn(self.admin, self.tasks(self.watch()).user_id)

    def test_it_is_closed_by_itself_when_it_is_over(self):
        message = self.uncertain_message(hours=5)
        alert = self.watch()
        message.state = "delivered"
        self.assertFalse(self.watch())
        self.assertTrue(alert.closed_on)
        self.assertFalse(self.tasks(alert))
        self.assertIn("It is over", self.chatter(alert))

    def test_the_same_trouble_later_is_a_new_alert(self):
        message = self.uncertain_message(hours=5)
        first = self.watch()
        message.state = "delivered"
        self.watch()
        message.state = "uncertain"
        self.assertNotIn(self.watch(), first)

    def test_other_companies_administrators_are_not_told(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_admin", companies=other)
        self.uncertain_message(hours=5)
        alert = self.watch()
        self.assertNotIn(stranger, self.tasks(alert).user_id)
        theirs = self.env["bank.alert"].with_context(allowed_company_ids=other.ids)
        self.assertFalse(theirs.with_user(stranger).search([]))
        mine = self.env["bank.alert"].with_user(self.admin)
        self.assertEqual(mine.search([("closed_on", "=", False)]), alert)

    # -- each kind of trouble -----------------------------------------------------------------

    def test_payments_that_do_not_leave(self):
        message = self.message_of(self.approved(self.new_bill(100)))
        self.assertFalse(self.watch())
        self.age(message, "create_date", hours=3)
        self.alert("queued")
        message.state = "sending"
        self.assertFalse(self.watch())

    def test_what_people_stopped_does_not_alarm_them(self):
        self.age(self.message_of(self.approved(self.new_bill(100))), "create_date", hours=3)
        self.company.action_bank_stop("a test")
        self.assertFalse(self.watch())

    def test_a_bank_that_does_not_say_what_becomes_of_a_batch(self):
        batch = self.sent(self.new_bill(100))
        self.assertEqual(batch.state, "sent")
        self.assertFalse(self.watch())
        self.age(self.message_of(batch), "sent_date", hours=25)
        self.alert("unanswered")
        batch._engine().state = "accepted"
        self.assertFalse(self.watch())

    @mute_logger("odoo.addons.account_bank_connect.models.bank_message_receive")
    def test_documents_that_were_put_aside(self):
        document = self.receive(b"<html>Service unavailable</html>")
        self.assertEqual(document.state, "quarantined")
        self.age(document, "processed_date", hours=1)
        alert = self.alert("quarantined")
        self.assertEqual(
            self.env["bank.message"].search(alert.action_view_trouble()["domain"]), document
        )

    def test_no_contact_with_the_bank(self):
        self.connection.last_success = fields.Datetime.now() - timedelta(hours=7)
        self.alert("silent")
        self.connection._note_outcome()
        self.assertFalse(self.watch())

    def test_a_connection_that_never_worked_is_silent_from_the_start(self):
        self.connection.last_success = False
        self.age(self.connection, "create_date", hours=7)
        self.alert("silent")

    def test_a_certificate_alarms_at_each_term_once(self):
        certificate = self.env["certificate.certificate"]._bank_create(
            *own_certificate(), company=self.company
        )
        self.connection.certificate_id = certificate
        self.assertFalse(self.watch())
        told = {}
        for days in (61, 59, 40, 29, 20, 13, 10, 6, 1, -1):
            self.age(certificate, "date_end", days=-days)
            alert = self.watch()
            if alert:
                tasks = self.tasks(alert).filtered(lambda task: task.user_id == self.admin)
                told.setdefault(alert.level, set()).update(tasks.ids)
        self.assertEqual(list(told), [60, 30, 14, 7, 0])
        self.assertEqual([len(tasks) for tasks in told.values()], [1] * 5)
        self.assertEqual(len(set.union(*told.values())), 5, "each term has a task of its own")
        self.assertIn("expired", alert.summary)

    def test_a_missing_statement(self):
        self.age(self.connection, "create_date", days=9)
        alert = self.alert("statement")
        self.assertGreaterEqual(alert.count, 2)
        self.env["bank.message"]._store(
            self.connection, b"<Document/>", name="statement", kind="camt.053.001.08"
        )
        self.assertNotIn("statement", self.watch().mapped("code"))

    def test_no_statement_is_missed_where_none_is_fetched(self):
        self.age(self.connection, "create_date", days=9)
        self.connection.profile_id.document_kinds = "pain.002"
        self.assertFalse(self.watch())

    # -- thresholds -------------------------------------------------------------------------------

    def set_hours(self, name, value):
        self.env["ir.config_parameter"].set_param(f"{MODULE}.{name}", value)

    def test_thresholds_are_system_parameters(self):
        self.uncertain_message(minutes=90)
        self.assertFalse(self.watch())
        self.set_hours("alert_uncertain_hours", "1")
        self.alert("uncertain")
        self.set_hours("alert_uncertain_hours", "0")
        self.assertFalse(self.watch(), "0 switches an alert off")

    def test_a_threshold_that_is_no_number_does_not_stop_the_watch(self):
        self.uncertain_message(hours=5)
        self.set_hours("alert_uncertain_hours", "a while")
        with self.assertLogs("odoo.addons.account_bank_connect.models.bank_watch", "WARNING"):
            self.alert("uncertain")


@tagged("post_install", "-at_install")
class TestBusinessDays(TransactionCase):
    """A statement is missed only for days on which banks worked."""

    def test_weekends_and_closing_days_do_not_count(self):
        # Friday to Monday; Maundy Thursday to Tuesday after Easter; Christmas; a plain week.
        self.assertEqual(business_days_between(date(2026, 3, 6), date(2026, 3, 9)), 0)
        self.assertEqual(business_days_between(date(2026, 4, 2), date(2026, 4, 7)), 0)
        self.assertEqual(business_days_between(date(2026, 12, 24), date(2026, 12, 28)), 0)
        self.assertEqual(business_days_between(date(2026, 3, 2), date(2026, 3, 9)), 4)
        self.assertEqual(business_days_between(date(2026, 3, 9), date(2026, 3, 2)), 0)
