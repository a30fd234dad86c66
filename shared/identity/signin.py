"""Signing in: by PIN on phones, by password and TOTP at a desk; the same proof asked again.

Phones are public (notice boards), so nobody may lock another out: wrong tries count per account
and kind of device. A known device has its own counter; unknown devices share the account's, whose
delay doubles from the fifth wrong try. A try is charged before the secret is looked at, under a
row lock, so that a hundred tries at once are a hundred tries.
"""

from datetime import datetime
from hmac import compare_digest
from typing import NoReturn
from uuid import UUID

import structlog

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound, Unavailable
from shared.identity import hashing, queries, sessions
from shared.identity.accounts import checked_password, checked_pin, known_of, recovery_hash
from shared.identity.actor import Actor
from shared.identity.errors import (
    DeskOnly,
    NoOffice,
    UnknownAccount,
    UsedUp,
    WaitFirst,
    WrongSignIn,
)
from shared.identity.rules import DEVICE_TRIES, Tries, charged, totp_step, used_up, waiting
from shared.identity.schemas import AccountRow, DeviceRow, NewSession, SessionKind, SlipRow
from shared.identity.sealing import digest, digits_hash, open_
from shared.ids import new_id
from shared.roster import phones
from shared.roster import service as roster

LOG = structlog.get_logger("gridmerit.identity")
MAX_SECRET = 128
CARD_ENDED = f"持卡人离任已满 {sessions.FORMER_DAYS} 天，这张卡不能再用。"
BAD_PHONE = "请输入 11 位手机号。"
WRONG_PIN = "手机号或密码不对，请再试一次。"
WRONG_OWN = "现在的密码不对，请再输一次。"
WRONG_DIGITS = "手机号或 8 位数字不对，请看激活条再试一次。"
WRONG_DESK = "手机号、密码或动态码不对，请再试一次。"
SHEET_OVER = "初始密码已过期，请找系统管理员重新开通。"
SHEET_NO_PROOF = "确认人还没有设自己的密码和动态码，请先登录一次，设好再来确认。"


async def counties() -> list[tuple[int, str]]:
    """The counties one may sign in to, by code."""
    return await queries.counties()


async def sign_in(
    county_id: int, phone: str, pin: str, now: datetime, *, device_token: str = "", agent: str = ""
) -> NewSession:
    """Phone number and PIN. Raises Invalid, WaitFirst, UsedUp, WrongSignIn, NoOffice, DeskOnly."""
    found = await _account_by_phone(county_id, phone)
    if found is None or found.pin_hash is None or len(pin) > MAX_SECRET:
        raise _unknown(county_id, phone, WRONG_PIN)
    device = await _charge(county_id, found.id, device_token, now)
    if not await _matches(county_id, found.id, device, found.pin_hash, pin):
        await _refuse(county_id, found, device)
    await _forgive(county_id, found.id, device, now)
    return await _enter(county_id, found, "phone", now, device, device_token, agent)


async def desk_sign_in(
    county_id: int,
    phone: str,
    password: str,
    code: str,
    now: datetime,
    *,
    device_token: str = "",
    agent: str = "",
) -> NewSession:
    """Phone number, password and TOTP (or a recovery code). Raises as :func:`sign_in`."""
    found, device = await _desk_proof(county_id, phone, password, code, now, device_token)
    return await _enter(county_id, found, "desk", now, device, device_token, agent)


async def vouch(
    county_id: int, phone: str, password: str, code: str, now: datetime, device_token: str = ""
) -> UUID:
    """Who confirms another's act at the same desk, proven as for a sign-in. Raises as that does.

    A sheet proves nothing: who printed it knows what stands on it.
    """
    found, _ = await _desk_proof(county_id, phone, password, code, now, device_token)
    if found.handed:
        raise Invalid(SHEET_NO_PROOF, {"by_phone": SHEET_NO_PROOF})
    await require_office(county_id, found.person_id, "desk", now)
    return found.person_id


async def _desk_proof(
    county_id: int, phone: str, password: str, code: str, now: datetime, device_token: str
) -> tuple[AccountRow, DeviceRow | None]:
    found = await _account_by_phone(county_id, phone)
    if found is None or found.password_hash is None or len(password) > MAX_SECRET:
        raise _unknown(county_id, phone, WRONG_DESK)
    device = await _charge(county_id, found.id, device_token, now)
    right = await _matches(county_id, found.id, device, found.password_hash, password)
    if not (right and await _second_factor(county_id, found, code, now)):
        await _refuse(county_id, found, device, WRONG_DESK)
    await _forgive(county_id, found.id, device, now)
    if found.handed_until is not None and found.handed_until <= now:
        raise WrongSignIn(SHEET_OVER)
    return found, device


