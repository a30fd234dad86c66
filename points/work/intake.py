"""Import of a file of work records: every row accepted, cut or refused, and the sums explained.

An imported row is a paper slip handed in with its month, so it belongs to the run of its own
month, or to the next run that is still open. Its id is made from what makes two rows equal: the
same file again adds nothing. Rows wait for their verifier, unless a column 核实人 names somebody
who had the authority on that day.

Rows stream through COPY into a staging table and are told apart and stored set-wise, all in one
transaction: a file is never held in memory, and an import that is killed has not happened.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from points.rulebook import service as rulebook
from points.rulebook.rules import Decision, Rule
from points.work import bulk_queries, confirming, intake_rules, posting
from points.work import intake_queries as staging
from points.work.bulk_queries import Answered
from points.work.intake_queries import Signed, StagedLine
from points.work.intake_report import Imported, Line
from points.work.intake_rules import Given, Refused, World
from points.work.rules import Confirmer
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB, Rollback
from shared.documents.errors import BadFile
from shared.documents.read import Column, Fault, Row, Stream, read_stream
from shared.errors import Conflict
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.months import month_of, months_later
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.rules import county_code

COLUMNS = (
    Column("日期", "date", required=True, aliases=("工作日期", "完成日期", "时间")),
    Column("网格编码", "code", required=True, aliases=("网格代码", "网格编号")),
    Column("姓名", "name", required=True, aliases=("网格员", "网格员姓名")),
    Column("规则编号", "code", required=True, aliases=("规则", "积分规则", "事项编号")),
    Column("内容", "text", aliases=("工作内容", "事项", "工作情况")),
    Column("数量", "integer", aliases=("户数", "次数"), alone=True),
    Column("户号", "code", aliases=("家庭编号", "探访户号")),
    Column("核实人", "name", aliases=("核实", "审核人姓名")),
)
DROPPED = ("备注", "身份证号", "手机号", "联系电话")
CHUNK = 5_000
DETAILED = 30_000
"""Rows up to which each row is reported and what it will come to is worked out, in memory: a month
of the largest county."""
LINES = 20_000
"""Refused rows that a larger file's report holds."""
BREATH = 500
"""Rows after which others of the process have their turn."""
Progress = Callable[[str, int], None]
"""Told the step's name and how many rows it dealt with."""


async def import_work(
    actor: Actor | None,
    county_id: int,
    source: bytes | Path,
    name: str,
    *,
    dry_run: bool = False,
    now: datetime,
    progress: Progress = lambda _step, _count: None,
) -> Imported:
    """Read, check and store a file of records; a dry run is the same, rolled back.

    ``source`` is an upload, or a file on this machine. ``actor`` None is the console. Raises
    BadFile, NotFound.
    """
    began = time.perf_counter()
    if actor is not None:
        require(actor, Action.WORK_IMPORT, whole_county(county_id))
    table = await asyncio.to_thread(read_stream, source, name, COLUMNS, dropped=DROPPED)
    result = Imported(rows=0, left_out=[*table.dropped, *table.unknown])
    try:
        async with DB.revocable():
            await bulk_queries.lock_import(county_id)
            await _store(actor, county_id, table, result, now, progress)
            await audit.record(
                actor,
                Action.WORK_IMPORT,
                "work_file",
                county_id=county_id,
                unit_code=county_code(county_id),
                after=_summary(result) | {"sha256": _digest(source)},
            )
            if dry_run:
                raise Rollback
    except UniqueViolationError as error:
        raise Conflict("导入时有人正好记了同样的工作，什么都没有写入，请再导入一次。") from error
    if not dry_run:
        await _post_if_immediate(county_id, result, now, progress)
    result.seconds = time.perf_counter() - began
    return result


