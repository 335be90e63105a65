"""A notification signed with the bank's own key is accepted once, in time, and nobody else's is."""

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from connectors.notification import WINDOW, BadNotification
from connectors.notification_jws import LONGEST, verify
from tests_unit.connectors.kinds import tobase64, unbase64

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
STAMP = int(NOW.timestamp())
BODY = b'{"event": "statement-ready", "n": 1.10}'
P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
KEYS = {
    "RS256": RSA,
    "PS256": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ED25519,
    "Ed25519": ED25519,
}
PUBLIC = [RSA.public_key(), KEYS["ES256"].public_key(), KEYS["EdDSA"].public_key()]


def raw_sign(algorithm, text):
    """Sign by hand (RFC 7518, 3; RFC 8037, 3.1)."""
    key = KEYS[algorithm]
    if algorithm == "RS256":
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == "PS256":
        return key.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    if algorithm == "ES256":
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(text)


def sign(payload=BODY, algorithm="PS256", detached=True, iat=STAMP, **header):
    header = {"alg": algorithm, **({"iat": iat} if iat is not None else {}), **header}
    head = tobase64(json.dumps(header).encode())
    signature = tobase64(raw_sign(algorithm, f"{head}.{tobase64(payload)}".encode()))
    return f"{head}.{'' if detached else tobase64(payload)}.{signature}"


def refused(signature, body=BODY, keys=PUBLIC, **options):
    with pytest.raises(BadNotification) as caught:
        verify(keys, signature, body, **{"now": NOW, **options})
    return caught.value.code


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_allowed_way_of_signing(algorithm):
    for detached in (True, False):
        assert verify(PUBLIC, sign(algorithm=algorithm, detached=detached), BODY, now=NOW)
    whole = sign(algorithm=algorithm, detached=False).encode()
    assert verify(PUBLIC, "", whole, now=NOW)


def test_an_algorithm_that_is_not_allowed_here():
    assert refused(sign(algorithm="RS256"), algorithms=["PS256"]) == "signature"
    assert refused(sign(algorithm="RS256"), algorithms=["none", "HS256"]) == "signature"


def test_a_signature_is_of_this_body_and_this_key():
    assert refused(sign(), b"{}") == "signature"
    assert refused(sign(detached=False), b"{}") == "signature"
    assert refused(sign(), keys=[rsa.generate_private_key(65537, 2048).public_key()]) == "signature"
    assert refused(sign(), keys=[]) == "signature"


def test_the_time_may_be_in_the_signed_body():
    body = json.dumps({"iat": STAMP, "jti": "n1"}).encode()
    assert verify(PUBLIC, sign(body, iat=None), body, now=NOW)
    old = json.dumps({"iat": STAMP - 400}).encode()
    assert refused(sign(old, iat=None), old) == "expired"


def test_the_time_may_be_signed_in_front_of_the_body():
    stamp = str(STAMP)
    signature = sign(stamp.encode() + b"." + BODY, iat=None)
    assert verify(PUBLIC, signature, BODY, now=NOW, timestamp=stamp)
    assert refused(signature, timestamp=str(STAMP + 1)) == "signature"


def test_a_time_that_is_not_signed_counts_for_nothing():
    """Or whoever has heard a notification could send it again for ever."""
    assert refused(sign(iat=None), timestamp=str(STAMP)) == "timestamp"
    assert refused(sign(iat=None)) == "timestamp"


@pytest.mark.parametrize("way", [1, -1])
def test_the_window_bounds_both_directions(way):
    assert verify(PUBLIC, sign(), BODY, now=NOW + way * WINDOW)
    assert refused(sign(), now=NOW + way * (WINDOW + timedelta(seconds=1))) == "expired"


def test_an_end_is_respected_and_is_not_far_away():
    def until(**ahead):
        return sign(iat=None, exp=int((NOW + timedelta(**ahead)).timestamp()))

    assert verify(PUBLIC, until(minutes=1), BODY, now=NOW)
    assert refused(until(seconds=0)) == "expired"
    assert refused(until(seconds=LONGEST.total_seconds() + 1)) == "expired"
    assert refused(sign(exp=STAMP - 1)) == "expired", "both hold where both are there"


@pytest.mark.parametrize("iat", ["soon", True, [], {}, -1, 10**400, 1e300, float("nan"), ""])
def test_a_time_that_cannot_be_read(iat):
    assert refused(sign(iat=iat)) in ("timestamp", "expired", "signature")


def test_the_same_notification_has_one_mark_however_it_is_written():
    first = sign(algorithm="ES256")
    head, _, signature = first.split(".")
    raw = unbase64(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    # The other signature of the same text, which anybody can work out (SEC 1, 4.1.4).
    assert encode_dss_signature(r, P256 - s)
    twin = tobase64(r.to_bytes(32, "big") + (P256 - s).to_bytes(32, "big"))
    again = f"{head}..{twin}"
    assert again != first
    assert verify(PUBLIC, again, BODY, now=NOW) == verify(PUBLIC, first, BODY, now=NOW)
    other = b'{"event": "other"}'
    assert verify(PUBLIC, sign(other), other, now=NOW) != verify(PUBLIC, first, BODY, now=NOW)


def test_a_number_of_the_banks_tells_notifications_apart():
    one, same = sign(jti="n1"), sign(b"{}", jti="n1")
    assert verify(PUBLIC, one, BODY, now=NOW) == verify(PUBLIC, same, b"{}", now=NOW)
    assert verify(PUBLIC, sign(jti="n2"), BODY, now=NOW) != verify(PUBLIC, one, BODY, now=NOW)


def test_what_is_critical_must_be_understood():
    assert refused(sign(crit=["colour"], colour="red")) == "signature"
    assert refused(sign(crit=[])) == "signature"
    obie = {"http://openbanking.org.uk/iat": STAMP, "http://openbanking.org.uk/iss": "bank"}
    assert verify(PUBLIC, sign(iat=None, crit=list(obie), **obie), BODY, now=NOW)


@given(signature=st.text(max_size=200), body=st.binary(max_size=200), stamp=st.text(max_size=20))
def test_nothing_a_stranger_sends_is_accepted_or_breaks(signature, body, stamp):
    refused(signature, body, timestamp=stamp)


@given(st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_three_parts_of_anything_are_no_signature(parts):
    refused(".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts))
