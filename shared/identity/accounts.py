"""Accounts: made for people with posts, revoked and disabled by those who manage their units."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from secrets import token_bytes
from uuid import UUID

from msgspec.structs import replace

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity import hashing, queries, sessions
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.identity.passwords import weak_password
from shared.identity.rules import weak_pin
from shared.identity.schemas import (
    AccountLine,
    AccountRow,
    DeskSecrets,
    Forgotten,
    StaleLine,
    TextSize,
)
from shared.identity.sealing import keyed, seal
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import DEVICE, SIGN_IN
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.rules import county_code, just_left

PAGE = 50
STALE = timedelta(days=90)
"""An account that nobody has used for so long should be stopped, or its holder asked why."""
RECOVERY_CODES = 8
TOTP_BYTES = 20
SHEET_LIFE = timedelta(days=7)
"""As an activation slip: a first password that nobody comes for must not lie about."""
Right = tuple[str, str]
"""The unit whose authority was asked, and the authority."""
LOGS_KEPT = timedelta(days=SIGN_IN.days)
"""Network logs are kept six months by law; who signed in when is part of them."""
DEVICES_KEPT = timedelta(days=DEVICE.days)
"""As long as the browser keeps the cookie."""
AUDITORS_OWN = (
    "审计人员的账号不由系统管理员变动：停用由主管部门经办，"
    "开通和重设在服务器上运行 gridmerit create-admin --role auditor。"
)
NO_MATCH = "两次输入的密码不一样，请重新输入。"


async def ensure_account(county_id: int, person_id: UUID) -> UUID:
    """The person's account, made when there is none; it cannot sign in before activation."""
    return await queries.ensure_account(county_id, new_id(), person_id)


async def listed(
    actor: Actor, now: datetime, *, query: str = "", state: str = "", unit: str = "", page: int = 1
) -> list[AccountLine]:
    """A page of the people whose accounts the actor manages; each line has the total."""
    codes = reach(actor, Action.SESSIONS_REVOKE)
    if unit:
        codes = tuple(code for code in (unit,) if code.startswith(codes))
    return await queries.account_lines(
        actor.county_id,
        (today(now), now),
        codes,
        away_days=sessions.FORMER_DAYS,
        query=query[:20],
        state=state,
        limit=PAGE,
        offset=(page - 1) * PAGE,
    )


async def line(actor: Actor, person_id: UUID, now: datetime) -> AccountLine:
    """One of them; raises NotFound."""
    found = await queries.account_lines(
        actor.county_id,
        (today(now), now),
        reach(actor, Action.SESSIONS_REVOKE),
        away_days=sessions.FORMER_DAYS,
        person_id=person_id,
    )
    if not found:
        raise NotFound
    return found[0]


async def stale(actor: Actor, now: datetime, *, reason: str = "", page: int = 1) -> list[StaleLine]:
    """A page of accounts that can still sign in and perhaps should not; each line has the total.

    When gridworkers were last seen is nobody's business, and who of them has left keeps balance,
    code and objection: of them only those are listed who were never activated.
    """
    return await queries.stale_lines(
        actor.county_id,
        (today(now), now),
        reach(actor, Action.ACCOUNT_VIEW),
        reason,
        (PAGE, (page - 1) * PAGE),
        away_days=sessions.FORMER_DAYS,
        unused=(sessions.LIFE["phone"], now - STALE),
    )


async def set_card_pin(actor: Actor, person_id: UUID, pin: str, again: str) -> None:
    """The PIN that goes with a printed card; for oneself or, with the holder present, by 村书记.

    Raises NotFound, Invalid.
    """
    own = person_id == actor.person_id
    targets = [Target(owner=person_id)] if own else await offices(actor.county_id, person_id)
    if not targets:
        raise NotFound
    right = _required(actor, Action.CARD_PIN, targets)
    checked_pin(pin, again)
    pin_hash = await hashing.make(pin)
    async with DB.transaction():
        account_id = await ensure_account(actor.county_id, person_id)
        await queries.set_card_pin(actor.county_id, account_id, pin_hash)
        await _audited(actor, Action.CARD_PIN, person_id, right)


async def set_text_size(actor: Actor, size: TextSize) -> None:
    """The size follows the person to the next phone."""
    await queries.set_text_size(actor.county_id, actor.account_id, size)


