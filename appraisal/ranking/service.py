"""Reading ranks at the desk: units in figures, lists of workers, the file."""

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.cycle import service as cycles
from appraisal.cycle.schemas import CycleRow
from appraisal.ranking import documents, queries
from appraisal.ranking.rules import subtotals
from appraisal.ranking.schemas import Level, RankRow, UnitLine, Wanted
from appraisal.scorecard import queries as scorecards
from appraisal.scorecard.schemas import RunRow
from shared.audit import service as audit
from shared.clock import today
from shared.documents.excel import file_name, stamp
from shared.errors import Invalid, NotFound
from shared.identity import sessions
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.schemas import UnitRow
from shared.settings_county import get as county_settings

PAGE = 50
MOST_ROWS = 100_000
BELOW = {6: 9, 9: 12, 12: 15}
"""Length of a unit's code → that of the units below."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, and the way down to it."""

    cycle: CycleRow
    run: RunRow | None
    path: list[UnitRow]
    """The county, and the units down to the one that is shown."""
    rows: list[RankRow]
    more: bool
    total: int | None
    """How many there are, where that is known without counting through conditions."""


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """The units below one, in figures."""

    cycle: CycleRow
    run: RunRow | None
    path: list[UnitRow]
    lines: list[UnitLine]
    whole: UnitLine | None
    """The unit itself, if anybody of it was scored."""


async def listing(actor: Actor, cycle_id: UUID, wanted: Wanted) -> Listing:
    """Workers in the order of their places. Raises NotFound, NoCycle."""
    cycle, run, path = await _open(actor, cycle_id, wanted.unit)
    rows: list[RankRow] = []
    total: int | None = None
    if run:
        rows = await queries.page(actor.county_id, run.id, wanted, PAGE + 1)
        if wanted.level is Level.COUNTY:
            total = run.people
        elif wanted.dense:
            total = await queries.count(actor.county_id, run.id, wanted)
    return Listing(
        cycle=cycle,
        run=run,
        path=path,
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        total=total if wanted.dense else None,
    )


async def units(actor: Actor, cycle_id: UUID, code: str) -> Units:
    """The townships of the county, the villages of a township, the grids of a village."""
    cycle, run, path = await _open(actor, cycle_id, code)
    length = BELOW.get(len(path[-1].code))
    if length is None:
        raise NotFound
    lines: list[UnitLine] = []
    whole: list[UnitLine] = []
    if run:
        lines = await queries.units(actor.county_id, run.id, path[-1].code, length)
        whole = await queries.units(actor.county_id, run.id, path[-1].code, len(path[-1].code))
    return Units(cycle=cycle, run=run, path=path, lines=lines, whole=whole[0] if whole else None)


async def whole(
    actor: Actor, cycle_id: UUID, wanted: Wanted, purpose: str, now: datetime, most: int = MOST_ROWS
) -> Listing:
    """The whole list, for somebody who takes it out and says why.

    Raises NotFound, NoCycle, ConfirmFirst, Invalid.
    """
    cycle, run, path = await _open(actor, cycle_id, wanted.unit)
    require(actor, Action.EXPORT, Target(unit_code=path[-1].code))
    sessions.require_confirmed(actor, now)
    if not purpose.strip():
        raise Invalid("请写明导出的用途。", {"purpose": "请写明用途，例如“部务会审议”。"})
    if run is None:
        raise NotFound
    start = msgspec.structs.replace(wanted, after=0)
    rows = await queries.page(actor.county_id, run.id, start, most + 1)
    if len(rows) > most:
        raise Invalid(f"超过 {most} 行，请按乡镇分别导出。")
    return Listing(cycle=cycle, run=run, path=path, rows=rows, more=False, total=len(rows))


async def export(
    actor: Actor, cycle_id: UUID, wanted: Wanted, purpose: str, now: datetime
) -> tuple[str, bytes]:
    """The list as a workbook, logged. Raises NotFound, NoCycle, ConfirmFirst, Invalid."""
    found = await whole(actor, cycle_id, wanted, purpose, now)
    settings = await county_settings(actor.county_id)
    name = f"{found.path[-1].name}网格员考核排名"
    times = f"，第 {found.run.number} 次评分" if found.run else ""
    content = await asyncio.to_thread(
        documents.ranking,
        f"{name}（{found.cycle.title}{times}）",
        settings.department_name,
        today(now),
        found.rows,
        subtotals(found.rows, BELOW.get(len(found.path[-1].code), 15)),
        stamp(actor.name, now),
    )
    title = found.cycle.title
    unit, rows = found.path[-1].code, len(found.rows)
    await audit.log_export(actor, f"{name}（{title}）", purpose.strip(), rows, now, unit_code=unit)
    return file_name(name, title, now), content


async def _open(
    actor: Actor, cycle_id: UUID, code: str
) -> tuple[CycleRow, RunRow | None, list[UnitRow]]:
    code = code or actor.county_code
    require(actor, Action.RANK_VIEW, Target(unit_code=code))
    cycle = await cycles.get(actor, cycle_id)
    codes = [code[:length] for length in (6, 9, 12, 15) if length <= len(code)]
    found = await roster.units(actor.county_id, codes)
    # A right is asked by prefix, so digits after a unit's code would pass, and no list ends there.
    if code not in codes or set(found) != set(codes):
        raise NotFound
    run = await scorecards.current_run(actor.county_id, cycle_id)
    return cycle, run, [found[one] for one in codes]
