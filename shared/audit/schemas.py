"""Rows of the audit trail."""

from datetime import datetime
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One row as it is stored; the fields stand in the order of the INSERT."""

    county_id: int
    id: UUID
    at: datetime
    actor_id: UUID | None
    authority: str
    action: str
    object_kind: str
    object_id: UUID | None
    unit_code: str
    before: str | None
    after: str | None
    reason: str
    request_id: str


class ExportRow(msgspec.Struct, frozen=True):
    """One row of 导出记录 as it is stored, in the order of the INSERT."""

    county_id: int
    id: UUID
    at: datetime
    person_id: UUID
    name: str
    purpose: str
    row_count: int
