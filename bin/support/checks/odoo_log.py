"""What an Odoo log says about a run: the tests' result, errors, and warnings of this module.

Odoo's exit code is 0 although an error was logged, or no test was found; so the log is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ "
    r"(?P<level>[A-Z]+) \S+ (?P<logger>[^:]+): (?P<text>.*)$"
)
_RESULT = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
_SKIPPED = re.compile(r"^skipped (.+)$")
# Odoo skips a browser test when the browser does not come up; here one is there.
_NO_BROWSER = ("Chrome executable not found", "Failed to detect chrome devtools port")
# The runner repeats what its result line counts: "FAIL: Test.method", "ERROR: Test.method".
_COUNTED = re.compile(r"^(FAIL|ERROR): ")
_SUMMED_UP = re.compile(r"^Module \S+: \d+ failures, |^At least one test failed")

# What Odoo says here of a request that it refused, or repeats with a cursor that may write, is an
# answer to its caller: whether it is the right one, the tests judge.
_ANSWERS = "odoo.http"

# Debian's Odoo lacks this file of the module mail and says so whenever a page is opened.
_NOT_OURS = ("Could not get content for mail/static/lib/selfie_segmentation/",)


@dataclass
class LogReport:
    """``tests`` is None when the log has no result line."""

    tests: int | None = None
    failed: int = 0
    errors: list[str] = field(default_factory=list)  # logged at ERROR or above
    warnings: list[str] = field(default_factory=list)  # about this module
    skipped: list[str] = field(default_factory=list)
    without_browser: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # failed tests with their tracebacks

    @property
    def problems(self) -> list[str]:
        """Errors and warnings that no test stands for."""
        return [*self.errors, *self.warnings, *self.without_browser]


def read(lines: Iterable[str], own_words: Iterable[str]) -> LogReport:
    """Read a log; a warning is this module's own if it contains one of ``own_words``."""
    report = LogReport()
    own = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in own_words))
    for level, logger, text in _records(lines):
        if found := _RESULT.search(text):
            failed, errors, report.tests = map(int, found.groups())
            report.failed = failed + errors
        elif _SUMMED_UP.match(text):
            continue
        elif level in ("ERROR", "CRITICAL"):
            if _COUNTED.match(text):
                report.failures.append(f"{level} {logger}: {text}")
            elif not any(words in text for words in _NOT_OURS):
                report.errors.append(f"{level} {logger}: {text}")
        elif level == "WARNING" and logger != _ANSWERS and own.search(f"{logger}: {text}"):
            report.warnings.append(f"{level} {logger}: {text}")
        elif found := _SKIPPED.match(text):
            kind = any(word in text for word in _NO_BROWSER)
            (report.without_browser if kind else report.skipped).append(text)
    return report


def _records(lines: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    """Records as (level, logger, text); lines that follow belong to the record before."""
    record: tuple[str, str, list[str]] | None = None
    for line in lines:
        if found := _LINE.match(line):
            if record:
                yield record[0], record[1], "\n".join(record[2])
            record = (found["level"], found["logger"], [found["text"]])
        elif record:
            record[2].append(line.rstrip("\n"))
    if record:
        yield record[0], record[1], "\n".join(record[2])
