from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import NotSent, Uncertain
from odoo.addons.account_bank_connect.controllers import monitor as controller
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from prometheus_client.parser import text_string_to_metric_families

from .common import BankConnectCommon

AMOUNT = 98765.43


class MonitorCommon(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Nothing is wrong, whatever else the database holds.
        cls.env["bank.connection"].search([]).write({"state": "suspended"})
        cls.env["res.company"].search([]).bank_stopped = False
        cls.connection.write({"state": "active", "last_success": fields.Datetime.now()})

    def line(self, connection=None, user=None):
        self.env.invalidate_all()
        user = user or self.admin
        lines = self.env["bank.monitor"].with_user(user)
        return lines.with_context(allowed_company_ids=user.company_ids.ids).search(
            [("connection_id", "=", (connection or self.connection).id)]
        )


@tagged("post_install", "-at_install")
class TestMonitor(MonitorCommon):
    """One line for each connection says how it is doing."""

    def test_a_quiet_connection_is_fine(self):
        line = self.line()
        self.assertEqual(line.light, "fine")
        self.assertEqual(line.last_success, self.connection.last_success)
        self.assertEqual(
            (line.queued_count, line.uncertain_count, line.quarantined_count), (0, 0, 0)
        )

    def test_queue_and_doubt_are_counted_with_the_age_of_the_oldest(self):
        self.bank.on_submit.append(Uncertain("timeout", "The bank did not answer."))
        uncertain = self.message_of(self.sent(self.new_bill(10)))
        uncertain.uncertain_since -= timedelta(hours=3)
        self.approved(self.new_bill(10))
        queued = self.message_of(self.approved(self.new_bill(20)))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_message SET create_date = create_date - interval '90 minutes' "
            "WHERE id = %s", [queued.id],
        )
        line = self.line()
        self.assertEqual((line.queued_count, line.uncertain_count), (2, 1))
        self.assertAlmostEqual(line.queued_hours, 1.5, places=1)
        self.assertAlmostEqual(line.uncertain_hours, 3.0, places=1)
        self.assertEqual(line.light, "attention")
        action = line.with_context(message_state="queued").action_view_messages()
        self.assertIn(queued, self.env["bank.message"].search(action["domain"]))

    def test_error_rates_are_counted_from_every_call(self):
        self.bank.on_submit += [NotSent("refused", "Nobody answers at this address.")]
        batch = self.sent(self.new_bill(10))
        self.message_of(batch).next_attempt = fields.Datetime.now()
        self.run_cron("send")
        line = self.line()
        self.assertEqual((line.calls_hour, line.failed_hour), (2, 1))
        self.assertEqual(line.error_rate_hour, 0.5)
        self.env["bank.connection.call"].search([]).date = (
            fields.Datetime.now() - timedelta(hours=2)
        )
        line = self.line()
        self.assertEqual((line.calls_hour, line.calls_day, line.error_rate_day), (0, 2, 0.5))

    def test_old_calls_are_forgotten(self):
        self.connection._note_outcome()
        self.connection._note_outcome()
        calls = self.env["bank.connection.call"].search(
            [("connection_id", "=", self.connection.id)]
        )
        calls[0].date -= timedelta(days=3)
        self.env["bank.connection.call"]._forget_old_calls()
        self.assertEqual(calls.exists(), calls[1:])

    def test_a_resting_line_and_a_stopped_company_are_seen(self):
        self.connection.write(
            {"failure_count": 4, "paused_until": fields.Datetime.now() + timedelta(minutes=5)}
        )
        line = self.line()
        self.assertEqual((line.light, line.failure_count), ("resting", 4))
        self.assertTrue(line.paused_until)
        self.company.action_bank_stop("a test")
        self.assertEqual(self.line().light, "stopped")

    def test_more_connections_cost_no_more_queries(self):
        def queries():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["bank.monitor"].search([("company_id", "=", self.company.id)]).read()
            return self.env.cr.sql_log_count - before

        queries()
        one = queries()
        for number in range(5):
            self.new_connection(f"Bank {number}")._note_outcome()
        self.assertLessEqual(queries(), one)

    def test_everyone_who_works_with_the_bank_may_look_and_nobody_may_touch(self):
        for user in (self.preparer, self.approver, self.admin, self.auditor):
            line = self.line(user=user)
            self.assertEqual(line.connection_id.name, "Example Bank")
            for model in ("bank.monitor", "bank.alert", "bank.connection.call"):
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(self.env[model].with_user(user).has_access(operation))
        with self.assertRaises(AccessError):
            self.line(user=self.outsider)

    def test_other_companies_lines_are_not_shown(self):
        other = self.new_company("Other GmbH")
        connection = self.new_connection("Other Bank", company=other)
        self.assertFalse(self.line(connection))
        keeper = self.new_user("keeper", "account_bank_connect.group_auditor", companies=other)
        self.assertTrue(self.line(connection, user=keeper))


