"""What notices and services look like to their callers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from appraisal.casework.fields import SERVICE
from appraisal.pool.rules import GRADE_NAMES

Channel = Literal["visit", "phone", "letter", "online"]
How = Literal["signed", "refused", "post"]
Line = Annotated[str, msgspec.Meta(max_length=60)]


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A public notice."""

    id: UUID
    kind: str
    about_cycle_id: UUID | None
    cycle_title: str
    title: str
    issuer: str
    full_names: bool
    phone: str
    place: str
    starts_on: date
    ends_on: date
    days: int
    issued_by: UUID
    issued_at: datetime


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a notice as published."""

    position: int
    name: str
    unit: str
    note: str


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line to publish; ``name`` is already masked where it must be."""

    case_id: UUID | None = None
    person_id: UUID | None = None
    name: str
    unit: str
    note: str = ""


class NoticeForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the department states; the first day is the day after issuing."""

    phone: Line = ""
    place: Line = ""


class ContestForm(msgspec.Struct, frozen=True, kw_only=True):
    """Anybody's objection to a notice, as the office received it."""

    entry: Annotated[int, msgspec.Meta(ge=1)]
    """Whom it is about: the position on the notice."""
    objector: Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
    contact: Annotated[str, msgspec.Meta(min_length=5, max_length=40)]
    channel: Channel
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    received_on: date
    document: Line = ""
    no_kin: bool = False


class Subject(msgspec.Struct, frozen=True):
    """Whom a line of a notice is about."""

    case_id: UUID | None
    person_id: UUID | None


class ServeForm(msgspec.Struct, frozen=True, kw_only=True):
    """How a result was served."""

    how: How
    served_on: date
    witness_one: Line = ""
    witness_two: Line = ""
    post_number: Line = ""


class ServingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded service."""

    id: UUID
    about_cycle_id: UUID
    person_id: UUID
    grade: str
    how: How
    served_on: date
    server_id: UUID
    server_name: str
    witness_one: str
    witness_two: str
    post_number: str
    objection_until: date
    recorded_at: datetime

    @property
    def how_name(self) -> str:
        return dict(SERVICE)[self.how]


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person's result and whether it was served."""

    person_id: UUID
    name: str
    grid_code: str
    grid_name: str
    village_name: str
    township_name: str
    grade: str
    final: Decimal | None
    how: How | None
    served_on: date | None
    objection_until: date | None
    unreached: UUID | None
    """The case in which somebody recorded that the letter reaches nobody."""
    unreachable: bool
    """Whether another has confirmed it."""

    @property
    def grade_name(self) -> str:
        return GRADE_NAMES.get(self.grade, self.grade)

    @property
    def how_name(self) -> str:
        return dict(SERVICE).get(self.how or "", "")

    @property
    def service_name(self) -> str:
        """How it was served, or why it is not."""
        if self.how:
            return self.how_name
        recorded = "送达不到，待核实" if self.unreached else "未送达"
        return "送达不到" if self.unreachable else recorded
