"""What training shows of itself; hours and tests are Decimals."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.training.rules import KIND_NAMES, SessionKind


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its figures."""

    id: UUID
    unit_code: str
    unit_name: str
    kind: SessionKind
    title: str
    held_on: date
    hours: Decimal
    place: str
    trainer: str
    tested: bool
    state: str
    reason: str
    entered_by: UUID | None
    entered_by_name: str | None
    entered_at: datetime
    present: int
    marks: int
    average: Decimal | None

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]


class Attendee(msgspec.Struct, frozen=True, kw_only=True):
    """One gridworker who could have come, with what was entered."""

    person_id: UUID
    name: str
    village_code: str
    village_name: str
    township_name: str
    grid_code: str
    present: bool | None = None
    test: Decimal | None = None
    version: int | None = None


class AttendeeInput(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is handed in."""

    person_id: UUID
    village_code: str
    present: bool
    test: Decimal | None = None


class AttendeeRow(AttendeeInput, frozen=True, kw_only=True):
    """A current line as it is stored."""

    version: int


class OwnSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session on a worker's own page."""

    kind: SessionKind
    title: str
    held_on: date
    hours: Decimal
    place: str
    trainer: str
    present: bool
    test: Decimal | None

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A person's row of ``training_total`` with the cycle's title."""

    cycle_id: UUID
    cycle_title: str
    hours: Decimal | None
    required: Decimal
    test: Decimal | None
    sessions: int


class TotalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One gridworker's training in a cycle, for the list and the export."""

    person_id: UUID
    name: str
    township_name: str
    village_name: str
    grid_code: str
    hours: Decimal | None
    required: Decimal
    test: Decimal | None
    sessions: int


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What a cycle asks, and since which version."""

    hours: Decimal
    version: int
    reason: str
    entered_by_name: str | None
    entered_at: datetime | None
