"""Workbooks: tried first, written as shown, red where wrong, nothing new the second time."""

import asyncio
import io
from contextlib import suppress
from contextvars import copy_context
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from appraisal.cycle.rules import Stage
from appraisal.duty import drawing, entries, entry_sheets, personal, service, sheets
from appraisal.duty.rules import EntryKind
from appraisal.intake import service as intake
from appraisal.intake.kinds import KINDS
from appraisal.intake.rules import Outcome
from appraisal.intake.service import Faulty, File
from shared.database import DB
from shared.documents import excel
from shared.documents.read import read_table
from shared.errors import Conflict, NotFound
from shared.identity.actor import Actor
from shared.uploads import service as uploads
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.test_drawing import form, posted
from tests.appraisal.duty.world import DAY, NOW, book, fact, line
from tests.factories import COUNTY, SmallCounty, acting, also_in, small_county
from tests.shared.documents import books

HEAD = ["月份", "网格编码", "姓名", "应出勤天数", "出勤天数", "请假天数", "备注"]


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def imported(actor: Actor, name: str, file: File) -> Outcome:
    """Tried, then accepted."""
    run_id, _ = await intake.preview(actor, KINDS[name], file, NOW)
    return await intake.accept(actor, KINDS[name], run_id, NOW)


async def tried(actor: Actor, name: str, file: File) -> Outcome:
    return (await intake.preview(actor, KINDS[name], file, NOW))[1]


def cells(content: bytes) -> list[list[Any]]:
    """A workbook's rows."""
    book_ = openpyxl.load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in book_.active.iter_rows()]


async def test_a_sheet_is_shown_then_written_and_again_changes_nothing(town: SmallCounty) -> None:
    """Months in any spelling; the dry run leaves nothing; a changed figure is a correction."""
    actor = await acting(town.instructor)
    file = book(
        HEAD,
        ["2026年10月", town.worker.unit_code, town.worker.name, 18, 17, 1, "公假"],
        ["2026-09", town.second_worker.unit_code, town.second_worker.name, 22, 21.5, 0.5, ""],
        ["合计", "", "", 40, 38.5, 1.5, ""],
    )
    run_id, shown = await intake.preview(actor, KINDS["attendance"], file, NOW)
    assert (shown.rows, shown.created, shown.fault_count) == (2, 2, 0)
    assert await service.own(await acting(town.worker)) == []
    done = await intake.accept(actor, KINDS["attendance"], run_id, NOW)
    assert (done.created, done.same) == (2, 0)
    [kept] = await service.own(await acting(town.second_worker))
    assert (kept.month, kept.on_duty, kept.source) == (202609, Decimal("21.5"), "import")
    with pytest.raises(Conflict, match="已经导入过"):
        await intake.accept(actor, KINDS["attendance"], run_id, NOW)
    again = await imported(actor, "attendance", file)
    assert (again.created, again.corrected, again.same) == (0, 0, 2)
    changed = book(HEAD, [202610, town.worker.unit_code, town.worker.name, 18, 16, 2, "公假"])
    assert (await imported(actor, "attendance", changed)).corrected == 1
    found = await personal.records(actor, town.worker.person_id, date.min, date.max, NOW)
    assert [row.reason for row in found.versions if row.current] == ["导入文件 表.xlsx"]


async def test_hidden_rows_are_said_before_they_are_taken(town: SmallCounty) -> None:
    """A filter left on hides half the sheet from whoever looks at it."""
    row = [202610, town.worker.unit_code, town.worker.name, 18, 17, 1, ""]
    file = File("表.xlsx", books.xlsx([HEAD, row], hidden=(2,)))
    shown = await tried(await acting(town.instructor), "attendance", file)
    assert (shown.created, shown.notes) == (
        1,
        [
            "表里有 1 行被筛选或隐藏（第 2 行），也在导入之列。不该导入的，请从表里删掉再传。",
        ],
    )


