"""Every fault of a roster file has its sentence, its row and its column."""

from datetime import date
from typing import Any

import pytest

from shared.documents.errors import BadFile
from shared.documents.read import Table
from shared.ids import new_id
from shared.roster.intake.columns import read_divisions, read_entries, read_roster
from shared.roster.intake.plan import Options, make_plan
from shared.roster.intake.schemas import Known, Plan
from shared.roster.service import county_unit
from tests.factories import COUNTY
from tests.shared.documents import books
from tests.shared.roster.intake import sheets

TODAY = date(2026, 11, 24)


def empty() -> Known:
    root = county_unit(COUNTY, "通城县")
    return Known(units={root.code: root}, people={}, posts={}, tenures={})


def plan(
    people: list[sheets.Cells], *, with_divisions: bool = True, within: tuple[str, ...] = ()
) -> tuple[Table, Plan]:
    """Compare a file with an empty county."""
    table = read_roster(sheets.workbook(people), "花名册.xlsx")
    entries = read_entries(table, COUNTY, TODAY)
    divisions = read_divisions(sheets.divisions(), "区划.csv", COUNTY) if with_divisions else None
    options = Options(county_id=COUNTY, today=TODAY, within=within)
    return table, make_plan(table, entries, empty(), divisions, options, new_id)


def faults(people: list[sheets.Cells], **options: Any) -> list[tuple[int, str, str]]:
    table, _ = plan(people, **options)
    return [(fault.row, fault.column, fault.sentence) for fault in table.faults]


@pytest.mark.parametrize("with_divisions", [True, False])
def test_a_good_file_has_no_faults(*, with_divisions: bool) -> None:
    """Instructors find their township by name; units come before their children."""
    table, made = plan(sheets.staff(), with_divisions=with_divisions)
    assert table.sentences() == []
    assert [unit.code for unit in made.new_units] == [
        "421222100",
        "421222100001",
        "421222100200",
        "421222100001001",
        "421222100001002",
        "421222100200001",
        "421222100200002",
    ]
    types = {unit.code: (unit.grid_type, unit.households) for unit in made.new_units}
    assert types["421222100"] == (None, None)
    assert types["421222100001002"] == ("community", 102)
    assert types["421222100200001"] == ("rural", 101)
    assert len(made.starts) == 8
    assert made.missing == []


def test_a_code_that_was_dragged_on_is_a_fault() -> None:
    """Excel counts up what is pulled down: the same grid's name beside a code that is not its."""
    people = sheets.staff()
    people[5] |= {"网格名称": people[4]["网格名称"]}
    people[3] |= {"网格名称": people[2]["网格名称"]}
    found = faults(people)
    assert {(row, column) for row, column, _ in found} == {
        (row, "网格名称") for row in (6, 7, 8, 9)
    }
    assert "代码 421222100001001 也叫“雁塔社区第1网格”" in found[1][2]
    people = sheets.staff()
    people[6] |= {"村社区": "石北村委会", "村代码": "421222100201", "网格编码": "421222100201001"}
    people[7] |= {"村社区": "石北村委会"}
    rows = faults(people, with_divisions=False)
    assert [(row, column) for row, column, _ in rows] == [(10, "村社区"), (11, "村社区")]


