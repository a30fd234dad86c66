"""SQL of the survey's preparation and field work; ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.survey.draw import Drawn, Household
from appraisal.survey.rules import Aspect
from appraisal.survey.schemas import (
    Candidate,
    DrawnRow,
    FormRow,
    GridProgress,
    HouseholdRow,
    Interviewer,
    SurveyRow,
)
from shared import lock_queries
from shared.database import DB

SURVEY = """
SELECT id, cycle_id, form_id, state, per_grid, list_hash, households, value_source, frozen_at,
       public_value, seed, draw_hash, drawn_at, closed_at, waiting, lost, dropped
FROM appraisal.survey WHERE county_id = $1
"""
HOUSEHOLDS = """
SELECT id, grid_code, number, villager_group FROM appraisal.household
WHERE county_id = $1 AND grid_code = ANY($2)
"""
# A grid that was closed keeps its households, should it be opened again, but nobody is drawn there.
OPEN = """
FROM appraisal.household h
JOIN shared.unit u ON u.county_id = h.county_id AND u.code = h.grid_code AND u.closed_on IS NULL
WHERE h.county_id = $1
"""
TO_FREEZE = f"""
SELECT h.grid_code, h.number, h.villager_group AS group {OPEN}
ORDER BY h.grid_code COLLATE "C", h.number COLLATE "C"
"""
HOUSEHOLD_COUNTS = f"""
SELECT left(h.grid_code, 9) AS code, count(DISTINCT h.grid_code)::int AS grids,
       count(*)::int AS count {OPEN}
GROUP BY 1 ORDER BY 1
"""
INSERT_HOUSEHOLDS = """
INSERT INTO appraisal.household (county_id, id, grid_code, number, villager_group)
SELECT $1, new.id, new.grid_code, new.number, new.villager_group
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[])
    AS new (id, grid_code, number, villager_group)
"""
MOVE_HOUSEHOLDS = """
UPDATE appraisal.household h SET villager_group = new.villager_group
FROM unnest($2::uuid[], $3::text[]) AS new (id, villager_group)
WHERE h.county_id = $1 AND h.id = new.id
"""
# Among the numbers given, those that stand in just two grids, of a village or of the county.
IN_TWO_GRIDS = """
SELECT number, min(grid_code COLLATE "C") AS one, max(grid_code COLLATE "C") AS other
FROM appraisal.household WHERE county_id = $1 AND number = ANY($2)
GROUP BY GROUPING SETS ((number, left(grid_code, 12)), (number))
HAVING count(*) = 2
"""
END_HOUSEHOLDS = "DELETE FROM appraisal.household WHERE county_id = $1 AND id = ANY($2)"
FORM = """
SELECT id, version, aspects, created_at FROM appraisal.survey_form WHERE county_id = $1
"""
INSERT_FORM = """
INSERT INTO appraisal.survey_form (county_id, id, version, aspects, created_by, created_at)
SELECT $1, $2, COALESCE(max(version), 0) + 1, $3, $4, $5
FROM appraisal.survey_form WHERE county_id = $1
"""
INSERT_SURVEY = """
INSERT INTO appraisal.survey (county_id, id, cycle_id, form_id, state, per_grid, list_file,
    list_hash, households, value_source, frozen_by, frozen_at)
VALUES ($1, $2, $3, $4, 'frozen', $5, $6, $7, $8, $9, $10, $11)
"""
INSERT_GRIDS = """
INSERT INTO appraisal.survey_grid (county_id, id, survey_id, grid_code, households)
SELECT $1, new.id, $2, new.grid_code, new.households
FROM unnest($3::uuid[], $4::text[], $5::int[]) AS new (id, grid_code, households)
"""
DRAWN = """
UPDATE appraisal.survey SET state = 'drawn', public_value = $3, seed = $4, draw_hash = $5,
    drawn_by = $6, drawn_at = $7
WHERE county_id = $1 AND id = $2
"""
CLOSED = """
UPDATE appraisal.survey SET state = 'closed', closed_by = $3, closed_at = $4, waiting = 0,
    dropped = $5
WHERE county_id = $1 AND id = $2
"""
INSERT_DRAWN = """
INSERT INTO appraisal.survey_household
    (county_id, id, survey_id, grid_code, ordinal, kind, number, villager_group)
SELECT $1, new.id, $2, new.grid_code, new.ordinal, new.kind, new.number, new.villager_group
FROM unnest($3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[])
    AS new (id, grid_code, ordinal, kind, number, villager_group)
