"""Statements in SWIFT's own notation: MT940 (end of day) and MT942 (intraday).

The library ``mt-940`` reads the fields. What lies around it is here: the file cut into messages
and fields as a stream (``fields``), patterns that refuse an amount which the library would read
in part (``strict``), pages joined to statements (``statement``), and the banks' ways to write
field 86 (``details``, ``structured``, ``slashes``)::

    for report in mt94x.reports(stream):
        for entry in report.entries:
            ...
        faults = report.check()
"""

from .statement import reports

__all__ = ["reports"]
