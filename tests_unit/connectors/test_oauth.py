"""Tokens: fetched once, kept, renewed when turned down, bound to our certificate, never shown."""

import base64
import json
import logging
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest

from connectors import Identity, NotSent, SettingsError, Unavailable, Uncertain
from connectors.interface import FetchError
from connectors.tokens import MemoryTokens
from tests_unit.connectors.kinds import RsaPair, check_jws, thumbprint, tobase64
from tests_unit.connectors.server import BankServer, reply

PAID = {"transactionStatus": "RCVD", "paymentId": "pay-1"}
SECRET = "s3cr3t:with/colon & space"
TOKEN = "token-that-nobody-may-see"


@pytest.fixture(scope="module")
def our_pair():
    return RsaPair("our signing key")


class Desk:
    """The bank: hands out tokens at /token, and takes requests under the last one."""

    def __init__(self):
        self.answers = []  # for the token endpoint, before it gives tokens
        self.given = 0
        self.rejects = 0  # requests to turn down
        self.lifetime = 3600
        self.token = f"{TOKEN}-{{}}"
        self.pause = 0

    def __call__(self, request, sock):
        if request.path.startswith("/token"):
            time.sleep(self.pause)
            if self.answers:
                return reply(request, *self.answers.pop(0))
            self.given += 1
            token = self.token.format(self.given)
            return reply(request, 200, {"access_token": token, "token_type": "Bearer",
                                        "expires_in": self.lifetime})  # fmt: skip
        if self.rejects or request.headers.get("authorization") != (
            f"Bearer {self.token.format(self.given)}"
        ):
            self.rejects = max(self.rejects - 1, 0)
            return reply(request, 401, {"tppMessages": [{"code": "TOKEN_INVALID"}]})
        return reply(request, 201 if request.method == "POST" else 200, PAID)


@pytest.fixture
def desk(bank):
    bank.script = Desk()
    return bank.script


@pytest.fixture
def auth(data):
    data["secrets"] = ["client_secret"]
    data["auth"] = {"kind": "oauth2", "client": "secret_basic", "token": "/token", "scope": "pay"}
    return data["auth"]


@pytest.fixture
def call(bank, dial_up, data, auth):
    """Return a function that connects with these settings."""

    def make(**changes):
        variables = {"contract_id": "CORP-001", "consent_id": "consent-77",
                     "client_id": "our client", "client_secret": SECRET}  # fmt: skip
        if auth.get("client") != "secret_basic" and auth.get("client") != "secret_post":
            data["secrets"] = []
        return dial_up(bank.url, profile=data, variables=variables, **changes)

    return make


def asked(bank):
    """What the token endpoint was asked, as (headers, form)."""
    requests = [request for request in bank.requests if request.path.startswith("/token")]
    return [(r.headers, {k: v[0] for k, v in parse_qs(r.body.decode()).items()}) for r in requests]


