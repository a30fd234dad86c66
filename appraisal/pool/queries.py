"""SQL of what the pools look at: results, protections, applicants. ``$1`` is the county."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.casework.rules import Pool
from appraisal.pool.rules import Protection, Shield, Standing
from appraisal.pool.schemas import Candidate
from shared import lock_queries
from shared.database import DB

PURGE_CHUNK = 500


class ShieldRow(Shield, frozen=True, kw_only=True):
    """A recorded protection, for the department."""

    id: UUID
    kind: Protection
    document: str
    recorded_by: str
    recorded_at: datetime


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """An applicant while the case needs them; does not leave the service."""

    name: str | None
    phone_cipher: bytes | None
    source: str
    consent: bool


SHIELDS = """
SELECT s.id, s.kind, s.starts_on, s.ends_on, s.document, p.name AS recorded_by, s.recorded_at
FROM appraisal.shield s
JOIN shared.person p ON p.county_id = $1 AND p.id = s.recorded_by
WHERE s.county_id = $1 AND s.person_id = $2 AND s.revoked_at IS NULL
ORDER BY s.starts_on, s.id
"""
INSERT_SHIELD = """
INSERT INTO appraisal.shield (county_id, id, person_id, kind, starts_on, ends_on, document,
    recorded_by, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
REVOKE_SHIELD = """
UPDATE appraisal.shield SET revoked_by = $4, revoked_at = $5
WHERE county_id = $1 AND person_id = $2 AND id = $3 AND revoked_at IS NULL
"""
VACANT = """
SELECT EXISTS (
    SELECT FROM shared.post p
    WHERE p.county_id = $1 AND p.id = $2 AND p.closed_on IS NULL AND p.role = 'gridworker'
      AND NOT EXISTS (SELECT FROM shared.assignment a
                      WHERE a.county_id = $1 AND a.post_id = p.id
                        AND (a.valid_to IS NULL OR a.valid_to > $3)))
"""
INSERT_APPLICANT = """
INSERT INTO appraisal.applicant (county_id, id, case_id, name, phone_cipher, phone_hmac, source,
    consent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
APPLIED = """
SELECT EXISTS (
    SELECT FROM appraisal.applicant a
    JOIN appraisal.case_file f ON f.county_id = $1 AND f.id = a.case_id
    WHERE a.county_id = $1 AND a.phone_hmac = $3 AND f.post_id = $2 AND f.outcome IS NULL)
"""
CONTACT = """
SELECT name, phone_cipher, source, consent FROM appraisal.applicant
WHERE county_id = $1 AND case_id = $2
"""
# A refused applicant's name and phone go, and the name on a public notice with them; on the notice
# of who was admitted the name stays. So they do when nobody has signed anything since $5, unless
# there is an agreement or somebody is looking into an objection to the notice.
PURGE = """
WITH due AS (
    SELECT a.id, a.case_id, a.purge_on IS NULL AS abandoned FROM appraisal.applicant a
    WHERE a.county_id = $1 AND a.purged_at IS NULL AND (a.purge_on <= $2
        OR a.purge_on IS NULL
        AND NOT EXISTS (SELECT FROM appraisal.case_step s
            WHERE s.county_id = $1 AND s.case_id = a.case_id
              AND (s.recorded_at >= $5 OR s.step = 'agreed'))
        AND NOT EXISTS (SELECT FROM appraisal.case_file c
            WHERE c.county_id = $1 AND c.origin_id = a.case_id AND NOT c.done))
    LIMIT $4
), gone AS (
    UPDATE appraisal.applicant a
    SET name = NULL, phone_cipher = NULL, phone_hmac = NULL, purged_at = $3
    FROM due WHERE a.county_id = $1 AND a.id = due.id
    RETURNING a.id
), unnamed AS (
    UPDATE appraisal.notice_entry e SET name = '（已清除）'
    FROM due JOIN appraisal.case_file f ON f.county_id = $1 AND f.id = due.case_id
    WHERE e.county_id = $1 AND e.case_id = due.case_id AND f.person_id IS NULL
)
SELECT count(*) FILTER (WHERE NOT abandoned) AS over, count(*) FILTER (WHERE abandoned) AS abandoned
FROM due
"""
# Somebody left when the last post ended; without any they are in no post at all.
LEFT_LONG_AGO = """
NOT EXISTS (SELECT FROM shared.assignment t WHERE t.county_id = $1 AND t.person_id = {person}
            AND (t.valid_to IS NULL OR t.valid_to > $3))
"""
FORGET_SHIELDS = f"""
DELETE FROM appraisal.shield s
WHERE s.county_id = $1
  AND (s.revoked_at < $2 OR s.ends_on < $3 OR {LEFT_LONG_AGO.format(person="s.person_id")})
  AND s.recorded_at < $2
  AND NOT EXISTS (SELECT FROM appraisal.case_file f
                  WHERE f.county_id = $1 AND f.person_id = s.person_id AND NOT f.done)
"""
FORGET_KIN = f"""
DELETE FROM appraisal.kinship k
WHERE k.county_id = $1
  AND (k.ended_at < $2 OR {LEFT_LONG_AGO.format(person="k.person_id")}
       OR {LEFT_LONG_AGO.format(person="k.relative_id")})
  AND k.recorded_at < $2
  AND NOT EXISTS (SELECT FROM appraisal.case_file f
                  WHERE f.county_id = $1 AND f.person_id IN (k.person_id, k.relative_id)
                    AND NOT f.done)
"""
# A year has in it what the half-year's sample may be off by, too, where it took that in.
STANDING = """
SELECT s.grade, s.final, s.veto AS vetoed, s.satisfaction_weight AS weight, s.ballots,
       s.half_width, s.grade_line AS line,
       COALESCE((SELECT (r.scheme ->> 'first_share')::numeric / 100
                        * h.satisfaction_weight * h.half_width
        FROM appraisal.run r
        JOIN appraisal.input i ON i.county_id = $1 AND i.run_id = r.id AND i.person_id = $3
            AND i.first_final IS NOT NULL
        JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = r.cycle_id AND c.kind = 'annual'
        JOIN appraisal.cycle f ON f.county_id = $1 AND f.kind = 'half_year' AND f.year = c.year
        JOIN appraisal.scorecard h ON h.county_id = $1 AND h.cycle_id = f.id
            AND h.person_id = $3 AND h.current
        WHERE r.county_id = $1 AND r.id = s.run_id), 0) AS first_reach
FROM appraisal.scorecard s
WHERE s.county_id = $1 AND s.cycle_id = $2 AND s.person_id = $3 AND s.current
"""
# The county's latest cycles, those without the person, too: what they were before is long ago.
GRADES = """
SELECT c.kind, COALESCE(r.grade, '') AS grade, c.state = 'closed' OR EXISTS (
    SELECT FROM appraisal.notice n
    JOIN appraisal.notice_entry e ON e.county_id = $1 AND e.notice_id = n.id
    WHERE n.county_id = $1 AND n.about_cycle_id = c.id AND e.person_id = $2 AND n.ends_on < $3
  ) AS noticed
FROM appraisal.cycle c
LEFT JOIN appraisal.scorecard r ON r.county_id = $1 AND r.cycle_id = c.id AND r.current
  AND r.person_id = $2
WHERE c.county_id = $1 AND c.state IN ('appeal', 'closed')
ORDER BY c.ends_on DESC LIMIT 4
"""
# Who calibrated this person's score, who approved a veto of theirs, and who passed the results of
# the cycle on to the notice.
DECIDERS = """
SELECT k.made_by FROM appraisal.calibration k
WHERE k.county_id = $1 AND k.cycle_id = $2 AND k.person_id = $3
UNION
SELECT v.decided_by FROM appraisal.cycle c
JOIN appraisal.duty_entry v ON v.county_id = $1 AND v.person_id = $3 AND v.kind = 'veto'
    AND v.state = 'standing' AND v.happened_on BETWEEN c.starts_on AND c.ends_on
WHERE c.county_id = $1 AND c.id = $2
UNION
SELECT s.person_id FROM appraisal.cycle_step s
WHERE s.county_id = $1 AND s.cycle_id = $2 AND s.target = 'notice'
"""
# The score that others relied on, where it has moved since the cycle was opened again.
RELIED_ON = """
SELECT k.before FROM appraisal.calibration k
WHERE k.county_id = $1 AND k.cycle_id = $2 AND k.person_id = $3 AND k.made_at >= (
    SELECT max(s.at) FROM appraisal.cycle_step s
    WHERE s.county_id = $1 AND s.cycle_id = $2 AND s.source = 'closed')
ORDER BY k.made_at, k.id LIMIT 1
"""
CANDIDATE = """
SELECT r.person_id, p.name, r.grid_code, COALESCE(g.name, '') AS grid_name,
       COALESCE(v.name, '') AS village_name, COALESCE(t.name, '') AS township_name, r.cycle_id,
       c.title AS cycle_title, r.grade, r.final,
       (SELECT f.id FROM appraisal.case_file f
        WHERE f.county_id = $1 AND f.person_id = r.person_id AND f.pool = $2
          AND f.outcome IS DISTINCT FROM 'annulled'
          AND (f.about_cycle_id = r.cycle_id OR (f.pool = 'recommendation' AND NOT f.done))
        ORDER BY f.opened_at DESC LIMIT 1) AS case_id
FROM appraisal.scorecard r
JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = r.cycle_id
  AND c.state IN ('notice', 'appeal', 'closed')
JOIN shared.person p ON p.county_id = $1 AND p.id = r.person_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = r.grid_code
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(r.grid_code, 12)
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(r.grid_code, 9)
WHERE r.county_id = $1 AND r.current
"""
CANDIDATES = (
    CANDIDATE
    + """
  AND r.grade = ANY($3::text[]) AND r.cycle_id = $4
  AND EXISTS (SELECT FROM unnest($5::text[]) u WHERE starts_with(r.grid_code, u))
ORDER BY r.grid_code COLLATE "C", p.name_pinyin COLLATE "C", r.person_id
"""
)
RESULTS_OF = CANDIDATE + " AND r.person_id = $3 ORDER BY c.ends_on DESC LIMIT 8"
OPEN_DEDUCTIONS = """
SELECT COALESCE(sum(d.cases), 0)::int FROM points.open_deduction d
WHERE d.county_id = $1 AND d.person_id = $2
"""


async def shields(county_id: int, person_id: UUID) -> list[ShieldRow]:
    return await DB.all(ShieldRow, SHIELDS, county_id, person_id)


async def lock_shields(county_id: int, person_id: UUID) -> None:
    """Who records a protection and who signs an ending wait for each other."""
    await lock_queries.take(county_id, f"appraisal.shield {person_id}")


async def insert_shield(
    county_id: int,
    shield_id: UUID,
    person_id: UUID,
    fact: tuple[Protection, date, date | None, str],
    by: UUID,
    at: datetime,
) -> None:
    """``fact`` is (kind, first day, last day, document)."""
    await DB.execute(INSERT_SHIELD, county_id, shield_id, person_id, *fact, by, at)


async def revoke_shield(
    county_id: int, person_id: UUID, shield_id: UUID, by: UUID, at: datetime
) -> bool:
    return await DB.count(REVOKE_SHIELD, county_id, person_id, shield_id, by, at) == 1


async def vacant(county_id: int, post_id: UUID, on: date) -> bool:
    """Whether a gridworker's post is free from a day on."""
    found: bool = await DB.fetchval(VACANT, county_id, post_id, on)
    return found


async def insert_applicant(
    county_id: int,
    applicant_id: UUID,
    case_id: UUID,
    who: tuple[str, bytes, bytes],
    source: str,
    *,
    consent: bool,
) -> None:
    """``who`` is (name, sealed phone, its HMAC)."""
    await DB.execute(INSERT_APPLICANT, county_id, applicant_id, case_id, *who, source, consent)


async def applied(county_id: int, post_id: UUID, phone_hmac: bytes) -> bool:
    """Whether an application with this phone for the post is open.

    Until the transaction ends nobody else can ask for the same.
    """
    await lock_queries.take(county_id, f"appraisal.applicant {post_id} {phone_hmac.hex()}")
    found: bool = await DB.fetchval(APPLIED, county_id, post_id, phone_hmac)
    return found


async def contact(county_id: int, case_id: UUID) -> Contact | None:
    return await DB.one(Contact, CONTACT, county_id, case_id)


async def purge_after(county_id: int, case_id: UUID, day: date) -> None:
    await DB.execute(
        "UPDATE appraisal.applicant SET purge_on = $3 WHERE county_id = $1 AND case_id = $2",
        county_id,
        case_id,
        day,
    )


async def purge(county_id: int, on: date, at: datetime, silent: datetime) -> tuple[int, int]:
    """Delete what is kept of applicants whose time is over, at most 500.

    How many cases were over, and how many had stood still since ``silent``.
    """
    [row] = await DB.fetch(PURGE, county_id, on, at, PURGE_CHUNK, silent)
    return row["over"], row["abandoned"]


async def forget_shields(county_id: int, before: datetime, day: date) -> int:
    """Delete protections that ended, or whose person left, before; how many."""
    return await DB.count(FORGET_SHIELDS, county_id, before, day)


async def forget_kin(county_id: int, before: datetime, day: date) -> int:
    """Delete kinships that ended, or one of whom left, before; how many."""
    return await DB.count(FORGET_KIN, county_id, before, day)


async def open_deductions(county_id: int, person_id: UUID) -> int:
    """How many deductions are not decided for good; a contract view of points."""
    found: int = await DB.fetchval(OPEN_DEDUCTIONS, county_id, person_id)
    return found


async def standing(county_id: int, cycle_id: UUID, person_id: UUID) -> Standing | None:
    """What the current run says of a person."""
    return await DB.one(Standing, STANDING, county_id, cycle_id, person_id)


async def grades(county_id: int, person_id: UUID, on: date) -> list[tuple[str, str, bool]]:
    """(kind of cycle, grade or empty, whether a notice that names them is over), the latest first.

    Only results that are out for good; nobody is 优秀 in a closed cycle without a notice.
    """
    rows = await DB.fetch(GRADES, county_id, person_id, on)
    return [(row["kind"], row["grade"], row["noticed"]) for row in rows]


async def deciders(county_id: int, cycle_id: UUID, person_id: UUID) -> set[UUID]:
    rows = await DB.fetch(DECIDERS, county_id, cycle_id, person_id)
    return {row[0] for row in rows}


async def relied_on(county_id: int, cycle_id: UUID, person_id: UUID) -> Decimal | None:
    """Somebody's score when the cycle was last closed, if it has changed since."""
    cents: int | None = await DB.fetchval(RELIED_ON, county_id, cycle_id, person_id)
    return None if cents is None else Decimal(cents) / 100


async def candidates(
    county_id: int, pool: Pool, grades: Sequence[str], cycle_id: UUID, codes: Sequence[str]
) -> list[Candidate]:
    return await DB.all(Candidate, CANDIDATES, county_id, pool, list(grades), cycle_id, list(codes))


async def results_of(county_id: int, pool: Pool, person_id: UUID) -> list[Candidate]:
    return await DB.all(Candidate, RESULTS_OF, county_id, pool, person_id)


async def name_person(county_id: int, case_id: UUID, person_id: UUID) -> None:
    """The applicant has become a person of the roster."""
    await DB.execute(
        "UPDATE appraisal.case_file SET person_id = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        case_id,
        person_id,
    )
