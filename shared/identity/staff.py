"""Helpers of a shop: further keeper posts, each with an own PIN, so that the log shows who."""

from datetime import datetime, timedelta
from uuid import UUID

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity import queries
from shared.identity.access import Action, Target, require
from shared.identity.accounts import ensure_account
from shared.identity.actor import Actor
from shared.identity.schemas import StaffLine
from shared.roster import service as roster
from shared.roster.roles import Employment, Role

MAX_STAFF = 10
MAX_NAME = 20


async def listed(actor: Actor, shop_id: UUID, now: datetime) -> list[StaffLine]:
    """Keeper and helpers of a shop; raises NotFound."""
    await _shop_unit(actor, shop_id)
    return await queries.staff(actor.county_id, shop_id, today(now))


async def add_helper(actor: Actor, shop_id: UUID, name: str, phone: str, now: datetime) -> UUID:
    """A helper from today on, known by phone or new; the person id, for printing the slip.

    Raises NotFound, Invalid, Conflict, BadPhone.
    """
    unit_id, unit_code = await _shop_unit(actor, shop_id)
    if not 2 <= len(name) <= MAX_NAME:
        said = f"姓名要写 2 到 {MAX_NAME} 个字。"
        raise Invalid(said, {"name": said})
    async with DB.transaction():
        await queries.lock_staff(actor.county_id, shop_id)
        present = await queries.staff(actor.county_id, shop_id, today(now))
        if len(present) >= MAX_STAFF:
            raise Conflict(f"一家店最多 {MAX_STAFF} 人，请先停用不在的人。")
        person_id = await _person(actor.county_id, name, phone, now)
        if person_id in {line.person_id for line in present}:
            raise Conflict("这个人已经在店里了。")
        post_id = await roster.add_post(
            actor.county_id, unit_id, Role.SHOPKEEPER, subject_id=shop_id
        )
        await roster.assign(
            actor.county_id,
            post_id,
            person_id,
            today(now),
            reason="店员",
            actor_id=actor.person_id,
            now=now,
        )
        await ensure_account(actor.county_id, person_id)
        await _audited(actor, shop_id, unit_code, person_id, added=True)
    return person_id


async def end_helper(actor: Actor, shop_id: UUID, assignment_id: UUID, now: datetime) -> None:
    """The helper's rights end today, or tomorrow when they began today.

    Raises NotFound, and Conflict for the first keeper, who is the township's to change.
    """
    _, unit_code = await _shop_unit(actor, shop_id)
    lines = await queries.staff(actor.county_id, shop_id, today(now))
    line = next((line for line in lines if line.assignment_id == assignment_id), None)
    if line is None:
        raise NotFound
    if line.seat == 1:
        raise Conflict("第一店主由乡镇或县里变更，不能在这里停用。")
    async with DB.transaction():
        day = max(today(now), line.valid_from + timedelta(days=1))
        await roster.end_assignment(actor.county_id, assignment_id, day, reason="店员停用")
        await _audited(actor, shop_id, unit_code, line.person_id, added=False)


async def is_first_keeper(actor: Actor, shop_id: UUID) -> bool:
    """Whether the actor holds the shop's first post: helpers do not bring in helpers."""
    if shop_id not in actor.shops:
        return False
    lines = await queries.staff(actor.county_id, shop_id, today())
    return any(line.seat == 1 and line.person_id == actor.person_id for line in lines)


async def is_activated(county_id: int, person_id: UUID) -> bool:
    """Whether somebody signs in with a PIN already, and so needs no slip."""
    account = await queries.account_of(county_id, person_id)
    return account is not None and account.pin_hash is not None


async def _person(county_id: int, name: str, phone: str, now: datetime) -> UUID:
    """Whoever has the number must also have the name: a slip of the finger hires a stranger."""
    known = await roster.person_by_phone(county_id, phone)
    if known is None:
        return await roster.add_person(county_id, name, phone, Employment.VOLUNTEER, now=now)
    if known.name != name:
        raise Conflict("这个手机号已登记在别人名下，请核对姓名和号码。")
    return known.id


async def _shop_unit(actor: Actor, shop_id: UUID) -> tuple[UUID, str]:
    """Raises NotFound unless the actor is the shop's first keeper or manages its unit."""
    found = await queries.shop_unit(actor.county_id, shop_id)
    if found is None:
        raise NotFound
    target = Target(shop_id=shop_id, unit_code=found[1])
    authority = require(actor, Action.SHOP_STAFF, target)
    if authority == "shop" and not await is_first_keeper(actor, shop_id):
        raise NotFound
    return found


async def _audited(
    actor: Actor, shop_id: UUID, unit_code: str, person_id: UUID, *, added: bool
) -> None:
    await audit.record(
        actor,
        Action.SHOP_STAFF,
        "shop",
        shop_id,
        county_id=actor.county_id,
        about_id=person_id,
        unit_code=unit_code,
        after={"person": str(person_id), "added": added},
    )
