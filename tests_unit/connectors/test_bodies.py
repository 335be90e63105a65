"""A message reaches the bank in the wrapping that its profile names, and comes out whole."""

import base64
import email
import email.policy
import json
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import Document, NotSent, SettingsError
from connectors.rest_profile import RestProfile
from connectors.templates import fill, fill_json, fill_xml
from tests_unit.connectors.kinds import RsaPair, check_jws, open_jwe
from tests_unit.connectors.server import reply

PAID = {"transactionStatus": "RCVD", "paymentId": "pay-1"}
CONTENT = "<Document>Müller & “Söhne”</Document>\r\n".encode()


@pytest.fixture(scope="module")
def bank_pair():
    return RsaPair("bank's sealing key")


@pytest.fixture(scope="module")
def our_pair():
    return RsaPair("our signing key")


@pytest.fixture
def sent(bank, dial_up, data, key):
    """Return a function that submits under a body's settings, and returns the bank's request."""

    def send(body, document=None, **changes):
        data["submit"]["body"] = body
        bank.script = lambda request, sock: reply(request, 201, PAID)
        document = document or Document(
            CONTENT,
            "pain.001.001.09",
            service_level="SEPA",
            name="B/1",
            transactions=2,
            control_sum=Decimal("1234567890123.10"),
        )
        dial_up(bank.url, profile=data, **changes).submit(document, key)
        return bank.requests[-1]

    return send


def test_a_multipart_form_holds_the_exact_file(sent):
    body = {
        "kind": "multipart",
        "part": "xml_sct",
        "file_name": "{name}.xml",
        "fields": {"count": "{transactions}"},
    }
    first, again = sent(body), sent(body)
    assert first.body == again.body, "every attempt sends the same bytes"
    head = f"Content-Type: {first.headers['content-type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + first.body, policy=email.policy.HTTP)
    field, file = form.iter_parts()
    assert field.get_param("name", header="content-disposition") == "count"
    assert field.get_payload() == "2"
    assert file.get_param("name", header="content-disposition") == "xml_sct"
    assert file.get_filename() == "B/1.xml"
    assert file.get_content_type() == "application/xml"
    assert CONTENT in first.body


def test_base64_inside_xml(sent):
    template = "<Request xmlns='urn:x'><id>{key}</id><data>{content_base64}</data></Request>"
    request = sent({"kind": "xml", "template": template})
    root = ElementTree.fromstring(request.body)
    assert base64.b64decode(root.find("{urn:x}data").text) == CONTENT
    assert request.headers["content-type"] == "application/xml"


def test_json_with_the_file_and_with_numbers_digit_by_digit(sent, key):
    request = sent({"kind": "json", "template": {
        "file": {"data": "{content_base64}", "hash": "{sha256_base64}"}, "text": "{content}",
        "sum": "number:{control_sum}", "count": "number:{transactions}", "ids": ["{key_hex}"],
        "fixed": True,
    }})  # fmt: skip
    said = json.loads(request.body, parse_float=Decimal)
    assert base64.b64decode(said["file"]["data"]) == CONTENT
    assert said["text"].encode() == CONTENT
    assert b'"sum":1234567890123.10,' in request.body
    assert said["count"] == 2
    assert said["ids"] == [key.replace("-", "")]
    assert said["fixed"] is True
    assert request.headers["content-type"] == "application/json"


def test_a_sealed_payload_opens_with_the_banks_key_alone(sent, bank_pair):
    request = sent(
        {"kind": "sealed", "members": {"kid": "bank-7"}}, encrypt_for=bank_pair.certificate
    )
    header, content = open_jwe(request.body.decode(), bank_pair.key)
    assert header["kid"] == "bank-7"
    assert content == CONTENT
    assert request.headers["content-type"] == "application/jose"


