"""SQL of training. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from appraisal.training.rules import SessionForm
from appraisal.training.schemas import (
    Attendee,
    AttendeeRow,
    OwnSession,
    Requirement,
    SessionRow,
    TotalLine,
    Totals,
)
from shared.database import DB

SESSION = """
SELECT s.id, s.unit_code, u.name AS unit_name, s.kind, s.title, s.held_on, s.hours, s.place,
       s.trainer, s.tested, s.state, s.reason, s.entered_by, b.name AS entered_by_name,
       s.entered_at, COALESCE(f.present, 0) AS present, COALESCE(f.marks, 0) AS marks, f.average
FROM appraisal.training_session s
JOIN shared.unit u ON u.county_id = s.county_id AND u.code = s.unit_code
LEFT JOIN shared.person b ON b.county_id = s.county_id AND b.id = s.entered_by
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE a.present) AS present, count(a.test) AS marks,
           round(avg(a.test), 1) AS average
    FROM appraisal.training_attendance a
    WHERE a.county_id = $1 AND a.session_id = s.id AND a.current
) f ON true
WHERE s.county_id = $1
"""
# Sessions of the actor's units, and of units above that their people went to.
SESSIONS = (
    SESSION
    + """
  AND (s.unit_code ^@ ANY ($2::text[])
       OR EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(c, s.unit_code)))
  AND s.held_on BETWEEN $3 AND $4
ORDER BY s.held_on DESC, s.id DESC
"""
)
ATTENDEES = """
SELECT s.person_id, n.name, s.village_code, v.name AS village_name, t.name AS township_name,
       s.grid_code, a.present, a.test, a.version
FROM (
    SELECT x.person_id, left(min(u.code), 12) AS village_code, min(u.code) AS grid_code
    FROM shared.assignment x
    JOIN shared.post p ON p.county_id = x.county_id AND p.id = x.post_id
        AND p.role = 'gridworker'
    JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
    WHERE x.county_id = $1 AND u.code ^@ ANY ($2::text[])
      AND x.valid_from <= $3 AND (x.valid_to IS NULL OR x.valid_to > $3)
    GROUP BY 1
) s
JOIN shared.person n ON n.county_id = $1 AND n.id = s.person_id
JOIN shared.unit v ON v.county_id = $1 AND v.code = s.village_code
JOIN shared.unit t ON t.county_id = $1 AND t.code = left(s.village_code, 9)
LEFT JOIN appraisal.training_attendance a ON a.county_id = $1 AND a.session_id = $4
    AND a.person_id = s.person_id AND a.current
ORDER BY s.grid_code COLLATE "C", n.name, s.person_id
"""
INSERT_SESSION = """
INSERT INTO appraisal.training_session (county_id, id, unit_code, kind, title, held_on, hours,
    place, trainer, tested, state, reason, entered_by, entered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'held', '', $11, $12)
"""
FIND = """
SELECT id FROM appraisal.training_session
WHERE county_id = $1 AND state = 'held' AND held_on = $2 AND unit_code = $3 AND kind = $4
  AND title = $5
"""
CURRENT = """
SELECT person_id, village_code, present, test, version FROM appraisal.training_attendance
WHERE county_id = $1 AND session_id = $2 AND current ORDER BY person_id FOR UPDATE
"""
RETIRE = """
UPDATE appraisal.training_attendance SET current = false
WHERE county_id = $1 AND session_id = $2 AND person_id = ANY ($3) AND current
"""
INSERT = """
INSERT INTO appraisal.training_attendance (county_id, session_id, reason, source, entered_by,
    entered_at, current, id, person_id, village_code, present, test, version)
SELECT $1, $2, $3, $4, $5::uuid, $6::timestamptz, true, *
FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::bool[], $11::numeric[], $12::int[])
"""
OWN = """
SELECT s.kind, s.title, s.held_on, s.hours, s.place, s.trainer, a.present, a.test
FROM appraisal.training_attendance a
JOIN appraisal.training_session s ON s.county_id = a.county_id AND s.id = a.session_id
WHERE a.county_id = $1 AND a.person_id = $2 AND a.current AND s.state = 'held'
ORDER BY s.held_on DESC, s.id LIMIT 100
"""
OWN_TOTALS = """
SELECT t.cycle_id, c.title AS cycle_title, t.hours, t.required, t.test, t.sessions
FROM appraisal.training_total t
JOIN appraisal.cycle c ON c.county_id = t.county_id AND c.id = t.cycle_id
WHERE t.county_id = $1 AND t.person_id = $2 AND c.state <> 'draft'
ORDER BY c.ends_on DESC LIMIT 4
"""
TOTALS = """
SELECT t.person_id, n.name, p.name AS township_name, v.name AS village_name, w.grid_code, t.hours,
       t.required, t.test, t.sessions
