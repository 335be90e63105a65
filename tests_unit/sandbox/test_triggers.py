"""Every trigger account does what the guide says."""

import pytest

from sandbox.triggers import BY_NAME, TRIGGERS

REJECTS = [trigger for trigger in TRIGGERS if trigger.action == "reject"]


def send(customer, pain001, iban, name, country="FR", **more):
    customer.documents()
    customer.send(pain001(customer.iban, [(name, iban(country, name), "100.00")], **more).bytes())
    return customer.documents("pain.002")[-1]


@pytest.mark.parametrize("trigger", REJECTS, ids=lambda trigger: trigger.name)
def test_a_rejecting_account_gives_its_reason_and_moves_no_money(
        shared_customer, pain001, iban, trigger):
    before = shared_customer.bank.balance(shared_customer.iban)
    report = send(shared_customer, pain001, iban, trigger.name)
    assert report.one("//TxInfAndSts/TxSts") == "RJCT"
    assert report.one("//TxInfAndSts/StsRsnInf/Rsn/Cd") == trigger.reason
    assert report.one("//TxInfAndSts/StsRsnInf/AddtlInf") == trigger.text
    assert shared_customer.bank.balance(shared_customer.iban) == before
    assert not shared_customer.documents("camt.054")


def test_the_reasons_are_those_of_the_guide():
    assert {trigger.name: trigger.reason for trigger in TRIGGERS} == {
        "closed": "AC04", "wrong": "AC01", "blocked": "AC06", "deceased": "MD07",
        "insufficient": "AM04", "pending": None, "returned": "AC04", "late-return": "MS03",
        "slow": None, "charges": None, "regulatory": "RR04", "forbidden": "AG01",
        "name-mismatch": "BE01"}
    assert len(BY_NAME) == len(TRIGGERS)


def test_a_pending_payment_waits_until_it_is_released(bank, customer, pain001, iban):
    assert send(customer, pain001, iban, "pending").one("//TxSts") == "PDNG"
    bank.advance(advance="7d")
    payment = bank.payments()["pending"]
    assert (payment["status"], payment["executed"]) == ("PDNG", 0)
    released = bank.desk("POST", f"/admin/payments/{payment['id']}/release", json={})
    assert (released["status"], released["executed"]) == ("ACSC", 1)
    assert customer.documents("pain.002")[-1].one("//TxSts") == "ACSC"
    bank.desk("POST", f"/admin/payments/{payment['id']}/release", expect=400, json={})
    assert bank.payments()["pending"]["executed"] == 1


def test_a_pending_payment_can_be_rejected_instead(bank, customer, pain001, iban):
    send(customer, pain001, iban, "pending")
    number = bank.payments()["pending"]["id"]
    bank.desk("POST", f"/admin/payments/{number}/release",
              json={"outcome": "reject", "reason": "AC06"})
    report = customer.documents("pain.002")[-1]
    assert (report.one("//TxSts"), report.one("//StsRsnInf/Rsn/Cd")) == ("RJCT", "AC06")
    assert bank.balance(customer.iban) == "100000.00"


@pytest.mark.parametrize(("name", "reason", "day"), [
    ("returned", "AC04", "2026-11-24"), ("late-return", "MS03", "2026-12-07")])
def test_a_returned_payment_comes_back_as_a_credit_with_its_reason(
        bank, customer, pain001, iban, name, reason, day):
    """It is executed first; the return is an entry of its own on its own day."""
    assert send(customer, pain001, iban, name).one("//TxSts") == "ACSC"
    assert bank.balance(customer.iban) == "99900.00"
    bank.advance(advance_to=f"{day}T07:59:59")
    assert bank.payments()[name]["returned"] == 0
    bank.advance(advance_to=f"{day}T08:00:00")
    assert bank.balance(customer.iban) == "100000.00"
    notice = customer.documents("camt.054")[-1]
    assert notice.one("//Ntry/CdtDbtInd") == "CRDT"
    assert notice.one("//Ntry/BookgDt/Dt") == day
    assert notice.one("//RtrInf/Rsn/Cd") == reason
    assert notice.one("//TxDtls/Refs/EndToEndId") == name
    assert notice.one("//Ntry/BkTxCd/Domn/Fmly/SubFmlyCd") == "RRTN"
    found = bank.desk("GET", f"/admin/executions/{name}")
    assert (found["executed"], found["returned"]) == (1, 1)
    assert bank.payments()[name]["status"] == "ACSC"


def test_a_slow_payment_is_executed_one_business_day_later(bank, customer, pain001, iban):
    assert send(customer, pain001, iban, "slow").one("//TxSts") == "ACSP"
    assert bank.balance(customer.iban) == "100000.00"
    bank.advance(advance_to="2026-11-24T08:00:00")
    assert bank.balance(customer.iban) == "99900.00"
    assert customer.documents("pain.002")[-1].one("//TxSts") == "ACSC"


def test_charges_are_added_to_the_entry_and_shown(bank, customer, pain001, iban):
    send(customer, pain001, iban, "charges")
    notice = customer.documents("camt.054")[-1]
    assert notice.one("//Ntry/Amt") == "102.50"
    assert notice.one("//AmtDtls/InstdAmt/Amt") == "100.00"
    assert notice.one("//Chrgs/Rcrd/Amt") == "2.50"
    assert bank.balance(customer.iban) == "99897.50"


@pytest.mark.parametrize("country", ["DE", "FR", "FI", "NL", "BE", "ES", "IT", "AT", "GB", "PL"])
def test_a_trigger_works_in_the_ibans_of_every_country(shared_customer, pain001, iban, country):
    report = send(shared_customer, pain001, iban, "closed", country)
    assert report.one("//StsRsnInf/Rsn/Cd") == "AC04"
