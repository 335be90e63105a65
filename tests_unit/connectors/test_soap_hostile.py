"""An answer that is not the bank's own word, whole and for us, is never believed."""

import base64
import gzip
from datetime import timedelta

import pytest
from lxml import etree

from connectors import FetchError, NotSent, Timeouts
from tests_unit.connectors.server import reply
from tests_unit.connectors.soap_attacks import edit, refused
from tests_unit.connectors.soap_bank import COR, NS


def comment_in_code(root):
    code = root.find(".//mod:ResponseCode", NS)
    code.text, code.tail = "0", None
    comment = etree.Comment("x")
    comment.tail = "0"
    code.append(comment)


def test_a_comment_inside_a_value_is_refused(dial_soap, teller, soap_document, key):
    teller.tamper = edit(comment_in_code)
    assert refused(dial_soap, soap_document, key).code == "answer_unreadable"


@pytest.mark.parametrize("parts", [("Body",), ("TS",)])
def test_body_and_timestamp_must_both_be_signed(dial_soap, teller, soap_document, key, parts):
    """A genuine signature that covers only one of them."""
    genuine = teller.signed_envelope
    teller.signed_envelope = lambda root: genuine(root, parts=parts)
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"


def test_a_refusal_without_signature_does_not_end_a_payment(dial_soap, teller, soap_document, key):
    """Who can write an unsigned "no" must not bring us to send a payment again."""
    teller.codes, teller.sign_answer = ["12"], False
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"


@pytest.mark.parametrize("minutes", [-60, -11, 10, 600])
def test_an_answer_from_another_time_is_refused(dial_soap, teller, soap_document, key, minutes):
    teller.created = timedelta(minutes=minutes)
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"


@pytest.mark.parametrize("minutes", [-6, -1, 4])
def test_clocks_may_differ_a_little(dial_soap, teller, soap_document, key, minutes):
    teller.created = timedelta(minutes=minutes)
    assert dial_soap().submit(soap_document, key)


# SHA-1: only where the profile says so, in either layer


def test_sha1_is_refused_unless_the_profile_allows_it(
    dial_soap, teller, soap_data, soap_document, key
):
    teller.sha1 = True
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"
    soap_data["signatures"] = {"sha1": True}
    assert dial_soap().submit(soap_document, key)


def test_sha1_inside_a_good_envelope_is_refused(dial_soap, teller, soap_document, key):
    genuine = teller.signed_response

    def weak(root):
        teller.sha1 = True
        try:
            return genuine(root)
        finally:
            teller.sha1 = False

    teller.signed_response = weak
    doubt = refused(dial_soap, soap_document, key)
    assert doubt.code == "signature_invalid"
    assert "sha1" in doubt.detail


def test_older_banks_inclusive_form_is_understood(dial_soap, teller, soap_document, key):
    """Recordings show Canonical XML 1.0 in the inner signature, exclusive in the outer."""
    teller.inclusive = True
    assert dial_soap().submit(soap_document, key)


# Answers to others


def wrong_request_id(root):
    root.find(".//mod:RequestId", NS).text = "0" * 32


def no_request_id(root):
    root.find(".//mod:RequestId", NS).text = None


@pytest.mark.parametrize("change", [wrong_request_id, no_request_id])
def test_a_signed_answer_to_another_request_is_refused(
    dial_soap, teller, soap_document, key, change
):
    teller.edit_answer = change
    assert refused(dial_soap, soap_document, key).code == "wrong_echo"


def test_a_kept_answer_does_not_serve_twice(dial_soap, teller, soap_data):
    """A genuine answer to an earlier list, offered again to a later one."""
    soap_data["downloads"] = {"camt.053": ["camt.053.001.08"]}
    bank = dial_soap()
    kept = []
    teller.tamper = lambda content: kept.append(content) or kept[0]
    assert list(bank.list(["camt.053"])) == []
    with pytest.raises(FetchError) as caught:
        list(bank.list(["camt.053"]))
    assert caught.value.code == "wrong_echo"


def test_the_receipt_of_another_file_is_refused(dial_soap, teller, soap_document, key):
    """Well signed and with our number, but about a file that we did not send now."""
    descriptor = (
        "<c2b:FileDescriptors xmlns:c2b='http://bxd.fi/xmldata/'><c2b:FileDescriptor>"
        "<c2b:FileReference>F1</c2b:FileReference><c2b:UserFilename>%s</c2b:UserFilename>"
        "<c2b:FileType>pain.001.001.09</c2b:FileType></c2b:FileDescriptor></c2b:FileDescriptors>"
    )
    shown = "other.xml"
    teller.edit_response = lambda root: root.append(etree.fromstring(descriptor % shown))
    assert refused(dial_soap, soap_document, key).code == "wrong_echo"
    shown = f"{key.replace('-', '')}.xml"
    receipt = dial_soap().submit(soap_document, key)
    assert receipt.bank_reference["file_reference"] == "F1"


@pytest.mark.parametrize("code", ["00", "12", "31", "24"])
def test_an_answer_for_another_customer_is_refused(dial_soap, teller, soap_document, key, code):
    teller.customer, teller.codes = "CORP-002", [code]
    assert refused(dial_soap, soap_document, key).code == "wrong_customer"


def test_who_is_turned_away_at_the_door_has_no_customer_id_yet(
    dial_soap, teller, soap_document, key
):
    """The bank has not opened the request, and names the customer as it can."""
    teller.customer, teller.codes = "1000000001", ["07"]
    with pytest.raises(NotSent):
        dial_soap().submit(soap_document, key)


def test_the_answer_to_another_operation_is_refused(dial_soap, teller, soap_document, key):
    def rename(root):
        root.find("s:Body", NS)[0].tag = f"{{{COR}}}deleteFileout"

    teller.edit_answer = rename
    assert refused(dial_soap, soap_document, key).code == "answer_unreadable"


