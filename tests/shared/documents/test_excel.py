import io
import time
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents.excel import Column, Sheet, digest, file_name, sheet_name, stamp, workbook

COLUMNS = (
    Column("村"),
    Column("姓名"),
    Column("手机号", "phone"),
    Column("积分", "points", total=True),
    Column("金额（元）", "yuan", total=True),
    Column("日期", "date"),
    Column("时间", "time"),
)
AT = datetime(2026, 10, 31, 17, 5, tzinfo=UTC)
ROWS = (
    ("甲村", "张三", "13812345678", 125, 1999, date(2026, 10, 31), AT),
    ("甲村", "李四", "13912345678", 20, 1, date(2026, 10, 31), AT),
    ("乙村", "王五", "123", 5, 0, date(2026, 10, 31), AT),
)


def sheet(rows: Any = ROWS, group: int | None = None) -> Sheet:
    return Sheet(
        name="兑换台账",
        title="某县积分兑换台账（2026年10月）",
        unit="某县委组织部",
        on=date(2026, 11, 1),
        columns=COLUMNS,
        rows=rows,
        group=group,
    )


def read(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content)).active


def test_layout_is_what_offices_expect() -> None:
    page = read(workbook(sheet()))
    assert page["A1"].value == "某县积分兑换台账（2026年10月）"
    assert "A1:H1" in [str(area) for area in page.merged_cells.ranges]
    assert page["A2"].value == "填报单位：某县委组织部"
    assert page["H2"].value == "填报日期：2026年11月1日"
    assert [cell.value for cell in page[3]][:3] == ["序号", "村", "姓名"]
    assert [page.cell(row, 1).value for row in (4, 5, 6, 7)] == [1, 2, 3, "合计"]
    assert page["E7"].value == 15
    assert page["F7"].value == 20
    assert page["E4"].value == 12.5
    assert page.freeze_panes == "A4"
    assert page.print_title_rows == "$1:$3"
    assert page.page_setup.orientation == "landscape"
    assert page.page_setup.paperSize == 9
    assert page.page_setup.fitToHeight == 0
    assert page.cell(9, 1).value.startswith("制表人：")
    assert "填报日期：2026年11月1日" in page.cell(9, 1).value


def test_a_file_that_is_taken_out_says_by_whom_and_when() -> None:
    """Below the table and on each printed page; without a taker nothing is added."""
    taken = stamp("张&三", AT)
    page = read(workbook(sheet(), taken=taken))
    assert page.cell(10, 1).value == "导出：张&三 2026-11-01 01:05"
    assert page.oddFooter.left.text == "导出：张&&三 2026-11-01 01:05"
    assert "第" in page.oddFooter.center.text
    bare = read(workbook(sheet()))
    assert (bare.max_row, bare.oddFooter.left.text) == (9, None)


def test_what_is_taken_out_shows_long_texts_whole() -> None:
    """Rows, header and notes as high as they need; a signed file has the same bytes for ever."""
    columns = (Column("说明（写清楚缘由）", width=10), Column("编号", width=20, hidden=True))
    long = msgspec.structs.replace(
        sheet([("一二三四五六七八九十", "x" * 99), ("短", "")]), columns=columns, notes=("注" * 20,)
    )
    page = read(workbook(long, taken="导出：张三"))
    heights = [page.row_dimensions[row].height for row in (3, 4, 5)]
    assert heights == [27, 27, None]
    assert "A6:C6" in [str(area) for area in page.merged_cells.ranges]
    assert page.row_dimensions[6].height == 40.5
    assert all(
        one.height is None for row, one in read(workbook(long)).row_dimensions.items() if row > 1
    )


def test_nothing_is_added_up_where_nothing_can_be() -> None:
    page = read(
        workbook(msgspec.structs.replace(sheet(), columns=COLUMNS[:2], rows=[("甲村", "张三")]))
    )
    assert [page.cell(row, 1).value for row in (4, 5)] == [1, None]


def test_phones_are_text_and_masked() -> None:
    page = read(workbook(sheet()))
    assert page["D4"].value == "138****5678"
    assert page["D6"].value == "****"


def test_instants_are_shown_in_china() -> None:
    page = read(workbook(sheet()))
    assert page["H4"].value == datetime(2026, 11, 1, 1, 5)  # noqa: DTZ001
    assert file_name("台账", "2026-10", AT) == "台账_2026-10_20261101-0105.xlsx"


def test_subtotals_close_each_group() -> None:
    page = read(workbook(sheet(group=0)))
    labels = [page.cell(row, 1).value for row in range(4, 10)]
    assert labels == [1, 2, "小计", 3, "小计", "合计"]
    assert [page.cell(row, 5).value for row in (6, 8, 9)] == [14.5, 0.5, 15]


def test_same_input_same_bytes() -> None:
    """The hash of a statement's file can be compared at any later time."""
    first = workbook(sheet())
    time.sleep(2.1)  # zip stamps have two seconds' resolution
    assert digest(workbook(sheet())) == digest(first)


def test_no_release_changes_a_file_whose_hash_is_signed() -> None:
    """Statements from before files were kept are made anew, and held against what was signed."""
    with zipfile.ZipFile(io.BytesIO(workbook(sheet()))) as book:
        parts = b"".join(book.read(name) for name in book.namelist())
    assert digest(parts).hex() == "e8a681abfde8876e72e14864b327fdd57c7565eafc6dc41c5ef302f14e6a1788"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")', "http://x", "1"],
)
def test_no_text_becomes_a_formula_a_link_or_a_number(text: str) -> None:
    rows = [(text, text, text, 1, 1, None, None)]
    content = workbook(
        Sheet(
            name=text,
            title=text,
            unit=text,
            on=date(2026, 11, 1),
            columns=COLUMNS,
            rows=rows,
            notes=(text,),
        )
    )
    cell = read(content)["B4"]
    assert cell.data_type == "s"
    assert cell.value is not None
    assert cell.value.replace("_x000D_", "\r") == text
    assert cell.quotePrefix is text.startswith(("=", "+", "-", "@", "\t", "\r"))
    parts = zipfile.ZipFile(io.BytesIO(content))
    xml = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<hyperlink" not in xml


@settings(max_examples=50)
@given(st.text(max_size=80))
def test_any_text_gives_a_readable_file_without_formulas(text: str) -> None:
    content = workbook(sheet([(text, text, text, 0, 0, None, None)]))
    assert (
        "<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    )
    assert read(content)["E4"].value == 0


def test_sheet_names_are_made_legal() -> None:
    assert sheet_name("甲/乙:丙*[丁]") == "甲_乙_丙__丁_"
    assert sheet_name("") == "表"
    assert len(sheet_name("长" * 60)) == 31
    assert sheet_name("长" * 30 + "'尾") == "长" * 30


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.documents import excel
    from shared.errors import Invalid

    monkeypatch.setattr(excel, "MAX_ROWS", 2)
    with pytest.raises(Invalid, match="最多导出 2 行"):
        workbook(sheet())
