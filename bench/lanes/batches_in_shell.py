"""Run in Odoo's shell: bills, each sent to the bank and approved as a batch of its own."""
# ruff: noqa: F821  (env is the shell's)

import json
import os
from pathlib import Path

from odoo import Command

given = json.loads(Path(os.environ["BENCH_GIVEN"]).read_text())
company = env.ref("base.main_company")
env = env(context={**env.context, "allowed_company_ids": company.ids, "tracking_disable": True})
expense = env["account.account"].search(
    [("account_type", "=", "expense"), ("company_ids", "in", company.id)], limit=1
)
moves = env["account.move"].create([
    {
        "move_type": "in_invoice", "partner_id": bill["vendor"], "invoice_date": given["day"],
        "date": given["day"], "ref": bill["reference"],
        "invoice_line_ids": [Command.create({
            "name": "Goods", "quantity": 1, "price_unit": bill["cents"] / 100,
            "account_id": expense.id, "tax_ids": [Command.clear()],
        })],
    }
    for bill in given["bills"]
])
moves.action_post()
people = {user.login: user for user in env["res.users"].search([])}
env["bank.connection"].search([]).state = "active"
for move in moves:
    wizard = env["bank.send.wizard"].with_user(people["anna"]).browse(
        move.with_user(people["anna"]).action_send_to_bank()["res_id"]
    )
    wizard.execution_date = given["day"]
    batch = env["bank.payment.batch"].search(wizard.action_send()["domain"])
    batch.with_user(people["marc"]).action_approve()
env.cr.commit()
Path(os.environ["BENCH_FOUND"]).write_text(json.dumps({"bills": moves.ids, "cash": 0}))
