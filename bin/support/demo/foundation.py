"""Run in Odoo's shell: the company, its accounts, people, vendors and connection.

What is there already is left alone, so that it can run again. Reads and writes JSON files that
the environment names; see ``stage.py`` for what is in them.
"""
# ruff: noqa: F821  (env is the shell's)

import datetime
import json
import os
from pathlib import Path

from odoo import Command, fields

given = json.loads(Path(os.environ["DEMO_GIVEN"]).read_text())
company = env.ref("base.main_company")
env = env(context={**env.context, "allowed_company_ids": company.ids, "tracking_disable": True})
company = company.with_env(env)


def find_or_make(model, domain, values):
    found = env[model].with_context(active_test=False).search(domain, limit=1)
    return found or env[model].create(values)


def country(code):
    return env.ref(f"base.{code.lower()}" if code != "GB" else "base.uk")


# -- company ------------------------------------------------------------------------------------
euro, dollar = env.ref("base.EUR"), env.ref("base.USD")
(euro + dollar).active = True
if company.name != given["company"]["name"]:
    company.partner_id.country_id = country(given["company"]["country"])
    if not company.chart_template:
        template = env["account.chart.template"]
        template.try_loading("generic_coa", company=company, install_demo=False)
    company.currency_id = euro
    company.write({key: given["company"][key] for key in ("street", "zip", "city", "name")})
find_or_make(
    "res.currency.rate",
    [("currency_id", "=", dollar.id), ("company_id", "=", company.id)],
    {"currency_id": dollar.id, "company_id": company.id, "name": "2020-01-01",
     "rate": float(given["dollars_per_euro"])},
)
# Nothing of the demo is to speak to the world.
for name in ("mail.ir_cron_module_update_notification", "mail.ir_cron_mail_scheduler_action"):
    if cron := env.ref(name, raise_if_not_found=False):
        cron.active = False

# -- people -------------------------------------------------------------------------------------
env.ref("base.user_admin").write({"password": given["admin_password"], "tz": "UTC"})
groups = ["base.group_user", "base.group_multi_currency"]
keys = {}
for login, person in given["people"].items():
    user = find_or_make(
        "res.users",
        [("login", "=", login)],
        {
            "name": person["name"], "login": login, "tz": "UTC",
            "email": f"{login}@example.com", "notification_type": "inbox",
            "group_ids": [
                Command.link(env.ref(name).id) for name in [*groups, *person["groups"]]
            ],
        },
    )
    user.password = person["password"]
    env["res.users.apikeys"].search([("user_id", "=", user.id)])._remove()
    # sudo: a key that lasts longer than a user could give to himself.
    keys[login] = env["res.users.apikeys"].with_user(user).sudo()._generate(
        "rpc", "bin/demo", fields.Datetime.now() + datetime.timedelta(days=given["key_days"])
    )

# -- connection ---------------------------------------------------------------------------------
bank = find_or_make(
    "res.bank", [("bic", "=", given["bank"]["bic"])],
    {"name": given["bank"]["name"], "bic": given["bank"]["bic"]},
)
connection = env["bank.connection"].search([("company_id", "=", company.id)], limit=1)
if not connection:
    line = given["connection"]
    certificates = {
        field: env["certificate.certificate"]._bank_create(
            Path(certificate).read_bytes(), Path(key).read_bytes(),
            name="Sandbox bank", company=company,
        ).id
        for field, (certificate, key) in line["certificates"].items()
    }
    connection = env["bank.connection"].create(
        {
            "name": "Sandbox bank",
            "profile_id": env.ref(line["profile"]).id,
            **line["values"],
            **{field: Path(file).read_text() for field, file in line["texts"].items()},
            **certificates,
        }
    )

