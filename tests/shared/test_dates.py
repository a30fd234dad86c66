from datetime import date

import pytest

from shared.dates import chinese_period


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-01-01", "2026-12-31", "2026年"),
        ("2026-01-01", "2026-06-30", "2026年上半年"),
        ("2026-07-01", "2026-12-31", "2026年下半年"),
        ("2024-02-01", "2024-02-29", "2024年2月"),
        ("2026-11-01", "2026-11-28", "2026年11月1日至2026年11月28日"),
        ("2025-10-01", "2026-03-31", "2025年10月1日至2026年3月31日"),
        ("2026-11-03", "2026-11-03", "2026年11月3日"),
    ],
)
def test_a_period_goes_by_its_name_where_it_has_one(first: str, last: str, words: str) -> None:
    assert chinese_period(date.fromisoformat(first), date.fromisoformat(last)) == words
