"""From what a cell holds to what it means, as office staff type it.

Every function takes a cell's value as the reader gives it (text, int, float, bool, date, datetime)
and returns the meaning, or raises ValueError with a Chinese sentence about the cell alone.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from shared.months import month_of

Kind = Literal[
    "text", "name", "code", "phone", "date", "month", "integer", "decimal", "yuan", "points"
]
"""``yuan`` becomes int fen, ``points`` int of 0.1 point, ``code`` text of digits and letters,
``month`` int 202603, ``decimal`` a Decimal with at most one decimal place."""

EXCEL_EPOCH = date(1899, 12, 30)
SERIALS = range(10_000, 90_000)
"""Excel serial days that are plausible dates: 1927 to 2146."""
YEARS = range(1900, 2200)
NARROW = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B))}
NARROW |= {code: code - 0xFEE0 for code in range(0xFF41, 0xFF5B)} | {0x3000: 0x20, 0xA0: 0x20}
INVISIBLE = dict.fromkeys(
    [
        *(code for code in range(0x20) if code not in b"\t\n\r"),
        0x7F,
        0xFEFF,
        0x200B,
        0x200C,
        0x200D,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        0xAD,
        0xFE0F,
    ]
)
"""A number copied from a telephone's contacts has some of them around it."""
PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff，。、；：“”（）《》·().,:;<>_+*/#%&@-]+")
"""Text that means what it says: nothing invisible, no blanks, nothing full-width to narrow."""
DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅･．", "·"))
"""What keyboards give for the dot in a name."""
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
QUOTED = re.compile(r'="(.*)"')
DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](?:(\d{1,2})日?)?)?(?:[ T]\d{1,2}:\d{2}(:\d{2})?)?"
)
MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
SCIENTIFIC = re.compile(r"\d(?:\.(\d+))?[eE]\+?(\d{1,2})")
MOBILE = re.compile(r"1[3-9]\d{9}")
FEN_TOLERANCE = Decimal("0.0001")
FORMULA_ERROR = re.compile(r"#(N/A|GETTING_DATA|[A-Z0-9/]{2,12}[!?])")
"""What Excel shows where a formula failed, also in a .csv that was saved from it."""
NO_RESULT = "公式没有结果"
"""What the sandbox puts where a program wrote a formula and nobody worked it out."""
SHOWN = 30
LONGEST_DATE = 100
"""Characters; what is longer is no date, however many blanks are in it."""


def text(value: Any) -> str:
    """Plain text: no invisible marks, full-width digits and letters narrowed, ends stripped."""
    if type(value) is str and PLAIN.fullmatch(value):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else str(value)
    found = str(value).translate(INVISIBLE).translate(NARROW).strip()
    if match := QUOTED.fullmatch(found):
        found = match[1]
    # Not substituted: a pattern would search a long run of blanks again from each of them.
    lines = re.split(r"[\r\n]+", found.removeprefix("'"))
    return " ".join(line.strip(" \t") for line in lines).strip()


def name(value: Any) -> str:
    """A person's name: the blanks that offices put into 张　三 go; two lines are two people."""
    found = text(value)
    if isinstance(value, str) and len(value.split()) > 1 and len(value.strip().splitlines()) > 1:
        raise ValueError(f"“{shown(value)}”中间有换行：一格只写一个人的姓名。")
    return found if found.isascii() else re.sub(r"\s+", "", found).translate(DOTS)


def code(value: Any) -> str:
    """Digits or letters; a number that lost its last digits is refused, not guessed.

    So is 3-12 that Excel took for the twelfth of March.
    """
    if isinstance(value, date):
        raise ValueError(  # noqa: TRY004  one kind of error
            f"Excel 把这一格当成了日期（{shown(value)}）；请把这一列设为文本格式后重新填写。"
        )
    found = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text(value)))
    if match := SCIENTIFIC.fullmatch(found):
        if len(match[1] or "") < int(match[2]):
            raise ValueError(
                f"“{found}”是科学计数法，末尾几位已经丢失；请把这一列设为文本格式后重新填写。"
            )
        found = str(int(Decimal(found)))
    return re.sub(r"\.0+$", "", found)


def phone(value: Any) -> str:
    """Eleven digits of a mobile number."""
    found = re.sub(r"[\-—–()]", "", code(value))
    found = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", found)
    if not MOBILE.fullmatch(found):
        raise ValueError(f"手机号应为 1 开头的 11 位数字，现在是“{shown(value)}”。")
    return found


