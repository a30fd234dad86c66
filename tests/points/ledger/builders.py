"""Items with defaults, so that a test states only what it is about."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from points.ledger import service
from points.ledger.items import (
    AddResolution,
    Award,
    CorrectResolution,
    Deduct,
    ExpireLots,
    Hold,
    Item,
    Line,
    OpenFund,
    Outcome,
    PostHold,
    Redeem,
    Reverse,
    StockMove,
    Undo,
    VoidHold,
)
from points.ledger.verifier import service as verifier
from shared.audit import service as audit
from shared.database import DB
from shared.ids import new_id

COUNTY = 421222
VILLAGE = "421222100001"
CLERK = new_id()
"""Who does everything here."""
NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
YEAR_END = date(2027, 12, 31)


async def fund(points: int = 1_000_000, *, code: str = VILLAGE, county: int = COUNTY) -> UUID:
    """A fund whose first resolution covers ``points`` (0.1)."""
    fund_id = new_id()
    opened = OpenFund(
        id=fund_id, unit_code=code, name="村集体", point_value_fen=100, covers=(code,)
    )
    assert (await service.post_one(county, opened, NOW)).accepted
    if points:
        assert (await service.post_one(county, resolution(fund_id, points), NOW)).accepted
    return fund_id


def resolution(fund_id: UUID, points: int, number: str = "决议〔2026〕1号") -> AddResolution:
    """A resolution worth ``points`` (0.1) at one yuan a point."""
    return AddResolution(
        id=new_id(),
        fund_id=fund_id,
        number=number,
        resolved_on=TODAY,
        amount_fen=points * 10,
        day=TODAY,
        expires_on=YEAR_END,
    )


def correction(wrong: AddResolution, points: int, was: int) -> CorrectResolution:
    """A resolution that stands at ``was`` (0.1 point) is worth ``points``."""
    return CorrectResolution(
        id=new_id(),
        resolution_id=wrong.id,
        was_fen=was * 10,
        amount_fen=points * 10,
        day=TODAY,
        expires_on=YEAR_END,
    )


def award(
    person: UUID,
    fund_id: UUID | None,
    points: int = 100,
    *,
    expires_on: date | None = YEAR_END,
    day: date = TODAY,
    id: UUID | None = None,  # noqa: A002  the item's own name
) -> Award:
    """An award of ``points`` (0.1) of merit and wallet."""
    return Award(
        id=id or new_id(),
        person_id=person,
        code="SVC-01",
        merit=points,
        wallet=points,
        fund_id=fund_id,
        unit_code=VILLAGE,
        day=day,
        expires_on=expires_on,
    )


def deduct(person: UUID, points: int = 20) -> Deduct:
    """A deduction."""
    return Deduct(id=new_id(), person_id=person, code="PEN-01", amount=points, day=TODAY)


def restock(shop: UUID, product: UUID, quantity: int = 100) -> StockMove:
    """Pieces in."""
    return StockMove(
        id=new_id(), shop_id=shop, product_id=product, move="in", quantity=quantity, at=NOW
    )


def line(product: UUID, quantity: int = 1, price: int = 10, limit: int | None = None) -> Line:
    """A line; price in 0.1 point a piece."""
    return Line(product_id=product, quantity=quantity, price=price, cost_fen=price * 8, limit=limit)


def redeem(
    person: UUID | None,
    shop: UUID,
    *lines: Line,
    id: UUID | None = None,  # noqa: A002  the item's own name
    code_hash: bytes | None = None,
    at: datetime = NOW,
    month_limit: int | None = None,
) -> Redeem:
    """A redemption by card, or by code if there is a hash."""
    return Redeem(
        id=id or new_id(),
        shop_id=shop,
        lines=lines,
        means="token" if code_hash else "card",
        code_hash=code_hash,
        person_id=None if code_hash else person,
        at=at,
        month_limit=month_limit,
        actor_id=CLERK,
        authority="shopkeeper@421222100001",
    )


def hold(
    person: UUID,
    shop: UUID,
    *lines: Line,
    id: UUID | None = None,  # noqa: A002  the item's own name
    at: datetime = NOW,
    days: int = 7,
    month_limit: int | None = None,
) -> Hold:
    """A hold by card."""
    return Hold(
        id=id or new_id(),
        shop_id=shop,
        lines=lines,
        means="card",
        person_id=person,
        at=at,
        month_limit=month_limit,
        expires_at=at + timedelta(days=days),
        actor_id=CLERK,
        authority="shopkeeper@421222100001",
    )


def post_hold(held: Hold, *, at: datetime = NOW, shop: UUID | None = None) -> PostHold:
    """The whole hold is handed over."""
    return PostHold(
        id=held.id,
        hold_id=held.id,
        shop_id=shop or held.shop_id,
        at=at,
        actor_id=CLERK,
        authority="shopkeeper@421222100001",
    )


def void_hold(held: Hold) -> VoidHold:
    """The hold is given up."""
    return VoidHold(id=new_id(), hold_id=held.id, shop_id=held.shop_id)


def undo(redeemed: Redeem) -> Undo:
    """The redemption is taken back by its shop."""
    return Undo(id=new_id(), redemption_id=redeemed.id, shop_id=redeemed.shop_id, memo="拿错了商品")


def reverse(awarded: Award | Deduct, amount: int | None = None) -> Reverse:
    """The award or deduction is taken back."""
    return Reverse(id=new_id(), award_id=awarded.id, amount=amount, day=TODAY)


async def one(item: Item, now: datetime = NOW) -> Outcome:
    """Post one item."""
    return await service.post_one(COUNTY, item, now)


async def code(item: Item) -> str:
    """Post one item and say how it went."""
    return (await one(item)).code


async def sound() -> None:
    """Every invariant holds."""
    verdict = await verifier.verify(COUNTY)
    assert not verdict.findings, verdict.findings


def expire_lots(on: date, *, limit: int = 500) -> ExpireLots:
    """A sweep."""
    return ExpireLots(id=new_id(), on=on, limit=limit)


async def appeal(person: UUID) -> UUID:
    """The person appeals against a deduction: from now on none of their points end."""
    await DB.execute(
        "INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials,"
        " phone_cipher, phone_hmac, phone_last4, employment_type, full_time, created_at)"
        " VALUES ($1, $2, '张三', 'zhangsan', 'zs', '', uuid_send($2), '0000', 'volunteer', false,"
        " $3) ON CONFLICT DO NOTHING",
        COUNTY, person, NOW,
    )  # fmt: skip
    deduction_id = new_id()
    await DB.execute(
        "INSERT INTO points.deduction (county_id, id, worker_id, village_code, code, title, amount,"
        " facts, evidence, happened_on, state, proposed_by, proposed_at, answer_due_on)"
        " VALUES ($1, $2, $3, $4, 'PEN-01', '', 20, '', '', $5, 'appealed', $6, $7, $5)",
        COUNTY, deduction_id, person, VILLAGE, TODAY, CLERK, NOW,
    )  # fmt: skip
    await audit.record(None, "deduct.appeal", "deduction", deduction_id, county_id=COUNTY)
    return deduction_id


async def answer(deduction_id: UUID) -> None:
    """The appeal is decided for the person."""
    await DB.execute(
        "UPDATE points.deduction SET state = 'annulled' WHERE county_id = $1 AND id = $2",
        COUNTY, deduction_id,
    )  # fmt: skip
