"""Office workbooks with the usual faults."""

import io
import re
import struct
import zipfile
from datetime import date, datetime
from time import process_time
from typing import Any

import msoffcrypto.format.ooxml
import openpyxl
import pytest
import xlsxwriter
import xlwt

from shared.documents import files
from shared.documents.errors import BadFile
from shared.documents.faults import fault_report
from shared.documents.read import Column, Table, read_table
from tests.shared.documents import books

COLUMNS = (
    Column("乡镇"),
    Column("姓名", "name", required=True),
    Column("手机号", "phone", required=True, aliases=("联系电话", "手机号码")),
    Column("户数", "integer"),
    Column("到岗日期", "date"),
)
TITLE: list[Any] = ["通城县网格员花名册（2026年11月）"]
HEADER: list[Any] = ["序号", "乡镇", "姓名", "性别", "手机号", "户数", "到岗日期", "备注"]
FIRST: list[Any] = [1, "隽水镇", "张三", "男", "13812345678", 120, "2026/1/1", ""]
SECOND: list[Any] = [2, "隽水镇", "李　四", "女", 13912345678, "９８", "2026年2月3日", ""]
FOOTER: list[Any] = ["制表人：", None, "王五", None, "审核人："]
SHEET: list[list[Any]] = [TITLE, ["填报单位：组织部"], HEADER, FIRST, SECOND, [], FOOTER]


def read(data: bytes, name: str = "roster.xlsx") -> Table:
    return read_table(data, name, COLUMNS, dropped=("性别", "身份证号"))


def people(table: Table) -> list[tuple[str, str, int | None, date | None]]:
    return [(row["姓名"], row["手机号"], row["户数"], row["到岗日期"]) for row in table.rows]


EXPECTED = [
    ("张三", "13812345678", 120, date(2026, 1, 1)),
    ("李四", "13912345678", 98, date(2026, 2, 3)),
]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (books.xlsx(SHEET), "roster.xlsx"),
        (books.xls(SHEET), "roster.xls"),
        (books.text(SHEET), "roster.csv"),
        (books.text(SHEET, "utf-8-sig"), "roster.csv"),
        (books.text(SHEET, "utf-8"), "roster.CSV"),
        (books.text(SHEET, "utf-16", "\t"), "roster.txt"),
        (books.xlsx(SHEET), "roster.xls"),
    ],
)
def test_every_format_reads_the_same(data: bytes, name: str) -> None:
    """Title rows, signatures and blank rows are left out; the type is decided by content."""
    table = read(data, name)
    assert people(table) == EXPECTED
    assert table.faults == []
    assert [row.number for row in table.rows] == [4, 5]
    assert table.dropped == ["性别"]
    assert table.unknown == ["备注"]


@pytest.mark.parametrize("old", [False, True])
def test_merged_cells_are_filled_downwards(*, old: bool) -> None:
    """A township written once for its rows counts for all of them."""
    rows: list[list[Any]] = [HEADER, FIRST, [2, None, *SECOND[2:]]]
    data = books.xls(rows, [(1, 2, 1, 1)]) if old else books.xlsx(rows, merges=["B2:B3"])
    assert [row["乡镇"] for row in read(data).rows] == ["隽水镇", "隽水镇"]


def test_a_header_of_two_merged_rows_counts_from_its_last() -> None:
    """Data begins below the second row of a two-level header."""
    upper: list[Any] = ["序号", "乡镇", "人员", None, None, "户数", "到岗日期", "备注"]
    lower = ["", "", "姓名", "性别", "手机号", "", "", ""]
    data = books.xlsx(
        [TITLE, upper, lower, FIRST, SECOND], merges=["A2:A3", "B2:B3", "F2:F3", "G2:G3", "C2:E2"]
    )
    assert people(read(data)) == EXPECTED


def test_titles_are_recognised_with_notes_and_other_names() -> None:
    """姓 名, 联系电话 and 户数（必填） are the columns they mean."""
    header = ["序号", "乡 镇", "姓名*", "性别", "联系电话", "户数（必填）", "到岗\n日期", "备注"]
    assert people(read(books.xlsx([header, FIRST, SECOND]))) == EXPECTED


