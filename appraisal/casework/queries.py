"""SQL of cases, their steps and kinship. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.casework.rules import Outcome, Pool
from appraisal.casework.schemas import CaseRow, KinRow, Opening, StepRow
from shared import lock_queries
from shared.database import DB

CASE = """
SELECT f.id, f.machine, f.pool, f.person_id,
       COALESCE(p.name, a.name, '（已清除）') AS name, f.unit_code,
       COALESCE(g.name, '') AS unit_name, COALESCE(v.name, '') AS village_name,
       COALESCE(t.name, '') AS township_name, f.employment, f.basis, f.about_cycle_id,
       COALESCE(c.title, '') AS cycle_title, f.post_id, f.origin_id, f.state, f.outcome, f.done,
       f.opened_at, f.due_on, f.overdue_on
FROM appraisal.case_file f
LEFT JOIN appraisal.case_file x ON x.county_id = $1 AND x.id = f.origin_id
    AND f.machine = 'contest_pool'
LEFT JOIN shared.person p ON p.county_id = $1 AND p.id = COALESCE(f.person_id, x.person_id)
LEFT JOIN appraisal.applicant a ON a.county_id = $1
    AND a.case_id = CASE f.machine WHEN 'contest_pool' THEN f.origin_id ELSE f.id END
LEFT JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = f.about_cycle_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = f.unit_code
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(f.unit_code, 12)
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(f.unit_code, 9)
WHERE f.county_id = $1
"""
# "machine unit": who sees a case depends on its kind, so that a list has only what may be opened.
REACH = (
    " AND EXISTS (SELECT FROM unnest($2::text[]) r"
    " WHERE starts_with(f.machine || ' ' || f.unit_code, r))"
)
LISTED = (
    CASE
    + REACH
    + """
  AND ($3 = '' OR f.pool = $3) AND ($4 = '' OR starts_with(f.unit_code, $4))
  AND CASE $5 WHEN 'open' THEN NOT f.done WHEN 'done' THEN f.done
              WHEN 'overdue' THEN NOT f.done AND f.overdue_on IS NOT NULL ELSE true END
  AND ($6 = '' OR position($6 IN COALESCE(p.name, a.name, '')) > 0)
ORDER BY f.done, f.due_on NULLS LAST, f.opened_at DESC, f.id
LIMIT $7 OFFSET $8
"""
)
COUNT = f"SELECT count(*) FROM ({LISTED}) AS listed"
OPEN_ABOVE = (
    CASE
    + REACH
    + " AND NOT f.done ORDER BY f.overdue_on NULLS LAST, f.due_on NULLS LAST, f.id LIMIT $3"
)
OWN = CASE + " AND f.person_id = $2 ORDER BY f.done, f.opened_at DESC, f.id LIMIT 50"
BY_CYCLE = CASE + " AND f.about_cycle_id = $2 AND f.pool = $3 AND f.outcome IS NULL ORDER BY f.id"
AT_STATE = (
    CASE
    + " AND f.pool = $2 AND f.state = $3 AND f.outcome IS NULL AND a.purged_at IS NULL"
    + " ORDER BY f.unit_code"
)
DUE = (
    CASE
    + " AND f.machine || ' ' || f.state = ANY($2::text[]) AND NOT f.done ORDER BY f.id LIMIT $3"
)
LATE = CASE + " AND NOT f.done AND f.due_on < $2 AND f.overdue_on IS NULL ORDER BY f.id LIMIT $3"
# Against the will of somebody whose fail is none any more; another open exit of theirs comes first.
OVERTURNED = (
    CASE
    + """
  AND f.pool = 'exit' AND f.basis = 'appraisal' AND f.outcome = ANY($2::text[])
  AND EXISTS (SELECT FROM appraisal.scorecard r
      WHERE r.county_id = $1 AND r.cycle_id = f.about_cycle_id AND r.person_id = f.person_id
        AND r.current AND r.grade <> 'fail')
  AND NOT EXISTS (SELECT FROM appraisal.case_file o
      WHERE o.county_id = $1 AND o.person_id = f.person_id AND o.pool = 'exit' AND NOT o.done
        AND o.basis <> 'wish' AND o.id <> f.id)
