"""The connection test: one real request, read as a list of ticks and cures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509

from .http import Answer, Failure
from .identity import validity
from .interface import Check, FetchError, Health
from .rest_answers import echoed, from_answer, is_json, json_object, reading_error
from .trace import Peer

_SOON = timedelta(days=30)
_SKEW_REMARK, _SKEW_FAULT = 5.0, 60.0  # seconds; HTTP dates resolve one second

# Steps of reaching the bank, in order: the mark a success leaves, code, title.
_STEPS = (
    ("resolved", "name", "The bank's name is known"),
    ("connected", "reach", "The bank can be reached"),
    ("secured", "tls", "The bank proved its identity"),
    ("answered", "answer", "The bank answers and accepts our certificate"),
)


def _expiry(code: str, title: str, start: datetime, end: datetime, now: datetime) -> Check:
    if now > end:
        return Check(code, False, title, f"expired on {end:%Y-%m-%d}", "Renew the certificate.")
    if now < start:
        return Check(code, False, title, f"valid from {start:%Y-%m-%d}", "Check the clock.")
    if end - now < _SOON:
        days = (end - now).days
        return Check(code, None, title, f"expires in {days} days", "Renew it soon.")
    return Check(code, True, title, f"valid until {end:%Y-%m-%d}")


def _clock(skew: float | None) -> Check:
    title = "The clocks agree"
    if skew is None:
        return Check("clock", None, title, "the bank does not tell its time")
    detail = f"the bank's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) > _SKEW_FAULT:
        return Check("clock", False, title, detail, "Synchronise this server's clock (NTP).")
    return Check("clock", None if abs(skew) > _SKEW_REMARK else True, title, detail)


def _steps(marks: tuple[str, ...], problem: FetchError | None) -> list[Check]:
    """Tick the steps that left their mark; the first that did not is the one that failed."""
    checks, failed = [], False
    # The rejection of our certificate comes from a bank that was reached and is itself trusted.
    rejected = problem is not None and problem.code == "tls_client_rejected"
    done = {*marks, "secured"} if rejected else set(marks)
    for mark, code, title in _STEPS:
        if mark in done:
            checks.append(Check(code, True, title))
        elif not failed and problem is not None:
            failed = True
            detail = f"{problem.message} {problem.detail}".strip()
            checks.append(Check(problem.code, False, title, detail, problem.hint))
        else:
            checks.append(Check(code, None, title, "not tried"))
    return checks


def examine(
    ask: Callable[[], Answer],
    own: tuple[datetime, datetime],
    now: datetime,
    host: str,
    echo: str,
) -> Health:
    """Run the test.

    :param ask: sends one harmless authenticated request; raises :class:`.http.Failure`
    :param own: validity of our certificate
    """
    checks = [_expiry("certificate", "Our certificate is valid", *own, now)]
    answer: Answer | None = None
    problem: FetchError | None = None
    peer: Peer | None
    try:
        answer = ask()
        marks, peer = ("resolved", "connected", "secured"), answer.peer
        if not 200 <= answer.status < 300:
            problem = reading_error(answer, host)
        elif not echoed(answer, echo):
            problem = from_answer(FetchError, "wrong_echo", answer, host=host)
        elif not is_json(answer.content_type):
            problem = from_answer(FetchError, "content_type", answer, host=host, expected="JSON")
        elif json_object(answer) is None:
            problem = from_answer(FetchError, "answer_unreadable", answer, host=host)
        else:
            marks += ("answered",)
    except Failure as failure:
        problem, marks, peer = failure.outcome(FetchError), failure.marks, failure.peer
    checks += _steps(marks, problem)
    expires = None
    if peer:
        title = "The bank's certificate is valid"
        try:
            start, expires = validity(x509.load_der_x509_certificate(peer.certificate))
            checks.append(_expiry("peer", title, start, expires, now))
        except ValueError as error:  # TLS is more lenient than the library
            checks.append(Check("peer", None, title, f"its dates cannot be read: {error}"))
    skew = answer.clock_skew if answer else None
    if answer:
        checks.append(_clock(skew))
    return Health(
        checks=tuple(checks),
        clock_skew=skew,
        certificate_expires=own[1],
        peer_certificate_expires=expires,
        peer_fingerprint=peer.fingerprint if peer else None,
        permissions=(json_object(answer) or {}) if answer and problem is None else {},
    )