ON CONFLICT (county_id, survey_id, grid_code COLLATE "C", number COLLATE "C") DO NOTHING
"""
LISTED = """
SELECT id, grid_code, ordinal, kind, number, villager_group, status, visits
FROM appraisal.survey_household
WHERE county_id = $1 AND survey_id = $2 AND grid_code COLLATE "C" = ANY($3)
ORDER BY grid_code COLLATE "C", ordinal
"""
NOTE = """
UPDATE appraisal.survey_household h
SET status = new.status, visits = new.visits, noted_by = $3, noted_on = $4
FROM unnest($5::uuid[], $6::text[], $7::smallint[]) AS new (id, status, visits)
WHERE h.county_id = $1 AND h.survey_id = $2 AND h.id = new.id
"""
# Grid by grid through their indexes, where whole tables are filled at once: in the first minute
# after a draw or a count there are no statistics of them, and joins took a second. Used slips have
# no such index, and come one by one.
PROGRESS = """
SELECT g.grid_code, g.households, h.listed, h.handed, h.pending, h.gone, b.slips,
    CASE WHEN $4 THEN k.n ELSE COALESCE(u.n, 0) + COALESCE(p.n, 0) END AS answered
FROM appraisal.survey_grid g
CROSS JOIN LATERAL (SELECT count(*)::int AS listed,
        (count(*) FILTER (WHERE status = 'handed'))::int AS handed,
        (count(*) FILTER (WHERE status = 'pending'))::int AS pending,
        (count(*) FILTER (WHERE status IN ('refused', 'absent')))::int AS gone
    FROM appraisal.survey_household
    WHERE county_id = $1 AND survey_id = $2 AND grid_code COLLATE "C" = g.grid_code) h
CROSS JOIN LATERAL (SELECT COALESCE(sum(slips), 0)::int AS slips FROM appraisal.slip_batch
    WHERE county_id = $1 AND survey_id = $2 AND grid_code COLLATE "C" = g.grid_code
      AND NOT voided) b
CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM appraisal.ballot
    WHERE county_id = $1 AND survey_id = $2 AND unit_code COLLATE "C" = g.grid_code) k
LEFT JOIN (SELECT grid_code, count(*)::int AS n FROM appraisal.ballot_burnt
    WHERE county_id = $1 AND survey_id = $2 GROUP BY grid_code) u USING (grid_code)
LEFT JOIN (SELECT grid_code, count(*)::int AS n FROM appraisal.ballot_spent
    WHERE county_id = $1 AND survey_id = $2 GROUP BY grid_code) p USING (grid_code)
WHERE g.county_id = $1 AND g.survey_id = $2 AND starts_with(g.grid_code, $3)
ORDER BY g.grid_code COLLATE "C"
"""
INTERVIEWERS = """
SELECT i.id, i.village_code, i.person_id, n.name
FROM appraisal.survey_interviewer i
JOIN shared.person n ON n.county_id = i.county_id AND n.id = i.person_id
WHERE i.county_id = $1 AND i.survey_id = $2 AND starts_with(i.village_code, $3)
ORDER BY i.village_code COLLATE "C", n.name_pinyin COLLATE "C"
"""
ASSIGNED = """
SELECT DISTINCT village_code FROM appraisal.survey_interviewer
WHERE county_id = $1 AND survey_id = $2 AND person_id = $3 ORDER BY 1
"""
INSERT_INTERVIEWER = """
INSERT INTO appraisal.survey_interviewer
    (county_id, id, survey_id, village_code, person_id, assigned_by, assigned_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (county_id, survey_id, village_code, person_id) DO NOTHING
"""
END_INTERVIEWER = """
DELETE FROM appraisal.survey_interviewer
WHERE county_id = $1 AND survey_id = $2 AND village_code = $3 AND person_id = $4
"""
CANDIDATES = """
SELECT DISTINCT ON (n.name_pinyin COLLATE "C", n.id) n.id AS person_id, n.name, u.name AS place
FROM shared.assignment a
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
WHERE a.county_id = $1 AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $4)
  AND p.role IN ('chief', 'lead', 'gridworker', 'instructor', 'department', 'committee',
                 'supervisor', 'mediator')
  AND (starts_with(u.code, $2) OR u.kind = 'county') AND NOT EXISTS (
    SELECT FROM shared.assignment o
    JOIN shared.post q ON q.county_id = o.county_id AND q.id = o.post_id
    JOIN shared.unit w ON w.county_id = q.county_id AND w.id = q.unit_id
    WHERE o.county_id = $1 AND o.person_id = a.person_id AND starts_with(w.code, $3)
      AND o.valid_from <= $4 AND (o.valid_to IS NULL OR o.valid_to > $4))
ORDER BY n.name_pinyin COLLATE "C", n.id, u.code COLLATE "C"
"""
FORGET_VISITS = """
UPDATE appraisal.survey_household SET noted_by = NULL, noted_on = NULL
WHERE county_id = $1 AND noted_by IS NOT NULL AND survey_id IN (
    SELECT id FROM appraisal.survey WHERE county_id = $1 AND closed_at < $2)
