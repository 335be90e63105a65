"""``bin/bench faults``: run batches through faults on all sides, then ask the bank's ledger."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import requests

from support.demo.progress import DemoError
from support.processes import ProcessError, Supervisor, guarded
from support.settings import Settings

from . import company as companies
from .chaos import Chaos
from .judge import Judge
from .people import People
from .recovery import Recovery
from .report import Report
from .stage import PARAMETERS, Stage

# Seconds of two busy cores that one payment takes on its way, about.
PER_PAYMENT = 0.08
# Some kinds meet few requests, and are drawn more often there, so that all of them happen.
OFTEN = {
    "refused_connection": 2, "expired_certificate": 2, "drop_before_storing": 4,
    "restart_before_storing": 2, "drop_after_storing": 4, "restart_after_storing": 2,
    "issued_twice": 3, "issued_late": 3, "contradiction": 4, "wrong_digest": 2, "listed_twice": 2,
    "listed_in_reverse": 2,
}
SLOW = {"late_answer": {"seconds": 3}, "slow_drip": {"seconds": 8}, "issued_late": {"seconds": 4},
        "endless_answer": {"bytes": 2 * 1024 ** 3}}


def main(arguments: Sequence[str]) -> int:
    chosen = _arguments(arguments)
    settings = Settings.from_environment()
    report = Report(vars(chosen))
    try:
        with Supervisor() as supervisor:
            stage = Stage(settings, supervisor, engine=chosen.engine)
            try:
                _run(stage, chosen, report)
            finally:
                if chosen.keep:
                    print(f"Kept: {stage.cluster.host}", file=sys.stderr)
                else:
                    stage.close()
    except (DemoError, ProcessError) as error:
        print(f"bin/bench faults stopped: {error}\nLogs are in {settings.logs}", file=sys.stderr)
        return 1
    if chosen.json:
        print(report.as_json())
    else:
        report.show()
        print(f"\n{'Nothing was paid twice and nothing was lost' if report.good else 'FAILED'}: "
              f"{report.verdict.counts['payments approved']:,} payments, "
              f"{sum(report.faults.values()):,} faults, {sum(report.kills.values())} kills, "
              f"{len(report.verdict.doubles)} doubles, {len(report.verdict.losses)} losses, "
              f"{sum(report.seconds.values()):.0f} s", flush=True)
    return 0 if report.good else 1


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/bench faults",
        description="Runs batches through random faults on all sides, with two Odoo servers and "
        "several people, then compares the bank's own ledger with Odoo's.",
        epilog="Exit code 0: nothing paid twice, nothing lost, Odoo and the bank agree.",
    )
    parser.add_argument("--payments", type=int, default=500, metavar="P", help="bills to pay (500)")
    parser.add_argument("--faults", type=int, default=100, metavar="F",
                        help="faults that the bank commits (100)")
    parser.add_argument("--kills", type=int, default=10, metavar="K",
                        help="processes killed, databases crashed (10)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--engine", choices=("cron", "queue_job"), default="cron",
                        help="what carries the messages: Odoo's scheduled actions, or OCA's jobs")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--keep", action="store_true", help="leave database and bank for a look")
    return parser.parse_args(arguments)


def _run(stage: Stage, chosen: argparse.Namespace, report: Report) -> None:
    clock = time.monotonic()

    def lap(name: str) -> None:
        nonlocal clock
        report.seconds[name] = time.monotonic() - clock
        clock = time.monotonic()
        if not chosen.json:
            print(f"{report.seconds[name]:7.1f} s  {name}", flush=True)

    day = _banking_day()
    stage.open(f"{day}T08:30:00")
    company = companies.found(stage, chosen.payments, day, chosen.seed)
    stage.set_parameters(PARAMETERS)
    for number in range(len(stage.servers)):
        stage.start_server(number)
    tessa = company.person("tessa", 0)
    tessa.call("bank.connection", "action_activate", [company.found["connection"]])
    lap("servers, company and bills")

    people = People(company, day, chosen.seed)
    report.batches = people.batches_expected
    desk = stage.desk.url
    requests.post(f"{desk}/admin/faults", json=_plan(chosen, people), timeout=60).raise_for_status()
    expected = 20 + chosen.payments * PER_PAYMENT + chosen.faults * 0.3
    chaos = Chaos(stage, chosen.kills, chosen.seed, expected / max(1, chosen.kills + 1))
    deadline = time.monotonic() + 60 + 4 * expected
    people.start()

    def goes_on() -> bool:
        if time.monotonic() > deadline:
            return False
        return people.busy or _injected(desk) < chosen.faults

    chaos.work(goes_on)
    people.stop()
    report.people = dict(sorted(people.deeds.counts.items()))
    lap("people at work, faults and kills")

    recovery = Recovery(stage, company, within=180 + chosen.payments * 0.1)
    report.faults = recovery.faults_off()
    recovery.run()
    report.left = recovery.left
    report.kills = dict(chaos.counts)
    lap("recovery and days at the bank")

    report.verdict = Judge(stage, people.deeds.approved).judge()
    report.verdict.faults += people.deeds.faults
    if not report.verdict.counts["payments executed"]:
        report.verdict.faults.append("Not one payment was executed: this run proves nothing.")
    lap("verdict")


def _plan(chosen: argparse.Namespace, people: People) -> dict:
    """A plan that commits about the wanted number of faults while the batches go through."""
    requests_expected = 30 + people.batches_expected * 14
    share = min(0.04, chosen.faults / requests_expected / 14)
    plan: dict = {"all": share}
    plan |= {name: {"probability": share * OFTEN.get(name, 1), **SLOW.get(name, {})}
             for name in (*OFTEN, *SLOW)}
    return {"plan": plan, "seed": chosen.seed, "times": chosen.faults}


def _injected(desk: str) -> int:
    try:
        return requests.get(f"{desk}/admin/faults/counts", timeout=30).json()["total"]
    except (requests.RequestException, ValueError):
        return 0  # the bank is just being restarted


def _banking_day() -> date:
    """Today, or the Monday after; the bank rests on weekends."""
    day = datetime.now(UTC).date()
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
