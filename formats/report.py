"""What the bank says of one account: the same object for every kind of account document."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from .arithmetic import CLOSING, OPENING, Tally, faults, first_of, last_of
from .errors import Fault
from .incoming import Balance, Entry
from .model import Account, Agent, Party
from .notes import Notes

FINAL = frozenset({"camt.053", "mt940"})


class Report:
    """A report on one account. Its header is read; its entries come while they are iterated.

    Each field names the ISO 20022 element that carries it; what SWIFT's MT messages and the
    Berlin Group's JSON put there is told where they are read.

    - ``kind``: ``camt.052``, ``camt.053``, ``camt.054``, ``mt940``, ``mt942`` or
      ``berlin.transactions``; ``message_name``: with the version
    - ``message_id``, ``message_created``: ``GrpHdr/MsgId CreDtTm``
    - ``path``: where the report stands in the document
    - ``id``, ``created``: ``Id``, ``CreDtTm`` of the report
    - ``electronic_sequence``, ``legal_sequence``: ``ElctrncSeqNb``, ``LglSeqNb``
    - ``from_``, ``to``: ``FrToDt`` as days
    - ``copy_duplicate``: ``CpyDplctInd``: ``COPY``, ``DUPL`` or ``CODU``
    - ``account``: ``Acct``; ``account_owner``: ``Acct/Ownr``; ``servicer``: ``Acct/Svcr``
    - ``balances``: ``Bal``, a list, complete once the entries are exhausted
    - ``page``, ``last_page``: ``StmtPgntn`` (or ``RptPgntn``, ``NtfctnPgntn``, ``MsgPgntn``);
      ``first_page``: where pages in a row are one report, the first of them
    - ``additional_information``: ``AddtlStmtInf`` (or ``AddtlRptInf``, ``AddtlNtfctnInf``)
    - ``summary``: ``TxsSummry`` as stated: count and sum of all, credit and debit entries
    - ``notes``: what was tolerated so far, each with its place
    - ``entries``: iterator of ``Entry`` in document order, to be iterated once
    """

    def __init__(self, kind: str, name: str, path: str, notes: Notes) -> None:
        self.kind = kind
        self.message_name = name
        self.path = path
        self.notes = notes
        self.message_id: str | None = None
        self.message_created: datetime | None = None
        self.id: str | None = None
        self.created: datetime | None = None
        self.electronic_sequence: int | None = None
        self.legal_sequence: int | None = None
        self.from_: date | None = None
        self.to: date | None = None
        self.copy_duplicate: str | None = None
        self.account: Account = Account()
        self.account_owner: Party | None = None
        self.servicer: Agent | None = None
        self.balances: list[Balance] = []
        self.page: int | None = None
        self.first_page: int | None = None
        self.last_page: bool | None = None
        self.additional_information: str | None = None
        self.summary: dict[str, tuple[int | None, Decimal | None]] = {}
        self.complete = False
        self.entries: Iterator[Entry] = iter(())
        self._tally = Tally()

    @property
    def final(self) -> bool:
        """Whether it is the bank's statement at the end of a day, which balances must prove."""
        return self.kind in FINAL

    @property
    def is_whole(self) -> bool:
        """Whether it has every page of its statement, as far as the bank says."""
        return self.page is None or ((self.first_page or self.page) == 1 and self.last_page is True)

    @property
    def opening(self) -> Balance | None:
        """The balance before its entries."""
        return first_of(self.balances, OPENING)

    @property
    def closing(self) -> Balance | None:
        """The balance after its entries."""
        return last_of(self.balances, CLOSING)

    def booked(self, currency: str | None) -> Decimal:
        """Sum of the booked entries in ``currency``, or of all where it is not told."""
        booked = self._tally.booked
        return sum(booked.values(), Decimal(0)) if currency is None else Decimal(
            booked.get(currency, 0)
        )

    def counted(self) -> dict[str, list[tuple[int, Decimal]]]:
        """Counts and sums of its entries, by side, in each way in which banks count."""
        return {name: self._tally.ways(name) for name in ("all", "credit", "debit")}

    def check(self) -> list[Fault]:
        """What doesn't add up, in words; empty when all does.

        For a statement: opening balance plus booked entries equals the closing balance. For any
        report: counts and sums equal those it states. To be asked once the entries are exhausted.
        """
        if not self.complete:
            raise ValueError("the entries must be read to the end before they can be checked")
        return faults(self, self._tally)