def test_a_payload_is_signed_before_it_is_sealed(sent, bank_pair, our_pair, make_settings):
    from connectors import Identity

    request = sent(
        {"kind": "sealed", "sign": "PS256", "template": {"payload": "{sealed}"}},
        encrypt_for=bank_pair.certificate,
        signing=Identity(our_pair.certificate, our_pair.key_pem),
    )
    _, inner = open_jwe(json.loads(request.body)["payload"], bank_pair.key)
    header, content = check_jws(inner.decode(), our_pair.key.public_key())
    assert header["alg"] == "PS256"
    assert content == CONTENT


def test_without_the_banks_key_nothing_can_be_sealed(sent, authority):
    with pytest.raises(SettingsError) as caught:
        sent({"kind": "sealed"})
    assert caught.value.code == "encryption"
    with pytest.raises(SettingsError) as caught:
        sent({"kind": "sealed"}, encrypt_for=authority.pem)  # an EC key
    assert caught.value.code == "encryption"


def test_a_key_that_cannot_sign_so_is_told_at_once(sent, bank_pair):
    """The client's key is of an elliptic curve, which PS256 is not for."""
    with pytest.raises(SettingsError) as caught:
        sent({"kind": "sealed", "sign": "PS256"}, encrypt_for=bank_pair.certificate)
    assert caught.value.code == "key"


@pytest.mark.parametrize(
    "template", [{"n": "{control_sum}"}, {"n": "number:{name}"}, {"text": "{content}"}]
)
def test_what_the_message_does_not_have_is_told_before_anything_is_sent(bank, sent, template):
    document = Document(b"\xff<x/>", "pain.001.001.09", service_level="SEPA", name="no number")
    with pytest.raises(NotSent) as caught:
        sent({"kind": "json", "template": template}, document)
    assert caught.value.code in ("template_value", "request_invalid")
    assert not bank.requests


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "fax"}, "submit.body.kind must be one of"),
        ({"kind": "xml"}, "submit.body.template is missing"),
        ({"kind": "xml", "template": "<a>{content}</b>"}, "must be well-formed XML"),
        ({"kind": "xml", "template": "<!DOCTYPE a []><a/>"}, "must be well-formed XML"),
        ({"kind": "json", "template": "text"}, "submit.body.template must be of type dict"),
        ({"kind": "json", "template": {"a": "{sealed}"}}, "cannot hold {sealed}"),
        ({"kind": "sealed", "template": {"a": "b"}}, "must hold {sealed}"),
        ({"kind": "sealed", "sign": "none"}, "submit.body.sign must be one of"),
        ({"kind": "sealed", "sign": "HS256"}, "submit.body.sign must be one of"),
        ({"kind": "sealed", "members": {"alg": "x"}}, "cannot hold alg"),
        ({"kind": "multipart", "colour": "x"}, "submit.body.colour is not known"),
    ],
)
def test_a_mistake_in_a_body_is_named(data, body, said):
    data["submit"]["body"] = body
    with pytest.raises(SettingsError) as caught:
        RestProfile.from_dict(data)
    assert said in caught.value.message


@given(st.text(), st.text())
def test_no_value_breaks_out_of_a_json_template(one, two):
    said = json.loads(fill_json({"a": "{one}-{two}", "b": ["{two}"]}, {"one": one, "two": two}))
    assert said == {"a": f"{one}-{two}", "b": [two]}


xml_text = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")
)


@given(xml_text)
def test_no_value_breaks_out_of_an_xml_template(value):
    root = ElementTree.fromstring(fill_xml("<a x='{v}'><b>{v}</b></a>", {"v": value}))
    assert list(root) == [root.find("b")]
    assert (root.find("b").text or "") == value
    assert root.attrib == {"x": value}


@given(st.text(min_size=1))
def test_no_value_breaks_out_of_a_path(value):
    filled = fill("/v1/{v}/end", {"v": value}, url=True)
    assert re.fullmatch(r"/v1/[A-Za-z0-9%._~-]+/end", filled)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_number_keeps_its_digits(value):
    text = format(value, "f")
    assert fill_json({"n": "number:{v}"}, {"v": text}) == f'{{"n":{text}}}'.encode()