ORDER BY f.id LIMIT $3
"""
)
# On the list or in post, though what was objected in time, to the notice or to the result behind
# it, was found right since; another open recommendation of theirs comes first.
CONTESTED = (
    CASE
    + """
  AND (f.machine, f.outcome) IN (('recommendation', 'recommended'), ('admission', 'admitted'))
  AND (EXISTS (SELECT FROM appraisal.case_file k
          WHERE k.county_id = $1 AND k.origin_id = f.id AND k.machine = 'contest_pool'
            AND k.outcome = 'changed')
      OR EXISTS (SELECT FROM appraisal.case_file k
          JOIN appraisal.scorecard r ON r.county_id = $1 AND r.cycle_id = k.about_cycle_id
              AND r.person_id = k.person_id AND r.current AND r.grade <> 'excellent'
          WHERE k.county_id = $1 AND k.person_id = f.person_id AND k.machine = 'contest_result'
            AND k.about_cycle_id = f.about_cycle_id AND k.outcome = 'changed'))
  AND (f.machine = 'admission' OR NOT EXISTS (SELECT FROM appraisal.case_file o
      WHERE o.county_id = $1 AND o.person_id = f.person_id AND o.pool = 'recommendation'
        AND NOT o.done AND o.id <> f.id))
ORDER BY f.id LIMIT $2
"""
)
# On the list, and made to leave the grid since; another open recommendation of theirs comes first.
LET_GO = (
    CASE
    + """
  AND f.machine = 'recommendation' AND f.outcome = 'recommended'
  AND EXISTS (SELECT FROM appraisal.case_file e
      JOIN appraisal.case_step s ON s.county_id = $1 AND s.case_id = e.id
          AND s.outcome = e.outcome
      WHERE e.county_id = $1 AND e.person_id = f.person_id AND e.pool = 'exit'
        AND e.outcome = ANY($2::text[])
        AND s.recorded_at > (SELECT max(l.recorded_at) FROM appraisal.case_step l
            WHERE l.county_id = $1 AND l.case_id = f.id))
  AND NOT EXISTS (SELECT FROM appraisal.case_file o
      WHERE o.county_id = $1 AND o.person_id = f.person_id AND o.pool = 'recommendation'
        AND NOT o.done AND o.id <> f.id)
