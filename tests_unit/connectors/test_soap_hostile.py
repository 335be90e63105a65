"""An answer that is not the bank's own word, whole and for us, is never believed.

Each attack begins with a good answer; ``test_the_untouched_answer_is_believed`` shows that it is
the attack, and not the way it is made, that is refused.
"""

import base64
import copy
import gzip
from datetime import timedelta

import pytest
from lxml import etree

from connectors import FetchError, Timeouts, Uncertain
from tests_unit.connectors.server import reply
from tests_unit.connectors.soap_bank import COR, DS, NS, SOAP, WSU, XD

ID = f"{{{WSU}}}Id"


def edit(change):
    """Return a hook that changes the finished envelope's tree."""

    def tamper(content):
        root = etree.fromstring(content)
        changed = change(root)
        return etree.tostring(root if changed is None else changed)

    return tamper


def refused(dial_soap, document, key):
    """Submit, and return the doubt that it must end in."""
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(document, key)
    return caught.value


def forged_body(root, code="00"):
    """Return a Body like the genuine one, with other content and no signature over it."""
    body = copy.deepcopy(root.find("s:Body", NS))
    body.find(".//mod:ResponseCode", NS).text = code
    body.find(".//mod:ResponseText", NS).text = "forged"
    return body


def test_the_untouched_answer_is_believed(dial_soap, teller, soap_document, key):
    teller.tamper = edit(lambda root: None)
    assert dial_soap().submit(soap_document, key)


# Wrapping: the signed Body is kept somewhere, and another one is offered to the reader.


def wrap_in_header(root):
    original = root.find("s:Body", NS)
    forged = forged_body(root)
    forged.set(ID, "forged")
    root.replace(original, forged)
    etree.SubElement(root.find("s:Header", NS), "Wrapper").append(original)


def wrap_in_security(root):
    original = root.find("s:Body", NS)
    forged = forged_body(root)
    del forged.attrib[ID]
    root.replace(original, forged)
    root.find("s:Header/wsse:Security", NS).append(original)


def wrap_in_signature(root):
    original = root.find("s:Body", NS)
    forged = forged_body(root)
    root.replace(original, forged)
    holder = etree.SubElement(root.find(".//ds:Signature", NS), f"{{{DS}}}Object")
    holder.append(original)


def wrap_same_id_first(root):
    root.insert(1, forged_body(root))


def wrap_same_id_last(root):
    root.append(forged_body(root))


def wrap_inside_body(root):
    original = root.find("s:Body", NS)
    forged = forged_body(root)
    forged.set(ID, "forged")
    root.replace(original, forged)
    forged.append(original)


def wrap_second_envelope(root):
    outer = etree.Element(f"{{{SOAP}}}Envelope")
    etree.SubElement(outer, f"{{{SOAP}}}Header").append(root)
    outer.append(forged_body(root))
    return outer


def second_body_other_id(root):
    forged = forged_body(root)
    forged.set(ID, "other")
    root.append(forged)


def second_call_in_body(root):
    body = root.find("s:Body", NS)
    body.append(copy.deepcopy(body[0]))


def swap_timestamp(root):
    security = root.find("s:Header/wsse:Security", NS)
    stamp = security.find("wsu:Timestamp", NS)
    fresh = copy.deepcopy(stamp)
    fresh.set(ID, "fresh")
    security.replace(stamp, fresh)
    etree.SubElement(security, f"{{{DS}}}Object").append(stamp)


def second_security(root):
    header = root.find("s:Header", NS)
    header.append(copy.deepcopy(header[0]))


def second_signature(root):
    security = root.find("s:Header/wsse:Security", NS)
    security.append(copy.deepcopy(security.find("ds:Signature", NS)))


def id_twice(root):
    root.find(".//mod:ResponseHeader", NS).set("Id", root.find("s:Body", NS).get(ID))


def no_security(root):
    root.find("s:Header", NS).clear()


def no_header(root):
    root.remove(root.find("s:Header", NS))


def no_signature(root):
    security = root.find("s:Header/wsse:Security", NS)
    security.remove(security.find("ds:Signature", NS))


def changed_text(root):
    root.find(".//mod:ResponseText", NS).text = "changed"


def changed_code(root):
    root.find(".//mod:ResponseCode", NS).text = "31"


def comment_in_code(root):
    code = root.find(".//mod:ResponseCode", NS)
    code.text, code.tail = "0", None
    comment = etree.Comment("x")
    comment.tail = "0"
    code.append(comment)


def body_reference_gone(root):
    info = root.find(".//ds:SignedInfo", NS)
    info.remove(info.find("ds:Reference", NS))


def reference_elsewhere(root):
    root.find(".//ds:Reference", NS).set("URI", "#elsewhere")


def reference_whole(root):
    root.find(".//ds:Reference", NS).set("URI", "")


def reference_outside(root):
    root.find(".//ds:Reference", NS).set("URI", "http://127.0.0.1:1/x")


def reference_file(root):
    root.find(".//ds:Reference", NS).set("URI", "file:///etc/passwd")


def xpath_transform(root):
    transform = root.find(".//ds:Transform", NS)
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(transform, f"{{{DS}}}XPath").text = "self::node()"


def xslt_transform(root):
    root.find(".//ds:Transform", NS).set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")


