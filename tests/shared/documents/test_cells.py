"""Single cells as offices type them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents import cells


@pytest.mark.parametrize(
    "spelling",
    [
        "2026/1/1",
        "2026-01-01",
        "2026.1.1",
        "2026年1月1日",
        "2026 年 1 月 1 日",
        "20260101",
        "２０２６－１－１",
        "2026-01-01 00:00:00",
        "2026/1/1 8:30",
        46023,
        46023.0,
        "46023",
        20260101,
        date(2026, 1, 1),
        datetime(2026, 1, 1, 8, 30),  # noqa: DTZ001  what Excel gives
    ],
)
def test_every_usual_spelling_of_a_date(spelling: Any) -> None:
    """They all mean the first of January 2026."""
    assert cells.day(spelling) == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("spelling", "word"),
    [
        ("2026-02-30", "没有"),
        ("2026-13-01", "没有"),
        ("2026年1月", "没有写日"),
        ("去年", "看不懂"),
        ("1/2/2026", "看不懂"),
        ("0026-01-01", "年份"),
        (3.5, "看不懂"),
    ],
)
def test_what_is_no_date_is_said(spelling: Any, word: str) -> None:
    """The sentence quotes the cell."""
    with pytest.raises(ValueError, match=word):
        cells.day(spelling)


@given(st.dates(date(1930, 1, 1), date(2140, 1, 1)))
def test_a_date_survives_its_own_spellings(day: date) -> None:
    """Reading what was written gives the same day."""
    serial = (day - cells.EXCEL_EPOCH).days
    for spelling in (f"{day:%Y-%m-%d}", f"{day.year}年{day.month}月{day.day}日", serial):
        assert cells.day(spelling) == day


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (421222100001.0, "421222100001"),
        (421222100001001.0, "421222100001001"),
        ("421222 100001", "421222100001"),
        ("４２１２２２", "421222"),
        ('="0012"', "0012"),
        ("'0012", "0012"),
        ("421222100001.0", "421222100001"),
        ("4.21222100001E+11", "421222100001"),
    ],
)
def test_codes_keep_their_digits(raw: Any, meant: str) -> None:
    """Numbers, text marks and blanks are read as the code they mean."""
    assert cells.code(raw) == meant


def test_a_code_that_lost_digits_is_refused() -> None:
    """1.38E+10 cannot be guessed back."""
    with pytest.raises(ValueError, match="科学计数法"):
        cells.code("4.21E+11")
    with pytest.raises(ValueError, match="科学计数法"):
        cells.phone("1.38E+10")


def test_a_code_that_excel_took_for_a_date_is_refused() -> None:
    """Household 3-12 would become 2026-03-12, which looks like a number of its own."""
    for typed in (date(2026, 3, 12), datetime(2026, 3, 12)):  # noqa: DTZ001  what Excel gives
        with pytest.raises(ValueError, match="当成了日期（2026-03-12）"):
            cells.code(typed)


@pytest.mark.parametrize(
    "raw",
    [
        *(
            13812345678,
            13812345678.0,
            "138 1234 5678",
            "１３８１２３４５６７８",
            "1.3812345678E+10",
        ),
        "\u202d13812345678\u202c",
        "\u2068138\u2060 1234 5678\u2069",
    ],
)
def test_phones_stored_as_numbers(raw: Any) -> None:
    """Excel's number, and one copied from a telephone, are the same eleven digits."""
    assert cells.phone(raw) == "13812345678"


@pytest.mark.parametrize("raw", ["1381234567", "02712345678", "2.5", "张三"])
def test_no_phone(raw: Any) -> None:
    """The sentence quotes what stands there."""
    with pytest.raises(ValueError, match="11 位数字，现在是"):
        cells.phone(raw)


@pytest.mark.parametrize(
    ("reader", "raw", "meant"),
    [
        (cells.yuan, 4.5, 450),
        (cells.yuan, "￥1,234.50元", 123450),
        (cells.yuan, 0.1 + 0.2, 30),
        (cells.yuan, 12.30005, 1230),
        (cells.yuan, "1,234,567", 123456700),
        (cells.points, "0.5", 5),
        (cells.points, 5.0, 50),
        (cells.integer, 239.0, 239),
        (cells.integer, "２３９", 239),
    ],
)
def test_amounts(reader: Callable[[Any], int], raw: Any, meant: int) -> None:
    """Fen, tenths of a point, whole numbers."""
    assert reader(raw) == meant


