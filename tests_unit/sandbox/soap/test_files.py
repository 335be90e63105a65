"""Files over SOAP: the same ledger and mailbox as over REST, listed, fetched and deleted."""

import base64
import gzip
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import mt940
import pytest
import requests
from lxml import etree
from pypdf import PdfReader


def body_of(customer, pain001, iban, reference="ONE", amount="10.00", **fields):
    return pain001(customer.iban, [(reference, iban("DE"), amount)], **fields).bytes()


def packed(octets):
    return base64.b64encode(gzip.compress(octets)).decode()


def test_an_upload_is_paid_once_and_reported(bank, customer, pain001, iban):
    """From the file to the receipt: stored, forwarded, executed, listed, fetched, downloaded."""
    reply = customer.upload(body_of(customer, pain001, iban))
    assert reply.code == "00"
    assert reply.text("CustomerId") == customer.soap["customerId"]
    [sent] = reply.files()
    assert (sent["Status"], sent["FileType"], sent["UserFilename"]) == (
        "WFP", "pain.001.001.03", "pay.xml")
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1
    assert bank.balance(customer.iban) == "99990.00"
    [forwarded] = customer.listed(FileType="pain.001.001.03")
    assert forwarded["FileReference"] == sent["FileReference"]
    assert forwarded["Status"] == "FWD"

    news = customer.listed(Status="NEW", FileType="pain.002.001.03")
    assert [item["Status"] for item in news] == ["NEW", "NEW"]
    fetched = customer.call("downloadFile", reference=news[-1]["FileReference"])
    document = etree.fromstring(fetched.content())
    assert "ACSC" in [item.text for item in document.iter("{*}TxSts")]
    assert fetched.text("FileType") == "pain.002.001.03"
    assert len(customer.listed(Status="NEW", FileType="pain.002.001.03")) == 1
    [done] = customer.listed(Status="DLD")
    assert done["FileReference"] == news[-1]["FileReference"]
    assert done["LastDownloadTimestamp"].endswith("Z")
    assert {item["Status"] for item in customer.listed()} == {"NEW", "DLD"}
    again = customer.call("downloadFile", reference=done["FileReference"])
    assert again.content() == fetched.content()


def test_an_empty_list_is_answered_with_24(shared):
    reply = shared.call("downloadFileList", Status="DLD")
    assert (reply.code, reply.files()) == ("24", [])


def test_a_list_can_be_narrowed_by_day(bank, customer, pain001, iban):
    customer.upload(body_of(customer, pain001, iban))
    bank.settle()
    assert customer.listed(StartDate="2026-11-23", EndDate="2026-11-23")
    assert not customer.listed(StartDate="2026-11-24")
    assert not customer.listed(EndDate="2026-11-22")


def test_the_mailbox_is_the_one_of_the_rest_face(bank, customer, pain001, iban):
    """What came over REST is listed here as keyed in elsewhere; documents are the same."""
    session = requests.Session()
    session.trust_env = False
    session.cert = (str(customer.folder / "client.pem"), str(customer.folder / "client.key"))
    session.verify = str(customer.folder / "ca.pem")
    headers = {"X-Request-ID": "8a0a9d6e-0a6e-4a0e-9df1-0a3c6b0f5a11", "PSU-IP-Address":
               "192.0.2.1", "PSU-Corporate-ID": "SOAP-001", "Content-Type": "application/xml"}
    base = f"https://localhost:{bank.ports['port']}/v1"
    sent = session.post(f"{base}/bulk-payments/pain.001-sepa-credit-transfers", headers=headers,
                        data=body_of(customer, pain001, iban), timeout=30)
    assert sent.status_code == 201
    bank.settle()
    [keyed] = customer.listed(Status="KIN")
    assert keyed["FileReference"] == sent.json()["paymentId"].replace("-", "")
    rest = session.get(f"{base}/documents?status=all", headers=headers, timeout=30).json()
    assert [item["id"].replace("-", "") for item in rest["documents"]] == [
        item["FileReference"] for item in customer.listed()]


def test_a_waiting_upload_waits_for_confirmation_and_can_be_deleted(bank, customer, pain001,
                                                                    iban):
    pending = pain001(customer.iban, [("WAIT", iban("DE", "pending"), "5.00")]).bytes()
    [sent] = customer.upload(pending).files()
    bank.settle()
    assert customer.listed(Status="WFC")[0]["FileReference"] == sent["FileReference"]
    [gone] = customer.call("deleteFile", reference=sent["FileReference"]).files()
    assert gone["Status"] == "DEL"
    bank.settle()
    assert bank.payments()["WAIT"]["status"] == "CANC"
    assert bank.balance(customer.iban) == "100000.00"