async def test_an_accepted_sheet_keeps_figures_and_no_names(town: SmallCounty) -> None:
    """A day later the run still says how many, and no longer who and what."""
    actor = await acting(town.instructor)
    file = book(HEAD, [202610, town.worker.unit_code, town.worker.name, 18, 17, 1, ""])
    await imported(actor, "attendance", file)
    changed = book(HEAD, [202610, town.worker.unit_code, town.worker.name, 18, 16, 2, ""])
    run_id, _ = await intake.preview(actor, KINDS["attendance"], changed, NOW)
    await intake.accept(actor, KINDS["attendance"], run_id, NOW)
    await uploads.forget_old(COUNTY, NOW + timedelta(hours=23))
    _, shown = await intake.previewed(actor, KINDS["attendance"], run_id)
    assert [line.name for line in shown.lines] == [town.worker.name]
    await uploads.forget_old(COUNTY, NOW + timedelta(hours=25))
    run, shown = await intake.previewed(actor, KINDS["attendance"], run_id)
    assert (shown.rows, shown.corrected, shown.lines) == (1, 1, [])
    assert town.worker.name not in run.summary
    with pytest.raises(Conflict, match="已经导入过"):
        await intake.accept(actor, KINDS["attendance"], run_id, NOW)


async def test_every_wrong_cell_is_red_and_nothing_is_written(town: SmallCounty) -> None:
    """What, where and what to do, in the same workbook; the good row waits with the others."""
    actor = await acting(town.instructor)
    good = town.worker
    file = book(
        HEAD,
        [202610, good.unit_code, good.name, 18, 17, 1, ""],
        ["十月", good.unit_code, good.name, 18, 17, 1, ""],
        [202610, good.unit_code, "王二小", 18, 17, 1, ""],
        [202610, "421222100001009", good.name, 18, 17, 1, ""],
        [202610, town.cousin_worker.unit_code, town.cousin_worker.name, 18, 17, 1, ""],
        [202610, good.unit_code, good.name, 18, 18, 1, ""],
        [202610, good.unit_code, good.name, "", 18, 0, ""],
        [202612, good.unit_code, good.name, 20, 18, 0, ""],
    )
    run_id, shown = await intake.preview(actor, KINDS["attendance"], file, NOW)
    assert [sentence.split("：")[0] for sentence in shown.faults] == [
        "第 4 行“月份”",
        "第 5 行“姓名”",
        "第 6 行“网格编码”",
        "第 7 行“网格编码”",
        "第 8 行“出勤天数”",
        "第 9 行“应出勤天数”",
        "第 10 行“月份”",
    ]
    assert "不在您管辖的范围" in shown.faults[3]
    with pytest.raises(Faulty):
        await intake.accept(actor, KINDS["attendance"], run_id, NOW)
    name, content = await intake.report(actor, KINDS["attendance"], run_id, NOW)
    assert name == "错误说明_表.xlsx"
    rows = cells(content)
    assert rows[1][-1] == "错误说明"
    assert "没有叫“王二小”的网格员" in rows[4][-1]
    assert await service.own(await acting(good)) == []


async def test_the_template_comes_back_as_an_import(town: SmallCounty) -> None:
    """Everybody in post last month stands in it; filled in, it is read without a fault."""
    actor = await acting(town.instructor)
    _, content = await intake.template(actor, KINDS["attendance"], NOW)
    rows = cells(content)
    names = [row[5] for row in rows[3:5]]
    assert names == [town.worker.name, town.second_worker.name]
    filled = [list(row) for row in rows]
    for row in filled[3:5]:
        assert row[6] == 18
        row[7] = 18
    done = await imported(actor, "attendance", book(*filled))
    assert (done.created, done.fault_count) == (2, 0)
    lines = await service.sheet(actor, "421222100", 202610)
    sheet = await sheets.attendance_sheet(actor, 202610, lines, date(2026, 11, 26))
    assert [row[6] for row in sheet.rows] == [Decimal(18), Decimal(18)]


