"""What a file must be: refused at the door, or answered by a pain.002."""

import http.client
import ssl
import uuid

import pytest


@pytest.mark.parametrize("body", [
    b"", b"hello", b"<a><b></a>", b'{"amount": 1}',
    b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
    b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    "<a>ü</a>".encode("utf-16"),
    b"<a>\xff</a>",
    b"<a>" * 5000 + b"</a>" * 5000,
])
def test_what_is_no_safe_xml_is_refused_at_the_door(shared_customer, body):
    answer = shared_customer.submit(body)
    assert answer.status_code == 400
    assert answer.json()["tppMessages"][0]["code"] == "FORMAT_ERROR"


def test_several_payments_do_not_go_to_the_single_payment_service(shared_customer, pain001, iban):
    two = pain001(shared_customer.iban, [("A", iban("DE"), "1.00"), ("B", iban("DE"), "1.00")])
    assert shared_customer.submit(two.bytes(), service="payments").status_code == 400
    one = pain001(shared_customer.iban, [("A", iban("DE"), "1.00")])
    assert shared_customer.submit(one.bytes(), service="payments").status_code == 201


def test_a_file_that_is_too_large_is_refused_unread(shared_bank, shared_customer):
    """The answer comes on the header's word: the body is not waited for."""
    context = ssl.create_default_context(cafile=shared_customer.folder / "ca.pem")
    context.load_cert_chain(shared_customer.folder / "client.pem",
                            shared_customer.folder / "client.key")
    connection = http.client.HTTPSConnection("localhost", shared_bank.ports["port"],
                                             context=context, timeout=10)
    connection.putrequest("POST", "/v1/bulk-payments/pain.001-sepa-credit-transfers")
    for name, value in (("Content-Type", "application/xml"), ("PSU-IP-Address", "192.0.2.1"),
                        ("PSU-Corporate-ID", "CORP-001"), ("X-Request-ID", str(uuid.uuid4())),
                        ("Content-Length", str(101 * 1024 * 1024))):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


FILE_FAULTS = [
    ({"count": "2"}, "AM18"),
    ({"total": "1.01"}, "AM10"),
    ({"message_id": "x" * 36}, "FF01"),
    ({"date": "tomorrow"}, "FF01"),
]
BLOCK_FAULTS = [
    ({"block_count": "3"}, "AM18"),
    ({"debtor": "DE89370400440532013000"}, "AC02"),
    ({"debtor_currency": "USD"}, "AM03"),
    ({"bic": "DEUTDEFF"}, "RC01"),
    ({"method": "CHK"}, "AG02"),
    ({"date": "2026-11-17"}, "DT01"),
    ({"date": "2027-11-24"}, "CH03"),
]
PAYMENT_FAULTS = [
    ({}, "DE00370400440532013000", "1.00", "AC01"),
    ({}, None, "1.001", "AM12"),
    ({}, None, "1000000000000.01", "AM02"),
    ({"currency": "USD"}, None, "1.00", "AM03"),
]


def answer_to(customer, message):
    customer.bank.settle()
    customer.documents("pain.002")
    before = customer.bank.balance(customer.iban)
    customer.send(message.bytes())
    report, = customer.documents("pain.002")
    assert report.one("//GrpSts") == "RJCT"
    assert customer.bank.balance(customer.iban) == before
    return report


@pytest.mark.parametrize("version", ["03", "09"])
@pytest.mark.parametrize(("change", "reason"), FILE_FAULTS)
def test_a_faulty_file_is_rejected_as_a_whole(shared_customer, pain001, iban, version, change,
                                              reason):
    values = {"debtor": shared_customer.iban, "transfers": [("A", iban("DE"), "1.00")],
              "version": version, **change}
    report = answer_to(shared_customer, pain001(**values))
    assert report.one("//OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd") == reason
    assert report.name == ("pain.002.001.03" if version == "03" else "pain.002.001.10")
    assert not report("//TxInfAndSts")


@pytest.mark.parametrize(("change", "reason"), BLOCK_FAULTS)
def test_a_faulty_block_is_rejected_with_its_payments(shared_customer, pain001, iban, change,
                                                      reason):
    values = {"debtor": shared_customer.iban, "transfers": [("A", iban("DE"), "1.00")], **change}
    report = answer_to(shared_customer, pain001(**values))
    assert report.one("//OrgnlPmtInfAndSts/PmtInfSts") == "RJCT"
    assert report.one("//OrgnlPmtInfAndSts/StsRsnInf/Rsn/Cd") == reason
    assert report.texts("//TxInfAndSts/TxSts") == ["RJCT"]


@pytest.mark.parametrize(("change", "creditor", "amount", "reason"), PAYMENT_FAULTS)
def test_a_faulty_payment_is_rejected_and_the_others_are_paid(shared_customer, pain001, iban,
                                                              change, creditor, amount, reason):
    message = pain001(shared_customer.iban, [("BAD", creditor or iban("DE"), amount)], **change)
    report = answer_to(shared_customer, message)
    assert report.one("//TxInfAndSts/StsRsnInf/Rsn/Cd") == reason
    if change:
        return
    shared_customer.send(pain001(shared_customer.iban, [
        ("BAD2", creditor or iban("DE"), amount), ("GOOD2", iban("DE"), "1.00")]).bytes())
    first, second = shared_customer.documents("pain.002")
    assert (first.one("//GrpSts"), second.one("//GrpSts")) == ("PART", "PART")
    assert first.texts("//TxInfAndSts/OrgnlEndToEndId") == ["BAD2"]
    assert second.texts("//TxInfAndSts/OrgnlEndToEndId") == ["GOOD2"]
    assert second.texts("//TxInfAndSts/TxSts") == ["ACSC"]


def test_a_message_id_is_accepted_once(shared_customer, pain001, iban):
    """Even under another key; but a rejected file may be sent again, corrected."""
    message = pain001(shared_customer.iban, [("DUP", iban("DE"), "1.00")], count="7")
    assert answer_to(shared_customer, message)
    message.count = None
    shared_customer.send(message.bytes())
    assert shared_customer.documents("pain.002")[-1].one("//GrpSts") == "ACSC"
    report = answer_to(shared_customer, message)
    assert report.one("//StsRsnInf/Rsn/Cd") == "DU01"
    found = shared_customer.bank.desk("GET", "/admin/executions/DUP")
    assert found["executed"] == 1


def test_another_document_is_answered_and_not_lost(shared_customer):
    shared_customer.documents("pain.002")
    payment_id = shared_customer.send(
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.008.001.02"><X/></Document>')
    report, = shared_customer.documents("pain.002")
    assert report.one("//StsRsnInf/Rsn/Cd") == "FF01"
    assert report.one("//OrgnlMsgNmId") == "pain.008.001.02"
    path = f"/v1/bulk-payments/pain.001-sepa-credit-transfers/{payment_id}"
    assert shared_customer.request("GET", f"{path}/status").json() == {
        "transactionStatus": "RJCT"}
    assert b"pain.008" in shared_customer.request("GET", path).content
