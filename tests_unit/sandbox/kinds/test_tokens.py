"""Tokens: who gets one, for how long, and on which certificate it works."""

import base64
import hashlib
import json
import ssl
import time
import uuid

import pytest
import requests
from jwcrypto import jwk, jws, jwt

from sandbox.bank import Bank
from sandbox.kinds import make

PATH = "/api/reports"


def refused(answer, code="invalid_client", status=401):
    assert (answer.status_code, answer.json().get("error")) == (status, code), answer.text
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("auth", ["secret_basic", "secret_post", "tls", "private_key_jwt"])
def test_a_token_opens_the_channel_and_nothing_else_does(channel, auth):
    client = channel("bearer", auth=auth)
    answer = client.ask_token(scope="accounts payments")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 300)
    for value in (None, "Bearer nonsense", f"Basic {told['access_token']}"):
        closed = client.request("GET", PATH, headers={"Authorization": value})
        assert closed.status_code == 401
        assert closed.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.request("GET", PATH, headers={
        "Authorization": f"Bearer {told['access_token']}"}).status_code == 200


def test_a_client_shows_who_it_is_only_as_agreed(channel):
    client = channel("multipart")
    own = client.channel["clientId"]
    quoted = requests.utils.quote(own, safe="")
    for auth in (f"{quoted}:wrong", "somebody:else", f"{own}:{client.channel['clientSecret']}",
                 "no colon"):
        # The third is right but for the encoding of section 2.3.1.
        refused(client.ask_token(auth=f"Basic {base64.b64encode(auth.encode()).decode()}"))
    refused(client.ask_token(auth="Basic ?"))
    refused(client.ask_token(auth="", client_id=own, client_secret=client.channel["clientSecret"]))
    refused(client.ask_token(client_secret=client.channel["clientSecret"]), "invalid_request", 400)
    refused(client.ask_token(grant_type="password"), "unsupported_grant_type", 400)
    refused(client.ask_token(scope="payments everything"), "invalid_scope", 400)
    refused(client.ask_token(client_id="somebody"))
    assert client.ask_token().status_code == 200


