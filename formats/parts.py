"""Parties, accounts, banks and reasons as every received message spells them.

ISO 20022 moved these elements between versions; each function here accepts every place that any
version of pain.002 and camt.05x uses.
"""

from .incoming import Reason
from .model import Account, Address, Agent, Party
from .safety import Node


def party(node: Node | None) -> Party | None:
    """A ``PartyIdentification``, also where newer versions wrap it in ``Pty`` (or ``Agt``)."""
    if node is None or node.children is None:
        return None
    wrapped = node.first("Pty")
    if wrapped is None and (bank := node.first("Agt")) is not None:
        found = agent(bank)
        return Party(name=found.name or found.bic) if found else None
    node = wrapped or node
    other = node.first("Id", "OrgId", "Othr") or node.first("Id", "PrvtId", "Othr")
    name, where = node.value("Nm"), address(node.first("PstlAdr"))
    bic = node.value("Id", "OrgId", "AnyBIC") or node.value("Id", "OrgId", "BICOrBEI")
    if other is None and not (name or where or bic):
        return None
    return Party(
        name=name,
        address=where,
        organisation_id=(other.value("Id") if other is not None else None) or bic,
        organisation_id_scheme=scheme(other),
    )


def scheme(node: Node | None) -> str | None:
    """Code or proprietary name of an identification's scheme."""
    if node is None:
        return None
    return node.value("SchmeNm", "Cd") or node.value("SchmeNm", "Prtry")


def address(node: Node | None) -> Address | None:
    """A ``PstlAdr``."""
    if node is None or node.children is None:
        return None
    return Address(
        country=node.value("Ctry"),
        town=node.value("TwnNm"),
        post_code=node.value("PstCd"),
        street=node.value("StrtNm"),
        building=node.value("BldgNb"),
        subdivision=node.value("CtrySubDvsn"),
        lines=tuple(line.text for line in node.all("AdrLine") if line.text),
    )


def account(node: Node | None) -> Account | None:
    """A ``CashAccount``; the first version's ``BBAN``, ``UPIC`` and ``PrtryAcct`` too."""
    if node is None or node.children is None:
        return None
    identity = node.first("Id")
    if identity is None:
        return None
    currency = node.value("Ccy")
    if iban := identity.value("IBAN"):
        return Account(iban=iban.replace(" ", "").upper(), currency=currency)
    if (other := identity.first("Othr")) is not None and other.value("Id"):
        return Account(other=other.value("Id"), other_scheme=scheme(other), currency=currency)
    for tag in ("BBAN", "UPIC"):
        if number := identity.value(tag):
            return Account(other=number, other_scheme=tag, currency=currency)
    if number := identity.value("PrtryAcct", "Id"):
        return Account(other=number, currency=currency)
    return None


def agent(node: Node | None) -> Agent | None:
    """A ``BranchAndFinancialInstitutionIdentification``."""
    bank = node.first("FinInstnId") if node is not None else None
    if bank is None or bank.children is None:
        return None
    # the first version's CmbndId holds BIC, clearing number and name together
    bank = bank.first("CmbndId") or bank
    member = bank.first("ClrSysMmbId")
    bic = bank.value("BICFI") or bank.value("BIC")
    name = bank.value("Nm") or bank.value("NmAndAdr", "Nm")
    if not (bic or name or member):
        return None
    return Agent(
        bic=bic,
        name=name,
        clearing_system=(
            member.value("ClrSysId", "Cd") or member.value("ClrSysId", "Prtry")
            if member is not None
            else None
        ),
        member_id=(
            member.value("MmbId") or member.value("Id") or member.value("Prtry")
            if member is not None
            else None
        ),
        address=address(bank.first("PstlAdr")),
    )


def reason(node: Node) -> Reason:
    """A status reason (``StsRsnInf``) or return reason (``RtrInf``) of any version."""
    why = node.first("Rsn") or node.first("StsRsn") or node.first("RtrRsn")
    who = node.first("Orgtr") or node.first("StsOrgtr") or node.first("RtrOrgtr")
    words = [
        item.text
        for tag in ("AddtlInf", "AddtlStsRsnInf", "AddtlRtrRsnInf")
        for item in node.all(tag)
        if item.text
    ]
    originator = party(who)
    return Reason(
        code=why.value("Cd") if why is not None else None,
        proprietary=why.value("Prtry") if why is not None else None,
        additional=tuple(words),
        originator=(originator.name or originator.organisation_id) if originator else None,
    )
