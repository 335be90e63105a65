"""The company that pays: users, vendors, a connection, and posted bills."""

from __future__ import annotations

import json
import os
import random
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import support.demo
from support.demo.api import Person
from support.demo.channels import Rest
from support.processes import ProcessError

from .stage import ACCOUNTS, CONTRACT, DATABASE, OPENING, Stage

PREPARER = "account_bank_connect.group_preparer"
APPROVER = "account_bank_connect.group_approver"
PEOPLE = {
    "anna": ("Anna Weber", [PREPARER]),
    "boris": ("Boris Klein", [PREPARER]),
    "marc": ("Marc Dubois", [APPROVER]),
    "mia": ("Mia Santos", [APPROVER]),
    "carla": ("Carla Rossi", ["account.group_account_user"]),
    "tessa": ("Tessa Lindqvist", ["account_bank_connect.group_admin"]),
}
BILLS = Path(__file__).with_name("bills_in_shell.py")
# What the bank does to payments to an account; a share of the vendors each.
TRIGGERS = {"": 40, "closed": 3, "wrong": 1, "slow": 2, "returned": 2}


@dataclass
class Company:
    """Ids in Odoo, and how to speak to it as each of the people."""

    found: dict
    bills: list[int]
    urls: list[str]

    def person(self, login: str, number: int) -> Person:
        """A user at one of the servers."""
        name, _groups = PEOPLE[login]
        return Person(self.urls[number % len(self.urls)], name, login, "",
                      self.found["keys"][login])


def found(stage: Stage, bills: int, day: date, seed: int, script: Path = BILLS) -> Company:
    """Lay the foundation and post the bills, with Odoo's own shell and no server running.

    :param script: what enters the bills
    """
    given, answer = stage.home / "given.json", stage.home / "found.json"
    _write(given, _given(stage))
    _write(answer, {})
    _shell(stage, "foundation", Path(support.demo.__file__).with_name("foundation.py"),
           {"DEMO_GIVEN": str(given), "DEMO_FOUND": str(answer)})
    laid = json.loads(answer.read_text())
    _write(given, _orders(bills, day, seed, sorted(laid["vendors"].values())))
    _shell(stage, "bills", script,
           {"BENCH_GIVEN": str(given), "BENCH_FOUND": str(answer)})
    made = json.loads(answer.read_text())
    given.unlink()
    answer.unlink()
    return Company({**laid, "cash": made["cash"]}, made["bills"], stage.urls)


def _given(stage: Stage) -> dict:
    contract = json.loads((stage.home / "customer" / "contract.json").read_text())
    customer = stage.home / "customer"
    return {
        "company": {"name": "Nordwind Instruments GmbH", "street": "Lindenstraße 12",
                    "zip": "10969", "city": "Berlin", "country": "DE"},
        "dollars_per_euro": "1.10",
        "key_days": 2,
        "admin_password": secrets.token_urlsafe(12),
        "people": {login: {"name": name, "groups": groups, "password": secrets.token_urlsafe(12)}
                   for login, (name, groups) in PEOPLE.items()},
        "confirming": "marc",
        "bank": contract["bank"],
        "connection": Rest(stage.home).connection(stage.bank, contract, customer),
        "accounts": [
            {"key": key, "journal": f"Account {key}", "code": f"EUR{number}", "currency": "EUR",
             "opening": OPENING, "booked": key == "main", "iban": account["iban"]}
            for number, (key, account) in enumerate(
                zip(ACCOUNTS, contract["accounts"], strict=True), 1)
        ],
        "vendors": _vendors(stage),
    }


def _vendors(stage: Stage) -> list[dict]:
    vendors = []
    for trigger, count in TRIGGERS.items():
        order = ["iban", "--country", "DE", "--count", str(count)]
        numbers = stage.bank.command(*order, *(["--trigger", trigger] if trigger else [])).split()
        vendors += [
            {"key": f"{trigger or 'plain'}-{index}", "name": f"Vendor {trigger} {index}".strip(),
             "street": f"Hafenstraße {index + 1}", "zip": "20459", "city": "Hamburg",
             "country": "DE", "trigger": trigger, "iban": number}
            for index, number in enumerate(numbers)
        ]
    return vendors


def _orders(bills: int, day: date, seed: int, vendors: list[int]) -> dict:
    chance = random.Random(f"bills {seed}")  # noqa: S311  (amounts, not secrets)
    return {
        "day": str(day),
        "bills": [{"vendor": chance.choice(vendors), "reference": f"F{seed}-{number:06d}",
                   "cents": chance.randrange(1_00, 900_00)} for number in range(bills)],
    }


def _shell(stage: Stage, what: str, script: Path, environment: dict[str, str]) -> None:
    log = stage.log(what)
    options, more = stage.shell
    code = stage.odoo.run(log, "shell", f"--database={DATABASE}", "--no-http", *options,
                          script=script, environment={**more, **environment}, within=3600)
    if code != 0 or not json.loads(Path(list(environment.values())[1]).read_text()):
        raise ProcessError(f"The company could not be set up in Odoo: see {log}")


def _write(path: Path, content: dict) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        json.dump(content, target)


__all__ = ["CONTRACT", "PEOPLE", "Company", "found"]
