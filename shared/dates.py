"""Dates in words."""

from datetime import date


def chinese_date(day: date) -> str:
    """2026年11月3日, as sentences and official sheets have it; tables have 2026-11-03."""
    return f"{day.year}年{day.month}月{day.day}日"