async def test_a_frozen_month_is_a_fault_of_its_rows(town: SmallCounty) -> None:
    """The sentence names the cycle and its stage."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW)
    await bring_to(department, cycle_id, Stage.SCORE, NOW)
    who = town.worker
    shown = await tried(
        department, "attendance", book(HEAD, [202606, who.unit_code, who.name, 20, 20, 0, ""])
    )
    assert shown.fault_count == 1
    assert "2026年上半年网格员评比" in shown.faults[0]


async def test_what_changed_between_look_and_accept_is_shown_again(town: SmallCounty) -> None:
    """Somebody corrected the line meanwhile: nothing is written over their head."""
    actor = await acting(town.instructor)
    who = town.worker
    file = book(HEAD, [202610, who.unit_code, who.name, 20, 18, 1, ""])
    run_id, _ = await intake.preview(actor, KINDS["attendance"], file, NOW)
    await service.save(actor, [line(who, "12")], NOW)
    with pytest.raises(Conflict, match="刚刚有了变化"):
        await intake.accept(actor, KINDS["attendance"], run_id, NOW)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "check",
            [
                ["日期", "网格编码", "姓名", "结果", "抽查地点", "抽查人", "情况", "凭据"],
                ["2026-10-20", 0, 0, "不合格", "村委会", "综治办", "脱岗", ""],
                ["2026-10-21", 0, 0, "合格", "村委会", "综治办", "", ""],
            ],
        ),
        (
            "commend",
            [
                ["日期", "网格编码", "姓名", "级别", "表扬单位", "表扬文件", "事由"],
                ["2026-10-20", 0, 0, "县级", "县委", "通报第3期", "救人"],
                ["2026-10-21", 0, 0, "乡镇级", "镇党委", "通报", ""],
            ],
        ),
        (
            "complaint",
            [
                ["日期", "网格编码", "姓名", "级别", "核查结果", "受理单位", "投诉事由"],
                ["2026-10-20", 0, 0, "县级", "属实", "信访局", "推诿"],
                ["2026-10-21", 0, 0, "乡镇级", "核查中", "镇政府", "态度差"],
            ],
        ),
    ],
)
async def test_entries_come_by_workbook(
    town: SmallCounty, name: str, rows: list[list[Any]]
) -> None:
    """Two rows, two entries; the same file again adds none; a wrong word is red."""
    actor = await acting(town.instructor)
    for row in rows[1:]:
        row[1:3] = [town.worker.unit_code, town.worker.name]
    assert (await imported(actor, name, book(*rows))).created == 2
    again = await imported(actor, name, book(*rows))
    assert (again.created, again.same) == (0, 2)
    assert len(await entries.own(await acting(town.worker))) == 2
    rows[1][3] = "甚好"
    assert (await tried(actor, name, book(*rows))).fault_count == 1
    _, content = await intake.template(actor, KINDS[name], NOW)
    assert set(rows[0]) <= set(cells(content)[2])


async def test_a_row_s_grid_says_in_which_village_it_was(town: SmallCounty) -> None:
    """Of somebody with grids in two; another file finds it there, and so does a paper check."""
    actor = await acting(town.department, desk=True)
    grid = town.units["421222101001001"]
    await also_in(town.worker, grid)
    head = ["日期", "网格编码", "姓名", "结果", "抽查地点", "抽查人"]
    row = ["2026-10-20", grid.code, town.worker.name, "不合格", "村委会", "综治办"]
    assert (await imported(actor, "check", book(head, row))).created == 1
    [entry], _ = await entries.listed(actor, entries.Filter(kind=EntryKind.CHECK))
    assert (entry.village_code, entry.grid_code) == (grid.code[:12], grid.code)
    assert (await imported(actor, "check", book(head, row))).same == 1
    other = [row[0], town.worker.unit_code, *row[2:]]
    assert (await imported(actor, "check", book(head, other))).same == 1
    assert (await tried(actor, "check", book(head, row, other))).fault_count == 1
    check_id = await drawing.open_check(
        actor, form(mode="paper", inspectors=(), title="线下", unit_code="421222"), NOW
    )
    head = ["核查名称", "网格编码", "姓名", "核查内容", "结果", "核查日期", "核查人"]
    row = ["线下", grid.code, town.worker.name, "入户登记", "正确", "2026-11-25", "尹某"]
    assert (await imported(actor, "random", book(head, row))).created == 1
    [item] = await drawing.items(actor, check_id)
    assert item.village_code == grid.code[:12]


async def test_an_exported_list_revives_nothing(town: SmallCounty) -> None:
    """It holds what was withdrawn and corrected, too; imported again, that stays gone."""
    actor = await acting(town.instructor)
    wrong, withdrawn = fact(town.worker), fact(town.worker, EntryKind.CHECK, facts="另一次")
    first = await entries.add(actor, wrong, NOW)
    await entries.correct(actor, first, fact(town.worker, place="卫生室"), "地点写错", NOW)
    await entries.withdraw(actor, await entries.add(actor, withdrawn, NOW), "查无此事")
    listed = await entries.all_listed(actor, entries.Filter(kind=EntryKind.CHECK))
    sheet = await entry_sheets.entry_sheet(actor, EntryKind.CHECK, listed, DAY)
    shown = await tried(actor, "check", File("台账.xlsx", excel.workbook(sheet)))
    assert (shown.rows, shown.created, shown.same, shown.fault_count) == (3, 0, 1, 0)
    assert shown.notes == ["有 2 行的状态是不予认定、已撤销或已更正，不导入。"]


async def test_a_row_typed_over_the_total_of_the_template_counts(town: SmallCounty) -> None:
    """An earlier release's had 合计 right below its header, and that is where people begin."""
    actor = await acting(town.instructor)
    _, content = await intake.template(actor, KINDS["check"], NOW)
    template = openpyxl.load_workbook(io.BytesIO(content))
    sheet = template.worksheets[0]
    head = [cell.value for cell in sheet[3]]
    place = {"网格编码": town.worker.unit_code, "姓名": town.worker.name, "抽查人": "综治办"}
    for number, day in enumerate(("2026-10-20", "2026-10-21", "2026-10-22"), 4):
        said = place | {"日期": day, "结果": "合格", "抽查地点": "村委会"}
        for column, title in enumerate(head, 1):
            if title in said:
                sheet.cell(number, column).value = said[title]
    assert sheet["A4"].value is None
    sheet["A4"].value = "合计"
    target = io.BytesIO()
    template.save(target)
    shown = await tried(actor, "check", File("登记表.xlsx", target.getvalue()))
    assert (shown.faults, shown.created) == ([], 3)


