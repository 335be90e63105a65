"""Child processes that never outlive the command that started them.

Three things together see to that:

* a :class:`Supervisor` stops its children, newest first, when its ``with`` block ends, be it by
  the end of the work, an error, Ctrl-C or SIGTERM; what a child itself started and left behind
  is ended too (the supervisor is the "subreaper" of its descendants, prctl(2));
* the kernel signals every child when the supervisor dies, even by SIGKILL (PR_SET_PDEATHSIG);
* :func:`guarded` runs the whole command under a tiny guard process, which sweeps up should the
  command be killed, and ends it should the guard's own parent go away (unless under nohup).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

# From linux/prctl.h.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded before any fork: the time between fork and exec is no time to load a library.
_libc = ctypes.CDLL(None, use_errno=True)

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked the command to end. No ``Exception``: nothing is to swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class ProcessError(Exception):
    """A child ended or stayed silent when it should not; the text says what to do or read."""


class Child:
    """One supervised process. Made by :meth:`Supervisor.start`."""

    def __init__(
        self, name: str, popen: subprocess.Popen, log: Path, stop_signal: int, stop_within: float
    ) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self._stop_signal = stop_signal
        self._stop_within = stop_within

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def check(self) -> None:
        """Raise ProcessError, with the end of its log, if the process has ended."""
        if self.exit_code is not None:
            raise ProcessError(f"{self.name} ended ({self._how()}).\n{self.log_tail()}")

    def wait_until(self, ready: Callable[[], bool], within: float) -> None:
        """Wait until ``ready()``; raise ProcessError if it takes too long or the process ends."""
        deadline = time.monotonic() + within
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"{self.name} was not ready within {within:g} s.\n{self.log_tail()}"
                )
            time.sleep(0.1)

    def wait(self, within: float | None = None) -> int:
        """Wait for the end and return the exit code; raise ProcessError after ``within`` s."""
        try:
            return self._popen.wait(within)
        except subprocess.TimeoutExpired:
            self.stop()
            raise ProcessError(
                f"{self.name} was stopped: not done after {within:g} s.\n{self.log_tail()}"
            ) from None

    def stop(self) -> None:
        """End the process and its group: by its stop signal, after a while by SIGKILL."""
        if self.exit_code is None:
            self._popen.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(self._stop_within)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the log, indented, with its path."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([f"  {self.log}:", *(f"  | {line}" for line in text)])

    def _how(self) -> str:
        code = self.exit_code or 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Supervisor:
    """Starts processes and sees that none remains. Use from the main thread, as a context."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._handlers: dict[int, object] = {}
        self._stopping = False

    def __enter__(self) -> Supervisor:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        for number in _ENDING_SIGNALS:
            # nohup's wish is respected.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_exception: object) -> None:
        # A second Ctrl-C must not cut the clean-up short; it is bounded in time by itself.
        self._stopping = True
        for child in reversed(self._children):
            child.stop()
        end_descendants()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stdin: Path | None = None,
        stop_signal: int = signal.SIGTERM,
        stop_within: float = 10.0,
    ) -> Child:
        """Start a process in a session of its own, its output appended to ``log``.

        ``user``: run it as that user (root only). ``stdin``: a file to read; nothing by default.
        ``stop_within``: seconds from the stop signal to SIGKILL.
        """
        # The kernel's "parent" is the thread that forked: another thread's end would kill.
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("processes are started from the main thread only")
        supervisor = os.getpid()

        def before_exec() -> None:
            _prctl(PR_SET_PDEATHSIG, stop_signal)
            if os.getppid() != supervisor:
                os._exit(1)

        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output, open(stdin or os.devnull, "rb") as source:
            popen = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=source,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=before_exec,
                **({"user": user, "group": user, "extra_groups": []} if user else {}),
            )
        child = Child(name, popen, log, stop_signal, stop_within)
        self._children.append(child)
        return child

    def run(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        within: float,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stdin: Path | None = None,
    ) -> int:
        """Run a process to its end, at most ``within`` seconds, and return its exit code."""
        child = self.start(name, arguments, log=log, env=env, cwd=cwd, user=user, stdin=stdin)
        try:
            return child.wait(within)
        finally:
            child.stop()
            self._children.remove(child)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise Interrupted(number)


def guarded(main: Callable[[], int]) -> NoReturn:
    """Run ``main`` in a process of its own under a guard; exit with its exit code.

    By a signal's convention the exit code is 128 + its number. ``main`` is to use a
    :class:`Supervisor`; the guard is there for when it cannot do its work any more.
    """
    parent = os.getppid()
    guard = os.getpid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *_ENDING_SIGNALS})
    worker = os.fork()
    if worker == 0:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, *_ENDING_SIGNALS})
        if os.getppid() != guard:
            sys.exit(1)
        try:
            sys.exit(main())
        except Interrupted as interrupted:
            sys.exit(128 + interrupted.number)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)

    under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    while True:
        received = signal.sigtimedwait({signal.SIGCHLD, *_ENDING_SIGNALS}, 1.0)
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended:
            break
        if received and received.si_signo != signal.SIGCHLD:
            os.kill(worker, received.si_signo)
        elif os.getppid() != parent and not under_nohup:
            os.kill(worker, signal.SIGTERM)
    end_descendants()
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


def end_descendants(within: float = 5.0) -> None:
    """Kill every process below this one, also those left by children that have ended."""
    deadline = time.monotonic() + within
    while descendants := psutil.Process().children(recursive=True):
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants, timeout=0.2)
        # Orphans that this process adopted are its to bury.
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() > deadline:
            names = ", ".join(f"{process.pid} {process.name()}" for process in descendants)
            raise ProcessError(f"These processes could not be ended: {names}")


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
