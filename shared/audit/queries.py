"""SQL of the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shared.audit.schemas import Event, Export, ExportRow, Line
from shared.database import DB
from shared.plan_queries import planned_each_time

INSERT = """
INSERT INTO shared.audit_event (county_id, id, at, actor_id, authority, action, object_kind,
                                object_id, about_id, unit_code, before, after, reason, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""

# Whoever is sought is known before anything is joined: of a county's month few events are theirs.
NAMED = '(SELECT id FROM shared.person WHERE county_id = $1 AND name COLLATE "C" = $5)'
ABOUT = "CASE WHEN e.object_kind = 'person' THEN e.object_id ELSE e.about_id END"
SEARCH = f"""
SELECT e.id, e.at, p.name AS actor_name, e.authority, e.action, e.object_kind, e.object_id,
       o.name AS about_name, e.unit_code, u.name AS unit_name, w.name AS authority_unit,
       e.before, e.after, e.reason
FROM shared.audit_event e
LEFT JOIN shared.person p ON p.county_id = e.county_id AND p.id = e.actor_id
LEFT JOIN shared.person o ON o.county_id = e.county_id AND o.id = {ABOUT}
LEFT JOIN shared.unit u ON u.county_id = e.county_id AND u.code = e.unit_code
LEFT JOIN shared.unit w ON w.county_id = e.county_id AND w.code = split_part(e.authority, '@', 2)
WHERE e.county_id = $1 AND e.at >= $2 AND e.at < $3
  AND ($4 = '' OR split_part(e.action, '.', 1) = $4)
  AND ($5 = '' OR e.actor_id IN {NAMED} OR {ABOUT} IN {NAMED})
  AND ($6 = '' OR starts_with(e.unit_code, $6))
  AND ($7::uuid IS NULL OR $7 IN (e.object_id, e.about_id, e.actor_id))
  AND ($8::timestamptz IS NULL OR (e.at, e.id) < ($8, $9::uuid))
ORDER BY e.at DESC, e.id DESC
LIMIT $10
"""

EXPORTS = """
SELECT x.id, x.at, p.name AS person, x.name, x.purpose, x.row_count,
       COALESCE(u.name, e.unit_code, '') AS unit_name
FROM shared.export_log x
JOIN shared.person p ON p.county_id = x.county_id AND p.id = x.person_id
LEFT JOIN shared.audit_event e ON e.county_id = x.county_id AND e.object_id = x.id
LEFT JOIN shared.unit u ON u.county_id = e.county_id AND u.code = e.unit_code
WHERE x.county_id = $1 AND x.at >= $2 AND x.at < $3 AND ($4 = '' OR p.name = $4)
  AND ($5::timestamptz IS NULL OR (x.at, x.id) < ($5, $6::uuid))
ORDER BY x.at DESC, x.id DESC
LIMIT $7
"""


async def search(
    county_id: int,
    since: datetime,
    until: datetime,
    subject: str,
    who: str,
    unit: str,
    object_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Line]:
    """Events of [since, until), latest first, from behind ``after`` on."""
    at, last = after or (None, None)
    async with planned_each_time():
        return await DB.all(
            Line, SEARCH, county_id, since, until, subject, who, unit, object_id, at, last, limit
        )


async def exports(
    county_id: int,
    since: datetime,
    until: datetime,
    who: str,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Export]:
    """导出记录 of [since, until), latest first."""
    at, last = after or (None, None)
    return await DB.all(Export, EXPORTS, county_id, since, until, who, at, last, limit)


async def insert(event: Event) -> None:
    await DB.execute(INSERT, *msgspec.structs.astuple(event))


async def insert_all(events: Sequence[Event]) -> None:
    await DB.executemany(INSERT, [msgspec.structs.astuple(event) for event in events])


async def insert_export(row: ExportRow) -> None:
    await DB.execute(
        "INSERT INTO shared.export_log (county_id, id, at, person_id, name, purpose, row_count)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *msgspec.structs.astuple(row),
    )
