"""A tiny customer for each kind of channel: requests, a JOSE library of its own, and the HTTP
signature written down from the draft. Nothing of the bank's code takes part in what it sends."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import json
import time
import uuid
from urllib.request import parse_http_list

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from jwcrypto import jwe, jwk, jws
from jwcrypto.common import JWSEHeaderParameter

from sandbox import kinds
from sandbox.bank import Bank
from sandbox.customers import AccountOrder

CLAIM = "http://openbanking.org.uk/"


def der_of(pem):
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


class Client:
    """A customer's side of a channel. What it sends can be made wrong in each place.

    :ivar extra: further headers of every request
    """

    def __init__(self, bank, folder):
        self.bank, self.folder = bank, folder
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cert = (str(folder / "client.pem"), str(folder / "client.key"))
        self.session.verify = str(folder / "ca.pem")
        self.contract = json.loads((folder / "contract.json").read_text())
        self.channel = self.contract["channel"]
        self.account = self.contract["accounts"][0] if self.contract["accounts"] else None
        self.key = (folder / "signing.key").read_bytes()
        self.certificate = (folder / "signing.pem").read_bytes()
        self.bank_certificate = (folder / "bank-signing.pem").read_bytes()
        self.extra = {}
        self._token = None

    @property
    def url(self):
        return f"https://localhost:{self.bank.ports['port']}"

    # Tokens

    def assertion(self, key=None, header=None, **claims):
        now = int(time.time())
        told = {"iss": self.channel["clientId"], "sub": self.channel["clientId"],
                "aud": f"{self.url}/oauth2/token", "iat": now, "exp": now + 60,
                "jti": str(uuid.uuid4()), **claims}
        told = {name: value for name, value in told.items() if value is not None}
        token = jws.JWS(json.dumps(told).encode())
        token.add_signature(jwk.JWK.from_pem(key or self.key), None, json.dumps(
            {"alg": "PS256", "kid": self.channel["keyId"], **(header or {})}))
        return token.serialize(compact=True)

    def ask_token(self, auth=None, session=None, **form):
        """The token endpoint's answer; ``form`` fields that are None are left out."""
        fields, basic = {"grant_type": "client_credentials"}, None
        way, client = self.channel["auth"], self.channel["clientId"]
        if way == "secret_basic":
            quoted = [requests.utils.quote(part, safe="")
                      for part in (client, self.channel["clientSecret"])]
            basic = "Basic " + base64.b64encode(":".join(quoted).encode()).decode()
        elif way == "secret_post":
            fields.update(client_id=client, client_secret=self.channel["clientSecret"])
        elif way == "tls":
            fields.update(client_id=client)
        else:
            fields.update(client_assertion_type="urn:ietf:params:oauth:client-assertion-type:"
                                                "jwt-bearer")
            if "client_assertion" not in form:
                fields.update(client_assertion=self.assertion())
        fields = {k: v for k, v in {**fields, **form}.items() if v is not None}
        basic = auth if auth is not None else basic
        return (session or self.session).post(
            f"{self.url}/oauth2/token", data=fields, timeout=60,
            headers={"Authorization": basic} if basic else {})

    def token(self):
        if self._token is None:
            answer = self.ask_token()
            assert answer.status_code == 200, answer.text
            self._token = answer.json()["access_token"]
        return self._token

    # Requests

    def identity(self):
        if self.channel["auth"] == "api_key":
            return {"X-Api-Key": self.channel["apiKey"]["value"]}
        if self.channel["auth"] == "certificate":
            return {}
        return {"Authorization": f"Bearer {self.token()}"}

    def http_signature(self, method, path, headers, body, names=None, key=None,
                       algorithm="rsa-sha256", certificate=None, key_id=None):
        """Headers of draft-cavage-http-signatures-12 with a digest."""
        own = x509.load_pem_x509_certificate(certificate or self.certificate)
        headers = {"Date": email.utils.formatdate(usegmt=True), **headers}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers.setdefault("Digest", f"SHA-256={digest}")
        names = names or ["(request-target)", "date", "x-request-id",
                          *(["digest"] if body else [])]
        low = {name.lower(): value for name, value in headers.items()}
        low["(request-target)"] = f"{method.lower()} {path}"
        text = "\n".join(f"{name}: {low.get(name, '')}" for name in names).encode()
        private = serialization.load_pem_private_key(key or self.key, None)
        raw = base64.b64encode(private.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
        key_id = key_id or f"SN={own.serial_number:X},CA={own.issuer.rfc4514_string()}"
        pem = base64.b64encode(der_of(certificate or self.certificate)).decode()
        return {**headers, "TPP-Signature-Certificate": pem, "Signature":
                f'keyId="{key_id}",algorithm="{algorithm}",headers="{" ".join(names)}",'
                f'signature="{raw}"'}

    def jws_signature(self, body, key=None, encoded=True, **members):
        """A detached JWS; members that are None are left out."""
        told = {"alg": "PS256", "kid": self.channel["keyId"], f"{CLAIM}iat": int(time.time()),
                f"{CLAIM}iss": self.channel["jws"]["issuer"],
                f"{CLAIM}tan": self.channel["jws"]["trustAnchor"],
                "crit": [f"{CLAIM}iat", f"{CLAIM}iss", f"{CLAIM}tan"]}
        if not encoded:
            told.update(b64=False, crit=["b64", *told["crit"]])
        told = {k: v for k, v in {**told, **members}.items() if v is not None}

        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        head = part(json.dumps(told).encode())
        private = serialization.load_pem_private_key(key or self.key, None)
        signature = private.sign(
            head + b"." + (part(body) if encoded else body),
            padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return f"{head.decode()}..{part(signature).decode()}"

    def seal(self, content, signed_by=None, **members):
        """A JWS in a JWE for the bank."""
        inner = jws.JWS(content)
        inner.add_signature(jwk.JWK.from_pem(signed_by or self.key), None, json.dumps(
            {"alg": "PS256", "kid": self.channel["keyId"]}))
        pem = x509.load_pem_x509_certificate((self.folder / "bank-encryption.pem").read_bytes())
        public = pem.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        sealed = jwe.JWE(inner.serialize(compact=True).encode(), json.dumps(
            {"alg": "RSA-OAEP-256", "enc": "A256GCM", **members}))
        sealed.add_recipient(jwk.JWK.from_pem(public))
        return sealed.serialize(compact=True)

    def request(self, method, path, body=None, headers=None, sign=None, session=None):
        """One request; ``sign`` replaces the headers of the signature, or {} leaves them out."""
        headers = {"X-Request-ID": str(uuid.uuid4()), **self.identity(), **self.extra,
                   **(headers or {})}
        if sign is not None:
            headers.update(sign)
        elif self.channel["signature"] == "http":
            headers = self.http_signature(method, path, headers, body)
        elif self.channel["signature"] == "jws" and body:
            headers["x-jws-signature"] = self.jws_signature(body)
        headers = {name: value for name, value in headers.items() if value is not None}
        return (session or self.session).request(method, self.url + path, data=body,
                                                 headers=headers, timeout=60)

    def pack(self, content):
        """Body and content type of the kind."""
        text = base64.b64encode(content).decode()
        form = self.channel["body"]
        if form == "multipart":
            prepared = requests.Request("POST", self.url, data={"note": "hello"}, files={
                "file": ("p.xml", content, "application/xml")}).prepare()
            return prepared.body, prepared.headers["Content-Type"]
        if form == "xml_base64":
            return (f"<Order><paymentBase64>{text}</paymentBase64></Order>".encode(),
                    "application/xml")
        if form == "json":
            return json.dumps({"content": text, "numberOfTransactions": 1, "sha256":
                               hashlib.sha256(content).hexdigest()}).encode(), "application/json"
        if form == "sealed":
            return json.dumps({"payload": self.seal(content)}).encode(), "application/json"
        return content, "application/xml"

    def submit(self, content, key=None, **options):
        body, media = self.pack(content)
        headers = {"Content-Type": media}
        if self.channel["key"]:
            headers[self.channel["key"]] = key or str(uuid.uuid4())
        headers.update(options.pop("headers", {}))
        return self.request("POST", "/api/payments", body, headers, **options)

    # What the bank signs

    def check_jws(self, answer):
        """The answer's header, if its detached JWS is the bank's."""
        head, _nothing, mark = answer.headers["x-jws-signature"].split(".")
        shown = base64.urlsafe_b64encode(answer.content).rstrip(b"=").decode()
        token = jws.JWS(header_registry={
            f"{CLAIM}{name}": JWSEHeaderParameter("claim", True, True, None)
            for name in ("iat", "iss", "tan")})
        token.deserialize(f"{head}.{shown}.{mark}")
        token.verify(jwk.JWK.from_pem(self.bank_certificate), "PS256")
        return json.loads(base64.urlsafe_b64decode(head + "=="))

    def check_http(self, answer):
        """Digest and signature of an answer are right, and the bank's."""
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        assert answer.headers["Digest"] == f"SHA-256={digest}"
        given = dict(part.split("=", 1) for part in
                     parse_http_list(answer.headers["Signature"]))
        given = {name: value.strip('"') for name, value in given.items()}
        names = given["headers"].split()
        assert {"digest", "date", "x-request-id"} <= {*names}
        text = "\n".join(f"{name}: {answer.headers[name]}" for name in names).encode()
        public = x509.load_pem_x509_certificate(self.bank_certificate).public_key()
        public.verify(base64.b64decode(given["signature"]), text, padding.PKCS1v15(),
                      hashes.SHA256())


def enrol_channel(bank, kind, contract=None, accounts=(":EUR:100000.00",), hook=None, **choices):
    """A customer with a channel of a kind."""
    contract = contract or f"C-{kind.replace('_', '-')}-{uuid.uuid4().hex[:6]}"
    out = bank.folder.parent / contract
    Bank(bank.folder).enrol(contract, f"{kind} GmbH", out, None,
                            [AccountOrder.parse(order) for order in accounts], "08", True, None,
                            kinds.make(kind, choices), hook)
    return Client(bank, out)


@pytest.fixture
def channel(shared_bank):
    def work(kind, **choices):
        return enrol_channel(shared_bank, kind, **choices)

    return work


@pytest.fixture
def channel_at():
    return enrol_channel


@pytest.fixture
def transfer(pain001, iban):
    """Make a pain.001 with one transfer of 12.50 euros."""
    def work(client, reference="E2E-1", amount="12.50", trigger=None, **changes):
        return pain001(client.account["iban"], [(reference, iban("DE", trigger), amount)],
                       **changes).bytes()

    return work