FROM appraisal.training_total t
JOIN appraisal.cycle_worker w ON w.county_id = t.county_id AND w.cycle_id = t.cycle_id
    AND w.person_id = t.person_id
JOIN shared.person n ON n.county_id = t.county_id AND n.id = t.person_id
JOIN shared.unit v ON v.county_id = t.county_id AND v.code = left(w.grid_code, 12)
JOIN shared.unit p ON p.county_id = t.county_id AND p.code = left(w.grid_code, 9)
WHERE t.county_id = $1 AND t.cycle_id = $2 AND w.grid_code ^@ ANY ($3::text[])
ORDER BY w.grid_code COLLATE "C", n.name, t.person_id LIMIT 20000
"""
REQUIREMENT = """
SELECT r.hours, r.version, r.reason, b.name AS entered_by_name, r.entered_at
FROM appraisal.training_requirement r
LEFT JOIN shared.person b ON b.county_id = r.county_id AND b.id = r.entered_by
WHERE r.county_id = $1 AND r.cycle_id = $2 ORDER BY r.version DESC
"""
INSERT_REQUIREMENT = """
INSERT INTO appraisal.training_requirement (county_id, id, cycle_id, version, hours, reason,
    entered_by, entered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def session(county_id: int, session_id: UUID, *, lock: bool = False) -> SessionRow | None:
    sql = SESSION + " AND s.id = $2" + (" FOR UPDATE OF s" if lock else "")
    return await DB.one(SessionRow, sql, county_id, session_id)


async def sessions(
    county_id: int, codes: Sequence[str], first: date, last: date
) -> list[SessionRow]:
    return await DB.all(SessionRow, SESSIONS, county_id, list(codes), first, last)


async def find(county_id: int, form: SessionForm) -> UUID | None:
    """The session that is the same by day, unit, kind and title."""
    found: UUID | None = await DB.fetchval(
        FIND, county_id, form.held_on, form.unit_code, form.kind, form.title.strip()
    )
    return found


async def attendees(
    county_id: int, codes: Sequence[str], on: date, session_id: UUID
) -> list[Attendee]:
    """Gridworkers of the units on the day, with their line of the session."""
    return await DB.all(Attendee, ATTENDEES, county_id, list(codes), on, session_id)


async def insert_session(
    county_id: int, session_id: UUID, form: SessionForm, by: UUID, at: datetime
) -> None:
    await DB.execute(
        INSERT_SESSION,
        county_id,
        session_id,
        form.unit_code,
        form.kind,
        form.title.strip(),
        form.held_on,
        form.hours,
        form.place.strip(),
        form.trainer.strip(),
        form.tested,
        by,
        at,
    )


async def cancel(county_id: int, session_id: UUID, reason: str) -> None:
    await DB.execute(
        "UPDATE appraisal.training_session SET state = 'cancelled', reason = $3"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        session_id,
        reason,
    )


async def current(county_id: int, session_id: UUID) -> list[AttendeeRow]:
    """Lines that count, locked until the transaction ends."""
    return await DB.all(AttendeeRow, CURRENT, county_id, session_id)


async def write(
    county_id: int,
    session_id: UUID,
    stamp: tuple[str, str, UUID | None, datetime],
    ids: Sequence[UUID],
    rows: Sequence[AttendeeRow],
) -> None:
    """Retire the lines of these people and write their next version."""
    people = [row.person_id for row in rows]
    await DB.execute(RETIRE, county_id, session_id, people)
    await DB.execute(
        INSERT,
        county_id,
        session_id,
        *stamp,
        list(ids),
        people,
        [row.village_code for row in rows],
        [row.present for row in rows],
        [row.test for row in rows],
        [row.version for row in rows],
    )


async def own(county_id: int, person_id: UUID) -> list[OwnSession]:
    return await DB.all(OwnSession, OWN, county_id, person_id)


async def own_totals(county_id: int, person_id: UUID) -> list[Totals]:
    return await DB.all(Totals, OWN_TOTALS, county_id, person_id)


async def totals(county_id: int, cycle_id: UUID, codes: Sequence[str]) -> list[TotalLine]:
    return await DB.all(TotalLine, TOTALS, county_id, cycle_id, list(codes))


async def requirements(county_id: int, cycle_id: UUID) -> list[Requirement]:
    """All versions, the one that counts first."""
    return await DB.all(Requirement, REQUIREMENT, county_id, cycle_id)


async def insert_requirement(
    county_id: int,
    requirement_id: UUID,
    cycle_id: UUID,
    version: int,
    hours: Decimal,
    stamp: tuple[str, UUID, datetime],
) -> None:
    """``stamp``: reason, who, when."""
    await DB.execute(
        INSERT_REQUIREMENT, county_id, requirement_id, cycle_id, version, hours, *stamp
    )