def test_what_is_final_or_the_banks_can_not_be_deleted(bank, customer, pain001, iban):
    [sent] = customer.upload(body_of(customer, pain001, iban)).files()
    bank.settle()
    assert customer.call("deleteFile", reference=sent["FileReference"]).code == "27"
    assert customer.call("deleteFile", reference=customer.listed()[0]["FileReference"]).code == "27"
    assert customer.call("deleteFile", reference="0" * 32).code == "24"
    assert customer.call("downloadFile", reference="0" * 32).code == "24"
    assert customer.call("downloadFile").code == "29"
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1


def test_nobody_sees_the_files_of_others(bank, customer, soap_enrol, pain001, iban):
    customer.upload(body_of(customer, pain001, iban))
    bank.settle()
    other = soap_enrol(bank, "SOAP-002")
    assert other.listed() == other.listed(FileType="pain.001.001.03") == []
    wanted = customer.listed()[0]["FileReference"]
    assert other.call("downloadFile", reference=wanted).code == "24"
    assert customer.listed(Status="DLD") == []


def test_the_user_info_names_what_the_contract_may_do(shared):
    reply = shared.call("getUserInfo")
    space = "{http://bxd.fi/xmldata/}"
    found = {(item.findtext(f"{space}FileType"), item.findtext(f"{space}Direction"))
             for item in reply.application.iter(f"{space}UserFileType")}
    assert ("pain.001.001.09", "Upload") in found
    assert ("camt.053.001.08", "Download") in found
    accounts = {item.text for item in reply.application.iter(f"{space}ServiceId")}
    assert accounts == {shared.iban}


def test_a_bank_with_its_own_codes(bank, soap_enrol, pain001, iban):
    """Own names for the file types, compression required, three operations only."""
    customer = soap_enrol(bank, "SOAP-XL", flavour="short", compression="required")
    assert customer.soap["operations"] == ["uploadFile", "downloadFileList", "downloadFile"]
    assert customer.soap["receiverId"] == "SANDBOX"
    document = body_of(customer, pain001, iban)
    assert customer.upload(document).code == "21"
    assert customer.upload(document, Content=packed(document), Compression="true",
                           CompressionMethod="RFC1952").code == "00"
    bank.settle()
    assert {item["FileType"] for item in customer.listed()} == {"XP", "XE"}
    [sent] = customer.listed(FileType="XL")
    assert sent["Status"] == "FWD"
    statement = customer.call("downloadFile",
                              reference=customer.listed(FileType="XE")[0]["FileReference"])
    assert statement.text("Compressed") == "true"
    assert b"camt.054" in statement.content()
    for operation in ("deleteFile", "getUserInfo"):
        assert customer.call(operation).code == "06"


@pytest.mark.parametrize(
    ("flavour", "receipt", "statement"),
    [("iso", "pdf", "mt940"), ("codes", "NDRCPTPDF", "NDMT940L"), ("short", "XR", "XM")],
)
def test_receipts_and_older_statements_have_file_types(
    bank, soap_enrol, pain001, iban, flavour, receipt, statement
):
    """What the contract has otherwise over REST it has here, byte for byte."""
    customer = soap_enrol(bank, "SOAP-OLD", flavour=flavour)
    offered = {one["fileType"]: one["message"] for one in customer.soap["fileTypes"]["download"]}
    assert (offered[receipt], offered[statement]) == ("pdf", "mt940")
    assert customer.listed(FileType=receipt) == []
    bank.desk("POST", "/admin/contracts/SOAP-OLD/options",
              json={"receipts": "pdf", "statements": "mt940"})
    customer.upload(body_of(customer, pain001, iban))
    bank.advance(end_of_day=True)
    (found,) = customer.listed(FileType=receipt)
    assert found["FileType"] == receipt and found["UserFilename"].endswith(".pdf")
    reply = customer.call("downloadFile", reference=found["FileReference"])
    (page,) = PdfReader(io.BytesIO(reply.content()), strict=True).pages
    assert "ONE" in page.extract_text() and "10.00 EUR" in page.extract_text()
    (found,) = customer.listed(FileType=statement)
    reply = customer.call("downloadFile", reference=found["FileReference"])
    (line,) = mt940.parse(reply.content().decode())
    assert str(line.data["amount"].amount) == "-10.00"


def test_compression_is_a_matter_of_agreement(bank, soap_enrol, pain001, iban):
    none = soap_enrol(bank, "SOAP-PLAIN", compression="none", flavour="codes")
    document = body_of(none, pain001, iban, version="09")
    assert none.upload(document, Content=packed(document), Compression="true").code == "21"
    assert none.upload(document).code == "00"
    optional = soap_enrol(bank, "SOAP-OPT")
    document = body_of(optional, pain001, iban, "TWO")
    assert optional.upload(document, Content=packed(document), Compression="true").code == "00"
    bank.settle()
    wanted = optional.listed()[0]["FileReference"]
    assert optional.call("downloadFile", reference=wanted).text("Compressed") == "false"
    reply = optional.call("downloadFile", reference=wanted, Compression="true")
    assert reply.text("Compressed") == "true"
    assert reply.content().startswith(b"<?xml")


