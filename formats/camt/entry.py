"""One line of the account: ``Ntry``, strict on amount, sign, currency, status and dates."""

from decimal import Decimal

from ..errors import FormatError
from ..incoming import Batch, Charge, Entry, TransactionCode, TransactionDetails
from ..notes import Note, Notes
from ..safety import Node
from ..values import amount, certain, count, day_of, flag, once, signed
from .details import transaction_code, transaction_details
from .money import AmountDetails, charges

STATUSES = frozenset({"BOOK", "PDNG", "INFO", "FUTR"})


def entry(node: Node, kind: str, position: int, notes: Notes) -> Entry:
    """The entry in ``node``; ``notes`` collects what was tolerated.

    Raises ``FormatError`` when the amount, its sign, its currency, the status or a date can't
    be told for certain.
    """
    path = node.path
    once(node, "Amt", "CdtDbtInd")
    money = node.first("Amt")
    if money is None:
        raise FormatError("the entry has no amount", path, code="amount")
    value, currency = amount(money, f"{path}/Amt")
    certain(value, currency, f"{path}/Amt")
    if value < 0:
        # ISO 20022 allows no negative amount; taken as arithmetic says, which the balances prove
        text = f"the amount {value} is negative, which reverses its indicator"
        notes.append(Note.of("negative", text, path, amount=value))
    value = signed(value, node, path)
    indicator = node.value("CdtDbtInd")
    if indicator is None:
        text = "an entry of zero without a credit or debit indicator"
        notes.append(Note.of("zero_without_sign", text, path))
        indicator = "CRDT"
    status = _status(node, kind, path, notes)
    booked = day_of(node.first("BookgDt"), f"{path}/BookgDt")
    valued = day_of(node.first("ValDt"), f"{path}/ValDt")
    if booked is None and status == "BOOK":
        if valued is None:
            raise FormatError(
                "a booked entry has neither booking date nor value date", path, code="day"
            )
        notes.append(Note.of("no_booking_date", "a booked entry without a booking date", path))
    code = transaction_code(node)
    instructed = AmountDetails(node.first("AmtDtls"), path)
    fees = charges(node, path)
    details = _details(node, path, currency, -1 if indicator == "DBIT" else 1, code)
    batches = _batches(node, path, notes)
    _compare(value, details, fees, batches, path, notes)
    return Entry(
        amount=value,
        currency=currency,
        credit_debit=indicator,
        status=status,
        reversal=bool(flag(node.value("RvslInd"))),
        booking_date=booked,
        value_date=valued,
        reference=node.value("NtryRef"),
        bank_reference=node.value("AcctSvcrRef"),
        transaction_code=code,
        batch=batches[0] if batches else None,
        further_batches=batches[1:],
        charges=fees,
        instructed_amount=instructed.instructed[0],
        instructed_currency=instructed.instructed[1],
        exchange=instructed.exchange,
        additional_information=node.value("AddtlNtryInf"),
        details=details,
        position=position,
        path=path,
    )


def _status(node: Node, kind: str, path: str, notes: Notes) -> str:
    # a plain code until version .06, a choice of Cd and Prtry after it
    status = node.value("Sts", "Cd") or node.value("Sts", "Prtry") or node.value("Sts")
    if status is None and kind == "camt.053":
        text = "an entry without a status, taken as booked, being on a statement"
        notes.append(Note.of("no_status", text, path))
        return "BOOK"
    if status not in STATUSES:
        found = f"{status!r} is not one of {', '.join(sorted(STATUSES))}" if status else "missing"
        raise FormatError(f"the entry's status is {found}", f"{path}/Sts", code="status")
    return status


def _batches(node: Node, path: str, notes: Notes) -> tuple[Batch, ...]:
    # beside the entry in version .01, in NtryDtls since
    holders = [node, *node.all("NtryDtls")]
    return tuple(
        _batch(found, path, notes) for holder in holders for found in holder.all("Btch")
    )


def _batch(found: Node, path: str, notes: Notes) -> Batch:
    total = currency = None
    if (money := found.first("TtlAmt")) is not None:
        total, currency = amount(money, f"{path}/NtryDtls/Btch/TtlAmt")
    return Batch(
        message_id=found.value("MsgId"),
        payment_information_id=found.value("PmtInfId"),
        count=count(found.value("NbOfTxs"), f"{path}/NtryDtls/Btch/NbOfTxs", notes),
        total=total,
        currency=currency,
    )


def _compare(
    value: Decimal,
    details: tuple[TransactionDetails, ...],
    fees: tuple[Charge, ...],
    batches: tuple[Batch, ...],
    path: str,
    notes: Notes,
) -> None:
    """Note where the payments of an entry, each with its amount, are not the whole of it."""
    several = len(details) > 1 or any((batch.count or 0) > len(details) for batch in batches)
    if not details or not several or any(item.amount is None for item in details):
        return
    total = sum(item.amount for item in details)
    taken = [*fees, *(charge for item in details for charge in item.charges)]
    if value not in (total, total + sum(charge.amount for charge in taken)):
        number = len(details)
        text = f"the entry is {value}, its {number} payments make {total}"
        notes.append(Note.of("parts", text, path, amount=value, number=number, total=total))


def compact(record: Node, node: Node) -> TransactionDetails | Node:
    """A ``TxDtls`` made small as soon as it closes, for one entry may hold 100,000 of them.

    That needs the entry's currency and sign, which come first unless the bank got the order
    wrong: then it waits as it is.
    """
    money, indicator = record.first("Amt"), record.value("CdtDbtInd")
    currency = money.attributes.get("Ccy") if money is not None and money.attributes else None
    if record.tag != "Ntry" or not currency or indicator not in ("CRDT", "DBIT"):
        return node
    return transaction_details(
        node,
        f"{record.path}/TxDtls",
        currency.strip(),
        -1 if indicator == "DBIT" else 1,
        transaction_code(record),
    )


def _details(
    node: Node, path: str, currency: str, sign: int, code: TransactionCode | None
) -> tuple[TransactionDetails, ...]:
    found = []
    for holder in (node, *node.all("NtryDtls")):
        for item in holder.all("TxDtls"):
            if isinstance(item, Node):
                item = transaction_details(item, f"{path}/TxDtls", currency, sign, code)
            found.append(item)
    return tuple(found)
