"""A bank that speaks SOAP, for the tests: a script for ``BankServer``.

Signatures are made and checked by ``signxml``, which the connector does not use, so that both
sides cannot share a mistake.  Tests change what it answers through its hooks.
"""

from __future__ import annotations

import base64
import gzip
import uuid
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureConstructionMethod,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)

from tests_unit.connectors.server import reply

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
BASE64 = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)
DS = "http://www.w3.org/2000/09/xmldsig#"
COR = "http://bxd.fi/CorporateFileService"
MOD = "http://model.bxd.fi"
XD = "http://bxd.fi/xmldata/"
NS = {"s": SOAP, "wsse": WSSE, "wsu": WSU, "ds": DS, "cor": COR, "mod": MOD, "x": XD}


class Sha1Signer(XMLSigner):
    """Signs as some banks did for long."""

    def check_deprecated_methods(self):
        """Let SHA-1 pass: what it is refused for is what the tests are about."""


class SoapBank:
    """Answers each call; what it received is in ``calls``.

    :ivar codes: response codes to give, first come first served; then "00"
    :ivar files: (type, reference, name, status, timestamp, content)
    :ivar edit_response: changes the ApplicationResponse's tree before it is signed
    :ivar edit_answer: changes the envelope's tree before it is signed
    :ivar tamper: changes the finished bytes
    """

    def __init__(self, pair, client, *, customer="CORP-001"):
        self.pair = pair
        self.client = client
        self.customer = customer
        self.calls = []
        self.codes = []
        self.files = []
        self.uploads = {}
        self.compress = False
        self.sha1 = False
        self.inclusive = False
        self.created = timedelta(0)  # how far from now the answer claims to be made
        self.bare = False  # give errors without an ApplicationResponse
        self.header_code = None
        self.status = 200
        self.content_type = "text/xml; charset=utf-8"
        self.decrypt = None
        self.encrypt = None
        self.sign_response = True
        self.sign_answer = True
        self.edit_response = lambda root: None
        self.edit_answer = lambda root: None
        self.tamper = lambda content: content
        self.response_pair = None

    # What the server calls

    def __call__(self, request, sock):
        call = self.receive(request)
        self.calls.append(call)
        content = self.tamper(self.answer(call))
        headers = {"Content-Type": self.content_type}
        return reply(request, self.status, content, headers, echo=False)

    # Receiving: everything is checked as a bank would

    def receive(self, request):
        assert request.headers["content-type"].startswith("text/xml")
        assert request.headers["soapaction"] == '""'
        config = SignatureConfiguration(
            location=f"./{{{SOAP}}}Header/{{{WSSE}}}Security/", expect_references=2
        )
        own = self.client.certificate.decode()
        signed = XMLVerifier().verify(
            request.body, x509_cert=own, expect_config=config, parser=_parser()
        )
        body, stamp = (one.signed_xml for one in signed)
        assert body.tag == f"{{{SOAP}}}Body"
        assert stamp.tag == f"{{{WSU}}}Timestamp"
        root = etree.fromstring(request.body, _parser())
        token = root.find("s:Header/wsse:Security/wsse:BinarySecurityToken", NS)
        der = base64.b64decode(token.text)
        assert der == self._der(self.client)
        (call,) = body
        header = {
            etree.QName(one).localname: one.text for one in call.find("mod:RequestHeader", NS)
        }
        inside = base64.b64decode(call.find("mod:ApplicationRequest", NS).text)
        if self.decrypt:
            inside = self.decrypt(inside)
        config = SignatureConfiguration(location="./")
        verified = XMLVerifier().verify(
            inside, x509_cert=own, expect_config=config, parser=_parser()
        )
        request_root = verified.signed_xml
        values = {etree.QName(one).localname: one.text for one in request_root}
        references = [one.text for one in request_root.iter(f"{{{XD}}}FileReference")]
        return {
            "operation": etree.QName(call).localname.removesuffix("in"),
            "header": header,
            "values": values,
            "references": references,
            "raw": inside,
            "envelope": request.body,
        }

    @staticmethod
    def _der(pair):
        return base64.b64decode("".join(pair.certificate.decode().splitlines()[1:-1]))

    # Answering

    def answer(self, call):
        response = self.response(call)
        inner = self.signed_response(response) if self.sign_response else etree.tostring(response)
        if self.encrypt:
            inner = self.encrypt(inner)
        code = self.header_code or response.findtext("x:ResponseCode", namespaces=NS)
        if self.bare and code != "00":
            inner = b""
        root = self.envelope(call, code, inner)
        self.edit_answer(root)
        return self.signed_envelope(root) if self.sign_answer else etree.tostring(root)

    def response(self, call):
        """Return the ApplicationResponse, unsigned."""
        root = etree.Element(f"{{{XD}}}ApplicationResponse", nsmap={"c2b": XD})

        def add(parent, local, text=None):
            child = etree.SubElement(parent, f"{{{XD}}}{local}")
            child.text = text
            return child

        code = self.codes.pop(0) if self.codes else "00"
        operation, values = call["operation"], call["values"]
        found = []
        content = None
        if operation == "downloadFileList" and code == "00":
            found = [one for one in self.files if one[0] == values["FileType"]]
            code = "00" if found else "24"
        elif operation in ("downloadFile", "deleteFile") and code == "00":
            wanted = (values["FileType"], call["references"][0])
            found = [one for one in self.files if one[:2] == wanted]
            code = "00" if found else "24"
            content = found[0][5] if found and operation == "downloadFile" else None
            if operation == "deleteFile":
                self.files = [one for one in self.files if one not in found]
        elif operation == "uploadFile" and code == "00":
            content = base64.b64decode(values["Content"])
            if values["Compression"] == "true":
                content = gzip.decompress(content)
            self.uploads[call["header"]["RequestId"]] = content
            content = None
        add(root, "CustomerId", self.customer)
        add(root, "Timestamp", datetime.now(timezone.utc).isoformat())
        add(root, "ResponseCode", code)
        add(root, "ResponseText", "OK." if code == "00" else f"Said {code}.")
        if content is not None:
            add(root, "Compressed", "true" if self.compress else "false")
        if found:
            list_ = add(root, "FileDescriptors")
            for file_type, reference, name, status, stamp, _content in found:
                one = add(list_, "FileDescriptor")
                add(one, "FileReference", reference)
                add(one, "TargetId", "T")
                if name:
                    add(one, "UserFilename", name)
                add(one, "FileType", file_type)
                add(one, "FileTimestamp", stamp)
                add(one, "Status", status)
        if operation == "getUserInfo" and code == "00":
            one = add(add(root, "UserFileTypes"), "UserFileType")
            add(one, "TargetId", "T")
            add(one, "FileType", "pain.001.001.09")
            add(one, "Direction", "Upload")
        if content is not None:
            packed = gzip.compress(content) if self.compress else content
            add(root, "Content", base64.b64encode(packed).decode())
        self.edit_response(root)
        return root

    def _signer(self, method, c14n):
        kind = Sha1Signer if self.sha1 else XMLSigner
        return kind(
            method=method,
            signature_algorithm=SignatureMethod.RSA_SHA1 if self.sha1 else "rsa-sha256",
            digest_algorithm=DigestAlgorithm.SHA1 if self.sha1 else "sha256",
            c14n_algorithm=c14n,
        )

    def signed_response(self, root):
        c14n = (
            CanonicalizationMethod.CANONICAL_XML_1_0
            if self.inclusive
            else CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
        )
        signer = self._signer(SignatureConstructionMethod.enveloped, c14n)
        pair = self.response_pair or self.pair
        return etree.tostring(signer.sign(root, key=_key(pair), cert=pair.certificate))

    def envelope(self, call, code, inner):
        operation = call["operation"]
        text = f"""<s:Envelope xmlns:s="{SOAP}" xmlns:cor="{COR}" xmlns:mod="{MOD}"><s:Header/>
        <s:Body><cor:{operation}out><mod:ResponseHeader>
        <mod:SenderId>{call["header"]["SenderId"]}</mod:SenderId>
        <mod:RequestId>{call["header"]["RequestId"]}</mod:RequestId>
        <mod:Timestamp>{datetime.now(timezone.utc).isoformat()}</mod:Timestamp>
        <mod:ResponseCode>{code}</mod:ResponseCode><mod:ResponseText>Text</mod:ResponseText>
        <mod:ReceiverId>{call["header"]["ReceiverId"]}</mod:ReceiverId></mod:ResponseHeader>
        <mod:ApplicationResponse>{base64.b64encode(inner).decode()}</mod:ApplicationResponse>
        </cor:{operation}out></s:Body></s:Envelope>"""
        return etree.fromstring(text)

    def signed_envelope(self, root, pair=None, parts=("Body", "TS")):
        """Add the WS-Security header to an envelope, and return the bytes."""
        pair = pair or self.pair
        ids = {part: f"{part}-{uuid.uuid4()}" for part in ("Body", "TS", "Token")}
        created = datetime.now(timezone.utc) + self.created
        root.find("s:Body", NS).set(f"{{{WSU}}}Id", ids["Body"])
        security = etree.SubElement(
            root.find("s:Header", NS), f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU}
        )
        stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
        stamp.set(f"{{{WSU}}}Id", ids["TS"])
        for local, moment in (("Created", created), ("Expires", created + timedelta(minutes=5))):
            etree.SubElement(stamp, f"{{{WSU}}}{local}").text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        token = etree.SubElement(
            security, f"{{{WSSE}}}BinarySecurityToken", EncodingType=BASE64, ValueType=X509
        )
        token.set(f"{{{WSU}}}Id", ids["Token"])
        token.text = base64.b64encode(self._der(pair)).decode()
        info = etree.fromstring(
            f'<ds:KeyInfo xmlns:ds="{DS}" xmlns:wsse="{WSSE}"><wsse:SecurityTokenReference>'
            f'<wsse:Reference URI="#{ids["Token"]}" ValueType="{X509}"/>'
            "</wsse:SecurityTokenReference></ds:KeyInfo>"
        )
        signer = self._signer(
            SignatureConstructionMethod.detached,
            CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signature = signer.sign(
            etree.fromstring(etree.tostring(root)),
            key=_key(pair),
            cert=pair.certificate,
            reference_uri=[f"#{ids[part]}" for part in parts],
            key_info=info,
        )
        security.append(signature)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _parser():
    return etree.XMLParser(resolve_entities=False, huge_tree=True)


def _key(pair):
    return pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
