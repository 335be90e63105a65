"""The SOAP face: HTTP, the services' addresses, and the way of a request through the bank.

A small dispatcher on lxml. The module that the bank judges speaks SOAP with zeep, so here must be
another stack; spyne, the one there is for servers, had its last release in 2022 for Python 3.10,
and relies on an import hook that Python 3.12 took away.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from aiohttp import web
from lxml import etree

from . import soap_answers, soap_certificates, soap_files, soap_gate, soap_keys, soap_requests, wss
from .fault_answers import spoil
from .faults import Facts
from .rest_base import FACE, ApiError, Face, apply_faults
from .soap_answers import Answer
from .soap_certificates import CertificateAnswer
from .soap_codes import Refused
from .soap_contracts import ALL_OPERATIONS
from .soap_requests import FILES, MODEL
from .xmltext import text

# A document in base64, in base64 again, and perhaps a third time when it is encrypted.
MAX_BYTES = 3 * soap_requests.MAX_DOCUMENT
XML = "text/xml"
# As what an operation counts where a rule of the fault plan names a method.
METHODS = {"uploadFile": "POST", "getCertificate": "POST", "deleteFile": "DELETE"}
routes = web.RouteTableDef()


@dataclass(frozen=True)
class Service:
    """One of the two services."""

    path: str
    namespace: str
    fault: str
    operations: tuple[str, ...]
    wsdl: str


FILE_SERVICE = Service("/ws/CorporateFileService", FILES, "FileServiceFaultElement",
                       ALL_OPERATIONS, "corporate_file_service.wsdl")
CERTIFICATE_SERVICE = Service("/ws/CertificateService", soap_certificates.SERVICE,
                              "certificateServiceFaultElement", soap_certificates.OPERATIONS,
                              "certificate_service.wsdl")
SERVICES = {service.path: service for service in (FILE_SERVICE, CERTIFICATE_SERVICE)}


class NoRequest(Exception):
    """What is answered with a SOAP fault: it names no operation, or no header."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def present() -> datetime:
    """The real time in UTC, without time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _operation(service: Service, envelope: wss.Envelope) -> str:
    name = etree.QName(envelope.operation)
    operation = name.localname.removesuffix("in")
    if name.namespace != service.namespace or name.localname != f"{operation}in" or (
            operation not in service.operations):
        raise NoRequest("05", f"{name.localname}")
    return operation


def _opened(service: Service, data: bytes) -> tuple[wss.Envelope, str, soap_requests.Header,
                                                    bytes]:
    """The envelope, the operation, its header and its ApplicationRequest.

    :raises NoRequest: there is not that much to see.
    """
    try:
        envelope = wss.read(data)
        operation = _operation(service, envelope)
        if service is FILE_SERVICE:
            header, octets = soap_requests.header_of(envelope.operation, MODEL)
        else:
            header, octets = soap_requests.header_of(
                envelope.operation, service.namespace, soap_certificates.HEADER)
    except wss.NoEnvelope as error:
        raise NoRequest("12", str(error)) from error
    except Refused as error:
        raise NoRequest(error.code, error.detail) from error
    return envelope, operation, header, octets


def _client(request: web.Request) -> bytes | None:
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    return tls.getpeercert(binary_form=True) if tls else None


async def _files(request: web.Request, face: Face, envelope: wss.Envelope, operation: str,
                 header: soap_requests.Header, octets: bytes) -> tuple[Answer, list[dict]]:
    """An operation on files: its answer, and what the fault plan does to it."""
    customer = header.sender_id
    try:
        terms = await face.call(soap_gate.sender, face.bank, envelope, header, _client(request))
        customer = terms["customer_id"]
        order = await face.call(soap_gate.order, face.bank, operation, terms, octets)
        given = soap_gate.Request(operation, header, terms, order)
        if operation not in given.flavour.operations:
            raise Refused("06", f"{operation} is not offered in this contract.")
        admitted = None
        if operation == "uploadFile":
            admitted = await face.call(soap_files.admit, given)
            _remember_facts(request, operation, header, admitted[1].message_id)
            await apply_faults(request, "before_commit")
        answer = await face.call(soap_files.perform, face.bank, face.engine, given, admitted)
    except Refused as refused:
        return Answer(operation, header, customer, refused.code, refused.detail), []
    rules = await apply_faults(request, "after_commit")
    last = (terms["contract_id"], operation)
    if rules:
        answer = soap_answers.altered(answer, rules, face.answers.get(last))
    elif face.faults.active:
        face.answers[last] = answer
    return answer, rules


async def _certificates(request: web.Request, face: Face, _envelope: wss.Envelope,
                        operation: str, header: soap_requests.Header,
                        octets: bytes) -> tuple[CertificateAnswer, list[dict]]:
    """An operation of the certificate service."""
    try:
        await apply_faults(request, "before_commit")
        answer = await face.call(soap_certificates.answer, face.bank, operation, header, octets)
    except Refused as refused:
        return CertificateAnswer(operation, header, header.sender_id, code=refused.code,
                                 detail=refused.detail), []
    return answer, await apply_faults(request, "after_commit")


def _remember_facts(request: web.Request, operation: str, header: soap_requests.Header,
                    message_id: str | None = None) -> None:
    request["facts"] = Facts(METHODS.get(operation, "GET"), f"{request.path}/{operation}",
                             header.request_id, message_id)


async def _respond(request: web.Request, service: Service, handler: Callable[..., Awaitable]
                   ) -> tuple[web.Response, list[dict]]:
    """The finished answer, and the rules of the fault plan for its way out."""
    face = request.app[FACE]
    await apply_faults(request, "before_read")
    if request.content_type != XML:
        return web.Response(status=415, text="SOAP 1.1 is sent as text/xml"), []
    opened = await face.call(_opened, service, await request.read())
    _remember_facts(request, opened[1], opened[2])
    answer, rules = await handler(request, face, *opened)
    if isinstance(answer, Answer):
        body = await face.call(soap_answers.write, answer, face.bank.keys, present(), rules)
    else:
        body = await face.call(answer.write, face.bank, present(), rules)
    return web.Response(body=body, content_type=XML, charset="utf-8"), [
        rule for rule in rules if rule["action"] not in soap_answers.WRITTEN]


async def _fault(face: Face, service: Service, code: str, detail: str,
                 status: int = 500) -> web.Response:
    body = await face.call(soap_answers.fault, service.namespace, service.fault, code, detail,
                           face.bank.keys, present())
    return web.Response(body=body, status=status, content_type=XML, charset="utf-8")


async def _answered(request: web.Request, service: Service,
                    handler: Callable[..., Awaitable]) -> web.StreamResponse:
    face, rules = request.app[FACE], []
    try:
        response, rules = await _respond(request, service, handler)
    except NoRequest as error:
        response = await _fault(face, service, error.code, error.detail)
    except ApiError as error:
        response = await _fault(face, service, "26", error.text, error.status)
        response.headers.update(error.headers)
    except web.HTTPRequestEntityTooLarge:
        response = await _fault(face, service, "12", "The request is too large.", 413)
    except ConnectionAbortedError:
        return web.Response(status=500)
    except Exception:
        traceback.print_exc()
        response = await _fault(face, service, "26", "The bank had a fault.")
    try:
        return await spoil(request, response, rules)
    except ConnectionError:
        return web.Response(status=500)


@routes.post(FILE_SERVICE.path)
async def corporate_file_service(request: web.Request) -> web.StreamResponse:
    """uploadFile, downloadFileList, downloadFile, deleteFile, getUserInfo."""
    return await _answered(request, FILE_SERVICE, _files)


@routes.post(CERTIFICATE_SERVICE.path)
async def certificate_service(request: web.Request) -> web.StreamResponse:
    """getCertificate, getServiceCertificates."""
    return await _answered(request, CERTIFICATE_SERVICE, _certificates)


@routes.get("/ws/{service:CorporateFileService|CertificateService}")
async def wsdl(request: web.Request) -> web.Response:
    """The service's description, with ``?wsdl``."""
    if "wsdl" not in request.query_string.lower():
        raise web.HTTPNotFound(text="Ask for ?wsdl, or send a request by POST")
    description = (soap_requests.FOLDER / SERVICES[request.path].wsdl).read_text(encoding="utf-8")
    address = text(f"https://{request.host}{request.path}").replace('"', "")
    return web.Response(text=description.replace('location="urn:address"',
                                                 f'location="{address}"'),
                        content_type=XML, charset="utf-8")


@routes.get("/ws/revoked.crl")
async def revocation_list(request: web.Request) -> web.Response:
    """The revoked certificates of all that sign or decrypt, the bank's own old ones too."""
    face = request.app[FACE]
    body = await face.call(lambda: soap_keys.revocation_list(
        face.store.read(), face.bank.authority))
    return web.Response(body=body, content_type="application/pkix-crl")
