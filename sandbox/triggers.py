"""Trigger accounts: what the bank does to a payment because of its creditor's account.

Anywhere in the account number (for an IBAN: after country and check digits) eight digits
``009900NN`` name the trigger NN. They stand inside the number, not at its end, because many
countries end their numbers with check digits. An account without them is paid normally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = re.compile(r"(?=009900(\d\d))")


@dataclass(frozen=True)
class Trigger:
    """One behaviour.

    ``action`` is what happens at execution: ``reject`` (with ``reason``), ``pending`` (until
    released), ``slow`` (one business day later), ``return`` (``days`` business days after
    execution, with ``reason``), ``charge`` (the debtor pays CHARGE_MINOR more).
    """

    number: int
    name: str
    action: str
    reason: str | None
    text: str
    days: int = 0


TRIGGERS = (
    Trigger(1, "closed", "reject", "AC04", "Account closed"),
    Trigger(2, "wrong", "reject", "AC01", "Account number unknown at the creditor's bank"),
    Trigger(3, "blocked", "reject", "AC06", "Account blocked"),
    Trigger(4, "deceased", "reject", "MD07", "Account holder deceased"),
    Trigger(5, "insufficient", "reject", "AM04", "Insufficient funds"),
    Trigger(6, "pending", "pending", None, "Held until an administrator releases it"),
    Trigger(7, "returned", "return", "AC04", "Returned one business day after execution", 1),
    Trigger(8, "late-return", "return", "MS03", "Returned ten business days later", 10),
    Trigger(9, "slow", "slow", None, "Executed one business day late"),
    Trigger(10, "charges", "charge", None, "The debtor is charged 2.50 on top"),
    Trigger(11, "regulatory", "reject", "RR04", "Refused for regulatory reasons"),
    Trigger(12, "forbidden", "reject", "AG01", "Credit transfers forbidden on this account"),
    Trigger(13, "name-mismatch", "reject", "BE01", "Name does not match the account holder"),
)
BY_NUMBER = {trigger.number: trigger for trigger in TRIGGERS}
BY_NAME = {trigger.name: trigger for trigger in TRIGGERS}
CHARGE_MINOR = 250


def mark(trigger: Trigger) -> str:
    """The eight digits that carry a trigger."""
    return f"009900{trigger.number:02d}"


def find(account: str | None) -> Trigger | None:
    """The trigger that an account number carries, if any.

    :param account: an IBAN or another account number, without spaces.
    """
    if not account:
        return None
    number = account[4:] if re.match(r"[A-Z]{2}\d\d", account) else account
    for match in MARK.finditer(number):
        trigger = BY_NUMBER.get(int(match[1]))
        if trigger:
            return trigger
    return None
