"""One transaction of the list: its amount and dates strict, all else as the bank gives it."""

from decimal import Decimal

from ..errors import FormatError
from ..incoming import Batch, Entry, Exchange, TransactionCode, TransactionDetails
from ..model import Account, Agent, Party
from ..values import certain, count, number
from .values import Item

# what banks write when there is no reference to give
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})
_ISSUED = frozenset({"ICDT", "IRCT"})  # credit transfers that leave the account
_RETURNS = frozenset({"RRTN", "RPCR", "RVRS"})


def entry(item: Item, status: str, account: Account, position: int) -> Entry:
    """The entry that ``item`` tells of an account.

    Raises ``FormatError`` when its amount, sign, currency or day can't be told for certain.
    """
    given = item.amount("transactionAmount")
    if given is None:
        raise FormatError("the transaction has no amount", item.path, code="amount")
    certain(*given, f"{item.path}/transactionAmount")
    code = _code(item)
    value, currency = _signed(item, *given, code, account)
    booked, valued = item.day("bookingDate"), item.day("valueDate")
    if booked is None and status == "BOOK":
        if valued is None:
            raise FormatError(
                "a booked entry has neither booking date nor value date", item.path, code="day"
            )
        item.odd("no_booking_day", "bookingDate", "is missing from a booked entry")
    own = _details(item, value, currency)
    parts = [_details(part, None, None) for part in item.items("entryDetails")]
    exchange, instructed = _exchange(item)
    return Entry(
        amount=value,
        currency=currency,
        credit_debit="DBIT" if value < 0 else "CRDT",
        status=status,
        reversal=bool(code and code.subfamily == "RVRS"),
        booking_date=booked,
        value_date=valued,
        reference=item.text("entryReference"),
        # the same as in its camt messages; a transactionId may be of this one interface only
        bank_reference=item.text("entryReference"),
        transaction_code=code,
        batch=_batch(item),
        instructed_amount=instructed[0],
        instructed_currency=instructed[1],
        exchange=exchange,
        additional_information=item.text("additionalInformation"),
        details=_shared(item, parts, value, currency) if parts else (own,),
        position=position,
        path=item.path,
    )


def _signed(
    item: Item, value: Decimal, currency: str, code: TransactionCode | None, account: Account
) -> tuple[Decimal, str]:
    """The amount with its sign, which some banks leave out or say apart."""
    indicator = item.text("creditDebitIndicator")
    if indicator in ("DBIT", "debit", "DEBIT"):
        return -abs(value) if value else value, currency
    if indicator in ("CRDT", "credit", "CREDIT"):
        if value < 0:
            raise FormatError(
                "a credit with a negative amount", f"{item.path}/transactionAmount", code="sign"
            )
        return value, currency
    if item.given.get("creditDebitIndicator") not in (None, ""):
        raise FormatError(
            f"{str(item.given['creditDebitIndicator'])[:40]!r} is neither credit nor debit",
            f"{item.path}/creditDebitIndicator",
            code="sign",
        )
    if value > 0 and _is_to_another(item, account) and not _is_return(code):
        if code is None or code.family is None or code.family in _ISSUED:
            raise FormatError(
                "money for another account without a minus: in or out can't be told",
                f"{item.path}/transactionAmount",
                code="sign",
            )
    return value, currency


def _is_to_another(item: Item, account: Account) -> bool:
    creditor = item.account("creditorAccount")
    return (
        creditor is not None
        and (creditor.iban, creditor.other) != (account.iban, account.other)
        and item.account("debtorAccount") is None
        and item.text("debtorName") is None
    )


def _is_return(code: TransactionCode | None) -> bool:
    return code is not None and code.subfamily in _RETURNS


def _code(item: Item) -> TransactionCode | None:
    parts = (item.text("bankTransactionCode") or "").split("-")
    domain, family, subfamily = (part.strip() or None for part in (*parts, "", "", "")[:3])
    proprietary = item.text("proprietaryBankTransactionCode")
    if not domain and not proprietary:
        return None
    return TransactionCode(
        domain=domain, family=family, subfamily=subfamily, proprietary=proprietary
    )


