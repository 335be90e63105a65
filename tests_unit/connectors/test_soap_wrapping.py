"""Signature wrapping and tampering, in both layers of an answer.

Each attack begins with a good answer; ``test_the_untouched_answer_is_believed`` shows that it is
the attack, and not the way it is made, that is refused.
"""

import copy

import pytest
from lxml import etree

from tests_unit.connectors.soap_attacks import edit, refused
from tests_unit.connectors.soap_bank import DS, NS, SOAP, WSU, XD

ID = f"{{{WSU}}}Id"


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