async def confirm(actor: Actor, secret: str, now: datetime, device_token: str = "") -> NewSession:
    """Give the PIN or password again: the session gets a new token and counts as confirmed."""
    found = await _own(actor)
    device = await _charge(actor.county_id, found.id, device_token, now)
    stored = found.password_hash if actor.desk else found.pin_hash
    if not await _matches(actor.county_id, found.id, device, stored, secret[:MAX_SECRET]):
        await _refuse(actor.county_id, found, device, WRONG_OWN)
    await _forgive(actor.county_id, found.id, device, now)
    return await sessions.rotate(actor, now)


async def change_pin(
    actor: Actor, old: str, new: str, again: str, now: datetime, device_token: str = ""
) -> NewSession:
    """Another PIN; all other sessions end. Raises Invalid, WrongSignIn, WaitFirst, UsedUp."""
    checked_pin(new, again)
    await confirm(actor, old, now, device_token)
    pin_hash = await hashing.make(new)
    async with DB.transaction():
        await queries.set_pin(actor.county_id, actor.account_id, pin_hash, now)
        await queries.revoke_sessions(actor.county_id, actor.account_id, now, keep=actor.session_id)
        await _audited(actor, "identity.change_pin")
        return await sessions.rotate(actor, now)


async def change_password(
    actor: Actor, old: str, new: str, again: str, now: datetime, device_token: str = ""
) -> NewSession:
    """Another desk password; all other sessions end. Raises as :func:`change_pin`."""
    await checked_password(new, again, *await known_of(actor.county_id, actor.person_id))
    await confirm(actor, old, now, device_token)
    password_hash = await hashing.make(new)
    async with DB.transaction():
        await queries.change_password(actor.county_id, actor.account_id, password_hash)
        await queries.revoke_sessions(actor.county_id, actor.account_id, now, keep=actor.session_id)
        await _audited(actor, "identity.change_password")
        return await sessions.rotate(actor, now)


async def check_card_pin(county_id: int, person_id: UUID, pin: str, now: datetime) -> None:
    """At a counter: the holder types the PIN of the printed card, whose tries the counter counts.

    Raises WrongSignIn, and Forbidden when the 90 days after the last post are over: a card opens
    no more than its holder's phone does.
    """
    found = await queries.account_of(county_id, person_id)
    if found is None or found.card_pin_hash is None or found.disabled_at is not None:
        raise WrongSignIn("这张卡还没有设密码，请到村里办理。")
    if not await hashing.matches(found.card_pin_hash, pin[:MAX_SECRET]):
        raise WrongSignIn("卡密码不对，请再输一次。")
    duties, former = await sessions.standing(county_id, person_id, today(now), "desk")
    if not duties and not former:
        raise Forbidden(CARD_ENDED)


async def try_digits(
    county_id: int, phone: str, digits: str, now: datetime, device_token: str = ""
) -> SlipRow:
    """The usable slip that phone and digits name; a wrong try counts like a wrong PIN.

    Raises Invalid, WaitFirst, UsedUp, WrongSignIn.
    """
    found = await _account_by_phone(county_id, phone)
    slip = await queries.slip_of(county_id, found.id, now) if found else None
    if found is None or slip is None:
        raise _unknown(county_id, phone, WRONG_DIGITS)
    device = await _charge(county_id, found.id, device_token, now)
    if not compare_digest(slip.digits_hash, digits_hash(found.id, digits)):
        await _refuse(county_id, found, device, WRONG_DIGITS)
    await _forgive(county_id, found.id, device, now)
    return slip


def device_hash(account_id: UUID, device_token: str) -> bytes:
    """A browser's token serves several accounts (a shop's tablet), each with its own row."""
    return digest(f"{account_id}:{device_token}")


async def enter(
    county_id: int,
    account: AccountRow,
    kind: SessionKind,
    now: datetime,
    device: DeviceRow | None,
    device_token: str,
    agent: str,
    *,
    by_wechat: bool = False,
) -> NewSession:
    """Device, session and audit event of somebody who has just proved who they are."""
    async with DB.transaction():
        if device is None:
            device_token = device_token or sessions.new_token(county_id)
            hashed = device_hash(account.id, device_token)
            device_id = await queries.insert_device(county_id, new_id(), account.id, hashed, now)
        else:
            device_id = device.id
        new = await sessions.begin(
            county_id,
            account.id,
            account.person_id,
            kind,
            now,
            device_id=device_id,
            device_token=device_token,
            agent=agent,
            text_size=account.text_size,
            confirmed=not by_wechat,
        )
        await audit.record(
            None,
            "identity.sign_in",
            "person",
            account.person_id,
            county_id=county_id,
            authority="wechat" if by_wechat else "self",
            after={"kind": kind, "known_device": device is not None},
        )
    return new


async def require_office(county_id: int, person_id: UUID, kind: SessionKind, now: datetime) -> None:
    """Only somebody with a post, or in the 90 days after the last one; NoOffice, DeskOnly."""
    day = today(now)
    duties, former = await sessions.standing(county_id, person_id, day, kind)
    if not duties and not former:
        raise DeskOnly if await roster.duties_at(county_id, person_id, day) else NoOffice


