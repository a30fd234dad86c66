"""The county's list of households, read from an office file: number and villager group, no name.

A file speaks for the grids it names. Nothing is written while a cell is wrong; a dry run is the
real path, rolled back; the same file again changes nothing. A household that is missing is said
and goes only on demand. One that moved leaves its old grid where the file names that; a new one
whose number another grid has is pointed out, for numbers may also be given grid by grid.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.survey import queries
from appraisal.survey.rules import GROUP, HOUSEHOLD
from appraisal.survey.schemas import HouseholdRow
from shared.audit import service as audit
from shared.database import DB, Rollback
from shared.documents.faults import fault_report
from shared.documents.read import Column, Row, Table, read_table
from shared.errors import Conflict, NotFound
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.rules import county_code
from shared.uploads import queries as runs
from shared.uploads import service as uploads

COLUMNS = (
    Column("网格编码", "code", required=True, aliases=("网格代码", "网格编号")),
    Column("户号", "code", required=True, aliases=("住户编号", "家庭编号", "户编号")),
    Column("村民小组", "text", aliases=("小组", "居民小组", "组别")),
    Column("原网格编码", "code", aliases=("原网格", "迁出网格编码")),
)
DROPPED = ("户主", "户主姓名", "姓名", "身份证号", "手机号", "联系电话", "住址", "备注")
MAX_ROWS = 500_000
"""Lines of a .csv; a workbook ends at 100,000 and is split by township."""
SHOWN_TWINS = 5
KIND = "households"
SHORT = (
    "这个网格的名单里有“{}”，只差前面的 0。是同一户的，请把这一列设为文本格式，写成一样；"
    "全部改了号的，导入时请选删除表中没有的住户。"
)
GONE = "这份文件已过期，请重新选择名单文件，再下载标红的表格。"


class Imported(msgspec.Struct, kw_only=True):
    """What a file did or, in a dry run, would do; ``report`` is the marked workbook if faulty."""

    rows: int
    grids: int = 0
    created: int = 0
    moved: int = 0
    """Households that left the grid which the file names as their old one."""
    changed: int = 0
    same: int = 0
    missing: int = 0
    """Stored households of the file's grids that the file does not name."""
    ended: int = 0
    faults: list[str] = []
    fault_count: int = 0
    report: bytes | None = None
    left_out: list[str] = []
    hidden: str = ""
    """Says which hidden rows were read."""
    twins: str = ""
    """Says which new households may be known in another grid."""
    seconds: float = 0.0


class _Given(msgspec.Struct, frozen=True):
    """What the file says of a household."""

    row: Row
    group: str
    came_from: str
    """The grid it left; empty if the file names none."""


async def import_households(
    actor: Actor | None,
    county_id: int,
    data: bytes,
    name: str,
    *,
    dry_run: bool = False,
    end_missing: bool = False,
) -> Imported:
    """Read a list of households; ``actor`` None is the console. Raises BadFile, NotFound."""
    began = time.perf_counter()
    if actor is not None:
        require(actor, Action.SURVEY_RUN, whole_county(county_id))
    table = await asyncio.to_thread(read_table, data, name, COLUMNS, dropped=DROPPED, rows=MAX_ROWS)
    left_out = [*table.dropped, *table.unknown]
    result = Imported(rows=len(table.rows), left_out=left_out, hidden=table.hidden_note())
    async with DB.revocable():
        await queries.lock_households(county_id)
        given = await _given(county_id, table)
        await _check_moves(county_id, given, table)
        if not table.faults:
            await _store(county_id, given, table, result, end_missing=end_missing)
        if dry_run or table.faults:
            raise Rollback
        await audit.record(
            actor,
            "import.households",
            "household_file",
            county_id=county_id,
            unit_code=county_code(county_id),
            after=_summary(result) | {"sha256": hashlib.sha256(data).hexdigest()},
        )
    if table.faults:
        result.faults = table.sentences()
        result.fault_count = len(table.faults)
        result.report = await asyncio.to_thread(fault_report, table)
    result.seconds = time.perf_counter() - began
    return result


async def keep(actor: Actor, data: bytes, name: str, result: Imported, now: datetime) -> UUID:
    """Keep a faulty file, sealed, for a day, so that its marked workbook can be fetched."""
    summary = _summary(result) | {"faults": result.fault_count}
    run = await uploads.sealed(actor, KIND, name, data, data, summary, now)
    await runs.insert(actor.county_id, run)
    return run.id


async def report(actor: Actor, run_id: UUID) -> tuple[str, bytes]:
    """The workbook of one's own faulty file, marked: name and content.

    Raises NotFound, Conflict when a day has passed or the file has no fault any more.
    """
    require(actor, Action.SURVEY_RUN, whole_county(actor.county_id))
    run = await uploads.own(actor, run_id, KIND)
    if run.payload is None:
        raise Conflict(GONE)
    data = await uploads.opened(run)
    result = await import_households(actor, actor.county_id, data, run.file_name, dry_run=True)
    if result.report is None:
        raise Conflict("按现在的花名册，这份名单已经没有错误，请直接导入。")
    return uploads.report_name(run), result.report


async def counts(actor: Actor) -> list[tuple[str, str, int, int]]:
    """Township code and name, grids and households on the living list."""
    require(actor, Action.SURVEY_VIEW, whole_county(actor.county_id))
    rows = await queries.household_counts(actor.county_id)
    units = await roster.units(actor.county_id, [code for code, _, _ in rows])
    return [
        (code, units[code].name if code in units else code, grids, count)
        for code, grids, count in rows
    ]


