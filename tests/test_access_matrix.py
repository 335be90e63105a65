import itertools

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .access_matrix import DOCUMENT, GROUPS, HEADING, OPERATIONS, documented, line_for
from .common import MODULE, BankConnectCommon
from .things import one_of_each

NOWHERE = 2**31 - 1  # no record has this number
# Odoo's own models whose records this module guards.
GUARDED = {"account.payment", "certificate.certificate", "certificate.key", "res.partner.bank"}
# What no company owns; what waits is counted anew each time, with the reader's own rights.
COMMON = {"bank.audit.check", "bank.connection.profile", "bank.day"}


class RpcCase(BankConnectCommon, HttpCase):
    """Calls as programs and browsers make them, by people who log in."""

    def rpc(self, model, method, *args, **kwargs):
        """Call a method over HTTP.

        :return: (result, None), or (None, what Odoo says went wrong: a dict of name and message)
        """
        answer = self.opener.post(
            f"{self.base_url()}/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": method, "args": args, "kwargs": kwargs},
            },
            timeout=30,
        ).json()
        if "error" in answer:
            data = answer["error"]["data"]
            return None, {"name": data["name"].rsplit(".", 1)[-1], "message": data["message"]}
        # A method that returns nothing is answered by nothing.
        return answer.get("result"), None

    def log_in(self, user):
        self.authenticate(user.login, user.login)

    def our_models(self):
        """Names of the models that this module defines and that hold records."""
        return {
            name
            for name, model in self.env.registry.items()
            if not model._abstract and model._original_module == MODULE
        }