async def _enter(
    county_id: int,
    account: AccountRow,
    kind: SessionKind,
    now: datetime,
    device: DeviceRow | None,
    device_token: str,
    agent: str,
) -> NewSession:
    await require_office(county_id, account.person_id, kind, now)
    async with DB.transaction():
        # What was proved may have been changed, and every session ended, since it was looked at.
        still = await queries.account(county_id, account.id, lock=True)
        if still is None or (still.pin_hash, still.password_hash, still.disabled_at) != (
            account.pin_hash,
            account.password_hash,
            account.disabled_at,
        ):
            raise WrongSignIn
        return await enter(county_id, account, kind, now, device, device_token, agent)


async def _account_by_phone(county_id: int, phone: str) -> AccountRow | None:
    """Raises Invalid when it is no phone number; a disabled account is as good as none."""
    if phones.clean(phone) is None:
        raise Invalid(BAD_PHONE, {"phone": BAD_PHONE})
    person = await roster.person_by_phone(county_id, phone)
    found = await queries.account_of(county_id, person.id) if person else None
    return None if found is None or found.disabled_at is not None else found


def _unknown(county_id: int, phone: str, sentence: str) -> UnknownAccount:
    """However the number was written, it is the same one; the log shows who tries many."""
    LOG.warning("sign_in_refused", account="", known_device=False)
    return UnknownAccount(sentence, f"{county_id}:{phones.clean(phone)}")


async def _own(actor: Actor) -> AccountRow:
    found = await queries.account(actor.county_id, actor.account_id)
    if found is None:
        raise NotFound
    return found


async def _charge(
    county_id: int, account_id: UUID, device_token: str, now: datetime
) -> DeviceRow | None:
    """Count one try on the known device or else on the account; the device, if it is known."""
    day = today(now)
    async with DB.transaction():
        device = (
            await queries.device(
                county_id, account_id, device_hash(account_id, device_token), lock=True
            )
            if device_token
            else None
        )
        if device is not None:
            tries = Tries(device.failures, device.blocked_until)
        else:
            account = await queries.account(county_id, account_id, lock=True)
            if account is None:
                raise WrongSignIn
            tries = Tries(
                account.failures, account.blocked_until, account.failures_today, account.failures_on
            )
            if used_up(tries, day):
                raise UsedUp
        if seconds := waiting(tries, now):
            raise WaitFirst(seconds)
        tries = charged(tries, now, day)
        if device is not None:
            await queries.store_device_tries(county_id, device.id, tries)
            return DeviceRow(device.id, tries.failures, tries.blocked_until)
        await queries.store_tries(county_id, account_id, tries)
        return None


async def _matches(
    county_id: int, account_id: UUID, device: DeviceRow | None, stored: str | None, secret: str
) -> bool:
    """Whether the charged try is right; one that nobody has time to look at does not count."""
    try:
        return await hashing.matches(stored, secret)
    except Unavailable:
        await queries.give_back(county_id, account_id, device.id if device else None)
        raise


async def _forgive(
    county_id: int, account_id: UUID, device: DeviceRow | None, now: datetime
) -> None:
    if device is not None:
        await queries.forgive_device(county_id, device.id, now)
    else:
        await queries.forgive_account(county_id, account_id)


async def _refuse(
    county_id: int, account: AccountRow, device: DeviceRow | None, sentence: str = WRONG_PIN
) -> NoReturn:
    """Record the wrong try; a device that guesses on and on is known no more."""
    LOG.warning("sign_in_refused", account=str(account.id), known_device=device is not None)
    async with DB.transaction():
        if device is not None and device.failures >= DEVICE_TRIES:
            await queries.forget_devices(county_id, account.id, device.id)
        await audit.record(
            None,
            "identity.sign_in_refused",
            "person",
            account.person_id,
            county_id=county_id,
            authority="none",
            after={"known_device": device is not None},
        )
    raise WrongSignIn(sentence)


async def _second_factor(county_id: int, account: AccountRow, code: str, now: datetime) -> bool:
    """A TOTP not used before, or a recovery code, which is spent.

    A sheet's code is spent when the account is taken over: who must first install an app for it
    may come again.
    """
    typed = code.replace(" ", "").replace("-", "").upper()
    if account.totp_cipher is None:
        return await queries.has_recovery(county_id, account.id, recovery_hash(typed))
    step = totp_step(open_(account.totp_cipher), typed, now, account.totp_last_step)
    if step is not None:
        return await queries.use_totp_step(county_id, account.id, step)
    return await queries.use_recovery(county_id, account.id, recovery_hash(typed))


async def _audited(actor: Actor, action: str) -> None:
    await audit.record(actor, action, "person", actor.person_id, county_id=actor.county_id)