@pytest.mark.parametrize(
    ("cells", "column", "word"),
    [
        ({"姓名": ""}, "姓名", "不能空着"),
        ({"姓名": "张三2号"}, "姓名", "不像姓名"),
        ({"手机号": ""}, "手机号", "不能空着"),
        ({"手机号": "1801234567"}, "手机号", "11 位数字"),
        ({"手机号": "1.80E+10"}, "手机号", "科学计数法"),
        ({"手机号": "180****4206"}, "手机号", "不完整"),
        ({"岗位": ""}, "岗位", "不能空着"),
        ({"岗位": "网管"}, "岗位", "没有“网管”这种岗位"),
        ({"岗位": "店主"}, "岗位", "积分超市名录"),
        ({"岗位": "系统管理员"}, "岗位", "不能从花名册导入"),
        ({"岗位": "组织部"}, "岗位", "不能从花名册导入"),
        ({"用工形式": ""}, "用工形式", "不能空着"),
        ({"用工形式": "临时"}, "用工形式", "没有“临时”这种用工形式"),
        ({"村代码": "42122210001"}, "村代码", "12 位数字"),
        ({"村代码": "422222100001"}, "村代码", "不属于本县"),
        ({"村代码": "4.21E+11"}, "村代码", "科学计数法"),
        ({"网格编码": ""}, "网格编码", "须填写网格编码"),
        ({"网格编码": "42122210000101"}, "网格编码", "15 位数字"),
        ({"网格编码": "421222100001001、421222100001003"}, "网格编码", "一行只写一个"),
        ({"村社区": "石南村委会"}, "村社区", "“石南村委会”的代码是 421222100200"),
        ({"村代码": "421222100999", "网格编码": "421222100999001"}, "村代码", "不在区划表里"),
        ({"户数": "-3"}, "户数", "不小于 0"),
        ({"户数": "2.5"}, "户数", "整数"),
        ({"户数": 999}, "户数", "前面的行写的是 101 户"),
        ({"户数": 9_999_999}, "户数", "太大了"),
        ({"到岗日期": "2026-02-30"}, "到岗日期", "没有“2026-02-30”这一天"),
        ({"到岗日期": "2062-01-01"}, "到岗日期", "不合常理"),
        ({"到岗日期": "很久以前"}, "到岗日期", "看不懂日期"),
        ({"政治面貌": "群" * 61}, "政治面貌", "太长了"),
        ({"手机号": "15007955994"}, "手机号", "与第 6 行的手机号相同"),
    ],
)
def test_one_fault_in_one_cell(cells: sheets.Cells, column: str, word: str) -> None:
    """The row of 欧阳金山 is row 8 of the sheet; the fault names row, column and what is wrong."""
    people = sheets.staff()
    people[4] |= cells
    found = [fault for fault in faults(people) if fault[0] == 8]
    assert [(row, name) for row, name, _ in found] == [(8, column)]
    assert word in found[0][2]


def test_a_code_that_contradicts_another_is_a_fault_of_both() -> None:
    """Nobody can know which of the two is wrong."""
    people = sheets.staff()
    people[4] |= {"网格编码": "421222100200001"}
    assert [(row, name) for row, name, _ in faults(people)] == [(8, "网格编码"), (8, "村代码")]


def test_every_fault_of_a_row_is_named_at_once() -> None:
    """The office corrects a row once, not five times."""
    people = sheets.staff()
    people[4] |= {"姓名": "", "手机号": "1", "岗位": "网管", "用工形式": "?", "到岗日期": "x"}
    assert {name for _, name, _ in faults(people)} == {
        "姓名",
        "手机号",
        "岗位",
        "用工形式",
        "到岗日期",
    }


def test_a_repeated_phone_is_a_fault_of_both_rows() -> None:
    """Nobody can know which of the two is wrong."""
    people = sheets.staff()
    people[5]["手机号"] = people[4]["手机号"]
    found = faults(people)
    assert [(row, name) for row, name, _ in found] == [(8, "手机号"), (9, "手机号")]
    assert "第 9 行" in found[0][2]
    assert "第 8 行" in found[1][2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("网格员", 1), ("网格员", 1)),
        (("总网格长", None), ("总网格长", None)),
        (("网格长", 1), ("网格长", 1)),
    ],
)
def test_one_person_per_post(first: tuple[str, int | None], second: tuple[str, int | None]) -> None:
    """Two rows for one post: both are named, with the other's row."""
    people = [
        sheets.person("张三", "13800000001", *first),
        sheets.person("李四", "13800000002", *second),
    ]
    found = faults(people)
    assert [(row, name) for row, name, _ in found] == [(4, "岗位"), (5, "岗位")]
    assert "第 5 行的李四" in found[0][2]
    assert "一个岗位同一时间只能有一个人" in found[1][2]


