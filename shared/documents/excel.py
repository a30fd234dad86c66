"""Every Excel file the product hands out is written here, in the form offices expect.

Title row, unit and date row, frozen header, 序号 first, 小计 and 合计 below, a last row with
制表人 / 审核人 / 填报日期; A4 landscape, fit to width, the header repeated on each printed page.

Three promises, each tested:

* **No formula, whatever a cell says.** Text is written as text and marked as quoted, so that a
  name such as ``=HYPERLINK(...)`` stays a name when somebody edits the cell.
* **The same input gives the same bytes**: no clock, no random ids in the file. A statement's hash
  can therefore be compared years later.
* **No full phone number**: a ``phone`` column is masked here, where nobody can forget it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from shared.clock import LOCAL_ZONE
from shared.dates import chinese_date
from shared.errors import Invalid

if TYPE_CHECKING:  # loaded by the first who asks for a workbook: a counter never does
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Kind = Literal["text", "number", "decimal", "points", "yuan", "date", "time", "phone"]
"""``points`` are ints of 0.1 point, ``yuan`` ints of fen, ``decimal`` Decimals; ``time`` takes
aware instants."""
MAX_ROWS = 500_000
MAX_TEXT = 32_767
"""Excel's own limit of a cell."""
MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  the library wants a naive one; any constant will do
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
A4 = 9
HEADER_ROW = 2
LINE_HEIGHT, MAX_HEIGHT = 13.5, 409
"""Points of a line of text; Excel's own limit of a row."""
CHOICE_ROWS = 5_000
"""How far down a column's choices reach."""
SCALE = {"points": 10, "yuan": 100, "number": 1, "decimal": 1}


class Column(msgspec.Struct, frozen=True):
    """One column; ``total`` adds its sum to the 小计 and 合计 rows."""

    title: str
    kind: Kind = "text"
    width: float = 12
    total: bool = False
    hidden: bool = False
    """Ids that an import of the same file recognises its rows by."""
    choices: tuple[str, ...] = ()
    """A list to choose from, for import templates."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One worksheet; the 序号 column is added by the writer."""

    name: str
    title: str
    unit: str
    """填报单位."""
    on: date
    """填报日期: part of the input, never the clock."""
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Any]]
    group: int | None = None
    """Index of the column whose change of value closes a 小计; rows must come sorted by it."""
    notes: tuple[str, ...] = ()
    """Lines between the table and the signatures."""
    signatures: tuple[str, ...] = ("制表人：", "审核人：")


def workbook(*sheets: Sheet, taken: str = "") -> bytes:
    """The file as bytes; equal sheets give equal bytes. Raises Invalid above MAX_ROWS rows.

    ``taken``: who takes the file out (see :func:`stamp`), on each printed page and below each
    table. A file whose hash is signed has none: it is the same for whoever takes it out, and stays
    as earlier releases made it, so that its rows are as high as Excel makes them.
    """
    import xlsxwriter  # noqa: PLC0415

    target = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"author": "Gridmerit", "created": EPOCH})
        formats = Formats(book)
        for sheet in sheets:
            _sheet(book.add_worksheet(sheet_name(sheet.name)), sheet, formats, taken)
    return target.getvalue()


def digest(content: bytes) -> bytes:
    """SHA-256 of a file."""
    return hashlib.sha256(content).digest()


def stamp(name: str, at: datetime) -> str:
    """``导出：张三 2026-11-27 21:03`` (in China): whose copy a file is."""
    return f"导出：{name} {at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


def file_name(name: str, period: str, at: datetime) -> str:
    """``兑换台账_2026-10_20261101-0905.xlsx``: name, period, time (in China)."""
    stamp = at.astimezone(LOCAL_ZONE).strftime("%Y%m%d-%H%M")
    return f"{name}_{period}_{stamp}.xlsx"


def sheet_name(name: str) -> str:
    r"""A name Excel accepts: no ``[]:*?/\``, no ``'`` at its ends, 1 to 31 characters."""
    kept = "".join("_" if char in "[]:*?/\\" else char for char in name)
    return kept.strip("'")[:31].rstrip("'") or "表"


def masked_phone(phone: str) -> str:
    """``138****5678``; anything shorter is hidden whole."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "****"


class Formats:
    """The few cell formats of a workbook, made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        cell = {"border": 1, "valign": "vcenter", "font_name": "宋体", "font_size": 10}
        text = cell | {"text_wrap": True, "num_format": "@"}
        self.title = self._get(bold=True, font_size=16, align="center", valign="vcenter")
        self.meta = self._get(font_name="宋体", font_size=10, num_format="@")
        self.meta_right = self._get(font_name="宋体", font_size=10, align="right", num_format="@")
        self.header = self._get(**text, bold=True, align="center", bg_color="#EDEDED")
        self.text = self._get(**text)
        self.quoted = self._get(**text, quote_prefix=True)
        self.quoted_meta = self._get(font_name="宋体", font_size=10, quote_prefix=True)
        self.note = self._get(font_name="宋体", font_size=10, text_wrap=True, valign="top")
        self.index = self._get(**cell, align="center")
        self.total_text = self._get(**text, bold=True, align="center")
        self.by_kind: dict[str, Format] = {
            "number": self._get(**cell, num_format="0"),
            "points": self._get(**cell, num_format="General"),
            "decimal": self._get(**cell, num_format="General"),
            "yuan": self._get(**cell, num_format="#,##0.00"),
            "date": self._get(**cell, num_format="yyyy-mm-dd", align="center"),
            "time": self._get(**cell, num_format="yyyy-mm-dd hh:mm", align="center"),
        }

    def _get(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]


