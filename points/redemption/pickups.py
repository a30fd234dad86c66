"""Ordered ahead: goods and points kept for one shop until they are fetched, given back, or over.

A hold belongs to one shop and is handed over there once, now or by an upload of what an offline
shop did meanwhile, in any order: its points and pieces were set aside when it was made, so nothing
can be spent twice.
"""

import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points.errors import ClockWrong, Refused
from points.ledger import committer
from points.ledger.items import Code, Hold, Outcome, Pick, PostHold, VoidHold
from points.ledger.service import HOLD_GRACE
from points.mall import service as mall
from points.mall.schemas import ShopRow
from points.redemption import queries, service
from points.redemption.codes import Who, counter, digits_hash, pickup_of, recognise
from points.redemption.rules import TOKEN_BYTES, CodeKind, make_digits, make_token
from points.redemption.schemas import (
    HandOver,
    Held,
    HoldOrder,
    HoldRow,
    OneTime,
    PickupRow,
    ReceiptLine,
    Voided,
)
from points.redemption.terms import counter_on, merged, terms_of
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import NotFound
from shared.identity.access import Action, Target, allowed, require
from shared.identity.actor import Actor
from shared.identity.sealing import digest, open_, seal
from shared.retention import service as retention
from shared.retention.registry import PICKUP
from shared.roster.roles import Role

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead a terminal's clock may be."""

KEPT = timedelta(days=PICKUP.days)
"""How long a resolved order still says who fetches it and where it is brought."""


class HoldAnswer(msgspec.Struct, frozen=True):
    """What became of an order ahead; ``repeated`` when the same request had it before."""

    repeated: bool
    held: Held | None = None
    refusal: Refused | None = None


class VoidAnswer(msgspec.Struct, frozen=True):
    """A hold given back; ``repeated`` when it was before, by the same."""

    repeated: bool
    voided: Voided


async def hold(
    actor: Actor, order: HoldOrder, now: datetime, *, shown: int | None = None
) -> HoldAnswer:
    """Keep goods and points for one shop; ``shown`` is the total that the page promised.

    Without a code it is the actor's own order, with one the shop makes it for the person at the
    counter. Raises as ``service.redeem``.
    """
    shop, who, authority = await _orderer(actor, order, now)
    settings = await settings_county.get(actor.county_id)
    here = await counter_on(actor.county_id, shop.id, today(now))
    if here is None:
        raise NotFound
    terms = terms_of(here, order.lines, today(now), shown)
    item = Hold(
        id=order.id,
        actor_id=actor.person_id,
        authority=authority,
        shop_id=shop.id,
        lines=terms.lines,
        means=who.means,
        code_hash=who.code_hash,
        person_id=who.person_id,
        at=now,
        month_limit=settings.month_limit,
        device=actor.device,
        collector=order.collector,
        refused=terms.refused,
        refused_product=terms.subject,
        expires_at=now + timedelta(days=settings.pickup_days),
    )
    async with DB.transaction():
        made = who.person_id is not None and await _note(actor.county_id, order, who.person_id, now)
        outcome = await committer.submit(actor.county_id, item, now)
        if made and not outcome.accepted:
            await queries.delete_pickup(actor.county_id, order.id)
    return await _answer(actor.county_id, outcome)


