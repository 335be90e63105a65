"""The sums in the exact bytes exchanged, read apart from the module that made or read them.

Only what the totals need, of ISO 20022 pain.001.001.03/.09 and camt.053.001.02/.08: written
anew, since the module's own readers must not judge themselves.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree


@dataclass
class Booked:
    """What an account's statements say: paid out and come in (both positive), closing balance."""

    out: Decimal = Decimal(0)
    back: Decimal = Decimal(0)
    entries: set[str] = field(default_factory=set)
    closing: tuple[str, Decimal] = ("", Decimal(0))  # date and balance


def ordered(documents: list[bytes]) -> dict[str, Decimal]:
    """Debtor's IBAN → sum of the instructed amounts in pain.001 messages."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for content in documents:
        for block in _root(content).iter("{*}PmtInf"):
            account = block.findtext("{*}DbtrAcct/{*}Id/{*}IBAN")
            for amount in block.iterfind("{*}CdtTrfTxInf/{*}Amt/{*}InstdAmt"):
                sums[account] += Decimal(amount.text)
    return sums


def booked(documents: list[bytes]) -> dict[str, Booked]:
    """IBAN → what camt.053 statements booked, each entry counted once."""
    accounts: dict[str, Booked] = defaultdict(Booked)
    for content in documents:
        for statement in _root(content).iter("{*}Stmt"):
            found = accounts[statement.findtext("{*}Acct/{*}Id/{*}IBAN")]
            for entry in statement.iterfind("{*}Ntry"):
                reference = entry.findtext("{*}AcctSvcrRef")
                if reference in found.entries:
                    continue
                found.entries.add(reference)
                amount = Decimal(entry.findtext("{*}Amt"))
                if entry.findtext("{*}CdtDbtInd") == "DBIT":
                    found.out += amount
                else:
                    found.back += amount
            for balance in statement.iterfind("{*}Bal"):
                if balance.findtext("{*}Tp/{*}CdOrPrtry/{*}Cd") == "CLBD":
                    found.closing = max(found.closing, _dated(balance))
    return accounts


def _dated(balance: etree._Element) -> tuple[str, Decimal]:
    sign = -1 if balance.findtext("{*}CdtDbtInd") == "DBIT" else 1
    day = balance.findtext("{*}Dt/{*}Dt") or balance.findtext("{*}Dt/{*}DtTm")
    return day, sign * Decimal(balance.findtext("{*}Amt"))


def _root(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.parse(io.BytesIO(content), parser).getroot()
