"""What may be read in a log: known secrets, usual places, and whatever looks like one."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors import Outcome
from connectors.masking import LONGEST, masked, without
from tests_unit.connectors.server import reply

IBAN = "DE89370400440532013000"
SPACED = "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize(
    "text",
    [
        f"<IBAN>{IBAN}</IBAN>",
        f"to {SPACED} and more words",
        f'{{"debtorAccount": "{IBAN.lower()}"}}',
        f"/accounts/{IBAN}/balances",
        f"text={quote(IBAN)}&x=1",
        f"text={SPACED.replace(' ', '+')}&x=1",
        base64.b64encode(f"<Document><IBAN>{IBAN}</IBAN></Document>".encode()).decode(),
        json.dumps({"file": base64.encodebytes(f"{'x' * 99}{IBAN}".encode()).decode()}),
        quote(base64.b64encode(f"<Document><IBAN>{IBAN}</IBAN></Document>".encode())),
    ],
)
def test_no_account_number_is_left(text):
    """Neither as it stands nor packed; country and last digits may be seen."""
    found = masked(text.encode())
    whole = "".join(char for char in found if char.isalnum()).upper()
    assert IBAN not in whole
    assert IBAN[4:18] not in whole
    for packed in (base64.b64encode(IBAN.encode()).decode()[:20],):
        assert packed not in found


@pytest.mark.parametrize(
    "text",
    [
        '{"client_secret": "hidden-1"}',
        '{"a": {"Access_Token" : "hid\\"hidden-1"}}',
        '{"accountNumber": 123456789, "x": "hidden"}'.replace('"hidden"', "1"),
        "grant_type=x&client_secret=hidden-1&scope=y",
        "<ns:Password>hidden-1</ns:Password>",
        '<Token kind="x">hidden-1</Token>',
        "Authorization: Bearer hidden-1\r\nHost: bank",
        "x-jws-signature: hidden-1",
        "<Othr><Id>123456789</Id></Othr>",
        "-----BEGIN PRIVATE KEY-----\nhidden-1\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhidden-1",
        "eyJhbGciOiJIUzI1NiJ9.hidden-1.x",
    ],
)
def test_the_usual_places_are_masked(text):
    found = masked(text.encode())
    assert "hidden-1" not in found
    assert "123456789" not in found


def test_what_explains_a_fault_stays():
    text = '{"tppMessages": [{"code": "FORMAT_ERROR", "text": "Amount 12.50 EUR is wrong"}]}'
    assert masked(text.encode()) == text
    xml = '<Stmt><Ntry><Amt Ccy="EUR">12.50</Amt><EndToEndId>BATCH-1</EndToEndId></Ntry></Stmt>'
    assert masked(xml.encode()) == xml


@given(st.text(min_size=4).filter(lambda text: text.strip("*") == text), st.binary(), st.binary())
def test_a_known_secret_is_nowhere(secret, before, after):
    """Wherever it stands in whatever bytes."""
    try:
        raw = secret.encode()
    except UnicodeEncodeError:
        return
    # What masking itself writes holds no secret.
    assume(secret not in "[0123456789 bytes, not text] [0123456789 characters] [PEM]")
    content = before + raw + after
    assert raw not in without(content, [secret])
    assert secret not in masked(content, [secret])


@given(st.binary(max_size=300))
def test_any_bytes_can_be_shown(content):
    masked(content).encode()


def test_long_bodies_are_cut_after_masking():
    body = b"word " * 20_000 + IBAN.encode() + b" word" * 80_000
    found = masked(body)
    assert len(found) < LONGEST + 100
    assert f"{len(body)} bytes in all" in found
    assert masked(b"\xff\xfe" * 10) == "[20 bytes, not text]"
    assert masked(("ä" * 300_000).encode()).startswith("ä")


# In an exchange


def test_bodies_are_recorded_only_when_asked_for(bank, dial_up, document, key):
    seen = []
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    dial_up(bank.url, observer=seen.append).submit(document, key)
    dial_up(bank.url, observer=seen.append, record_bodies=True).submit(document, key)
    assert (seen[0].request_body, seen[0].response_body) == ("", "")
    assert seen[1].request_body == document.content.decode()
    assert seen[1].response_body == '{"paymentId": "1"}'
    assert "<Document>" not in repr(seen[1])


def test_a_bank_that_repeats_a_secret_in_its_error_is_silenced(bank, dial_up, document, key, data):
    """The answer that is kept, its reasons and the exception hold the secret no more."""
    data["headers"]["X-Api-Key"] = "{api_key}"
    secret = "planted-key/4711&x"

    def echo(status):
        def answer(request, sock):
            said = urlencode({"key": request.headers["x-api-key"]}) + str(request.headers)
            error = {"tppMessages": [{"category": "ERROR", "code": "X", "text": said}]}
            return reply(request, status, error)

        return answer

    seen = []
    for status in (400, 500):
        bank.script = echo(status)
        connector = dial_up(
            bank.url, profile=data, secrets=frozenset(["api_key"]), record_bodies=True,
            observer=seen.append,
            variables={"contract_id": "C", "consent_id": "c", "api_key": secret},
        )
        with pytest.raises(Outcome) as caught:
            connector.submit(document, key)
        assert secret in str(bank.requests[-1].headers), "it was really used"
        kept = caught.value.content.decode() + repr(vars(caught.value)) + repr(seen)
        kept += "".join(exchange.response_body for exchange in seen)
        assert b"***" in caught.value.content
        assert secret not in kept
        assert quote(secret, safe="") not in kept