def test_our_own_request_reflected_is_no_answer(
    dial_soap, soap_server, teller, own_signing, soap_document, key
):
    """Our certificate comes from the bank's authority too: it must not sign for the bank."""
    genuine = teller.signed_envelope
    teller.signed_envelope = lambda root: genuine(root, pair=own_signing)
    doubt = refused(dial_soap, soap_document, key)
    assert doubt.code == "signer_untrusted"
    assert "our own" in doubt.detail
    soap_server.script = lambda request, sock: reply(
        request, 200, request.body, {"Content-Type": "text/xml"}
    )
    refused(dial_soap, soap_document, key)


# XML as a weapon


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><l x="&c;">&c;</l>"""
OUTSIDE = (
    b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>"""
)
UTF16 = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE l [<!ENTITY a "x">]><l>&a;</l>'
BOMBS = {
    "laughs": LAUGHS,
    "external": OUTSIDE,
    "dtd": b'<!DOCTYPE l SYSTEM "http://127.0.0.1:1/l.dtd"><l/>',
    "utf16": UTF16.encode("utf-16"),
    "utf16le": UTF16.replace("UTF-16", "UTF-16LE").encode("utf-16-le"),
    "utf7": b'<?xml version="1.0" encoding="UTF-7"?><l>+ADw-!DOCTYPE</l>',
    "deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "wide": b"<a>" + b"<b/>" * 2_000_001 + b"</a>",
    "instruction": b'<?xml-stylesheet href="http://127.0.0.1:1/x"?><l/>',
    "cut": b"<l><m>",
    "empty": b"",
    "blank": b"  \n",
    "text": b"OK",
    "binary": bytes(range(256)) * 10,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_hostile_xml_is_refused_outside(dial_soap, teller, soap_document, key, bomb):
    teller.tamper = lambda content: BOMBS[bomb]
    assert refused(dial_soap, soap_document, key).code == "answer_unreadable"


@pytest.mark.parametrize("bomb", ["laughs", "external", "dtd", "utf16", "deep", "cut", "text"])
def test_hostile_xml_is_refused_inside(dial_soap, teller, soap_document, key, bomb):
    """Well wrapped and well signed, for who knows how the bank was brought to sign it."""
    teller.signed_response = lambda root: BOMBS[bomb]
    assert refused(dial_soap, soap_document, key).code == "answer_unreadable"


def test_an_entity_before_a_genuine_answer_is_refused(dial_soap, teller, soap_document, key):
    teller.tamper = lambda content: content.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e "x">]>', 1)
    assert refused(dial_soap, soap_document, key).code == "answer_unreadable"


def test_a_huge_answer_is_cut_off(dial_soap, teller, soap_data, soap_document, key):
    soap_data["limits"] = {"answer_bytes": 100_000}
    teller.tamper = lambda content: content + b" " * 2_000_000
    assert refused(dial_soap, soap_document, key).code == "answer_too_large"


def test_html_in_place_of_soap_is_told_apart(dial_soap, teller, soap_document, key):
    teller.content_type = "text/html"
    teller.tamper = lambda content: b"<html><body>Sign in</body></html>"
    assert refused(dial_soap, soap_document, key).code == "content_type"


def test_a_fault_that_is_html_is_no_fault(dial_soap, teller, soap_document, key):
    teller.status, teller.content_type = 500, "text/html"
    teller.tamper = lambda content: b"<html><body>Sorry</body></html>"
    assert refused(dial_soap, soap_document, key).code == "http_500"


MTOM = 'multipart/related; type="application/xop+xml"; boundary=b; start="<r>"'


def test_attachments_are_not_taken(dial_soap, teller, soap_document, key):
    """MTOM would bring in parts that no signature here covers."""
    teller.content_type = MTOM
    teller.tamper = lambda content: (
        b"--b\r\nContent-ID: <r>\r\nContent-Type: application/xop+xml\r\n\r\n"
        + content
        + b"\r\n--b\r\nContent-ID: <p>\r\n\r\n"
        + b"junk\r\n--b--\r\n"
    )
    assert refused(dial_soap, soap_document, key).code == "content_type"


def test_an_include_in_place_of_the_content_is_not_followed(dial_soap, teller, soap_document, key):
    def include(root):
        place = root.find(".//mod:ApplicationResponse", NS)
        place.text = None
        etree.SubElement(place, "{http://www.w3.org/2004/08/xop/include}Include", href="cid:p")

    teller.edit_answer = include
    refused(dial_soap, soap_document, key)


FILE = ("camt.053.001.08", "R1", None, "NEW", "2026-11-20T08:00:00Z")


def test_a_gzip_bomb_is_not_unpacked(dial_soap, teller, soap_data):
    soap_data["limits"] = {"answer_bytes": 1_000_000}
    teller.files = [(*FILE, b"\0" * 200_000_000)]
    teller.compress = True
    bank = dial_soap(timeouts=Timeouts(5, 10, 30))
    (remote,) = bank.list(["camt.053"])
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert "grows beyond" in caught.value.detail


@pytest.mark.parametrize(
    "packed",
    [b"not gzip", gzip.compress(b"<a/>")[:-4], gzip.compress(b"<a/>") * 2, b""],
    ids=["not", "cut", "twice", "empty"],
)
def test_broken_gzip_is_refused(dial_soap, teller, packed):
    teller.files = [(*FILE, b"x")]

    def replace(root):
        content = root.find("x:Content", NS)
        if content is not None:
            content.text = base64.b64encode(packed).decode()
            root.find("x:Compressed", NS).text = "true"

    teller.edit_response = replace
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert caught.value.code == "answer_unreadable"