def test_every_sheet_with_the_header_is_read() -> None:
    """One sheet per township; an explanation sheet without the header is not data."""
    table = read(
        books.xlsx(
            [["填表说明"], ["请如实填写"]],
            [HEADER, FIRST],
            [TITLE, HEADER, [1, "麦市镇", "", "男", "1", "", "", ""]],
            names=["说明", "隽水镇", "麦市镇"],
        )
    )
    assert len(table.rows) == 2
    assert table.sentences() == [
        "“麦市镇”第 3 行“姓名”：不能空着，请填写。",
        "“麦市镇”第 3 行“手机号”：手机号应为 1 开头的 11 位数字，现在是“1”。",
    ]


def test_a_sheet_that_is_not_read_is_named() -> None:
    """An explanation, a continuation without header, a hidden one: the rest is read."""
    sheets = [[["填表说明"]], [HEADER, FIRST], [SECOND], [HEADER, SECOND], []]
    names = ["说明", "隽水镇", "续表", "去年", "空白"]
    made = openpyxl.load_workbook(io.BytesIO(books.xlsx(*sheets, names=names)))
    made["去年"].sheet_state = "hidden"
    target = io.BytesIO()
    made.save(target)
    table = read(target.getvalue())
    assert people(table) == EXPECTED[:1]
    assert table.unknown == ["工作表“说明”", "工作表“续表”", "隐藏的工作表“去年”", "备注"]
    old = xlwt.Workbook()
    for name, row, hidden in (("今年", FIRST, 0), ("去年", SECOND, 1)):
        sheet = old.add_sheet(name)
        sheet.visibility = hidden
        for column, title in enumerate(HEADER):
            sheet.write(0, column, title)
            sheet.write(1, column, row[column])
    target = io.BytesIO()
    old.save(target)
    table = read(target.getvalue(), "a.xls")
    assert people(table) == EXPECTED[:1]
    assert table.unknown == ["隐藏的工作表“去年”", "备注"]


def test_a_sheet_that_lacks_a_required_column_is_no_explanation() -> None:
    """Else everybody on it would be left out without a word; a sheet of sums may be."""
    with_name = [Column("乡镇", required=True), *COLUMNS[1:]]
    lacking = ["序号", "乡镇", "姓名", "电话号", "户数"]
    sums: list[list[Any]] = [["乡镇", "户数"], ["隽水镇", 120]]
    good = books.xlsx(sums, [HEADER, FIRST], names=["汇总", "隽水镇"])
    assert read_table(good, "a.xlsx", with_name).unknown == ["工作表“汇总”", "性别", "备注"]
    bad = books.xlsx([HEADER, FIRST], [TITLE, lacking, SECOND], names=["隽水镇", "麦市镇"])
    with pytest.raises(BadFile, match="工作表“麦市镇”第 2 行是表头，但缺少“手机号”这一列"):
        read_table(bad, "a.xlsx", with_name)


def test_two_tables_side_by_side_are_refused() -> None:
    """Of the second nothing was read; a telephone beside the 手机号 is another column."""
    both = [*HEADER[1:5], "", *HEADER[1:5]]
    with pytest.raises(BadFile, match="第 2 行的表头里有几列“乡镇”"):
        read(books.xlsx([TITLE, both, [*FIRST[1:5], "", *SECOND[1:5]]]))
    table = read(books.xlsx([["姓名", "联系电话", "手机号"], ["张三", "0715-123", FIRST[4]]]))
    assert (table.rows[0]["手机号"], table.unknown) == ("13812345678", ["联系电话"])


def test_rows_that_are_no_data() -> None:
    """Totals, repeated headers, numbered blanks and signatures are skipped, faulty rows kept."""
    rows: list[list[Any]] = [
        HEADER,
        FIRST,
        HEADER,
        ["小计", None, None, None, None, 120],
        [3, None, None],
        ["合　计", None, "1人", None, None, 120],
        ["", "隽水镇", "", "", "", 5, "", ""],
        ["填报日期：2026年11月20日"],
        ["审核人（签字）"],
        ["备注：1.本表一式两份"],
    ]
    table = read(books.xlsx(rows))
    assert [row.number for row in table.rows] == [2, 7]
    assert {fault.column for fault in table.faults} == {"姓名", "手机号"}


