"""What the office sees of the roster, and the forms it fills in."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.roster.roles import Employment, Role, UnitKind
from shared.roster.schemas import PersonCard, Tenure, UnitRow

ShortText = Annotated[str, Meta(max_length=60)]
Page = Annotated[int, Meta(ge=1, le=100_000)]
MAX_REASON = 200
Reason = Annotated[str, Meta(min_length=2, max_length=MAX_REASON)]
State = Literal["serving", "former", "all"]
LEAVINGS = (
    "本人申请离任（有书面申请）",
    "去世",
    "网格或岗位撤并",
    "转任其他岗位",
    "登记有误（此人没有担任过）",
)
"""How a gridworker leaves at the desk: never against their will, which takes an exit case."""
TRANSFERS = (
    "本人同意调岗（有书面同意）",
    "任命到其他岗位（有任命文件）",
    "网格或岗位撤并",
    "书面警告后调整网格（有调整通知书）",
)
"""How a gridworker is moved at the desk: agreed to in writing, or decided on another paper."""


class Tally(msgspec.Struct, frozen=True):
    """Counts of one unit's subtree on a day."""

    code: str
    name: str
    kind: UnitKind
    villages: int
    grids: int
    people: int
    gridworkers: int
    uncovered: int
    """Grids without a gridworker."""
    vacant: int
    """Posts without a holder."""
    households: int
    holders: str | None
    """Names of a grid's own gridworkers."""


class Seat(msgspec.Struct, frozen=True):
    """A post with its holder on a day; no holder = vacant."""

    post_id: UUID
    role: Role
    seat: int
    unit_code: str
    unit_name: str
    grids: tuple[str, ...]
    assignment_id: UUID | None
    person_id: UUID | None
    name: str | None
    valid_from: date | None
    next_name: str | None
    next_from: date | None


class Vacancy(msgspec.Struct, frozen=True):
    """A post without a holder, or (no post id) a grid that has no gridworker's post at all."""

    post_id: UUID | None
    role: Role
    unit_code: str
    unit_name: str
    village_name: str | None
    township_name: str | None
    grids: tuple[str, ...]
    since: date | None
    """The day the last holder left."""


class Found(msgspec.Struct, frozen=True):
    """A line of the people list: a person and one post they hold, or none."""

    person_id: UUID
    name: str
    phone_cipher: bytes
    employment_type: Employment
    full_time: bool
    political: str | None
    role: Role | None
    unit_code: str | None
    unit_name: str | None
    village_name: str | None
    township_name: str | None
    grids: tuple[str, ...] | None
    assignment_id: UUID | None
    valid_from: date | None
    total: int
    """Of all lines that match."""


class ExportRow(msgspec.Struct, frozen=True):
    """One assignment without an end."""

    assignment_id: UUID
    name: str
    phone_cipher: bytes
    employment_type: Employment
    full_time: bool
    political: str | None
    role: Role
    grids: tuple[str, ...]
    unit_code: str
    valid_from: date


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of the people list."""

    q: ShortText = ""
    """Part of a name, the beginning of its pinyin or initials, or a whole phone number."""
    unit: Annotated[str, Meta(max_length=15)] = ""
    role: Role | None = None
    employment: Employment | None = None
    state: State = "serving"


class UnitView(msgspec.Struct, frozen=True):
    """One unit of the tree: what it is, what is below it, who serves at it."""

    unit: UnitRow
    path: tuple[UnitRow, ...]
    """Ancestors the viewer may see, from the top."""
    below: list[Tally]
    total: Tally
    seats: list[Seat]
    can_edit: bool


class Dossier(msgspec.Struct, frozen=True):
    """One person with the whole history of their posts."""

    card: PersonCard
    tenures: list[Tenure]
    current: list[Tenure]
    coming: list[Tenure]
    away: bool
    """Left so short ago that the person can still sign in."""
    can_edit: bool
    can_show_phone: bool
    can_see_work: bool
    """Whether records of theirs may lie where the actor looks at them."""


class PersonForm(msgspec.Struct, kw_only=True):
    """Facts about a person; ``version`` is the one that the form was opened with."""

    name: Annotated[str, Meta(min_length=1, max_length=30)]
    phone: Annotated[str, Meta(max_length=20)] = ""
    """Empty = unchanged: the form never shows the number."""
    employment: Employment
    full_time: bool = False
    political: ShortText = ""
    given_up: bool = False
    """The number is somebody else's by now, and nobody knows the person's new one."""
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class AppointForm(msgspec.Struct, kw_only=True):
    """Put a person into a post; a phone that is known means the person who has it."""

    name: Annotated[str, Meta(min_length=1, max_length=30)]
    phone: Annotated[str, Meta(min_length=1, max_length=20)]
    employment: Employment
    full_time: bool = False
    political: ShortText = ""
    valid_from: date
    another: bool = False
    """Not the one of this name who left the village before."""


class EndForm(msgspec.Struct, kw_only=True):
    """The day is the first without the post."""

    on: date
    reason: Reason


class LeaveForm(EndForm, kw_only=True):
    """The desk's form; ``leaving`` is asked of gridworkers only."""

    leaving: ShortText = ""


class TransferForm(msgspec.Struct, kw_only=True):
    """Leave one post and take another on the same day."""

    post_id: UUID
    on: date
    reason: Reason
    ground: ShortText = ""
    """Asked of gridworkers only."""


class UnitForm(msgspec.Struct, kw_only=True):
    """A unit's facts; ``was`` is the name and count that the form was opened with."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    households: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    grid_type: Literal["rural", "community", "other"] | None = None
    was: str = ""


class NewUnitForm(msgspec.Struct, kw_only=True):
    """A unit below another: the last three digits of its code."""

    number: Annotated[str, Meta(pattern=r"^[0-9]{3}$")]
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    households: Annotated[int, Meta(ge=0, le=100_000)] | None = None


class PostForm(msgspec.Struct, kw_only=True):
    """A post at a unit; a lead's may name grids."""

    role: Role
    grids: list[str] = []
