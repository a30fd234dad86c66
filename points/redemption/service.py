"""Goods for points at a counter: redeem, undo, and what a shop and a worker see of it.

Every decision about points, stock, codes and limits falls in ``points.post_batch``; here the right
is asked, the price of the day is found, and what only the counter knows (a closed shop, an ended
agreement) is handed to the ledger as a refusal, so that it is kept under the caller's id as well.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points.errors import Refused, UndoTooLate
from points.ledger import committer
from points.ledger import service as ledger
from points.ledger.items import Code, Outcome, Redeem, Undo
from points.mall import service as mall
from points.redemption import queries
from points.redemption.codes import Who, counter, presented, recognise
from points.redemption.rules import may_undo_early, seconds_left
from points.redemption.schemas import (
    Customer,
    DayTotal,
    Listed,
    ReceiptLine,
    Redemption,
    RedemptionOrder,
    RedemptionPage,
    RedemptionRow,
)
from points.redemption.terms import counter_on, receipt_lines, terms_of
from shared import settings_county
from shared.audit import service as audit
from shared.clock import LOCAL_ZONE, today
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity.access import SENTENCES, Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.names import mask
from shared.roster.roles import Role

PAGE = 20
RECENT_DAYS = 31
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
"""Outside there is nothing, and no time zone."""
LATEST = (2**31 - 1, 2**31 - 1)
"""Before the first page."""
CURSOR = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")


class Answer(msgspec.Struct, frozen=True):
    """What became of an order; ``repeated`` when the same request had it before."""

    repeated: bool
    redemption: Redemption | None = None
    refusal: Refused | None = None


class CodeState(msgspec.Struct, frozen=True):
    """What the worker's screen shows: seconds left, or the redemption that was made."""

    seconds: int
    spent: RedemptionRow | None = None


async def redeem(actor: Actor, order: RedemptionOrder, now: datetime) -> Answer:
    """Goods for points now.

    Raises NotFound (not the actor's shop), Forbidden (own wallet), NotACode, UseAsPickup,
    PinNeeded, TooManyTries, Refused ``id_reused``. Every other refusal is kept and answered.
    """
    day = today(now)
    here = await counter_on(actor.county_id, order.shop_id, day)
    if here is None:
        raise NotFound
    serves = Target(unit_code=here.shop.unit_code, shop_id=order.shop_id)
    require(actor, Action.REDEEM, serves)
    who = await presented(actor, here.shop, order.code, order.pin, now, order.id)
    if who.person_id:
        require(actor, Action.REDEEM, msgspec.structs.replace(serves, owner=who.person_id))
    terms = terms_of(here, order.lines, day, order.amount)
    outcome = await committer.submit(
        actor.county_id,
        Redeem(
            id=order.id,
            actor_id=actor.person_id,
            authority="shop",
            shop_id=order.shop_id,
            lines=terms.lines,
            means=who.means,
            code_hash=who.code_hash,
            person_id=who.person_id,
            at=now,
            month_limit=here.month_limit,
            device=actor.device,
            collector=order.collector,
            refused=terms.refused,
            refused_product=terms.subject,
        ),
        now,
    )
    if outcome.repeated or not outcome.accepted:
        return await answer(actor.county_id, outcome)
    return Answer(
        repeated=False,
        redemption=Redemption(
            id=order.id,
            status="accepted",
            shop_id=order.shop_id,
            shop_name=here.shop.name,
            hold_id=None,
            means=who.means,
            amount=outcome.amount,
            balance=outcome.balance or 0,
            at=now,
            collector=order.collector,
            batch=outcome.batch or 0,
            position=outcome.position or 0,
            lines=receipt_lines(here, terms),
        ),
    )


async def answer(county_id: int, outcome: Outcome) -> Answer:
    """The kept answer under an id. Raises Refused ``id_reused``, Forbidden (own wallet)."""
    if outcome.code == Code.ID_REUSED:
        raise Refused(outcome.code)
    if outcome.code == Code.OWN_WALLET:
        raise Forbidden(SENTENCES["own"])
    if not outcome.accepted:
        return Answer(outcome.repeated, refusal=await refusal(county_id, outcome))
    row = await full(county_id, outcome.id)
    return Answer(outcome.repeated, redemption=receipt(row))


async def refusal(county_id: int, outcome: Outcome) -> Refused:
    """A refusal with the product's name in its sentence."""
    if outcome.subject is None:
        return Refused(outcome.code)
    names = await queries.product_names(county_id, [outcome.subject])
    return Refused(outcome.code, names.get(outcome.subject, ("", ""))[0])


def receipt(row: RedemptionRow) -> Redemption:
    """What a terminal gets; made of facts that never change."""
    return Redemption(
        id=row.id,
        status="accepted",
        shop_id=row.shop_id,
        shop_name=row.shop_name,
        hold_id=row.hold_id,
        means=row.means,
        amount=row.amount,
        balance=row.balance_after,
        at=row.at,
        collector=row.collector,
        batch=row.batch,
        position=row.position,
        lines=row.lines,
    )


