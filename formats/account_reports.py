"""Every document in which a bank tells what happened on an account, read the same way::

for report in account_reports(stream, detect(content)):
    for entry in report.entries:
        ...
    faults = report.check()
"""

from collections.abc import Iterator
from typing import BinaryIO

from . import berlin, camt, mt94x
from .errors import FormatError
from .report import Report
from .safety import Limits

_READERS = {
    "camt.052": camt.reports,
    "camt.053": camt.reports,
    "camt.054": camt.reports,
    "mt940": mt94x.reports,
    "mt942": mt94x.reports,
    "berlin.transactions": berlin.reports,
}


def is_account_report(kind: str | None) -> bool:
    """Whether ``kind``, as ``detect`` gives it, is one that ``account_reports`` reads."""
    return _family(kind or "") in _READERS


def account_reports(stream: BinaryIO, kind: str, limits: Limits | None = None) -> Iterator[Report]:
    """The reports in a document of ``kind``, with or without a version, one after the other.

    Entries that the caller leaves are still read, and judged, when the next report is asked for.
    Raises ``FormatError`` for what is unsafe, is no such document or can't be told for certain,
    when the reading reaches it: what came before belongs to a document that must be refused as
    a whole.
    """
    reader = _READERS.get(_family(kind))
    if reader is None:
        raise FormatError(f"{kind!r} is no account report", code="kind")
    return reader(stream, limits)


def _family(kind: str) -> str:
    return ".".join(kind.split(".")[:2])
