"""``bin/demo``: see the whole road from a vendor bill to the bank and back."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path

from ..processes import Interrupted, ProcessError, Supervisor, guarded
from ..settings import Settings
from . import bills, screenshots
from .channels import CHANNELS
from .play import Play
from .progress import DemoError, Progress
from .stage import Scene, Stage


def main() -> int:
    chosen = _arguments()
    settings = Settings.from_environment()
    progress = Progress()
    try:
        with Supervisor() as supervisor:
            stage = Stage(settings, supervisor, progress, CHANNELS[chosen.channel])
            with contextlib.closing(stage):
                agreed = _show(stage, chosen, settings, supervisor, progress)
    except (DemoError, ProcessError) as error:
        print(f"\nThe demo stopped: {error}\nLogs are in {settings.logs}", file=sys.stderr)
        return 1
    return 0 if agreed else 1


def _show(
    stage: Stage, chosen: argparse.Namespace, settings: Settings, supervisor: Supervisor,
    progress: Progress,
) -> bool:
    scene = stage.open(fresh=chosen.fresh)
    play = Play(scene, progress, max(chosen.bills, bills.SPECIAL_BILLS))
    play.act()
    agreed = play.judge()
    if chosen.screenshots or not chosen.once:
        encore = play.encore()
    if chosen.screenshots:
        taken = screenshots.take(
            settings, supervisor, scene, play.verdict, encore, chosen.screenshots
        )
        progress.say(f"{len(taken)} pictures are in {chosen.screenshots}")
    if not chosen.once:
        _invite(scene)
        _stay(stage)
    return agreed


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
    parser.add_argument("--channel", choices=CHANNELS, default="rest",
                        help="how Odoo and the bank speak; each has books of its own (rest)")
    parser.add_argument("--fresh", action="store_true",
                        help="begin anew: new database, new bank")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER",
                        help="take the documentation's pictures at the end")
    return parser.parse_args()


def _invite(scene: Scene) -> None:
    """Where to look, and as whom."""
    print(f"\nOdoo               {scene.url}/odoo")
    for login, person in scene.people.items():
        print(f"    {login:<14} {person.password:<14} {person.name}")
    print(f"The sandbox bank   {scene.desk.url}/")
    print("A batch waits for the manager's approval, and open bills for the accountant.")
    print(f"The bank's clock stands at {scene.desk.now():%d %B %Y, %H:%M}: advance it on its page.")
    print("Ctrl-C stops everything; the next run goes on from here.", flush=True)


def _stay(stage: Stage) -> None:
    try:
        while True:
            stage.check()
            time.sleep(1)
    except Interrupted:
        print("\nStopping ...", flush=True)


guarded(main)