@tagged("post_install", "-at_install")
class TestMonitorEndpoints(MonitorCommon, HttpCase):
    """Operators read figures with a token; a stranger learns one word."""

    def setUp(self):
        super().setUp()
        controller._told.clear()
        self.addCleanup(controller._told.clear)
        self.token = self.new_token()
        self.message = self.message_of(self.approved(self.new_bill(AMOUNT)))

    def new_token(self, user=None):
        tokens = self.env["bank.monitor.token"].with_user(user or self.admin)
        tokens = tokens.with_context(allowed_company_ids=(user or self.admin).company_ids.ids)
        # As the button calls it.
        return call_kw(tokens, "action_new", [[]], {})["context"]["default_secret"]

    def get(self, path, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.url_open(f"/bank_connect/{path}", headers=headers)

    def make_trouble(self):
        self.connection.last_success = fields.Datetime.now() - timedelta(hours=7)

    # -- strangers ------------------------------------------------------------------------------

    def test_a_stranger_learns_one_word(self):
        answer = self.get("health")
        self.assertEqual((answer.status_code, answer.json()), (200, {"status": "ok"}))
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_the_word_changes_when_something_calls_for_a_person(self):
        self.make_trouble()
        self.assertEqual(self.get("health").json(), {"status": "degraded"})

    def test_a_stop_is_told(self):
        self.company.action_bank_stop("a test")
        self.assertEqual(self.get("health").json(), {"status": "degraded"})

    def test_strangers_cost_the_database_little(self):
        monitor = type(self.env["bank.monitor"])
        with patch.object(monitor, "_is_degraded", return_value=False) as asked:
            for _call in range(5):
                self.get("health")
        self.assertEqual(asked.call_count, 1)

    def test_metrics_are_not_for_strangers(self):
        for token in (None, "guessed", "é", "x" * 10000, self.token[:-1]):
            answer = self.get("metrics", token and token.encode().decode("latin-1"))
            self.assertEqual((answer.status_code, answer.text), (401, ""))
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_a_wrong_token_is_refused_even_for_the_one_word(self):
        self.assertEqual(self.get("health", "guessed").status_code, 401)

    # -- operators ------------------------------------------------------------------------------

    def metrics(self, token=None):
        answer = self.get("metrics", token or self.token)
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version="))
        return {
            (sample.name, sample.labels.get("connection"), *(
                value for label, value in sorted(sample.labels.items())
                if label not in ("connection", "connection_id")
            )): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def test_prometheus_can_read_the_metrics(self):
        self.connection._note_outcome("The bank did not answer.")
        self.connection._note_outcome()
        metrics = self.metrics()
        self.assertEqual(metrics["bank_connect_degraded", None], 0)
        self.assertEqual(metrics["bank_connect_active", "Example Bank"], 1)
        self.assertEqual(metrics["bank_connect_messages", "Example Bank", "queued"], 1)
        self.assertEqual(metrics["bank_connect_calls", "Example Bank", "hour"], 2)
        self.assertEqual(metrics["bank_connect_failed_calls", "Example Bank", "hour"], 1)
        self.assertAlmostEqual(
            metrics["bank_connect_last_success_timestamp_seconds", "Example Bank"],
            self.connection.last_success.timestamp(), delta=86400,
        )

    def test_ages_and_alerts_are_metrics(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_message SET create_date = create_date - interval '3 hours' WHERE id = %s",
            [self.message.id],
        )
        metrics = self.metrics()
        age = metrics["bank_connect_oldest_message_seconds", "Example Bank", "queued"]
        self.assertAlmostEqual(age, 3 * 3600, delta=120)
        self.assertEqual(metrics["bank_connect_alert", "Example Bank", "queued"], 1)
        self.assertEqual(metrics["bank_connect_degraded", None], 1)

    def test_a_name_with_quotes_and_lines_breaks_nothing(self):
        self.connection.name = 'A "Bank" \\ of\nnowhere'
        self.assertIn(("bank_connect_active", self.connection.name), self.metrics())

    def test_health_tells_an_operator_what_is_wrong(self):
        self.make_trouble()
        health = self.get("health", self.token).json()
        self.assertEqual(health["status"], "degraded")
        [line] = health["connections"]
        self.assertEqual(line["alerts"], ["silent"])
        self.assertEqual(line["messages"], {"queued": 1})
        self.assertTrue(line["last_success"].endswith("+00:00"))

    def test_no_amount_no_account_and_no_payee_leaves(self):
        for path in ("health", "metrics"):
            text = self.get(path, self.token).text
            for word in ("98765", self.vendor.name, "DE89", self.message.key, self.message.name):
                self.assertNotIn(word, text)

    def test_a_token_opens_its_own_companies_only(self):
        other = self.new_company("Other GmbH")
        self.new_connection("Other Bank", company=other)
        keeper = self.new_user("keeper", "account_bank_connect.group_admin", companies=other)
        names = [
            [line["name"] for line in self.get("health", token).json()["connections"]]
            for token in (self.token, self.new_token(keeper))
        ]
        self.assertEqual(names, [["Example Bank"], ["Other Bank"]])

    # -- tokens ---------------------------------------------------------------------------------

    def test_a_removed_token_opens_nothing(self):
        self.env["bank.monitor.token"].with_user(self.admin).search([]).unlink()
        self.assertEqual(self.get("metrics", self.token).status_code, 401)

    def test_the_token_itself_is_kept_nowhere(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM bank_monitor_token")
        self.assertNotIn(self.token, str(self.env.cr.fetchall()))
        with self.assertRaises(AccessError):
            self.env["bank.monitor.token"].with_user(self.admin).search([]).read(["digest"])

    def test_only_an_administrator_makes_tokens_and_nobody_widens_one(self):
        for user in (self.preparer, self.approver, self.auditor):
            with self.assertRaises(AccessError):
                self.new_token(user)
        token = self.env["bank.monitor.token"].with_user(self.admin).search([], limit=1)
        token.name = "Grafana"
        other = self.new_company("Other GmbH")
        with self.assertRaises(AccessError):
            token.write({"company_ids": [(4, other.id)]})
        with self.assertRaises(AccessError):
            token.create({"name": "x"})
