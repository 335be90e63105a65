import inspect

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MODULE
from .test_access_matrix import RpcCase
from .things import one_of_each

# What nobody without a right may move: table → the columns that say how it stands.
STANDING = {
    "bank_payment_batch": "id, state, seal, approval_count, sealed_by_id",
    "bank_message": "id, state, attempts, sha256",
    "bank_approval": "id, decision",
    "bank_approval_rule": "id, active, amount_from, amount_below, step_up",
    "bank_approval_substitute": "id, active, date_to",
    "bank_connection": "id, state, url, bank_stopped, certificate_id, webhook_token",
    "bank_resolution": "id, state",
    "bank_account_change": "id, state",
    "bank_security_finding": "id, state",
    "bank_discrepancy": "id, state, owner_id, reason",
    "bank_debit_known": "id, active, state",
    "bank_reconciliation": "id, state, digest, taken_on",
    "bank_monitor_token": "id, name",
    "res_partner_bank": "id, acc_number, bank_trust, allow_out_payment",
    "res_company": "id, bank_stopped, bank_account_control, bank_step_up",
    "account_payment": "id, state, amount, bank_status, bank_batch_id",
}
# What a button may ask for beside its records.
ANSWERS = {"method": "call", "verdict": "resend", "reason": "I say so.", "note": "I say so."}


@tagged("post_install", "-at_install")
class TestEveryButton(RpcCase):
    """What stands behind a button is called by RPC, by people to whom no button is shown."""

    def setUp(self):
        super().setUp()
        one_of_each(self)
        self.waiting = self.prepare(self.new_bill(300))

    def buttons(self):
        """(model, method, arguments) of each button of this module, on records that exist."""
        for model in sorted(self.our_models() | {
            "account.journal", "account.move", "account.payment", "res.company", "res.partner.bank",
        }):
            for name in dir(type(self.env[model])):
                method = getattr(type(self.env[model]), name)
                if not name.startswith("action_") or MODULE not in getattr(
                    inspect.unwrap(method), "__module__", ""
                ):
                    continue
                records = self.records_of(model)
                required = [
                    parameter.name
                    for parameter in list(inspect.signature(method).parameters.values())[1:]
                    if parameter.default is parameter.empty
                    and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                ]
                answers = [ANSWERS.get(each, records[:1]) for each in required]
                api_model = getattr(method, "_api_model", False)
                for number in records or [0]:
                    yield model, name, answers if api_model else [[number], *answers]

    def records_of(self, model):
        if model == "bank.payment.batch":
            return self.waiting.ids + self.env[model].search([("state", "!=", "to_approve")]).ids
        if model == "res.company":
            return self.company.ids
        if self.env[model]._transient:
            return []
        return self.env[model].sudo().search([], limit=2, order="id desc").ids

    def standing(self):
        self.env.flush_all()
        found = {}
        for table, columns in STANDING.items():
            self.env.cr.execute(f"SELECT {columns} FROM {table} ORDER BY id")
            found[table] = self.env.cr.fetchall()
        return found

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_rule")
    def test_nothing_moves_for_those_who_have_no_right(self):
        """Employees, customers, clerks, readers and auditors press everything."""
        buttons = list(self.buttons())
        self.assertGreater(len({button[:2] for button in buttons}), 50)
        before = self.standing()
        pressed = 0
        for user in (
            self.outsider,
            self.clerk,
            self.new_user("reader", "account.group_account_readonly"),
            self.new_user("customer", "base.group_portal"),
            self.auditor,
        ):
            self.log_in(user)
            for model, name, arguments in buttons:
                # An auditor reviews, verifies and accepts findings: that is theirs to do.
                if user == self.auditor and name in (
                    "action_accept", "action_review", "action_verify_now"
                ):
                    continue
                self.rpc(model, name, *arguments)
                pressed += 1
            after = self.standing()
            for table, rows in before.items():
                self.assertEqual(after[table], rows, f"{user.name} moved something in {table}")
        self.assertGreater(pressed, 250)

    @mute_logger("odoo.http")
    def test_a_preparer_with_two_sessions(self):
        """Logging in once more, or elsewhere, makes no second person."""
        for _session in range(2):
            self.log_in(self.preparer)
            for name, *arguments in (("action_approve",), ("action_reject", "Not that one.")):
                found, error = self.rpc(
                    "bank.payment.batch", name, self.waiting.ids, *arguments
                )
                self.assertIsNone(found)
                self.assertEqual(error["name"], "AccessError")
        self.assertEqual(self.waiting.state, "to_approve")
        self.assertFalse(self.waiting.approval_ids)

    @mute_logger("odoo.http")
    def test_two_approvers_one_after_the_other(self):
        """Who comes second is told so; the batch leaves once."""
        second = self.new_user("second", f"{MODULE}.group_approver")
        answers = []
        for user in (self.approver, second):
            self.log_in(user)
            answers.append(self.rpc("bank.payment.batch", "action_approve", self.waiting.ids))
        self.assertIsNone(answers[0][1])
        self.assertEqual(answers[1][1]["name"], "UserError")
        self.env.invalidate_all()
        self.assertEqual(self.waiting.state, "approved")
        self.assertEqual(len(self.waiting.message_ids_bank), 1)
        self.assertEqual(self.waiting.approval_ids.user_id, self.approver)
