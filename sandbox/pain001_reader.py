"""Read a customer's pain.001 against the official schema, without ever holding it as a tree.

Source: ISO 20022, CustomerCreditTransferInitiation, versions .03 (2009) and .09 (2019).
The schemas are those that the package sepaxml carries.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from lxml import etree

from .xmltext import leaf, tag

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
VERSIONS = ("pain.001.001.03", "pain.001.001.09")
PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False,
          "remove_comments": True, "remove_pis": True}
# Remittance elements whose type is the same in every version of pain.001 and camt.05x.
PORTABLE = {"Ustrd", "Strd", "RfrdDocInf", "Nb", "RltdDt", "RfrdDocAmt", "DuePyblAmt",
            "CdtNoteAmt", "RmtdAmt", "CdtrRefInf", "Tp", "CdOrPrtry", "Cd", "Prtry", "Issr",
            "Ref", "AddtlRmtInf"}


class FileFault(Exception):
    """A file that the bank refuses as a whole.

    :ivar reason: ISO 20022 external status reason code, such as ``FF01``.
    :ivar head: what could be read of the group header.
    """

    def __init__(self, reason: str, text: str, head: dict[str, str | None]) -> None:
        super().__init__(text)
        self.reason, self.text, self.head = reason, text, head


@dataclass(slots=True)
class Transfer:
    """CdtTrfTxInf; every value is the text that was sent."""

    instruction_id: str | None
    end_to_end_id: str
    uetr: str | None
    amount: str
    currency: str
    creditor_name: str | None
    creditor_iban: str | None
    creditor_other: str | None
    creditor_agent: str | None
    remittance: str | None


@dataclass(slots=True)
class Block:
    """PmtInf; every value is the text that was sent."""

    payment_information_id: str
    method: str
    batch_booking: bool
    transactions: str | None
    control_sum: str | None
    requested_date: str
    debtor_name: str | None
    debtor_account: str | None
    debtor_currency: str | None
    debtor_agent: str | None
    transfers: list[Transfer] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """A whole pain.001; ``head`` has GrpHdr's MsgId, CreDtTm, NbOfTxs and CtrlSum."""

    name: str
    head: dict[str, str | None]
    blocks: list[Block]


@cache
def schema(name: str) -> etree.XMLSchema:
    """The official schema of a message version."""
    source = files("sepaxml") / "schemas" / f"{name}.xsd"
    return etree.XMLSchema(etree.fromstring(source.read_bytes()))


def message_name(root_tag: str) -> str:
    """``pain.001.001.09`` from a root element's qualified name, or empty."""
    namespace = etree.QName(root_tag).namespace or ""
    return namespace[len(NAMESPACE):] if namespace.startswith(NAMESPACE) else ""


def read(body: bytes) -> Message:
    """Read and validate one message.

    :raises FileFault: another message or version (FF01), or not valid by its schema (FF01).
    """
    head: dict[str, str | None] = {}
    name = message_name(next(etree.iterparse(io.BytesIO(body), events=("start",), **PARSER))[1].tag)
    if name not in VERSIONS:
        raise FileFault("FF01", f"This bank takes {' and '.join(VERSIONS)}, not"
                                f" {name or 'this document'}", head)
    blocks: list[Block] = []
    transfers: list[Transfer] = []
    ns = {"p": NAMESPACE + name}
    prefix = f"{{{ns['p']}}}"
    parse = etree.iterparse(io.BytesIO(body), events=("end",), schema=schema(name), **PARSER)
    try:
        for _event, element in parse:
            if element.tag == prefix + "CdtTrfTxInf":
                transfers.append(_transfer(element, ns))
            elif element.tag == prefix + "PmtInf":
                blocks.append(_block(element, ns, transfers))
                transfers = []
            elif element.tag == prefix + "GrpHdr":
                head.update({part: element.findtext(f"p:{part}", None, ns)
                             for part in ("MsgId", "CreDtTm", "NbOfTxs", "CtrlSum")})
            else:
                continue
            element.clear()
    except etree.XMLSyntaxError as error:
        fault = str(error.msg).replace(prefix, "").removesuffix(" (<string>, line 0)")
        raise FileFault("FF01", f"Not valid by {name}: {fault}", head) from error
    return Message(name, head, blocks)


def _text(element: etree._Element, ns: dict[str, str], *paths: str) -> str | None:
    for path in paths:
        found = element.findtext(path, None, ns)
        if found is not None:
            return found.strip()
    return None


def _transfer(element: etree._Element, ns: dict[str, str]) -> Transfer:
    amount = element.find("p:Amt/p:InstdAmt", ns)
    if amount is None:
        amount = element.find("p:Amt/p:EqvtAmt/p:Amt", ns)
    remittance = element.find("p:RmtInf", ns)
    return Transfer(
        instruction_id=_text(element, ns, "p:PmtId/p:InstrId"),
        end_to_end_id=_text(element, ns, "p:PmtId/p:EndToEndId") or "",
        uetr=_text(element, ns, "p:PmtId/p:UETR"),
        amount=(amount.text or "").strip() if amount is not None else "",
        currency=amount.get("Ccy", "") if amount is not None else "",
        creditor_name=_text(element, ns, "p:Cdtr/p:Nm"),
        creditor_iban=_text(element, ns, "p:CdtrAcct/p:Id/p:IBAN"),
        creditor_other=_text(element, ns, "p:CdtrAcct/p:Id/p:Othr/p:Id"),
        creditor_agent=_text(element, ns, "p:CdtrAgt/p:FinInstnId/p:BICFI",
                             "p:CdtrAgt/p:FinInstnId/p:BIC"),
        remittance=_portable(remittance) if remittance is not None else None,
    )


def _block(element: etree._Element, ns: dict[str, str], transfers: list[Transfer]) -> Block:
    return Block(
        payment_information_id=_text(element, ns, "p:PmtInfId") or "",
        method=_text(element, ns, "p:PmtMtd") or "",
        batch_booking=_text(element, ns, "p:BtchBookg") in ("true", "1"),
        transactions=_text(element, ns, "p:NbOfTxs"),
        control_sum=_text(element, ns, "p:CtrlSum"),
        requested_date=_text(element, ns, "p:ReqdExctnDt/p:Dt", "p:ReqdExctnDt/p:DtTm",
                             "p:ReqdExctnDt") or "",
        debtor_name=_text(element, ns, "p:Dbtr/p:Nm"),
        debtor_account=_text(element, ns, "p:DbtrAcct/p:Id/p:IBAN",
                             "p:DbtrAcct/p:Id/p:Othr/p:Id"),
        debtor_currency=_text(element, ns, "p:DbtrAcct/p:Ccy"),
        debtor_agent=_text(element, ns, "p:DbtrAgt/p:FinInstnId/p:BICFI",
                           "p:DbtrAgt/p:FinInstnId/p:BIC"),
        transfers=transfers,
    )


def _portable(element: etree._Element) -> str:
    """An element as XML text without name space, with the parts that every version knows."""
    if not len(element):
        return leaf(etree.QName(element).localname, (element.text or "").strip(),
                    **{str(key): value for key, value in element.attrib.items()})
    children = [_portable(child) for child in element
                if etree.QName(child).localname in PORTABLE]
    return tag(etree.QName(element).localname, *children)
