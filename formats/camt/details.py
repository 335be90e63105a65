"""One payment inside an entry: ``TxDtls``."""

from decimal import Decimal

from ..incoming import TransactionCode, TransactionDetails
from ..parts import account, agent, party, reason
from ..safety import Node
from ..values import amount, signed
from .money import AmountDetails, charges

# what banks write when there is no reference to give
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})


def transaction_code(node: Node) -> TransactionCode | None:
    """The ``BkTxCd`` of an entry or a payment."""
    code = node.first("BkTxCd")
    if code is None:
        return None
    return TransactionCode(
        domain=code.value("Domn", "Cd"),
        family=code.value("Domn", "Fmly", "Cd"),
        subfamily=code.value("Domn", "Fmly", "SubFmlyCd"),
        proprietary=code.value("Prtry", "Cd"),
        issuer=code.value("Prtry", "Issr"),
    )


def transaction_details(
    node: Node, path: str, currency: str, sign: int, code: TransactionCode | None
) -> TransactionDetails:
    """A ``TxDtls`` of an entry in ``currency`` whose own sign is ``sign`` (1 or -1)."""
    given = {}
    _references(node, given)
    _amounts(node, path, currency, sign, given)
    _parties(node, given)
    _remittance(node, given)
    if (returned := node.first("RtrInf")) is not None:
        given["return_reason"] = reason(returned)
    own = transaction_code(node)
    if own is not None and own != code:
        given["transaction_code"] = own
    given["purpose"] = node.value("Purp", "Cd") or node.value("Purp", "Prtry")
    given["additional_information"] = node.value("AddtlTxInf")
    return TransactionDetails(**given)


def _references(node: Node, given: dict) -> None:
    refs = node.first("Refs")
    if refs is None:
        return
    for field, tag in (
        ("end_to_end_id", "EndToEndId"),
        ("uetr", "UETR"),
        ("instruction_id", "InstrId"),
        ("message_id", "MsgId"),
        ("payment_information_id", "PmtInfId"),
        ("transaction_id", "TxId"),
        ("bank_reference", "AcctSvcrRef"),
        ("clearing_reference", "ClrSysRef"),
        ("mandate_id", "MndtId"),
        ("cheque_number", "ChqNb"),
    ):
        value = refs.value(tag)
        if value is not None and value.upper() not in _NO_REFERENCE:
            given[field] = value
    if "uetr" in given:
        given["uetr"] = given["uetr"].lower()


def _amounts(node: Node, path: str, currency: str, sign: int, given: dict) -> None:
    found = AmountDetails(node.first("AmtDtls"), path)
    candidates: list[tuple[Decimal, str]] = []
    exchanged = found.exchange
    if (own := node.first("Amt")) is not None:
        candidates.append(amount(own, f"{path}/Amt"))
    candidates += [found.amounts[tag] for tag in ("TxAmt", "CntrValAmt") if tag in found.amounts]
    for value, unit in candidates:
        if unit == currency:
            if node.first("CdtDbtInd") is not None:
                value = signed(value, node, path)
            elif sign < 0 and value:
                value = -value
            given["amount"], given["currency"] = value, unit
            break
    given["instructed_amount"], given["instructed_currency"] = found.instructed
    if given["instructed_amount"] is None:
        foreign = next((item for item in candidates if item[1] != currency), (None, None))
        given["instructed_amount"], given["instructed_currency"] = foreign
    given["exchange"] = exchanged
    given["charges"] = charges(node, path)


def _parties(node: Node, given: dict) -> None:
    parties = node.first("RltdPties")
    if parties is not None:
        for field, tag in (
            ("debtor", "Dbtr"),
            ("creditor", "Cdtr"),
            ("ultimate_debtor", "UltmtDbtr"),
            ("ultimate_creditor", "UltmtCdtr"),
        ):
            given[field] = party(parties.first(tag))
        given["debtor_account"] = account(parties.first("DbtrAcct"))
        given["creditor_account"] = account(parties.first("CdtrAcct"))
    agents = node.first("RltdAgts")
    if agents is not None:
        given["debtor_agent"] = agent(agents.first("DbtrAgt"))
        given["creditor_agent"] = agent(agents.first("CdtrAgt"))


def _remittance(node: Node, given: dict) -> None:
    remittance = node.first("RmtInf")
    if remittance is None:
        return
    given["remittance_unstructured"] = tuple(
        item.text for item in remittance.all("Ustrd") if item.text
    )
    references, documents = [], []
    for item in remittance.all("Strd"):
        for document in item.all("RfrdDocInf"):
            number = document.value("Nb") or document.value("RfrdDocNb")
            if number:
                documents.append(number)
        for reference in item.all("CdtrRefInf"):
            text = reference.value("Ref") or reference.value("CdtrRef")
            if text:
                references.append(text)
    given["creditor_references"] = tuple(references)
    given["creditor_reference"] = references[0] if references else None
    given["referred_documents"] = tuple(documents)