async def customer(actor: Actor, shop_id: UUID, text: str, now: datetime) -> Customer:
    """Whom a one-time code brings to the counter, before anything is chosen.

    Raises Refused for an unknown, expired or used code, with when and for what it was used.
    """
    shop = await counter(actor, shop_id)
    who = await recognise(actor, shop, text, None, now)
    if who.person_id is None or who.expires_at is None or who.code_hash is None:
        raise Refused("code_unknown")
    await counter(actor, shop_id, owner=who.person_id)
    await _unspent(actor.county_id, who, now)
    person = await roster.person(actor.county_id, who.person_id)
    place = await roster.worker_place(actor.county_id, who.person_id, today(now))
    if person is None:
        raise NotFound
    return Customer(
        name=mask(person.name),
        place=place.grid_name if place else "",
        available=await queries.spendable(actor.county_id, who.person_id, now),
        code=text,
        expires_at=who.expires_at,
    )


async def _unspent(county_id: int, who: Who, now: datetime) -> None:
    """Raises Refused when the code is over or was used: 这一码已用过（14:02 食用油）."""
    look_up = queries.code_by_token if who.means == "token" else queries.code_by_digits
    found = await look_up(county_id, who.code_hash or b"")
    if found is None:
        raise Refused("code_unknown")
    if found.used_by:
        spent = await queries.redemption(county_id, found.used_by)
        if spent is None:
            raise Refused("code_used")
        row = await full(county_id, spent.id)
        when = f"{row.at.astimezone(LOCAL_ZONE):%H:%M}"
        raise Refused("code_used", sentence=f"这一码已用过（{when} {row.goods}），没有重复扣分。")
    if not seconds_left(found.expires_at, now):
        raise Refused("code_expired")


async def code_state(actor: Actor, code_id: UUID, now: datetime) -> CodeState:
    """Whether the code on the worker's screen is still good, or what was taken since."""
    found = await queries.code_of(actor.county_id, code_id, actor.person_id)
    if found is None:
        raise NotFound
    spent = await queries.last_of(actor.county_id, actor.person_id, found.created_at)
    if spent:
        return CodeState(0, await full(actor.county_id, spent.id))
    return CodeState(seconds_left(found.expires_at, now))


async def undo(actor: Actor, redemption_id: UUID, reason: str, now: datetime) -> RedemptionRow:
    """Take a redemption back, whole: by the shop in its minutes, later by the village secretary.

    Raises NotFound, UndoTooLate, Invalid (no reason), Refused ``already_undone``.
    """
    row = await full(actor.county_id, redemption_id)
    target = Target(unit_code=row.unit_code, shop_id=row.shop_id, owner=row.person_id)
    settings = await settings_county.get(actor.county_id)
    early = allowed(actor, Action.UNDO_EARLY, target).allowed
    if early and not may_undo_early(row.at, now, settings.undo_minutes):
        if not allowed(actor, Action.UNDO_LATE, target).allowed:
            raise UndoTooLate(settings.undo_minutes)
        early = False
    authority = "shop" if early else await _any_right(actor, Action.UNDO_LATE, row, now)
    if not reason.strip():
        raise Invalid("请选撤销原因。", {"reason": "请选撤销原因。"})
    item = Undo(
        id=uuid5(NAMESPACE_URL, f"gridmerit:undo:{actor.county_id}:{redemption_id}"),
        actor_id=actor.person_id,
        authority=authority,
        redemption_id=redemption_id,
        shop_id=row.shop_id if early else None,
        memo=reason.strip()[:100],
    )
    # Both or none: a process that dies in between leaves no undoing that the audit does not know.
    async with DB.transaction():
        await audit.record(
            actor,
            "redeem.undo" if early else "redeem.undo_late",
            "redemption",
            redemption_id,
            county_id=actor.county_id,
            about_id=row.person_id,
            unit_code=row.unit_code,
            authority=authority,
            reason=reason.strip(),
        )
        outcome = await ledger.post_one(actor.county_id, item, now)
        if outcome.repeated or outcome.code == Code.ID_REUSED:  # the shop before the secretary
            raise Refused("already_undone")
        if not outcome.accepted:
            raise Refused(outcome.code)
    return await full(actor.county_id, redemption_id)


