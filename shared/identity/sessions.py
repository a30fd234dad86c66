"""Opaque server-side sessions: made at sign-in, resolved at every request, ended at once.

A token is ``county.random``: the county stands in front because every statement on a business
table names it. Only the SHA-256 of a token is stored, and no cache stands between: a revoked
session, a disabled account or an ended assignment counts from the next request on.
"""

from datetime import date, datetime, timedelta
from secrets import token_urlsafe
from uuid import UUID

from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import NotFound
from shared.identity import queries
from shared.identity.access import Action
from shared.identity.actor import Actor, Duty
from shared.identity.errors import ConfirmFirst
from shared.identity.schemas import NewSession, SessionKind, SessionLine, SessionRow, TextSize
from shared.identity.sealing import TOKEN_BYTES, digest
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role

LIFE: dict[SessionKind, timedelta] = {"phone": timedelta(days=30), "desk": timedelta(hours=8)}
ROLL_AFTER = timedelta(days=1)
"""A phone's session is written at most once a day."""
ROLL_DESK = timedelta(minutes=1)
"""A desk's, which ends when nobody has used it for a while, at most once a minute."""
FRESH = timedelta(minutes=10)
"""How long a given password counts as just given."""
FORMER_DAYS = 90
PASSWORD_ROLES = frozenset({Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN})
"""Their rights need password and TOTP; a PIN session of the same person does not carry them."""
MAX_TOKEN = 100
MAX_AGENT = 120


async def resolve(token: str, now: datetime, *, used: bool = True) -> Actor | None:
    """Who the token belongs to, with the duties of this moment; None = not signed in.

    ``used``: whether a person asks, and not an open page by itself.
    """
    county_id = county_of(token)
    if county_id is None:
        return None
    row = await queries.session(county_id, digest(token), now)
    if row is None:
        return None
    duties, former = await standing(county_id, row.person_id, today(now), row.kind)
    if not duties and not former:
        return None
    stopped = row.stopped_until is not None and today(now) <= row.stopped_until
    if stopped and not former:
        duties = tuple(duty for duty in duties if duty.role is Role.SHOPKEEPER)
        former = not duties
    if row.kind == "phone" and row.expires_at - now < LIFE["phone"] - ROLL_AFTER:
        await queries.roll_session(county_id, row.id, now + LIFE["phone"])
    if row.kind == "desk" and used:
        until = await _desk_end(county_id, row.created_at, now)
        if abs(until - row.expires_at) >= ROLL_DESK:
            await queries.roll_session(county_id, row.id, until)
    return Actor(
        county_id=county_id,
        person_id=row.person_id,
        name=row.name,
        account_id=row.account_id,
        session_id=row.id,
        desk=row.kind == "desk",
        former=former,
        stopped_until=row.stopped_until if stopped else None,
        handed=row.handed,
        confirmed_at=row.confirmed_at,
        text_size=row.text_size,
        duties=duties,
        device=f"session:{row.id}",
    )


async def left_alone(token: str, now: datetime) -> bool:
    """Whether it is a desk's token that ended because nobody used it, before its 8 hours."""
    county_id = county_of(token)
    return county_id is not None and await queries.left_alone(
        county_id, digest(token), now, now - LIFE["desk"]
    )


async def standing(
    county_id: int, person_id: UUID, on: date, kind: SessionKind
) -> tuple[tuple[Duty, ...], bool]:
    """The duties a session of this kind carries, and whether only the 90 days of leaving apply."""
    held = await roster.duties_at(county_id, person_id, on)
    if held:
        if kind == "desk":
            return held, False
        return tuple(duty for duty in held if duty.role not in PASSWORD_ROLES), False
    ended = await queries.last_end(county_id, person_id, on)
    return (), ended is not None and on < ended + timedelta(days=FORMER_DAYS)


