"""``bin/bench lanes``: the same messages through one worker, two, and two servers of two."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from bench.faults import company as companies
from bench.faults.stage import Stage
from support.demo.progress import DemoError, wait_for
from support.processes import ProcessError, Supervisor, guarded
from support.settings import Settings

# Servers, and cron workers of each: Bank Connect has four lanes.
SETTINGS = ((1, 1), (1, 2), (2, 2))
LATER = "2099-01-01 00:00:00"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="bin/bench lanes",
        description="Sends the same number of messages to a bank that takes its time, with one "
        "cron worker, with two, and with two servers of two each.",
    )
    parser.add_argument("--messages", type=int, default=60, metavar="N", help="each time (60)")
    parser.add_argument("--delay", type=float, default=0.2, metavar="S",
                        help="seconds that the bank takes for a request (0.2)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each setting")
    chosen = parser.parse_args(arguments)
    try:
        with Supervisor() as supervisor:
            stage = Stage(Settings.from_environment(), supervisor, workers=1, cron_threads=1)
            try:
                for result in _measure(stage, chosen):
                    print(json.dumps(result) if chosen.json else _line(result), flush=True)
            finally:
                stage.close()
    except (DemoError, ProcessError) as error:
        print(f"bin/bench lanes stopped: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(stage: Stage, chosen: argparse.Namespace):
    day = datetime.now(UTC).date()
    while day.weekday() >= 5:
        day += timedelta(days=1)
    # The bank's clock stands before its opening: it takes files, and executes nothing meanwhile.
    stage.open(f"{day}T06:00:00")
    company = companies.found(
        stage, chosen.messages * len(SETTINGS), day, 1,
        Path(__file__).with_name("batches_in_shell.py"))
    stage.rows("UPDATE bank_message SET next_attempt = %s RETURNING id", (LATER,))
    requests.post(f"{stage.desk.url}/admin/faults", timeout=30, json={
        "point": "before_read", "action": "delay", "method": "POST", "seconds": chosen.delay,
    }).raise_for_status()
    first = None
    for servers, workers in SETTINGS:
        seconds = _run(stage, company, servers, workers, chosen.messages)
        first = first or seconds
        yield {"servers": servers, "cron_workers": servers * workers,
               "messages": chosen.messages, "delay": chosen.delay, "seconds": round(seconds, 2),
               "per_second": round(chosen.messages / seconds, 2),
               "times": round(first / seconds, 2)}


def _run(stage: Stage, company: companies.Company, servers: int, workers: int,
         count: int) -> float:
    stage.cron_threads = workers
    for number in range(servers):
        stage.start_server(number)
    tessa = company.person("tessa", 0)
    connection = [company.found["connection"]]
    time.sleep(5)  # what the start itself has to do
    started = time.monotonic()
    stage.rows(
        "UPDATE bank_message SET next_attempt = now() AT TIME ZONE 'UTC' WHERE id IN (SELECT id"
        " FROM bank_message WHERE state = 'queued' AND direction = 'out' ORDER BY id LIMIT %s)"
        " RETURNING id", (count,))
    tessa.call("bank.connection", "action_send_now", connection)
    wait_for(lambda: _left(stage) == 0, 600, "Not every message was sent", every=0.05)
    seconds = time.monotonic() - started
    for number in range(servers):
        stage.stop_server(number)
    return seconds


def _left(stage: Stage) -> int:
    return stage.rows(
        "SELECT count(*) FROM bank_message WHERE direction = 'out' AND next_attempt < %s"
        " AND state <> 'delivered'", (LATER,))[0][0]


def _line(result: dict) -> str:
    return (f"{result['servers']} server(s), {result['cron_workers']} cron worker(s): "
            f"{result['messages']} messages in {result['seconds']:.1f} s, "
            f"{result['per_second']:.1f} a second, {result['times']:.1f} times as quick")


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