def test_the_secret_in_a_header(bank, desk, call, document, key):
    call().submit(document, key)
    ((headers, form),) = asked(bank)
    scheme, pair = headers["authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(pair) == b"our+client:s3cr3t%3Awith%2Fcolon+%26+space"
    assert form == {"grant_type": "client_credentials", "scope": "pay"}
    assert bank.requests[-1].headers["authorization"] == f"Bearer {TOKEN}-1"


def test_the_secret_in_the_form(bank, desk, call, auth, document, key):
    auth |= {"client": "secret_post", "form": {"audience": "https://bank.example/{contract_id}"}}
    call().submit(document, key)
    ((headers, form),) = asked(bank)
    assert "authorization" not in headers
    assert form == {"grant_type": "client_credentials", "scope": "pay", "client_id": "our client",
                    "client_secret": SECRET,
                    "audience": "https://bank.example/CORP-001"}  # fmt: skip


def test_the_certificate_alone(bank, desk, call, auth, document, key):
    auth["client"] = "tls"
    call().submit(document, key)
    ((_, form),) = asked(bank)
    assert form == {"grant_type": "client_credentials", "scope": "pay", "client_id": "our client"}


def test_a_signed_assertion(bank, desk, call, auth, our_pair, document, key):
    auth |= {"client": "private_key_jwt", "assertion": {"key_id": "kid-1", "thumbprint": True}}
    call(signing=Identity(our_pair.certificate, our_pair.key_pem)).submit(document, key)
    ((_, form),) = asked(bank)
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    header, claims = check_jws(form["client_assertion"], our_pair.key.public_key())
    claims = json.loads(claims)
    assert (header["alg"], header["kid"]) == ("PS256", "kid-1")
    assert header["x5t#S256"] == thumbprint(our_pair.certificate)
    assert claims["iss"] == claims["sub"] == "our client"
    assert claims["aud"] == f"{bank.url}/token"
    assert 0 < claims["exp"] - time.time() <= 300
    assert abs(claims["iat"] - time.time()) < 10
    assert len(claims["jti"]) >= 32


def test_an_api_key(bank, dial_up, data, document, key):
    data["secrets"] = ["api_key"]
    data["auth"] = {"kind": "api_key", "header": "X-Api-Key", "value": "Key {api_key}"}
    bank.script = lambda request, sock: reply(request, 201, PAID)
    variables = {"contract_id": "C", "consent_id": "K", "api_key": "12345678"}
    dial_up(bank.url, profile=data, variables=variables).submit(document, key)
    assert bank.requests[0].headers["x-api-key"] == "Key 12345678"


def test_a_token_serves_until_it_ends(bank, desk, call, document, key):
    """One fetch serves payments, questions and other connectors with the same store."""
    store = MemoryTokens()
    moment = [datetime.now(timezone.utc)]
    first = call(token_store=store, now=lambda: moment[0])
    first.submit(document, key)
    first.inquire(key, document)
    call(token_store=store, now=lambda: moment[0]).submit(document, key)
    assert desk.given == 1
    moment[0] += timedelta(seconds=3575)
    first.submit(document, key)
    assert desk.given == 2, "a token about to end is not used"


def test_another_scope_or_secret_name_does_not_meet_an_old_token(desk, call, auth, document, key):
    store = MemoryTokens()
    call(token_store=store).submit(document, key)
    auth["scope"] = "pay read"
    call(token_store=store).submit(document, key)
    assert desk.given == 2


def test_many_at_once_fetch_one_token(bank, desk, call, make_settings, data, document, key):
    desk.pause = 0.3
    store = MemoryTokens()
    connectors = [call(token_store=store) for _ in range(5)]
    receipts = []
    threads = [
        threading.Thread(target=lambda c=c: receipts.append(c.submit(document, key)))
        for c in connectors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(receipts) == 5
    assert desk.given == 1


def test_who_waits_too_long_for_anothers_fetch_has_not_sent(bank, desk, call, document, key):
    store = MemoryTokens(patience=0.05)
    with store.alone("any"), pytest.raises(NotSent) as caught:
        call(token_store=store).submit(document, key)
    assert caught.value.code == "token_busy"
    assert not bank.requests


def test_a_token_turned_down_is_renewed_once(bank, desk, call, document, key):
    connector = call()
    connector.submit(document, key)
    desk.rejects = 1
    receipt = connector.submit(document, key)
    assert receipt.bank_reference["payment_id"] == "pay-1"
    assert desk.given == 2


def test_a_token_turned_down_twice_is_not_sent_and_says_what_to_do(bank, desk, call, document, key):
    desk.rejects = 2
    connector = call()
    with pytest.raises(NotSent) as caught:
        connector.submit(document, key)
    assert caught.value.code == "token_rejected"
    assert "registration" in caught.value.hint
    assert caught.value.permanent
    assert desk.given == 2, "and nobody asks for tokens in a loop"
    assert len([r for r in bank.requests if r.method == "POST" and r.path != "/token"]) == 2


def test_a_bank_that_may_have_acted_on_401_is_not_sent_to_again(
    bank, desk, call, data, document, key
):
    """Only where the profile says that 401 means "not sent" is the request repeated."""
    data["submit"]["answers"] = [{"status": 201, "means": "delivered"}]
    desk.rejects = 1
    with pytest.raises(Uncertain):
        call().submit(document, key)
    assert len([r for r in bank.requests if r.path != "/token"]) == 1


def test_a_401_to_another_request_repeats_nothing(bank, dial_up, call, document, key):
    desk = Desk()

    def script(request, sock):
        if request.path == "/token":
            return desk(request, sock)
        other = {"X-Request-ID": "00000000-0000-4000-8000-000000000000"}
        return reply(request, 401, {}, other)

    bank.script = script
    with pytest.raises(Uncertain) as caught:
        call().submit(document, key)
    assert caught.value.code == "wrong_echo"
    assert len([r for r in bank.requests if r.path != "/token"]) == 1


def test_reading_renews_a_token_too(bank, desk, call, document, key):
    desk.rejects = 1
    assert call().check().ok
    desk.rejects = 2
    with pytest.raises(FetchError) as caught:
        call().inquire(key, document)
    assert caught.value.code == "not_authorised"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, {"error": "invalid_client", "error_description": f"no {SECRET}"}), "token_refused"),
        ((400, {"error": "invalid_scope"}), "token_refused"),
        ((400, b"<html>"), "token_refused"),
        ((503, {}), "token_later"),
        ((429, {}), "token_later"),
        ((302, {}), "token_unusable"),
        ((200, b"<html>"), "token_unusable"),
        ((200, b"[1]"), "token_unusable"),
        ((200, b"\xff"), "token_unusable"),
        ((200, b"[" * 100_000), "token_unusable"),
        ((200, {"access_token": "x"}), "token_unusable"),
        ((200, {"access_token": "x", "token_type": "mac"}), "token_unusable"),
        ((200, {"access_token": 7, "token_type": "bearer"}), "token_unusable"),
        ((200, {"access_token": "a\r\nX-Evil: 1", "token_type": "bearer"}), "token_unusable"),
        ((200, {"access_token": "", "token_type": "bearer"}), "token_unusable"),
    ],
)
def test_without_a_token_nothing_is_sent(bank, desk, call, document, key, answer, code):
    desk.answers = [answer]
    with pytest.raises(NotSent) as caught:
        call().submit(document, key)
    assert caught.value.code == code
    assert caught.value.content == b"", "the answer might hold a token"
    assert SECRET not in str(vars(caught.value))
    assert [request.path for request in bank.requests] == ["/token"]