async def begin(
    county_id: int,
    account_id: UUID,
    person_id: UUID,
    kind: SessionKind,
    now: datetime,
    *,
    device_id: UUID | None = None,
    device_token: str = "",
    agent: str = "",
    text_size: TextSize = "normal",
    confirmed: bool = True,
) -> NewSession:
    """A new session with a new token, inside the caller's transaction.

    ``confirmed``: PIN or password were given for it.
    """
    token = new_token(county_id)
    desk = kind == "desk"
    row = SessionRow(
        id=new_id(),
        account_id=account_id,
        person_id=person_id,
        name="",
        kind=kind,
        device_id=device_id,
        text_size=text_size,
        created_at=now,
        expires_at=await _desk_end(county_id, now, now) if desk else now + LIFE[kind],
        confirmed_at=now if confirmed else None,
    )
    await queries.insert_session(county_id, row, digest(token), agent[:MAX_AGENT])
    return NewSession(token=token, kind=kind, device_token=device_token, text_size=text_size)


async def rotate(actor: Actor, now: datetime) -> NewSession:
    """A new token for the same session, whose password was given just now."""
    token = new_token(actor.county_id)
    await queries.rotate_session(actor.county_id, actor.session_id, digest(token), now)
    return NewSession(token=token, kind="desk" if actor.desk else "phone")


async def end(actor: Actor, now: datetime) -> None:
    """Sign out here."""
    async with DB.transaction():
        await queries.revoke_sessions(actor.county_id, actor.account_id, now, only=actor.session_id)
        await _audited(actor, "identity.sign_out", actor.account_id)


async def end_one(actor: Actor, session_id: UUID, now: datetime) -> None:
    """End one of one's own sessions; its device, perhaps lost, is unknown from now on.

    With it goes a bound WeChat, which may be that phone's. Raises NotFound if it is none of them.
    """
    async with DB.transaction():
        ended = await queries.revoke_sessions(
            actor.county_id, actor.account_id, now, only=session_id
        )
        if not ended:
            raise NotFound
        await queries.forget_device_of(actor.county_id, actor.account_id, session_id)
        await queries.set_wechat(actor.county_id, actor.account_id, None, None)
        await _audited(actor, Action.SESSIONS_REVOKE, session_id)


async def end_elsewhere(actor: Actor, now: datetime) -> int:
    """Sign out everywhere but here; other devices are unknown from now on. How many ended."""
    async with DB.transaction():
        ended = await queries.revoke_sessions(
            actor.county_id, actor.account_id, now, keep=actor.session_id
        )
        await queries.forget_other_devices(actor.county_id, actor.account_id, actor.session_id)
        await _audited(actor, Action.SESSIONS_REVOKE, actor.account_id)
    return ended


async def mine(actor: Actor, now: datetime) -> list[SessionLine]:
    """One's own live sessions, latest first."""
    return await queries.sessions(actor.county_id, actor.account_id, now)


def require_confirmed(actor: Actor, now: datetime) -> None:
    """Raises ConfirmFirst unless the password was given in the last ten minutes.

    For exports and for closing an appraisal cycle.
    """
    if actor.confirmed_at is None or now - actor.confirmed_at > FRESH:
        raise ConfirmFirst


def new_token(county_id: int) -> str:
    """256 random bits behind the county's code."""
    return f"{county_id}.{token_urlsafe(TOKEN_BYTES)}"


def county_of(token: str) -> int | None:
    """The county a token names, or None if it is no token."""
    county, dot, rest = token.partition(".")
    if len(token) > MAX_TOKEN or not (dot and rest and county.isascii() and county.isdigit()):
        return None
    return int(county) if len(county) == 6 else None


async def _desk_end(county_id: int, begun: datetime, used: datetime) -> datetime:
    """When a desk's session ends if nobody uses it any more: after the county's minutes."""
    minutes = (await settings_county.get(county_id)).desk_idle_minutes
    return min(begun + LIFE["desk"], used + timedelta(minutes=minutes))


async def _audited(actor: Actor, action: str, object_id: UUID) -> None:
    await audit.record(actor, action, "session", object_id, county_id=actor.county_id)
