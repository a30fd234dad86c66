"""Rows of the audit trail."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.audit.words import AUTHORITIES, FIELDS, action_name, authority_name, value_text


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
    about_id: UUID | None
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


class Line(msgspec.Struct, frozen=True):
    """One event as the desk reads it."""

    id: UUID
    at: datetime
    actor_name: str | None
    authority: str
    authority_unit: str | None
    action: str
    object_kind: str
    object_id: UUID | None
    about_name: str | None
    """Of the person that the object is or belongs to."""
    unit_code: str
    unit_name: str | None
    before: str | None
    after: str | None
    reason: str

    @property
    def what(self) -> str:
        """The action in Chinese."""
        return action_name(self.action)

    @property
    def who(self) -> str:
        """The name, or what acts without one."""
        return self.actor_name or AUTHORITIES.get(self.authority, self.authority)

    def right(self, department: str) -> str:
        """The authority in Chinese."""
        return authority_name(self.authority, self.authority_unit, department)

    def changes(self, department: str) -> list[tuple[str, str, str]]:
        """Field, before and after, for the fields that either side names, in Chinese."""
        before, after = _fields(self.before), _fields(self.after)
        subject = self.action.partition(".")[0]
        return [
            (
                FIELDS.get(name, name),
                value_text(name, before.get(name), subject, department),
                value_text(name, after.get(name), subject, department),
            )
            for name in sorted(before.keys() | after.keys())
        ]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of a search; dates are days in China, both included."""

    since: date
    until: date
    subject: str = ""
    """The part of an action before the dot."""
    who: str = ""
    """The name of the actor or of the person it was done to, whole."""
    unit: str = ""
    """A unit's code: its subtree."""
    object_id: UUID | None = None


class Export(msgspec.Struct, frozen=True):
    """A line of 导出记录."""

    id: UUID
    at: datetime
    person: str
    name: str
    purpose: str
    row_count: int
    unit_name: str
    """Whose data it is; empty for one person's."""


def _fields(text: str | None) -> dict[str, Any]:
    value = msgspec.json.decode(text) if text else {}
    return value if isinstance(value, dict) else {"": value}
