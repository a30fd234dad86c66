"""What schemes, runs and scorecards look like to their callers; scores are hundredths."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.scorecard.rules import (
    GRADE_NAMES,
    NOTE_NAMES,
    Component,
    Grade,
    Note,
    Scheme,
)


class SchemeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the rules; the shipped one has no id and nobody who made it."""

    id: UUID | None
    effective_on: date
    scheme: Scheme
    made_name: str = ""
    made_at: datetime | None = None
    reason: str = ""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One scoring of a cycle."""

    id: UUID
    cycle_id: UUID
    number: int
    current: bool
    scheme: Scheme
    annual: bool
    period_days: int
    people: int
    made_name: str
    made_at: datetime
    note: str


class FirstHalf(msgspec.Struct, frozen=True, kw_only=True):
    """What an annual score took in of the half-year (``taken``), and what that is now."""

    person_id: UUID
    name: str
    grid_code: str
    share: int
    first: int
    taken: int | None
    period_score: int
    final: int


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose annual score is to rise, because their half-year's did."""

    person_id: UUID
    name: str
    grid_code: str
    first: int
    before: int
    after: int


class Unappraised(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was gridworker in the period and is in no score of its run."""

    person_id: UUID
    name: str
    grid_code: str
    until: date | None
    """The last day in post; None = by the roster as it is now, the period's last day, too."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The frozen input of one person; units as in ``tables.Input``."""

    person_id: UUID
    name: str
    grid_code: str
    grid_type: str
    employment_type: str
    days: int
    days_rural: int
    days_community: int
    days_other: int
    grids: int
    rostered: int | None
    on_duty: int | None
    on_leave: int | None
    missing_months: int
    failed_checks: int
    orders_total: int | None
    orders_good: int | None
    data_total: int | None
    data_good: int | None
    settled_total: int | None
    settled_good: int | None
    satisfaction: int | None
    half_width: int | None
    ballots: int
    awarded: int
    deducted: int
    hours: int | None
    hours_required: int | None
    test: int | None
    commended_township: int
    commended_county: int
    veto: bool
    veto_reason: str
    first_final: int | None


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made of one person's facts."""

    attendance: int | None
    orders: int | None
    data: int | None
    settled: int | None
    satisfaction: int | None
    merit: int | None
    training: int | None
    plus: int
    minus: int
    present: int
    rate: int
    typical: int | None
    period_score: int | None
    calculated: int | None
    calibrated: int | None
    final: int | None
    grade: Grade
    note: Note

    @property
    def grade_name(self) -> str:
        return GRADE_NAMES[self.grade]

    @property
    def note_name(self) -> str:
        return NOTE_NAMES[self.note]

    def of(self, component: Component) -> int | None:
        found: int | None = getattr(self, component.value)
        return found


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One person's result in a run."""

    person_id: UUID
    name: str
    grid_code: str
    final: int | None
    grade: Grade


class CalibrationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A score that somebody set, and why."""

    calculated: int | None
    before: int | None
    calibrated: int
    reason: str
    made_name: str
    authority: str
    made_at: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How one person differs between two runs; None = not in that run."""

    person_id: UUID
    name: str
    grid_code: str
    before: int | None
    after: int | None
    grade_before: Grade | None
    grade_after: Grade | None

    @property
    def grades(self) -> tuple[str, str]:
        before, after = self.grade_before, self.grade_after
        return (GRADE_NAMES[before] if before else "—", GRADE_NAMES[after] if after else "—")


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a run have each grade, and how many scores lack a component."""

    people: int
    excellent: int
    good: int
    basic: int
    fail: int
    undetermined: int
    calibrated: int
    no_attendance: int
    no_data: int
    no_satisfaction: int
    no_merit: int
    no_training: int
    missing_months: int
