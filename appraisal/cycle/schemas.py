"""What a cycle looks like to its callers."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.cycle.rules import KIND_NAMES, STAGE_NAMES, Kind, Stage


class CycleForm(msgspec.Struct):
    """What the department states to open a cycle; without a title it gets the usual one."""

    kind: Kind
    year: Annotated[int, msgspec.Meta(ge=2020, le=2100)]
    title: Annotated[str, msgspec.Meta(max_length=60)] = ""


class CycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One cycle."""

    id: UUID
    kind: Kind
    year: int
    title: str
    starts_on: date
    ends_on: date
    state: Stage
    opened_by: UUID
    opened_at: datetime
    closed_at: datetime | None = None

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    @property
    def stage_name(self) -> str:
        return STAGE_NAMES[self.state]


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was taken, and who signed it."""

    source: Stage
    target: Stage
    at: datetime
    name: str
    authority: str
    note: str
