"""The same workbook again, with every faulty cell red and its row explained in 错误说明.

Cells are written as they were read (text stays text, so phones and codes keep their digits, and
nothing can become a formula); the office corrects the red cells and hands the file in again.
"""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from shared.documents.excel import sheet_name
from shared.documents.files import Grid
from shared.documents.read import ERROR_TITLE, Fault, Place, Table

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

RED = "#FFC7CE"
DARK_RED = "#9C0006"
WIDTH = 60
MAX_TEXT = 32_767
NO_SHEET_NAME = "Sheet1"


def fault_report(table: Table) -> bytes:
    """An .xlsx of the sheets that were read, marked."""
    import xlsxwriter  # noqa: PLC0415  with the first faulty file

    target = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    by_sheet: dict[int, list[Fault]] = defaultdict(list)
    for fault in table.faults:
        by_sheet[fault.sheet].append(fault)
    with xlsxwriter.Workbook(target, options) as book:
        formats = {
            "plain": book.add_format({"num_format": "@"}),
            "number": book.add_format({}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "red": book.add_format({"num_format": "@", "bg_color": RED, "font_color": DARK_RED}),
            "red_date": book.add_format(
                {"num_format": "yyyy-mm-dd", "bg_color": RED, "font_color": DARK_RED}
            ),
            "why": book.add_format({"font_color": DARK_RED, "text_wrap": True, "num_format": "@"}),
            "title": book.add_format({"align": "center", "bold": True, "num_format": "@"}),
            "head": book.add_format({"bold": True, "num_format": "@", "border": 1}),
        }
        taken: set[str] = set()
        for place in table.places:
            grid = table.grids[place.sheet]
            name = sheet_name(grid.name or NO_SHEET_NAME)
            if name.casefold() in taken:  # legal names of two sheets may be the same
                name = sheet_name(f"{place.sheet + 1}_{name}")
            taken.add(name.casefold())
            sheet = book.add_worksheet(name)
            _write(sheet, grid, place, by_sheet[place.sheet], formats)
    return target.getvalue()


def _write(
    sheet: Worksheet, grid: Grid, place: Place, faults: list[Fault], formats: dict[str, Any]
) -> None:
    reasons: dict[int, list[str]] = defaultdict(list)
    red: set[tuple[int, int]] = set()
    for fault in faults:
        index = fault.row - 1
        reasons[index].append(f"{fault.column}：{fault.sentence}")
        red.add((index, place.columns.get(fault.column, -1)))
    header = [str(cell) for cell in grid.rows[place.header]]
    why = header.index(ERROR_TITLE) if ERROR_TITLE in header else _width(grid)
    sheet.freeze_panes(place.header + 1, 0)
    sheet.set_column(0, max(why - 1, 0), 13)
    sheet.set_column(why, why, WIDTH)
    titles = {(top, left): right for top, left, bottom, right in grid.merges if top == bottom}
    for index, row in enumerate(grid.rows):
        for position, cell in enumerate(row):
            if (index, position) in titles and index < place.header:
                last = titles[index, position]
                sheet.merge_range(index, position, index, last, str(cell), formats["title"])
            elif position != why and (cell != "" or (index, position) in red):
                _cell(sheet, (index, position), cell, formats, is_red=(index, position) in red)
        if index == place.header:
            sheet.write_string(index, why, ERROR_TITLE, formats["head"])
        elif index in reasons:
            sheet.write_string(index, why, "；".join(reasons[index])[:MAX_TEXT], formats["why"])


def _cell(
    sheet: Worksheet, at: tuple[int, int], value: Any, formats: dict[str, Any], *, is_red: bool
) -> None:
    plain = formats["red" if is_red else "plain"]
    if value == "" or value is None:
        if is_red:
            sheet.write_blank(*at, None, plain)
    elif isinstance(value, bool):
        sheet.write_boolean(*at, value, plain)
    elif isinstance(value, int | float):
        sheet.write_number(*at, value, plain if is_red else formats["number"])
    elif isinstance(value, datetime | date):
        sheet.write_datetime(*at, value, formats["red_date" if is_red else "date"])
    else:
        sheet.write_string(*at, str(value)[:MAX_TEXT], plain)


def _width(grid: Grid) -> int:
    return max(len(row) for row in grid.rows)
