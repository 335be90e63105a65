"""Fixtures: a certificate authority, our identity, and connectors to scripted TLS servers."""

import copy
import uuid

import pytest

from connectors import Document, Identity, Settings, Timeouts, Trust, connect, profile
from tests_unit.connectors.authority import Authority
from tests_unit.connectors.server import BankServer


@pytest.fixture(scope="session")
def authority():
    return Authority("Test CA")


@pytest.fixture(scope="session")
def foreign():
    return Authority("Another CA")


@pytest.fixture(scope="session")
def client(authority):
    return authority.issue("Customer 4711")


@pytest.fixture(scope="session")
def server_pair(authority):
    return authority.issue("bank", hosts=["127.0.0.1", "localhost", "::1"])


@pytest.fixture
def bank(server_pair, authority):
    with BankServer(server_pair, authority.pem) as server:
        yield server


@pytest.fixture
def data():
    """The sandbox profile, to be changed by a test at will."""
    return copy.deepcopy(profile("sandbox"))


@pytest.fixture
def make_settings(authority, client):
    def make(url, **changes):
        values = {
            "url": url,
            "profile": "sandbox",
            "identity": Identity(client.certificate, client.key_pem()),
            "trust": Trust(authority.pem),
            "variables": {"contract_id": "CORP-001", "consent_id": "consent-77"},
            "allow_private": True,
            "timeouts": Timeouts(connect=2, read=1, total=3),
        }
        return Settings(**{**values, **changes})

    return make


@pytest.fixture
def dial_up(make_settings):
    """Return a function that connects; all connectors are closed at the end."""
    opened = []

    def make(url, **changes):
        opened.append(connect("rest", make_settings(url, **changes)))
        return opened[-1]

    yield make
    for connector in opened:
        connector.close()


@pytest.fixture
def document():
    return Document(b"<Document>pay</Document>", "pain.001.001.09", service_level="SEPA")


@pytest.fixture
def key():
    return str(uuid.uuid4())