def test_a_large_upload_arrives_whole(bank, customer, pain001, iban):
    """More in one text than a careless parser takes."""
    document = body_of(customer, pain001, iban).replace(
        b"</Document>", b"<!--" + b"x" * 8_000_000 + b"--></Document>")
    assert customer.upload(document).code == "00"
    [stored] = bank.desk("GET", "/admin/submissions")["submissions"]
    assert stored["sha256"] == hashlib.sha256(document).hexdigest()
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1


@pytest.mark.parametrize("again", ["same", "other"])
def test_a_request_id_is_known_for_three_months(bank, customer, pain001, iban, again):
    """31, with the file that the bank has, and only if it is that content."""
    document = body_of(customer, pain001, iban)
    key = {"RequestId": "0123456789"}
    [first] = customer.upload(document, header=key).files()
    second = document if again == "same" else body_of(customer, pain001, iban, "TWO")
    reply = customer.upload(second, header=key)
    assert reply.code == "31"
    assert [item["FileReference"] for item in reply.files()] == (
        [first["FileReference"]] if again == "same" else [])
    assert ("another" in reply.text("ResponseText")) == (again == "other")
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1
    assert bank.desk("GET", "/admin/executions/TWO")["executed"] == 0
    bank.advance(advance_to="2027-02-22T07:00:00")
    assert customer.upload(second, header=key).code == "31"
    bank.advance(advance_to="2027-02-24T07:00:00")
    assert customer.upload(second, header=key).code == "00"


def test_a_timestamp_is_known_as_well(bank, customer, pain001, iban):
    """32: the same ApplicationRequest under another RequestId."""
    document = body_of(customer, pain001, iban)
    moment = "2026-11-23T08:00:00.123456Z"
    [first] = customer.upload(document, Timestamp=moment).files()
    reply = customer.upload(document, Timestamp="2026-11-23T10:00:00.123456+02:00")
    assert (reply.code, reply.files()[0]["FileReference"]) == ("32", first["FileReference"])
    assert customer.upload(document, Timestamp="2026-11-23T08:00:00.123457Z").code == "00"
    assert customer.call("downloadFileList", Timestamp=moment).code == "32"
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1, "DU01 stops the third"


def test_a_refused_request_leaves_its_id_free(customer, pain001, iban):
    document, key = body_of(customer, pain001, iban), {"RequestId": "once"}
    assert customer.upload(document, header=key, Environment="PRODUCTION").code == "29"
    assert customer.upload(document, header=key).code == "00"


def test_the_services_describe_themselves(shared):
    for path in ("/ws/CorporateFileService", "/ws/CertificateService"):
        answer = shared.session.get(shared.url(path) + "?wsdl", timeout=10)
        root = etree.fromstring(answer.content)
        address = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
        assert address.get("location") == shared.url(path)
    assert shared.session.get(shared.url(), timeout=10).status_code == 404


def test_encrypted_both_ways(bank, soap_enrol, pain001, iban):
    """Only what was encrypted for the bank is taken; answers are for the customer alone."""
    customer = soap_enrol(bank, "SOAP-SECRET", encryption=True)
    document = body_of(customer, pain001, iban)
    fields = {"FileType": "pain.001.001.03", "UserFilename": "a", "Content":
              base64.b64encode(document).decode()}
    application = customer.application("uploadFile", **fields)
    plain = customer.reply(customer.send("uploadFile", application))
    assert plain.code == "22"
    for method in ("aes256-cbc", "aes128-cbc", "aes256-gcm"):
        application = customer.application("uploadFile", **fields)
        answer = customer.send("uploadFile", customer.encrypted(application, method))
        assert b"EncryptedData" in base64.b64decode(etree.fromstring(
            answer.content).find(".//{http://model.bxd.fi}ApplicationResponse").text)
        reply = customer.reply(answer)
        assert (reply.code, len(reply.files())) == ("00", 1)
    broken = bytearray(customer.encrypted(application, "aes256-gcm"))
    at = broken.rindex(b"</xenc:CipherValue>") - 20
    broken[at] = ord("A") if broken[at] != ord("A") else ord("B")
    assert customer.reply(customer.send("uploadFile", bytes(broken))).code == "22"


def test_the_same_upload_from_many_at_once_is_stored_once(bank, customer, pain001, iban):
    document, key = body_of(customer, pain001, iban), {"RequestId": "at-once"}
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _n: customer.upload(document, header=key), range(12)))
    assert sorted(reply.code for reply in replies) == ["00"] + ["31"] * 11
    assert len({reply.files()[0]["FileReference"] for reply in replies}) == 1
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1