def hmac(root):
    root.find(".//ds:SignatureMethod", NS).set("Algorithm", f"{DS}hmac-sha1")


def hmac_sha256(root):
    root.find(".//ds:SignatureMethod", NS).set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )


def no_algorithm(root):
    root.find(".//ds:SignatureMethod", NS).set("Algorithm", "")


def md5(root):
    root.find(".//ds:DigestMethod", NS).set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5"
    )


def empty_value(root):
    root.find(".//ds:SignatureValue", NS).text = ""


def junk_value(root):
    root.find(".//ds:SignatureValue", NS).text = "%%%"


def key_value_instead(root):
    info = root.find(".//ds:KeyInfo", NS)
    info.clear()
    etree.SubElement(etree.SubElement(info, f"{{{DS}}}KeyValue"), f"{{{DS}}}RSAKeyValue")


def other_token(root):
    root.find(".//wsse:Reference", NS).set("URI", "#another")


def second_token(root):
    security = root.find("s:Header/wsse:Security", NS)
    security.append(copy.deepcopy(security.find("wsse:BinarySecurityToken", NS)))


def soap_12(root):
    text = etree.tostring(root).replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    return etree.fromstring(text)


STRUCTURE = [
    wrap_in_header,
    wrap_in_security,
    wrap_in_signature,
    wrap_same_id_first,
    wrap_same_id_last,
    wrap_inside_body,
    wrap_second_envelope,
    second_body_other_id,
    second_call_in_body,
    swap_timestamp,
    second_security,
    second_signature,
    id_twice,
    no_security,
    no_header,
    no_signature,
    changed_text,
    changed_code,
    body_reference_gone,
    reference_elsewhere,
    reference_whole,
    reference_outside,
    reference_file,
    xpath_transform,
    xslt_transform,
    hmac,
    hmac_sha256,
    no_algorithm,
    md5,
    empty_value,
    junk_value,
    key_value_instead,
    other_token,
    second_token,
    soap_12,
]


@pytest.mark.parametrize("attack", STRUCTURE, ids=lambda attack: attack.__name__)
def test_a_tampered_envelope_is_refused(dial_soap, teller, soap_document, key, attack):
    teller.tamper = edit(attack)
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"


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


# The inner answer


def inner(change):
    """Return a hook that changes the signed ApplicationResponse before it is wrapped."""

    def install(teller):
        genuine = teller.signed_response

        def signed(root):
            tree = etree.fromstring(genuine(root))
            changed = change(tree)
            return etree.tostring(tree if changed is None else changed)

        teller.signed_response = signed

    return install


def inner_changed(root):
    root.find("x:ResponseCode", NS).text = "31"


def inner_added(root):
    etree.SubElement(root, f"{{{XD}}}ResponseCode").text = "00"


def inner_unsigned(root):
    root.remove(root.find("ds:Signature", NS))


def inner_wrapped(root):
    outer = etree.Element(f"{{{XD}}}ApplicationResponse", nsmap={"c2b": XD})
    for child in root:
        if child.tag != f"{{{DS}}}Signature":
            outer.append(copy.deepcopy(child))
    outer.append(root)
    return outer


def inner_wrapped_with_signature(root):
    """The signature on top, the document it was made for below it."""
    outer = etree.Element(f"{{{XD}}}ApplicationResponse", nsmap={"c2b": XD})
    signature = root.find("ds:Signature", NS)
    for child in root:
        if child is not signature:
            outer.append(copy.deepcopy(child))
    outer.append(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(root)
    return outer


def inner_signature_with_object(root):
    etree.SubElement(root.find("ds:Signature", NS), f"{{{DS}}}Object").text = "more"


def inner_partial(root):
    root.find(".//ds:Reference", NS).set("URI", "#part")


def inner_not_enveloped(root):
    transforms = root.find(".//ds:Transforms", NS)
    transforms.remove(transforms[0])


def inner_two_signatures(root):
    root.append(copy.deepcopy(root.find("ds:Signature", NS)))


def inner_hmac(root):
    root.find(".//ds:SignatureMethod", NS).set("Algorithm", f"{DS}hmac-sha1")


def inner_no_certificate(root):
    root.find(".//ds:X509Data", NS).clear()


def inner_other_root(root):
    root.tag = f"{{{XD}}}ApplicationRequest"


INNER = [
    inner_changed,
    inner_added,
    inner_unsigned,
    inner_wrapped,
    inner_wrapped_with_signature,
    inner_signature_with_object,
    inner_partial,
    inner_not_enveloped,
    inner_two_signatures,
    inner_hmac,
    inner_no_certificate,
    inner_other_root,
]


@pytest.mark.parametrize("attack", INNER, ids=lambda attack: attack.__name__)
def test_a_tampered_inner_answer_is_refused(dial_soap, teller, soap_document, key, attack):
    """The envelope's own signature is good: the inner one is verified all the same."""
    inner(attack)(teller)
    assert refused(dial_soap, soap_document, key).code == "signature_invalid"


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


def test_an_answer_for_another_customer_is_refused(dial_soap, teller, soap_document, key):
    teller.customer = "CORP-002"
    assert refused(dial_soap, soap_document, key).code == "wrong_customer"


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
