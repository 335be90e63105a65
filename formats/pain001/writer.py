"""Writing pain.001 as a stream: one payment in memory at a time."""

from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from ..currency import written
from ..elements import Digest, add, optional, root
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
    sink = Digest(stream)
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


def _header(instruction: Instruction, totals: list, charset: str) -> etree._Element:
    header = root("GrpHdr")
    add(header, "MsgId", instruction.message_id)
    add(header, "CreDtTm", instruction.created.isoformat(timespec="seconds"))
    add(header, "NbOfTxs", str(sum(total.count for total in totals)))
    control_sum = sum((total.amount for total in totals), Decimal(0))
    add(header, "CtrlSum", format(control_sum, "f"))
    _party(add(header, "InitgPty"), texts.party(instruction.initiating_party, charset))
    return header


def _block(block: PaymentBlock, total: Totals, form: Version) -> list[etree._Element]:
    parts = [root("PmtInfId", block.id), root("PmtMtd", "TRF")]
    if block.batch_booking is not None:
        parts.append(root("BtchBookg", "true" if block.batch_booking else "false"))
    parts.append(root("NbOfTxs", str(total.count)))
    parts.append(root("CtrlSum", format(total.amount, "f")))
    if block.service_level or block.local_instrument or block.category_purpose:
        kind = root("PmtTpInf")
        for tag, code in (
            ("SvcLvl", block.service_level),
            ("LclInstrm", block.local_instrument),
            ("CtgyPurp", block.category_purpose),
        ):
            if code:
                add(add(kind, tag), "Cd", code)
        parts.append(kind)
    when = root("ReqdExctnDt")
    target = add(when, "Dt") if form.wraps_date else when
    target.text = block.execution_date.isoformat()
    parts.append(when)
    parts.append(_party(root("Dbtr"), block.debtor))
    parts.append(_account(root("DbtrAcct"), block.debtor_account))
    agent = root("DbtrAgt")
    if block.debtor_agent is None:
        add(add(add(agent, "FinInstnId"), "Othr"), "Id", "NOTPROVIDED")
    else:
        _agent(agent, block.debtor_agent, form)
    parts.append(agent)
    if block.charge_bearer:
        parts.append(root("ChrgBr", block.charge_bearer))
    return parts


def _transfer(transfer: CreditTransfer, form: Version) -> etree._Element:
    payment = root("CdtTrfTxInf")
    identity = add(payment, "PmtId")
    optional(identity, "InstrId", transfer.instruction_id)
    add(identity, "EndToEndId", transfer.end_to_end_id)
    if form.has_uetr:
        optional(identity, "UETR", transfer.uetr)
    money = add(add(payment, "Amt"), "InstdAmt", written(transfer.amount, transfer.currency))
    money.set("Ccy", transfer.currency)
    optional(payment, "ChrgBr", transfer.charge_bearer)
    if transfer.ultimate_debtor is not None:
        _party(add(payment, "UltmtDbtr"), transfer.ultimate_debtor)
    if transfer.creditor_agent is not None:
        _agent(add(payment, "CdtrAgt"), transfer.creditor_agent, form)
    _party(add(payment, "Cdtr"), transfer.creditor)
    _account(add(payment, "CdtrAcct"), transfer.creditor_account)
    if transfer.ultimate_creditor is not None:
        _party(add(payment, "UltmtCdtr"), transfer.ultimate_creditor)
    if transfer.purpose:
        add(add(payment, "Purp"), "Cd", transfer.purpose)
    if transfer.regulatory_code or transfer.regulatory_text or transfer.regulatory_country:
        _regulatory(add(payment, "RgltryRptg"), transfer)
    if transfer.remittance is not None:
        _remittance(payment, transfer.remittance)
    return payment


def _regulatory(parent: etree._Element, transfer: CreditTransfer) -> None:
    if transfer.regulatory_country:
        add(add(parent, "Authrty"), "Ctry", transfer.regulatory_country)
    if transfer.regulatory_code or transfer.regulatory_text:
        details = add(parent, "Dtls")
        optional(details, "Cd", transfer.regulatory_code)
        optional(details, "Inf", transfer.regulatory_text)


def _remittance(payment: etree._Element, remittance: Remittance) -> None:
    if not (remittance.unstructured or remittance.creditor_reference):
        return
    parent = add(payment, "RmtInf")
    optional(parent, "Ustrd", remittance.unstructured)
    if remittance.creditor_reference:
        reference = add(add(parent, "Strd"), "CdtrRefInf")
        kind = add(reference, "Tp")
        own = remittance.creditor_reference_type
        add(add(kind, "CdOrPrtry"), "Prtry" if own else "Cd", own or "SCOR")
        optional(kind, "Issr", remittance.creditor_reference_issuer)
        add(reference, "Ref", remittance.creditor_reference)


def _party(parent: etree._Element, party: Party) -> etree._Element:
    optional(parent, "Nm", party.name)
    if party.address is not None:
        _address(parent, party.address)
    if party.organisation_id:
        other = add(add(add(parent, "Id"), "OrgId"), "Othr")
        add(other, "Id", party.organisation_id)
        _scheme(other, party.organisation_id_scheme, _ORGANISATION_CODES)
    return parent


def _scheme(parent: etree._Element, scheme: str | None, codes: frozenset[str]) -> None:
    if scheme:
        add(add(parent, "SchmeNm"), "Cd" if scheme in codes else "Prtry", scheme)


def _address(parent: etree._Element, address: Address) -> None:
    postal = add(parent, "PstlAdr")
    optional(postal, "StrtNm", address.street)
    optional(postal, "BldgNb", address.building)
    optional(postal, "PstCd", address.post_code)
    optional(postal, "TwnNm", address.town)
    optional(postal, "CtrySubDvsn", address.subdivision)
    optional(postal, "Ctry", address.country)
    for line in address.lines:
        add(postal, "AdrLine", line)


def _account(parent: etree._Element, account: Account) -> etree._Element:
    identity = add(parent, "Id")
    if account.iban:
        add(identity, "IBAN", account.iban)
    else:
        other = add(identity, "Othr")
        add(other, "Id", account.other)
        _scheme(other, account.other_scheme, _ACCOUNT_CODES)
    optional(parent, "Ccy", account.currency)
    return parent


def _agent(parent: etree._Element, agent: Agent, form: Version) -> None:
    bank = add(parent, "FinInstnId")
    optional(bank, form.bic_tag, agent.bic)
    if agent.member_id:
        member = add(bank, "ClrSysMmbId")
        if agent.clearing_system:
            add(add(member, "ClrSysId"), "Cd", agent.clearing_system)
        add(member, "MmbId", agent.member_id)
    optional(bank, "Nm", agent.name)
    if agent.address is not None:
        _address(bank, agent.address)