"""
FORGET_COMMENTS = """
DELETE FROM appraisal.ballot_comment WHERE county_id = $1 AND survey_id IN (
    SELECT id FROM appraisal.survey WHERE county_id = $1 AND closed_at < $2)
"""
FORGET_SLIPS = """
DELETE FROM appraisal.ballot_slip WHERE county_id = $1 AND survey_id IN (
    SELECT id FROM appraisal.survey WHERE county_id = $1 AND closed_at < $2)
"""


# -- households ------------------------------------------------------------------------------


async def lock_households(county_id: int) -> None:
    """One import, freezing or new form of a county at a time; until the transaction ends."""
    await lock_queries.take(county_id, "appraisal.household")


async def households(county_id: int, grids: Sequence[str]) -> list[HouseholdRow]:
    return await DB.all(HouseholdRow, HOUSEHOLDS, county_id, list(grids))


async def to_freeze(county_id: int) -> list[Household]:
    """The living list in the order of the published one."""
    return [Household(*row) for row in await DB.fetch(TO_FREEZE, county_id)]


async def household_counts(county_id: int) -> list[tuple[str, int, int]]:
    """Township code, grids, households."""
    return [tuple(row) for row in await DB.fetch(HOUSEHOLD_COUNTS, county_id)]


async def insert_households(county_id: int, rows: Sequence[HouseholdRow]) -> None:
    await DB.execute(
        INSERT_HOUSEHOLDS,
        county_id,
        [row.id for row in rows],
        [row.grid_code for row in rows],
        [row.number for row in rows],
        [row.villager_group for row in rows],
    )


async def move_households(county_id: int, groups: Sequence[tuple[UUID, str]]) -> None:
    """Set the villager group of each."""
    ids = [one for one, _ in groups]
    await DB.execute(MOVE_HOUSEHOLDS, county_id, ids, [group for _, group in groups])


async def in_two_grids(county_id: int, numbers: Sequence[str]) -> set[tuple[str, str, str]]:
    """Number and both grids; a number that many grids have is none of the household alone."""
    rows = await DB.fetch(IN_TWO_GRIDS, county_id, list(numbers))
    return {(row["number"], row["one"], row["other"]) for row in rows}


async def end_households(county_id: int, ids: Sequence[UUID]) -> None:
    await DB.execute(END_HOUSEHOLDS, county_id, list(ids))


# -- form and survey -------------------------------------------------------------------------


async def form(county_id: int, form_id: UUID) -> FormRow | None:
    return await _form(FORM + " AND id = $2", county_id, form_id)


async def newest_form(county_id: int) -> FormRow | None:
    return await _form(FORM + " ORDER BY version DESC LIMIT 1", county_id)


async def insert_form(
    county_id: int, form_id: UUID, aspects: str, by: UUID | None, at: datetime
) -> None:
    await DB.execute(INSERT_FORM, county_id, form_id, aspects, by, at)


async def survey(county_id: int, survey_id: UUID, *, lock: bool = False) -> SurveyRow | None:
    sql = SURVEY + " AND id = $2" + (" FOR UPDATE" if lock else "")
    return await DB.one(SurveyRow, sql, county_id, survey_id)


async def survey_of_cycle(county_id: int, cycle_id: UUID) -> SurveyRow | None:
    return await DB.one(SurveyRow, SURVEY + " AND cycle_id = $2", county_id, cycle_id)


async def open_surveys(county_id: int) -> list[SurveyRow]:
    """Surveys with a draw that still take ballots."""
    return await DB.all(SurveyRow, SURVEY + " AND state = 'drawn' ORDER BY drawn_at", county_id)


async def closed_surveys(county_id: int) -> list[SurveyRow]:
    """Surveys whose results stand, latest first."""
    return await DB.all(
        SurveyRow, SURVEY + " AND state = 'closed' ORDER BY closed_at DESC", county_id
    )


async def list_file(county_id: int, survey_id: UUID) -> bytes:
    """The published list, compressed."""
    sql = "SELECT list_file FROM appraisal.survey WHERE county_id = $1 AND id = $2"
    found: bytes = await DB.fetchval(sql, county_id, survey_id)
    return found


async def insert_survey(
    county_id: int,
    survey_id: UUID,
    cycle_id: UUID,
    form_id: UUID,
    per_grid: int,
    packed: bytes,
    list_hash: str,
    count: int,
    value_source: str,
    by: UUID,
    at: datetime,
) -> None:
    await DB.execute(
        INSERT_SURVEY,
        county_id,
        survey_id,
        cycle_id,
        form_id,
        per_grid,
        packed,
        list_hash,
        count,
        value_source,
        by,
        at,
    )


async def insert_grids(
    county_id: int, survey_id: UUID, rows: Sequence[tuple[UUID, str, int]]
) -> None:
    """Id, grid code, households."""
    ids, codes, counts = ([row[index] for row in rows] for index in range(3))
    await DB.execute(INSERT_GRIDS, county_id, survey_id, ids, codes, counts)


async def lock_field(county_id: int, survey_id: UUID) -> None:
    """One print or top-up of a survey at a time; until the transaction ends."""
    await lock_queries.take(county_id, f"appraisal.survey {survey_id}")


async def set_drawn(
    county_id: int,
    survey_id: UUID,
    value: str,
    seed: str,
    draw_hash: str,
    by: UUID,
    at: datetime,
) -> None:
    await DB.execute(DRAWN, county_id, survey_id, value, seed, draw_hash, by, at)


async def set_closed(county_id: int, survey_id: UUID, by: UUID, at: datetime, dropped: int) -> None:
    await DB.execute(CLOSED, county_id, survey_id, by, at, dropped)


# -- field work ------------------------------------------------------------------------------


async def insert_drawn(county_id: int, survey_id: UUID, rows: Sequence[tuple[UUID, Drawn]]) -> int:
    """Put households on the interviewers' lists; how many were not there yet."""
    return await DB.count(
        INSERT_DRAWN,
        county_id,
        survey_id,
        [one for one, _ in rows],
        [drawn.grid_code for _, drawn in rows],
        [drawn.ordinal for _, drawn in rows],
        [drawn.kind for _, drawn in rows],
        [drawn.number for _, drawn in rows],
        [drawn.group for _, drawn in rows],
    )


