"""What a roster file says, what the county has, and the difference between the two."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import msgspec

from shared.roster.roles import Employment, Role
from shared.roster.schemas import UnitRow


class Division(msgspec.Struct, frozen=True):
    """One village of the national statistical divisions."""

    township_code: str
    township: str
    village_code: str
    village: str


class Divisions(msgspec.Struct, frozen=True):
    """A divisions file: the authority for codes and names."""

    county: str
    villages: tuple[Division, ...]


class Entry(msgspec.Struct, kw_only=True):
    """One row of the file after its cells were read; ``line`` is its place in Table.rows."""

    line: int
    name: str
    phone: str | None
    """None = masked, as our own export writes it; then ``tenure_id`` says who it is."""
    fingerprint: bytes | None
    role: Role
    employment: Employment
    full_time: bool | None
    """None = the file does not say."""
    political: str | None
    valid_from: date | None
    township: str | None
    village: str | None
    village_code: str | None
    grid_name: str | None
    grids: tuple[str, ...]
    households: int | None
    tenure_id: UUID | None = None
    unit_code: str = ""
    """Where the post stands; set by the planner."""

    @property
    def named_grids(self) -> tuple[str, ...]:
        """The grids the post names: a lead's; a gridworker's grid is the unit itself."""
        return self.grids if self.role is Role.LEAD else ()


class KnownPerson(msgspec.Struct, frozen=True):
    """A person of the county; the phone only as its fingerprint."""

    id: UUID
    name: str
    phone_hmac: bytes
    employment_type: Employment
    full_time: bool
    political: str | None


class KnownPost(msgspec.Struct, frozen=True):
    id: UUID
    unit_code: str
    role: Role
    seat: int
    grids: tuple[str, ...]
    closed: bool = False


class KnownTenure(msgspec.Struct, frozen=True):
    id: UUID
    post_id: UUID
    person_id: UUID
    valid_from: date
    valid_to: date | None


class Known(msgspec.Struct):
    """The county's roster as it stands: every unit, person, post and assignment."""

    units: Mapping[str, UnitRow]
    people: Mapping[UUID, KnownPerson]
    posts: Mapping[UUID, KnownPost]
    tenures: Mapping[UUID, KnownTenure]


class UnitChange(msgspec.Struct, frozen=True):
    id: UUID
    code: str
    name: str
    households: int | None
    before_name: str
    before_households: int | None
    reopened: bool = False
    """It was closed; a file that names it says it is in use."""


class NewPerson(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    phone: str
    fingerprint: bytes
    employment: Employment
    full_time: bool
    political: str | None


class PersonChange(msgspec.Struct, frozen=True):
    """``phone`` None = unchanged."""

    before: KnownPerson
    name: str
    phone: str | None
    fingerprint: bytes
    employment: Employment
    full_time: bool
    political: str | None


class Start(msgspec.Struct, frozen=True):
    id: UUID
    post_id: UUID
    person_id: UUID
    valid_from: date
    unit_code: str


class End(msgspec.Struct, frozen=True):
    tenure_id: UUID
    person_id: UUID
    unit_code: str
    on: date
    reason: str


class Correction(msgspec.Struct, frozen=True):
    """The file states another first day of an assignment that goes on."""

    tenure_id: UUID
    person_id: UUID
    unit_code: str
    before: date
    after: date


class Line(msgspec.Struct, frozen=True):
    """One change in words, for the preview."""

    name: str
    text: str
    row: int = 0
    """Of the file; 0 = not in the file."""


class Plan(msgspec.Struct):
    """The difference between the file and the roster; empty lists = nothing to do."""

    new_units: list[UnitRow] = []
    changed_units: list[UnitChange] = []
    new_people: list[NewPerson] = []
    changed_people: list[PersonChange] = []
    new_posts: list[KnownPost] = []
    starts: list[Start] = []
    places: dict[UUID, str] = {}
    """The unit that the file names beside each person it brings or changes."""
    ends: list[End] = []
    corrections: list[Correction] = []
    joined: list[Line] = []
    moved: list[Line] = []
    transfers: int = 0
    """Of the moved: gridworkers, each of whom takes a paper."""
    left: list[Line] = []
    changed: list[Line] = []
    renamed: list[Line] = []
    """Units with another name or count."""
    missing: list[Line] = []
    """Hold a post, are not in the file; ended only on demand (then also in ``ends``)."""
    staying: int = 0
    """Of the missing: gridworkers, whom no demand ends."""
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing would be written."""
        return not (
            self.new_units
            or self.changed_units
            or self.new_people
            or self.changed_people
            or self.new_posts
            or self.starts
            or self.ends
            or self.corrections
        )


class Preview(msgspec.Struct):
    """What a dry run shows and an import reports."""

    rows: int
    counts: dict[str, int]
    """Chinese label → number, in the order to show."""
    joined: list[Line] = []
    moved: list[Line] = []
    transfers: int = 0
    """Of the moved: gridworkers, each of whom takes a paper."""
    left: list[Line] = []
    changed: list[Line] = []
    renamed: list[Line] = []
    missing: list[Line] = []
    staying: int = 0
    """Of the missing: gridworkers, whom no demand ends."""
    faults: list[str] = []
    fault_count: int = 0
    notes: list[str] = []
    digest: str = ""
    """Of the plan's content: an accepted preview is what is written, or nothing."""
    seconds: float = 0.0
