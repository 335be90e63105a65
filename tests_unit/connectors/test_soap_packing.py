"""Requests and answers encrypted as the bank wants them, by libxmlsec on the other side."""

import pytest
from lxml import etree

from connectors import Identity, Uncertain

try:
    import xmlsec
except Exception as error:  # it raises an error of its own where its libxml2 is not lxml's
    pytest.skip(f"needs xmlsec, built against lxml's libxml2: {error}", allow_module_level=True)


def decrypter(pair):
    """Return a function that decrypts with libxmlsec, which the connector does not use."""

    def decrypt(content):
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(pair.key_pem(), xmlsec.KeyFormat.PEM))
        root = xmlsec.EncryptionContext(manager).decrypt(etree.fromstring(content))
        return etree.tostring(root)

    return decrypt


def encrypter(pair, cipher=xmlsec.constants.TransformAes256Cbc, size=256):
    """Return a function that encrypts for `pair` with libxmlsec."""

    def encrypt(content):
        root = etree.fromstring(content)
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(pair.certificate, xmlsec.KeyFormat.CERT_PEM))
        data = xmlsec.template.encrypted_data_create(
            root, cipher, type=xmlsec.constants.TypeEncElement, ns="xenc"
        )
        xmlsec.template.encrypted_data_ensure_cipher_value(data)
        info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
        wrapped = xmlsec.template.add_encrypted_key(info, xmlsec.constants.TransformRsaOaep)
        xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
        context = xmlsec.EncryptionContext(manager)
        kind = xmlsec.constants.KeyDataAes
        context.key = xmlsec.Key.generate(kind, size, xmlsec.constants.KeyDataTypeSession)
        return etree.tostring(context.encrypt_xml(data, root))

    return encrypt


@pytest.fixture(scope="module")
def bank_encryption(signing_authority):
    return signing_authority.issue("Bank Encryption", bits=2048)


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes256-cbc", "aes128-gcm", "aes256-gcm"])
@pytest.mark.parametrize("transport", ["rsa-oaep-mgf1p", "rsa-oaep"])
def test_an_encrypting_bank_can_decrypt_and_is_understood(
    dial_soap,
    teller,
    soap_data,
    soap_document,
    key,
    bank_encryption,
    own_signing,
    cipher,
    transport,
):
    soap_data["encryption"] = {"cipher": cipher, "key_transport": transport}
    teller.decrypt = decrypter(bank_encryption)
    teller.encrypt = encrypter(own_signing)
    bank = dial_soap(encrypt_for=bank_encryption.certificate)
    assert bank.submit(soap_document, key).status == "RCVD"
    assert b"EncryptedData" not in teller.calls[0]["raw"]
    assert soap_document.content in teller.uploads.values()


def test_an_answer_encrypted_for_another_is_not_believed(
    dial_soap, teller, soap_data, soap_document, key, bank_encryption
):
    soap_data["encryption"] = {"cipher": "aes256-cbc", "key_transport": "rsa-oaep-mgf1p"}
    teller.decrypt = decrypter(bank_encryption)
    teller.encrypt = encrypter(bank_encryption)
    with pytest.raises(Uncertain) as caught:
        dial_soap(encrypt_for=bank_encryption.certificate).submit(soap_document, key)
    assert caught.value.code == "decrypt_failed"


def test_an_answer_encrypted_for_our_former_key_is_read(
    dial_soap, teller, soap_data, soap_document, key, bank_encryption, signing_authority
):
    """After a change of keys the bank may still encrypt for the one before."""
    former = signing_authority.issue("CORP-001", bits=2048)
    soap_data["encryption"] = {"cipher": "aes256-cbc", "key_transport": "rsa-oaep-mgf1p"}
    teller.decrypt = decrypter(bank_encryption)
    teller.encrypt = encrypter(former)
    retired = (Identity(former.certificate, former.key_pem()),)
    bank = dial_soap(encrypt_for=bank_encryption.certificate, retired=retired)
    assert bank.submit(soap_document, key).status == "RCVD"


def test_triple_des_is_not_spoken(dial_soap, teller, soap_document, key, own_signing):
    def encrypt(content):
        root = etree.fromstring(content)
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(own_signing.certificate, xmlsec.KeyFormat.CERT_PEM))
        data = xmlsec.template.encrypted_data_create(
            root, xmlsec.constants.TransformDes3Cbc, type=xmlsec.constants.TypeEncElement
        )
        xmlsec.template.encrypted_data_ensure_cipher_value(data)
        info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
        wrapped = xmlsec.template.add_encrypted_key(info, xmlsec.constants.TransformRsaOaep)
        xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
        context = xmlsec.EncryptionContext(manager)
        kind = xmlsec.constants.KeyDataDes
        context.key = xmlsec.Key.generate(kind, 192, xmlsec.constants.KeyDataTypeSession)
        return etree.tostring(context.encrypt_xml(data, root))

    teller.encrypt = encrypt
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(soap_document, key)
    assert caught.value.code == "decrypt_failed"
    assert "tripledes" in caught.value.detail