async def _any_right(actor: Actor, action: Action, row: RedemptionRow, now: datetime) -> str:
    """The authority over the shop's unit, else over a village of the worker's.

    A township's shop serves many villages, and each secretary answers for the own people. Raises
    NotFound, Forbidden.
    """
    at_shop = Target(unit_code=row.unit_code, shop_id=row.shop_id, owner=row.person_id)
    decision = allowed(actor, action, at_shop)
    if decision.allowed or decision.reason != "stranger" or row.person_id is None:
        return require(actor, action, at_shop)
    duties = await roster.duties_at(actor.county_id, row.person_id, today(now))
    for duty in duties:
        here = Target(unit_code=duty.unit_code, owner=row.person_id)
        if duty.role is Role.GRIDWORKER and allowed(actor, action, here).reason != "stranger":
            return require(actor, action, here)
    return require(actor, action, at_shop)


async def view(actor: Actor, redemption_id: UUID, now: datetime) -> RedemptionRow:
    """A redemption as the worker, the shop or the village may see it. Raises NotFound."""
    row = await full(actor.county_id, redemption_id)
    await _any_right(actor, Action.REDEMPTION_VIEW, row, now)
    return row


async def undoable(actor: Actor, row: RedemptionRow, now: datetime) -> bool:
    """Whether the page offers the shop's own undo."""
    if row.undone_at or row.status != "accepted" or row.shop_id not in actor.shops:
        return False
    settings = await settings_county.get(actor.county_id)
    return may_undo_early(row.at, now, settings.undo_minutes)


async def day_list(
    actor: Actor, shop_id: UUID, day: date, *, after: str | None = None, limit: int = PAGE
) -> tuple[list[RedemptionRow], str | None]:
    """A shop's redemptions of a day, latest first, and the cursor of the next page."""
    await mall.view_shop(actor, shop_id)
    rows = await queries.redemptions_at(
        actor.county_id, shop_id, span(day), _cursor(after), limit + 1
    )
    shown = await _with_lines(actor.county_id, rows[:limit])
    return shown, _more(rows, shown)


async def day_page(
    actor: Actor, shop_id: UUID, day: date, *, after: str | None, limit: int
) -> RedemptionPage:
    """The same for a terminal."""
    rows, more = await day_list(actor, shop_id, day, after=after, limit=limit)
    items = tuple(
        Listed(
            id=row.id,
            at=row.at,
            amount=row.amount,
            customer=mask(row.person_name or ""),
            hold_id=row.hold_id,
            undone_at=row.undone_at,
            lines=row.lines,
        )
        for row in rows
    )
    return RedemptionPage(items, more)


async def total(county_id: int, shop_id: UUID, day: date) -> DayTotal:
    """今日 12 笔 / 318 分, undone ones left out."""
    return await queries.day_total(county_id, shop_id, span(day))


async def recent(
    actor: Actor, now: datetime, *, after: str | None = None
) -> tuple[list[RedemptionRow], str | None]:
    """Redemptions that the actor may undo late: at the shops, or by people, of the own units.

    Of the last 31 days, a page of them, and the cursor of the next page.
    """
    codes = reach(actor, Action.UNDO_LATE)
    if not codes:
        return [], None
    days = (now - timedelta(days=RECENT_DAYS), today(now))
    rows = await queries.redemptions_near(actor.county_id, codes, days, _cursor(after), PAGE + 1)
    shown = await _with_lines(actor.county_id, rows[:PAGE])
    return shown, _more(rows, shown)


async def full(county_id: int, redemption_id: UUID) -> RedemptionRow:
    """An accepted redemption with its lines; raises NotFound."""
    row = await queries.redemption(county_id, redemption_id)
    if row is None or row.status != "accepted":
        raise NotFound
    return (await _with_lines(county_id, [row]))[0]


async def _with_lines(county_id: int, rows: Sequence[RedemptionRow]) -> list[RedemptionRow]:
    found: dict[UUID, list[ReceiptLine]] = {row.id: [] for row in rows}
    for line in await queries.lines(county_id, list(found)):
        found[line.redemption_id].append(
            ReceiptLine(line.product_id, line.name, line.measure, line.quantity, line.price)
        )
    return [msgspec.structs.replace(row, lines=tuple(found[row.id])) for row in rows]


def span(day: date) -> tuple[datetime, datetime]:
    """The instants between which a day in China lies."""
    near = min(max(day, FIRST_DAY), LAST_DAY)
    first = datetime.combine(near, time(), LOCAL_ZONE)
    return first, first + timedelta(days=1)


def _more(rows: Sequence[RedemptionRow], shown: Sequence[RedemptionRow]) -> str | None:
    """The cursor behind the last line shown, if there are more."""
    return f"{shown[-1].batch}.{shown[-1].position}" if len(rows) > len(shown) else None


def _cursor(after: str | None) -> tuple[int, int]:
    """``batch.position`` of the last line seen; raises Invalid for anything else."""
    if after is None:
        return LATEST
    if not CURSOR.fullmatch(after):
        raise Invalid("翻页参数不对，请从第一页开始。", {"after": "应为上一页给出的 next。"})
    batch, _, position = after.partition(".")
    return min(int(batch), LATEST[0]), min(int(position), LATEST[1])
