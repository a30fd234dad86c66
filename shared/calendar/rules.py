"""Working days as pure functions: a weekday works, a weekend day rests, unless a row says not.

The arrangement of a year is published by the State Council each November, so no library can know
the next year in time: the county's table decides, the library only seeds it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import chinese_calendar.constants as published
import msgspec

from shared.calendar.errors import MissingYear

SATURDAY = 5
FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
"""Statutory holidays on solar dates: a year without them was entered wrongly."""
FEWEST_DAYS = 13
"""Statutory holidays of a year."""
MOST_LINES = 80
LINE = re.compile(
    r"(?P<first>\d{4}-\d{1,2}-\d{1,2})(?:\s*[至~—]\s*(?P<last>\d{4}-\d{1,2}-\d{1,2}))?"
    r"\s+(?P<kind>[休班])(?:\s+(?P<name>.{1,20}))?"
)
LONGEST_HOLIDAY = 15


class DayException(msgspec.Struct, frozen=True, order=True):
    """A day that does not follow its weekday, or a named day of rest."""

    day: date
    working: bool
    name: str = ""


def is_working(day: date, exceptions: Mapping[date, bool]) -> bool:
    """Whether a day is worked, given the exceptions of its year."""
    return exceptions.get(day, day.weekday() < SATURDAY)


def nth_working_day(start: date, count: int, works: Callable[[date], bool]) -> date:
    """The ``count``-th working day after ``start``; 0 moves a rest day to the next worked one."""
    if count < 0:
        raise ValueError("count must not be negative")
    day = start
    while count or not works(day):
        day += timedelta(days=1)
        if count and works(day):
            count -= 1
    return day


def count_working(first: date, last: date, works: Callable[[date], bool]) -> int:
    """Worked days from first to last, both included; 0 when last is before first."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(works(day) for day in days)


def library_year(year: int) -> tuple[DayException, ...]:
    """The published arrangement of a year, in date order.

    Raises MissingYear for a year the library does not know.
    """
    days = [
        DayException(day, working, _chinese(name))
        for source, working in ((published.holidays, False), (published.workdays, True))
        for day, name in source.items()
        if day.year == year
    ]
    if not days:
        raise MissingYear(year)
    return tuple(sorted(days))


def parse_year(year: int, text: str) -> tuple[tuple[DayException, ...], list[str]]:
    """A year's arrangement as the department types it, and a sentence for every fault.

    One line per day or stretch: ``2027-02-06 至 2027-02-12 休 春节``, ``2027-02-20 班``.
    """
    found: dict[date, DayException] = {}
    faults: list[str] = []
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > MOST_LINES:
        return (), [f"最多 {MOST_LINES} 行。"]
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            days = _line(year, line)
        except ValueError as error:
            faults.append(f"第 {number} 行：{error}")
            continue
        faults += [
            f"第 {number} 行：{day.day} 重复且不一致。"
            for day in days
            if found.setdefault(day.day, day) != day
        ]
    if not faults:
        faults = _check(year, found)
    return tuple(sorted(found.values())), faults


def as_text(days: tuple[DayException, ...]) -> str:
    """The same lines ``parse_year`` reads, one a day."""
    return "\n".join(
        f"{item.day} {'班' if item.working else '休'} {item.name}".rstrip() for item in days
    )


def _line(year: int, line: str) -> list[DayException]:
    match = LINE.fullmatch(line)
    if not match:
        raise ValueError("请写成“2027-02-06 至 2027-02-12 休 春节”。")
    first = _date(match["first"])
    last = _date(match["last"]) if match["last"] else first
    length = (last - first).days + 1
    if not 1 <= length <= LONGEST_HOLIDAY:
        raise ValueError(f"起止日期不对，一段最多 {LONGEST_HOLIDAY} 天。")
    if first.year != year or last.year != year:
        raise ValueError(f"不是 {year} 年的日期。")
    working = match["kind"] == "班"
    return [
        DayException(first + timedelta(days=offset), working, (match["name"] or "").strip())
        for offset in range(length)
    ]


def _check(year: int, found: Mapping[date, DayException]) -> list[str]:
    rest = {day for day, item in found.items() if not item.working}
    faults = [
        f"{month}月{day}日是法定节假日，应为“休”。"
        for month, day in FIXED_HOLIDAYS
        if date(year, month, day) not in rest
    ]
    if not faults and len(rest) < FEWEST_DAYS:
        faults.append(f"放假不足 {FEWEST_DAYS} 天，请对照国务院办公厅的通知补全。")
    return faults


def _date(text: str) -> date:
    year, month, day = (int(part) for part in text.split("-"))
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"没有 {text} 这一天。") from error


def _chinese(name: str) -> str:
    return next((item.chinese for item in published.Holiday if item.value == name), "")
