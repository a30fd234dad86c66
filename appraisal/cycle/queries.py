"""SQL of cycles. ``$1`` is the county everywhere."""

from datetime import date, datetime
from uuid import UUID

from appraisal.cycle.rules import Kind, Stage
from appraisal.cycle.schemas import CycleRow, StepRow
from shared.database import DB

CYCLE = """
SELECT id, kind, year, title, starts_on, ends_on, state, opened_by, opened_at, closed_at
FROM appraisal.cycle
"""
CYCLE_BY_ID = CYCLE + "WHERE county_id = $1 AND id = $2"
CYCLE_SHARED = CYCLE_BY_ID + " FOR SHARE"
CYCLE_LOCKED = CYCLE_BY_ID + " FOR UPDATE"
CYCLES = CYCLE + "WHERE county_id = $1 ORDER BY ends_on DESC LIMIT 100"
CYCLE_OF_PERIOD = CYCLE + "WHERE county_id = $1 AND kind = $2 AND year = $3"
INSERT_CYCLE = """
INSERT INTO appraisal.cycle (county_id, id, kind, year, title, starts_on, ends_on, state,
    opened_by, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $9)
ON CONFLICT (county_id, kind, year) DO NOTHING RETURNING id
"""
SET_STATE = """
UPDATE appraisal.cycle SET state = $3, closed_at = $4 WHERE county_id = $1 AND id = $2
"""
INSERT_STEP = """
INSERT INTO appraisal.cycle_step (county_id, id, cycle_id, source, target, at, person_id, name,
    authority, note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
STEPS = """
SELECT source, target, at, name, authority, note FROM appraisal.cycle_step
WHERE county_id = $1 AND cycle_id = $2 ORDER BY at, id
"""
RETURNED_AT = """
SELECT max(at) FROM appraisal.cycle_step
WHERE county_id = $1 AND cycle_id = $2 AND source = 'score' AND target = 'collect'
"""
REOPENED = """
SELECT EXISTS (SELECT FROM appraisal.cycle_step
    WHERE county_id = $1 AND cycle_id = $2 AND source = 'closed'
      AND ($3::timestamptz IS NULL OR at > $3))
"""


async def cycle(county_id: int, cycle_id: UUID) -> CycleRow | None:
    return await DB.one(CycleRow, CYCLE_BY_ID, county_id, cycle_id)


async def cycle_shared(county_id: int, cycle_id: UUID) -> CycleRow | None:
    return await DB.one(CycleRow, CYCLE_SHARED, county_id, cycle_id)


async def cycle_locked(county_id: int, cycle_id: UUID) -> CycleRow | None:
    return await DB.one(CycleRow, CYCLE_LOCKED, county_id, cycle_id)


async def cycle_of_period(county_id: int, kind: Kind, year: int) -> CycleRow | None:
    return await DB.one(CycleRow, CYCLE_OF_PERIOD, county_id, kind, year)


async def cycles(county_id: int) -> list[CycleRow]:
    return await DB.all(CycleRow, CYCLES, county_id)


async def insert_cycle(
    county_id: int,
    cycle_id: UUID,
    kind: Kind,
    year: int,
    title: str,
    starts_on: date,
    ends_on: date,
    opened_by: UUID,
    opened_at: datetime,
) -> bool:
    """Whether it was new."""
    made = await DB.fetchval(
        INSERT_CYCLE,
        county_id,
        cycle_id,
        kind,
        year,
        title,
        starts_on,
        ends_on,
        opened_by,
        opened_at,
    )
    return made is not None


async def set_state(
    county_id: int, cycle_id: UUID, state: Stage, closed_at: datetime | None
) -> None:
    await DB.execute(SET_STATE, county_id, cycle_id, state, closed_at)


async def insert_step(
    county_id: int,
    step_id: UUID,
    cycle_id: UUID,
    source: Stage,
    target: Stage,
    at: datetime,
    person_id: UUID,
    name: str,
    authority: str,
    note: str,
) -> None:
    await DB.execute(
        INSERT_STEP,
        county_id,
        step_id,
        cycle_id,
        source,
        target,
        at,
        person_id,
        name,
        authority,
        note,
    )


async def steps(county_id: int, cycle_id: UUID) -> list[StepRow]:
    return await DB.all(StepRow, STEPS, county_id, cycle_id)


async def returned_at(county_id: int, cycle_id: UUID) -> datetime | None:
    found: datetime | None = await DB.fetchval(RETURNED_AT, county_id, cycle_id)
    return found


async def reopened(county_id: int, cycle_id: UUID, since: datetime | None = None) -> bool:
    """Whether a cycle was closed before: it is open for papers that were received in time."""
    found: bool = await DB.fetchval(REOPENED, county_id, cycle_id, since)
    return found
