"""Fixtures of the SOAP tests: RSA identities, the bank, and connectors to it."""

import copy

import pytest

from connectors import Document, Identity, Settings, Timeouts, Trust, connect, profile
from tests_unit.connectors.authority import Authority
from tests_unit.connectors.server import BankServer
from tests_unit.connectors.soap_bank import SoapBank


@pytest.fixture(scope="session")
def signing_authority():
    """What the bank's signing certificates are issued by; the TLS ones by another."""
    return Authority("Bank Signing CA")


@pytest.fixture(scope="session")
def own_signing(signing_authority):
    """Ours, which the bank's own authority issued, as banks do."""
    return signing_authority.issue("CORP-001", bits=2048)


@pytest.fixture(scope="session")
def bank_signing(signing_authority):
    return signing_authority.issue("Bank Web Services", bits=2048)


@pytest.fixture
def teller(bank_signing, own_signing):
    """The bank's script; tests change how it answers."""
    return SoapBank(bank_signing, own_signing)


@pytest.fixture
def soap_server(server_pair, authority, teller):
    with BankServer(server_pair, authority.pem, script=teller) as server:
        yield server


@pytest.fixture
def soap_data():
    """A SOAP profile, to be changed by a test at will."""
    return copy.deepcopy(profile("bank_web_services"))


@pytest.fixture
def soap_settings(soap_server, authority, signing_authority, client, own_signing, soap_data):
    def make(**changes):
        values = {
            "url": f"{soap_server.url}/services",
            "profile": soap_data,
            "identity": Identity(client.certificate, client.key_pem()),
            "trust": Trust(authority.pem),
            "signing": Identity(own_signing.certificate, own_signing.key_pem()),
            "signers": Trust(signing_authority.pem),
            "variables": {"contract_id": "CORP-001", "receiver_id": "BANKFIHH"},
            "allow_private": True,
            "timeouts": Timeouts(connect=2, read=5, total=10),
        }
        return Settings(**{**values, **changes})

    return make


@pytest.fixture
def dial_soap(soap_settings):
    """Return a function that connects; all connectors are closed at the end."""
    opened = []

    def make(**changes):
        opened.append(connect("soap", soap_settings(**changes)))
        return opened[-1]

    yield make
    for connector in opened:
        connector.close()


@pytest.fixture
def soap_document():
    return Document(b"<Document>pay</Document>", "pain.001.001.09", service_level="SEPA")
