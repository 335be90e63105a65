"""Whose signature counts: chain, pins, names, dates and revocation, by the clock given."""

from datetime import datetime, timedelta, timezone

import pytest

from connectors import SettingsError, Trust, Uncertain
from tests_unit.connectors.authority import Authority


def outcome(dial_soap, document, key, **changes):
    """Submit; return the code of the doubt, or "believed"."""
    try:
        dial_soap(**changes).submit(document, key)
    except Uncertain as doubt:
        return doubt.code
    return "believed"


@pytest.fixture
def sign_as(teller, signing_authority):
    """Return a function that has the bank sign with a new certificate."""

    def issue(authority=signing_authority, name="Bank Web Services", bits=2048, **options):
        teller.pair = authority.issue(name, bits=bits, **options)
        return teller.pair

    return issue


def test_a_certificate_of_the_banks_authority_counts(dial_soap, sign_as, soap_document, key):
    sign_as()
    assert outcome(dial_soap, soap_document, key) == "believed"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"start": -20, "days": -1}, "signer_expired"),
        ({"start": 5}, "signer_not_yet_valid"),
        ({"bits": 1024}, "signer_untrusted"),
        ({"ca": True}, "signer_untrusted"),
    ],
)
def test_a_certificate_that_cannot_sign_now_does_not_count(
    dial_soap, sign_as, soap_document, key, options, code
):
    sign_as(**options)
    assert outcome(dial_soap, soap_document, key) == code


def test_the_given_clock_decides(dial_soap, teller, sign_as, soap_document, key):
    """A certificate of the future, and a clock at which it is valid."""
    sign_as(start=50, days=80)
    assert outcome(dial_soap, soap_document, key) == "signer_not_yet_valid"
    teller.created = timedelta(days=60)
    later = datetime.now(timezone.utc) + timedelta(days=60)
    assert outcome(dial_soap, soap_document, key, now=lambda: later) == "believed"


def test_a_foreign_authority_does_not_count(dial_soap, sign_as, soap_document, key):
    sign_as(authority=Authority("Another Signing CA"))
    assert outcome(dial_soap, soap_document, key) == "signer_untrusted"


def test_a_foreign_authority_of_the_same_name_does_not_count(
    dial_soap, sign_as, soap_document, key
):
    sign_as(authority=Authority("Bank Signing CA"))
    assert outcome(dial_soap, soap_document, key) == "signer_untrusted"


def test_the_tls_authority_signs_servers_only(dial_soap, sign_as, authority, soap_document, key):
    sign_as(authority=authority)
    assert outcome(dial_soap, soap_document, key) == "signer_untrusted"


def test_the_inner_signer_is_judged_on_its_own(
    dial_soap, teller, signing_authority, foreign, soap_document, key
):
    """A trusted envelope around an answer that someone else signed."""
    teller.response_pair = signing_authority.issue("Bank Files", bits=2048)
    assert outcome(dial_soap, soap_document, key) == "believed"
    teller.response_pair = foreign.issue("Bank Files", bits=2048)
    assert outcome(dial_soap, soap_document, key) == "signer_untrusted"
    teller.response_pair = signing_authority.issue("Bank Files", bits=2048, start=-9, days=-1)
    assert outcome(dial_soap, soap_document, key) == "signer_expired"


# Pins


def test_a_single_certificate_can_be_all_that_is_trusted(
    dial_soap, teller, sign_as, bank_signing, soap_document, key
):
    signers = Trust(bank_signing.certificate)
    assert outcome(dial_soap, soap_document, key, signers=signers) == "believed"
    sign_as()
    assert outcome(dial_soap, soap_document, key, signers=signers) == "signer_untrusted"


def test_a_certificate_that_is_no_authority_vouches_for_none(
    dial_soap, teller, bank_signing, soap_document, key
):
    """A pinned leaf must not act as an authority, even where its key signs another leaf."""
    leaf = Authority("Bank Web Services")
    leaf.key = bank_signing.key
    teller.pair = leaf.issue("Forged", bits=2048)
    signers = Trust(bank_signing.certificate)
    assert outcome(dial_soap, soap_document, key, signers=signers) == "signer_untrusted"


