"""From a posted form to a Struct, with one sentence per wrong field."""

import re
from collections.abc import Container
from datetime import date
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from litestar.connection import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException

from shared.errors import Invalid

T = TypeVar("T", bound=msgspec.Struct)

HALF_WIDTH: dict[int, int | str | None] = {
    **dict.fromkeys((0x200B, 0x200C, 0x200E, 0x200F, 0xFEFF)),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2060, 0x206A))),
    **{code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()},
    0x3000: " ",
}
"""Full-width digits, letters and space → plain ones; Chinese punctuation stays as it was typed.

Marks that nobody sees go, as from files: they turn what stands beside them the other way round, and
make a second name of a name.
"""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SENTENCES = (
    (
        re.compile("missing required|Expected `(str|int|date|datetime|uuid)`, got `null`"),
        "请填写。",
    ),
    (re.compile("length >= "), "请填写。"),
    (re.compile("`array` of length <= (\\d+)"), "最多 {0} 项。"),
    (re.compile("length <= (\\d+)"), "太长了，最多 {0} 个字。"),
    (re.compile(">= (-?\\d+)"), "不能小于 {0}。"),
    (re.compile("<= (-?\\d+)"), "不能大于 {0}。"),
    (re.compile("`int`|`float`|`decimal`|decimal string"), "请填数字。"),
    (re.compile("`date`|RFC3339|ISO8601"), "请选择日期，例如 2026-11-24。"),
    (re.compile("`uuid`|UUID|enum|Invalid"), "请从列表中选择。"),
    (re.compile("unknown field"), "没有这一项。"),
    (re.compile("JSON|truncated"), "不是完整的 JSON。"),
)
"""What msgspec says → what a person can act on; the first match counts."""
CHOOSE = "请选择一个结论。"
YEARS = range(1900, 2200)
LARGEST = 2**31 - 1
"""What an integer column holds."""


async def read(
    request: Request[Any, Any, Any], *, lists: Container[str] = (), files: Container[str] = ()
) -> dict[str, Any]:
    """The posted fields, stripped, digits at half width; ``lists`` are those that may be repeated.

    Raises ClientException for another field sent twice and for a file where text belongs: no page
    of ours sends them.
    """
    posted = await request.form()
    values: dict[str, Any] = {}
    for name in posted:
        found = [_clean(value) for value in posted.getall(name)]
        if name not in files and any(isinstance(value, UploadFile) for value in found):
            raise ClientException
        if name not in lists and len(found) > 1:
            raise ClientException
        values[name] = found if name in lists else found[0]
    values.pop("_csrf_token", None)
    return values


def bind(kind: type[T], values: dict[str, Any]) -> T:
    """A Struct from posted values; empty text means not given.

    Raises Invalid with a sentence for every wrong field.
    """
    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        value = values.get(field.name, "")
        if _is_list(field.type) and not isinstance(value, list):
            value = [value] if value != "" else []
        if value == "":
            if field.required:
                problems[field.name] = "请填写。"
            continue
        if _has_control(value):
            problems[field.name] = "有不能识别的字符，请重新输入。"
            continue
        try:
            given[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as error:
            problems[field.name] = sentence(str(error))
            continue
        if problem := beyond(given[field.name]):
            problems[field.name] = problem
    if problems:
        raise Invalid("有几处需要改正。", problems)
    try:
        return kind(**given)
    except ValueError as error:
        raise Invalid(str(error)) from error


def chosen(values: dict[str, Any], name: str, yes: str, no: str) -> bool:
    """Which of two decisions was taken; none is no decision. Raises Invalid."""
    if values.get(name) not in (yes, no):
        raise Invalid(CHOOSE, {name: CHOOSE})
    return bool(values[name] == yes)


def beyond(value: Any) -> str:
    """What is wrong with a day or a whole number that nothing of ours can keep; else empty.

    The last days of the calendar have no next day, and the database takes them for endless.
    """
    if isinstance(value, list):
        return next(filter(None, map(beyond, value)), "")
    if isinstance(value, date) and value.year not in YEARS:
        return f"年份要在 {YEARS[0]} 到 {YEARS[-1]} 之间。"
    if type(value) is int and abs(value) > LARGEST:
        return "数字太大了。"
    return ""


def sentence(message: str) -> str:
    """What a person can act on instead of what msgspec says."""
    for pattern, words in SENTENCES:
        if match := pattern.search(message):
            return words.format(*match.groups())
    return "填写有误，请改正。"


def _clean(value: Any) -> Any:
    if isinstance(value, UploadFile):
        return value
    return str(value).translate(HALF_WIDTH).strip()


def _has_control(value: Any) -> bool:
    """Control characters other than tab and line ends; PostgreSQL cannot store NUL at all."""
    if isinstance(value, list):
        return any(_has_control(item) for item in value)
    return isinstance(value, str) and CONTROL.search(value) is not None


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_is_list(item) for item in get_args(kind))
    return origin in (list, tuple) or kind in (list, tuple)