async def hand_over(actor: Actor, hold_id: UUID, order: HandOver, now: datetime) -> service.Answer:
    """The goods, or some of them, are given out: makes the redemption ``order.id``.

    Raises NotFound (not the actor's shop, no such hold, or the code of another one), ClockWrong,
    NotACode, TooManyTries, Refused ``id_reused``.
    """
    row = await _hold(actor, hold_id)
    at = order.at or now
    if not row.at <= at <= now + CLOCK_SKEW:
        raise ClockWrong
    if order.code is not None:
        shown = await pickup_of(actor, row.shop_id, order.code, now)
        if shown.id != hold_id:
            raise NotFound("这是另一份预订的取货码，请核对。")
    taken = merged(order.picks or ())
    picks = tuple(Pick(line.product_id, line.quantity) for line in taken) or None
    item = PostHold(
        id=order.id,
        actor_id=actor.person_id,
        authority="shop",
        hold_id=hold_id,
        shop_id=row.shop_id,
        at=at,
        picks=picks,
        device=actor.device,
        collector=order.collector,
        shown=order.code is not None and now <= row.expires_at + HOLD_GRACE,
    )
    if row.status != "voided":
        outcome = await committer.submit(actor.county_id, item, now)
        return await service.answer(actor.county_id, outcome)
    # Both or none, whoever hangs up or dies in between.
    async with DB.transaction():
        outcome = await committer.submit(actor.county_id, item, now)
        if not outcome.repeated:
            await audit.record(
                actor,
                "hold.late",
                "hold",
                hold_id,
                county_id=actor.county_id,
                about_id=row.person_id,
                unit_code=row.unit_code,
                authority="shop",
                after={"amount": outcome.amount},
                reason="" if outcome.accepted else Refused(outcome.code).message,
            )
    return await service.answer(actor.county_id, outcome)


async def void(actor: Actor, hold_id: UUID, reason: str, now: datetime) -> VoidAnswer:
    """Give a hold back: the shop it is bound to, or the worker who ordered.

    Raises NotFound, Refused (resolved before).
    """
    row = await queries.hold(actor.county_id, hold_id)
    if row is None or row.status == "refused":
        raise NotFound
    target = Target(unit_code=row.unit_code, shop_id=row.shop_id, owner=row.person_id)
    by_shop = row.shop_id in actor.shops
    if not by_shop and row.person_id != actor.person_id:
        raise NotFound
    authority = require(actor, Action.UNDO_EARLY, target) if by_shop else "self"
    item = VoidHold(
        id=uuid5(NAMESPACE_URL, f"gridmerit:void:{actor.county_id}:{hold_id}"),
        actor_id=actor.person_id,
        authority=authority,
        hold_id=hold_id,
        shop_id=row.shop_id,
        memo=reason.strip()[:100],
    )
    # Both or none, whoever hangs up or dies in between.
    async with DB.transaction():
        outcome = await committer.submit(actor.county_id, item, now)
        if outcome.accepted and not outcome.repeated:
            await audit.record(
                actor,
                "hold.void",
                "hold",
                hold_id,
                county_id=actor.county_id,
                about_id=row.person_id,
                unit_code=row.unit_code,
                authority=authority,
                reason=reason.strip(),
            )
    if not outcome.accepted:
        raise Refused(outcome.code)
    return VoidAnswer(outcome.repeated, Voided(id=hold_id, status="voided", amount=row.amount))


async def mine(actor: Actor) -> list[PickupRow]:
    """The actor's own orders, latest first."""
    rows = await queries.pickups_of(actor.county_id, actor.person_id)
    return await _named(actor.county_id, rows)


async def waiting(actor: Actor, shop_id: UUID) -> list[PickupRow]:
    """What a shop still has to hand out."""
    shop = await counter(actor, shop_id)
    rows = await queries.pickups_at(actor.county_id, shop.id)
    return await _named(actor.county_id, [row for row in rows if row.state == "pending"])


async def view(actor: Actor, pickup_id: UUID) -> PickupRow:
    """An order, for the worker who made it and the shop it is bound to. Raises NotFound."""
    row = await queries.pickup(actor.county_id, pickup_id)
    if row is None:
        raise NotFound
    if row.person_id != actor.person_id:
        await counter(actor, row.shop_id)
    return (await _named(actor.county_id, [row]))[0]


async def forget(county_id: int, now: datetime) -> int:
    """Home address and family member of old orders; the ledger keeps who took what. How many."""
    async with DB.transaction():
        gone = await queries.forget_pickups(county_id, now - KEPT)
        await retention.record(county_id, PICKUP, gone)
    return gone