def _digest(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _store(
    actor: Actor | None,
    county_id: int,
    table: Stream,
    result: Imported,
    at: datetime,
    progress: Progress,
) -> None:
    async with staging.without_loops():
        world = await _world(county_id, at)
    closed = await bulk_queries.closed_months(county_id)
    await staging.create()
    await staging.stage(_staged(table, world, closed, result, progress))
    if not result.rows:
        raise BadFile("表头下面没有数据行，请检查后重新选择文件。")
    for outcome, kind, count in await staging.tell_apart(county_id):
        if outcome == "known":
            result.repeated += count
        elif outcome == "fresh":
            result.added += count
        else:
            result.refused += count
            result.reasons[kind] = result.reasons.get(kind, 0) + count
    progress("核对", result.rows)
    if result.added:
        await staging.insert_records(county_id, at, actor.person_id if actor else None)
        await _steps(actor, county_id, world, result, at)
        progress("写入", result.added)
    await _report(county_id, table, result)
    if note := table.hidden_note():
        result.notes.append(note)
    await _notes(world, result)
    progress("检查", result.added)


async def _world(county_id: int, at: datetime) -> World:
    code = county_code(county_id)
    spans: dict[str, list[Any]] = defaultdict(list)
    for span in await roster.workers(county_id, code, date.min, date.max):
        spans[span.grid_code].append(span)
    grids = await roster.units_below(county_id, code, UnitKind.GRID)
    return World(
        county_id=county_id,
        rules=await rulebook.versions(county_id),
        workers=spans,
        grids=frozenset(unit.code for unit in grids),
        today=today(at),
    )


async def _staged(
    table: Stream,
    world: World,
    closed: set[tuple[str, int]],
    result: Imported,
    progress: Progress,
) -> AsyncIterator[tuple[Any, ...]]:
    """Rows as ``staging.ROW``, each with its record or with why it gets none."""
    told = 0
    for row, faults in table.rows():
        if result.rows % BREATH == 0:
            progress("读取", result.rows - told)
            told = result.rows
            await asyncio.sleep(0)
        yield _staged_row(result.rows, row, faults, world, closed)
        result.rows += 1
    progress("读取", result.rows - told)


def _staged_row(
    n: int, row: Row, faults: list[Fault], world: World, closed: set[tuple[str, int]]
) -> tuple[Any, ...]:
    try:
        if faults:
            words = "；".join(f"{fault.column}：{fault.sentence}" for fault in faults)
            raise Refused("单元格有误", words)  # noqa: TRY301  as any other refusal
        given = _given(row)
        entry = intake_rules.accept(given, world)
    except Refused as refusal:
        cells = [row[title] or "" for title in ("网格编码", "姓名", "规则编号", "内容")]
        more = row["数量"], row["户号"] or "", row["核实人"] or ""
        return (
            n, row.sheet, row.number, row["日期"], *cells, *more, "", None, None, None, "",
            0, 0, refusal.column, refusal.reason, "refused",
        )  # fmt: skip
    rule, run = entry.rule, month_of(given.on)
    while (given.grid_code[:12], run) in closed:
        run = months_later(run)
    gives = rule.points * (entry.quantity // rule.per)
    return (
        n, row.sheet, row.number, given.on, given.grid_code, given.name, rule.code, entry.text,
        entry.quantity, entry.household, given.confirmed_by, entry.text_key, entry.id,
        entry.worker_id, rule.version, rule.category, gives, run, "", "", "fresh",
    )  # fmt: skip


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


async def _steps(
    actor: Actor | None, county_id: int, world: World, result: Imported, at: datetime
) -> None:
    """The steps that new records wait for, and those that 核实人 answers."""
    roll = await confirming.roll_of(county_id, today(at))
    alike = await staging.combinations()
    cadres = await bulk_queries.cadres(county_id, sorted({each.worker_id for each in alike}))
    steps: list[tuple[Any, ...]] = []
    for each in alike:
        excluded = _excluded(actor, each.worker_id)
        for step in _rule(world, each.code, each.version).steps:
            found = roll.confirmer(
                step, each.grid_code, excluded, each.worker_id, cadre=each.worker_id in cadres
            )
            where = (found.role, found.unit_code, found.grid_code) if found else ("", "", "")
            steps.append((each.worker_id, each.grid_code, each.code, each.version, step, *where))
    await staging.stage_steps(steps)
    await staging.insert_steps(county_id, at)
    if await staging.any_signed():
        await _signed(actor, county_id, world, cadres, result, at)


def _excluded(actor: Actor | None, worker_id: UUID) -> frozenset[UUID]:
    return frozenset({worker_id, *([actor.person_id] if actor else [])})


def _rule(world: World, code: str, version: int) -> Rule:
    return next(rule for rule in world.rules[code] if rule.version == version)


async def _signed(
    actor: Actor | None,
    county_id: int,
    world: World,
    cadres: set[UUID],
    result: Imported,
    at: datetime,
) -> None:
    """Confirm what somebody named in 核实人 could confirm on the day of the work.

    Not while the quiet days of a rule run: a quarrel may break out again.
    """
    rolls: dict[date, confirming.Roll] = {}
    resident = [code for code, rules in world.rules.items() if any(r.resident for r in rules)]
    for first in range(0, result.rows, CHUNK):
        answers: list[Answered] = []
        taken: set[tuple[UUID, UUID]] = set()
        for row in await staging.signed(county_id, first, first + CHUNK):
            quiet = _rule(world, row.code, row.version).quiet_days
            if row.work_date + timedelta(days=quiet) > today(at):
                continue
            if row.work_date not in rolls:
                rolls[row.work_date] = await confirming.roll_of(county_id, row.work_date)
            excluded = _excluded(actor, row.worker_id)
            who = rolls[row.work_date].confirmer(
                row.step, row.grid_code, excluded, row.worker_id, cadre=row.worker_id in cadres
            )
            if by := _named(who, row, taken):
                assert who is not None  # noqa: S101  somebody of it was named
                taken.add((row.id, by))
                answers.append(Answered(row.step_id, by, confirming.authority_of(who)))
        if answers:
            await bulk_queries.answer(county_id, answers, at)
            ids = await staging.signed_ids(first, first + CHUNK)
            result.confirmed += len(await bulk_queries.accept(county_id, ids, resident, at))


def _named(who: Confirmer | None, row: Signed, taken: set[tuple[UUID, UUID]]) -> UUID | None:
    """Who of those that may confirm is named in the cell.

    Not for another step of the record as well, unless they stand in from above.
    """
    if who is None:
        return None
    listed = frozenset(row.confirmed_by.replace("，", "、").split("、"))
    return next(
        (
            held.person_id
            for held in who.people
            if held.name in listed and (who.escalated or (row.id, held.person_id) not in taken)
        ),
        None,
    )


async def _report(county_id: int, table: Stream, result: Imported) -> None:
    """Every row with what it will come to once confirmed, or a large file's refused rows."""
    large = result.rows > DETAILED
    result.forecast = not large
    decided: dict[UUID, Decision] = {}
    if result.added and not large:
        for item, _, _, decision in await posting.decisions(county_id, await staging.due()):
            decided[item.id] = decision
            result.gives += decision.gives
            result.counts += decision.posted
            result.cut += decision.posted < decision.gives
            for cap, amount in posting.lost(decision).items():
                result.cuts[cap] = result.cuts.get(cap, 0) + amount
    for line in await staging.lines(LINES if large else DETAILED, refused=large):
        found = decided.get(line.id) if line.id and line.outcome == "fresh" else None
        result.lines.append(_line(line, table, found))
    if large:
        result.notes.append(
            f"文件超过 {DETAILED} 行：没有逐行计算，上限在入账时照常执行；逐行结果只列被拒绝的行"
            + (f"，只列前 {LINES} 行。" if result.refused > LINES else "。")
        )


TOLD_APART = "不同网格各做了一次的，请在内容里写明是哪个网格。"
OUTCOMES = {"known": "以前已导入", "fresh": "接收"}
WORDS = {
    "known": "这一行以前导入过，没有再记。",
    "standing": "重复：网格员自己或村里代录时已记过这一条。",
    "elsewhere": f"重复：这个人在另一个网格已记过同样的内容。{TOLD_APART}",
}


def _line(line: StagedLine, table: Stream, decision: Decision | None) -> Line:
    words = line.reason or WORDS.get(line.outcome, "")
    if line.first_sheet is not None and line.first_number is not None:
        where = table.where(line.first_sheet, line.first_number)
        words = f"重复：与{where}的日期、人、规则、内容相同。"
        words += TOLD_APART if line.first_grid != line.grid_code else ""
    return Line(
        sheet=table.names[line.sheet] if len(table.places) > 1 else "",
        number=line.number,
        on=line.work_date,
        grid_code=line.grid_code,
        name=line.name,
        code=line.code,
        text=line.content,
        quantity=line.quantity,
        household=line.household,
        confirmed_by=line.confirmed_by,
        outcome=_outcome(decision) if decision else OUTCOMES.get(line.outcome, "拒绝"),
        gives=decision.gives if decision else 0,
        counts=decision.posted if decision else 0,
        words=decision.words if decision else words,
    )


def _outcome(decision: Decision) -> str:
    if decision.posted == decision.gives:
        return "接收"
    return "接收，上限削减" if decision.cuts else "接收，不计分"


async def _notes(world: World, result: Imported) -> None:
    signed = 0
    for row in await staging.by_rule():
        signed += row.signed
        if any(rule.household for rule in world.rules[row.code]) and row.without_household:
            result.notes.append(
                f"{row.code} 有 {row.without_household} 条没有填户号，"
                "不能核对“每户每周一次”，按上限计分。"
            )
        if result.rows > DETAILED:
            result.gives += row.gives
    if signed > result.confirmed:
        result.notes.append(
            f"{signed - result.confirmed} 条写了核实人，但当天无权核实、还缺一人"
            "或规定的天数未满，仍待核实。"
        )


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
