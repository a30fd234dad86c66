"""Office files made on the spot: one table in every format that offices send."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import xlwt
from xlwt.Cell import error_code_map

Rows = Sequence[Sequence[Any]]


def xlsx(
    *sheets: Rows,
    merges: Sequence[str] = (),
    names: Sequence[str] = (),
    hidden: Sequence[int] = (),
) -> bytes:
    """A workbook as openpyxl writes it; merges and hidden rows are of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for index, rows in enumerate(sheets):
        sheet = book.create_sheet(names[index] if names else f"表{index + 1}")
        for row in rows:
            sheet.append(list(row))
        for cell in (cell for row in sheet for cell in row if cell.data_type == "f"):
            cell.data_type = "s"
    for merged in merges:
        book.worksheets[0].merge_cells(merged)
    for number in hidden:
        book.worksheets[0].row_dimensions[number].hidden = True
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xls(rows: Rows, merges: Sequence[tuple[int, int, int, int]] = ()) -> bytes:
    """The old binary format; merges are (top, bottom, left, right), 0-based."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("花名册")
    covered = {
        (row, column)
        for top, bottom, left, right in merges
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    }
    for top, bottom, left, right in merges:
        sheet.write_merge(top, bottom, left, right, rows[top][left])
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value in error_code_map:
                sheet.row(number).set_cell_error(column, value)
            elif value is not None and (number, column) not in covered:
                sheet.write(number, column, value)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def text(rows: Rows, encoding: str = "gb18030", delimiter: str = ",") -> bytes:
    """A .csv as Chinese Excel saves it."""
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows(
        ["" if value is None else value for value in row] for row in rows
    )
    return target.getvalue().encode(encoding)