ORDER BY f.id LIMIT $3
"""
)
CONTESTS_OF_CASE = CASE + " AND f.origin_id = $2 AND f.machine = 'contest_pool' ORDER BY f.id"
CONTESTS = CASE + (
    " AND EXISTS (SELECT FROM appraisal.case_step s WHERE s.county_id = $1 AND s.case_id = f.id"
    " AND s.position = 1 AND s.notice_id = $2) ORDER BY f.done, f.opened_at DESC, f.id"
)
LAPSED = """
SELECT max(s.effective_on)
FROM appraisal.case_file f
JOIN appraisal.case_step s ON s.county_id = $1 AND s.case_id = f.id AND s.step = 'lapsed'
WHERE f.county_id = $1 AND f.about_cycle_id = $2 AND f.pool = 'objection' AND f.state = 'lapsed'
"""
OF_PERSON = (
    CASE + " AND f.person_id = $2 AND f.pool = $3 AND ($4::uuid IS NULL OR f.about_cycle_id = $4)"
    " ORDER BY f.opened_at DESC, f.id DESC"
)
INSERT_CASE = """
INSERT INTO appraisal.case_file (county_id, id, machine, pool, person_id, unit_code, employment,
    basis, about_cycle_id, post_id, origin_id, state, outcome, done, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', NULL, false, $12)
"""
SET_STATE = """
UPDATE appraisal.case_file SET state = $3, outcome = $4, done = $5, due_on = $6, overdue_on = $7
WHERE county_id = $1 AND id = $2
"""
STEPS = """
SELECT id, position, step, title, actor_id, actor_name, authority, proxy, effective_on,
       recorded_at, document, words, answers, notice_id
FROM appraisal.case_step WHERE county_id = $1 AND case_id = $2 ORDER BY position
"""
INSERT_STEP = """
INSERT INTO appraisal.case_step (county_id, id, case_id, position, step, title, outcome, actor_id,
    actor_name, authority, proxy, effective_on, recorded_at, document, words, answers, notice_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
TO_ERASE = """
SELECT f.id, f.person_id, f.unit_code
FROM appraisal.case_file f
JOIN appraisal.case_step s ON s.county_id = $1 AND s.case_id = f.id AND s.position = 1
WHERE f.county_id = $1 AND f.machine LIKE 'contest%' AND f.done AND s.answers ? 'objector'
  AND NOT EXISTS (SELECT FROM appraisal.case_step l
      WHERE l.county_id = $1 AND l.case_id = f.id AND l.recorded_at >= $2)
ORDER BY f.id LIMIT $3
"""
KIN = """
SELECT CASE WHEN k.person_id = $2 THEN k.relative_id ELSE k.person_id END
FROM appraisal.kinship k
WHERE k.county_id = $1 AND k.ended_at IS NULL AND $2 IN (k.person_id, k.relative_id)
"""
KINSHIPS = """
SELECT k.id, k.person_id, p.name, r.name AS relative_name, k.recorded_at
FROM appraisal.kinship k
JOIN shared.person p ON p.county_id = $1 AND p.id = k.person_id
JOIN shared.person r ON r.county_id = $1 AND r.id = k.relative_id
WHERE k.county_id = $1 AND k.ended_at IS NULL
ORDER BY p.name_pinyin COLLATE "C", r.name_pinyin COLLATE "C", k.id
"""
# The department's people with a desk account, without whoever passed the results on, $3 say,
# calibrated or approved a veto; and whether a township with results has no instructor to review
# objections.
LEFT_TO_DECIDE = """
SELECT (SELECT count(DISTINCT a.person_id)::int
        FROM shared.unit u
        JOIN shared.post p ON p.county_id = $1 AND p.unit_id = u.id AND p.role = 'department'
        JOIN shared.assignment a ON a.county_id = $1 AND a.post_id = p.id
            AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $4)
        JOIN shared.account c ON c.county_id = $1 AND c.person_id = a.person_id
            AND c.password_hash IS NOT NULL AND c.disabled_at IS NULL
        WHERE u.county_id = $1 AND u.kind = 'county' AND a.person_id IS DISTINCT FROM $3
          AND NOT EXISTS (SELECT FROM appraisal.cycle_step s WHERE s.county_id = $1
              AND s.cycle_id = $2 AND s.target = 'notice' AND s.person_id = a.person_id)
          AND NOT EXISTS (SELECT FROM appraisal.calibration k WHERE k.county_id = $1
              AND k.cycle_id = $2 AND k.made_by = a.person_id)
          AND NOT EXISTS (SELECT FROM appraisal.cycle y
              JOIN appraisal.duty_entry v ON v.county_id = $1 AND v.kind = 'veto'
                  AND v.state = 'standing' AND v.happened_on BETWEEN y.starts_on AND y.ends_on
              WHERE y.county_id = $1 AND y.id = $2 AND v.decided_by = a.person_id)) AS people,
       EXISTS (SELECT FROM appraisal.scorecard r
        WHERE r.county_id = $1 AND r.cycle_id = $2 AND r.current AND NOT EXISTS (
            SELECT FROM shared.unit u
            JOIN shared.post p ON p.county_id = $1 AND p.unit_id = u.id AND p.role = 'instructor'
            JOIN shared.assignment a ON a.county_id = $1 AND a.post_id = p.id
                AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $4)
            WHERE u.county_id = $1 AND u.code = left(r.grid_code, 9))) AS bare
"""
INSERT_KIN = """
INSERT INTO appraisal.kinship (county_id, id, person_id, relative_id, recorded_by, recorded_at)
VALUES ($1, $2, LEAST($3::uuid, $4::uuid), GREATEST($3::uuid, $4::uuid), $5, $6)
ON CONFLICT DO NOTHING
"""


class NewStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step as it is written; the order of the fields is the statement's."""

    id: UUID
    case_id: UUID
    position: int
    step: str
    title: str
    outcome: Outcome | None
    actor_id: UUID | None
    actor_name: str
    authority: str
    proxy: bool
    effective_on: date
    recorded_at: datetime
    document: str
    words: str
    answers: str
    notice_id: UUID | None

    @property
    def given(self) -> dict[str, str]:
        return msgspec.json.decode(self.answers, type=dict[str, str])


async def case(county_id: int, case_id: UUID, *, lock: bool = False) -> CaseRow | None:
    sql = CASE + " AND f.id = $2" + (" FOR UPDATE OF f" if lock else "")
    return await DB.one(CaseRow, sql, county_id, case_id)


async def listed(
    county_id: int,
    codes: Sequence[str],
    pool: str,
    unit: str,
    state: str,
    text: str,
    page: tuple[int, int],
) -> list[CaseRow]:
    return await DB.all(CaseRow, LISTED, county_id, list(codes), pool, unit, state, text, *page)


async def count(
    county_id: int, codes: Sequence[str], pool: str, unit: str, state: str, text: str
) -> int:
    found: int = await DB.fetchval(COUNT, county_id, list(codes), pool, unit, state, text, None, 0)
    return found


async def open_below(county_id: int, codes: Sequence[str], limit: int) -> list[CaseRow]:
    return await DB.all(CaseRow, OPEN_ABOVE, county_id, list(codes), limit)


async def own(county_id: int, person_id: UUID) -> list[CaseRow]:
    return await DB.all(CaseRow, OWN, county_id, person_id)


async def open_of_cycle(county_id: int, cycle_id: UUID, pool: Pool) -> list[CaseRow]:
    return await DB.all(CaseRow, BY_CYCLE, county_id, cycle_id, pool)


async def lapsed(county_id: int, cycle_id: UUID) -> date | None:
    """The latest day on which a term to appeal of a cycle's results was found to be over."""
    found: date | None = await DB.fetchval(LAPSED, county_id, cycle_id)
    return found


async def at_state(county_id: int, pool: Pool, state: str) -> list[CaseRow]:
    return await DB.all(CaseRow, AT_STATE, county_id, pool, state)


async def in_states(county_id: int, states: Sequence[str], limit: int) -> list[CaseRow]:
    """``states`` are "machine state"."""
    return await DB.all(CaseRow, DUE, county_id, list(states), limit)


async def late(county_id: int, on: date, limit: int) -> list[CaseRow]:
    """Open cases whose promise is broken and nobody has marked it."""
    return await DB.all(CaseRow, LATE, county_id, on, limit)


async def overturned(county_id: int, outcomes: Sequence[Outcome], limit: int) -> list[CaseRow]:
    """Exits that were carried out for a fail which has been corrected since."""
    return await DB.all(CaseRow, OVERTURNED, county_id, list(outcomes), limit)


async def contested(county_id: int, limit: int) -> list[CaseRow]:
    """Who is on the list, or took up a post, against an objection that was found right."""
    return await DB.all(CaseRow, CONTESTED, county_id, limit)


async def let_go(county_id: int, outcomes: Sequence[Outcome], limit: int) -> list[CaseRow]:
    """Recommendations of people who were made to leave after they were listed."""
    return await DB.all(CaseRow, LET_GO, county_id, list(outcomes), limit)


async def contests_of_case(county_id: int, case_id: UUID) -> list[CaseRow]:
    """Objections to the notice that a pool's case stood on."""
    return await DB.all(CaseRow, CONTESTS_OF_CASE, county_id, case_id)


async def contests(county_id: int, notice_id: UUID) -> list[CaseRow]:
    """Objections to a notice, the open ones first."""
    return await DB.all(CaseRow, CONTESTS, county_id, notice_id)


async def of_person(
    county_id: int, person_id: UUID, pool: Pool, cycle_id: UUID | None = None
) -> list[CaseRow]:
    return await DB.all(CaseRow, OF_PERSON, county_id, person_id, pool, cycle_id)


async def insert_case(
    county_id: int, case_id: UUID, pool: Pool, opening: Opening, at: datetime
) -> None:
    await DB.execute(
        INSERT_CASE,
        county_id,
        case_id,
        opening.machine,
        pool,
        opening.person_id,
        opening.unit_code,
        opening.employment,
        opening.basis,
        opening.about_cycle_id,
        opening.post_id,
        opening.origin_id,
        at,
    )


async def set_state(
    county_id: int,
    case_id: UUID,
    state: str,
    outcome: Outcome | None,
    *,
    done: bool,
    due_on: date | None,
    overdue_on: date | None,
) -> None:
    await DB.execute(SET_STATE, county_id, case_id, state, outcome, done, due_on, overdue_on)


async def steps(county_id: int, case_id: UUID) -> list[StepRow]:
    return await DB.all(StepRow, STEPS, county_id, case_id)


async def insert_step(county_id: int, row: NewStep) -> None:
    await DB.execute(INSERT_STEP, county_id, *msgspec.structs.astuple(row))


async def to_erase(
    county_id: int, before: datetime, limit: int
) -> list[tuple[UUID, UUID | None, str]]:
    """Closed objections to notices with nothing signed since, whose objector is still known.

    As (case, person whose case it is, unit).
    """
    rows = await DB.fetch(TO_ERASE, county_id, before, limit)
    return [(row["id"], row["person_id"], row["unit_code"]) for row in rows]


async def erase(county_id: int, case_id: UUID, on: date) -> bool:
    """False when there is nothing left, or the case is open again."""
    sql = "SELECT appraisal.erase_objector($1, $2, $3) -- $1 is county_id"
    erased: bool = await DB.fetchval(sql, county_id, case_id, on)
    return erased


async def kin(county_id: int, person_id: UUID) -> frozenset[UUID]:
    """Recorded close relatives."""
    return frozenset(row[0] for row in await DB.fetch(KIN, county_id, person_id))


async def left_to_decide(
    county_id: int, cycle_id: UUID, passing: UUID | None, on: date
) -> tuple[int, bool]:
    """How many could decide an appeal in a cycle; whether somewhere objections come to them, too.

    ``passing`` is who would pass the results on.
    """
    [row] = await DB.fetch(LEFT_TO_DECIDE, county_id, cycle_id, passing, on)
    return row["people"], row["bare"]


async def kinships(county_id: int) -> list[KinRow]:
    return await DB.all(KinRow, KINSHIPS, county_id)


async def lock_objections(county_id: int, person_id: UUID) -> None:
    """Who enters an objection to a result and who signs what rests on it wait for each other."""
    await lock_queries.take(county_id, f"appraisal.objection {person_id}")


async def insert_kin(
    county_id: int, kin_id: UUID, pair: tuple[UUID, UUID], by: UUID, at: datetime
) -> bool:
    """False when it is recorded already."""
    return await DB.count(INSERT_KIN, county_id, kin_id, *pair, by, at) == 1


async def end_kin(county_id: int, kin_id: UUID, at: datetime) -> UUID | None:
    """Whose kinship ended; None when there is none that stands."""
    found: UUID | None = await DB.fetchval(
        "UPDATE appraisal.kinship SET ended_at = $3"
        " WHERE county_id = $1 AND id = $2 AND ended_at IS NULL RETURNING person_id",
        county_id,
        kin_id,
        at,
    )
    return found


async def promised_to_another(county_id: int, post_id: UUID, case_id: UUID | None) -> bool:
    """Whether another open admission to the post has come to its agreement.

    Until the transaction ends nobody else can ask for the same.
    """
    await lock_queries.take(county_id, f"appraisal.post {post_id}")
    found: bool = await DB.fetchval(
        "SELECT EXISTS (SELECT FROM appraisal.case_file WHERE county_id = $1 AND post_id = $2"
        " AND id IS DISTINCT FROM $3 AND outcome IS NULL AND state IN ('agreed', 'trained'))",
        county_id,
        post_id,
        case_id,
    )
    return found


async def person_named(county_id: int, name: str, codes: Sequence[str]) -> list[UUID]:
    """People of that name who hold a post below the units."""
    rows = await DB.fetch(
        "SELECT DISTINCT n.id FROM shared.person n"
        " JOIN shared.assignment a ON a.county_id = $1 AND a.person_id = n.id"
        " JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id"
        " JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id"
        " WHERE n.county_id = $1 AND n.name = $2"
        " AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(u.code, c))",
        county_id,
        name,
        list(codes),
    )
    return [row[0] for row in rows]
