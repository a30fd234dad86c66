"""What ranks look like to their callers; scores are hundredths, survey scores tenths."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.scorecard.rules import GRADE_NAMES, NOTE_NAMES, Grade, Note
from shared.roster.roles import Employment

Place = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
GRID_TYPES = {"rural": "农村网格", "community": "社区网格", "other": "其他网格"}


class Level(StrEnum):
    """Within what a worker is ranked."""

    COUNTY = "county"
    TYPE = "type"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a list. ``unit`` is a code; empty means the county."""

    unit: str = ""
    grid_type: str = ""
    grade: str = ""
    text: str = ""
    after: int = 0
    """The place of the last row before this page."""

    @property
    def level(self) -> Level:
        """The list whose places order this one."""
        if len(self.unit) >= 12:
            return Level.VILLAGE
        if len(self.unit) == 9:
            return Level.TOWNSHIP
        return Level.TYPE if self.grid_type else Level.COUNTY

    @property
    def own(self) -> tuple[str, ...]:
        """The unit or the grid type whose list it is; the county's needs neither."""
        if self.level is Level.COUNTY:
            return ()
        return (self.grid_type if self.level is Level.TYPE else self.unit,)

    @property
    def dense(self) -> bool:
        """Whether every place of the list is in it, so that page n begins at a known place."""
        narrowed = self.grade or self.text or len(self.unit) == 15
        return not narrowed and not (self.grid_type and self.level is not Level.TYPE)


class RankRow(msgspec.Struct, frozen=True, kw_only=True):
    """One worker in a list."""

    place: int
    rank: int | None
    person_id: UUID
    name: str
    grid_code: str
    grid_name: str
    village_name: str
    township_name: str
    grid_type: str
    employment_type: Employment
    days: int
    attendance: int | None
    orders: int | None
    data: int | None
    settled: int | None
    satisfaction: int | None
    merit: int | None
    training: int | None
    plus: int
    minus: int
    calculated: int | None
    calibrated: int | None
    final: int | None
    grade: Grade
    note: Note
    liked: int | None
    ballots: int
    half_width: int | None

    @property
    def grade_name(self) -> str:
        return GRADE_NAMES[self.grade]

    @property
    def note_name(self) -> str:
        return NOTE_NAMES[self.note]


class UnitLine(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's workers in figures; means leave out 不定等次."""

    code: str
    name: str
    people: int
    mean: int | None
    excellent: int
    good: int
    basic: int
    fail: int
    undetermined: int
    liked: int | None
    """Mean of the survey scores there are."""
    grids_liked: int
    """How many workers have one."""
    ballots: int
