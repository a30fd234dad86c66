"""Import of a file of work records: every row accepted, cut or refused, and the sums explained.

An imported row is a paper slip handed in with its month, so it belongs to the run of its own
month, or to the next run that is still open. Its id is made from what makes two rows equal: the
same file again adds nothing. Rows wait for their verifier, unless a column 核实人 names somebody
who had the authority on that day.
"""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from points.rulebook import service as rulebook
from points.rulebook.rules import Decision, Rule
from points.work import bulk_queries, confirming, intake_rules, posting, queries, service
from points.work.bulk_queries import Answered
from points.work.intake_report import Imported, Line
from points.work.intake_rules import Accepted, Given, Refused, World
from points.work.posting_queries import Due
from points.work.rules import State, month_of, next_month
from points.work.schemas import NewRecord, NewStep
from shared import settings_county
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.documents.read import Column, Row, Table, read_table
from shared.errors import Conflict
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.roles import UnitKind

COLUMNS = (
    Column("日期", "date", required=True, aliases=("工作日期", "完成日期", "时间")),
    Column("网格编码", "code", required=True, aliases=("网格代码", "网格编号")),
    Column("姓名", "name", required=True, aliases=("网格员", "网格员姓名")),
    Column("规则编号", "code", required=True, aliases=("规则", "积分规则", "事项编号")),
    Column("内容", "text", aliases=("工作内容", "事项", "工作情况")),
    Column("数量", "integer", aliases=("户数", "次数")),
    Column("户号", "code", aliases=("家庭编号", "探访户号")),
    Column("核实人", "name", aliases=("核实", "审核人姓名")),
)
DROPPED = ("备注", "身份证号", "手机号", "联系电话")
CHUNK = 5_000
Progress = Callable[[str, int], None]
"""Told the step's name and how many rows it dealt with."""


class _Undo(Exception):  # noqa: N818  ends a dry run
    """Rolls the dry run back."""


async def import_work(
    actor: Actor | None,
    county_id: int,
    data: bytes,
    name: str,
    *,
    dry_run: bool = False,
    now: datetime | None = None,
    progress: Progress = lambda _step, _count: None,
) -> Imported:
    """Read, check and store a file of records; a dry run is the same, rolled back.

    ``actor`` None is the console. Raises BadFile, NotFound.
    """
    began = time.perf_counter()
    at = now or clock_now()
    if actor is not None:
        require(actor, Action.WORK_IMPORT, Target(unit_code=str(county_id)))
    table = read_table(data, name, COLUMNS, dropped=DROPPED)
    progress("读取", len(table.rows))
    result = Imported(rows=len(table.rows))
    result.left_out = [*table.dropped, *table.unknown]
    try:
        async with DB.transaction():
            await bulk_queries.lock_import(county_id)
            await _store(actor, county_id, table, result, at, progress)
            await audit.record(
                actor,
                Action.WORK_IMPORT,
                "work_file",
                county_id=county_id,
                unit_code=str(county_id),
                after=_summary(result) | {"sha256": hashlib.sha256(data).hexdigest()},
            )
            if dry_run:
                raise _Undo  # noqa: TRY301  leaves the transaction, not this function
    except _Undo:
        pass
    except UniqueViolationError as error:
        raise Conflict("导入时有人正好记了同样的工作，什么都没有写入，请再导入一次。") from error
    else:
        await _post_if_immediate(county_id, result, at, progress)
    result.seconds = time.perf_counter() - began
    return result


async def _store(
    actor: Actor | None,
    county_id: int,
    table: Table,
    result: Imported,
    at: datetime,
    progress: Progress,
) -> None:
    lines: dict[int, Line] = {}
    accepted = await _accepted(county_id, table, result, lines, at)
    progress("核对", len(table.rows))
    fresh = await _fresh(county_id, accepted, result, lines)
    await _insert(actor, county_id, fresh, result, at)
    progress("写入", len(fresh))
    await _forecast(county_id, fresh, result, lines)
    result.lines = [lines[index] for index in sorted(lines)]
    _notes(fresh, result)
    progress("试算", len(fresh))


async def _accepted(
    county_id: int, table: Table, result: Imported, lines: dict[int, Line], at: datetime
) -> list[tuple[int, Accepted]]:
    """Rows that become records, in row order; the others have their line already."""
    world = await _world(county_id, table, at)
    faulty: dict[tuple[int, int], list[str]] = defaultdict(list)
    for fault in table.faults:
        faulty[fault.sheet, fault.row].append(f"{fault.column}：{fault.sentence}")
    found: list[tuple[int, Accepted]] = []
    seen: dict[UUID, Row] = {}
    for index, row in enumerate(table.rows):
        if reasons := faulty.get((row.sheet, row.number)):
            _refuse(result, lines, index, row, "单元格有误", "；".join(reasons))
            continue
        given = _given(row)
        try:
            entry = intake_rules.accept(given, world)
        except Refused as refusal:
            _refuse(result, lines, index, row, refusal.column, refusal.reason)
            continue
        if first := seen.get(entry.id):
            where = table.where(first)
            _refuse(
                result, lines, index, row, "重复", f"重复：与{where}的日期、人、规则、内容相同。"
            )
            continue
        seen[entry.id] = row
        found.append((index, entry))
    return found


