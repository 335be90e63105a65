"""Runs in Odoo's shell: N posted bills to an approved batch, posted payments and a message."""

import os
import sys

from lxml import etree

sys.path.insert(0, os.environ["BENCH_FOLDER"])
from meter import Meter

count = int(os.environ["BENCH_N"])
journal = env["account.journal"].search([("bank_connection_id", "!=", False)])
if os.environ["BENCH_MODE"] == "unbooked":
    journal._bank_method_line().payment_account_id = False
preparer = env.ref("account_bank_connect.group_preparer").user_ids.filtered(
    lambda user: user.login == "group_preparer"
)
approver = env["res.users"].search([("login", "=", "group_approver")])
bills = env["account.move"].search(
    [("move_type", "=", "in_invoice"), ("payment_state", "=", "not_paid")],
    order="id",
    limit=count,
)
assert len(bills) == count

with Meter(env) as meter:
    action = bills.with_user(preparer).action_send_to_bank()
    wizard = env["bank.send.wizard"].with_user(preparer).browse(action["res_id"])
    assert not wizard.problem_count, wizard.line_ids.filtered("problem")[0].problem
    batches = env["bank.payment.batch"].search(wizard.action_send()["domain"])
    env.cr.commit()  # somebody else approves, in a request of their own
    batches.with_user(approver).action_approve()

# One for each batch: a bank takes so many payments at once.
messages = batches.message_ids_bank
assert len(messages) == len(batches) and set(messages.mapped("state")) == {"queued"}
assert len(batches.payment_ids) == count
assert set(batches.payment_ids.mapped("state")) == {"in_process"}
assert set(bills.mapped("payment_state")) == {"in_payment"}
originals = [etree.fromstring(message._raw()) for message in messages]


def floor():
    """The same documents, element by element, by lxml alone."""
    size = 0
    for original in originals:
        root = etree.Element(original.tag, nsmap=original.nsmap)
        ways = [(original, root)]
        for element, copy in ways:
            copy.text = element.text
            for child in element:
                ways.append((child, etree.SubElement(copy, child.tag, child.attrib)))
        size += len(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
    assert size > 300 * count


meter.tell(floor)
