"""Months as numbers: 202610 is October 2026 in every row; an address or a statement has 2026-10."""

import re
from datetime import date, timedelta

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def month_of(day: date) -> int:
    """2026-10-07 → 202610."""
    return day.year * 100 + day.month


def months_later(month: int, count: int = 1) -> int:
    """202612 → 202701; a negative count goes back."""
    number = month // 100 * 12 + month % 100 - 1 + count
    return number // 12 * 100 + number % 12 + 1


def month_start(month: int) -> date:
    """First day."""
    return date(month // 100, month % 100, 1)


def month_bounds(month: int) -> tuple[date, date]:
    """First day of a month and of the next."""
    return month_start(month), month_start(months_later(month))


def month_days(month: int) -> tuple[date, date]:
    """First and last day."""
    first, after = month_bounds(month)
    return first, after - timedelta(days=1)


def is_month(number: int) -> bool:
    """Whether it is a month of this century."""
    return 2000 <= number // 100 <= 2099 and 1 <= number % 100 <= 12


def month_text(month: int) -> str:
    """202610 → 2026-10."""
    return f"{month // 100}-{month % 100:02d}"


def parse_month(text: str) -> int:
    """2026-10 → 202610; raises ValueError for anything else."""
    if not MONTH.fullmatch(text):
        raise ValueError(text)
    return int(text[:4]) * 100 + int(text[5:])


def month_cn(month: int | str | date) -> str:
    """202610, 2026-10 or a day of that month → 2026年10月."""
    if isinstance(month, date):
        month = month_of(month)
    elif isinstance(month, str):
        month = parse_month(month[:7])
    return f"{month // 100}年{month % 100}月"