async def _world(county_id: int, table: Table, at: datetime) -> World:
    days = [row["日期"] for row in table.rows if row["日期"]] or [today(at)]
    code = f"{county_id:06d}"
    spans: dict[str, list[Any]] = defaultdict(list)
    for span in await roster.workers(county_id, code, min(days), max(days)):
        spans[span.grid_code].append(span)
    grids = await roster.units_below(county_id, code, UnitKind.GRID)
    return World(
        county_id=county_id,
        rules=await rulebook.versions(county_id),
        workers=spans,
        grids=frozenset(unit.code for unit in grids),
        today=today(at),
    )


def _given(row: Row) -> Given:
    return Given(
        number=row.number,
        on=row["日期"],
        grid_code=row["网格编码"],
        name=row["姓名"],
        code=row["规则编号"].upper(),
        text=row["内容"] or "",
        quantity=row["数量"],
        household=row["户号"] or "",
        confirmed_by=row["核实人"] or "",
    )


def _refuse(
    result: Imported, lines: dict[int, Line], index: int, row: Row, kind: str, words: str
) -> None:
    result.refused += 1
    result.reasons[kind] = result.reasons.get(kind, 0) + 1
    lines[index] = Line(
        number=row.number,
        on=row["日期"],
        grid_code=row["网格编码"] or "",
        name=row["姓名"] or "",
        code=row["规则编号"] or "",
        text=row["内容"] or "",
        outcome="拒绝",
        words=words,
    )


async def _fresh(
    county_id: int,
    accepted: list[tuple[int, Accepted]],
    result: Imported,
    lines: dict[int, Line],
) -> list[tuple[int, Accepted]]:
    """What is not stored yet: neither from an earlier import nor declared otherwise."""
    if not accepted:
        return []
    days = [entry.given.on for _, entry in accepted]
    known = await queries.known_ids(county_id, [entry.id for _, entry in accepted])
    stand = {
        (row.worker_id, row.work_date, row.rule_code, row.text_key)
        for row in await bulk_queries.standing(county_id, min(days), max(days))
    }
    fresh: list[tuple[int, Accepted]] = []
    for index, entry in accepted:
        if entry.id in known:
            result.repeated += 1
            lines[index] = _line(entry, "以前已导入", words="这一行以前导入过，没有再记。")
        elif (entry.worker_id, entry.given.on, entry.rule.code, entry.text_key) in stand:
            result.refused += 1
            result.reasons["重复"] = result.reasons.get("重复", 0) + 1
            lines[index] = _line(entry, "拒绝", words="重复：网格员自己或村里代录时已记过这一条。")
        else:
            fresh.append((index, entry))
    return fresh


async def _insert(
    actor: Actor | None,
    county_id: int,
    fresh: list[tuple[int, Accepted]],
    result: Imported,
    at: datetime,
) -> None:
    closed = await bulk_queries.closed_months(county_id)
    roll = await confirming.roll_of(county_id, today(at))
    cadres = await bulk_queries.cadres(county_id, sorted({e.worker_id for _, e in fresh}))
    records: list[NewRecord] = []
    steps: list[NewStep] = []
    for _, entry in fresh:
        records.append(_record(actor, entry, closed, at))
        excluded = frozenset({entry.worker_id, *([actor.person_id] if actor else [])})
        for step in entry.rule.steps:
            found = roll.confirmer(
                step, entry.given.grid_code, excluded, cadre=entry.worker_id in cadres
            )
            steps.append(service.new_step(entry.id, step, found))
    for first in range(0, len(records), CHUNK):
        await queries.insert_records(county_id, records[first : first + CHUNK])
    for first in range(0, len(steps), CHUNK):
        await queries.insert_steps(county_id, steps[first : first + CHUNK])
    answers = await _signed(actor, county_id, fresh, steps, cadres)
    if answers:
        await bulk_queries.answer(county_id, answers, at)
        rules = [code for code in {e.rule.code: e.rule for _, e in fresh} if _resident(fresh, code)]
        done = await bulk_queries.accept(county_id, [e.id for _, e in fresh], rules, at)
        result.confirmed = len(done)
    result.added = len(fresh)


