"""Parses a workbook in a process of its own: bytes on stdin, sheets as msgpack on stdout.

A damaged .xls can make the parser allocate without end or abort, and that must cost one upload,
not the server. Run as a script with an empty environment; it imports nothing of ours.
"""

import io
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
import python_calamine as calamine

MEMORY = 1024 * 1024 * 1024
SECONDS = 60
PLAIN = (str, float, int, bool)
DATE, MOMENT = 1, 2
"""msgpack extension codes; parsed back by shared.documents.files."""


def main() -> None:
    """Answer ``{"error": …}`` or ``{"sheets": [{"name", "rows", "merges"}, …]}``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible
            and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        return [_sheet(book.get_sheet_by_name(name), max_rows, max_columns) for name in visible]


def _sheet(sheet: calamine.CalamineSheet, max_rows: int, max_columns: int) -> dict[str, Any]:
    if sheet.end is not None and (sheet.end[0] >= max_rows or sheet.end[1] >= max_columns):
        raise OverflowError
    rows = [
        [cell if type(cell) in PLAIN else _portable(cell) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
    return {"name": sheet.name, "rows": rows, "merges": merges}


def _portable(cell: object) -> object:
    if isinstance(cell, datetime):
        return msgspec.msgpack.Ext(MOMENT, cell.isoformat().encode())
    if isinstance(cell, date):
        return msgspec.msgpack.Ext(DATE, cell.isoformat().encode())
    return str(cell) if isinstance(cell, time | timedelta) else ""


if __name__ == "__main__":
    main()
