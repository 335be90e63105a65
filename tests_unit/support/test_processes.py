"""The promise of bin/support/processes.py: no process outlives the command that started it.

Each test runs a real command of its own: a guard, a supervisor and a child which has itself
started a grandchild in another session (as browsers and database servers do).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from support.processes import ProcessError, Supervisor

BIN = Path(__file__).parents[2] / "bin"

# argv: how the command is to end, a mark by which the test knows its processes again.
COMMAND = """
import os, signal, subprocess, sys, time
from pathlib import Path
from support.processes import Supervisor, guarded
how, mark, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
child = '''
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[2] == "stubborn" else signal.SIG_DFL)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]],
                 start_new_session=True)
print("started", flush=True)
time.sleep(60)
'''
def main():
    with Supervisor() as supervisor:
        log = folder / "child.log"
        one = supervisor.start("child", [sys.executable, "-c", child, mark, how], log=log,
                               stop_within=0.5)
        one.wait_until(lambda: b"started" in log.read_bytes(), within=20)
        (folder / "worker.pid").write_text(str(os.getpid()))
        (folder / "ready").touch()
        if how == "error":
            raise ValueError("something went wrong")
        if how == "end":
            return 7
        time.sleep(60)
guarded(main)
"""


@pytest.fixture(autouse=True)
def signals_arrive():
    """In the background of a script, or under nohup, children would inherit that they do not."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Command:
    def __init__(self, folder: Path, how: str) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, how, self.mark, str(folder)],
            env={**os.environ, "PYTHONPATH": str(BIN)},
            stdout=subprocess.DEVNULL,
            stderr=(folder / "stderr").open("wb"),
            start_new_session=True,
        )
        self._wait_for(lambda: (folder / "ready").exists())
        self.worker = int((folder / "worker.pid").read_text())

    def processes(self) -> list[str]:
        """The command lines of all that carries the mark: guard, worker, child, grandchild."""
        return [
            f"{process.pid} {process.info['cmdline'][:3]}"
            for process in psutil.process_iter(["cmdline", "status"])
            if self.mark in (process.info["cmdline"] or [])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def wait_until_nothing_is_left(self) -> None:
        self._wait_for(lambda: not self.processes())

    def _wait_for(self, condition) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.05)


@pytest.fixture
def command(tmp_path):
    started = []

    def start(how: str = "wait") -> Command:
        started.append(Command(tmp_path, how))
        return started[0]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_all_four_processes_are_there_while_it_runs(command):
    """Otherwise the tests below would pass on nothing."""
    assert len(command().processes()) == 4


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_signal_ends_the_command_and_all_below_it(command, number, exit_code):
    one = command()
    one.process.send_signal(number)
    assert one.process.wait(20) == exit_code
    assert one.processes() == []


def test_ctrl_c_in_a_terminal_reaches_guard_and_supervisor_alike(command):
    one = command()
    os.killpg(one.process.pid, signal.SIGINT)
    assert one.process.wait(20) == 130
    assert one.processes() == []


def test_an_impatient_second_signal_does_not_cut_the_clean_up_short(command):
    one = command("stubborn")
    for _ in range(3):
        one.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert one.process.wait(20) == 130
    assert one.processes() == []


@pytest.mark.parametrize(("how", "exit_code"), [("end", 7), ("error", 1)])
def test_nothing_is_left_after_the_end_and_after_an_error(command, how, exit_code):
    one = command(how)
    assert one.process.wait(20) == exit_code
    assert one.processes() == []


def test_nothing_is_left_when_the_supervisor_is_killed(command):
    one = command()
    os.kill(one.worker, signal.SIGKILL)
    assert one.process.wait(20) == 128 + signal.SIGKILL
    assert one.processes() == []


def test_nothing_is_left_when_the_guard_is_killed(command):
    one = command()
    one.process.kill()
    one.wait_until_nothing_is_left()


def test_nothing_is_left_when_the_command_which_started_the_guard_dies(tmp_path):
    """As when a shell or a CI runner is killed with what it was waiting for."""
    mark = uuid.uuid4().hex
    shell = subprocess.Popen(
        # The colon keeps the shell from becoming the command itself.
        ["sh", "-c", '"$@"; :', "sh", sys.executable, "-c", COMMAND, "wait", mark, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(BIN)},
        start_new_session=True,
    )
    one = Command.__new__(Command)
    one.mark = mark
    one._wait_for((tmp_path / "ready").exists)
    shell.kill()
    shell.wait()
    one.wait_until_nothing_is_left()


def test_a_child_that_ends_by_itself_is_reported_with_the_end_of_its_log(tmp_path):
    with Supervisor() as supervisor:
        child = supervisor.start(
            "The clerk",
            [sys.executable, "-c", "print('no pencils left'); raise SystemExit(3)"],
            log=tmp_path / "log",
        )
        with pytest.raises(ProcessError, match=r"The clerk ended \(exit code 3\)[^$]*no pencils"):
            child.wait_until(lambda: False, within=20)


def test_a_child_that_takes_too_long_is_stopped_and_reported(tmp_path):
    with (
        Supervisor() as supervisor,
        pytest.raises(ProcessError, match=r"not done after 0\.2 s"),
    ):
        supervisor.run("sleep", ["sleep", "60"], within=0.2, log=tmp_path / "log")
    assert not [one for one in psutil.Process().children() if one.name() == "sleep"]