def test_a_parameter_sent_twice_is_refused(channel):
    client = channel("bearer")
    answer = client.session.post(
        f"{client.url}/oauth2/token", timeout=60,
        data="grant_type=client_credentials&client_id=a&client_id=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    refused(answer, "invalid_request", 400)


def unsigned(client):
    def part(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    now = int(time.time())
    return part({"alg": "none"}) + "." + part({
        "iss": client.channel["clientId"], "sub": client.channel["clientId"], "exp": now + 60,
        "aud": f"{client.url}/oauth2/token", "jti": str(uuid.uuid4())}) + "."


def with_the_certificate_as_secret(client):
    """The old trick: HS256, keyed with what is public."""
    token = jws.JWS(json.dumps({
        "iss": client.channel["clientId"], "sub": client.channel["clientId"],
        "aud": f"{client.url}/oauth2/token", "exp": int(time.time()) + 60,
        "jti": str(uuid.uuid4())}).encode())
    key = base64.urlsafe_b64encode(client.certificate).rstrip(b"=").decode()
    token.add_signature(jwk.JWK(kty="oct", k=key), None, '{"alg": "HS256"}')
    return token.serialize(compact=True)


@pytest.mark.parametrize("hostile", [
    unsigned, with_the_certificate_as_secret,
    lambda c: c.assertion(iss="somebody"), lambda c: c.assertion(sub="somebody"),
    lambda c: c.assertion(aud="https://other.example/token"), lambda c: c.assertion(aud=None),
    lambda c: c.assertion(exp=int(time.time()) - 120), lambda c: c.assertion(exp=None),
    lambda c: c.assertion(exp=int(time.time()) + 86400), lambda c: c.assertion(exp="soon"),
    lambda c: c.assertion(iat=int(time.time()) + 600),
    lambda c: c.assertion(nbf=int(time.time()) + 600), lambda c: c.assertion(jti=None),
    lambda c: c.assertion(key=jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(True, None)),
    lambda c: c.assertion(header={"kid": "other"}),
    lambda c: c.assertion(key=(c.folder / "client.key").read_bytes()),
    lambda c: c.assertion()[:-6] + "AAAAAA", lambda c: "a.b", lambda c: c.assertion() + ".x"])
def test_an_assertion_that_is_off_in_anything_gets_no_token(channel, hostile):
    client = channel("sealed")
    refused(client.ask_token(client_assertion=hostile(client)))


def test_an_assertion_is_good_once(channel):
    client = channel("sealed")
    assertion = client.assertion()
    assert client.ask_token(client_assertion=assertion).status_code == 200
    refused(client.ask_token(client_assertion=assertion))


def renewed(client):
    """A session with a second certificate of the same contract."""
    bank = Bank(client.bank.folder)
    out = client.folder.parent / f"{client.folder.name}-renewed"
    bank.enrol(client.contract["contractId"], "Renewed GmbH", out, None, [], "08", True, None,
               make(client.channel["kind"], {}))
    session = requests.Session()
    session.trust_env = False
    session.cert, session.verify = (str(out / "client.pem"), str(out / "client.key")), str(
        out / "ca.pem")
    return session


def test_a_token_works_only_on_the_certificate_that_asked_for_it(channel):
    """Not on another one of the same contract, and not on another contract's."""
    client, other = channel("bearer"), channel("bearer")
    assert client.request("GET", PATH).status_code == 200
    for session in (renewed(client), other.session):
        answer = client.request("GET", PATH, session=session)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_of_json_says_to_which_certificate_it_is_bound(channel):
    client = channel("multipart")
    token = client.ask_token().json()["access_token"]
    read = jwt.JWT(jwt=token, key=jwk.JWK.from_pem(client.bank_certificate), algs=["PS256"])
    claims = json.loads(read.claims)
    der = ssl.PEM_cert_to_DER_cert((client.folder / "client.pem").read_text())
    mark = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    assert claims["cnf"] == {"x5t#S256": mark}
    assert claims["client_id"] == client.channel["clientId"]
    assert claims["exp"] - claims["iat"] == 300


def test_a_token_expires_by_real_time(channel):
    client = channel("bearer", bearer_seconds=1)
    assert client.request("GET", PATH).status_code == 200
    time.sleep(2.1)
    answer = client.request("GET", PATH)
    assert answer.status_code == 401
    assert "expired" in answer.text


def test_a_token_expires_by_the_banks_clock(bank, channel_at):
    client = channel_at(bank, "bearer", bearer_clock="bank", bearer_seconds=600)
    assert client.request("GET", PATH).status_code == 200
    bank.advance(advance="9m")
    assert client.request("GET", PATH).status_code == 200
    bank.advance(advance="1m")
    assert client.request("GET", PATH).status_code == 401


def test_the_desk_revokes_tokens(shared_bank, channel):
    client = channel("bearer")
    assert client.request("GET", PATH).status_code == 200
    contract = client.contract["contractId"]
    assert shared_bank.desk("POST", f"/admin/contracts/{contract}/revoke-tokens",
                            json={})["revoked"] == 1
    assert client.request("GET", PATH).status_code == 401
    client._token = None
    assert client.request("GET", PATH).status_code == 200


def test_a_scope_that_was_not_given_is_missing(channel, transfer):
    client = channel("bearer")
    client._token = client.ask_token(scope="accounts").json()["access_token"]
    assert client.request("GET", PATH).status_code == 200
    answer = client.submit(transfer(client))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_an_api_key_is_the_contracts_own(channel):
    client, other = channel("json"), channel("json")
    assert client.request("GET", PATH).status_code == 200
    for key in (None, "", other.channel["apiKey"]["value"]):
        assert client.request("GET", PATH, headers={"X-Api-Key": key}).status_code == 401
