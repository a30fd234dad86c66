"""Training's workbook: sessions with who came and what the test said, one row a person."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from appraisal.duty.people import NAME, Found, people
from appraisal.duty.sheets import DROPPED, PLACES, WHO, frozen_days
from appraisal.intake.rules import Kind, Outcome, change
from appraisal.training import rules, service
from appraisal.training.rules import SessionForm, SessionKind
from appraisal.training.schemas import Attendee, AttendeeInput, SessionRow, TotalLine
from shared.clock import today
from shared.dates import chinese_date
from shared.documents import excel
from shared.documents.read import Column, Row, Table
from shared.identity.access import Action, Target, allowed, reach
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.settings_county import get as county_settings

KIND_WORDS = {name: kind for kind, name in rules.KIND_NAMES.items()} | {
    "室内培训": SessionKind.CLASSROOM,
    "一线实践": SessionKind.PRACTICE,
    "座谈": SessionKind.DISCUSSION,
}
PRESENT = {"是": True, "参加": True, "到": True, "√": True, "否": False, "缺席": False} | {
    "未参加": False,
    "×": False,
}
COLUMNS = (
    Column("培训日期", "date", required=True, aliases=("日期",)),
    Column("培训类型", required=True, aliases=("类型",)),
    Column("培训名称", required=True, aliases=("名称", "课程")),
    Column("学时", "decimal", required=True, aliases=("课时",)),
    Column("地点"),
    Column("培训人", required=True, aliases=("讲师", "主讲人")),
    Column("组织单位代码", "code", aliases=("单位代码",)),
    *WHO,
    Column("是否参加", required=True, aliases=("参加",)),
    Column("测试成绩", "decimal", aliases=("成绩", "得分")),
)
SHEET = (
    excel.Column("培训日期", kind="date"),
    excel.Column("培训类型", width=12, choices=tuple(rules.KIND_NAMES.values())),
    excel.Column("培训名称", width=20),
    excel.Column("学时", kind="decimal", width=7),
    excel.Column("地点"),
    excel.Column("培训人"),
    excel.Column("组织单位代码", width=14),
    *PLACES,
    excel.Column("是否参加", width=9, choices=("是", "否")),
    excel.Column("测试成绩", kind="decimal", width=9),
)


async def store(actor: Actor, table: Table, now: datetime, reason: str) -> Outcome:
    """Rows as sessions and lines; a session that is known by day, unit, kind and title stays."""
    days = [row["培训日期"] for row in table.rows if row["培训日期"]]
    who = await people(actor, Action.TRAINING_EDIT, days)
    frozen = await frozen_days(actor.county_id, days)
    units = {unit.code for unit in await roster.units_below(actor.county_id, actor.county_code)}
    found: dict[SessionForm, list[tuple[Row, AttendeeInput]]] = defaultdict(list)
    seen: set[tuple[SessionForm, object]] = set()
    for row in table.rows:
        form = _session(actor, row, table, units, frozen, now)
        line = _line(row, table, who.find)
        if form is None or line is None:
            continue
        if (form, line.person_id) in seen:
            table.fault(row, NAME, "同一次培训里这个人有两行，请只留一行。")
        seen.add((form, line.person_id))
        found[form].append((row, line))
    outcome = Outcome()
    if table.faults:
        return outcome
    # In one order, whatever the file's, so that two with the same sessions wait for each other.
    for form in sorted(found, key=lambda one: (one.held_on, one.unit_code, one.kind, one.title)):
        pairs = found[form]
        known = await service.find_session(actor.county_id, form)
        if known and known.hours != form.hours:
            sentence = f"这次培训登记的是 {known.hours.normalize():f} 学时。有误的，先取消再登记。"
            for row, _ in pairs:
                table.fault(row, "学时", sentence)
            continue
        new = known is None
        session_id = known.id if known else await service.add_session(actor, form, now)
        saved = await service.record(
            actor, session_id, [line for _, line in pairs], now, reason=reason, source="import"
        )
        outcome.created += saved.created
        outcome.corrected += saved.corrected
        outcome.same += saved.same
        if new or saved.created or saved.corrected:
            words = (
                f"{chinese_date(form.held_on)}，{saved.created} 人新登记，{saved.corrected} 人更正"
            )
            outcome.lines.append(change(pairs[0][0], form.title, words + "，新培训" * new))
    return outcome


async def template(actor: Actor, on: date) -> excel.Sheet:
    """Everybody in post in the actor's reach, for a session of today."""
    rows = [
        (
            *(None, "", "", None, "", "", ""),
            *(one.township_name, one.village_name, one.grid_code, one.name),
            *("是", None),
        )
        for one in await service.candidates(actor, on)
    ]
    return await _sheet(actor, "培训登记表", rows, on)