async def listed(county_id: int, survey_id: UUID, grids: Sequence[str]) -> list[DrawnRow]:
    return await DB.all(DrawnRow, LISTED, county_id, survey_id, list(grids))


async def note(
    county_id: int,
    survey_id: UUID,
    by: UUID,
    on: date,
    rows: Sequence[tuple[UUID, str, int]],
) -> None:
    """Status and visits of households: (id, status, visits)."""
    ids, states, visits = ([row[index] for row in rows] for index in range(3))
    await DB.execute(NOTE, county_id, survey_id, by, on, ids, states, visits)


async def grids(county_id: int, survey_id: UUID, code: str) -> list[str]:
    """Codes of the frozen list's grids below a unit."""
    sql = (
        "SELECT grid_code FROM appraisal.survey_grid WHERE county_id = $1 AND survey_id = $2"
        ' AND starts_with(grid_code, $3) ORDER BY grid_code COLLATE "C"'
    )
    return [row["grid_code"] for row in await DB.fetch(sql, county_id, survey_id, code)]


async def progress(
    county_id: int, survey_id: UUID, code: str, *, closed: bool
) -> list[GridProgress]:
    return await DB.all(GridProgress, PROGRESS, county_id, survey_id, code, closed)


async def interviewers(county_id: int, survey_id: UUID, code: str) -> list[Interviewer]:
    return await DB.all(Interviewer, INTERVIEWERS, county_id, survey_id, code)


async def assigned(county_id: int, survey_id: UUID, person_id: UUID) -> list[str]:
    """Codes of the villages somebody interviews."""
    rows = await DB.fetch(ASSIGNED, county_id, survey_id, person_id)
    return [row["village_code"] for row in rows]


async def insert_interviewer(
    county_id: int,
    row_id: UUID,
    survey_id: UUID,
    village_code: str,
    person_id: UUID,
    by: UUID,
    at: datetime,
) -> bool:
    """False when they are named already."""
    return (
        await DB.count(
            INSERT_INTERVIEWER, county_id, row_id, survey_id, village_code, person_id, by, at
        )
        == 1
    )


async def end_interviewer(
    county_id: int, survey_id: UUID, village_code: str, person_id: UUID
) -> bool:
    return await DB.count(END_INTERVIEWER, county_id, survey_id, village_code, person_id) == 1


async def candidates(
    county_id: int, township_code: str, village_code: str, on: date
) -> list[Candidate]:
    """People of the township and the county who have no post in the village."""
    return await DB.all(Candidate, CANDIDATES, county_id, township_code, village_code, on)


async def forget(county_id: int, before: datetime) -> tuple[int, int, int]:
    """Drop words, slips and who noted a visit of surveys closed before; how many of each."""
    comments = await DB.count(FORGET_COMMENTS, county_id, before)
    slips = await DB.count(FORGET_SLIPS, county_id, before)
    visits = await DB.count(FORGET_VISITS, county_id, before)
    return comments, slips, visits


async def _form(sql: str, *args: object) -> FormRow | None:
    row = await DB.fetchrow(sql, *args)
    if row is None:
        return None
    aspects = msgspec.json.decode(row["aspects"], type=tuple[Aspect, ...])
    return FormRow(row["id"], row["version"], aspects, row["created_at"])
