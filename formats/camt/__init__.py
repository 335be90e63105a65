"""Account reports from the bank: camt.052 (intraday), camt.053 (statement), camt.054 (advice).

One streaming reader for every published version (.01 to .14)::

    for report in camt.reports(stream):
        for entry in report.entries:
            ...
        faults = report.check()
"""

from ..report import Report
from .report import reports

__all__ = ["Report", "reports"]
