"""Requests before the order, such as a consent and the upload of the file (UK Open Banking 4.0).

Nothing is executed before the order, so that whatever goes wrong here leaves a message that was
not sent.  Each step goes out under a key of its own that follows from the message's, so that the
bank takes a repeated step for the first one; and what a step has given is handed back in the
outcome's ``bank_reference``, so that the next attempt goes on where this one stopped.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .bodies import key_values
from .http import Answer
from .interface import Document, NotSent, Outcome, Refused, Uncertain
from .problems import build
from .rest_answers import data_of, from_answer, reasons, usable_id, value_of
from .rest_sending import Step

if TYPE_CHECKING:
    from .rest import RestConnector


def prepare(
    bank: RestConnector, document: Document, key: str, where: Mapping[str, str]
) -> dict[str, str]:
    """Take every step that no earlier attempt has taken, and return what they have given.

    :raises NotSent: the order was not made
    :raises Refused: the bank will not act on this message
    """
    progress: dict[str, str] = {}
    try:
        for step in bank.profile.submit.steps:
            known = {name: document.reference.get(name) for name in step.gives}
            if known and all(usable_id(value) for value in known.values()):
                progress |= {name: value for name, value in known.items() if value}
            else:
                progress |= _take(bank, step, document, key, {**where, **progress})
    except Outcome as outcome:
        outcome.bank_reference = dict(progress)
        raise
    return progress


def _take(
    bank: RestConnector, step: Step, document: Document, key: str, known: Mapping[str, str]
) -> dict[str, str]:
    step_key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{step.name}"))
    values = {**known, **key_values(key)}
    try:
        named = bank.wrapper.values(document, values)
        headers = {**bank.headers(step.headers, named), "Accept": step.accept}
        body = None
        if step.body:
            body, headers["Content-Type"] = bank.wrapper.wrap(step.body, document, values)
        address = bank.url(step.path, {**values, "key": bank.key_sent(key)})
        answer = bank.send(
            step.method, address, bank.key_sent(step_key), headers, body, step.answers
        )
        bank.expect_echo(answer, NotSent)
    except KeyError as error:
        raise build(NotSent, "template_value", what=error.args[0]) from None
    except Uncertain as outcome:
        # The bank may have taken the step; it has no order.
        raise build(
            NotSent,
            outcome.code,
            detail=outcome.detail,
            http_status=outcome.http_status,
            **{name: fact for name, fact in outcome.facts.items() if name not in _TOLD},
        ) from None
    return _given(bank, step, answer)


_TOLD = ("status", "media_type")  # facts that `build` adds itself


def _given(bank: RestConnector, step: Step, answer: Answer) -> dict[str, str]:
    """Return the fields of an answer that means "done".

    :raises NotSent: for any other, but
    :raises Refused: where the profile says so
    """
    data = data_of(answer)
    codes = {reason.code for reason in reasons(answer)}
    means = next(
        (
            rule.means
            for rule in step.answers
            if rule.matches(answer.status, codes, answer.headers, data)
        ),
        None,
    )
    # A bare "done" has nothing that a JWS could sign (Open Banking 4.0: POST of the file is not
    # answered with a signature).  Were it false, the bank would refuse the order.
    bare = means == "done" and not step.gives and not answer.content
    unsigned = bare and bank.signer is not None and not bank.signer.signs_nothing
    if means in ("done", "refused") and not unsigned and (fault := bank.genuine(answer)):
        raise from_answer(NotSent, "wrong_signature", answer, host=bank.host, detail=fault)
    if means == "refused":
        raise from_answer(Refused, "refused", answer, host=bank.host)
    if means == "not_sent" and 200 <= answer.status < 300:
        raise from_answer(NotSent, "not_authorised_yet", answer, host=bank.host)
    if means != "done":
        code = "rate_limited" if answer.status == 429 else "step_failed"
        raise from_answer(NotSent, code, answer, host=bank.host, step=step.name)
    given = {name: usable_id(value_of(answer, data, place)) for name, place in step.gives.items()}
    if not all(given.values()):
        raise from_answer(NotSent, "answer_unreadable", answer, host=bank.host)
    return {name: value for name, value in given.items() if value}
