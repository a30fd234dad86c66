"""What duty shows of itself; days are Decimals in halves."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.duty.rules import (
    KIND_NAMES,
    LEVEL_NAMES,
    MODE_NAMES,
    OUTCOME_NAMES,
    STATE_NAMES,
    EntryKind,
)


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A worker of a month at a village, with what the sheet says of them, if anything."""

    person_id: UUID
    name: str
    village_code: str
    village_name: str
    township_name: str
    grid_code: str
    grid_name: str
    first_day: date
    """In post during the month from this day"""
    last_day: date
    """to this one."""
    rostered: Decimal | None = None
    on_duty: Decimal | None = None
    leave: Decimal | None = None
    note: str | None = None
    version: int | None = None
    entered_by: str | None = None
    entered_at: datetime | None = None


class SheetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a line."""

    month: int
    village_name: str
    rostered: Decimal
    on_duty: Decimal
    leave: Decimal
    note: str
    version: int
    current: bool
    reason: str
    source: str
    entered_by: str | None
    entered_at: datetime


class SheetInput(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is handed in."""

    person_id: UUID
    village_code: str
    month: int
    rostered: Decimal
    on_duty: Decimal
    leave: Decimal
    note: str = ""


class SheetRow(SheetInput, frozen=True, kw_only=True):
    """A current line as it is stored."""

    version: int


class UnitCount(msgspec.Struct, frozen=True):
    """A unit's month: workers expected on the sheet and lines that are there."""

    code: str
    name: str
    expected: int
    filled: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact with names."""

    id: UUID
    kind: EntryKind
    person_id: UUID
    name: str
    village_code: str
    village_name: str
    township_name: str
    grid_code: str | None
    happened_on: date
    outcome: str
    level: str
    place: str
    by_whom: str
    facts: str
    document: str
    reference: str
    state: str
    source: str
    entered_by: UUID | None
    entered_by_name: str | None
    entered_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None
    reason: str
    replaces: UUID | None

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    @property
    def outcome_name(self) -> str:
        return OUTCOME_NAMES[self.kind].get(self.outcome, "")

    @property
    def level_name(self) -> str:
        return LEVEL_NAMES.get(self.level, "")

    @property
    def state_name(self) -> str:
        return STATE_NAMES[self.state]


class Worker(msgspec.Struct, frozen=True):
    """Somebody to choose in a form."""

    person_id: UUID
    name: str
    grid_code: str
    grid_name: str
    village_code: str
    village_name: str
    township_name: str


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """A double-random check with its progress; the list itself stays in the database."""

    id: UUID
    title: str
    unit_code: str
    unit_name: str
    mode: str
    first_day: date
    last_day: date
    people: int
    per_person: int
    inspectors: tuple[str, ...]
    workers: int
    records: int
    list_hash: bytes | None
    value: str
    value_source: str
    seed: bytes | None
    state: str
    opened_by: UUID
    opened_by_name: str
    opened_at: datetime
    drawn_by_name: str | None
    drawn_at: datetime | None
    items: int
    checked: int
    correct: int

    @property
    def mode_name(self) -> str:
        return MODE_NAMES[self.mode]


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn record and what was found."""

    id: UUID
    position: int
    person_id: UUID
    name: str
    village_code: str
    village_name: str
    township_name: str
    grid_code: str | None
    label: str
    worked_on: date | None
    record_id: UUID | None
    inspector: str
    version: int | None
    correct: bool | None
    note: str | None
    checked_on: date | None
    checked_by: str | None


class Candidate(msgspec.Struct, frozen=True):
    """A record that could be drawn, as the contract view offers it."""

    record_id: UUID
    person_id: UUID
    work_date: date
    grid_code: str
    label: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's gaps in a cycle: whose lines are missing in which month."""

    village_code: str
    village_name: str
    township_code: str
    township_name: str
    person_id: UUID
    name: str
    months: tuple[int, ...]