@pytest.mark.parametrize(
    ("reader", "raw"),
    [
        (cells.yuan, "4.505"),
        (cells.yuan, "-1"),
        (cells.yuan, "免费"),
        (cells.yuan, "1e30"),
        (cells.yuan, "nan"),
        (cells.yuan, "2,5"),
        (cells.points, "1，50"),
        (cells.points, "0.55"),
        (cells.integer, "2.5"),
        (cells.integer, -1),
        (cells.integer, True),
    ],
)
def test_wrong_amounts_are_refused(reader: Callable[[Any], int], raw: Any) -> None:
    """Too many decimals, negative, no number, no limit."""
    with pytest.raises(ValueError, match="。"):
        reader(raw)


@pytest.mark.parametrize("typed", [date(1905, 7, 18), date(1900, 1, 5), date(9999, 12, 31)])
def test_a_number_in_a_date_cell_is_no_day(typed: date) -> None:
    """2026, 5 or 99 in a column of dates: Excel makes days of a century that nobody means."""
    for reader in (cells.day, cells.month):
        with pytest.raises(ValueError, match="年份不对"):
            reader(typed)


@pytest.mark.parametrize("reader", cells.READERS.values())
def test_a_long_run_of_blanks_does_not_hold_up_the_server(reader: Callable[[Any], Any]) -> None:
    """Each blank was searched from anew: one cell of a file took a minute of everybody's time."""
    before = process_time()
    with suppress(ValueError):
        reader("a" + " " * 20_000 + "b")
    assert process_time() - before < 1


def test_names_lose_the_blanks_offices_put_in() -> None:
    """张　三 is 张三; a Latin name keeps its blank; the middle dot has one spelling."""
    assert cells.name("张　三 ") == "张三"
    assert cells.name("John Smith") == "John Smith"
    for dot in "•・‧∙⋅．":
        assert cells.name(f"阿依古丽{dot}买买提") == "阿依古丽·买买提"


def test_two_names_in_one_cell_are_not_one_person() -> None:
    """张三 above 李四 was read as 张三李四; a break at the end is nothing."""
    assert cells.name("张 三\n") == "张三"
    with pytest.raises(ValueError, match="中间有换行"):
        cells.name("张三\n李四")


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.dates(), st.datetimes()))
def test_any_cell_gives_a_value_or_a_sentence(raw: Any) -> None:
    """No reader fails in any other way, whatever the cell holds."""
    for reader in cells.READERS.values():
        try:
            reader(raw)
        except ValueError as error:
            assert str(error).endswith("。")  # noqa: PT017


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("2026-03", 202603),
        ("2026年3月", 202603),
        ("２０２６/３", 202603),
        (202603, 202603),
        (202603.0, 202603),
        ("2026-03-31", 202603),
        (date(2026, 3, 1), 202603),
    ],
)
def test_months_in_any_spelling(written: object, meaning: int) -> None:
    """A month, or any day of it."""
    assert cells.month(written) == meaning


@pytest.mark.parametrize("written", ["2026.1", 2026.1, "２０２６．１"])
def test_october_that_excel_made_january_is_refused(written: object) -> None:
    """2026.10 is a number to Excel, and shown as 2026.1."""
    with pytest.raises(ValueError, match="分不清是 1 月还是 10 月"):
        cells.month(written)
    assert (cells.month("2026.01"), cells.month("2026.10")) == (202601, 202610)


@pytest.mark.parametrize("written", ["三月", "2026-13", "26-03", "2026", 3])
def test_what_is_no_month_is_said(written: object) -> None:
    """With the cell's own words."""
    with pytest.raises(ValueError, match=f"“{written}”"):
        cells.month(written)


@pytest.mark.parametrize(
    ("written", "meaning"), [("20.5", "20.5"), (21, "21"), ("１８", "18"), (0.1, "0.1")]
)
def test_decimals_are_exact(written: object, meaning: str) -> None:
    """At most one place behind the point."""
    assert cells.decimal(written) == Decimal(meaning)


@pytest.mark.parametrize("written", ["-1", "20.55", "NaN", "1E+400", "二十"])
def test_what_is_no_decimal_is_said(written: str) -> None:
    """Negative, too fine, no number."""
    with pytest.raises(ValueError, match=r".+"):
        cells.decimal(written)
