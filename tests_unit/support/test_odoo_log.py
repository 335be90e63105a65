"""The promise of bin/support/checks/odoo_log.py: what Odoo logs as wrong is not overlooked."""

from __future__ import annotations

import pytest

from support.checks import odoo_log

OWN = ["account_bank_connect", "bank.message"]
START = "2026-11-23 01:00:00,000 42"


def read(*lines: str) -> odoo_log.LogReport:
    return odoo_log.read([f"{line}\n" for line in lines], OWN)


def test_the_result_line_gives_tests_failures_and_errors():
    report = read(
        f"{START} ERROR db odoo.tests.result: 1 failed, 2 error(s) of 9 tests when loading db 'x'"
    )
    assert (report.tests, report.failed, report.problems) == (9, 3, [])


def test_a_log_without_result_line_is_no_log_of_zero_failures():
    assert read(f"{START} INFO db odoo.modules.loading: 12 modules loaded").tests is None


@pytest.mark.parametrize("level", ["ERROR", "CRITICAL"])
def test_any_error_is_a_problem_whoever_logs_it_with_its_traceback(level):
    report = read(
        f"{START} {level} db odoo.sql_db: bad query: SELECT",
        "Traceback (most recent call last):",
        "ValueError: no",
        f"{START} INFO db odoo.modules.loading: loaded",
    )
    assert len(report.problems) == 1
    assert report.problems[0].endswith("ValueError: no")


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("odoo.addons.account_bank_connect.models.x: something odd", True),
        ("py.warnings: /addons/account_bank_connect/models/x.py:3: DeprecationWarning", True),
        ("odoo.registry: bank.message.state is odd", True),
        ("odoo.registry: account.move.state is odd", False),
        ("odoo.registry: xbank.message is odd", False),
        ("odoo.registry: bank.messages is odd", False),
    ],
)
def test_warnings_count_if_they_are_about_this_module(line, own):
    assert bool(read(f"{START} WARNING db {line}").problems) is own


def test_a_failed_test_is_told_once_with_its_traceback():
    report = read(
        f"{START} ERROR db odoo.addons.account_bank_connect.tests.test_x: FAIL: TestX.test_y",
        "AssertionError: 1 != 2",
        f"{START} ERROR db odoo.modules.loading: Module account_bank_connect: 1 failures, 0",
        f"{START} ERROR db odoo.modules.loading: At least one test failed when loading modules.",
    )
    assert report.problems == []
    assert len(report.failures) == 1
    assert "AssertionError: 1 != 2" in report.failures[0]


def test_a_skipped_test_is_counted_and_one_for_want_of_a_browser_is_a_problem():
    report = read(
        f"{START} INFO db odoo.addons.x.tests.test_x: skipped TestX.test_a : not today",
        f"{START} INFO db odoo.addons.x.tests.test_x: skipped TestX.test_b : Chrome executable "
        "not found",
    )
    assert (len(report.skipped), len(report.problems)) == (1, 1)
