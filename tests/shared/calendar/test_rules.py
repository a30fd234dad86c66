from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import rules
from shared.calendar.errors import MissingYear

YEAR_2026 = {item.day: item.working for item in rules.library_year(2026)}


def works(day: date) -> bool:
    return rules.is_working(day, YEAR_2026)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 24), True),
        (date(2026, 11, 28), False),
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 17), False),
        (date(2026, 10, 10), True),
    ],
)
def test_exceptions_win_over_the_weekday(day: date, *, expected: bool) -> None:
    assert works(day) is expected


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 11, 24), 5, date(2026, 12, 1)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 10, 1), 0, date(2026, 10, 8)),
        (date(2026, 11, 24), 0, date(2026, 11, 24)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
    ],
)
def test_deadlines_skip_holidays_and_count_swapped_days(
    start: date, count: int, expected: date
) -> None:
    assert rules.nth_working_day(start, count, works) == expected


@given(st.dates(date(2026, 1, 1), date(2026, 11, 1)), st.integers(0, 20))
def test_period_holds_exactly_that_many_working_days(start: date, count: int) -> None:
    """Counting the worked days after the start gives the number asked for; the end is worked."""
    end = rules.nth_working_day(start, count, works)
    between = [date.fromordinal(n) for n in range(start.toordinal() + 1, end.toordinal() + 1)]
    worked = sum(works(day) for day in between)
    assert works(end)
    assert worked == count or (count == 0 and worked == 1 and not works(start))


def test_unknown_year_is_an_alarm() -> None:
    with pytest.raises(MissingYear, match="2031年"):
        rules.library_year(2031)


NEW_YEAR = """
2027-01-01 至 2027-01-03 休 元旦
2027-02-05 至 2027-02-11 休 春节
2027-02-20 班
2027-04-05 休 清明
2027-05-01 至 2027-05-05 休 劳动节
2027-06-09 休 端午
2027-09-15 休 中秋
2027-10-01 至 2027-10-07 休 国庆节
"""


def test_typed_year_reads_back_the_same() -> None:
    days, faults = rules.parse_year(2027, NEW_YEAR)
    assert faults == []
    assert rules.parse_year(2027, rules.as_text(days)) == (days, [])
    assert len(days) == 26


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("春节放假", "第 1 行"),
        ("2027-02-30 休", "没有 2027-02-30"),
        ("2026-01-01 休", "不是 2027 年"),
        ("2027-01-05 至 2027-01-01 休", "起止日期不对"),
        ("2027-01-01 休\n2027-01-01 班", "重复"),
        ("2027-01-01 休 元旦", "5月1日是法定节假日"),
        ("", "1月1日"),
        ("\n" * 100, "最多"),
    ],
)
def test_faults_of_a_typed_year_are_named(text: str, fault: str) -> None:
    _, faults = rules.parse_year(2027, text)
    assert fault in " ".join(faults)
