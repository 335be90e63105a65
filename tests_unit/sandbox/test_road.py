"""The whole road: a file in, statuses, bookings and statements out."""

from decimal import Decimal


def test_a_file_is_paid_reported_and_stated(bank, customer, pain001, iban):
    """A pain.001 is acknowledged, executed, advised and shown in the day's statement."""
    transfers = [(f"E2E-{n}", iban("FR", None, n), f"{n}00.10") for n in (1, 2, 3)]
    message = pain001(customer.iban, transfers)
    payment_id = customer.send(message.bytes())

    accepted, settled = customer.documents("pain.002")
    assert accepted.name == settled.name == "pain.002.001.03"
    assert accepted.one("//GrpSts") == "ACCP"
    assert settled.one("//GrpSts") == "ACSC"
    assert settled.one("//OrgnlMsgId") == message.message_id
    assert settled.texts("//TxInfAndSts/TxSts") == ["ACSC"] * 3
    assert settled.texts("//OrgnlEndToEndId") == ["E2E-1", "E2E-2", "E2E-3"]
    status = customer.request(
        "GET", f"/v1/bulk-payments/pain.001-sepa-credit-transfers/{payment_id}/status")
    assert status.json() == {"transactionStatus": "ACSC"}

    (advice,) = customer.documents("camt.054")
    assert advice.texts("//Ntry/CdtDbtInd") == ["DBIT"] * 3

    bank.advance(end_of_day=True)
    (statement,) = customer.documents("camt.053")
    assert statement.texts("//Ntry/Amt") == ["100.10", "200.10", "300.10"]
    assert statement.texts("//TxDtls/RmtInf/Ustrd") == ["Invoice 4711"] * 3
    assert set(statement.texts("//Ntry/AcctSvcrRef")) == set(advice.texts("//Ntry/AcctSvcrRef"))
    assert Decimal(bank.balance(customer.iban)) == Decimal("99399.70")
    for reference, _iban, _amount in transfers:
        assert bank.desk("GET", f"/admin/executions/{reference}")["executed"] == 1
