"""Transactions of an account as JSON, as the Berlin Group defines them (NextGenPSD2 1.3.11)::

for report in berlin.reports(stream):
    for entry in report.entries:
        ...
"""

from .report import reports

__all__ = ["reports"]