@tagged("post_install", "-at_install")
class TestAccessMatrix(RpcCase):
    """Everybody may do what docs/security.md says, and nothing else, by any program."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = documented()
        cls.people = {
            column: cls.new_user(f"only_{number}", group)
            for number, (column, group) in enumerate(GROUPS.items())
        }

    def test_every_model_has_its_line(self):
        """A new model without a line in the table fails here, and is told which line it lacks."""
        expected = self.our_models() | GUARDED
        missing = {model: self.rights_of(model) for model in sorted(expected - set(self.table))}
        self.assertFalse(
            missing,
            f"\n{DOCUMENT.name}, “{HEADING[3:]}”, has no line for these models. If what they "
            "allow today is meant so, add (models with equal rights share a line):\n"
            + "\n".join(line_for([model], rights) for model, rights in missing.items()),
        )
        self.assertEqual(set(self.table), expected, "the table names models that do not exist")

    def rights_of(self, model):
        return {
            column: "".join(
                letter
                for letter, operation in OPERATIONS.items()
                if self.env[model].with_user(user).has_access(operation)
            )
            for column, user in self.people.items()
        }

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_rule")
    def test_everybody_does_what_the_table_says(self):
        """Every model, every operation, every group: tried over HTTP."""
        one_of_each(self)
        # An operation that is refused is tried on a real record, where there is one: whatever the
        # reason of a refusal is, it has to come before anything happens. The newest: a database
        # with demo data has others, of other companies.
        self.known = {
            model: self.env[model].sudo().search([], limit=1, order="id desc").id or NOWHERE
            for model in self.table
        }
        wrong = []
        for column, user in self.people.items():
            self.log_in(user)
            for model, letter in itertools.product(self.table, OPERATIONS):
                allowed = letter in self.table[model][column]
                if self.may(model, letter, allowed) != allowed:
                    verb = "may" if not allowed else "may not"
                    wrong.append(f"{column} {verb} {OPERATIONS[letter]} {model}")
        self.assertFalse(wrong, f"{DOCUMENT.name} says otherwise")

    def may(self, model, letter, expected):
        """Whether the user who is logged in gets past the access rights."""
        if letter == "r":
            _found, error = self.rpc(model, "search_read", [], ["id"], limit=1)
        elif letter == "c":
            _found, error = self.rpc(model, "create", {})
        else:
            # What is allowed is not done to a record that others still look at.
            record = NOWHERE if expected else self.known[model]
            values = [{}] if letter == "w" else []
            _found, error = self.rpc(model, OPERATIONS[letter], [record], *values)
        if not error:
            return True
        # Past the rights wait other questions: of which company a record is, what it lacks.
        return not (
            (error["name"] == "AccessError" and "top-secret" not in error["message"])
            # Some models refuse everybody, before anybody's rights are asked for.
            or error["name"] == "UserError"
        )

    def test_without_logging_in(self):
        self.authenticate(None, None)
        for model in self.table:
            found, error = self.rpc(model, "search_read", [], ["id"], limit=1)
            with self.subTest(model):
                self.assertIsNone(found)
                self.assertEqual(error["name"], "SessionExpiredException")

    def test_no_right_hangs_on_a_group_outside_the_table(self):
        """Else the table would not tell all: each right belongs to a group that is a column."""
        rights = self.env["ir.model.access"].search(
            [("model_id.model", "in", sorted(self.our_models()))]
        )
        known = {self.env.ref(group) for group in GROUPS.values()}
        for right in rights:
            with self.subTest(right.name):
                self.assertIn(right.group_id, known)


@tagged("post_install", "-at_install")
class TestCompaniesApart(RpcCase):
    """Who has every right in one company has none in another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.everything = ",".join(f"{MODULE}.group_{role}" for role in (
            "preparer", "approver", "admin", "auditor"
        ))

    def ruled(self):
        """Models whose records belong to a company."""
        return {
            model
            for model in self.our_models() - COMMON
            if not self.env[model]._transient
        }

    def test_every_model_has_a_rule(self):
        """A model without a rule would show every company's records to all."""
        rules = self.env["ir.rule"].search([("groups", "=", False)])
        self.assertFalse(
            self.ruled() - set(rules.mapped("model_id.model")),
            "add a rule for the companies to security/rules.xml",
        )

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_another_company_does_not_exist(self):
        """By search, count, group, read, write, unlink and export: nothing is seen or done."""
        one_of_each(self)
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", self.everything, other)
        stranger.group_ids += self.env.ref("base.group_allow_export")
        records = {model: self.theirs(model) for model in self.ruled()}
        without = sorted(model for model, record in records.items() if not record)
        self.assertFalse(without, "make one record of each of these in tests/things.py")
        self.log_in(stranger)
        for model, record in sorted(records.items()):
            with self.subTest(model):
                only = [("id", "in", record.ids)]
                self.assertEqual(self.rpc(model, "search", only), ([], None))
                self.assertEqual(self.rpc(model, "search_count", only), (0, None))
                # As a sneak: with the other company in the context.
                context = {"allowed_company_ids": self.company.ids}
                found, error = self.rpc(model, "search", only, context=context)
                self.assertTrue(error or not found)
                for method, *args in (
                    ("read", ["display_name"]),
                    ("write", {}),
                    ("unlink",),
                    ("export_data", ["display_name"]),
                ):
                    _found, error = self.rpc(model, method, record.ids, *args)
                    self.assertIsNotNone(error, method)
                    # Some models refuse everybody, whosever the record is.
                    refusals = ("AccessError", "UserError")[: 1 + (method in ("write", "unlink"))]
                    self.assertIn(error["name"], refusals, (method, error))

    def theirs(self, model):
        records = self.env[model].sudo().with_context(active_test=False)
        for name in ("company_id", "company_number"):
            if name in records._fields:
                return records.search([(name, "=", self.company.id)], limit=1)
        return records.search([], limit=1, order="id desc")

    def test_branches(self):
        """A branch uses its head office's connection, and sees no other branch's payments."""
        one_of_each(self)
        branches = [
            self.env["res.company"].create({"name": name, "parent_id": self.company.id})
            for name in ("Branch One", "Branch Two")
        ]
        batch = self.env["bank.payment.batch"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        # Of the second branch, as its people would have made it.
        batch._engine().company_id = branches[1]
        message = self.message_of(batch)
        clerk = self.new_user("branch", self.everything, branches[0])
        self.log_in(clerk)
        self.assertEqual(
            self.rpc("bank.connection", "search", [("id", "=", self.connection.id)])[0],
            self.connection.ids,
        )
        for record in (batch, message, *batch.approval_ids[:1], *batch.step_ids[:1]):
            with self.subTest(record._name):
                self.assertEqual(
                    self.rpc(record._name, "search", [("id", "in", record.ids)]), ([], None)
                )
                _found, error = self.rpc(record._name, "read", record.ids, ["display_name"])
                self.assertEqual(error["name"], "AccessError")


