"""Parses a workbook in a process of its own: bytes on stdin, sheets as msgpack on stdout.

A damaged .xls can make the parser allocate without end or abort, and that must cost one upload,
not the server. Run as a script with an empty environment; it imports nothing of ours.
"""

import io
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import msgspec
import python_calamine as calamine
import xlrd

MEMORY = 1024 * 1024 * 1024
SECONDS = 60
PLAIN = (str, float, int, bool)
DATE, MOMENT = 1, 2
"""msgpack extension codes; parsed back by shared.documents.files."""
CHUNK = 256 * 1024
OLE = b"\xd0\xcf\x11\xe0"
LAST_DAY = 2_958_466
"""The serial day after Excel's last."""
MARKED = re.compile(
    rb"\bt\s{0,9}=\s{0,9}[\"']e[\"']|<(?:\w{1,9}:)?f[\s/>]|\bhidden\s{0,9}=\s{0,9}[\"'][1t]"
)
"""What only the sheet's XML tells: a failed formula, any formula, something hidden."""
ADDRESS = re.compile("[A-Z]{1,3}")
NO_RESULT = "公式没有结果"
"""Stands where a program wrote a formula and nobody worked it out: the cell looks blank to us."""
Marks = tuple[dict[tuple[int, int], str], list[int]]
"""What formulas without a value show, by row and column, and the hidden rows; all 0-based."""


def main() -> None:
    """Answer ``{"error": …}`` or ``{"sheets": [{"name", "rows", "merges"}, …]}``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # when memory is short, this goes first and not the database
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    max_rows, max_columns = int(sys.argv[1]), int(sys.argv[2])
    answer: dict[str, Any]
    try:
        data = sys.stdin.buffer.read()
        read = _old_sheets if data.startswith(OLE) else _sheets
        answer = {"sheets": read(data, max_rows, max_columns)}
    except (calamine.PasswordError, PermissionError):
        answer = {"error": "password"}
    except OverflowError:
        answer = {"error": "too_large"}
    except BaseException:  # noqa: BLE001  a panic of the parser is no Exception
        answer = {"error": "broken"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _sheets(data: bytes, max_rows: int, max_columns: int) -> list[dict[str, Any]]:
    with calamine.load_workbook(io.BytesIO(data)) as book:
        marks = _marks(data)
        return [
            _sheet(
                book.get_sheet_by_name(one.name),
                marks.get(one.name, ({}, [])),
                max_rows,
                max_columns,
            )
            if one.visible == calamine.SheetVisibleEnum.Visible
            else {"name": one.name, "rows": [], "hidden": True}
            for one in book.sheets_metadata
            if one.typ == calamine.SheetTypeEnum.WorkSheet
        ]


def _sheet(
    sheet: calamine.CalamineSheet, marks: Marks, max_rows: int, max_columns: int
) -> dict[str, Any]:
    if sheet.end is not None and (sheet.end[0] >= max_rows or sheet.end[1] >= max_columns):
        raise OverflowError
    rows = [
        [cell if type(cell) in PLAIN else _portable(cell) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    words, hidden_rows = marks
    width = len(rows[0]) if rows else 0
    for (row, column), word in words.items():
        if column < width and row < max_rows:
            rows.extend([""] * width for _ in range(len(rows), row + 1))
            rows[row][column] = word
    merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
    return {"name": sheet.name, "rows": rows, "merges": merges, "hidden_rows": hidden_rows}


def _old_sheets(data: bytes, max_rows: int, max_columns: int) -> list[dict[str, Any]]:
    """Those of an .xls."""
    try:
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ragged_rows=True
        )
    except xlrd.XLRDError as error:
        raise (PermissionError if "encrypted" in str(error) else ValueError) from error
    return [
        {"name": sheet.name, "rows": [], "hidden": True}
        if sheet.visibility
        else _old_sheet(sheet, book.datemode, max_rows, max_columns)
        for sheet in book.sheets()
    ]


def _old_sheet(sheet: Any, datemode: int, max_rows: int, max_columns: int) -> dict[str, Any]:
    """Rows of one width; cells that are only formatted, often to the last column, do not count."""
    rows: list[list[object]] = []
    for number in range(sheet.nrows):
        kinds, values = sheet.row_types(number), sheet.row_values(number)
        row = [_old_cell(*cell, datemode) for cell in zip(kinds, values, strict=True)]
        while row and row[-1] == "":
            row.pop()
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    width = max(map(len, rows), default=0)
    if len(rows) > max_rows or width > max_columns:
        raise OverflowError
    for row in rows:
        row.extend([""] * (width - len(row)))
    merges = [(top, left, end - 1, right - 1) for top, end, left, right in sheet.merged_cells]
    hidden_rows = [number for number, info in sheet.rowinfo_map.items() if info.hidden]
    return {"name": sheet.name, "rows": rows, "merges": merges, "hidden_rows": hidden_rows}


def _old_cell(kind: int, value: Any, datemode: int) -> object:
    if kind == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(value, "#N/A")
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind != xlrd.XL_CELL_DATE or not 0 <= value < LAST_DAY:
        return value
    moment = xlrd.xldate_as_datetime(value, datemode)
    if value < 1:
        return _portable(moment.time())
    return _portable(moment.date() if value == int(value) else moment)


def _portable(cell: object) -> object:
    if isinstance(cell, datetime):
        return msgspec.msgpack.Ext(MOMENT, cell.isoformat().encode())
    if isinstance(cell, date):
        return msgspec.msgpack.Ext(DATE, cell.isoformat().encode())
    return str(cell) if isinstance(cell, time | timedelta) else ""


def _marks(data: bytes) -> dict[str, Marks]:
    """By sheet, what the parser does not tell: cells with #REF! and the like, hidden rows."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return dict(_xlsx_marks(package))


