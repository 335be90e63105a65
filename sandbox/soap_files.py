"""What the five operations of Bank Web Services do: the same books and mailbox as over REST.

File states: an upload waits for processing (``WFP``), waits for a release at the desk (``WFC``),
was forwarded to be executed (``FWD``), or was deleted (``DEL``); one that came over another
channel is ``KIN``. A document for the customer is ``NEW``, or ``DLD`` once downloaded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from datetime import datetime

from . import clock, documents, execution, intake, soap_contracts, soap_keys
from .bank import Bank
from .engine import Engine
from .soap_answers import Answer, Descriptor
from .soap_codes import Refused
from .soap_contracts import FLAVOURS
from .soap_gate import Request
from .soap_requests import unpacked
from .xmltext import leaf, tag

UPLOAD_STATES = ("WFP", "WFC", "FWD", "DEL", "KIN")
FILTERS = ("NEW", "DLD", "ALL", *UPLOAD_STATES)
MONTHS = 3
MOST = 100_000
SERVICE, PRODUCT = "bulk-payments", intake.CROSS_BORDER
UPLOADS = """
SELECT submission.id, submission.message_name, submission.status, submission.received_at,
    submission.transactions, soap_request.file_type, soap_request.user_filename,
    EXISTS (SELECT 1 FROM payment JOIN block ON block.id = block_id
            WHERE submission_id = submission.id AND payment.status = 'PDNG') AS waits
