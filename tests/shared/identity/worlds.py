"""What tests of identity need on top of the small county."""

from datetime import UTC, datetime
from uuid import UUID

from shared.clock import today
from shared.identity import hashing, queries, slips
from shared.identity.accounts import ensure_account
from shared.identity.actor import Actor
from shared.identity.schemas import NewSession
from shared.identity.sessions import resolve, standing
from shared.ids import new_id
from tests.factories import COUNTY, Member

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PIN = "482915"
OTHER_PIN = "739026"


async def actor_of(member: Member, *, desk: bool = False) -> Actor:
    """The member as a signed-in person, without a session row."""
    duties, former = await standing(
        COUNTY, member.person_id, today(NOW), "desk" if desk else "phone"
    )
    return Actor(
        county_id=COUNTY,
        person_id=member.person_id,
        name=member.name,
        account_id=await ensure_account(COUNTY, member.person_id),
        session_id=new_id(),
        desk=desk,
        former=former,
        duties=duties,
        confirmed_at=NOW,
    )


async def with_pin(member: Member, pin: str = PIN) -> UUID:
    """An activated account; its id."""
    account_id = await ensure_account(COUNTY, member.person_id)
    await queries.set_pin(COUNTY, account_id, await hashing.make(pin), NOW)
    return account_id


async def resolved(new: NewSession, at: datetime = NOW) -> Actor:
    """The session must be live."""
    actor = await resolve(new.token, at)
    assert actor is not None
    return actor


async def slip_of(issuer: Actor, member: Member) -> tuple[str, str]:
    """Token and digits of a fresh slip."""
    [slip] = await slips.issue(issuer, [member.person_id], NOW, "https://grid.example")
    return slip.url.rpartition("/")[2], slip.digits