def day(value: Any) -> date:
    """A date in any usual spelling, or an Excel serial number."""
    if isinstance(value, date):
        return _plausible(value.date() if isinstance(value, datetime) else value)
    found = unicodedata.normalize("NFKC", text(value))
    if len(found) <= LONGEST_DATE:
        found = re.sub(r"\s*([年月日/.\-])\s*", r"\1", found)
    if re.fullmatch(r"\d{5}(\.\d+)?", found) and int(float(found)) in SERIALS:
        return EXCEL_EPOCH + timedelta(days=int(float(found)))
    match = DATE.fullmatch(found) or COMPACT_DATE.fullmatch(found)
    if match is None:
        raise ValueError(f"看不懂日期“{shown(value)}”，请写成 2026-01-31 这样。")
    year, month, number = (int(part) if part else 0 for part in match.groups()[:3])
    if not number:
        raise ValueError(f"日期“{shown(value)}”没有写日，请写成 2026-01-31 这样。")
    if year not in YEARS:
        raise ValueError(f"日期“{shown(value)}”的年份不对，请核对。")
    try:
        return date(year, month, number)
    except ValueError:
        raise ValueError(f"没有“{shown(value)}”这一天，请核对日期。") from None


def _plausible(found: date) -> date:
    """A number in a cell formatted as a date is one for Excel, too: 2026 is 18 July 1905."""
    if (found - EXCEL_EPOCH).days not in SERIALS:
        raise ValueError(f"日期“{found}”的年份不对，请核对。")
    return found


def month(value: Any) -> int:
    """A month in any usual spelling, or any day of it: 202603.

    Excel makes 2026.1 of 2026.10.
    """
    if isinstance(value, date):
        return month_of(day(value))
    found = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text(value)))
    match = MONTH.fullmatch(found)
    if match is None:
        try:
            return month_of(day(value))
        except ValueError:
            sentence = f"看不懂月份“{shown(value)}”，请写成 2026-03 这样。"
            raise ValueError(sentence) from None
    if re.fullmatch(r"\d{4}\.1", found):
        raise ValueError(f"“{found}”分不清是 1 月还是 10 月，请写成 {match[1]}-01 这样。")
    year, number = int(match[1]), int(match[2])
    if year not in YEARS or not 1 <= number <= 12:
        raise ValueError(f"没有“{shown(value)}”这个月，请核对。")
    return year * 100 + number


def decimal(value: Any) -> Decimal:
    """A number that is not negative, with at most one decimal place."""
    return Decimal(_scaled(value, 10, "最多一位小数")) / 10


def integer(value: Any) -> int:
    """A whole number that is not negative."""
    found = _decimal(value)
    if found != int(found) or found < 0:
        raise ValueError(f"应为不小于 0 的整数，现在是“{shown(value)}”。")
    return int(found)


def yuan(value: Any) -> int:
    """Fen; what is within 0.0001 yuan of a fen is rounded to it, the rest refused."""
    return _scaled(value, 100, "金额最多两位小数")


def points(value: Any) -> int:
    """Tenths of a point."""
    return _scaled(value, 10, "积分最多一位小数")


def shown(value: Any) -> str:
    """A cell's value inside a sentence, shortened."""
    found = text(value)
    return found if len(found) <= SHOWN else found[:SHOWN] + "…"


def _scaled(value: Any, scale: int, sentence: str) -> int:
    found = _decimal(value)
    if found < 0:
        raise ValueError(f"不能是负数，现在是“{shown(value)}”。")
    nearest = round(found * scale)
    if abs(found - Decimal(nearest) / scale) > FEN_TOLERANCE:
        raise ValueError(f"{sentence}，现在是“{shown(value)}”。")
    return nearest


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool | date):
        raise ValueError(f"应填数字，现在是“{shown(value)}”。")  # noqa: TRY004  one kind of error
    if isinstance(value, int | float):
        plain = repr(value)
    else:
        plain = unicodedata.normalize("NFKC", text(value))
        plain = re.sub(r"\s|^[¥￥]|元$", "", plain)
        whole, dot, rest = plain.partition(".")
        if THOUSANDS.fullmatch(whole):  # else 2,5 would be 25
            plain = whole.replace(",", "") + dot + rest
    try:
        found = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"应填数字，现在是“{shown(value)}”。") from None
    if not found.is_finite() or abs(found) >= Decimal(10) ** 12:
        raise ValueError(f"数字“{shown(value)}”太大了，请核对。")
    return found


READERS: dict[Kind, Callable[[Any], Any]] = {
    "text": text,
    "name": name,
    "code": code,
    "phone": phone,
    "date": day,
    "month": month,
    "integer": integer,
    "decimal": decimal,
    "yuan": yuan,
    "points": points,
}
