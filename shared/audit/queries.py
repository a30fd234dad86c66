"""SQL of the audit trail."""

from collections.abc import Sequence

import msgspec

from shared.audit.schemas import Event, ExportRow
from shared.database import DB

INSERT = """
INSERT INTO shared.audit_event (county_id, id, at, actor_id, authority, action, object_kind,
                                object_id, unit_code, before, after, reason, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""


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