def _xlsx_marks(package: zipfile.ZipFile) -> Iterator[tuple[str, Marks]]:
    members = set(package.namelist())
    links = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  ours
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in ET.fromstring(package.read("xl/workbook.xml")).iter():  # noqa: S314
        link = next((value for key, value in element.items() if key.endswith("}id")), None)
        if not element.tag.endswith("}sheet") or link is None:
            continue
        target = targets.get(link, "")
        path = target[1:] if target.startswith("/") else f"xl/{target}"
        if path in members and _is_marked(package, path):
            with package.open(path) as stream:
                yield element.get("name", ""), _sheet_marks(stream)


def _is_marked(package: zipfile.ZipFile, path: str) -> bool:
    tail = b""
    with package.open(path) as stream:
        while chunk := stream.read(CHUNK):
            if MARKED.search(tail + chunk):
                return True
            tail = chunk[-32:]
    return False


def _sheet_marks(stream: Any) -> Marks:
    """Read a sheet's XML once, asking as little as possible; a writer may leave addresses out.

    A formula whose result is the empty text is saved as such, with the type ``str``.
    """
    words: dict[tuple[int, int], str] = {}
    hidden: list[int] = []
    row, column, kind, formula = -1, -1, "", False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, formula
        name = tag.rpartition(":")[2]
        if formula or kind == "e":
            parser.CharacterDataHandler = said if name == "v" else None
        if name == "f" and kind not in {"e", "str"}:
            formula = True
            words[row, column] = NO_RESULT
        elif name == "c":
            match = ADDRESS.match(attributes.get("r", ""))
            column = _column(match[0]) if match else column + 1
            kind, formula = attributes.get("t", ""), False
        elif name == "row":
            address = attributes.get("r", "")
            row, column = int(address) - 1 if address.isdigit() else row + 1, -1
            if attributes.get("hidden") in {"1", "true"}:
                hidden.append(row)

    def said(text: str) -> None:
        if kind == "e":
            words[row, column] = words.get((row, column), "") + text.strip()
        elif text.strip():
            words.pop((row, column), None)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.ParseFile(stream)
    return words, hidden


@cache
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


if __name__ == "__main__":
    main()
