"""Parses a workbook in a process of its own: bytes on stdin, sheets as msgpack on stdout.

A damaged .xls can make the parser allocate without end or abort, and that must cost one upload,
not the server. Run as a script with an empty environment; it imports nothing of ours.
"""

import io
import re
import resource
import struct
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

MEMORY = 1024 * 1024 * 1024
SECONDS = 60
PLAIN = (str, float, int, bool)
DATE, MOMENT = 1, 2
"""msgpack extension codes; parsed back by shared.documents.files."""
CHUNK = 256 * 1024
ERROR_CELL = re.compile(rb"\bt\s{0,9}=\s{0,9}[\"']e[\"']")
ADDRESS = re.compile("[A-Z]{1,3}")
BIFF_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
FORMULA, BEGIN, END, BOUND_SHEET, BOOLEAN_OR_ERROR = 0x0006, 0x0809, 0x000A, 0x0085, 0x0205
NO_SECTOR = 0xFFFFFFFA
"""From here on a sector's number means an end or nothing."""
Errors = dict[tuple[int, int], str]
"""What formulas that failed show, by row and column, 0-based."""


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
        answer = {"sheets": _sheets(sys.stdin.buffer.read(), max_rows, max_columns)}
    except calamine.PasswordError:
        answer = {"error": "password"}
    except OverflowError:
        answer = {"error": "too_large"}
    except BaseException:  # noqa: BLE001  a panic of the parser is no Exception
        answer = {"error": "broken"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _sheets(data: bytes, max_rows: int, max_columns: int) -> list[dict[str, Any]]:
    with calamine.load_workbook(io.BytesIO(data)) as book:
        names = [sheet.name for sheet in book.sheets_metadata]
        errors = _errors(data, names)
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible
            and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        return [
            _sheet(book.get_sheet_by_name(name), errors.get(name, {}), max_rows, max_columns)
            for name in visible
        ]


def _sheet(
    sheet: calamine.CalamineSheet, errors: Errors, max_rows: int, max_columns: int
) -> dict[str, Any]:
    if sheet.end is not None and (sheet.end[0] >= max_rows or sheet.end[1] >= max_columns):
        raise OverflowError
    rows = [
        [cell if type(cell) in PLAIN else _portable(cell) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    for (row, column), word in errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = word
    merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
    return {"name": sheet.name, "rows": rows, "merges": merges}


def _portable(cell: object) -> object:
    if isinstance(cell, datetime):
        return msgspec.msgpack.Ext(MOMENT, cell.isoformat().encode())
    if isinstance(cell, date):
        return msgspec.msgpack.Ext(DATE, cell.isoformat().encode())
    return str(cell) if isinstance(cell, time | timedelta) else ""


def _errors(data: bytes, names: list[str]) -> dict[str, Errors]:
    """By sheet, the cells with #REF! and the like, which the parser gives as blank."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return {name: found for name, found in _xlsx_errors(package) if found}
    return dict(zip(names, _xls_errors(data), strict=False))


def _xlsx_errors(package: zipfile.ZipFile) -> Iterator[tuple[str, Errors]]:
    members = set(package.namelist())
    links = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  ours
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in ET.fromstring(package.read("xl/workbook.xml")).iter():  # noqa: S314
        link = next((value for key, value in element.items() if key.endswith("}id")), None)
        if not element.tag.endswith("}sheet") or link is None:
            continue
        target = targets.get(link, "")
        path = target[1:] if target.startswith("/") else f"xl/{target}"
        if path in members and _has_errors(package, path):
            with package.open(path) as stream:
                yield element.get("name", ""), _error_cells(stream)


def _has_errors(package: zipfile.ZipFile, path: str) -> bool:
    tail = b""
    with package.open(path) as stream:
        while chunk := stream.read(CHUNK):
            if ERROR_CELL.search(tail + chunk):
                return True
            tail = chunk[-32:]
    return False


def _error_cells(stream: Any) -> Errors:
    """Read a sheet's XML once, asking as little as possible; a writer may leave addresses out."""
    found: Errors = {}
    row, column, is_error = -1, -1, False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, is_error
        name = tag.rpartition(":")[2]
        if is_error:
            parser.CharacterDataHandler = said if name == "v" else None
        if name == "row":
            address = attributes.get("r", "")
            row, column = int(address) - 1 if address.isdigit() else row + 1, -1
            is_error = False
        elif name == "c":
            match = ADDRESS.match(attributes.get("r", ""))
            column = _column(match[0]) if match else column + 1
            is_error = attributes.get("t") == "e"

    def said(text: str) -> None:
        found[row, column] = found.get((row, column), "") + text.strip()

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.ParseFile(stream)
    return found


@cache
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _xls_errors(data: bytes) -> list[Errors]:
    """The sheets of a BIFF stream in their order."""
    stream, sheets = _book_stream(data), []
    offsets = [
        struct.unpack_from("<I", body)[0]
        for code, body in _records(stream, 0)
        if code == BOUND_SHEET
    ]
    for offset in offsets:
        found: Errors = {}
        for code, body in _records(stream, offset):
            if code == BOOLEAN_OR_ERROR and body[7]:
                word = BIFF_ERRORS.get(body[6])
            elif code == FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
                word = BIFF_ERRORS.get(body[8])
            else:
                continue
            found[struct.unpack_from("<HH", body)] = word or "#N/A"
        sheets.append(found)
    return sheets


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """A substream's records; those of charts inside it belong to them."""
    depth = 0
    while at + 4 <= len(stream):
        code, length = struct.unpack_from("<HH", stream, at)
        depth += (code == BEGIN) - (code == END)
        if depth == 1:
            yield code, stream[at + 4 : at + 4 + length]
        if depth < 1:
            return
        at += 4 + length


def _book_stream(data: bytes) -> bytes:
    """The stream ``Workbook`` of the compound file that an .xls is."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    numbers = f"<{size // 4}I"

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size].ljust(size, b"\0")

    listed = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    for _ in range(len(data) // size):
        if more >= NO_SECTOR:
            break
        *block, more = struct.unpack(numbers, sector(more))
        listed += block
    nexts = [
        each
        for number in listed
        if number < NO_SECTOR
        for each in struct.unpack(numbers, sector(number))
    ]

    def chain(number: int) -> bytes:
        parts: list[bytes] = []
        while number < len(nexts) and len(parts) < len(nexts):
            parts.append(sector(number))
            number = nexts[number]
        return b"".join(parts)

    directory = chain(struct.unpack_from("<I", data, 48)[0])
    for at in range(0, len(directory), 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        if name in {"Workbook", "Book"}:
            return chain(struct.unpack_from("<I", directory, at + 116)[0])
    return b""


if __name__ == "__main__":
    main()
