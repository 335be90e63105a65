"""``bin/test``: everything; ``bin/test style|unit|odoo|faults``: a part, for quick loops."""

from __future__ import annotations

import argparse
import sys

from ..processes import ProcessError, Supervisor, guarded
from ..settings import Settings
from . import faults, in_odoo, style, unit
from .outcome import Outcome, report


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description="Test everything, or a part. The last line counts tests and checks.",
        epilog="Logs are in .run/logs/. Exit code 0: all passed, and tests in Odoo were run.",
    )
    parts = parser.add_subparsers(dest="part", metavar="style | unit | odoo | faults")
    parts.add_parser("style", help="ruff, pylint-odoo, OCA's checks, shell syntax, imports")
    pure = parts.add_parser("unit", help="pytest, without Odoo (takes pytest's options)")
    pure.add_argument("options", nargs=argparse.REMAINDER)
    odoo = parts.add_parser("odoo", help="the module in Odoo: its tests, installing, removing")
    odoo.add_argument(
        "--tags",
        metavar="TAGS",
        help="only these tests, as Odoo's --test-tags: /account_bank_connect:TestSend.test_one",
    )
    parts.add_parser("faults", help="payments through kills and a bank's faults (bin/bench faults)")
    chosen = parser.parse_args()
    settings = Settings.from_environment()

    total = Outcome()
    try:
        with Supervisor() as supervisor:
            if chosen.part in (None, "style"):
                total += style.run(settings, supervisor)
            if chosen.part in (None, "unit"):
                options = chosen.options if chosen.part else []
                total += report("unit", lambda: unit.run(settings, supervisor, options))
            if chosen.part in (None, "odoo"):
                tags = chosen.tags if chosen.part else None
                total += in_odoo.run(settings, supervisor, tags)
            if chosen.part in (None, "faults"):
                total += faults.run(settings, supervisor)
    except ProcessError as error:
        print(error, file=sys.stderr)
        total.failed += 1
    sys.stderr.flush()
    print(total.summary(), flush=True)
    return 1 if total.failed or not total.passed else 0


guarded(main)
