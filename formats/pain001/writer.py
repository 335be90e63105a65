"""Writing pain.001 as a stream: one payment in memory at a time."""

import hashlib
from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from ..currency import written
from ..errors import FormatError
from ..model import (
    Account,
    Address,
    Agent,
    CreditTransfer,
    Instruction,
    Party,
    PaymentBlock,
    Remittance,
    Summary,
)
from . import texts
from .check import Totals, examine
from .versions import Version, version_of

# codes of ISO's external lists; any other scheme is the bank's own
_ORGANISATION_CODES = frozenset(
    "BANK BDID BOID CBID CHID CINC COID CUST DUNS EMPL GS1G SREN SRET TXID".split()
)
_ACCOUNT_CODES = frozenset("AIIN BBAN CUID UPIC".split())


def write(
    instruction: Instruction, stream: BinaryIO, version: str, charset: str = "sepa"
) -> Summary:
    """Write ``instruction`` to ``stream`` as UTF-8 XML in ``version`` (one of ``VERSIONS``).

    ``charset`` (one of ``charset.CHARSETS``) is what the bank's channel carries; texts are
    brought into it. Nothing is written, and ``FormatError`` raised with every problem found,
    unless the whole instruction is right.
    """
    form = version_of(version)
    faults, totals = examine(instruction, version, charset)
    if faults:
        first = faults[0]
        subject = f"payment {first.end_to_end_id}: " if first.end_to_end_id else ""
        others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise FormatError(f"{subject}{first.message}{others}", first.path, problems=faults)
    sink = _Digest(stream)
    with etree.xmlfile(sink, encoding="UTF-8", buffered=True) as out:
        out.write_declaration()
        # Only the root names the namespace; the others inherit it in the text. Elements that
        # carried it themselves would each declare it again.
        with (
            out.element("Document", nsmap={None: form.namespace}),
            out.element("CstmrCdtTrfInitn"),
        ):
            out.write(_header(instruction, totals, charset))
            for block, total in zip(instruction.blocks, totals, strict=True):
                with out.element("PmtInf"):
                    for element in _block(texts.block(block, charset), total, form):
                        out.write(element)
                    again = Totals()
                    for transfer in block.transfers:
                        again.add(transfer.amount)
                        out.write(_transfer(texts.transfer(transfer, charset), form))
                    if again != total:
                        raise FormatError(
                            f"block {block.id}: its payments changed while they were written"
                        )
    return Summary(
        count=sum(total.count for total in totals),
        control_sum=sum((total.amount for total in totals), Decimal(0)),
        sha256=sink.digest.hexdigest(),
        size=sink.size,
    )


