"""Desk accounts made at a desk: the admin gives people with posts a sheet for their first sign-in.

There they take the account over with a password and an authenticator that nobody else has seen.
The first one comes from the console (``gridmerit create-admin``).
"""

import base64
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity import hashing, queries, sessions, signin
from shared.identity.access import Action, Target, require
from shared.identity.accounts import (
    TOTP_BYTES,
    checked_password,
    first_secrets,
    give_desk,
    keep_from_auditor,
    known_of,
    offices,
    secrets_of,
)
from shared.identity.actor import Actor
from shared.identity.errors import TakenOverAlready
from shared.identity.rules import totp_step, totp_uri
from shared.identity.schemas import Authenticator, DeskAccount, DeskSecrets, TakenOver, Voucher
from shared.identity.sealing import keyed
from shared.roster import service as roster
from shared.roster.roles import DESK_ROLES, Employment, Role
from shared.roster.rules import county_code

GUARDED = frozenset({Role.DEPARTMENT, Role.ADMIN})
"""Roles that an administrator who opened their desk alone would hold in fact."""
ISSUER = "网格积分"
"""What an authenticator app shows beside the name."""
WRONG_CODE = "动态码不对，请看验证器上最新的 6 位数字。"
NOT_THE_FIRST = "初始密码或现在的密码别人可能知道，请换一个。"
NEEDS_ANOTHER = "要由本人、主管部门的另一个人或另一位系统管理员在这里确认。"


async def needs_another(county_id: int, person_id: UUID) -> bool:
    """Whether a second person must confirm new desk secrets.

    Whoever resets a password can sign in with it, so one administrator alone takes no desk over.
    """
    account = await queries.account_of(county_id, person_id)
    posts = await roster.history(county_id, person_id)
    open_already = account is not None and account.password_hash is not None
    return open_already or any(
        post.role in GUARDED and (post.valid_to is None or post.valid_to > today())
        for post in posts
    )


async def open_desk(
    actor: Actor, person_id: UUID, password: str, now: datetime, by: Voucher | None = None
) -> DeskAccount:
    """A sheet for the first sign-in of somebody with a desk post; shown once.

    ``by`` confirms where a second person must. Raises NotFound, Forbidden (own account, an
    auditor's), Invalid, WrongSignIn, WaitFirst, UsedUp.
    """
    targets = await offices(actor.county_id, person_id)
    if not targets:
        raise NotFound
    for target in targets:
        require(actor, Action.DESK_ACCOUNT, Target(unit_code=target.unit_code, owner=person_id))
    await keep_from_auditor(actor, person_id)
    held = await roster.duties_at(actor.county_id, person_id, today(now))
    if not {duty.role for duty in held} & DESK_ROLES:
        raise Invalid("这个人没有需要在电脑上登录的岗位，请先在名册里任职。")
    secrets = await first_secrets(password, *await known_of(actor.county_id, person_id))
    confirmed_by = None
    if await needs_another(actor.county_id, person_id):
        confirmed_by = await _another(actor, person_id, by, now)
    async with DB.transaction():
        made = await _sheet(actor.county_id, person_id, secrets, now)
        await audit.record(
            actor,
            Action.DESK_ACCOUNT,
            "person",
            person_id,
            county_id=actor.county_id,
            after={"confirmed_by": confirmed_by} if confirmed_by else None,
        )
    return made


def authenticator(actor: Actor, phone: str) -> Authenticator:
    """What the holder scans: the same as long as they are signed in."""
    key = _fresh_key(actor)
    uri = totp_uri(key, f"{actor.name} {phone[-4:]}", ISSUER)
    return Authenticator(uri, base64.b32encode(key).decode())