async def test_results_of_a_draw_come_back_in_its_own_sheet(town: SmallCounty) -> None:
    """The registration sheet holds what was drawn; a row that was not drawn is red."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(people=1), NOW)
    await drawing.draw(actor, check_id, "1", "摇号", NOW)
    _, content = await intake.template(actor, KINDS["random"], NOW)
    rows = cells(content)
    head = rows[2]
    row = rows[3]
    row[head.index("结果")] = "错误"
    row[head.index("核查日期")] = date(2026, 11, 25)
    row[head.index("说明")] = "日期不符"
    strange = list(row)
    strange[head.index("条目编号")] = ""
    shown = await tried(actor, "random", book(head, row, strange))
    assert [fault.split("：")[0] for fault in shown.faults] == ["第 4 行“核查内容”"]
    assert (await imported(actor, "random", book(head, row))).created == 1
    again = await imported(actor, "random", book(head, row))
    assert (again.same, again.lines) == (1, [])
    changed = list(row)
    changed[head.index("结果")], changed[head.index("说明")] = "正确", ""
    [told] = (await tried(actor, "random", book(head, changed))).lines
    assert told.name == town.worker.name
    when = f"2026年11月25日，{row[head.index('核查人')]}"
    assert told.text.endswith(f"：正确，{when}（原为 错误，{when}，日期不符）")
    [item] = await drawing.items(actor, check_id)
    assert (item.correct, item.note) == (False, "日期不符")


async def test_a_sheet_comes_back_with_what_is_done_so_far(town: SmallCounty) -> None:
    """No row may be deleted, so those without a result wait; half a result is a fault."""
    for day in (8, 9, 10):
        await posted(town.worker, town.lead, date(2026, 11, day))
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(people=1, per_person=3), NOW)
    await drawing.draw(actor, check_id, "1", "摇号", NOW)
    _, content = await intake.template(actor, KINDS["random"], NOW)
    head, *rows = (row for row in cells(content)[2:] if row[1])
    assert len(rows) == 3
    verdict, day = head.index("结果"), head.index("核查日期")
    rows[0][verdict], rows[0][day] = "正确", date(2026, 11, 25)
    done = await imported(actor, "random", book(head, *rows))
    assert (done.created, done.notes[0]) == (1, "有 2 行还没有结果，不登记。")
    rows[1][verdict], rows[2][day] = "正确", date(2026, 11, 25)
    half = await tried(actor, "random", book(head, *rows))
    assert half.faults == [
        "第 4 行“核查日期”：不能空着，请填写。",
        "第 5 行“结果”：不能空着，请填写。",
    ]
    rows[1][day] = "廿五"
    wrong = await tried(actor, "random", book(head, *rows))
    assert [fault.split("：")[0] for fault in wrong.faults] == [
        "第 4 行“核查日期”",
        "第 5 行“结果”",
    ]


async def test_an_old_check_does_not_stop_results_of_a_new_one(town: SmallCounty) -> None:
    """Its cycle is past collecting: the sheet asks for no row of it, and is taken as filled in."""
    actor = await acting(town.instructor)
    for day, at in ((date(2026, 6, 8), NOW - timedelta(days=160)), (date(2026, 11, 8), NOW)):
        await posted(town.worker, town.lead, day, at)
        span = {"first_day": day, "last_day": day}
        check_id = await drawing.open_check(actor, form(title=f"{day.month}月核查", **span), NOW)
        await drawing.draw(actor, check_id, "1", "摇号", NOW)
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW)
    await bring_to(department, cycle_id, Stage.SCORE, NOW)
    _, content = await intake.template(actor, KINDS["random"], NOW)
    head, *rows = (row for row in cells(content)[2:] if row[1])
    for row in rows:
        row[head.index("结果")] = "正确"
        row[head.index("核查日期")] = date(2026, 11, 25)
    assert [row[head.index("核查名称")] for row in rows] == ["11月核查"]
    assert (await imported(actor, "random", book(head, *rows))).created == 1


async def test_two_checks_of_one_name_take_their_own_results(town: SmallCounty) -> None:
    """A check a township, all named alike: the sheet that was handed out for both comes back."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    made = []
    for day in (8, 9):
        made.append(await drawing.open_check(actor, form(last_day=date(2026, 11, day)), NOW))
        await drawing.draw(actor, made[-1], "1", "摇号", NOW)
    _, content = await intake.template(actor, KINDS["random"], NOW)
    head, *rows = cells(content)[2:5]
    for row in rows:
        row[head.index("结果")] = "正确"
        row[head.index("核查日期")] = date(2026, 11, 25)
    done = await imported(actor, "random", book(head, *rows))
    assert (done.faults, done.created) == ([], 2)
    for check_id in made:
        assert (await drawing.view(actor, check_id)).checked == 1


