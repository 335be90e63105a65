"""The gate of Bank Web Services: who sent a request, who signed it, and may they?

In this order, each with the code that the interbank description gives it: the SOAP signature (02),
the sender (07) and whether it is locked (08 …), its certificate (04, 03), TLS (30), the receiver
(29), the ApplicationRequest's encryption (22), schema (12), signature (18) and certificate (19),
the customer (13), and what was agreed (29).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from cryptography import x509

from . import clock, soap_contracts, soap_keys, soap_requests, wss
from .bank import Bank
from .soap_codes import Refused
from .soap_contracts import FLAVOURS, Flavour
from .soap_keys import Unknown
from .soap_requests import Header, Order
from .xmlsig import BadSignature


@dataclass(frozen=True)
class Request:
    """A request that passed the gate."""

    operation: str
    header: Header
    terms: sqlite3.Row
    order: Order

    @property
    def flavour(self) -> Flavour:
        """How this contract names things."""
        return FLAVOURS[self.terms["flavour"]]


def sender(bank: Bank, envelope: wss.Envelope, header: Header,
           tls: bytes | None) -> sqlite3.Row:
    """The terms of the contract on whose behalf a SOAP request comes.

    :param tls: the certificate of the TLS client, DER, if there was one.
    :raises Refused: 02, 03, 04, 07 to 17, 29, 30.
    """
    try:
        certificate = wss.verify(envelope, clock.wall())
    except BadSignature as error:
        raise Refused("02", str(error)) from error
    connection = bank.store.read()
    terms = soap_contracts.by_sender(connection, header.sender_id)
    if terms is None:
        raise Refused("07")
    try:
        holder = soap_keys.holder(connection, certificate)
    except Unknown as error:
        raise Refused("04", str(error)) from error
    if holder != terms["contract_id"]:
        raise Refused("03")
    if terms["state"]:
        raise Refused(terms["state"])
    if terms["client_certificate"]:
        client = bank.identify(tls)
        if client is None or client["id"] != holder or client["revoked_at"]:
            raise Refused("30", "This contract needs its TLS client certificate.")
    if header.receiver_id != terms["receiver_id"]:
        raise Refused("29", "ReceiverId is not this bank's.")
    return terms


def order(bank: Bank, operation: str, terms: sqlite3.Row, octets: bytes) -> Order:
    """The ApplicationRequest of a sender.

    :param octets: as they were in the SOAP request, still encrypted if that is agreed.
    :raises Refused: 12, 13, 18, 19, 22, 29.
    """
    root = soap_requests.document(octets, bool(terms["encryption"]),
                                  bank.keys.load("encryption").key)
    # The schema first, so that a signature is looked for only where one may stand.
    found = soap_requests.order_of(root)
    _check_signer(bank.store.read(), terms, soap_requests.signer_of(root))
    if found.customer_id != terms["customer_id"]:
        raise Refused("13")
    if found.environment != terms["environment"]:
        raise Refused("29", f"Environment is {terms['environment']} in this contract.")
    if found.command and found.command.lower() != operation.lower():
        raise Refused("29", "Command is another than the operation.")
    if found.target_id and found.target_id != terms["target_id"]:
        raise Refused("29", "TargetId is not the contract's.")
    return found


def _check_signer(connection: sqlite3.Connection, terms: sqlite3.Row,
                  certificate: x509.Certificate) -> None:
    try:
        holder = soap_keys.holder(connection, certificate)
    except Unknown as error:
        raise Refused("19", str(error)) from error
    if holder != terms["contract_id"]:
        raise Refused("19", "It belongs to another customer.")
