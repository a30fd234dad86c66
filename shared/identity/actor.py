"""Who is asking: a person and the duties that their assignments give them at this moment."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.roster.roles import Role
from shared.roster.rules import county_code


class Duty(msgspec.Struct, frozen=True):
    """One post held now: a role over a unit's subtree, over named grids, or at a shop."""

    role: Role
    unit_code: str
    """The post's unit; the duty reaches every unit whose code begins with it."""
    post_id: UUID
    grids: tuple[str, ...] = ()
    """Codes of the grids a lead's post names; empty = all of the village."""
    subject_id: UUID | None = None
    """The shop of a shopkeeper."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in person; rebuilt from the assignments valid at the moment of the request."""

    county_id: int
    person_id: UUID
    name: str
    account_id: UUID
    session_id: UUID
    desk: bool = False
    """Signed in with password and TOTP."""
    former: bool = False
    """The last assignment ended less than 90 days ago: balance, code and objection only."""
    stopped_until: date | None = None
    """A case of serious fault runs: as ``former``, but for a shop that the person keeps."""
    handed: bool = False
    """At a desk with the first password, which another knows: nothing but to take it over."""
    terminal: bool = False
    """A shop terminal's signed request: only the API routes that say so."""
    confirmed_at: datetime | None = None
    """When the password or PIN was last given in this session (exports ask for a fresh one)."""
    text_size: str = "normal"
    duties: tuple[Duty, ...] = ()
    device: str = ""
    """Which session or terminal key, for the records that carry it."""

    @property
    def county_code(self) -> str:
        return county_code(self.county_id)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(duty.role for duty in self.duties)

    def units(self, *roles: Role) -> tuple[str, ...]:
        """Codes of the units where one of the roles is held."""
        return tuple(duty.unit_code for duty in self.duties if duty.role in roles)

    @property
    def shops(self) -> tuple[UUID, ...]:
        """Shops this person keeps."""
        return tuple(
            duty.subject_id
            for duty in self.duties
            if duty.role is Role.SHOPKEEPER and duty.subject_id is not None
        )
