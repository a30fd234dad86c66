"""What work shows of itself."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.rulebook.rules import Step
from points.work.rules import State


class LogForm(msgspec.Struct, frozen=True, kw_only=True):
    """One declaration. ``id`` is made where it is typed, so that a repeat changes nothing."""

    id: UUID
    rule_code: str
    work_date: date
    text: str = ""
    quantity: int = 1
    household: str = ""
    worker_id: UUID | None = None
    """For whom, when somebody else keys it in (代录)."""
    grid_code: str = ""
    """Where it was done, for who works in several grids at once."""
    replaces: UUID | None = None
    """The returned record this one corrects."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record as stored, but for photo bytes and the household."""

    id: UUID
    worker_id: UUID
    grid_code: str
    rule_code: str
    rule_version: int
    category: str
    work_date: date
    run_month: int
    declared_at: datetime
    text: str
    quantity: int
    source: str
    entered_by: UUID | None
    fingerprint: bytes
    state: State
    repeats: UUID | None
    recused: tuple[UUID, ...]
    """Verifiers who said that they are related to the worker."""
    resident_how: str
    reason: str
    gives: int
    posted: int
    decision: str | None
    posted_at: datetime | None
    photo: bytes | None


class Excluding(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whom a pending record's steps wait for."""

    id: UUID
    worker_id: UUID
    grid_code: str
    entered_by: UUID | None
    recused: tuple[UUID, ...]
    cadre: bool
    confirmed: tuple[UUID, ...] = ()
    """Who has confirmed one of its steps."""

    @property
    def excluded(self) -> frozenset[UUID]:
        """Who may not confirm it: the worker, who keyed it in, who recused themselves."""
        return frozenset(filter(None, (self.worker_id, self.entered_by, *self.recused)))


class NewRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of a declared record."""

    id: UUID
    worker_id: UUID
    grid_code: str
    rule_code: str
    rule_version: int
    category: str
    work_date: date
    run_month: int
    declared_at: datetime
    seq: int
    text: str
    text_key: str
    quantity: int
    household: str
    photo: bytes | None
    source: str
    entered_by: UUID | None
    fingerprint: bytes
    state: State
    gives: int


class NewStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step that a record waits for."""

    id: UUID
    record_id: UUID
    step: Step
    role: str
    unit_code: str
    grid_code: str


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step, open or answered."""

    id: UUID
    record_id: UUID
    step: Step
    role: str
    unit_code: str
    grid_code: str
    verdict: str
    by_id: UUID | None
    by_name: str | None
    authority: str
    via: str
    at: datetime | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A record with the words a list needs."""

    id: UUID
    worker_id: UUID
    worker_name: str
    grid_code: str
    grid_name: str
    rule_code: str
    category: str
    work_date: date
    declared_at: datetime
    text: str
    quantity: int
    state: State
    source: str
    entered_by: UUID | None
    repeats: UUID | None
    resident_how: str
    reason: str
    gives: int
    posted: int
    wallet: int | None
    """What the village paid by a variant of its own; None = as much as was posted."""
    words: str | None
    has_photo: bool
    verified_by: str | None
    verified_at: datetime | None
    posted_at: datetime | None
    run_month: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A record in somebody's 待办: the line, the step and whether a resident must be named."""

    line: Line
    step: Step
    title: str
    resident: bool


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's month so far, 0.1 point."""

    pending: int
    accepted: int
    posted: int


class MonthTotals(msgspec.Struct, kw_only=True):
    """What a posting run did: records, 0.1 point given, cut by each cap, posted, waiting."""

    records: int = 0
    gives: int = 0
    posted: int = 0
    zero: int = 0
    cuts: dict[str, int] = {}
    awaiting: int = 0