def test_a_row_that_only_looks_like_a_footer_is_data() -> None:
    """A text that begins with 合计 or 打印, or a remark like a footer's, hides nobody."""
    rows: list[list[Any]] = [
        ["乡镇", "姓名", "手机号", "备注"],
        ["合计入户 3 户", "张三", "13812345678", ""],
        ["打印通知：10 份", "李四", "13812345679", ""],
        ["", "王五", "", "说明：在外务工"],
        ["", "共计敏", "", ""],
        ["合计", "2人", "", ""],
        ["总计金额（元）：30", "", "", ""],
    ]
    table = read(books.xlsx(rows))
    assert [row.number for row in table.rows] == [2, 3, 4, 5]
    assert [(fault.row, fault.column) for fault in table.faults] == [(4, "手机号"), (5, "手机号")]


@pytest.mark.parametrize("same", ["同上", "同　上", "〃", "″", '"'])
def test_a_cell_that_points_to_the_one_above_is_a_fault(same: str) -> None:
    """It was kept as the township's name, a group, a party."""
    [fault] = read(books.xlsx([HEADER, FIRST, [2, same, *SECOND[2:]]])).faults
    assert (fault.row, fault.column, "不看上一行" in fault.sentence) == (3, "乡镇", True)


@pytest.mark.parametrize("nothing", ["－", "／", "–", "―", "暂无", "——"])
def test_a_stroke_says_nothing(nothing: str) -> None:
    """Whichever the keyboard gave."""
    table = read(books.xlsx([HEADER, [1, nothing, *FIRST[2:5], nothing, *FIRST[6:]]]))
    assert (table.rows[0]["乡镇"], table.rows[0]["户数"], table.faults) == (None, None, [])


@pytest.mark.parametrize("make", [books.xlsx, books.xls, books.text])
def test_a_formula_that_failed_is_a_fault(make: Any) -> None:
    """In any column that is read, with row and column: it is neither blank nor text."""
    rows: list[list[Any]] = [
        [*HEADER, "自填"],
        [*FIRST, "#REF!"],
        [2, "#N/A", "李四", "女", 13912345678, "#REF!", "#DIV/0!", ""],
        [3, "隽水镇", "#VALUE!", "女", 13912345679, 3, "", ""],
        ["", "", "", "", "", "", "", "#N/A", "#N/A"],
    ]
    table = read(make(rows), "roster.csv" if make is books.text else "roster.xlsx")
    assert [(fault.row, fault.column) for fault in table.faults] == [
        (3, "乡镇"),
        (3, "户数"),
        (3, "到岗日期"),
        (4, "姓名"),
    ]
    assert table.sentences()[1] == (
        "第 3 行“户数”：“#REF!”是公式出错的结果，请改成实际的内容；没有就清空这一格。"
    )
    assert [row.number for row in table.rows] == [2, 3, 4]
    sheet = openpyxl.load_workbook(io.BytesIO(fault_report(table))).worksheets[0]
    assert sheet["F3"].value == "#REF!"


def test_errors_are_found_in_sheets_of_any_writer() -> None:
    """Without addresses, with a prefix, a link from the root, and in a formula of an .xls."""
    made = books.xlsx([HEADER, [*FIRST[:5], "#REF!"]], [HEADER, SECOND])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "xl/worksheets/sheet1.xml":
                content = re.sub(rb' r="[A-Z]*\d+"', b"", content)
                content = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", content)
                content = content.replace(b"xmlns=", b"xmlns:x=")
            new.writestr(member, content)
    assert [fault.column for fault in read(target.getvalue()).faults] == ["户数"]

    old_book = books.xls([HEADER, [*FIRST[:5], xlwt.Formula("1/0"), "2026/1/1"]])
    unset, failed = (
        struct.pack("<Q", value) for value in (0xFFFF << 48 | 3, 0xFFFF << 48 | 0x170002)
    )
    assert unset in old_book
    [fault] = read(old_book.replace(unset, failed), "roster.xls").faults
    assert (fault.row, fault.column, "#REF!" in fault.sentence) == (2, "户数", True)


