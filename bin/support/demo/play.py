"""One run from the first bill to the verdict."""

from __future__ import annotations

from datetime import date

from ..checks import odoo_log
from ..settings import MODULE
from . import bills, cast, encore, totals
from .entering import enter
from .progress import Progress
from .proof import Proof
from .road import Road
from .stage import Scene
from .verdict import Verdict


class Play:
    def __init__(self, scene: Scene, progress: Progress, count: int):
        self._scene = scene
        self._progress = progress
        self._count = count
        # The bank's day: an earlier run on this calendar day has moved its clock ahead.
        self._day = max(scene.desk.now().date(), date.today())
        self._vendors = [
            vendor.key for vendor in cast.vendors() if vendor.key.startswith("ordinary")
        ]
        self._orders = bills.plan(count, self._day, scene.run, self._vendors)
        self._road = Road(scene, progress, self._orders)
        self._proof = Proof(scene, progress, self._road, self._orders)
        self.verdict: Verdict | None = None

    def act(self) -> None:
        """The road, from bills to statements.

        :raises DemoError: it can't be gone to its end
        """
        self._progress.chapter("The road")
        enter(self._scene, self._orders, self._day)
        self._progress.say(f"{self._count} vendor bills and a credit note are entered and posted")
        road = self._road
        self._proof.agree_on_receipts()
        road.confirm_accounts()
        road.send_to_bank(self._day)
        road.try_what_is_forbidden()
        road.approve()
        road.wait_until_sent()
        road.let_the_bank_execute()
        road.end_the_day()
        road.next_day()
        road.finish()
        self._progress.chapter("The proof")
        self._proof.payees_are_told()
        self._proof.a_mistake_is_found()
        self._proof.the_balance_is_signed()
        road.finish()

    def judge(self) -> bool:
        """Show the table and the totals; True if all is well."""
        self._progress.chapter("Payments")
        self.verdict = Verdict(self._scene, self._orders)
        print("\n".join(self.verdict.lines()))
        self._progress.chapter("Three counts, since the books were opened")
        counts, faults = totals.count(self._scene)
        print("\n".join(totals.show(counts)))
        faults += totals.faults(counts) + self.verdict.faults() + self._log_faults()
        if faults:
            print("\nNot as it should be:\n" + "\n".join(f"  • {fault}" for fault in faults))
            return False
        self._progress.chapter(
            f"{len(self._orders)} payments are where they should be; Odoo's ledger, the messages "
            "and the bank's ledger agree to the cent."
        )
        return True

    def encore(self) -> encore.Encore:
        """Leave a visitor something to do."""
        self._progress.chapter("For you")
        day = max(self._scene.desk.now().date(), date.today())
        return encore.prepare(self._scene, self._road, self._vendors, day)

    def _log_faults(self) -> list[str]:
        """Errors, and warnings of the module, in Odoo's log."""
        log = self._scene.log
        with log.open(errors="replace") as lines:
            found = odoo_log.read(lines, [MODULE, "bank.message", "bank.payment.batch"]).problems
        # PostgreSQL's way to say that two workers met at one row; one of them tries again.
        found = [problem for problem in found if "could not serialize access" not in problem]
        return [f"Odoo's log ({log}): {problem.splitlines()[0]}" for problem in found[:5]]
