"""Rows and views of the survey; different views of a row are different Structs."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from appraisal.survey.rules import Aspect

State = Literal["frozen", "drawn", "closed"]
Status = Literal["pending", "handed", "refused", "absent"]


class HouseholdRow(msgspec.Struct, frozen=True):
    """A household as the county lists it now."""

    id: UUID
    grid_code: str
    number: str
    villager_group: str


class FormRow(msgspec.Struct, frozen=True):
    """A version of the form."""

    id: UUID
    version: int
    aspects: tuple[Aspect, ...]
    created_at: datetime


class SurveyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A survey without its list."""

    id: UUID
    cycle_id: UUID
    form_id: UUID
    state: State
    per_grid: int
    list_hash: str
    households: int
    value_source: str
    frozen_at: datetime
    public_value: str
    seed: str
    draw_hash: str
    drawn_at: datetime | None
    closed_at: datetime | None
    waiting: int
    lost: int
    dropped: int


class DrawnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn household on its interviewer's list."""

    id: UUID
    grid_code: str
    ordinal: int
    kind: str
    number: str
    villager_group: str
    status: Status
    visits: int


class GridProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Field work of one grid in counts."""

    grid_code: str
    households: int
    listed: int
    """Households on the list, those that were replaced included."""
    handed: int
    pending: int
    gone: int
    """Refused, or not at home to the end."""
    slips: int
    answered: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Field work of a unit, summed over its grids."""

    code: str
    name: str
    grids: int
    households: int
    drawn: int
    """Households that the draw chose; ``listed`` counts those that replace others too."""
    listed: int
    handed: int
    pending: int
    gone: int
    slips: int
    answered: int
    short: int
    """Grids that need more households."""

    @property
    def share(self) -> int:
        """Per cent of the households with a slip that have answered."""
        return self.answered * 100 // self.handed if self.handed else 0


class Interviewer(msgspec.Struct, frozen=True):
    """Somebody assigned to a village."""

    id: UUID
    village_code: str
    person_id: UUID
    name: str


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who could be assigned to a village."""

    person_id: UUID
    name: str
    place: str


class SlipRow(msgspec.Struct, frozen=True):
    """A slip whose batch is not void, with its survey's state."""

    id: UUID
    survey_id: UUID
    grid_code: str
    number: int
    state: State
    form_id: UUID
    ends_on: date
    """The last day of the period that is asked about."""


class PrintedSlip(msgspec.Struct, frozen=True):
    """A slip as it goes to the printer; the only time its token is known."""

    url: str
    number: str
    grid_name: str


class PaperRow(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that waits for its second keying or for a third look."""

    id: UUID
    survey_id: UUID
    grid_code: str
    aware: bool
    answers: tuple[int, ...]
    comment: str
    first_by: UUID
    second_by: UUID | None
    second_aware: bool | None
    second_answers: tuple[int, ...] | None
    second_comment: str


class UnitResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a closed survey says of a unit; None where fewer than five answered."""

    code: str
    ballots: int
    counted: int
    aware_share: Decimal | None
    satisfied_share: Decimal | None
    score: Decimal | None
    half_width: Decimal | None
    aspects: tuple[Decimal, ...] | None
    asked: int
    households: int


class CommentGroup(msgspec.Struct, frozen=True):
    """Words of five or more residents of a unit, in no order."""

    code: str
    place: str
    """Names from the township down."""
    texts: tuple[str, ...]
