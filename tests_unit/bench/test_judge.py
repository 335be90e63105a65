"""The judge of ``bin/bench faults`` must see every double, loss and difference."""

import copy
from decimal import Decimal

import pytest

from bench.faults.judge import Judge
from bench.faults.stage import CONTRACT

IBAN = "DE97900900420000000002"
GOOD = {
    # id, end-to-end id, amount, status, booked, returned, batch, name, state, approved
    "FROM account_payment payment": [
        (1, "B1-1", Decimal("10.00"), "ACSC", True, False, 7, "BATCH/1", "settled", True),
        (2, "B1-2", Decimal("20.00"), "RJCT", False, False, 7, "BATCH/1", "settled", True),
        (3, "B1-3", Decimal("30.00"), "ACSC", True, True, 7, "BATCH/1", "settled", True),
    ],
    "FROM bank_payment_instalment": [
        (11, 1, Decimal("10.00")), (12, 2, Decimal("20.00")), (13, 3, Decimal("30.00")),
    ],
    "journal.type = 'cash'": [(14, Decimal("40.00"))],
    "move_type = 'in_invoice'": [
        (11, "BILL/1", Decimal("10.00"), Decimal("0.00"), "paid"),
        (12, "BILL/2", Decimal("20.00"), Decimal("20.00"), "not_paid"),
        (13, "BILL/3", Decimal("30.00"), Decimal("30.00"), "not_paid"),
        (14, "BILL/4", Decimal("40.00"), Decimal("0.00"), "paid"),
    ],
    "SELECT name, direction": [
        ("B1.xml", "out", "delivered", "key-1", "digest-1", None),
        ("PSR.xml", "in", "processed", None, "digest-2", None),
    ],
    "SELECT remote_id": [("D1", "digest-2")],
    "FROM account_journal": [(IBAN, Decimal("90.00")), ("DE2", Decimal("5.00"))],
}
BANK = {
    "payments": {"payments": [
        {"endToEndId": "B1-1", "amount": "10.00", "status": "ACSC", "executed": 1, "returned": 0},
        {"endToEndId": "B1-2", "amount": "20.00", "status": "RJCT", "executed": 0, "returned": 0},
        {"endToEndId": "B1-3", "amount": "30.00", "status": "ACSC", "executed": 1, "returned": 1},
    ]},
    "submissions": {"submissions": [
        {"key": "key-1", "sha256": "digest-1", "messageId": "B1", "status": "PART"}]},
    "documents": {"documents": [
        {"id": "D1", "contract": CONTRACT, "kind": "pain.002", "name": "PSR", "sha256": "digest-2"},
        {"id": "D2", "contract": CONTRACT, "kind": "camt.052", "name": "R", "sha256": "unread"},
    ]},
    "ledger": {"balanced": True, "faults": [], "accounts": [
        {"iban": IBAN, "balance": "90.00"}, {"iban": "DE2", "balance": "5.00"},
        {"iban": None, "balance": "1.00"}]},
}


class FakeStage:
    """Answers each query by a part of its text."""

    def __init__(self, odoo):
        self.odoo = odoo

    def rows(self, statement, values=()):
        (found,) = [rows for part, rows in self.odoo.items() if part in statement]
        return found


def judged(change=None, approved=(7,)):
    odoo, bank = copy.deepcopy(GOOD), copy.deepcopy(BANK)
    if change:
        change(odoo, bank)
    judge = Judge(FakeStage(odoo), set(approved))
    judge._bank = lambda what: bank[what]
    return judge.judge()


def test_what_is_right_is_found_right():
    verdict = judged()
    assert verdict.good, (verdict.doubles, verdict.losses, verdict.faults)
    assert verdict.counts["payments approved"] == 3
    assert verdict.counts["bills paid by hand"] == 1


def executed_twice(odoo, bank):
    bank["payments"]["payments"][0]["executed"] = 2


def taken_twice(odoo, bank):
    """The same payment in two files that the bank took: each executed once."""
    bank["payments"]["payments"].append(dict(bank["payments"]["payments"][0]))


def by_hand_too(odoo, bank):
    odoo["journal.type = 'cash'"].append((11, Decimal("10.00")))


def two_payments_of_a_bill(odoo, bank):
    odoo["FROM bank_payment_instalment"].append((11, 2, Decimal("10.00")))
    bank["payments"]["payments"][1] |= {"executed": 1, "status": "ACSC"}


def message_twice(odoo, bank):
    bank["submissions"]["submissions"] *= 2


@pytest.mark.parametrize("change", [
    executed_twice, taken_twice, by_hand_too, two_payments_of_a_bill, message_twice])
def test_a_double_is_seen(change):
    assert judged(change).doubles


def never_arrived(odoo, bank):
    del bank["payments"]["payments"][0]


def never_executed(odoo, bank):
    bank["payments"]["payments"][0] |= {"executed": 0, "status": "ACCP"}


def still_queued(odoo, bank):
    odoo["SELECT name, direction"].append(("B2.xml", "out", "queued", "k", "d", "later"))


def document_not_fetched(odoo, bank):
    odoo["SELECT remote_id"].clear()


def document_altered(odoo, bank):
    bank["documents"]["documents"][0]["sha256"] = "another"


@pytest.mark.parametrize("change", [
    never_arrived, never_executed, still_queued, document_not_fetched, document_altered])
def test_a_loss_is_seen(change):
    assert judged(change).losses


def test_an_approval_that_was_told_and_is_gone_is_a_loss():
    assert judged(approved=(7, 8)).losses


def not_approved(odoo, bank):
    rows = odoo["FROM account_payment payment"]
    rows[0] = (*rows[0][:9], False)


def another_amount(odoo, bank):
    bank["payments"]["payments"][0]["amount"] = "10.01"


def another_status(odoo, bank):
    rows = odoo["FROM account_payment payment"]
    rows[1] = (*rows[1][:3], "ACSC", *rows[1][4:])


def not_booked(odoo, bank):
    rows = odoo["FROM account_payment payment"]
    rows[0] = (*rows[0][:4], False, *rows[0][5:])


def return_not_seen(odoo, bank):
    rows = odoo["FROM account_payment payment"]
    rows[2] = (*rows[2][:5], False, *rows[2][6:])


def bill_closed(odoo, bank):
    odoo["move_type = 'in_invoice'"][1] = (12, "BILL/2", Decimal("20"), Decimal("0"), "paid")


def uncertain(odoo, bank):
    odoo["SELECT name, direction"].append(("B2.xml", "out", "uncertain", "k", "d", "no answer"))


def quarantined(odoo, bank):
    odoo["SELECT name, direction"].append(("X.xml", "in", "quarantined", None, "d", "why"))


def other_bytes(odoo, bank):
    bank["submissions"]["submissions"][0]["sha256"] = "other"


def unknown_payment(odoo, bank):
    bank["payments"]["payments"].append(
        {"endToEndId": "X", "amount": "1.00", "status": "ACSC", "executed": 1, "returned": 0})


def a_cent(odoo, bank):
    odoo["FROM account_journal"][0] = (IBAN, Decimal("90.01"))


def unbalanced(odoo, bank):
    bank["ledger"]["balanced"] = False


@pytest.mark.parametrize("change", [
    not_approved, another_amount, another_status, not_booked, return_not_seen, bill_closed,
    uncertain, quarantined, other_bytes, unknown_payment, a_cent, unbalanced])
def test_a_difference_is_seen(change):
    assert judged(change).faults
