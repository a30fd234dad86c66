"""The workbook of attendance, and what all of duty's workbooks share."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.duty import queries, rules, service
from appraisal.duty.errors import Frozen
from appraisal.duty.people import GRID, NAME, Found, people
from appraisal.duty.schemas import SheetInput, SheetLine
from appraisal.intake.rules import Kind, Outcome, change
from shared.clock import today
from shared.documents import excel
from shared.documents.read import Column, Row, Table
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.months import month_cn, month_days, month_of, month_text, months_later
from shared.settings_county import get as county_settings

DROPPED = ("乡镇", "村社区", "网格名称", "手机号", "联系电话", "身份证号", "更正原因")
WHO = (
    Column(GRID, "code", required=True, aliases=("网格代码", "网格编号")),
    Column(NAME, "name", required=True, aliases=("网格员", "网格员姓名")),
)
PLACES = (
    excel.Column("乡镇"),
    excel.Column("村社区", width=18),
    excel.Column(GRID, width=18),
    excel.Column(NAME, width=10),
)
"""The first columns of every list about workers."""

ATTENDANCE_COLUMNS = (
    Column("月份", "month", required=True, aliases=("考勤月份",)),
    *WHO,
    Column("应出勤天数", "decimal", required=True, aliases=("应出勤", "应到天数")),
    Column("出勤天数", "decimal", required=True, aliases=("实际出勤天数", "出勤", "实到天数")),
    Column("请假天数", "decimal", aliases=("请假", "准假天数")),
    Column("备注"),
)
ATTENDANCE_SHEET = (
    excel.Column("月份", width=10),
    *PLACES,
    excel.Column("应出勤天数", kind="decimal", width=11, total=True),
    excel.Column("出勤天数", kind="decimal", width=10, total=True),
    excel.Column("请假天数", kind="decimal", width=10, total=True),
    excel.Column("备注", width=24),
)


async def store_attendance(actor: Actor, table: Table, now: datetime, reason: str) -> Outcome:
    """Rows of a monthly sheet as lines."""
    months = {row["月份"] for row in table.rows if row["月份"]}
    ends = [day for month in months for day in month_days(month)]
    who = await people(actor, Action.DUTY_EDIT, ends)
    frozen = await frozen_days(actor.county_id, ends)
    lines: dict[tuple[UUID, str, int], tuple[Row, SheetInput]] = {}
    for row in table.rows:
        line = _attendance(row, table, who.find, frozen, now)
        if line is None:
            continue
        key = (line.person_id, line.village_code, line.month)
        if key in lines:
            table.fault(
                row, NAME, f"和{table.where(lines[key][0])}是同一个人同一个月，请只留一行。"
            )
        else:
            lines[key] = (row, line)
    outcome = Outcome()
    if table.faults:
        return outcome
    known = await _current(actor.county_id, [line for _, line in lines.values()])
    for key, (row, line) in lines.items():
        before = known.get(key)
        if before is None or _words(before) != _words(line):
            text = f"{month_cn(line.month)} {_words(line)}"
            old = f"（原为 {_words(before)}）" if before else ""
            outcome.lines.append(change(row, row[NAME], text + old))
    saved = await service.save(
        actor, [line for _, line in lines.values()], now, reason=reason, source="import"
    )
    return _counted(outcome, saved)


async def attendance_template(actor: Actor, on: date) -> excel.Sheet:
    """Last month's sheet with everybody in post, ready to fill in."""
    month = months_later(month_of(on), -1)
    codes = reach(actor, Action.DUTY_EDIT)
    lines = await queries.sheet(actor.county_id, codes, month_days(month), month)
    usual = await service.usual_days(actor.county_id, lines)
    filled = [
        line
        if line.rostered is not None
        else msgspec.structs.replace(line, rostered=usual.get((line.person_id, line.village_code)))
        for line in lines
    ]
    return await attendance_sheet(actor, month, filled, on)


async def attendance_sheet(
    actor: Actor, month: int, lines: list[SheetLine], on: date
) -> excel.Sheet:
    """A month's sheet, in the format the import reads."""
    return excel.Sheet(
        name="考勤表",
        title=f"网格员考勤表（{month_cn(month)}）",
        unit=(await county_settings(actor.county_id)).department_name,
        on=on,
        columns=ATTENDANCE_SHEET,
        rows=[
            (
                month_text(month),
                line.township_name,
                line.village_name,
                line.grid_code,
                line.name,
                line.rostered,
                line.on_duty,
                line.leave,
                line.note or "",
            )
            for line in lines
        ],
        notes=("出勤加请假不能多于应出勤；以半天为单位；请假只算批准的。",),
    )


def _attendance(
    row: Row,
    table: Table,
    find: Callable[[Table, Row, date, date], Found | None],
    frozen: Mapping[date, str],
    now: datetime,
) -> SheetInput | None:
    month: int | None = row["月份"]
    rostered, on_duty = row["应出勤天数"], row["出勤天数"]
    if month is None:
        return None
    first, last = month_days(month)
    if first > today(now):
        table.fault(row, "月份", "这个月还没有到。")
        return None
    if first in frozen:
        table.fault(row, "月份", frozen[first])
        return None
    found = find(table, row, first, last)
    if found is None or rostered is None or on_duty is None:
        return None
    leave: Decimal = row["请假天数"] or Decimal(0)
    days = rules.Days(rostered, on_duty, leave, row["备注"] or "")
    titles = {"rostered": "应出勤天数", "on_duty": "出勤天数", "leave": "请假天数", "note": "备注"}
    faults = rules.day_faults(days, month)
    for field, sentence in faults.items():
        table.fault(row, titles[field], sentence)
    if faults:
        return None
    return SheetInput(
        person_id=found.person_id,
        village_code=found.village_code,
        month=month,
        rostered=rostered,
        on_duty=on_duty,
        leave=leave,
        note=days.note,
    )


async def frozen_days(county_id: int, days: Iterable[date]) -> dict[date, str]:
    """Day → the sentence that says why nothing of it may be written."""
    found = {}
    for day in sorted(set(days)):
        try:
            await service.expect_open(county_id, [day])
        except Frozen as error:
            found[day] = str(error)
    return found


async def _current(
    county_id: int, lines: list[SheetInput]
) -> dict[tuple[UUID, str, int], SheetInput]:
    people_ids = sorted({line.person_id for line in lines})
    months = sorted({line.month for line in lines})
    rows = await queries.current(county_id, people_ids, months)
    return {(row.person_id, row.village_code, row.month): row for row in rows}


def _words(line: SheetInput) -> str:
    note = f"，{line.note}" if line.note else ""
    days = [f"{one.normalize():f}" for one in (line.rostered, line.on_duty, line.leave)]
    return f"应出勤 {days[0]} 天，出勤 {days[1]} 天，请假 {days[2]} 天{note}"


def _counted(outcome: Outcome, saved: service.Saved) -> Outcome:
    outcome.created, outcome.corrected, outcome.same = saved.created, saved.corrected, saved.same
    return outcome


KIND = Kind(
    name="attendance",
    title="考勤表",
    action=Action.DUTY_IMPORT,
    columns=ATTENDANCE_COLUMNS,
    dropped=DROPPED,
    store=store_attendance,
    template=attendance_template,
    hints=(
        "月份、网格编码、姓名、应出勤天数、出勤天数必填；请假天数只填批准的，以半天为单位。",
        "可以把几个月、几个村放在一张表里。",
        "同一个文件再导一次什么都不变；数字不同的记为更正，旧的保留。",
    ),
    back="/appraisal/desk/duty",
    menu="duty",
)