class _Digest:
    """A stream that remembers what passed through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.digest.update(data)
        self.size += len(data)


def _add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


def _optional(parent: etree._Element, tag: str, text: str | None) -> None:
    if text:
        etree.SubElement(parent, tag).text = text


def _root(tag: str, text: str | None = None) -> etree._Element:
    element = etree.Element(tag)
    element.text = text
    return element


def _header(instruction: Instruction, totals: list, charset: str) -> etree._Element:
    header = _root("GrpHdr")
    _add(header, "MsgId", instruction.message_id)
    _add(header, "CreDtTm", instruction.created.isoformat(timespec="seconds"))
    _add(header, "NbOfTxs", str(sum(total.count for total in totals)))
    control_sum = sum((total.amount for total in totals), Decimal(0))
    _add(header, "CtrlSum", format(control_sum, "f"))
    _party(_add(header, "InitgPty"), texts.party(instruction.initiating_party, charset))
    return header


def _block(block: PaymentBlock, total: Totals, form: Version) -> list[etree._Element]:
    parts = [_root("PmtInfId", block.id), _root("PmtMtd", "TRF")]
    if block.batch_booking is not None:
        parts.append(_root("BtchBookg", "true" if block.batch_booking else "false"))
    parts.append(_root("NbOfTxs", str(total.count)))
    parts.append(_root("CtrlSum", format(total.amount, "f")))
    if block.service_level or block.local_instrument or block.category_purpose:
        kind = _root("PmtTpInf")
        for tag, code in (
            ("SvcLvl", block.service_level),
            ("LclInstrm", block.local_instrument),
            ("CtgyPurp", block.category_purpose),
        ):
            if code:
                _add(_add(kind, tag), "Cd", code)
        parts.append(kind)
    when = _root("ReqdExctnDt")
    target = _add(when, "Dt") if form.wraps_date else when
    target.text = block.execution_date.isoformat()
    parts.append(when)
    parts.append(_party(_root("Dbtr"), block.debtor))
    parts.append(_account(_root("DbtrAcct"), block.debtor_account))
    agent = _root("DbtrAgt")
    if block.debtor_agent is None:
        _add(_add(_add(agent, "FinInstnId"), "Othr"), "Id", "NOTPROVIDED")
    else:
        _agent(agent, block.debtor_agent, form)
    parts.append(agent)
    if block.charge_bearer:
        parts.append(_root("ChrgBr", block.charge_bearer))
    return parts


def _transfer(transfer: CreditTransfer, form: Version) -> etree._Element:
    payment = _root("CdtTrfTxInf")
    identity = _add(payment, "PmtId")
    _optional(identity, "InstrId", transfer.instruction_id)
    _add(identity, "EndToEndId", transfer.end_to_end_id)
    if form.has_uetr:
        _optional(identity, "UETR", transfer.uetr)
    money = _add(_add(payment, "Amt"), "InstdAmt", written(transfer.amount, transfer.currency))
    money.set("Ccy", transfer.currency)
    _optional(payment, "ChrgBr", transfer.charge_bearer)
    if transfer.ultimate_debtor is not None:
        _party(_add(payment, "UltmtDbtr"), transfer.ultimate_debtor)
    if transfer.creditor_agent is not None:
        _agent(_add(payment, "CdtrAgt"), transfer.creditor_agent, form)
    _party(_add(payment, "Cdtr"), transfer.creditor)
    _account(_add(payment, "CdtrAcct"), transfer.creditor_account)
    if transfer.ultimate_creditor is not None:
        _party(_add(payment, "UltmtCdtr"), transfer.ultimate_creditor)
    if transfer.purpose:
        _add(_add(payment, "Purp"), "Cd", transfer.purpose)
    if transfer.regulatory_code or transfer.regulatory_text or transfer.regulatory_country:
        _regulatory(_add(payment, "RgltryRptg"), transfer)
    if transfer.remittance is not None:
        _remittance(payment, transfer.remittance)
    return payment


def _regulatory(parent: etree._Element, transfer: CreditTransfer) -> None:
    if transfer.regulatory_country:
        _add(_add(parent, "Authrty"), "Ctry", transfer.regulatory_country)
    if transfer.regulatory_code or transfer.regulatory_text:
        details = _add(parent, "Dtls")
        _optional(details, "Cd", transfer.regulatory_code)
        _optional(details, "Inf", transfer.regulatory_text)


def _remittance(payment: etree._Element, remittance: Remittance) -> None:
    if not (remittance.unstructured or remittance.creditor_reference):
        return
    parent = _add(payment, "RmtInf")
    _optional(parent, "Ustrd", remittance.unstructured)
    if remittance.creditor_reference:
        reference = _add(_add(parent, "Strd"), "CdtrRefInf")
        kind = _add(reference, "Tp")
        own = remittance.creditor_reference_type
        _add(_add(kind, "CdOrPrtry"), "Prtry" if own else "Cd", own or "SCOR")
        _optional(kind, "Issr", remittance.creditor_reference_issuer)
        _add(reference, "Ref", remittance.creditor_reference)


def _party(parent: etree._Element, party: Party) -> etree._Element:
    _optional(parent, "Nm", party.name)
    if party.address is not None:
        _address(parent, party.address)
    if party.organisation_id:
        other = _add(_add(_add(parent, "Id"), "OrgId"), "Othr")
        _add(other, "Id", party.organisation_id)
        _scheme(other, party.organisation_id_scheme, _ORGANISATION_CODES)
    return parent


def _scheme(parent: etree._Element, scheme: str | None, codes: frozenset[str]) -> None:
    if scheme:
        _add(_add(parent, "SchmeNm"), "Cd" if scheme in codes else "Prtry", scheme)


def _address(parent: etree._Element, address: Address) -> None:
    postal = _add(parent, "PstlAdr")
    _optional(postal, "StrtNm", address.street)
    _optional(postal, "BldgNb", address.building)
    _optional(postal, "PstCd", address.post_code)
    _optional(postal, "TwnNm", address.town)
    _optional(postal, "CtrySubDvsn", address.subdivision)
    _optional(postal, "Ctry", address.country)
    for line in address.lines:
        _add(postal, "AdrLine", line)


def _account(parent: etree._Element, account: Account) -> etree._Element:
    identity = _add(parent, "Id")
    if account.iban:
        _add(identity, "IBAN", account.iban)
    else:
        other = _add(identity, "Othr")
        _add(other, "Id", account.other)
        _scheme(other, account.other_scheme, _ACCOUNT_CODES)
    _optional(parent, "Ccy", account.currency)
    return parent


def _agent(parent: etree._Element, agent: Agent, form: Version) -> None:
    bank = _add(parent, "FinInstnId")
    _optional(bank, form.bic_tag, agent.bic)
    if agent.member_id:
        member = _add(bank, "ClrSysMmbId")
        if agent.clearing_system:
            _add(_add(member, "ClrSysId"), "Cd", agent.clearing_system)
        _add(member, "MmbId", agent.member_id)
    _optional(bank, "Nm", agent.name)
    if agent.address is not None:
        _address(bank, agent.address)
