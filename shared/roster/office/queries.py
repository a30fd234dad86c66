"""SQL of the office's view: subtree counts, seats, vacancies, people, edits.

``$1`` is the county; a day is the second argument where something holds "on" it.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from shared import lock_queries
from shared.database import DB
from shared.roster.office.schemas import ExportRow, Filter, Found, Seat, Tally, Vacancy
from shared.roster.roles import Employment, Role

TALLIES = """
WITH root AS (
    SELECT id, code, name, kind FROM shared.unit
    WHERE county_id = $1 AND (closed_on IS NULL OR closed_on > $2)
      AND (parent_id = $3 OR ($4 AND id = $3))
), below AS (
    SELECT r.code AS root, u.id, u.kind, u.households
    FROM root r
    JOIN shared.unit u ON u.county_id = $1 AND starts_with(u.code, r.code)
      AND (u.closed_on IS NULL OR u.closed_on > $2)
), seats AS (
    SELECT b.root, b.id AS unit_id, p.role, p.subject_id, a.person_id, n.name
    FROM below b
    JOIN shared.post p ON p.county_id = $1 AND p.unit_id = b.id
      AND (p.closed_on IS NULL OR p.closed_on > $2)
    LEFT JOIN shared.assignment a ON a.county_id = $1 AND a.post_id = p.id
        AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2)
    LEFT JOIN shared.person n ON n.county_id = $1 AND n.id = a.person_id
), units AS (
    SELECT root, count(*) FILTER (WHERE kind = 'village') AS villages,
           count(*) FILTER (WHERE kind = 'grid') AS grids,
           COALESCE(sum(households) FILTER (WHERE kind = 'grid'), 0)::int8 AS households
    FROM below GROUP BY root
), posts AS (
    SELECT root, count(DISTINCT person_id) AS people,
           count(DISTINCT person_id) FILTER (WHERE role = 'gridworker') AS gridworkers,
           count(DISTINCT unit_id) FILTER (WHERE role = 'gridworker' AND person_id IS NOT NULL)
               AS covered,
           count(*) FILTER (WHERE person_id IS NULL AND subject_id IS NULL) AS vacant,
           string_agg(name, '、') FILTER (WHERE role = 'gridworker') AS holders
    FROM seats GROUP BY root
)
SELECT r.code, r.name, r.kind, u.villages, u.grids, u.households,
       COALESCE(p.people, 0) AS people, COALESCE(p.gridworkers, 0) AS gridworkers,
       u.grids - COALESCE(p.covered, 0) AS uncovered, COALESCE(p.vacant, 0) AS vacant,
       CASE WHEN r.kind = 'grid' THEN p.holders END AS holders
FROM root r
JOIN units u ON u.root = r.code
LEFT JOIN posts p ON p.root = r.code
ORDER BY r.code COLLATE "C"
"""

SEATS = """
SELECT p.id AS post_id, p.role, p.seat, u.code AS unit_code, u.name AS unit_name, p.grids,
       a.id AS assignment_id, n.id AS person_id, n.name, a.valid_from,
       f.name AS next_name, f.valid_from AS next_from
FROM shared.post p
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
LEFT JOIN shared.assignment a ON a.county_id = p.county_id AND a.post_id = p.id
    AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2)
LEFT JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
LEFT JOIN LATERAL (
    SELECT b.id, m.name, b.valid_from
    FROM shared.assignment b
    JOIN shared.person m ON m.county_id = b.county_id AND m.id = b.person_id
    WHERE b.county_id = $1 AND b.post_id = p.id AND b.valid_from > $2
    ORDER BY b.valid_from LIMIT 1
) f ON true
WHERE p.county_id = $1 AND (p.closed_on IS NULL OR p.closed_on > $2)
"""

VACANCIES = """
SELECT p.id AS post_id, p.role, u.code AS unit_code, u.name AS unit_name, p.grids,
       (SELECT max(e.valid_to) FROM shared.assignment e
        WHERE e.county_id = $1 AND e.post_id = p.id) AS since
FROM shared.post p
JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id AND u.closed_on IS NULL
WHERE p.county_id = $1 AND p.closed_on IS NULL AND p.subject_id IS NULL
  AND starts_with(u.code, $3)
  AND NOT EXISTS (SELECT FROM shared.assignment a
                  WHERE a.county_id = $1 AND a.post_id = p.id
                    AND (a.valid_to IS NULL OR a.valid_to > $2))
UNION ALL
SELECT NULL, 'gridworker', u.code, u.name, '{}', NULL
FROM shared.unit u
WHERE u.county_id = $1 AND u.kind = 'grid' AND u.closed_on IS NULL AND starts_with(u.code, $3)
  AND NOT EXISTS (SELECT FROM shared.post p
                  WHERE p.county_id = $1 AND p.unit_id = u.id AND p.role = 'gridworker'
                    AND p.closed_on IS NULL)
