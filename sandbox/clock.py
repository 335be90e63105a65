"""The bank's clock, in UTC: the real one with an offset, or one that stands until advanced."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime, timedelta, timezone

from .calendar import END_OF_DAY, add_business_days, is_business_day
from .store import get_setting, set_setting

FORMAT = "%Y-%m-%dT%H:%M:%S"
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def wall() -> datetime:
    """The machine's time in UTC, to the second, without time zone."""
    return datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)


def stamp(moment: datetime) -> str:
    """The stored form of a moment."""
    return moment.strftime(FORMAT)


def parse(value: str) -> datetime:
    """A moment from ISO 8601 text; a time zone is converted to UTC.

    :raises ValueError: it is not a date and time.
    """
    # Python 3.10 does not know the Z.
    moment = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", value.strip()))
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def start(connection: sqlite3.Connection, spec: str) -> None:
    """Set the clock when the bank opens: ``real``, or a moment at which it stands still.

    A bank's clock never goes back: a moment earlier than the one reached is ignored.
    """
    reached = get_setting(connection, "clock_at", "")
    if spec == "real":
        set_setting(connection, "clock_mode", "real")
        if reached:
            move_to(connection, parse(reached))
        return
    moment = parse(spec)
    set_setting(connection, "clock_mode", "simulated")
    set_setting(connection, "clock_at", max(reached, stamp(moment)))


def is_real(connection: sqlite3.Connection) -> bool:
    """Whether time passes by itself."""
    return get_setting(connection, "clock_mode", "real") == "real"


def now(connection: sqlite3.Connection) -> datetime:
    """The bank's present."""
    if is_real(connection):
        return wall() + timedelta(seconds=int(get_setting(connection, "clock_offset", "0")))
    return parse(get_setting(connection, "clock_at"))


def move_to(connection: sqlite3.Connection, moment: datetime) -> None:
    """Put the clock forward to ``moment``; earlier moments change nothing."""
    if moment <= now(connection):
        return
    if is_real(connection):
        offset = int((moment - wall()).total_seconds())
        set_setting(connection, "clock_offset", str(offset))
    else:
        set_setting(connection, "clock_at", stamp(moment))


def target(present: datetime, request: dict) -> datetime:
    """The moment that an order to advance asks for.

    :param request: one of ``advance_to`` (ISO 8601), ``advance`` (like ``90m``, ``4h``, ``1d``),
        ``end_of_day`` (true: just past the end of the present or next banking day).
    :raises ValueError: anything else, or a moment in the past.
    """
    if request.get("end_of_day"):
        day = present.date()
        if not is_business_day(day) or present.time() >= END_OF_DAY:
            day = add_business_days(day, 1)
        return datetime.combine(day, END_OF_DAY)
    if "advance" in request:
        match = re.fullmatch(r"(\d{1,5})([mhd])", str(request["advance"]))
        if not match:
            raise ValueError("advance must look like 90m, 4h or 1d")
        return present + timedelta(**{UNITS[match[2]]: int(match[1])})
    if "advance_to" in request:
        moment = parse(str(request["advance_to"]))
        if moment < present:
            raise ValueError(f"the bank's clock is at {stamp(present)} and never goes back")
        return moment
    raise ValueError("say advance_to, advance or end_of_day")