def code_of(actor: Actor, row: PickupRow) -> OneTime | None:
    """The pickup code to show again; only the worker sees it, and only while it waits."""
    if row.person_id != actor.person_id or row.state != "pending":
        return None
    token, _, digits = open_(row.sealed).decode().partition(" ")
    return OneTime(row.id, token, digits, row.expires_at)


async def _orderer(actor: Actor, order: HoldOrder, now: datetime) -> tuple[ShopRow, "_Means", str]:
    """The shop, whose wallet, and under which right."""
    if order.code is not None:
        shop = await counter(actor, order.shop_id)
        who = await recognise(actor, shop, order.code, order.pin, now, order_id=order.id)
        if who.person_id:
            await counter(actor, order.shop_id, owner=who.person_id)
        return shop, _Means.of(who), "shop"
    units = actor.units(Role.GRIDWORKER)
    found = await mall.shop(actor.county_id, order.shop_id)
    if found is None or not units:
        raise NotFound
    target = Target(unit_code=units[0], owner=actor.person_id)
    if not allowed(actor, Action.ORDER, target).allowed:
        raise NotFound
    return found, _Means("self", None, actor.person_id), "self"


class _Means(msgspec.Struct, frozen=True):
    """How the orderer was recognised."""

    means: Literal["token", "digits", "card", "self"]
    code_hash: bytes | None
    person_id: UUID | None

    @classmethod
    def of(cls, who: Who) -> "_Means":
        return cls(who.means, who.code_hash, who.person_id)


async def _note(county_id: int, order: HoldOrder, person_id: UUID, now: datetime) -> bool:
    """The pickup code of a new hold; False if the id had one before."""
    token = make_token(CodeKind.PICKUP, os.urandom(TOKEN_BYTES))
    digits = make_digits(CodeKind.PICKUP, secrets.randbelow)
    return await queries.insert_pickup(
        county_id,
        order.id,
        (person_id, order.shop_id),
        (digest(token), digits_hash(digits), seal(f"{token} {digits}".encode())),
        (order.collector.strip(), order.deliver_to.strip()),
        now,
    )


async def _hold(actor: Actor, hold_id: UUID) -> HoldRow:
    """A hold of the actor's shop. Raises NotFound; Forbidden for one's own goods."""
    row = await queries.hold(actor.county_id, hold_id)
    if row is None or row.status == "refused":
        raise NotFound
    await counter(actor, row.shop_id, owner=row.person_id)
    return row


async def _answer(county_id: int, outcome: Outcome) -> HoldAnswer:
    if outcome.code == Code.ID_REUSED:
        raise Refused(outcome.code)
    if not outcome.accepted:
        return HoldAnswer(outcome.repeated, refusal=await service.refusal(county_id, outcome))
    row = await queries.hold(county_id, outcome.id)
    if row is None:
        raise NotFound
    names = await queries.product_names(county_id, row.products)
    held = Held(
        id=row.id,
        status="accepted",
        shop_id=row.shop_id,
        shop_name=row.shop_name,
        amount=row.amount,
        balance=row.balance_after,
        at=row.at,
        expires_at=row.expires_at,
        lines=_lines(names, row.products, row.quantities, row.prices),
    )
    return HoldAnswer(outcome.repeated, held)


async def _named(county_id: int, rows: Sequence[PickupRow]) -> list[PickupRow]:
    names = await queries.product_names(county_id, [p for row in rows for p in row.products])
    return [
        msgspec.structs.replace(row, lines=_lines(names, row.products, row.quantities, row.prices))
        for row in rows
    ]


def _lines(
    names: dict[UUID, tuple[str, str]],
    products: Sequence[UUID],
    quantities: Sequence[int],
    prices: Sequence[int],
) -> tuple[ReceiptLine, ...]:
    return tuple(
        ReceiptLine(product, *names[product], quantity, price)
        for product, quantity, price in zip(products, quantities, prices, strict=True)
    )
