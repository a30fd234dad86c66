"""Activation slips (激活条): printed by the secretary, spent once by the worker.

A slip carries a QR token (256 bits) and eight digits; only their hashes are kept. Who scans still
gives the last four digits of the phone, so that a slip found in the street opens nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import randbelow
from uuid import UUID

from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity import hashing, queries, sessions, signin
from shared.identity.access import Action, Target, allowed, require
from shared.identity.accounts import checked_pin, ensure_account, offices
from shared.identity.actor import Actor
from shared.identity.errors import HeldElsewhere, SlipSpent, WrongLastFour
from shared.identity.rules import Tries
from shared.identity.schemas import NewSession, PrintedSlip, SlipRow, TextSize
from shared.identity.sealing import digest, digits_hash
from shared.identity.staff import is_first_keeper
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role, role_names

LIFE = timedelta(days=7)
TRIES = 5
"""Wrong last-four digits before a slip is void: whoever holds it may just ask for a new one."""
SHEET_LIMIT = 400
"""Slips of one print: 50 sheets."""
DIGITS = 8
STOPPED = "{name}的账号已停用，激活条开不了。请先请县里启用账号，或取消勾选后再打印。"


async def issue(
    actor: Actor, person_ids: Sequence[UUID], now: datetime, public_url: str
) -> list[PrintedSlip]:
    """Fresh slips in the order asked; older ones of the same people become void.

    Raises Invalid for too many, NotFound for anybody the actor does not manage, HeldElsewhere for
    somebody who has a post that another manages, Conflict for a stopped account.
    """
    if not 1 <= len(person_ids) <= SHEET_LIMIT:
        raise Invalid(f"请选择 1 到 {SHEET_LIMIT} 个人。")
    async with DB.transaction():
        await queries.lock_slips(actor.county_id)
        parts = [await _elsewhere(actor, person_id) for person_id in person_ids]
        if names := [name for name in parts if name]:
            raise HeldElsewhere(names)
        roles = role_names((await settings_county.get(actor.county_id)).department_name)
        return [await _issue(actor, person, now, public_url, roles) for person in person_ids]


async def find(token: str, now: datetime) -> SlipRow:
    """A slip that can be used; raises SlipSpent."""
    county_id = sessions.county_of(token)
    found = await queries.slip_by_token(county_id, digest(token), now) if county_id else None
    if found is None:
        raise SlipSpent
    return found


async def activate(
    token: str,
    last4: str,
    pin: str,
    again: str,
    text_size: TextSize,
    now: datetime,
    *,
    device_token: str = "",
    agent: str = "",
) -> NewSession:
    """From a scanned slip to a signed-in phone.

    Raises SlipSpent, WrongLastFour, Invalid (weak PIN), NoOffice.
    """
    county_id = sessions.county_of(token) or 0
    async with DB.transaction():
        slip = await queries.slip_by_token(county_id, digest(token), now, lock=True)
        if wrong := slip is not None and last4 != slip.phone_last4:
            await queries.count_slip_try(county_id, slip.id, TRIES, now)
    if slip is None:
        raise SlipSpent
    if wrong:
        raise WrongLastFour(max(TRIES - slip.failures - 1, 0))
    return await _spend(county_id, slip, pin, again, text_size, now, device_token, agent)


async def activate_by_digits(
    county_id: int,
    phone: str,
    digits: str,
    pin: str,
    again: str,
    text_size: TextSize,
    now: datetime,
    *,
    device_token: str = "",
    agent: str = "",
) -> NewSession:
    """For whoever cannot scan: phone number and the eight digits.

    Wrong digits count like wrong PINs, on the account. Raises as :func:`activate`, WaitFirst,
    UsedUp, and WrongSignIn when number and digits do not belong together.
    """
    slip = await signin.try_digits(county_id, phone, digits, now, device_token)
    return await _spend(county_id, slip, pin, again, text_size, now, device_token, agent)


async def _spend(
    county_id: int,
    slip: SlipRow,
    pin: str,
    again: str,
    text_size: TextSize,
    now: datetime,
    device_token: str,
    agent: str,
) -> NewSession:
    """The slip, once: PIN, text size, every older session ended, this phone known."""
    checked_pin(pin, again)
    await signin.require_office(county_id, slip.person_id, "phone", now)
    pin_hash = await hashing.make(pin)
    async with DB.transaction():
        if not await queries.spend_slip(county_id, slip.id, now):
            raise SlipSpent
        await queries.set_pin(county_id, slip.account_id, pin_hash, now)
        await queries.set_text_size(county_id, slip.account_id, text_size)
        await queries.revoke_sessions(county_id, slip.account_id, now)
        await queries.forget_devices(county_id, slip.account_id)
        account = await queries.account(county_id, slip.account_id)
        if account is None:
            raise SlipSpent
        await audit.record(
            None,
            "identity.activate",
            "person",
            account.person_id,
            county_id=county_id,
            authority="slip",
        )
        return await signin.enter(county_id, account, "phone", now, None, device_token, agent)


async def _issue(
    actor: Actor, person_id: UUID, now: datetime, public_url: str, roles: Mapping[Role, str]
) -> PrintedSlip:
    """One slip for somebody all of whose posts the actor manages."""
    person = await roster.person(actor.county_id, person_id)
    if person is None:
        raise NotFound
    history = await roster.history(actor.county_id, person_id)
    tenure = next(row for row in history if row.valid_to is None or row.valid_to > today(now))
    token = sessions.new_token(actor.county_id)
    digits = f"{randbelow(10**DIGITS):0{DIGITS}d}"
    account_id = await ensure_account(actor.county_id, person_id)
    account = await queries.account(actor.county_id, account_id)
    if account is not None and account.disabled_at is not None:
        raise Conflict(STOPPED.format(name=person.name))
    slip_id, expires_at = new_id(), now + LIFE
    await queries.revoke_slips(actor.county_id, account_id, now)
    await queries.store_tries(actor.county_id, account_id, Tries(0, None))
    await queries.insert_slip(
        actor.county_id,
        slip_id,
        account_id,
        (digest(token), digits_hash(account_id, digits)),
        (now, actor.person_id),
        expires_at,
    )
    await audit.record(
        actor,
        Action.SLIP_ISSUE,
        "person",
        person_id,
        county_id=actor.county_id,
        unit_code=tenure.unit_code,
    )
    place = tenure.unit_name
    if len(tenure.unit_code) == 15:  # every village has a first grid
        place = await roster.unit_name(actor.county_id, tenure.unit_code[:12]) + place
    return PrintedSlip(
        name=person.name,
        role=roles[tenure.role],
        place=place,
        url=f"{public_url.rstrip('/')}/a/{token}",
        digits=digits,
        expires_on=today(expires_at),
    )


async def _elsewhere(actor: Actor, person_id: UUID) -> str:
    """The name of somebody who has a post that another manages, else empty; NotFound for strangers.

    A slip opens the whole account, so whoever prints it must manage every post; and a keeper, who
    takes on whom they like, opens no account that came from elsewhere with what was earned there.
    """
    held = await offices(actor.county_id, person_id)
    kept = [target.shop_id for target in held if await _keeps(actor, target)]
    others = [
        target
        for target in held
        if target.shop_id not in kept and not allowed(actor, Action.SLIP_ISSUE, target).allowed
    ]
    person = await roster.person(actor.county_id, person_id)
    if not held or person is None:
        raise NotFound
    if len(others) == len(held):
        require(actor, Action.SLIP_ISSUE, others[0])
    if kept:
        tenures = await roster.history(actor.county_id, person_id)
        if any(tenure.subject_id not in kept for tenure in tenures):
            return person.name
    return person.name if others else ""


async def _keeps(actor: Actor, target: Target) -> bool:
    """Whether the actor is the first keeper of the post's shop, who brings in helpers."""
    return target.shop_id is not None and await is_first_keeper(actor, target.shop_id)