async def revoke_all(actor: Actor, person_id: UUID, now: datetime, reason: str = "") -> int:
    """End every session of a person (lost phone); how many were live."""
    account, right = await _managed(actor, Action.SESSIONS_REVOKE, person_id, now)
    async with DB.transaction():
        # Slips first, as whoever spends one does: the two wait for each other.
        await queries.revoke_slips(actor.county_id, account.id, now)
        ended = await queries.revoke_sessions(actor.county_id, account.id, now)
        await queries.forget_devices(actor.county_id, account.id)
        await _audited(actor, Action.SESSIONS_REVOKE, person_id, right, reason)
    return ended


async def set_disabled(
    actor: Actor, person_id: UUID, now: datetime, *, disabled: bool, reason: str
) -> None:
    """Stop an account at once, or let it sign in again; a reason is asked.

    One that is so already stays as it is. Raises NotFound, Forbidden for an auditor's account,
    Invalid.
    """
    account, (unit_code, authority) = await _managed(actor, Action.ACCOUNT_DISABLE, person_id, now)
    await keep_from_auditor(actor, person_id)
    if not reason.strip():
        raise Invalid("请写明原因。", {"reason": "请写明原因。"})
    async with DB.transaction():
        still = await queries.account(actor.county_id, account.id, lock=True)
        if still is None or (still.disabled_at is not None) == disabled:
            return
        await queries.set_disabled(actor.county_id, account.id, now if disabled else None)
        if disabled:
            await queries.revoke_sessions(actor.county_id, account.id, now)
        await audit.record(
            actor,
            Action.ACCOUNT_DISABLE,
            "person",
            person_id,
            county_id=actor.county_id,
            unit_code=unit_code,
            before={"disabled": not disabled},
            after={"disabled": disabled},
            reason=reason,
            authority=authority,
        )


async def stop_access(
    actor: Actor, person_id: UUID, until: date | None, *, unit_code: str, authority: str
) -> None:
    """Leave only balance, code and objection open up to a day, or open all again with None.

    For a signed step of a case, which has asked the rights; inside its transaction. Pay and post
    are no part of it, nor is a shop that the person keeps.
    """
    if until is not None:  # whoever signs in for the first time meanwhile is stopped, too
        await ensure_account(actor.county_id, person_id)
    if await queries.set_stopped(actor.county_id, person_id, until):
        await audit.record(
            actor,
            "identity.stop",
            "person",
            person_id,
            county_id=actor.county_id,
            unit_code=unit_code,
            after={"stopped_until": until},
            authority=authority,
        )


async def desk_secrets(password: str, *known: str) -> DeskSecrets:
    """A checked password's hash, a new authenticator key and recovery codes.

    Hashing is slow: call it before the transaction. Raises Invalid for a weak password.
    """
    await _strong(password, known)
    return await secrets_of(password)


async def secrets_of(password: str) -> DeskSecrets:
    """As :func:`desk_secrets`, of a password that was checked."""
    return DeskSecrets(
        password_hash=await hashing.make(password),
        totp_key=token_bytes(TOTP_BYTES),
        recovery_codes=tuple(_recovery_code() for _ in range(RECOVERY_CODES)),
    )


async def first_secrets(password: str, *known: str) -> DeskSecrets:
    """What another sets for the first sign-in: a checked password and the sheet's code.

    Raises as :func:`desk_secrets`.
    """
    made = await desk_secrets(password, *known)
    return replace(made, totp_key=None, recovery_codes=made.recovery_codes[:1])


async def give_desk(
    county_id: int,
    person_id: UUID,
    secrets: DeskSecrets,
    now: datetime,
    *,
    keep: UUID | None = None,
) -> datetime | None:
    """Keep them hashed and sealed and end every session but ``keep``.

    Without an authenticator they are a sheet's, for the holder to take over until the returned
    time. Asks no rights: its callers are the console and :mod:`shared.identity.desk`.
    """
    until = None if secrets.totp_key else now + SHEET_LIFE
    async with DB.transaction():
        account_id = await ensure_account(county_id, person_id)
        await queries.set_password(
            county_id,
            account_id,
            secrets.password_hash,
            seal(secrets.totp_key) if secrets.totp_key else None,
            [recovery_hash(code) for code in secrets.recovery_codes],
            now,
            until,
        )
        await queries.revoke_sessions(county_id, account_id, now, keep=keep)
    return until


