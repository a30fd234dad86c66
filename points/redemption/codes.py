"""Who stands at the counter: one-time codes, printed cards, and the wrong tries of both.

Only hashes are stored. Tokens carry 128 random bits and need no counting; eight digits do, per
shop, and PINs, per card. The counts stand in PostgreSQL, so that emptying the cache frees no
guessing.
"""

import os
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from points.errors import CardUsedUp, NotACode, PinNeeded, Refused, TooManyTries, UseAsPickup
from points.ledger.service import REMINDED
from points.mall import service as mall
from points.mall.schemas import ShopRow
from points.redemption import queries
from points.redemption.rules import TOKEN_BYTES, CodeKind, Scanned, make_digits, make_token, scanned
from points.redemption.schemas import (
    CardHolder,
    CardRow,
    CodeRow,
    NewCard,
    OneTime,
    PickupRow,
    Untold,
)
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, NotFound, TooMany, Unavailable
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.identity.errors import WaitFirst
from shared.identity.rules import TRIES_A_DAY, delay
from shared.identity.sealing import digest, keyed
from shared.identity.sessions import FORMER_DAYS
from shared.identity.signin import check_card_pin
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role, UnitKind
from shared.roster.rules import CODE_LENGTH

CODES_AN_HOUR = 60
"""A code is renewed every few minutes; more than this is a machine."""
DRAWS = 5
"""Attempts at eight digits that nobody else has just now."""


class Who(msgspec.Struct, frozen=True):
    """How somebody was recognised, in the ledger's words."""

    means: Literal["token", "digits", "card"]
    code_hash: bytes | None = None
    person_id: UUID | None = None
    expires_at: datetime | None = None


def digits_hash(digits: str) -> bytes:
    """Keyed, because 10^8 plain hashes are quickly tried."""
    return keyed("redemption digits", digits)


async def issue(actor: Actor, now: datetime) -> OneTime:
    """A fresh code for the actor's own wallet. Earlier ones stay good until they end."""
    require(actor, Action.CODE_SHOW, Target(owner=actor.person_id))
    recent = await queries.codes_since(actor.county_id, actor.person_id, now - timedelta(hours=1))
    if recent >= CODES_AN_HOUR:
        raise TooMany("刷新太频繁了，请过几分钟再试。", 300)
    settings = await settings_county.get(actor.county_id)
    return await _issue(actor.county_id, actor.person_id, now, settings.code_seconds)


async def _issue(county_id: int, person_id: UUID, now: datetime, seconds: int) -> OneTime:
    expires_at = now + timedelta(seconds=seconds)
    for _ in range(DRAWS):
        token = make_token(CodeKind.ONCE, os.urandom(TOKEN_BYTES))
        digits = make_digits(CodeKind.ONCE, secrets.randbelow)
        row = CodeRow(new_id(), person_id, now, expires_at, None)
        if await queries.insert_code(county_id, row, digest(token), digits_hash(digits)):
            return OneTime(row.id, token, digits, expires_at)
    raise TooMany("现在出码的人太多，请稍后再试。", 5)


async def recognise(
    actor: Actor,
    shop: ShopRow,
    text: str,
    pin: str | None,
    now: datetime,
    *,
    order_id: UUID | None = None,
) -> Who:
    """Whose wallet a scanned or typed code opens; raises NotACode, UseAsPickup, TooManyTries.

    An unknown code or card is answered without a person: the ledger refuses it and keeps the
    refusal. A card asks for its PIN (PinNeeded, and the sign-in's own errors). What was asked
    under ``order_id`` before gets its answer again, even if the card was replaced since.
    """
    code = scanned(text)
    if code is None:
        raise NotACode
    if code.kind is CodeKind.PICKUP:
        raise UseAsPickup
    await _try_digits(actor.county_id, shop.id, code, now)
    if code.kind is CodeKind.CARD:
        return await _holder(actor.county_id, shop, code, pin, now, order_id)
    code_hash = digest(code.token) if code.token else digits_hash(code.digits)
    look_up = queries.code_by_token if code.token else queries.code_by_digits
    found = await look_up(actor.county_id, code_hash)
    await _tried(actor.county_id, shop.id, code, right=found is not None)
    return Who(
        "token" if code.token else "digits",
        code_hash,
        found.person_id if found else None,
        found.expires_at if found else None,
    )


async def presented(
    actor: Actor, shop: ShopRow, text: str, pin: str | None, now: datetime, order_id: UUID
) -> Who:
    """As ``recognise``, but who a one-time token belongs to is left to the ledger.

    It reads the code under the county's lock anyway, and refuses the keeper's own.
    """
    code = scanned(text)
    if code is not None and code.kind is CodeKind.ONCE and code.token:
        return Who("token", digest(code.token))
    return await recognise(actor, shop, text, pin, now, order_id=order_id)


