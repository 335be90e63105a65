"""Banking days: the TARGET calendar of the Eurosystem, and the day's limits.

Source: European Central Bank, long-term calendar for TARGET closing days (since 2002):
Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

OPENING = time(8)
NOON = time(12)
CUT_OFF = time(16)
END_OF_DAY = time(18)


@cache
def easter_sunday(year: int) -> date:
    """Easter of the Gregorian calendar (anonymous algorithm, Meeus 1991)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def is_business_day(day: date) -> bool:
    """Whether TARGET is open."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    return day - easter_sunday(day.year) not in {timedelta(days=-2), timedelta(days=1)}


def on_or_after(day: date) -> date:
    """The day itself if banks are open, else the next one on which they are."""
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, count: int) -> date:
    """``count`` (1 or more) business days after ``day``."""
    for _ in range(count):
        day = on_or_after(day + timedelta(days=1))
    return day


def booking_date(moment: datetime) -> date:
    """The bank day to which a booking made at ``moment`` belongs."""
    day = moment.date()
    if moment.time() >= END_OF_DAY:
        day += timedelta(days=1)
    return on_or_after(day)


def execution_moment(requested: date, received: datetime, instant: bool = False) -> datetime:
    """When a payment is executed: now, or at opening of the day on which it falls.

    After the cut-off, and on days when TARGET is closed, it is the next business day. Instant
    payments know neither.
    """
    if instant:
        if requested <= received.date():
            return received
        return datetime.combine(requested, OPENING)
    day = on_or_after(max(requested, received.date()))
    if day == received.date() and received.time() >= CUT_OFF:
        day = add_business_days(day, 1)
    return max(received, datetime.combine(day, OPENING))
