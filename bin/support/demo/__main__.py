"""``bin/demo``: see the whole road from a vendor bill to the bank and back."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from ..checks import odoo_log
from ..processes import Interrupted, ProcessError, Supervisor, guarded
from ..settings import MODULE, Settings
from . import bills, cast, totals
from .entering import enter
from .progress import DemoError, Progress
from .road import Road
from .stage import Scene, Stage
from .verdict import Verdict


def main() -> int:
    chosen = _arguments()
    settings = Settings.from_environment()
    progress = Progress()
    try:
        with Supervisor() as supervisor:
            stage = Stage(settings, supervisor, progress)
            scene = stage.open(fresh=chosen.fresh)
            agreed = play(scene, progress, max(chosen.bills, bills.SPECIAL_BILLS))
            if not chosen.once:
                _invite(scene, agreed)
                _stay(stage)
    except (DemoError, ProcessError) as error:
        print(f"\nThe demo stopped: {error}\nLogs are in {settings.logs}", file=sys.stderr)
        return 1
    return 0 if agreed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Pays vendor bills through the sandbox bank with real Odoo on real "
        "PostgreSQL, then compares Odoo's ledger, the messages and the bank's ledger.",
        epilog="Exit code 0: all three agree to the cent, and every payment is where it should "
        "be. The next run goes on with the same books. Logs are in .run/logs/.",
    )
    parser.add_argument("--bills", type=int, default=30, metavar="N",
                        help=f"how many vendor bills (30; at least {bills.SPECIAL_BILLS})")
    parser.add_argument("--once", action="store_true", help="stop everything at the end")
    parser.add_argument("--fresh", action="store_true",
                        help="begin anew: new database, new bank")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER",
                        help="take the documentation's pictures at the end")
    return parser.parse_args()


def play(scene: Scene, progress: Progress, count: int) -> bool:
    """The whole road once; True if all is well."""
    # The bank's day: an earlier run on this calendar day has moved its clock ahead.
    day = max(scene.desk.now().date(), date.today())
    ordinary = [vendor.key for vendor in cast.vendors() if vendor.key.startswith("ordinary")]
    orders = bills.plan(count, day, scene.run, ordinary)

    progress.chapter("The road")
    enter(scene, orders, day)
    progress.say(f"{count} vendor bills and a credit note are entered and posted")
    road = Road(scene, progress, orders)
    road.send_to_bank(day)
    road.try_what_is_forbidden()
    road.approve()
    road.wait_until_sent()
    road.let_the_bank_execute()
    road.end_the_day()
    road.next_day()
    road.finish()

    progress.chapter("Payments")
    verdict = Verdict(scene, orders)
    print("\n".join(verdict.lines()))
    progress.chapter("Three counts, since the books were opened")
    counts, faults = totals.count(scene)
    print("\n".join(totals.show(counts)))
    faults += totals.faults(counts) + verdict.faults() + _log_faults(scene)
    if faults:
        print("\nNot as it should be:\n" + "\n".join(f"  • {fault}" for fault in faults))
        return False
    progress.chapter(
        f"{len(orders)} payments are where they should be; Odoo's ledger, the messages and the "
        "bank's ledger agree to the cent."
    )
    return True


def _log_faults(scene: Scene) -> list[str]:
    """Errors, and warnings of the module, in Odoo's log."""
    with scene.log.open(errors="replace") as lines:
        found = odoo_log.read(lines, [MODULE, "bank.message", "bank.payment.batch"]).problems
    # PostgreSQL's way to say that two workers met at one row; one of them tries again.
    found = [problem for problem in found if "could not serialize access" not in problem]
    return [f"Odoo's log ({scene.log}): {problem.splitlines()[0]}" for problem in found[:5]]


def _invite(scene: Scene, agreed: bool) -> None:
    """Where to look, and as whom."""
    print(f"\nOdoo               {scene.url}/odoo")
    for login, person in scene.people.items():
        print(f"    {login:<14} {person.password:<14} {person.name}")
    print(f"The sandbox bank   {scene.desk.url}/")
    print("Ctrl-C stops everything; the next run goes on from here.", flush=True)


def _stay(stage: Stage) -> None:
    try:
        while True:
            stage.check()
            time.sleep(1)
    except Interrupted:
        print("\nStopping ...", flush=True)


guarded(main)