async def _holder(
    county_id: int,
    shop: ShopRow,
    code: Scanned,
    pin: str | None,
    now: datetime,
    order_id: UUID | None,
) -> Who:
    """The holder of a printed card, after the PIN; for a repeat it was typed the first time."""
    hashed = digest(code.token) if code.token else digits_hash(code.digits)
    if code.token:
        card = await queries.card_by_token(county_id, hashed)
    else:
        card = await queries.card_by_number(county_id, code.digits)
    former = None
    if card is None and order_id is not None:
        former = await queries.card_used(county_id, (hashed, code.digits), shop.id, order_id)
    await _tried(county_id, shop.id, code, right=(card or former) is not None)
    if former:
        return Who("card", None, former.person_id)
    if card is None:
        return Who("token" if code.token else "digits", hashed)
    if pin is None:
        raise PinNeeded
    # On the card, not on the holder's account: anybody can try PINs at the sign-in page.
    await _charge(county_id, card.id, now, WaitFirst, TRIES_A_DAY)
    try:
        await check_card_pin(county_id, card.person_id, pin, now)
    except Forbidden:
        await queries.forgive_tries(county_id, card.id)
        raise
    except Unavailable:  # nobody had time to look at it
        await queries.give_back_try(county_id, card.id)
        raise
    await queries.forgive_tries(county_id, card.id)
    return Who("card", None, card.person_id)


async def from_card(actor: Actor, shop_id: UUID, text: str, pin: str, now: datetime) -> OneTime:
    """A one-time code for the holder of a card who typed the PIN at this shop's counter.

    So one PIN is good for one redemption, as one code is.
    """
    shop = await counter(actor, shop_id)
    who = await recognise(actor, shop, text, pin, now)
    if who.means != "card" or who.person_id is None:
        raise Refused("code_unknown")
    settings = await settings_county.get(actor.county_id)
    return await _issue(actor.county_id, who.person_id, now, settings.code_seconds)


async def pickup_of(actor: Actor, shop_id: UUID, text: str, now: datetime) -> PickupRow:
    """The order that a pickup code names; raises NotACode, NotFound (unknown, or another shop)."""
    shop = await counter(actor, shop_id)
    code = scanned(text)
    if code is None or code.kind is not CodeKind.PICKUP:
        raise NotACode
    await _try_digits(actor.county_id, shop.id, code, now)
    if code.token:
        found = await queries.pickup_by_token(actor.county_id, digest(code.token))
    else:
        hashed = digits_hash(code.digits)
        found = await queries.pickup_by_digits(actor.county_id, hashed, shop.id)
    await _tried(actor.county_id, shop.id, code, right=found is not None)
    if found is None:
        raise NotFound("没有找到这份预订，请核对取货码。")
    if found.shop_id != shop.id:
        raise NotFound(f"这份预订在{found.shop_name}取货，请到那里办理。")
    return found


async def counter(actor: Actor, shop_id: UUID, *, owner: UUID | None = None) -> ShopRow:
    """The shop that the actor serves now; raises NotFound, Forbidden for one's own wallet."""
    shop = await mall.shop(actor.county_id, shop_id)
    if shop is None:
        raise NotFound
    require(
        actor,
        Action.REDEEM,
        Target(unit_code=shop.unit_code, shop_id=shop.id, owner=owner),
    )
    return shop


async def issue_card(actor: Actor, person_id: UUID, now: datetime) -> NewCard:
    """A new printed card; the former one of this person stops working."""
    place = await roster.worker_place(actor.county_id, person_id, today(now))
    card = await roster.person(actor.county_id, person_id)
    if place is None or card is None:
        raise NotFound
    village = await _card_village(actor, person_id, now)
    async with DB.transaction():
        await queries.lock_cards(actor.county_id)
        await queries.revoke_card(actor.county_id, person_id, now)
        for _ in range(DRAWS):
            token = make_token(CodeKind.CARD, os.urandom(TOKEN_BYTES))
            row = CardRow(new_id(), person_id, make_digits(CodeKind.CARD, secrets.randbelow))
            if await queries.insert_card(actor.county_id, row, digest(token), now, actor.person_id):
                break
        else:
            raise TooMany("卡号暂时用完，请再试一次。", 1)
        await audit.record(
            actor,
            "card.issue",
            "person",
            person_id,
            county_id=actor.county_id,
            unit_code=village,
            after={"number": row.number},
        )
    where = place.village_name + place.grid_name
    return NewCard(person_id, card.name, where, row.number, token)


async def card_holders(actor: Actor, now: datetime) -> list[CardHolder]:
    """The gridworkers of the actor's units, with the number of the card each has."""
    day = today(now)
    spans = {  # somebody of several grids has one card
        span.person_id: span
        for code in reach(actor, Action.CARD_PIN)
        for span in await roster.workers(actor.county_id, code, day, day)
    }
    people = list(spans)
    places = await roster.worker_places(actor.county_id, people, day)
    numbers = await queries.cards_of(actor.county_id, people)
    return [
        CardHolder(
            span.person_id,
            span.name,
            place.village_name + place.grid_name if (place := places.get(span.person_id)) else "",
            numbers.get(span.person_id),
        )
        for span in spans.values()
        if span.person_id != actor.person_id
    ]


