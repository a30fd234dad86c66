"""A job does the *periods that are due and not done*, whatever time it happens to be called.

The trigger is only a hint when to look. Missed nights, two schedulers and a run by hand are then
all the same case: each (job, period) is completed once (invariant I19), and a test can drive a
year with its own clock.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from shared.clock import LOCAL_ZONE
from shared.months import month_of, month_text, months_later

Periods = Callable[[datetime, int], Sequence[str]]
Run = Callable[[int, str, datetime], Awaitable[str]]
LONGEST_CATCH_UP = 60
"""Days that a daily job looks back; longer outages need a person anyway."""
MONTHS_BACK = 12


class Job(msgspec.Struct, frozen=True):
    """``run(county_id, period, now)`` does one period and says in a few words what it did."""

    name: str
    trigger: str
    """Crontab, China time: when to look for due periods."""
    periods: Periods
    """``periods(now, county_id)``: the due ones, oldest first, done or not."""
    run: Run


def days(hour: int = 0, back: int = LONGEST_CATCH_UP) -> Periods:
    """Every day, due from ``hour`` o'clock; after an outage each missed day runs, oldest first."""

    def due(now: datetime, _county_id: int) -> list[str]:
        last = _last_day(now, hour)
        return [str(last - timedelta(days=offset)) for offset in range(back, -1, -1)]

    return due


def last_day(hour: int = 0) -> Periods:
    """Only the latest day: for sweeps where one run makes up for all that were missed."""
    return days(hour, back=0)


def last_slot(minutes: int) -> Periods:
    """Only the latest slot of so many minutes (a divisor of 60), for frequent sweeps."""

    def due(now: datetime, _county_id: int) -> list[str]:
        local = now.astimezone(LOCAL_ZONE)
        minute = local.minute - local.minute % minutes
        return [local.replace(minute=minute).strftime("%Y-%m-%dT%H:%M")]

    return due


def months(hour: int = 0) -> Periods:
    """Every ended month, oldest first: ``2026-10``."""

    def due(now: datetime, _county_id: int) -> list[str]:
        found = [month_before(_last_day(now, hour))]
        while len(found) < MONTHS_BACK:
            found.append(month_before(date.fromisoformat(f"{found[-1]}-01")))
        return found[::-1]

    return due


def month_before(day: date) -> str:
    """``2026-10`` for any day of November 2026."""
    return month_text(months_later(month_of(day), -1))


def _last_day(now: datetime, hour: int) -> date:
    """The latest day whose ``hour`` o'clock has passed in China."""
    return (now.astimezone(LOCAL_ZONE) - timedelta(hours=hour)).date()
