"""Dates in words."""

from datetime import date, timedelta

from shared.months import month_cn


def chinese_date(day: date) -> str:
    """2026年11月3日, as sentences and official sheets have it; tables have 2026-11-03."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_period(first: date, last: date) -> str:
    """2026年, 2026年上半年, 2026年11月, 2026年11月3日, 2026年11月3日至2026年12月5日; both included.

    As the title of a list has its period: by its name where it has one.
    """
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    whole = first.day == 1 and (last + timedelta(days=1)).day == 1
    if whole and months == 12 and first.month == 1:
        return f"{first.year}年"
    if whole and months == 6 and first.month in {1, 7}:
        return f"{first.year}年{'上' if first.month == 1 else '下'}半年"
    if whole and months == 1:
        return month_cn(first)
    if first == last:
        return chinese_date(first)
    return f"{chinese_date(first)}至{chinese_date(last)}"