# -- accounts -----------------------------------------------------------------------------------
equity = env["account.account"].search(
    [("account_type", "=", "equity"), ("company_ids", "in", company.id)], limit=1
)
miscellaneous = env["account.journal"].search(
    [("type", "=", "general"), ("company_id", "=", company.id)], limit=1
)
unused = env["account.journal"].search([("type", "=", "bank"), ("code", "=", "BNK1")])
journals, openings = {}, {}
for account in given["accounts"]:
    currency = env.ref(f"base.{account['currency']}")
    journal = env["account.journal"].search([("code", "=", account["code"])], limit=1)
    if not journal:
        values = {
            "name": account["journal"], "code": account["code"], "type": "bank",
            "currency_id": currency.id if currency != company.currency_id else False,
            "company_id": company.id,
        }
        if unused:
            unused.write({"name": values["name"], "code": values["code"]})
            journal, unused = unused, unused.browse()
        else:
            journal = env["account.journal"].create(values)
        journal.write(
            {
                "bank_account_id": find_or_make(
                    "res.partner.bank", [("acc_number", "=", account["iban"])],
                    {"acc_number": account["iban"], "partner_id": company.partner_id.id,
                     "bank_id": bank.id, "allow_out_payment": True},
                ).id,
                "bank_statements_source": "bank_connect",
                "bank_connection_id": connection.id,
            }
        )
        if not account["booked"]:
            journal._bank_method_line().payment_account_id = False
    label = f"Opening balance of {account['iban']}"
    opening = env["account.move"].search([("ref", "=", label)], limit=1)
    if not opening:
        amount = currency.round(float(account["opening"]))
        today = datetime.date.today()
        balance = currency._convert(amount, company.currency_id, company, today)
        shared = {"name": label, "currency_id": currency.id}
        opening = env["account.move"].create(
            {
                "move_type": "entry", "journal_id": miscellaneous.id, "ref": label, "date": today,
                "line_ids": [
                    Command.create({**shared, "account_id": journal.default_account_id.id,
                                    "balance": balance, "amount_currency": amount}),
                    Command.create({**shared, "account_id": equity.id,
                                    "balance": -balance, "amount_currency": -amount}),
                ],
            }
        )
        opening.action_post()
    journals[account["key"]] = journal.id
    openings[account["key"]] = opening.id

# -- vendors ------------------------------------------------------------------------------------
net = env.ref("account.account_payment_term_30days")
early = find_or_make(
    "account.payment.term", [("name", "=", "30 days, 2 % within 10")],
    {
        "name": "30 days, 2 % within 10", "early_discount": True, "discount_percentage": 2,
        "discount_days": 10,
        "line_ids": [Command.create(
            {"value": "percent", "value_amount": 100, "delay_type": "days_after", "nb_days": 30}
        )],
    },
)
vendors = {}
for vendor in given["vendors"]:
    partner = env["res.partner"].search([("ref", "=", vendor["key"])], limit=1)
    if not partner:
        partner = env["res.partner"].create(
            {
                "ref": vendor["key"], "name": vendor["name"], "is_company": True,
                "email": f"accounts@{vendor['key']}.example",
                "street": vendor["street"], "zip": vendor["zip"], "city": vendor["city"],
                "country_id": country(vendor["country"]).id, "supplier_rank": 1,
                "property_supplier_payment_term_id": net.id,
                "bank_ids": [Command.create({"acc_number": vendor["iban"]})],
            }
        )
    if not partner.email:  # of an earlier version of the demo
        partner.email = f"accounts@{vendor['key']}.example"
    vendors[vendor["key"]] = partner.id
# This script entered the accounts, so it can't confirm them: the manager does.
accounts = env["res.partner"].browse(vendors.values()).bank_ids
pending = accounts.bank_change_ids.filtered(lambda change: change.state == "pending")
if pending:
    pending.with_user(
        env["res.users"].search([("login", "=", given["confirming"])])
    ).action_confirm("document", "Compared with the vendors' contracts.")

env.cr.commit()
Path(os.environ["DEMO_FOUND"]).write_text(
    json.dumps(
        {
            "company": company.id, "connection": connection.id, "journals": journals,
            "openings": openings, "vendors": vendors, "keys": keys, "net_term": net.id,
            "discount_term": early.id,
            "currencies": {"EUR": euro.id, "USD": dollar.id},
        }
    )
)
