"""Run in Odoo's shell: enter and post the vendor bills that a JSON file lists."""
# ruff: noqa: F821  (env is the shell's)

import json
import os
from pathlib import Path

from odoo import Command

given = json.loads(Path(os.environ["BENCH_GIVEN"]).read_text())
company = env.ref("base.main_company")
env = env(context={
    **env.context, "allowed_company_ids": company.ids, "tracking_disable": True,
    "mail_create_nolog": True, "mail_create_nosubscribe": True,
})
expense = env["account.account"].search(
    [("account_type", "=", "expense"), ("company_ids", "in", company.id)], limit=1
)
cash = env["account.journal"].search([("type", "=", "cash")], limit=1)
cash = cash or env["account.journal"].create({"name": "Cash", "code": "CSH9", "type": "cash"})
made = []
for start in range(0, len(given["bills"]), 250):
    moves = env["account.move"].create([
        {
            "move_type": "in_invoice", "partner_id": bill["vendor"], "invoice_date": given["day"],
            "date": given["day"], "ref": bill["reference"],
            "invoice_line_ids": [Command.create({
                "name": "Goods", "quantity": 1, "price_unit": bill["cents"] / 100,
                "account_id": expense.id, "tax_ids": [Command.clear()],
            })],
        }
        for bill in given["bills"][start:start + 250]
    ])
    moves.action_post()
    made += moves.ids
    env.cr.commit()
    env.invalidate_all()
Path(os.environ["BENCH_FOUND"]).write_text(json.dumps({"bills": made, "cash": cash.id}))
