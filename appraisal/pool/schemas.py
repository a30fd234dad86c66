"""What the pools take and show."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.pool.rules import GRADE_NAMES, Protection
from shared.roster.roles import EMPLOYMENT_NAMES, Employment

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a result puts before a pool."""

    person_id: UUID
    name: str
    grid_code: str
    grid_name: str
    village_name: str
    township_name: str
    cycle_id: UUID
    cycle_title: str
    grade: str
    final: Decimal | None
    case_id: UUID | None
    """The case that was opened for it."""

    @property
    def grade_name(self) -> str:
        return GRADE_NAMES.get(self.grade, self.grade)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the books say for one opening; people decide with it before them."""

    person_id: UUID
    name: str
    unit_code: str
    place: str
    employment: Employment
    results: list[Candidate]
    """Results of all cycles, the latest first."""
    open_deductions: int
    thin: str = ""
    """Why the latest weak result does not carry a warning; empty = it does, or there is none."""

    @property
    def employment_name(self) -> str:
        return EMPLOYMENT_NAMES[self.employment]


class ApplyForm(msgspec.Struct, frozen=True, kw_only=True):
    """An application or nomination; nothing is asked that the post does not need."""

    post_id: UUID
    step: str
    name: Annotated[str, msgspec.Meta(min_length=2, max_length=30)]
    phone: Annotated[str, msgspec.Meta(max_length=20)]
    source: str
    words: Words
    effective_on: date
    consent: bool = False
    no_kin: bool = False


class ShieldForm(msgspec.Struct, frozen=True, kw_only=True):
    """A protection as somebody records it."""

    kind: Protection
    starts_on: date
    ends_on: date | None = None
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
