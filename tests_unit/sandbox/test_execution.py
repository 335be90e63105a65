"""When and how payments are executed, booked and cancelled."""

import pytest

SEPA = "/v1/bulk-payments/pain.001-sepa-credit-transfers"


def test_after_the_cut_off_it_is_the_next_business_day(bank, customer, pain001, iban):
    """Friday, five past four: executed on Monday at opening."""
    bank.advance(advance_to="2026-11-27T16:05:00")
    customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")]).bytes())
    assert bank.payments()["A"]["executionDate"] == "2026-11-30"
    bank.advance(advance_to="2026-11-30T07:59:00")
    assert bank.payments()["A"]["executed"] == 0
    bank.advance(advance_to="2026-11-30T08:00:00")
    assert bank.payments()["A"]["executed"] == 1


def test_an_instant_payment_knows_no_cut_off(bank, customer, pain001, iban):
    bank.advance(advance_to="2026-11-28T22:00:00")
    customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")]).bytes(),
                  product="pain.001-instant-sepa-credit-transfers")
    assert bank.payments()["A"]["status"] == "ACSC"
    notice = customer.documents("camt.054")[-1]
    assert notice.one("//Ntry/BookgDt/Dt") == "2026-11-30"
    assert notice.one("//Ntry/BkTxCd/Domn/Fmly/Cd") == "IRCT"


def test_a_dated_payment_waits_and_can_be_cancelled(bank, customer, pain001, iban):
    payment_id = customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")],
                                       date="2026-12-01", version="09").bytes())
    status = f"{SEPA}/{payment_id}/status"
    assert customer.request("GET", status).json()["transactionStatus"] == "ACCP"
    assert customer.request("DELETE", f"{SEPA}/{payment_id}").status_code == 204
    assert customer.request("DELETE", f"{SEPA}/{payment_id}").status_code == 204
    assert customer.request("GET", status).json()["transactionStatus"] == "CANC"
    assert customer.documents("pain.002")[-1].one("//TxSts") == "CANC"
    bank.advance(advance_to="2026-12-02T08:00:00")
    assert bank.payments()["A"]["executed"] == 0
    assert bank.balance(customer.iban) == "100000.00"


def test_what_is_executed_cannot_be_cancelled(bank, customer, pain001, iban):
    payment_id = customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")]).bytes())
    answer = customer.request("DELETE", f"{SEPA}/{payment_id}")
    assert answer.status_code == 405
    assert answer.json()["tppMessages"][0]["code"] == "CANCELLATION_INVALID"


def test_funds_run_out_in_the_order_of_the_file(bank, enrol, pain001, iban):
    customer = enrol(bank, "CORP-POOR", (":EUR:250.00",))
    customer.send(pain001(customer.iban, [
        (f"P{n}", iban("DE", None, n), "100.00") for n in range(3)]).bytes())
    found = bank.payments()
    assert [found[f"P{n}"]["status"] for n in range(3)] == ["ACSC", "ACSC", "RJCT"]
    assert found["P2"]["reason"] == "AM04"
    assert bank.balance(customer.iban) == "50.00"


def test_a_batch_without_funds_is_rejected_whole(bank, enrol, pain001, iban):
    customer = enrol(bank, "CORP-POOR", (":EUR:250.00",))
    customer.send(pain001(customer.iban, [
        (f"P{n}", iban("DE", None, n), "100.00") for n in range(3)], batch=True).bytes())
    assert {item["reason"] for item in bank.payments().values()} == {"AM04"}
    assert bank.balance(customer.iban) == "250.00"


@pytest.mark.parametrize(("batch", "entries"), [(True, 1), (False, 3), (None, 3)])
def test_batch_booking_is_done_as_asked(bank, customer, pain001, iban, batch, entries):
    customer.send(pain001(customer.iban, [
        (f"P{n}", iban("DE", None, n), "10.00") for n in range(3)], batch=batch).bytes())
    notice, = customer.documents("camt.054")
    assert len(notice("//Ntry")) == entries
    assert len(notice("//TxDtls")) == 3
    if batch:
        assert notice.one("//Ntry/Amt") == "30.00"
        assert notice.one("//Btch/NbOfTxs") == "3"
        assert notice.one("//Btch/TtlAmt") == "30.00"


def test_a_payment_between_two_customers_reaches_the_other_account(bank, customer, enrol,
                                                                   pain001):
    other = enrol(bank, "CORP-002", (":EUR:0",))
    customer.send(pain001(customer.iban, [("IN-HOUSE", other.iban, "70.00")]).bytes())
    assert bank.balance(other.iban) == "70.00"
    notice, = other.documents("camt.054")
    assert notice.one("//Ntry/CdtDbtInd") == "CRDT"
    assert notice.one("//DbtrAcct/Id/IBAN") == customer.iban
    assert notice.one("//RmtInf/Ustrd") == "Invoice 4711"
    assert other.documents("pain.002") == []


def test_another_currency_is_exchanged_at_the_rate_that_is_shown(bank, customer, pain001, iban):
    customer.send(pain001(customer.iban, [("FX", iban("GB"), "110.00")],
                          currency="USD").bytes(),
                  product="pain.001-cross-border-credit-transfers")
    notice, = customer.documents("camt.054")
    assert notice.one("//Ntry/Amt") == "100.00"
    assert notice.one("//InstdAmt/Amt") == "110.00"
    assert notice.one("//CcyXchg/XchgRate").startswith("1.1")
    assert bank.ledger()["sums"] == {"EUR": "0.00", "USD": "0.00"}


def test_a_structured_reference_comes_back_as_it_went(bank, customer, pain001, iban):
    strd = ("<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>ISO</Issr></Tp>"
            "<Ref>RF18539007547034</Ref></CdtrRefInf></Strd>")
    customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")], remittance=strd,
                          version="09").bytes())
    notice, = customer.documents("camt.054")
    assert notice.one("//CdtrRefInf/Ref") == "RF18539007547034"
    assert notice.one("//CdtrRefInf/Tp/CdOrPrtry/Cd") == "SCOR"
    assert len(notice.one("//Refs/UETR")) == 36
