"""The workbook of a double-random check: what was drawn, and what inspectors found."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from appraisal.duty import drawing, service
from appraisal.duty.drawing import PaperItem, Result
from appraisal.duty.people import NAME, Found, people
from appraisal.duty.schemas import CheckItem, CheckRow
from appraisal.duty.sheets import DROPPED, PLACES, WHO, frozen_days
from appraisal.intake.rules import Kind, Line, Outcome, change
from shared.clock import today
from shared.dates import chinese_date
from shared.documents import excel
from shared.documents.read import Column, Row, Table
from shared.identity.access import Action
from shared.identity.actor import Actor
from shared.settings_county import get as county_settings

RESULTS = {"正确": True, "对": True, "是": True, "错误": False, "错": False, "否": False}
RANDOM_COLUMNS = (
    Column("核查名称", required=True, aliases=("核查", "双随机核查")),
    *WHO,
    Column("核查内容", required=True, aliases=("内容", "核查项目")),
    Column("结果", aliases=("核查结果",)),
    Column("核查日期", "date", aliases=("日期",)),
    Column("核查人", required=True, aliases=("核查人员",)),
    Column("说明", aliases=("备注",)),
    Column("条目编号", "code"),
)
RANDOM_SHEET = (
    excel.Column("核查名称", width=20),
    *PLACES,
    excel.Column("核查内容", width=34),
    excel.Column("工作日期", kind="date"),
    excel.Column("结果", width=8, choices=("正确", "错误")),
    excel.Column("核查日期", kind="date"),
    excel.Column("核查人", width=12),
    excel.Column("说明", width=24),
    excel.Column("条目编号", width=36, hidden=True),
)


async def random_sheet(
    actor: Actor, pairs: list[tuple[CheckRow, CheckItem]], title: str, on: date
) -> excel.Sheet:
    """Drawn records with what was found, in the format the import reads."""
    return excel.Sheet(
        name="双随机核查",
        title=title,
        unit=(await county_settings(actor.county_id)).department_name,
        on=on,
        columns=RANDOM_SHEET,
        rows=[
            (
                check.title,
                item.township_name,
                item.village_name,
                item.grid_code,
                item.name,
                item.label,
                item.worked_on,
                "" if item.correct is None else "正确" if item.correct else "错误",
                item.checked_on,
                item.checked_by or item.inspector,
                item.note or "",
                str(item.id),
            )
            for check, item in pairs
        ],
        notes=("结果只填“正确”或“错误”；错误的要写说明。",),
    )


async def random_template(actor: Actor, on: date) -> excel.Sheet:
    """Everything drawn that has no result yet and may still be given one."""
    drawn = [check for check in await drawing.checks(actor) if check.state == "drawn"]
    frozen = await frozen_days(actor.county_id, [check.last_day for check in drawn])
    pairs = [
        (check, item)
        for check in drawn
        if check.last_day not in frozen
        for item in await drawing.items(actor, check.id)
        if item.version is None
    ]
    return await random_sheet(actor, pairs, "双随机核查结果登记表", on)


async def store_random(actor: Actor, table: Table, now: datetime, reason: str) -> Outcome:
    """Rows as results of drawn records, or as records of a check that was drawn on paper."""
    checks = [check for check in await drawing.checks(actor) if check.state == "drawn"]
    items = {
        check.id: {str(item.id): item for item in await drawing.items(actor, check.id)}
        for check in checks
    }
    # Checks may be named alike: the drawn record says which one a row is of, else it is the latest.
    named = {check.title: check for check in reversed(checks)}
    drawn = {(check.title, item): check for check in checks for item in items[check.id]}
    days = [row["核查日期"] for row in table.rows if row["核查日期"]]
    days += [check.first_day for check in checks]
    who = await people(actor, Action.DUTY_EDIT, days)
    frozen = await frozen_days(actor.county_id, [check.last_day for check in checks])
    results: dict[UUID, list[Result]] = defaultdict(list)
    papers: dict[UUID, list[PaperItem]] = defaultdict(list)
    seen: dict[tuple[object, ...], Row] = {}
    taken: list[tuple[Row, CheckRow, Result | PaperItem]] = []
    outcome = Outcome()
    for row in _answered(table, outcome):
        title = row["核查名称"] or ""
        check = drawn.get((title, (row["条目编号"] or "").lower())) or named.get(title)
        if title and check is None:
            table.fault(row, "核查名称", "没有已抽取的同名核查，请先在页面上建立或抽取。")
        if check is None:
            continue
        if check.last_day in frozen:
            table.fault(row, "核查名称", frozen[check.last_day])
            continue
        found = _random(row, table, check, items[check.id], who.find, now)
        if found is None or _twice(row, table, check, found, seen):
            continue
        taken.append((row, check, found))
        if isinstance(found, Result):
            results[check.id].append(found)
        else:
            papers[check.id].append(found)
    if table.faults:
        return outcome
    outcome.lines = _lines(taken, items)
    for check in checks:
        if check.id in results or check.id in papers:  # the others may be frozen
            said = (results[check.id], papers[check.id])
            await _write(actor, check, said, outcome, (now, reason))
    outcome.notes.append(f"其中改已有的结果 {outcome.corrected} 条。")
    return outcome


def _answered(table: Table, outcome: Outcome) -> list[Row]:
    """The rows that have a result; those without any wait, half a result is a fault."""
    wrong = {(fault.sheet, fault.row, fault.column) for fault in table.faults}
    found = []
    for row in table.rows:
        blank = [
            title
            for title in ("结果", "核查日期")
            if row[title] is None and (row.sheet, row.number, title) not in wrong
        ]
        if len(blank) > 1 and row["说明"] is None:
            continue
        found.append(row)
        for title in blank:
            table.fault(row, title, "不能空着，请填写。")
    if waiting := len(table.rows) - len(found):
        outcome.notes.append(f"有 {waiting} 行还没有结果，不登记。")
    return found


def _lines(
    taken: list[tuple[Row, CheckRow, Result | PaperItem]], items: dict[UUID, dict[str, CheckItem]]
) -> list[Line]:
    """What the rows change, in words; a row that says what stands already is none."""
    on_paper = {
        (check_id, item.person_id, item.label): item
        for check_id, those in items.items()
        for item in those.values()
    }
    lines = []
    for row, check, found in taken:
        if isinstance(found, Result):
            item = items[check.id].get(str(found.item_id))
        else:
            item = on_paper.get((check.id, found.person_id, found.label))
        before = _words(item) if item and item.version is not None else ""
        after = _words(found)
        if after != before:
            old = f"（原为 {before}）" if before else ""
            lines.append(change(row, row[NAME], f"{row['核查内容']}：{after}{old}"))
    return lines


def _words(one: Result | PaperItem | CheckItem) -> str:
    verdict = "正确" if one.correct else "错误"
    on = chinese_date(one.checked_on) if one.checked_on else ""
    return "，".join(word for word in (verdict, on, one.checked_by, one.note) if word)


async def _write(
    actor: Actor,
    check: CheckRow,
    said: tuple[list[Result], list[PaperItem]],
    outcome: Outcome,
    stamp: tuple[datetime, str],
) -> None:
    """Results of drawn records, and records of paper; ``stamp``: when and why."""
    now, reason = stamp
    results, papers = said
    for saved in (
        await drawing.record(actor, check.id, results, now, reason=reason, source="import"),
        await drawing.add_paper(actor, check.id, papers, now, reason=reason, source="import")
        if check.mode == "paper"
        else service.Saved(),
    ):
        outcome.created += saved.created
        outcome.corrected += saved.corrected
        outcome.same += saved.same


def _random(
    row: Row,
    table: Table,
    check: CheckRow,
    items: Mapping[str, CheckItem],
    find: Callable[[Table, Row, date, date], Found | None],
    now: datetime,
) -> Result | PaperItem | None:
    on, text, label = row["核查日期"], row["结果"], row["核查内容"]
    if on is None or text is None or label is None or row["核查人"] is None:
        return None
    correct = RESULTS.get(text)
    if correct is None:
        table.fault(row, "结果", "只填“正确”或“错误”。")
        return None
    said: dict[str, Any] = {"correct": correct, "note": row["说明"] or "", "checked_on": on}
    said["checked_by"] = row["核查人"]
    item = items.get((row["条目编号"] or "").lower())
    # Whoever made a drawn record may have moved or left before it was looked at.
    found = find(table, row, check.first_day if item else on, on)
    if found is None or _strange(row, table, check, item, found):
        return None
    result = Result(item_id=item.id if item else check.id, **said)
    if faults := drawing.result_faults(result, check, today(now)):
        titles = {"checked_on": "核查日期", "checked_by": "核查人", "note": "说明"}
        for field, sentence in faults.items():
            table.fault(row, titles[field], sentence)
        return None
    said |= {"person_id": found.person_id, "village_code": found.village_code}
    paper = PaperItem(label=label, **said)
    return paper if item is None else result


def _twice(
    row: Row,
    table: Table,
    check: CheckRow,
    found: Result | PaperItem,
    seen: dict[tuple[object, ...], Row],
) -> bool:
    """Whether an earlier row spoke of the same record: it would be counted twice."""
    one = (found.item_id,) if isinstance(found, Result) else (found.person_id, found.label)
    other = seen.setdefault((check.id, *one), row)
    if other is not row:
        table.fault(row, "核查内容", f"和{table.where(other)}是同一条，请只留一行。")
    return other is not row


def _strange(row: Row, table: Table, check: CheckRow, item: CheckItem | None, found: Found) -> bool:
    """Whether the row speaks of something that was not drawn."""
    if item is None and check.mode == "drawn":
        table.fault(row, "核查内容", "这一条不是系统抽到的。请用下载的登记表填，不要增删行。")
        return True
    if item is not None and item.person_id != found.person_id:
        table.fault(row, NAME, f"这一条抽到的是“{item.name}”，请不要改姓名。")
        return True
    return False


KIND = Kind(
    name="random",
    title="双随机核查结果",
    action=Action.DUTY_IMPORT,
    columns=RANDOM_COLUMNS,
    dropped=(*DROPPED, "工作日期"),
    store=store_random,
    template=random_template,
    hints=(
        "先在页面上抽取，再下载登记表，逐条填“正确”或“错误”；没查的留空，不要增删行、不要改姓名。",
        "线下抽取的核查，先在页面上登记核查名称，表里写同样的名称。",
    ),
    back="/appraisal/desk/duty/random",
    menu="duty",
)