"""

FIND = """
SELECT n.id AS person_id, n.name, n.phone_cipher, n.employment_type, n.full_time, n.political,
       h.role, h.unit_code, h.unit_name, v.name AS village_name, t.name AS township_name, h.grids,
       h.assignment_id, h.valid_from, count(*) OVER () AS total
FROM shared.person n
LEFT JOIN (
    SELECT a.person_id, a.id AS assignment_id, a.valid_from, p.role, p.grids, p.seat,
           u.code AS unit_code, u.name AS unit_name
    FROM shared.assignment a
    JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id
    JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id
    WHERE a.county_id = $1 AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2)
) h ON h.person_id = n.id
LEFT JOIN shared.unit v ON v.county_id = $1 AND length(h.unit_code) >= 12
    AND v.code = left(h.unit_code, 12)
LEFT JOIN shared.unit t ON t.county_id = $1 AND length(h.unit_code) >= 9
    AND t.code = left(h.unit_code, 9)
WHERE n.county_id = $1
  AND ($3 = '' OR strpos(n.name, $3) > 0 OR starts_with(n.name_pinyin, $4)
       OR starts_with(n.name_initials, $4) OR n.phone_hmac = $5)
  AND CASE WHEN h.unit_code IS NULL THEN $6 ELSE h.unit_code ^@ ANY ($7) END
  AND ($8::text IS NULL OR h.role = $8)
  AND ($9::text IS NULL OR n.employment_type = $9)
  AND CASE $10 WHEN 'serving' THEN h.role IS NOT NULL WHEN 'former' THEN h.role IS NULL
               ELSE true END
ORDER BY n.name_pinyin COLLATE "C", n.id, h.unit_code COLLATE "C"
LIMIT $11 OFFSET $12
"""

ROWS = """
SELECT a.id AS assignment_id, n.name, n.phone_cipher, n.employment_type, n.full_time, n.political,
       p.role, p.grids, u.code AS unit_code, a.valid_from
FROM shared.assignment a
JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id
JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id
JOIN shared.person n ON n.county_id = $1 AND n.id = a.person_id
WHERE a.county_id = $1 AND a.valid_to IS NULL AND p.subject_id IS NULL
  AND u.code ^@ ANY ($2) AND p.role = ANY ($3)
ORDER BY left(u.code, 9) COLLATE "C", length(u.code) > 9, left(u.code, 12) COLLATE "C",
         CASE p.role WHEN 'chief' THEN 0 WHEN 'lead' THEN 2 WHEN 'gridworker' THEN 2 ELSE 1 END,
         CASE p.role WHEN 'lead' THEN p.grids[1] ELSE u.code END COLLATE "C", p.seat
"""


NAMESAKE = """
SELECT u.name FROM shared.person n
JOIN shared.assignment a ON a.county_id = n.county_id AND a.person_id = n.id
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
WHERE n.county_id = $1 AND n.name = $2 AND starts_with(u.code, $3)
  AND NOT EXISTS (SELECT FROM shared.assignment o
                  WHERE o.county_id = $1 AND o.person_id = n.id
                    AND (o.valid_to IS NULL OR o.valid_to > $4))
ORDER BY a.valid_to DESC LIMIT 1
"""


async def share_county(county_id: int) -> None:
    """Many may change the roster by hand at once, but none while an import is written."""
    await DB.execute("SELECT FROM shared.county WHERE id = $1 FOR SHARE", county_id)


async def tallies(county_id: int, on: date, unit_id: UUID, *, itself: bool = False) -> list[Tally]:
    """Of each unit directly below; with ``itself`` also of the unit."""
    return await DB.all(Tally, TALLIES, county_id, on, unit_id, itself)


async def seats_at(county_id: int, on: date, code: str) -> list[Seat]:
    """Posts of a unit; those of a shop's helpers only while held: each had an own one."""
    sql = (
        SEATS + " AND u.code = $3 AND (p.subject_id IS NULL OR p.seat = 1"
        " OR COALESCE(a.id, f.id) IS NOT NULL) ORDER BY p.role, p.seat"
    )
    return await DB.all(Seat, sql, county_id, on, code)


async def seat(county_id: int, on: date, post_id: UUID) -> Seat | None:
    """A post that was not closed by that day."""
    return await DB.one(Seat, SEATS + " AND p.id = $3", county_id, on, post_id)


async def lock_units(county_id: int) -> None:
    """Order whoever adds below a unit and whoever closes one; right after :func:`share_county`."""
    await lock_queries.take(county_id, "shared.unit")


async def lock_post(county_id: int, post_id: UUID) -> None:
    """Order whoever fills and whoever closes one post; assignments take the same lock."""
    await DB.execute(
        "SELECT FROM shared.post WHERE county_id = $1 AND id = $2 FOR UPDATE", county_id, post_id
    )


