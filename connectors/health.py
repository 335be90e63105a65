"""The connection test: one real request, read as a list of ticks and cures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from .http import Answer, Failure
from .identity import validity
from .interface import Check, FetchError, Health
from .trace import Peer

_SOON = timedelta(days=30)
_SKEW_REMARK, _SKEW_FAULT = 5.0, 60.0  # seconds; HTTP dates resolve one second

# Steps of reaching the bank, in order: by the mark that a success leaves.
_MARKS = {"resolved": "name", "connected": "reach", "secured": "tls", "answered": "answer"}
# The lines of the test, by stable code.
STEPS = {
    "certificate": "Our certificate is valid",
    "signing": "Our signing certificate is valid",
    "name": "The bank's name is known",
    "reach": "The bank can be reached",
    "tls": "The bank proved its identity",
    "answer": "The bank answers and accepts our certificate",
    "host": "The bank's server proved its identity",
    "login": "The bank accepts our login",
    "folders": "The agreed folders are there",
    "peer": "The bank's certificate is valid",
    "signer": "The bank's signing certificate is valid",
    "clock": "The clocks agree",
}
# What was found, by stable code: the sentence and the cure.
FINDINGS = {
    "expired": ("expired on {date}", "Renew the certificate."),
    "not_yet_valid": ("valid from {date}", "Check the clock."),
    "expires_soon": ("expires in {days} days", "Renew it soon."),
    "valid": ("valid until {date}", ""),
    "dates_unreadable": ("its dates cannot be read: {error}", ""),
    "no_time": ("the bank does not tell its time", ""),
    "clock_ahead": ("the bank's clock is {seconds} s ahead", ""),
    "clock_behind": ("the bank's clock is {seconds} s behind", ""),
    "clock_far_ahead": (
        "the bank's clock is {seconds} s ahead",
        "Synchronise this server's clock (NTP).",
    ),
    "clock_far_behind": (
        "the bank's clock is {seconds} s behind",
        "Synchronise this server's clock (NTP).",
    ),
    "done": ("", ""),
    "not_tried": ("not tried", ""),
}


def _check(step: str, ok: bool | None, finding: str, **facts: object) -> Check:
    detail, cure = FINDINGS[finding]
    return Check(step, ok, STEPS[step], detail.format_map(facts), cure, step, finding, facts)


def _expiry(step: str, start: datetime, end: datetime, now: datetime) -> Check:
    if now > end:
        return _check(step, False, "expired", date=f"{end:%Y-%m-%d}")
    if now < start:
        return _check(step, False, "not_yet_valid", date=f"{start:%Y-%m-%d}")
    if end - now < _SOON:
        return _check(step, None, "expires_soon", days=(end - now).days)
    return _check(step, True, "valid", date=f"{end:%Y-%m-%d}")


def _clock(skew: float | None) -> Check:
    if skew is None:
        return _check("clock", None, "no_time")
    way = "ahead" if skew > 0 else "behind"
    seconds = f"{abs(skew):.0f}"
    if abs(skew) > _SKEW_FAULT:
        return _check("clock", False, f"clock_far_{way}", seconds=seconds)
    ok = None if abs(skew) > _SKEW_REMARK else True
    return _check("clock", ok, f"clock_{way}", seconds=seconds)


def steps(
    marks: tuple[str, ...], problem: FetchError | None, line: Mapping[str, str] = _MARKS
) -> list[Check]:
    """Tick the steps that left their mark; the first that did not is the one that failed."""
    checks, failed = [], False
    # The rejection of our certificate comes from a bank that was reached and is itself trusted.
    rejected = problem is not None and problem.code == "tls_client_rejected"
    done = {*marks, "secured"} if rejected else set(marks)
    for mark, step in line.items():
        if mark in done:
            checks.append(_check(step, True, "done"))
        elif not failed and problem is not None:
            failed = True
            code, title = problem.code, STEPS[step]
            detail = f"{problem.message} {problem.detail}".strip()
            facts = {**problem.facts, "detail": problem.detail}
            checks.append(Check(code, False, title, detail, problem.hint, step, code, facts))
        else:
            checks.append(_check(step, None, "not_tried"))
    return checks


@dataclass(frozen=True)
class Judgement:
    """What a protocol makes of the answer."""

    problem: FetchError | None = None
    permissions: Mapping[str, object] = field(default_factory=dict)
    signer: x509.Certificate | None = None  # who signed the answer, where one was signed


def examine(
    ask: Callable[[], Answer],
    judge: Callable[[Answer], Judgement],
    own: Mapping[str, tuple[datetime, datetime]],
    now: datetime,
) -> Health:
    """Run the test.

    :param ask: sends one harmless authenticated request; raises :class:`.http.Failure`
    :param judge: says whether the answer is a good one
    :param own: step → validity of a certificate of ours
    """
    checks = [_expiry(step, *dates, now) for step, dates in own.items()]
    answer: Answer | None = None
    judged = Judgement()
    problem: FetchError | None = None
    peer: Peer | None
    try:
        answer = ask()
        marks, peer = ("resolved", "connected", "secured"), answer.peer
        judged = judge(answer)
        problem = judged.problem
        if problem is None:
            marks += ("answered",)
    except Failure as failure:
        problem, marks, peer = failure.outcome(FetchError), failure.marks, failure.peer
    checks += steps(marks, problem)
    expires = None
    if peer:
        try:
            start, expires = validity(x509.load_der_x509_certificate(peer.certificate))
            checks.append(_expiry("peer", start, expires, now))
        except ValueError as error:  # TLS is more lenient than the library
            checks.append(_check("peer", None, "dates_unreadable", error=error))
    if judged.signer:
        checks.append(_expiry("signer", *validity(judged.signer), now))
    skew = answer.clock_skew if answer else None
    if answer:
        checks.append(_clock(skew))
    return Health(
        checks=tuple(checks),
        clock_skew=skew,
        certificate_expires=min((end for _start, end in own.values()), default=None),
        peer_certificate_expires=expires,
        peer_fingerprint=peer.fingerprint if peer else None,
        permissions=judged.permissions,
    )
