"""What the roster shows of itself; different views of a row are different Structs."""

from datetime import date
from uuid import UUID

import msgspec

from shared.roster.roles import Employment, Role, UnitKind


class UnitRow(msgspec.Struct, frozen=True):
    """A county, township, village or grid."""

    id: UUID
    code: str
    kind: UnitKind
    name: str
    grid_type: str | None = None
    parent_id: UUID | None = None
    households: int | None = None
    closed_on: date | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a gridworker works: the grid and what it lies in."""

    grid_code: str
    grid_name: str
    grid_type: str | None
    village_code: str
    village_name: str
    township_code: str
    township_name: str


class PersonCard(msgspec.Struct, frozen=True):
    """A person as another person may see them: the phone is masked."""

    id: UUID
    name: str
    phone_masked: str
    employment_type: Employment
    full_time: bool
    political: str | None = None
    version: int = 1


class PersonRow(msgspec.Struct, frozen=True):
    """A person as stored; does not leave the roster."""

    id: UUID
    name: str
    phone_cipher: bytes
    phone_hmac: bytes
    phone_last4: str
    employment_type: Employment
    full_time: bool
    political: str | None
    version: int


class Holder(msgspec.Struct, frozen=True):
    """Who holds a post at a unit on a day."""

    person_id: UUID
    name: str
    post_id: UUID
    unit_code: str
    grids: tuple[str, ...] = ()
    subject_id: UUID | None = None


class WorkerSpan(msgspec.Struct, frozen=True):
    """One gridworker's time at one grid; ``valid_to`` is the first day after it."""

    person_id: UUID
    name: str
    grid_code: str
    valid_from: date
    valid_to: date | None


class Tenure(msgspec.Struct, frozen=True):
    """One assignment with what it says about post and unit: a line of a person's history."""

    id: UUID
    person_id: UUID
    name: str
    post_id: UUID
    role: Role
    seat: int
    unit_code: str
    unit_name: str
    valid_from: date
    valid_to: date | None
    reason: str
    grids: tuple[str, ...] = ()
    subject_id: UUID | None = None