async def cards_left(actor: Actor, now: datetime) -> list[CardHolder]:
    """Who left the actor's units with a card that still counts: it can only be stopped."""
    day = today(now)
    since = day - timedelta(days=FORMER_DAYS)
    gone = {
        span.person_id: span
        for code in reach(actor, Action.CARD_PIN)
        for span in await roster.workers(actor.county_id, code, since, day)
        if span.valid_to is not None and span.valid_to <= day
    }
    numbers = await queries.cards_of(actor.county_id, list(gone))
    elsewhere = await roster.worker_places(actor.county_id, list(numbers), day)
    found = []
    for person_id in numbers.keys() - elsewhere.keys():
        villages = await _villages(actor.county_id, person_id, day)
        if any(allowed(actor, Action.CARD_PIN, Target(unit_code=v)).allowed for v in villages):
            name, number = gone[person_id].name, numbers[person_id]
            found.append(CardHolder(person_id, name, "", number))
    return sorted(found, key=lambda row: row.name)


async def untold(actor: Actor, now: datetime) -> list[Untold]:
    """Who of the actor's units does not sign in, and has points that end within the reminder.

    Who works elsewhere by now is told there. A county has too many of them to be told by one
    desk: its villages tell them.
    """
    county = CODE_LENGTH[UnitKind.COUNTY]
    codes = [code for code in reach(actor, Action.CARD_PIN) if len(code) > county]
    if not codes:
        return []
    day = today(now)
    since = day - timedelta(days=FORMER_DAYS)
    spans = [s for c in codes for s in await roster.workers(actor.county_id, c, since, day)]
    serving = {s.person_id for s in spans if s.valid_to is None or s.valid_to > day}
    people = list({span.person_id for span in spans})
    found = await queries.untold(actor.county_id, people, day, day + REMINDED)
    places = await roster.worker_places(actor.county_id, [row.person_id for row in found], day)
    return [
        msgspec.structs.replace(row, place=place.village_name + place.grid_name if place else "")
        for row in found
        if (place := places.get(row.person_id)) is None or row.person_id in serving
    ]


async def revoke_card(actor: Actor, person_id: UUID, now: datetime) -> None:
    """A lost card stops working at once."""
    code = await _card_village(actor, person_id, now)
    async with DB.transaction():
        if not await queries.revoke_card(actor.county_id, person_id, now):
            raise NotFound
        await audit.record(
            actor, "card.revoke", "person", person_id, county_id=actor.county_id, unit_code=code
        )


async def _card_village(actor: Actor, person_id: UUID, now: datetime) -> str:
    """The village, of those that answer for the card, that lets the actor. Raises NotFound."""
    villages = await _villages(actor.county_id, person_id, today(now)) or [""]
    for village in villages:
        if allowed(actor, Action.CARD_PIN, Target(unit_code=village)).allowed:
            return village
    require(actor, Action.CARD_PIN, Target(unit_code=villages[0], owner=person_id))
    return villages[0]


async def _villages(county_id: int, person_id: UUID, day: date) -> list[str]:
    """Where somebody works as a gridworker, else where they did last: a lost card outlives it."""
    history = await roster.history(county_id, person_id)
    served = [t for t in history if t.role is Role.GRIDWORKER and t.valid_from <= day]
    held = [t for t in served if t.valid_to is None or t.valid_to > day]
    last = max((t.valid_to for t in served if t.valid_to), default=day)
    return sorted({t.unit_code[:12] for t in held or served if held or t.valid_to == last})


async def _try_digits(county_id: int, shop_id: UUID, code: Scanned, now: datetime) -> None:
    """Raises TooManyTries while the shop must wait; tokens cannot be guessed and never wait."""
    if not code.token:
        await _charge(county_id, shop_id, now, TooManyTries)


async def _charge(
    county_id: int,
    counted_id: UUID,
    now: datetime,
    refusal: Callable[[int], TooMany],
    most: int | None = None,
) -> None:
    """Count a try before it is looked at, so that many at once are many; no more than a day's."""
    async with DB.transaction():
        failures = await queries.charge_try(county_id, counted_id, today(now))
        row = await queries.tries(county_id, counted_id)
        if row and most is not None and row.failures_today > most:
            raise CardUsedUp
        if row and row.blocked_until and row.blocked_until > now:
            raise refusal(int((row.blocked_until - now).total_seconds()) + 1)
        if seconds := delay(failures):
            await queries.block_tries(county_id, counted_id, now + timedelta(seconds=seconds))


async def _tried(county_id: int, shop_id: UUID, code: Scanned, *, right: bool) -> None:
    """Forgive after a right one."""
    if right and not code.token:
        await queries.forgive_tries(county_id, shop_id)