async def forget_old(county_id: int, now: datetime) -> Forgotten:
    """Delete what has served its time; how much it was."""
    async with DB.transaction():
        gone = Forgotten(
            sessions=await queries.purge_sessions(county_id, now - LOGS_KEPT),
            slips=await queries.purge_slips(county_id, now - LOGS_KEPT),
            devices=await queries.purge_devices(county_id, now - DEVICES_KEPT),
        )
        await retention.record(county_id, SIGN_IN, gone.sessions + gone.slips)
        await retention.record(county_id, DEVICE, gone.devices)
    return gone


async def offices(county_id: int, person_id: UUID) -> list[Target]:
    """The posts a person holds or will hold, as targets: who manages the account needs them all.

    A secretary must not be able to take over the account of somebody who also serves above.
    """
    day = today()
    held = [
        tenure
        for tenure in await roster.history(county_id, person_id)
        if tenure.valid_to is None or tenure.valid_to > day
    ]
    return [Target(unit_code=tenure.unit_code, shop_id=tenure.subject_id) for tenure in held]


async def keep_from_auditor(actor: Actor, person_id: UUID) -> None:
    """Who runs the system neither stops nor takes over the account of who audits it.

    Raises Forbidden.
    """
    if Role.DEPARTMENT not in actor.roles and await is_auditor(actor.county_id, person_id):
        raise Forbidden(AUDITORS_OWN)


async def is_auditor(county_id: int, person_id: UUID) -> bool:
    """Whether somebody audits, or will."""
    day = today()
    return any(
        tenure.role is Role.AUDITOR and (tenure.valid_to is None or tenure.valid_to > day)
        for tenure in await roster.history(county_id, person_id)
    )


def checked_pin(pin: str, again: str) -> None:
    """Raises Invalid for a weak PIN or an unequal repetition."""
    if problem := weak_pin(pin):
        raise Invalid(problem, {"pin": problem})
    if pin != again:
        raise Invalid(NO_MATCH, {"again": NO_MATCH})


async def checked_password(password: str, again: str, *known: str) -> None:
    """Raises Invalid for a weak password or an unequal repetition."""
    await _strong(password, known)
    if password != again:
        raise Invalid(NO_MATCH, {"again": NO_MATCH})


async def known_of(county_id: int, person_id: UUID) -> tuple[str, ...]:
    """What whoever guesses a password would know of its holder: number, name, county."""
    person = await roster.person(county_id, person_id)
    phone = await roster.phone_of(county_id, person_id)
    county = await roster.unit_by_code(county_id, county_code(county_id))
    return (phone or "", person.name if person else "", county.name if county else "")


async def _strong(password: str, known: Sequence[str]) -> None:
    """Raises Invalid, Unavailable."""
    if problem := await asyncio.to_thread(weak_password, password, *known):
        raise Invalid(problem, {"password": problem})


async def _managed(
    actor: Actor, action: Action, person_id: UUID, now: datetime
) -> tuple[AccountRow, Right]:
    """The account of somebody all of whose posts the actor may manage, and by what right.

    Who has left can still sign in for 90 days and lose the phone: the last posts count then.
    """
    targets = await offices(actor.county_id, person_id) or await _left(
        actor.county_id, person_id, today(now)
    )
    found = await queries.account_of(actor.county_id, person_id)
    if found is None or not targets:
        raise NotFound
    asked = [Target(unit_code=target.unit_code, owner=person_id) for target in targets]
    return found, _required(actor, action, asked)


def _required(actor: Actor, action: Action, targets: Sequence[Target]) -> Right:
    """The right over all of them, as the audit names it: by the first."""
    authorities = [require(actor, action, target) for target in targets]
    return targets[0].unit_code, authorities[0]


async def _left(county_id: int, person_id: UUID, day: date) -> list[Target]:
    """The posts that ended last, while they still let the person sign in."""
    tenures = await roster.history(county_id, person_id)
    left = just_left(tenures, day, sessions.FORMER_DAYS)
    return [Target(unit_code=tenure.unit_code) for tenure in left]


def _recovery_code() -> str:
    """80 random bits in groups of four, without characters that look alike."""
    text = base64.b32encode(token_bytes(10)).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def recovery_hash(code: str) -> str:
    return keyed("recovery", code.replace("-", "").upper()).hex()


async def _audited(
    actor: Actor, action: str, person_id: UUID, right: Right, reason: str = ""
) -> None:
    unit_code, authority = right
    await audit.record(
        actor,
        action,
        "person",
        person_id,
        county_id=actor.county_id,
        unit_code=unit_code,
        reason=reason,
        authority=authority,
    )