def _sheet(out: Worksheet, sheet: Sheet, formats: Formats, taken: str) -> None:
    last = len(sheet.columns)
    _page_setup(out, sheet, taken)
    out.set_row(0, 30)
    out.merge_range(0, 0, 0, last, "", formats.title)
    _text(out, (0, 0), sheet.title, formats.title, formats.title)
    _text(out, (1, 0), f"填报单位：{sheet.unit}", formats.meta, formats.quoted_meta)
    out.write_string(1, last, f"填报日期：{chinese_date(sheet.on)}", formats.meta_right)
    for index, title in enumerate(["序号", *(column.title for column in sheet.columns)]):
        out.write_string(HEADER_ROW, index, title, formats.header)
    if taken:
        _grow(out, HEADER_ROW, sheet.columns, [column.title for column in sheet.columns])
    row = _body(out, sheet, formats, grows=bool(taken))
    for note in sheet.notes:
        if taken:
            out.merge_range(row, 0, row, last, "", formats.note)
            whole = 6 + sum(column.width for column in sheet.columns if not column.hidden)
            out.set_row(row, LINE_HEIGHT * lines(note, whole))
        _text(out, (row, 0), note, formats.note if taken else formats.meta, formats.quoted_meta)
        row += 1
    signatures = "　　　　　　".join((*sheet.signatures, f"填报日期：{chinese_date(sheet.on)}"))
    out.write_string(row + 1, 0, signatures, formats.meta)
    if taken:
        out.write_string(row + 2, 0, taken, formats.meta)


def _page_setup(out: Worksheet, sheet: Sheet, taken: str) -> None:
    out.set_paper(A4)
    out.set_landscape()
    out.fit_to_pages(1, 0)
    out.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    out.repeat_rows(0, HEADER_ROW)
    out.freeze_panes(HEADER_ROW + 1, 0)
    left = f"&L{taken.replace('&', '&&')}" if taken else ""
    out.set_footer(f"{left}&C第 &P 页　共 &N 页")
    out.set_column(0, 0, 6)
    for index, column in enumerate(sheet.columns, start=1):
        out.set_column(index, index, column.width, None, {"hidden": column.hidden})
        if column.choices:
            validation = {"validate": "list", "source": list(column.choices)}
            out.data_validation(HEADER_ROW + 1, index, CHOICE_ROWS, index, validation)


def _body(out: Worksheet, sheet: Sheet, formats: Formats, *, grows: bool) -> int:
    """Rows, sub-totals and the total, if anything is added up; returns the next free row."""
    row = HEADER_ROW + 1
    number = 0
    whole, part = Sums(sheet.columns), Sums(sheet.columns)
    group: Any = None
    for values in sheet.rows:
        if sheet.group is not None and number and values[sheet.group] != group:
            row = _sums(out, row, "小计", part, formats)
            part = Sums(sheet.columns)
        if sheet.group is not None:
            group = values[sheet.group]
        number += 1
        if number > MAX_ROWS:
            raise Invalid(f"一次最多导出 {MAX_ROWS} 行，请缩小范围后再导出。")
        out.write_number(row, 0, number, formats.index)
        for index, (column, value) in enumerate(zip(sheet.columns, values, strict=True), 1):
            _cell(out, (row, index), column.kind, value, formats)
        if grows:
            _grow(out, row, sheet.columns, values)
        whole.add(values)
        part.add(values)
        row += 1
    if sheet.group is not None and number:
        row = _sums(out, row, "小计", part, formats)
    summed = any(column.total for column in sheet.columns)
    return _sums(out, row, "合计", whole, formats) if summed else row


def _grow(out: Worksheet, row: int, columns: Sequence[Column], values: Sequence[Any]) -> None:
    """As high as its longest text needs: not every program does that by itself."""
    most = max(
        (
            lines(value, column.width)
            for column, value in zip(columns, values, strict=True)
            if isinstance(value, str) and not column.hidden
        ),
        default=1,
    )
    if most > 1:
        out.set_row(row, min(LINE_HEIGHT * most, MAX_HEIGHT))


def lines(text: str, width: float) -> int:
    """How many lines a text takes in a column; a Chinese character is as wide as two others."""
    return sum(
        -(-len(part.encode("gbk", "replace")) // max(int(width), 1)) or 1
        for part in text.split("\n")
    )


class Sums:
    """Exact sums of the ``total`` columns; None elsewhere."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.values: list[Any] = [0 if column.total else None for column in columns]

    def add(self, values: Sequence[Any]) -> None:
        for index, value in enumerate(self.values):
            if value is not None:
                self.values[index] = value + (values[index] or 0)


def _sums(out: Worksheet, row: int, label: str, sums: Sums, formats: Formats) -> int:
    out.write_string(row, 0, label, formats.total_text)
    for index, (column, value) in enumerate(zip(sums.columns, sums.values, strict=True), 1):
        kind: Kind = column.kind if value is not None else "text"
        _cell(out, (row, index), kind, value, formats)
    return row + 1


def _cell(out: Worksheet, at: tuple[int, int], kind: Kind, value: Any, formats: Formats) -> None:
    if value is None or value == "":
        out.write_blank(*at, None, formats.text)
    elif kind in SCALE:
        out.write_number(*at, value / SCALE[kind], formats.by_kind[kind])
    elif kind == "date":
        out.write_datetime(*at, value, formats.by_kind[kind])
    elif kind == "time":
        local = value.astimezone(LOCAL_ZONE).replace(tzinfo=None)
        out.write_datetime(*at, local, formats.by_kind[kind])
    else:
        text = masked_phone(str(value)) if kind == "phone" else str(value)
        _text(out, at, text, formats.text, formats.quoted)


def _text(out: Worksheet, at: tuple[int, int], value: str, plain: Format, quoted: Format) -> None:
    style = quoted if value.startswith(RISKY) else plain
    out.write_string(*at, value[:MAX_TEXT], style)