FROM submission LEFT JOIN soap_request ON soap_request.submission_id = submission.id
WHERE submission.contract_id = ?
"""


def admit(request: Request) -> tuple[bytes, intake.Head]:
    """Look at an upload without storing it: the document and its head.

    :raises Refused: 20, 21, 23, 25, 29.
    """
    order, flavour = request.order, request.flavour
    if not order.file_type or not order.user_filename or order.content is None:
        raise Refused("29", "An upload needs FileType, UserFilename and Content.")
    if order.file_type not in flavour.upload:
        known = {kind for other in FLAVOURS.values() for kind in other.upload}
        offered = {kind for kind, _name in soap_contracts.messages(request.terms)["download"]}
        raise Refused("25" if order.file_type in known | offered else "20",
                      f"FileType {order.file_type} can't be uploaded.")
    document = unpacked(order, request.terms["compression"])
    try:
        head = intake.admit(document)
    except intake.Inadmissible as error:
        raise Refused("23", str(error)) from error
    if head.message_name not in flavour.upload[order.file_type]:
        raise Refused("20", f"{head.message_name or 'This document'} is not"
                            f" {order.file_type}.")
    return document, head


def perform(bank: Bank, engine: Engine, request: Request,
            admitted: tuple[bytes, intake.Head] | None) -> Answer:
    """Carry out a request in one transaction, or say that it was carried out before.

    :raises Refused: what the operation says.
    """
    own = _Operations(request, admitted)
    with bank.store.write() as connection:
        answer = own.known(connection) or own.carry_out(connection)
    if admitted:
        engine.wake()
    if request.terms["encryption"]:
        answer = replace(answer, recipient=soap_keys.recipient(
            bank.store.read(), request.terms["contract_id"]))
    return answer


class _Operations:
    """One request on its way."""

    def __init__(self, request: Request, admitted: tuple[bytes, intake.Head] | None) -> None:
        self.request, self.order, self.terms = request, request.order, request.terms
        self.admitted = admitted
        self.digest = hashlib.sha256(admitted[0]).hexdigest() if admitted else None

    def answer(self, **fields) -> Answer:
        return Answer(self.request.operation, self.request.header, self.order.customer_id,
                      **fields)

    def known(self, connection: sqlite3.Connection) -> Answer | None:
        """The answer to a repeated request: 31 or 32, with the reference of what the bank has.

        The reference is told only for the same content: of anything else the bank has nothing.
        """
        header, since = self.request.header, _months_before(clock.now(connection))
        for code, condition, values in (
                ("31", "sender_id = ? AND request_id = ?",
                 (header.sender_id, header.request_id)),
                ("32", "customer_id = ? AND timestamp = ?",
                 (self.order.customer_id, self.order.timestamp))):
            rows = connection.execute(
                f"SELECT * FROM soap_request WHERE {condition} AND received_at >= ?"  # noqa: S608
                " ORDER BY id DESC", (*values, since)).fetchall()
            same = [row for row in rows if self.digest and row["sha256"] == self.digest]
            if same:
                return self.answer(code=code, descriptors=tuple(
                    self.uploads(connection, same[0]["submission_id"])))
            if rows:
                other = self.digest and rows[0]["sha256"]
                return self.answer(code=code, detail="The content was another." if other else "")
        return None

    def carry_out(self, connection: sqlite3.Connection) -> Answer:
        """The operation itself; afterwards the request is known."""
        operation = self.request.operation
        submission = None
        if operation == "uploadFile":
            submission = self.file(connection)
            answer = None
        elif operation == "downloadFileList":
            answer = self.list(connection)
        elif operation == "downloadFile":
            answer = self.download(connection)
        elif operation == "deleteFile":
            answer = self.delete(connection)
        else:
            answer = self.answer(file_types=user_file_types(connection, self.terms))
        header = self.request.header
        connection.execute(
            "INSERT INTO soap_request (sender_id, request_id, customer_id, timestamp, operation,"
            " received_at, sha256, submission_id, file_type, user_filename)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (header.sender_id, header.request_id, self.order.customer_id, self.order.timestamp,
             operation, clock.stamp(clock.now(connection)), self.digest, submission,
             self.order.file_type, self.order.user_filename))
        return answer or self.answer(descriptors=tuple(self.uploads(connection, submission)))

    def file(self, connection: sqlite3.Connection) -> str:
        """Store an upload; return its id."""
        document, head = self.admitted
        return intake.file(connection, self.terms["contract_id"], self.request.header.request_id,
                           SERVICE, PRODUCT, head, document, clock.now(connection))

    def uploads(self, connection: sqlite3.Connection,
                submission_id: str | None = None) -> list[Descriptor]:
        """What the customer sent, or one of it."""
        sql, values = UPLOADS, [self.terms["contract_id"]]
        if submission_id:
            sql, values = sql + " AND submission.id = ?", [*values, submission_id]
        return [
            Descriptor(_reference(row["id"]), row["file_type"] or self._other_type(row),
                       row["received_at"], _upload_state(row), self.terms["target_id"],
                       row["user_filename"] or "", row["transactions"])
            for row in connection.execute(sql + " ORDER BY seq LIMIT ?", (*values, MOST))]

    def _other_type(self, row: sqlite3.Row) -> str:
        """The file type of what came over another channel."""
        return next((kind for kind, names in self.request.flavour.upload.items()
                     if row["message_name"] in names), row["message_name"] or "unknown")

    def list(self, connection: sqlite3.Connection) -> Answer:
        """downloadFileList: documents for the customer, or the customer's own uploads.

        Uploads are listed when the file type or the status asks for them.
        """
        order, flavour = self.order, self.request.flavour
        status = order.status or "ALL"
        if status not in FILTERS:
            raise Refused("29", f"Status {status}.")
        if order.start and order.end and order.start > order.end:
            raise Refused("29", "StartDate is after EndDate.")
        offered = {kind for kind, _name in soap_contracts.messages(self.terms)["download"]}
        if order.file_type and order.file_type not in offered | set(flavour.upload):
            raise Refused("29", f"FileType {order.file_type}.")
        found = self.uploads(connection) if (
            status in UPLOAD_STATES or order.file_type in flavour.upload) else self.mailbox(
            connection)
        listed = tuple(
            item for item in found
            if status in ("ALL", item.status)
            and order.file_type in ("", item.file_type)
            and (order.start is None or item.moment[:10] >= order.start.isoformat())
            and (order.end is None or item.moment[:10] <= order.end.isoformat()))
        return self.answer(code="00" if listed else "24", descriptors=listed)

    def mailbox(self, connection: sqlite3.Connection) -> list[Descriptor]:
        """The documents for the customer whose kind this flavour offers."""
        found = []
        for row in documents.find(connection, self.terms["contract_id"],
                                  unread=self.order.status == "NEW", limit=MOST):
            kind = soap_contracts.file_type(self.request.flavour, row["message_name"])
            if kind:
                found.append(Descriptor(
                    _reference(row["id"]), kind, row["created_at"],
                    "DLD" if row["acknowledged_at"] else "NEW", self.terms["target_id"],
                    row["name"], None, row["acknowledged_at"] or "", False))
        return found

    def one_reference(self) -> str:
        """The stored id behind the only file reference.

        :raises Refused: 29: there is none, or more than one.
        """
        if len(self.order.references) != 1:
            raise Refused("29", "Give one FileReference.")
        text = self.order.references[0]
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def download(self, connection: sqlite3.Connection) -> Answer:
        """downloadFile: one document, which counts as downloaded from now on."""
        contract_id = self.terms["contract_id"]
        row = documents.get(connection, contract_id, self.one_reference())
        kind = row and soap_contracts.file_type(self.request.flavour, row["message_name"])
        if row is None or not kind or self.order.file_type not in ("", kind):
            raise Refused("24")
        documents.acknowledge(connection, contract_id, row["id"], clock.now(connection))
        wanted = self.order.compressed and self.terms["compression"] != "none"
        return self.answer(content=row["content"], file_type=kind,
                           compressed=wanted or self.terms["compression"] == "required")

    def delete(self, connection: sqlite3.Connection) -> Answer:
        """deleteFile: an upload of which nothing has been executed; its payments are cancelled."""
        contract_id, wanted = self.terms["contract_id"], self.one_reference()
        if documents.get(connection, contract_id, wanted):
            raise Refused("27", "It is the bank's own document.")
        if not connection.execute("SELECT 1 FROM submission WHERE id = ? AND contract_id = ?",
                                  (wanted, contract_id)).fetchone():
            raise Refused("24")
        present = clock.now(connection)
        if not execution.cancel(connection, wanted, present, present):
            raise Refused("27", "It is not checked yet, or it is final.")
        return self.answer(descriptors=tuple(self.uploads(connection, wanted)))


def _reference(stored: str) -> str:
    """A FileReference has at most 32 characters: the id without its hyphens."""
    return stored.replace("-", "")


def _upload_state(row: sqlite3.Row) -> str:
    if row["status"] == "CANC":
        return "DEL"
    if row["file_type"] is None:
        return "KIN"
    if row["status"] == "RCVD":
        return "WFP"
    return "WFC" if row["waits"] else "FWD"


def _months_before(moment: datetime) -> str:
    month = moment.month - MONTHS
    year = moment.year - (month < 1)
    day = min(moment.day, 28)
    return clock.stamp(moment.replace(year=year, month=(month - 1) % 12 + 1, day=day))


def user_file_types(connection: sqlite3.Connection, terms: sqlite3.Row) -> str:
    """UserFileType elements: what a contract may send and fetch, and for which accounts."""
    accounts = [row["iban"] for row in connection.execute(
        "SELECT iban FROM account WHERE contract_id = ? ORDER BY rowid",
        (terms["contract_id"],))]
    services = tag("FileTypeServices", *(
        tag("FileTypeService", leaf("ServiceId", iban),
            leaf("ServiceIdOwnerName", terms["customer"], 256), leaf("ServiceIdType", "IBAN"))
        for iban in accounts))
    return "".join(
        tag("UserFileType", leaf("TargetId", terms["target_id"]), leaf("FileType", kind),
            leaf("FileTypeName", name), leaf("Country", "DE"), leaf("Direction", way.title()),
            services)
        for way, pairs in soap_contracts.messages(terms).items() for kind, name in pairs)
