"""Runs in Odoo's shell: a company in EUR with a connected account, vendors, and posted bills."""

import os

from odoo import Command

count = int(os.environ["BENCH_N"])
company = env.company
eur = env.ref("base.EUR")
eur.active = True
env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
company.currency_id = eur
germany = env.ref("base.de")
company.partner_id.write({"country_id": germany.id, "city": "Berlin", "zip": "10115"})


def iban(number):
    bban = f"37040044{number:010d}"
    return f"DE{98 - int(bban + '131400') % 97:02d}{bban}"


bank = env["res.bank"].create({"name": "Bank", "bic": "COBADEFFXXX"})
account = env["res.partner.bank"].create(
    {
        "acc_number": "DE89370400440532013000",
        "partner_id": company.partner_id.id,
        "bank_id": bank.id,
        "allow_out_payment": True,
    }
)
connection = env["bank.connection"].create(
    {
        "name": "Bank",
        "url": "https://localhost:1",
        "allow_private_address": True,
        "profile_id": env.ref("account_bank_connect.profile_sandbox").id,
    }
)
env.cr.execute("UPDATE bank_connection SET state = 'active'")
journal = env["account.journal"].search([("type", "=", "bank")], limit=1)
journal.write({"bank_account_id": account.id, "bank_connection_id": connection.id})
groups = ["group_preparer", "group_approver"]
for name in groups:
    approver = env["res.users"].create(
        {
            "name": name,
            "login": name,
            "group_ids": [Command.link(env.ref(f"account_bank_connect.{name}").id)],
        }
    )
expense = env["account.account"].search([("account_type", "=", "expense")], limit=1)
vendors = env["res.partner"].create(
    [
        {
            "name": f"Vendor {number}",
            "country_id": germany.id,
            "city": "Bonn",
            "bank_ids": [Command.create({"acc_number": iban(number)})],
        }
        for number in range(min(count, 500))
    ]
)
# This script entered the accounts, so it can't confirm them: the approver does.
vendors.bank_ids.bank_change_ids.with_user(approver).action_confirm("other", "For the benchmark.")
bills = env["account.move"].create(
    [
        {
            "move_type": "in_invoice",
            "partner_id": vendors[number].id,
            "invoice_date": "2026-01-05",
            "ref": f"INV-{number + 1:06d}",
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": "work",
                        "quantity": 1,
                        "tax_ids": False,
                        "price_unit": 100 + number / 100,
                        "account_id": expense.id,
                    }
                )
            ],
        }
        for number in range(len(vendors))
    ]
)
bills.action_post()
env.cr.commit()


def copy_rows(table, ids, own, **values):
    """Insert copies of rows; ``own``: SQL of the columns in which a copy differs."""
    statement = f"""
        INSERT INTO {table}
        SELECT copy.*
          FROM {table} row,
               jsonb_populate_record(NULL::{table}, to_jsonb(row) || jsonb_build_object({own})) copy
         WHERE row.id = ANY(%(ids)s)
        """  # noqa: S608 (names and SQL of this script)
    env.cr.execute(statement, {"ids": ids, **values})


# The other bills differ from these in their numbers only, and Odoo would post them for minutes.
items = bills.line_ids
for done in range(len(bills), count, len(bills)):
    values = {
        "by": done,
        "moves": done // len(bills) * (max(bills.ids) - min(bills.ids) + 1),
        "items": done // len(bills) * (max(items.ids) - min(items.ids) + 1),
    }
    chosen = bills.sorted("id")[: count - done]
    number = "row.sequence_number + %(by)s"
    # Four digits, or more.
    name = f"row.sequence_prefix || to_char({number}, 'FM9999990000')"
    copy_rows(
        "account_move",
        chosen.ids,
        f"""
        'id', row.id + %(moves)s, 'name', {name}, 'payment_reference', NULL,
        'sequence_number', {number}, 'ref', 'INV-' || to_char({number}, 'FM9999000000')
        """,
        **values,
    )
    copy_rows(
        "account_move_line",
        chosen.line_ids.ids,
        """
        'id', row.id + %(items)s, 'move_id', row.move_id + %(moves)s,
        'move_name', (SELECT name FROM account_move WHERE id = row.move_id + %(moves)s),
        'ref', (SELECT ref FROM account_move WHERE id = row.move_id + %(moves)s)
        """,
        **values,
    )
for table in ("account_move", "account_move_line"):
    env.cr.execute(
        f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"  # noqa: S608
    )
env.cr.execute("SELECT count(*) FROM account_move WHERE move_type = 'in_invoice'")
assert env.cr.fetchone()[0] == count
env.cr.execute("ANALYZE")
env.cr.commit()
print("BENCH {}")