def _batch(item: Item) -> Batch | None:
    if not item.flag("batchIndicator"):
        return None
    text = item.text("batchNumberOfTransactions")
    return Batch(count=count(text, f"{item.path}/batchNumberOfTransactions", item.notes))


def _shared(
    item: Item, parts: list[TransactionDetails], value: Decimal, currency: str
) -> tuple[TransactionDetails, ...]:
    """The payments of a batch entry, with its sign where the bank leaves theirs out."""
    amounts = []
    for part in item.items("entryDetails"):
        given = part.amount("transactionAmount")
        amounts.append(given if given and given[1] == currency else (None, None))
    known = [amount for amount, _unit in amounts if amount is not None]
    turn = value < 0 and known and min(known) >= 0
    if len(known) == len(amounts) and abs(sum(known)) != abs(value):
        item.odd("details", "entryDetails", "do not add up to their entry")
    found = []
    for part, (amount, unit) in zip(parts, amounts, strict=True):
        given = {name: getattr(part, name) for name in TransactionDetails.__slots__}
        given["amount"] = -amount if turn and amount else amount
        given["currency"] = unit
        found.append(TransactionDetails(**given))
    return tuple(found)


def _exchange(item: Item) -> tuple[Exchange | None, tuple[Decimal | None, str | None]]:
    """The first rate that applied, and the amount before it."""
    for rate in item.items("currencyExchange"):
        instructed = rate.amount("instructedAmount") or (None, None)
        text = rate.text("exchangeRate")
        if text is None:
            continue
        return (
            Exchange(
                rate=number(text, f"{rate.path}/exchangeRate"),
                source=rate.text("sourceCurrency"),
                target=rate.text("targetCurrency"),
                unit=rate.text("unitCurrency"),
                contract=rate.text("contractIdentification"),
            ),
            instructed,
        )
    return None, (None, None)


def _details(item: Item, value: Decimal | None, currency: str | None) -> TransactionDetails:
    exchange, instructed = _exchange(item)
    references = _references(item)
    texts = item.texts("remittanceInformationUnstructured")
    more = item.texts("remittanceInformationUnstructuredArray")
    # some banks give the same text both ways
    texts = more if " ".join(texts).strip() in (" ".join(more), "".join(more)) else texts + more
    end_to_end = item.text("endToEndId")
    return TransactionDetails(
        end_to_end_id=(
            end_to_end if end_to_end and end_to_end.upper() not in _NO_REFERENCE else None
        ),
        uetr=(item.text("uetr") or "").lower() or None,
        transaction_id=item.text("transactionId"),
        mandate_id=item.text("mandateId"),
        cheque_number=item.text("checkId"),
        amount=value,
        currency=currency,
        instructed_amount=instructed[0],
        instructed_currency=instructed[1],
        exchange=exchange,
        debtor=_party(item, "debtorName"),
        debtor_account=item.account("debtorAccount"),
        debtor_agent=_agent(item, "debtorAgent"),
        creditor=_party(item, "creditorName", "creditorId"),
        creditor_account=item.account("creditorAccount"),
        creditor_agent=_agent(item, "creditorAgent"),
        ultimate_debtor=_party(item, "ultimateDebtor"),
        ultimate_creditor=_party(item, "ultimateCreditor"),
        remittance_unstructured=tuple(texts),
        creditor_reference=references[0] if references else None,
        creditor_references=references,
        purpose=item.text("purposeCode"),
    )


def _references(item: Item) -> tuple[str, ...]:
    """Structured references; a mere text in the older releases."""
    found = []
    for key in ("remittanceInformationStructured", "remittanceInformationStructuredArray"):
        value = item.given.get(key)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                each = Item(each, f"{item.path}/{key}", item.notes).text("reference")
            if isinstance(each, str) and each.strip() and each.strip() not in found:
                found.append(each.strip())
    return tuple(found)


def _party(item: Item, name: str, identification: str = "") -> Party | None:
    found, number = item.text(name), item.text(identification)
    return Party(name=found, organisation_id=number) if found or number else None


def _agent(item: Item, key: str) -> Agent | None:
    bic = item.text(key)
    return Agent(bic=bic) if bic else None