def test_several_instructors_and_leads_without_grid_share_a_unit() -> None:
    """Their posts are different seats."""
    people = [
        sheets.instructor("尹玉梅", "13800000001"),
        sheets.instructor("薛卫东", "13800000002"),
        sheets.person("张三", "13800000003", "网格长", None),
        sheets.person("李四", "13800000004", "网格长", None),
    ]
    table, made = plan(people)
    assert table.sentences() == []
    assert [post.seat for post in made.new_posts] == [1, 2, 1, 2]


def test_a_lead_may_name_several_grids() -> None:
    """One post that names both; another lead of one of them is a fault."""
    both = "421222100001001、421222100001002"
    people = [
        sheets.person("张三", "13800000001", "网格长", 1, 网格编码=both, 网格名称="", 户数="")
    ]
    table, made = plan(people)
    assert table.sentences() == []
    assert made.new_posts[0].grids == ("421222100001001", "421222100001002")
    people.append(sheets.person("李四", "13800000002", "网格长", 2))
    assert {column for _, column, _ in faults(people)} == {"岗位"}


def test_an_unknown_township_name() -> None:
    """Only the name stands there and nobody knows its code."""
    found = faults([sheets.instructor("尹玉梅", "13800000001", 乡镇="无名镇")])
    assert found[0][1] == "乡镇"
    assert "不知道“无名镇”的代码" in found[0][2]
    found = faults([sheets.instructor("尹玉梅", "13800000001", 乡镇="")])
    assert "请填写乡镇名称" in found[0][2]


def test_without_divisions_a_new_village_needs_a_name() -> None:
    """And two rows must not give it two names."""
    people = [sheets.person("张三", "13800000001", 村社区="", 乡镇="")]
    assert {column for _, column, _ in faults(people, with_divisions=False)} == {"乡镇", "村社区"}
    people = [
        sheets.person("张三", "13800000001", grid=1),
        sheets.person("李四", "13800000002", grid=2),
        sheets.person("王五", "13800000003", grid=3, 村社区="雁塔村"),
    ]
    found = faults(people, with_divisions=False)
    assert [(row, name) for row, name, _ in found] == [(6, "村社区")]


def test_an_importer_of_one_township_touches_no_other() -> None:
    """Rows outside the own units are faults."""
    assert faults(sheets.staff(), within=("421222100",)) == []
    found = faults(sheets.staff(), within=("421222100001",))
    assert {row for row, _, _ in found} == {4, 10, 11}
    assert "不在您管理的范围内" in found[0][2]


def test_files_that_are_no_roster() -> None:
    """Neither code column; no divisions of this county; a wrong tree."""
    header = [title for title in sheets.HEADER if title not in {"村代码", "网格编码"}]
    with pytest.raises(BadFile, match="单位代码"):
        read_roster(sheets.workbook(sheets.staff(), header), "a.xlsx")
    with pytest.raises(BadFile, match="没有代码为 421223 的县"):
        read_divisions(sheets.divisions(), "a.csv", 421223)
    bad = sheets.divisions().replace(b"421222100,", b"421222101,")
    with pytest.raises(BadFile, match="不成上下级"):
        read_divisions(bad, "a.csv", COUNTY)


@pytest.mark.parametrize(
    "data",
    [
        books.xls(sheets.rows(sheets.staff())),
        books.text(sheets.rows(sheets.staff())),
        books.text(sheets.rows(sheets.staff()), "utf-8-sig"),
    ],
)
def test_the_other_formats_give_the_same_entries(data: bytes) -> None:
    """.xls and .csv in both encodings."""
    wanted = read_entries(read_roster(sheets.workbook(sheets.staff()), "a.xlsx"), COUNTY, TODAY)
    assert read_entries(read_roster(data, "a.csv"), COUNTY, TODAY) == wanted


def test_what_is_not_kept_is_said() -> None:
    """Sex and identity number are dropped on purpose, others are unknown."""
    table = read_roster(sheets.workbook(sheets.staff()), "a.xlsx")
    assert table.dropped == ["性别", "身份证号"]
    assert table.unknown == ["备注"]