def test_a_reading_waits_for_a_token_endpoint_that_rests(desk, call, document, key):
    desk.answers = [(503, {})]
    with pytest.raises(Unavailable) as caught:
        call().inquire(key, document)
    assert caught.value.code == "token_later"


def test_a_silent_token_endpoint_leaves_no_doubt(bank, desk, call, document, key):
    """The request itself never left, so the hint is not to ask the bank about it."""
    bank.script = bank.hang
    with pytest.raises(NotSent) as caught:
        call().submit(document, key)
    assert caught.value.code == "read_timeout"
    assert "Nothing needs to be done" in caught.value.hint


def test_a_token_endpoint_of_its_own_is_guarded_like_the_bank(
    bank, desk, call, auth, server_pair, foreign, document, key
):
    """Another host may give tokens, but only one that the connection trusts."""
    stranger = foreign.issue("auth", hosts=["127.0.0.1"])
    with BankServer(stranger) as server:
        auth["token"] = f"{server.url}/token"
        with pytest.raises(NotSent) as caught:
            call().submit(document, key)
        assert caught.value.code == "tls_untrusted"
        assert f":{server.port}" in caught.value.message
        assert not server.requests
    with BankServer(server_pair, script=desk) as server:
        auth["token"] = f"{server.url}/token"
        call().submit(document, key)
        assert desk.given == 1


@pytest.mark.parametrize("token", ["http://b.example/t", "//evil/t", "ftp://x", "{a}{b}"])
def test_a_token_address_is_checked_with_the_profile(auth, call, token):
    auth["token"] = token
    with pytest.raises(SettingsError) as caught:
        call()
    assert "auth.token" in caught.value.message


def jwt(claims):
    parts = [tobase64(json.dumps(part).encode()) for part in ({"alg": "PS256"}, claims)]
    return ".".join([*parts, "c2ln"])


def test_a_token_bound_to_our_certificate(desk, call, auth, client, document, key):
    auth["bound"] = True
    desk.token = jwt({"cnf": {"x5t#S256": thumbprint(client.certificate)}})
    call().submit(document, key)
    assert desk.given == 1


@pytest.mark.parametrize("bound", [True, False])
def test_a_token_bound_to_another_certificate_is_told(
    desk, call, auth, our_pair, document, key, bound
):
    auth["bound"] = bound
    desk.token = jwt({"cnf": {"x5t#S256": thumbprint(our_pair.certificate)}})
    with pytest.raises(NotSent) as caught:
        call().submit(document, key)
    assert caught.value.code == "token_unbound"


def test_a_token_that_should_be_bound_and_is_not(desk, call, auth, document, key):
    auth["bound"] = True
    desk.token = jwt({"sub": "us"})
    with pytest.raises(NotSent) as caught:
        call().submit(document, key)
    assert caught.value.code == "token_unbound"


def test_a_store_that_fails_costs_a_fetch_and_no_payment(desk, call, document, key, caplog):
    class Broken(MemoryTokens):
        def get(self, name):
            raise OSError("gone")

        put = drop = get

    connector = call(token_store=Broken())
    connector.submit(document, key)
    connector.submit(document, key)
    assert desk.given == 2
    assert TOKEN not in caplog.text


def test_neither_token_nor_secret_is_shown(bank, desk, call, document, key, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    connector = call(observer=seen.append)
    receipt = connector.submit(document, key)
    desk.rejects = 2
    with pytest.raises(NotSent) as caught:
        connector.submit(document, key)
    told = (
        caplog.text + repr(seen) + repr(receipt) + repr(vars(caught.value)) + repr(connector.auth)
    )
    assert TOKEN not in told
    assert SECRET not in told
    assert len(seen) == len(bank.requests), "token requests are observed as well"


def test_the_check_may_be_that_a_token_is_given(bank, desk, call, data):
    data["check"] = {"expect": "token"}
    health = call().check()
    assert health.ok
    assert not health.permissions, "the answer with the token is not kept"
    desk.answers = [(401, {"error": "invalid_client"})]
    health = call().check()
    assert not health.ok
    (failed,) = [check for check in health.checks if check.ok is False]
    assert (failed.step, failed.code) == ("answer", "token_refused")