def test_fingerprints_narrow_an_authority(
    dial_soap, sign_as, signing_authority, bank_signing, soap_document, key
):
    colons = ":".join(bank_signing.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    signers = Trust(signing_authority.pem, (colons,))
    assert outcome(dial_soap, soap_document, key, signers=signers) == "believed"
    sign_as()
    assert outcome(dial_soap, soap_document, key, signers=signers) == "signer_pin"


def test_names_narrow_an_authority(dial_soap, sign_as, soap_data, soap_document, key):
    """Where the bank's authority issues customers' certificates too, the name tells them apart."""
    soap_data["signatures"] = {"signer_names": ["Bank Web Services"]}
    assert outcome(dial_soap, soap_document, key) == "believed"
    sign_as(name="Another customer")
    assert outcome(dial_soap, soap_document, key) == "signer_untrusted"


# Revocation


def test_a_revoked_signer_does_not_count(
    dial_soap, teller, signing_authority, bank_signing, soap_document, key
):
    crl = signing_authority.revoke(bank_signing)
    assert outcome(dial_soap, soap_document, key, crl=crl) == "signer_revoked"
    crl = signing_authority.revoke(signing_authority.issue("Another"))
    assert outcome(dial_soap, soap_document, key, crl=crl) == "believed"


def test_a_pinned_signer_is_looked_up_as_well(
    dial_soap, signing_authority, bank_signing, soap_document, key
):
    both = Trust(bank_signing.certificate + signing_authority.pem)
    crl = signing_authority.revoke(bank_signing)
    assert outcome(dial_soap, soap_document, key, crl=crl, signers=both) == "signer_revoked"


def test_an_old_list_is_not_proof_of_good_standing(
    dial_soap, signing_authority, bank_signing, soap_document, key
):
    old = signing_authority.revoke(start=-20, days=-1)
    assert outcome(dial_soap, soap_document, key, crl=old) == "crl_outdated"
    # but it is proof of the opposite
    old = signing_authority.revoke(bank_signing, start=-20, days=-1)
    assert outcome(dial_soap, soap_document, key, crl=old) == "signer_revoked"


def test_a_list_by_someone_else_says_nothing(dial_soap, signing_authority, soap_document, key):
    forged = Authority("Bank Signing CA").revoke()
    assert outcome(dial_soap, soap_document, key, crl=forged) == "crl_outdated"
    several = forged + signing_authority.revoke()
    assert outcome(dial_soap, soap_document, key, crl=several) == "believed"


# Settings that cannot work are told while connecting


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signers": None}, "signers"),
        ({"signers": Trust(b"")}, "signers"),
        ({"signers": Trust(b"junk")}, "signers"),
        ({"crl": b"junk"}, "signers"),
        ({"signing": None, "identity": None}, "certificate"),
        ({"signing": None}, "key"),  # the TLS identity of these tests is on a curve
        ({"variables": {"contract_id": "CORP-001"}}, "variable"),
        ({"variables": {"contract_id": "X" * 17, "receiver_id": "B"}}, "variable"),
        ({"variables": {"contract_id": "A\r\nB", "receiver_id": "B"}}, "variable"),
        ({"url": "http://bank.example"}, "url"),
        ({"url": "https://bank.example/?x=1"}, "url"),
    ],
)
def test_settings_that_cannot_work_are_told(dial_soap, changes, code):
    with pytest.raises(SettingsError) as caught:
        dial_soap(**changes)
    assert caught.value.code == code


def test_an_encrypting_bank_needs_its_certificate(dial_soap, soap_data):
    soap_data["encryption"] = {"cipher": "aes256-gcm", "key_transport": "rsa-oaep"}
    for given in (None, b"junk"):
        with pytest.raises(SettingsError) as caught:
            dial_soap(encrypt_for=given)
        assert caught.value.code == "encryption"


def test_an_authority_of_another_kind_of_key_can_be_trusted(
    dial_soap, teller, own_signing, soap_document, key
):
    """The tests' authorities are on a curve; a bank's are usually RSA."""
    authority = Authority("RSA CA", bits=2048)
    teller.pair = authority.issue("Bank", bits=2048)
    signers = Trust(authority.pem)
    assert outcome(dial_soap, soap_document, key, signers=signers) == "believed"
