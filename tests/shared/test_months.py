"""Months, however they are written."""

from datetime import date

import pytest

from shared import months


@pytest.mark.parametrize(
    ("month", "count", "expected"),
    [
        (202611, -1, 202610),
        (202601, -1, 202512),
        (202603, -15, 202412),
        (202612, 0, 202612),
        (202612, 1, 202701),
        (202601, 11, 202612),
        (202602, 23, 202801),
    ],
)
def test_months_count_over_the_year(month: int, count: int, expected: int) -> None:
    assert months.months_later(month, count) == expected


def test_a_month_has_its_days() -> None:
    assert months.month_days(202802) == (date(2028, 2, 1), date(2028, 2, 29))
    assert months.month_bounds(202612) == (date(2026, 12, 1), date(2027, 1, 1))
    assert months.month_of(date(2026, 12, 31)) == 202612


def test_a_month_is_written_in_three_ways() -> None:
    assert months.month_text(202603) == "2026-03"
    assert months.parse_month("2026-03") == 202603
    for month in (202603, "2026-03", date(2026, 3, 31)):
        assert months.month_cn(month) == "2026年3月"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-3", "202603", "2026-03-01", "２０２６-03", "1999-01", ""]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        months.parse_month(text)


def test_a_number_is_a_month_or_not() -> None:
    assert [n for n in (199912, 200001, 202600, 202612, 202613, 210001) if months.is_month(n)] == [
        200001,
        202612,
    ]