async def vacancies(county_id: int, on: date, code: str, limit: int) -> list[Vacancy]:
    sql = f"""
    SELECT x.*, v.name AS village_name, t.name AS township_name
    FROM ({VACANCIES}) x
    LEFT JOIN shared.unit v ON v.county_id = $1 AND length(x.unit_code) >= 12
        AND v.code = left(x.unit_code, 12)
    LEFT JOIN shared.unit t ON t.county_id = $1 AND length(x.unit_code) >= 9
        AND t.code = left(x.unit_code, 9)
    ORDER BY x.unit_code COLLATE "C", x.role LIMIT $4
    """
    return await DB.all(Vacancy, sql, county_id, on, code, limit)


async def find(
    county_id: int,
    on: date,
    wanted: Filter,
    phone_hmac: bytes | None,
    within: Sequence[str],
    *,
    homeless: bool,
    page: tuple[int, int],
) -> list[Found]:
    """``homeless``: also people without a post; ``page`` is (limit, offset)."""
    return await DB.all(
        Found,
        FIND,
        county_id,
        on,
        wanted.q,
        wanted.q.lower() or " ",
        phone_hmac,
        homeless,
        list(within),
        wanted.role,
        wanted.employment,
        wanted.state,
        *page,
    )


async def namesake(county_id: int, name: str, code: str, on: date) -> str | None:
    """Where in a subtree somebody of this name served last who holds and awaits no post."""
    found: str | None = await DB.fetchval(NAMESAKE, county_id, name, code, on)
    return found


async def rows(county_id: int, codes: Sequence[str], roles: Sequence[Role]) -> list[ExportRow]:
    """Assignments without an end, in the order of a roster file."""
    return await DB.all(ExportRow, ROWS, county_id, list(codes), list(roles))


async def update_person(
    county_id: int,
    person_id: UUID,
    version: int,
    facts: tuple[str, str, str, Employment, bool, str | None],
    phone: tuple[bytes, bytes, str] | None,
) -> bool:
    """False when somebody else has saved since; ``phone`` is (cipher, hmac, last four)."""
    cipher, hmac, last4 = phone or (None, None, None)
    changed = await DB.count(
        """
        UPDATE shared.person SET name = $4, name_pinyin = $5, name_initials = $6,
            employment_type = $7, full_time = $8, political = $9,
            phone_cipher = COALESCE($10, phone_cipher), phone_hmac = COALESCE($11, phone_hmac),
            phone_last4 = COALESCE($12, phone_last4), version = version + 1
        WHERE county_id = $1 AND id = $2 AND version = $3
        """,
        county_id,
        person_id,
        version,
        *facts,
        cipher,
        hmac,
        last4,
    )
    return changed == 1


async def delete_coming(county_id: int, assignment_id: UUID, on: date) -> bool:
    """True when an assignment that has not begun is gone."""
    changed = await DB.count(
        "DELETE FROM shared.assignment WHERE county_id = $1 AND id = $2 AND valid_from > $3",
        county_id,
        assignment_id,
        on,
    )
    return changed == 1


async def update_unit(
    county_id: int, unit_id: UUID, name: str, households: int | None, grid_type: str | None
) -> None:
    await DB.execute(
        "UPDATE shared.unit SET name = $3, households = $4, grid_type = $5"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        unit_id,
        name,
        households,
        grid_type,
    )


async def follow_type(
    county_id: int, code: str, before: str | None, after: str | None
) -> list[tuple[UUID, str]]:
    """Give a village's grids in use that were of its old type the new one; their ids and codes."""
    rows = await DB.fetch(
        "UPDATE shared.unit SET grid_type = $4 WHERE county_id = $1 AND kind = 'grid'"
        " AND starts_with(code, $2) AND grid_type = $3 AND closed_on IS NULL RETURNING id, code",
        county_id,
        code,
        before,
        after,
    )
    return [(row["id"], row["code"]) for row in rows]


async def close_unit(county_id: int, code: str, on: date) -> None:
    """A unit, everything below it, and their posts."""
    await DB.execute(
        "UPDATE shared.unit SET closed_on = $3"
        " WHERE county_id = $1 AND starts_with(code, $2) AND closed_on IS NULL",
        county_id,
        code,
        on,
    )
    await DB.execute(
        "UPDATE shared.post p SET closed_on = $3 FROM shared.unit u"
        " WHERE p.county_id = $1 AND u.county_id = $1 AND u.id = p.unit_id"
        " AND starts_with(u.code, $2) AND p.closed_on IS NULL",
        county_id,
        code,
        on,
    )


async def holders_below(county_id: int, code: str, on: date) -> int:
    """People who hold or will hold a post in the subtree."""
    count: int = await DB.fetchval(
        "SELECT count(*) FROM shared.assignment a"
        " JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id"
        " JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id"
        " WHERE a.county_id = $1 AND starts_with(u.code, $2)"
        " AND (a.valid_to IS NULL OR a.valid_to > $3)",
        county_id,
        code,
        on,
    )
    return count


async def close_post(county_id: int, post_id: UUID, on: date) -> None:
    await DB.execute(
        "UPDATE shared.post SET closed_on = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        post_id,
        on,
    )
