"""Keys of shop terminals for the JSON API: HMAC-signed requests, scope one shop.

The keeper who made a key stands behind it: it carries that person's keeping of that one shop, as
long as they hold it. docs/terminals.md tells an integrator what to send. Keys and duties are
remembered by ``shared.memory``; the signature is computed for every request.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

import msgspec

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity import queries
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.identity.errors import AlreadyRevoked
from shared.identity.schemas import TerminalRow, TerminalSecret
from shared.identity.sealing import open_, seal
from shared.ids import new_id
from shared.memory import MEMORY
from shared.roster import service as roster
from shared.roster.roles import Role

PREFIX = b"gridmerit-"
KEY_HEADER = "gridmerit-key"
TIME_HEADER = "gridmerit-timestamp"
NONCE_HEADER = "gridmerit-nonce"
SIGNATURE_HEADER = "gridmerit-signature"
KEY_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SKEW = 300
"""Seconds that a terminal's clock may be off; a replay inside them meets the same id again."""
SECRET_BYTES = 32
MAX_LABEL = 30
MAX_NONCE = 64
MAX_KEYS = 20


class Signer(msgspec.Struct, frozen=True):
    """Who signs with a key, as remembered until something behind it changes."""

    secret: bytes
    actor: Actor


async def create(actor: Actor, shop_id: UUID, label: str, now: datetime) -> TerminalSecret:
    """A new key; the secret is shown once. Raises NotFound, Invalid."""
    unit_code = await _shop_unit(actor, shop_id)
    if not 1 <= len(label) <= MAX_LABEL:
        raise Invalid("请给终端起个名字。", {"label": f"请填 1 到 {MAX_LABEL} 个字。"})
    if not any(duty.subject_id == shop_id for duty in actor.duties):
        raise Invalid("密钥要由本店店主来建。", {"label": "密钥要由本店店主来建。"})
    live = [row for row in await queries.terminals(actor.county_id, shop_id) if not row.revoked_at]
    if len(live) >= MAX_KEYS:
        raise Invalid("终端太多了，请先停用不用的。", {"label": f"最多 {MAX_KEYS} 个。"})
    secret = token_bytes(SECRET_BYTES)
    row = TerminalRow(
        id=new_id(),
        shop_id=shop_id,
        person_id=actor.person_id,
        name=actor.name,
        label=label,
        secret_cipher=seal(secret),
        created_at=now,
        revoked_at=None,
    )
    async with DB.transaction():
        await queries.insert_terminal(actor.county_id, row)
        await _audited(actor, row, unit_code, after={"label": label, "live": True})
    return TerminalSecret(
        key=f"{actor.county_id}.{row.id}",
        secret=urlsafe_b64encode(secret).decode().rstrip("="),
        label=label,
    )


async def listed(actor: Actor, shop_id: UUID) -> list[TerminalRow]:
    """The shop's keys, latest first; raises NotFound."""
    await _shop_unit(actor, shop_id)
    return await queries.terminals(actor.county_id, shop_id)


async def revoke(actor: Actor, key_id: UUID, now: datetime) -> TerminalRow:
    """The key stops working at once; raises NotFound, AlreadyRevoked."""
    row = await queries.terminal(actor.county_id, key_id)
    if row is None:
        raise NotFound
    unit_code = await _shop_unit(actor, row.shop_id)
    async with DB.transaction():
        if not await queries.revoke_terminal(actor.county_id, key_id, now):
            raise AlreadyRevoked
        await _audited(actor, row, unit_code, after={"label": row.label, "live": False})
    await MEMORY.catch_up()
    return row


async def authenticate(
    headers: Mapping[str, str], method: str, path: str, body: bytes, now: datetime
) -> Actor | None:
    """The keeper behind a signed request, with the one shop as only duty; None = not valid.

    ``path`` includes the query string, as it was sent.
    """
    county, _, key = headers.get(KEY_HEADER, "").partition(".")
    stamp, nonce = headers.get(TIME_HEADER, ""), headers.get(NONCE_HEADER, "")
    if not (_digits(county, 6) and _digits(stamp, 12) and 0 < len(nonce) <= MAX_NONCE):
        return None
    if abs(int(stamp) - now.timestamp()) > SKEW or not KEY_ID.fullmatch(key):
        return None
    known = ("terminal", county, key, today(now))
    signer = MEMORY.recall(known) or await MEMORY.learn(
        known, lambda: _signer(int(county), UUID(key), today(now))
    )
    if signer is None:
        return None
    expected = signature(signer.secret, method, path, stamp, nonce, body)
    given = headers.get(SIGNATURE_HEADER, "")
    right = given.isascii() and hmac.compare_digest(expected, given)
    return signer.actor if right else None


async def _signer(county_id: int, key_id: UUID, on: date) -> Signer | None:
    """The secret of a live key and the keeper who stands behind it on a day."""
    row = await queries.terminal(county_id, key_id)
    if row is None or row.revoked_at is not None:
        return None
    held = await roster.duties_at(county_id, row.person_id, on)
    kept = tuple(
        duty for duty in held if duty.role is Role.SHOPKEEPER and duty.subject_id == row.shop_id
    )
    account = await queries.account_of(county_id, row.person_id)
    if not kept or account is None or account.disabled_at is not None:
        return None
    actor = Actor(
        county_id=county_id,
        person_id=row.person_id,
        name=row.name,
        account_id=account.id,
        session_id=row.id,
        terminal=True,
        duties=kept,
        device=f"terminal:{row.label}",
    )
    return Signer(open_(row.secret_cipher), actor)


def signature(secret: bytes, method: str, path: str, stamp: str, nonce: str, body: bytes) -> str:
    """HMAC-SHA256, hex, over method, path, time, nonce and the body's SHA-256, one a line."""
    text = "\n".join((method, path, stamp, nonce, sha256(body).hexdigest()))
    return hmac.digest(secret, text.encode(), "sha256").hex()


def _digits(text: str, longest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= longest


async def _shop_unit(actor: Actor, shop_id: UUID) -> str:
    """The shop's unit; raises NotFound for a shop that is not the actor's to manage."""
    found = await queries.shop_unit(actor.county_id, shop_id)
    unit_code = found[1] if found else ""
    require(actor, Action.TERMINAL_KEY, Target(shop_id=shop_id, unit_code=unit_code))
    return unit_code


async def _audited(actor: Actor, row: TerminalRow, unit_code: str, after: object) -> None:
    await audit.record(
        actor,
        Action.TERMINAL_KEY,
        "terminal_key",
        row.id,
        county_id=actor.county_id,
        unit_code=unit_code,
        after=after,
    )