async def session_sheet(
    actor: Actor, row: SessionRow, people_there: list[Attendee], on: date
) -> excel.Sheet:
    """A session's list, in the format the import reads."""
    head = (row.held_on, row.kind_name, row.title, row.hours, row.place, row.trainer)
    rows = [
        (
            *head,
            row.unit_code,
            one.township_name,
            one.village_name,
            one.grid_code,
            one.name,
            "" if one.present is None else "是" if one.present else "否",
            one.test,
        )
        for one in people_there
    ]
    return await _sheet(actor, f"{row.title}培训登记表", rows, on)


async def total_sheet(actor: Actor, title: str, lines: list[TotalLine], on: date) -> excel.Sheet:
    """Everybody's hours and tests of a cycle."""
    return excel.Sheet(
        name="培训汇总",
        title=f"{title}网格员培训汇总表",
        unit=(await county_settings(actor.county_id)).department_name,
        on=on,
        columns=(
            *PLACES,
            excel.Column("参加次数", kind="number", width=9),
            excel.Column("学时", kind="decimal", width=8),
            excel.Column("规定学时", kind="decimal", width=9),
            excel.Column("测试平均分", kind="decimal", width=10),
        ),
        rows=[
            (
                line.township_name,
                line.village_name,
                line.grid_code,
                line.name,
                line.sessions,
                line.hours,
                line.required,
                line.test,
            )
            for line in lines
        ],
        notes=("学时空白：所在单位本期还没有登记培训。",),
    )


async def _sheet(
    actor: Actor, title: str, rows: Sequence[Sequence[object]], on: date
) -> excel.Sheet:
    return excel.Sheet(
        name="培训登记表",
        title=title,
        unit=(await county_settings(actor.county_id)).department_name,
        on=on,
        columns=SHEET,
        rows=rows,
        notes=("是否参加填“是”或“否”；没有测试的不填成绩。",),
    )


def _session(
    actor: Actor,
    row: Row,
    table: Table,
    units: set[str],
    frozen: Mapping[date, str],
    now: datetime,
) -> SessionForm | None:
    on, kind, hours = row["培训日期"], row["培训类型"], row["学时"]
    if on is None or kind is None or hours is None:
        return None
    if on in frozen:
        table.fault(row, "培训日期", frozen[on])
        return None
    if kind not in KIND_WORDS:
        table.fault(row, "培训类型", f"请写{'、'.join(rules.KIND_NAMES.values())}之一。")
        return None
    codes = reach(actor, Action.TRAINING_EDIT)
    unit = row["组织单位代码"] or (codes[0] if codes else "")
    target = Target(unit_code=unit)
    if unit not in units or not allowed(actor, Action.TRAINING_EDIT, target).allowed:
        table.fault(row, "组织单位代码", "没有这个单位，或不在您管辖的范围内。")
        return None
    form = SessionForm(
        kind=KIND_WORDS[kind],
        title=(row["培训名称"] or "").strip(),
        held_on=on,
        hours=hours,
        place=row["地点"] or "",
        trainer=row["培训人"] or "",
        unit_code=unit,
        tested=True,
    )
    titles = {"title": "培训名称", "held_on": "培训日期", "hours": "学时", "trainer": "培训人"}
    titles["place"] = "地点"
    faults = rules.session_faults(form, today(now))
    for field, sentence in faults.items():
        table.fault(row, titles[field], sentence)
    return None if faults else form


def _line(
    row: Row, table: Table, find: Callable[[Table, Row, date, date], Found | None]
) -> AttendeeInput | None:
    on, text = row["培训日期"], row["是否参加"]
    if on is None or text is None:
        return None
    present = PRESENT.get(text)
    if present is None:
        table.fault(row, "是否参加", "请填“是”或“否”。")
        return None
    test: Decimal | None = row["测试成绩"]
    if fault := rules.result_fault(present=present, test=test):
        table.fault(row, "测试成绩", fault)
        return None
    found = find(table, row, on, on)
    if found is None:
        return None
    return AttendeeInput(
        person_id=found.person_id, village_code=found.village_code, present=present, test=test
    )


KIND = Kind(
    name="training",
    title="培训登记表",
    action=Action.TRAINING_EDIT,
    columns=COLUMNS,
    dropped=DROPPED,
    store=store,
    template=template,
    hints=(
        "一人一行；同一次培训的日期、类型、名称、学时写成一样。",
        "组织单位代码不填，就记在您管辖的单位名下。",
        "同一个文件再导一次什么都不变；改了成绩再导，记为更正，旧的保留。",
    ),
    back="/appraisal/desk/training",
    menu="training",
)