def test_real_dates_and_serials() -> None:
    """Cells formatted as dates and bare serial numbers."""
    first = [*FIRST[:6], datetime(2026, 1, 1), ""]  # noqa: DTZ001  what Excel stores
    second = [*SECOND[:6], 46056, ""]
    for data in (books.xlsx([HEADER, first, second]), books.xls([HEADER, FIRST, second])):
        assert [row["到岗日期"] for row in read(data).rows] == [
            date(2026, 1, 1),
            date(2026, 2, 3),
        ]


GOOD = books.xlsx(SHEET)
OLD = books.xls(SHEET)


def bomb() -> bytes:
    """A workbook whose sheet unpacks to 300 MB from 300 kB."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        with package.open("xl/worksheets/sheet1.xml", "w") as member:
            for _ in range(300):
                member.write(b" " * 1024 * 1024)
    return target.getvalue()


def liar() -> bytes:
    """The same bomb, whose directory claims it is small."""
    data = bytearray(bomb())
    size = (300 * 1024 * 1024).to_bytes(4, "little")
    at = data.rfind(size)
    data[at : at + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


def far_cell(cell: str) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        book.add_worksheet().write(cell, "x")
    return target.getvalue()


def locked() -> bytes:
    """Encrypted with a password, as Excel does."""
    plain, target = io.BytesIO(books.xlsx(SHEET)), io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("123456", target)
    return target.getvalue()


def endless() -> bytes:
    """An .xls whose directory chain bites its own tail: a naive reader allocates for ever."""
    data = bytearray(OLD)
    first_fat_sector = int.from_bytes(data[76:80], "little")
    directory = int.from_bytes(data[48:52], "little")
    at = 512 * (first_fat_sector + 1) + 4 * directory
    data[at : at + 4] = directory.to_bytes(4, "little")
    return bytes(data)


def locked_old() -> bytes:
    """An .xls with a password: the record after the first says that the rest is encrypted."""
    second = OLD.index(b"\x09\x08\x10\x00\x00\x06") + 20
    return OLD[:second] + b"\x2f\x00" + OLD[second + 2 :]


def other_package() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("word/document.xml", "<document/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "word"),
    [
        (b"", "a.xlsx", "空的"),
        (b"x" * (files.MAX_BYTES + 1), "a.csv", "20 MB"),
        (GOOD[: len(GOOD) // 2], "a.xlsx", "不完整或已损坏"),
        (GOOD[:-200], "a.xlsx", "不完整或已损坏"),
        (OLD[: len(OLD) // 2], "a.xls", "不完整或已损坏"),
        (endless(), "a.xls", "不完整或已损坏"),
        (locked(), "a.xlsx", "密码"),
        (locked_old(), "a.xls", "密码"),
        (bomb(), "a.xlsx", "太大"),
        (liar(), "a.xlsx", "太大|损坏"),
        (far_cell("A1000000"), "a.xlsx", "超出 10 万行"),
        (far_cell("XFD1"), "a.xlsx", "104 列"),
        (other_package(), "a.xlsx", "不是 Excel"),
        (b"%PDF-1.7 ...", "a.xlsx", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "a.xlsx", "图片"),
        (b"<html><table><tr><td>1</td></tr></table>", "a.xls", "网页"),
        (b"just text", "a.xlsx", "不是 Excel"),
        (b"\x00\x01\x02\x03\xff\xfe\x80\x81", "a.csv", "编码"),
        (books.text(SHEET)[:-3] + b"\xff\xff", "a.csv", "编码"),
        (books.xlsx([[]]), "a.xlsx", "空的"),
        (books.xlsx([HEADER]), "a.xlsx", "没有数据行"),
        (books.xlsx([["甲", "乙"], ["丙", "丁"]]), "a.xlsx", "没有找到表头"),
        (
            books.xlsx([TITLE, ["序号", "乡镇", "姓名"], [1, "隽水镇", "张三"]]),
            "a.xlsx",
            "缺少“手机号”",
        ),
        (b"\n".join([b"a,b"] * (files.MAX_ROWS + 1)), "a.csv", "100000 行"),
        (books.text(SHEET) + '3,"麦市镇,张三\r\n4,麦市镇,"李四\r\n'.encode("gbk"), "a.csv", "引号"),
        (books.text(SHEET) + b'3,"a\r\n' * 2, "a.csv", "引号"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_one_sentence(
    data: bytes, name: str, word: str
) -> None:
    """Empty, huge, truncated, locked, bombs, wrong type, no header."""
    with pytest.raises(BadFile, match=word):
        read(data, name)


@pytest.mark.parametrize("piece", [b"<c ", b'r="A999999" ', b"<c r='A1'  "])
def test_a_forged_sheet_does_not_hold_up_the_server(piece: bytes) -> None:
    """Unclosed cells: the search for far ones took minutes, and no request was served meanwhile."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/worksheets/sheet1.xml", b"<c " + piece * (120_000 // len(piece)))
    before = process_time()
    with pytest.raises(BadFile, match=r"损坏|没有"):
        read(target.getvalue(), "a.xlsx")
    assert process_time() - before < 2


def test_ranges_over_each_other_do_not_hold_up_the_server() -> None:
    """A million of them over a hundred thousand rows would be filled for days."""
    forged = io.BytesIO()
    book = books.xlsx([TITLE, HEADER, *[FIRST] * 18], merges=["B3:B20"])
    with zipfile.ZipFile(io.BytesIO(book)) as sound, zipfile.ZipFile(forged, "w") as package:
        for name in sound.namelist():
            one = b'<mergeCell ref="B3:B20"/>'
            package.writestr(name, sound.read(name).replace(one, one * 20))
    assert read(book).rows
    with pytest.raises(BadFile, match="损坏"):
        read(forged.getvalue())


def test_a_far_cell_without_a_style_is_seen_before_parsing() -> None:
    """The search asked for something between the place and the end of the tag."""
    assert files.FAR_CELL.search(b'<c r="A100000"><v>1</v></c>')
    assert not files.FAR_CELL.search(b'<c r="A99999"><v>1</v></c><c r="A100000"/><c r="A1"/>')


def test_empty_formatted_cells_far_away_do_no_harm() -> None:
    """Offices format whole columns: cells without a value are not counted."""
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    sheet = book.worksheets[0]
    sheet["ZZ100"].number_format = "@"
    sheet["A1048576"].number_format = "@"
    target = io.BytesIO()
    book.save(target)
    assert people(read(target.getvalue())) == EXPECTED
    wide = books.xls([*SHEET, [""] * 200])
    assert people(read(wide, "roster.xls")) == EXPECTED


def test_the_report_is_the_same_workbook_with_its_faults_marked() -> None:
    """Red cells, one explanation per row, and text that stays text."""
    bad = [2, "隽水镇", "=1+1", "女", "139", -5, "2026-02-30", ""]
    table = read(books.xlsx([TITLE, HEADER, FIRST, bad, FOOTER], merges=["A1:H1"]))
    table.fault(table.rows[1], "乡镇", "没有这个乡镇。")
    sheet = openpyxl.load_workbook(io.BytesIO(fault_report(table))).worksheets[0]
    assert sheet["A1"].value == TITLE[0]
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A1:H1"]
    assert sheet["I2"].value == "错误说明"
    assert sheet["I3"].value is None
    why = sheet["I4"].value
    assert all(f"{column}：" in why for column in ("乡镇", "手机号", "户数", "到岗日期"))
    red = {cell.coordinate for row in sheet for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"}
    assert red == {"B4", "E4", "F4", "G4"}
    assert (sheet["C4"].value, sheet["C4"].data_type) == ("=1+1", "s")
    assert sheet["E3"].value == "13812345678"


def test_a_corrected_report_is_read_like_the_original() -> None:
    """The added column is neither unknown nor data."""
    table = read(books.xlsx([HEADER, FIRST, [2, "隽水镇", "李四", "女", "139", 98, "", ""]]))
    book = openpyxl.load_workbook(io.BytesIO(fault_report(table)))
    book.worksheets[0]["E3"] = "13912345678"
    target = io.BytesIO()
    book.save(target)
    again = read(target.getvalue())
    assert again.faults == []
    assert again.unknown == ["备注"]
    assert len(again.rows) == 2


def test_sheets_whose_names_fall_together_are_reported_apart() -> None:
    """Names that only another program allows: the report has a sheet for each."""
    table = read(books.xlsx([HEADER, FIRST], [HEADER, FIRST], names=("甲", "乙")))
    for grid, name in zip(table.grids, ("甲:乙'", "甲/乙"), strict=True):
        grid.name = name
    book = openpyxl.load_workbook(io.BytesIO(fault_report(table)))
    assert book.sheetnames == ["甲_乙", "2_甲_乙"]


@pytest.mark.parametrize("old", [False, True])
def test_hidden_rows_are_read_and_named(*, old: bool) -> None:
    """A filter hides rows from the office, not from the file: both are said."""
    rows = [TITLE, HEADER, FIRST, SECOND, FIRST, [], SECOND, FOOTER]
    data = books.xlsx(rows, hidden=(4, 5, 7, 8))
    if old:
        book = xlwt.Workbook()
        sheet = book.add_sheet("一")
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write(number, column, value)
            sheet.row(number).hidden = number in {3, 4, 6, 7}
        target = io.BytesIO()
        book.save(target)
        data = target.getvalue()
    table = read(data)
    assert len(table.rows) == 4
    assert table.hidden_note() == (
        "表里有 3 行被筛选或隐藏（第 4 至 5 行、第 7 行），也在导入之列。"
        "不该导入的，请从表里删掉再传。"
    )
    assert read(books.xlsx(rows)).hidden_note() == ""


def test_hidden_rows_of_several_sheets_are_named_with_them() -> None:
    """And many of them are not listed to the end."""
    sheets, names = ([HEADER, *[FIRST] * 40], [HEADER, SECOND]), ["甲镇", "乙镇"]
    note = read(books.xlsx(*sheets, names=names, hidden=range(2, 42, 2))).hidden_note()
    assert note.startswith("表里有 20 行被筛选或隐藏（“甲镇”第 2 行、“甲镇”第 4 行、")
    assert "、“甲镇”第 20 行等），" in note


def test_a_formula_without_its_result_is_a_fault_of_its_cell() -> None:
    """Written by a program that works nothing out, it would be read as blank."""
    book = openpyxl.load_workbook(io.BytesIO(books.xlsx([HEADER, FIRST, SECOND, [3], ["合计"]])))
    sheet = book.worksheets[0]
    sheet["F2"], sheet["C3"], sheet["H3"] = "=100+20", '="李"&"四"', "=F3"
    sheet["A4"], sheet["F5"] = "=ROW()-1", "=SUM(F2:F3)"
    target = io.BytesIO()
    book.save(target)
    table = read(target.getvalue())
    assert [(fault.row, fault.column) for fault in table.faults] == [(2, "户数"), (3, "姓名")]
    assert "这一格是公式，文件里没有它的结果" in table.sentences()[0]
    assert len(table.rows) == 2
    marked = openpyxl.load_workbook(io.BytesIO(fault_report(table))).worksheets[0]
    assert marked["F2"].value == "公式没有结果"


def test_a_formula_with_its_result_is_its_result() -> None:
    """Also one whose result is the empty text, and a table that is nothing but formulas."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, FIRST)
        sheet.write_formula("F2", "=100+20", None, 120)
        sheet.write_formula("B2", '=""', None, "")
        sheet.write_formula("C2", '="张"&"三"', None, "张三")
    made = target.getvalue()
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():  # as Excel writes it
            content = old.read(member).replace(b'<c r="B2"', b'<c r="B2" t="str"')
            new.writestr(member, content)
    table = read(target.getvalue())
    assert (people(table), table.rows[0]["乡镇"], table.faults) == (EXPECTED[:1], None, [])
    alone = openpyxl.load_workbook(io.BytesIO(books.xlsx([HEADER])))
    for column, cell in zip("BCE", ("乡镇", "姓名", "手机号"), strict=True):
        alone.worksheets[0][f"{column}2"] = f"=名册!{cell}"
    target = io.BytesIO()
    alone.save(target)
    table = read(target.getvalue())
    assert [fault.column for fault in table.faults] == ["乡镇", "姓名", "手机号"]