async def test_one_record_twice_in_a_file_of_results_is_red(town: SmallCounty) -> None:
    """Of a draw or of paper: it would count twice, or the later verdict without a reason."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(), NOW)
    await drawing.draw(actor, check_id, "1", "摇号", NOW)
    _, content = await intake.template(actor, KINDS["random"], NOW)
    head, row = cells(content)[2:4]
    row[head.index("结果")] = "正确"
    row[head.index("核查日期")] = date(2026, 11, 25)
    await drawing.open_check(actor, form(title="线下核查", mode="paper", inspectors=()), NOW)
    paper = list(row)
    paper[head.index("核查名称")], paper[head.index("条目编号")] = "线下核查", ""
    for one in (row, paper):
        shown = await tried(actor, "random", book(head, one, one))
        assert [fault.split("：")[0] for fault in shown.faults] == ["第 4 行“核查内容”"]


async def test_what_was_wrong_with_a_row_is_no_note_of_its_inspector(town: SmallCounty) -> None:
    """The red workbook's column 错误说明 comes back with the corrected rows."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(people=1), NOW)
    await drawing.draw(actor, check_id, "1", "摇号", NOW)
    head, row = cells((await intake.template(actor, KINDS["random"], NOW))[1])[2:4]
    row[head.index("结果")] = "准确"
    row[head.index("核查日期")] = date(2026, 11, 25)
    noted = head.index("说明")
    file = book(head[:noted] + head[noted + 1 :], row[:noted] + row[noted + 1 :])
    run_id, _ = await intake.preview(actor, KINDS["random"], file, NOW)
    _, content = await intake.report(actor, KINDS["random"], run_id, NOW)
    _, head, row = cells(content)
    assert "只填“正确”或“错误”" in row[head.index("错误说明")]
    row[head.index("结果")] = "正确"
    assert (await imported(actor, "random", book(head, row))).created == 1
    [item] = await drawing.items(actor, check_id)
    assert (item.correct, item.note) == (True, "")


