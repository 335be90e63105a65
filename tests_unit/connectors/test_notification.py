"""A bank's notification is acted on only where the bank signed it, just now."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.notification import WINDOW, BadNotification, verify

SECRET = b"a secret of the bank and of us"
BODY = b'{"event": "statement-ready"}'
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
STAMP = "1772443800"
# printf '%s' '1772443800.{"event": …}' | openssl dgst -sha256 -hmac 'a secret of …'
SIGNATURE = "8203a6b04ac5f2c09e129c0dd9af596d494635a10b889cf0669e6aca5bbf7571"


def sign(stamp, body=BODY, separator="."):
    return hmac.new(SECRET, (stamp + separator).encode() + body, hashlib.sha256).hexdigest()


def refused(*args, now=NOW, **kwargs):
    with pytest.raises(BadNotification) as caught:
        verify(*args, now=now, **kwargs)
    return caught.value.code


def test_what_openssl_signed_is_accepted():
    assert verify(SECRET, STAMP, SIGNATURE, BODY, now=NOW) == SIGNATURE


@pytest.mark.parametrize(
    "spelling",
    [
        SIGNATURE.upper(),
        f"sha256={SIGNATURE}",
        f"v1={SIGNATURE}",
        base64.b64encode(bytes.fromhex(SIGNATURE)).decode(),
        f"sha256={base64.b64encode(bytes.fromhex(SIGNATURE)).decode()}",
    ],
)
def test_every_spelling_of_a_signature_is_one_notification(spelling):
    """A replay can't hide behind capital letters or base64."""
    assert verify(SECRET, STAMP, spelling, BODY, now=NOW) == SIGNATURE


@pytest.mark.parametrize(
    ("stamp", "separator", "signature"),
    [
        # Both made by openssl, as above.
        (
            "2026-03-02T09:30:00Z",
            "",
            "6b4072dd1e564bf7dc4ca27ba53cb67a45a96b27e3d97cce2a147e6e282b14a6",
        ),
        ("1772443800000", ".", "8b2b3c3d339f15697b88c383b7186505de6c812d2f72a08da14dccd68ef07eed"),
    ],
)
def test_banks_write_time_and_separator_differently(stamp, separator, signature):
    assert verify(SECRET, stamp, signature, BODY, now=NOW, separator=separator) == signature


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "0" * 64, "zz" * 32, "é" * 64, "====", "A" * 9999]
)
def test_a_wrong_signature_is_refused(signature):
    assert refused(SECRET, STAMP, signature, BODY) == "signature"


def test_body_time_and_secret_are_all_signed():
    assert refused(SECRET, STAMP, SIGNATURE, BODY + b" ") == "signature"
    assert refused(SECRET, "1772443801", SIGNATURE, BODY) == "signature"
    assert refused(b"another", STAMP, SIGNATURE, BODY) == "signature"
    assert refused(SECRET, STAMP, SIGNATURE, BODY, separator="") == "signature"


@pytest.mark.parametrize("sign_of_skew", [1, -1])
def test_the_window_bounds_both_directions(sign_of_skew):
    """Neither an old notification nor one from the future is accepted."""
    edge, beyond = NOW + sign_of_skew * WINDOW, NOW + sign_of_skew * (WINDOW + timedelta(seconds=1))
    assert verify(SECRET, STAMP, SIGNATURE, BODY, now=edge)
    assert refused(SECRET, STAMP, SIGNATURE, BODY, now=beyond) == "expired"


@pytest.mark.parametrize("stamp", ["", "soon", "2026-03-02T09:30:00", "9" * 400, "-1", "٣", "1e9"])
def test_a_time_that_cannot_be_read_is_refused_even_if_signed(stamp):
    assert refused(SECRET, stamp, sign(stamp), BODY) in ("timestamp", "expired")


@given(stamp=st.text(max_size=40), signature=st.text(max_size=80), body=st.binary(max_size=80))
def test_nothing_a_stranger_sends_is_accepted_or_breaks(stamp, signature, body):
    refused(SECRET, stamp, signature, body)