async def _given(county_id: int, table: Table) -> dict[tuple[str, str], _Given]:
    """By grid and number; what is wrong becomes a fault."""
    code = county_code(county_id)
    units = await roster.units_below(county_id, code, UnitKind.GRID)
    if not units:
        raise NotFound(f"县 {code} 还没有网格，请先导入花名册，再导入住户名单。")
    grids = {unit.code for unit in units if unit.closed_on is None}
    faulty = {(fault.sheet, fault.row) for fault in table.faults}
    found: dict[tuple[str, str], _Given] = {}
    for row in table.rows:
        if (row.sheet, row.number) in faulty:
            continue
        grid, number, group = row["网格编码"], row["户号"], row["村民小组"] or ""
        if grid not in grids:
            table.fault(row, "网格编码", f"花名册里没有编码为 {grid[:20]} 的网格，请核对。")
        if not HOUSEHOLD.fullmatch(number):
            table.fault(row, "户号", "户号只能是 20 位以内的数字、字母或短横线，不要写姓名。")
        if group and not GROUP.fullmatch(group):
            table.fault(row, "村民小组", "小组名最多 20 个字，不能有逗号、空格等符号。")
        if other := found.get((grid, number)):
            where = table.where(other.row)
            table.fault(row, "户号", f"与{where}的网格和户号相同，一户只能写一行。")
        else:
            before = row["原网格编码"] or ""
            found[grid, number] = _Given(row, group, "" if before == grid else before)
    return found


async def _check_moves(county_id: int, given: dict[tuple[str, str], _Given], table: Table) -> None:
    """Who is said to have left a grid is known there, or has come over already."""
    moves = {key: one for key, one in given.items() if one.came_from}
    if not moves:
        return
    grids = sorted({grid for grid, _ in moves} | {one.came_from for one in moves.values()})
    stored = {(row.grid_code, row.number) for row in await queries.households(county_id, grids)}
    left: dict[tuple[str, str], Row] = {}
    for (grid, number), one in moves.items():
        before = (one.came_from, number)
        other = given[before].row if before in given else left.setdefault(before, one.row)
        if other is not one.row:
            sentence = f"{table.where(other)}也是这一户，请只留一行。"
            table.fault(one.row, "原网格编码", sentence)
        elif not stored.intersection({before, (grid, number)}):
            sentence = "原网格的名单里没有这个户号，请核对；不是迁来的，请清空这一格。"
            table.fault(one.row, "原网格编码", sentence)


async def _store(
    county_id: int,
    given: dict[tuple[str, str], _Given],
    table: Table,
    result: Imported,
    *,
    end_missing: bool,
) -> None:
    grids = sorted({grid for grid, _ in given})
    arrived = await _leave(county_id, given, result)
    old = {(row.grid_code, row.number): row for row in await queries.households(county_id, grids)}
    fresh: dict[str, list[HouseholdRow]] = defaultdict(list)
    moved = []
    for (grid, number), one in given.items():
        known = old.pop((grid, number), None)
        if known is None:
            fresh[grid].append(HouseholdRow(new_id(), grid, number, one.group))
        elif known.villager_group != one.group:
            moved.append((known.id, one.group))
        elif (grid, number) not in arrived:
            result.same += 1
    rows = [row for grid in grids for row in fresh[grid]]
    new = {(row.grid_code, row.number) for row in rows} - arrived
    if not end_missing:
        short = {(row.grid_code, row.number.lstrip("0")): row.number for row in old.values()}
        for row in rows:
            if other := short.get((row.grid_code, row.number.lstrip("0"))):
                line = given[row.grid_code, row.number].row
                table.fault(line, "户号", SHORT.format(other))
    await queries.insert_households(county_id, rows)
    await queries.move_households(county_id, moved)
    if end_missing:
        await queries.end_households(county_id, [row.id for row in old.values()])
        result.ended = len(old)
    result.missing = len(old)
    result.twins = await _twins(county_id, given, new)
    result.grids, result.created, result.changed = len(grids), len(new), len(moved)


async def _leave(
    county_id: int, given: dict[tuple[str, str], _Given], result: Imported
) -> set[tuple[str, str]]:
    """Take who moved off the list of the old grid; their places in the new ones."""
    left = {(one.came_from, key[1]): key for key, one in given.items() if one.came_from}
    grids = sorted({grid for grid, _ in left})
    rows = [
        row
        for row in await queries.households(county_id, grids)
        if (row.grid_code, row.number) in left
    ]
    await queries.end_households(county_id, [row.id for row in rows])
    result.moved = len(rows)
    return {left[row.grid_code, row.number] for row in rows}


async def _twins(
    county_id: int, given: dict[tuple[str, str], _Given], new: set[tuple[str, str]]
) -> str:
    """Which of the new households may be one that another grid still lists."""
    numbers = sorted({number for _, number in new})
    found = sorted(
        (grid, number, other)
        for number, *pair in await queries.in_two_grids(county_id, numbers)
        for grid, other in (pair, reversed(pair))
        if (grid, number) in new and (other, number) not in given
    )
    if not found:
        return ""
    words = "、".join(
        f"网格 {grid} 的 {number} 户在 {other}" for grid, number, other in found[:SHOWN_TWINS]
    )
    more = "等" if len(found) > SHOWN_TWINS else ""
    return (
        f"有 {len(found)} 户新增的，户号在另一个网格的名单里也有（{words}{more}）。"
        "是从那里迁来的，请加一列“原网格编码”写明原来的网格再导入，原来的那一条就会删去；"
        "不是同一户的不用管。"
    )


def _summary(result: Imported) -> dict[str, int]:
    names = ("rows", "grids", "created", "moved", "changed", "missing", "ended")
    return {name: getattr(result, name) for name in names}