async def test_results_are_taken_of_somebody_who_has_left(town: SmallCounty) -> None:
    """In post when the record was made, gone when it was looked at: the sheet comes back."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(), NOW)
    await drawing.draw(actor, check_id, "1", "摇号", NOW)
    await DB.execute(
        "UPDATE shared.assignment SET valid_to = $3 WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        town.worker.person_id,
        date(2026, 11, 16),
    )
    _, content = await intake.template(actor, KINDS["random"], NOW)
    head, row = cells(content)[2:4]
    row[head.index("结果")] = "正确"
    row[head.index("核查日期")] = date(2026, 11, 25)
    assert (await tried(actor, "random", book(head, row))).faults == []
    assert (await imported(actor, "random", book(head, row))).created == 1


async def test_a_preview_is_its_makers_own(town: SmallCounty) -> None:
    """Nobody else opens, accepts or drops it; a role without the right finds no import."""
    file = book(HEAD, [202610, town.worker.unit_code, town.worker.name, 20, 18, 1, ""])
    run_id, _ = await intake.preview(await acting(town.instructor), KINDS["attendance"], file, NOW)
    department = await acting(town.department, desk=True)
    with pytest.raises(NotFound):
        await intake.previewed(department, KINDS["attendance"], run_id)
    with pytest.raises(NotFound):
        await intake.previewed(await acting(town.instructor), KINDS["check"], run_id)
    with pytest.raises(NotFound):
        await intake.preview(await acting(town.chief), KINDS["attendance"], file, NOW)


class Undo(Exception):  # noqa: N818  ends a transaction
    """Rolls back."""


@pytest.mark.parametrize("name", ["attendance", "check", "training"])
async def test_files_in_opposite_order_wait_for_each_other(committed: None, name: str) -> None:
    """Each held what the other wanted next, and one ended with an error page."""
    town = await small_county()
    actor = await acting(town.instructor)
    months = [f"2026年{month}月" for month in (8, 9, 10)]
    places = ["村委会", "桥头", "渡口"]
    who = [town.worker.unit_code, town.worker.name]
    kinds: dict[str, tuple[list[str], list[list[Any]]]] = {
        "attendance": (HEAD, [[month, *who, 18, 17, 1, "公假"] for month in months]),
        "check": (
            ["日期", "网格编码", "姓名", "结果", "抽查地点", "抽查人"],
            [["2026-10-20", *who, "合格", place, "综治办"] for place in places],
        ),
        "training": (
            ["培训日期", "培训类型", "培训名称", "学时", "培训人", *HEAD[1:3], "是否参加"],
            [["2026-10-20", "室内培训课", place, 2, "尹某", *who, "是"] for place in places],
        ),
    }
    head, rows = kinds[name]
    outside = copy_context()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    tasks = []
    with suppress(Undo):
        async with DB.transaction():
            file = book(head, rows[1])
            table = read_table(file.data, file.name, KINDS[name].columns)
            await KINDS[name].store(actor, table, NOW, "")
            for number, given in enumerate((rows, rows[::-1]), 1):
                trying = intake.preview(actor, KINDS[name], book(head, *given), NOW)
                tasks.append(asyncio.create_task(trying, context=outside.copy()))
                while not tasks[-1].done() and await DB.fetchval(waits) < number:
                    pass
            raise Undo
    assert [shown.created for _, shown in await asyncio.gather(*tasks)] == [3, 3]


async def test_a_file_accepted_twice_at_once_says_that_it_is_done(committed: None) -> None:
    """Not that nothing was imported: the first press has written everything."""
    town = await small_county()
    actor = await acting(town.instructor)
    row = ["2026年10月", town.worker.unit_code, town.worker.name, 18, 17, 1, "公假"]
    run_id, _ = await intake.preview(actor, KINDS["attendance"], book(HEAD, row), NOW)
    done = await asyncio.gather(
        *(intake.accept(actor, KINDS["attendance"], run_id, NOW) for _ in range(3)),
        return_exceptions=True,
    )
    refused = [one.message for one in done if isinstance(one, Conflict)]
    assert refused == [uploads.DONE] * 2