def _record(
    actor: Actor | None, entry: Accepted, closed: set[tuple[str, int]], at: datetime
) -> NewRecord:
    given = entry.given
    run = month_of(given.on)
    while (given.grid_code[:12], run) in closed:
        run = next_month(run)
    return NewRecord(
        id=entry.id,
        worker_id=entry.worker_id,
        grid_code=given.grid_code,
        rule_code=entry.rule.code,
        rule_version=entry.rule.version,
        category=entry.rule.category,
        work_date=given.on,
        run_month=run,
        declared_at=at,
        seq=given.number,
        text=entry.text,
        text_key=entry.text_key,
        quantity=entry.quantity,
        household=entry.household,
        photo=None,
        source="import",
        entered_by=actor.person_id if actor else None,
        fingerprint=hashlib.sha256(entry.id.bytes).digest(),
        state=State.PENDING,
        gives=entry.rule.points * (entry.quantity // entry.rule.per),
    )


async def _signed(
    actor: Actor | None,
    county_id: int,
    fresh: list[tuple[int, Accepted]],
    steps: list[NewStep],
    cadres: set[UUID],
) -> list[Answered]:
    """Steps that somebody named in 核实人 could confirm on the day of the work."""
    signed = {entry.id: entry for _, entry in fresh if entry.given.confirmed_by}
    rolls = {
        day: await confirming.roll_of(county_id, day)
        for day in sorted({entry.given.on for entry in signed.values()})
    }
    found: list[Answered] = []
    for step in steps:
        entry = signed.get(step.record_id)
        if entry is None:
            continue
        names = frozenset(entry.given.confirmed_by.replace("，", "、").split("、"))
        excluded = frozenset({entry.worker_id, *([actor.person_id] if actor else [])})
        who = rolls[entry.given.on].confirmer(
            step.step, entry.given.grid_code, excluded, cadre=entry.worker_id in cadres
        )
        by = next((p for p in who.people if p.name in names), None) if who else None
        if who is not None and by is not None:
            found.append(Answered(step.id, by.person_id, confirming.authority_of(who)))
    return found


def _resident(fresh: list[tuple[int, Accepted]], code: str) -> bool:
    return any(entry.rule.code == code and entry.rule.resident for _, entry in fresh)


async def _forecast(
    county_id: int,
    fresh: list[tuple[int, Accepted]],
    result: Imported,
    lines: dict[int, Line],
) -> None:
    """What the rows come to once confirmed, by the same decisions that post them."""
    if not fresh:
        return
    ordered = sorted(fresh, key=lambda pair: (pair[1].given.on, pair[0]))
    by_id = {entry.id: (index, entry) for index, entry in fresh}
    due = [_due(entry) for _, entry in ordered]
    for item, _, _, decision in await posting.decisions(county_id, due):
        index, entry = by_id[item.id]
        result.gives += decision.gives
        result.counts += decision.posted
        result.cut += decision.posted < decision.gives
        for cap, amount in posting.lost(decision).items():
            result.cuts[cap] = result.cuts.get(cap, 0) + amount
        lines[index] = _line(entry, _outcome(decision), decision)


def _due(entry: Accepted) -> Due:
    return Due(
        id=entry.id,
        worker_id=entry.worker_id,
        grid_code=entry.given.grid_code,
        rule_code=entry.rule.code,
        rule_version=entry.rule.version,
        category=entry.rule.category,
        work_date=entry.given.on,
        quantity=entry.quantity,
        household=entry.household,
        text_key=entry.text_key,
        repeats=None,
        posted=0,
    )


def _outcome(decision: Decision) -> str:
    if decision.posted == decision.gives:
        return "接收"
    return "接收，上限削减" if decision.cuts else "接收，不计分"


def _line(entry: Accepted, outcome: str, decision: Decision | None = None, words: str = "") -> Line:
    return Line(
        number=entry.given.number,
        on=entry.given.on,
        grid_code=entry.given.grid_code,
        name=entry.given.name,
        code=entry.rule.code,
        text=entry.text,
        outcome=outcome,
        gives=decision.gives if decision else 0,
        counts=decision.posted if decision else 0,
        words=words or (decision.words if decision else ""),
    )


def _notes(fresh: list[tuple[int, Accepted]], result: Imported) -> None:
    rules: dict[str, Rule] = {entry.rule.code: entry.rule for _, entry in fresh}
    count = Counter(entry.rule.code for _, entry in fresh if not entry.household)
    for code, rule in sorted(rules.items()):
        if rule.household and count[code]:
            result.notes.append(
                f"{code} 有 {count[code]} 条没有填户号，不能核对“每户每周一次”，按上限计分。"
            )
    unsigned = sum(bool(entry.given.confirmed_by) for _, entry in fresh) - result.confirmed
    if unsigned:
        result.notes.append(f"{unsigned} 条写了核实人，但当天无权核实或还缺一人，仍待核实。")


def _summary(result: Imported) -> dict[str, Any]:
    names = ("rows", "added", "repeated", "refused", "confirmed", "gives", "counts", "reasons")
    return {name: getattr(result, name) for name in names}


async def _post_if_immediate(
    county_id: int, result: Imported, at: datetime, progress: Progress
) -> None:
    settings = await settings_county.get(county_id)
    if not result.confirmed or settings.posting_mode != "immediate":
        return
    ready = await bulk_queries.accepted(county_id)
    totals = await posting.post_many(county_id, ready, at, lambda n: progress("入账", n))
    result.posted = totals.posted