async def take_over(actor: Actor, password: str, again: str, code: str, now: datetime) -> TakenOver:
    """The holder's own password and authenticator take the sheet's place; other sessions end.

    Raises Invalid, TakenOverAlready.
    """
    await checked_password(password, again, *await known_of(actor.county_id, actor.person_id))
    key = _fresh_key(actor)
    step = totp_step(key, code.replace(" ", ""), now, 0)
    if step is None:
        raise Invalid(WRONG_CODE, {"code": WRONG_CODE})
    account = await queries.account(actor.county_id, actor.account_id)
    if account is None or not account.handed:
        raise TakenOverAlready
    if await hashing.matches(account.password_hash, password):
        raise Invalid(NOT_THE_FIRST, {"password": NOT_THE_FIRST})
    secrets = replace(await secrets_of(password), totp_key=key)
    async with DB.transaction():
        still = await queries.account(actor.county_id, actor.account_id, lock=True)
        if still is None or still.password_hash != account.password_hash:
            raise TakenOverAlready
        await give_desk(actor.county_id, actor.person_id, secrets, now, keep=actor.session_id)
        await queries.use_totp_step(actor.county_id, actor.account_id, step)
        await audit.record(
            actor, "identity.take_over", "person", actor.person_id, county_id=actor.county_id
        )
        return TakenOver(await sessions.rotate(actor, now), secrets.recovery_codes)


def _fresh_key(actor: Actor) -> bytes:
    """Made of the session and the installation's secret, so that it need not be kept meanwhile."""
    return keyed("authenticator", str(actor.session_id))[:TOTP_BYTES]


async def _sheet(
    county_id: int, person_id: UUID, secrets: DeskSecrets, now: datetime
) -> DeskAccount:
    person = await roster.person(county_id, person_id)
    until = await give_desk(county_id, person_id, secrets, now)
    if person is None or until is None:
        raise NotFound
    [code] = secrets.recovery_codes
    return DeskAccount(name=person.name, phone=person.phone_masked, code=code, until=until)


async def _another(actor: Actor, person_id: UUID, by: Voucher | None, now: datetime) -> str:
    """The name of who confirmed: the holder, or somebody else who guards the county's desks."""
    if by is None or not by.phone:
        raise Invalid(NEEDS_ANOTHER, {"by_phone": NEEDS_ANOTHER})
    county_id = actor.county_id
    found = await signin.vouch(
        county_id, by.phone, by.password, by.code, now, device_token=by.device_token
    )
    roles = {duty.role for duty in await roster.duties_at(county_id, found, today(now))}
    if found == actor.person_id or not (found == person_id or roles & GUARDED):
        raise Invalid(NEEDS_ANOTHER, {"by_phone": NEEDS_ANOTHER})
    person = await roster.person(county_id, found)
    return person.name if person else ""


async def create_on_console(
    county_id: int,
    name: str,
    phone: str,
    role: Role,
    password: str,
    now: datetime,
    *,
    county_name: str = "",
) -> DeskAccount:
    """Person, post at the county, assignment from today and desk account, whatever of them lacks.

    Asks no rights: whoever has the console has the database. A county that is not there yet is
    made when its name is given. Raises NotFound, Invalid, BadPhone.
    """
    unit = await roster.unit_by_code(county_id, county_code(county_id))
    if unit is None and not county_name:
        raise NotFound("还没有这个县。请加 --county-name 写上县名，或先导入名册。")
    secrets = await first_secrets(password, phone, name, unit.name if unit else county_name)
    async with DB.transaction():
        if unit is None:
            unit = await roster.add_county(county_id, county_name)
        known = await roster.person_by_phone(county_id, phone)
        if known is not None and known.name != name:
            raise Invalid("这个手机号已登记在别人名下，请核对姓名和号码。")
        person_id = (
            known.id
            if known
            else await roster.add_person(
                county_id, name, phone, Employment.OFFICIAL, full_time=True, now=now
            )
        )
        held = await roster.duties_at(county_id, person_id, today(now))
        if not any(duty.role is role and duty.unit_code == unit.code for duty in held):
            post_id = await roster.add_post(county_id, unit.id, role)
            await roster.assign(
                county_id, post_id, person_id, today(now), reason="控制台创建", now=now
            )
        made = await _sheet(county_id, person_id, secrets, now)
        await audit.record(
            None,
            Action.DESK_ACCOUNT,
            "person",
            person_id,
            county_id=county_id,
            unit_code=unit.code,
            after={"role": role},
            authority="console",
        )
    return made
