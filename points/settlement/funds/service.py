"""Funds: no wallet points without a resolution; what exceeds the budget waits as 待拨付.

A unit has at most one fund; a worker's points are paid by the fund of the village collective or,
where there is none, of the township or county above it. Raising a budget releases what waits, in
ledger order. The ledger writes; this module decides what to ask of it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Code, OpenFund
from points.ledger.rules import expires_on
from points.mall import service as mall
from points.settlement import rules
from points.settlement.funds import queries
from points.settlement.funds.schemas import (
    FundRow,
    FundYear,
    ResolutionForm,
    ResolutionRow,
    Resolved,
    State,
)
from shared import settings_county
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import UnitKind

PAGE = 50
MAX_NUMBER = 60
MAX_FEN = 10**11
"""A thousand million yuan: more is a typing error."""


async def fund_for(county_id: int, village_code: str) -> UUID | None:
    """The fund that pays for workers of a village (or grid), if there is any."""
    return (await queries.funds_for(county_id, [village_code])).get(village_code)


async def funds_for(county_id: int, village_codes: Iterable[str]) -> dict[str, UUID]:
    """The same for many villages; those without a fund are absent."""
    return await queries.funds_for(county_id, sorted(set(village_codes)))


async def fund(county_id: int, fund_id: UUID) -> FundRow | None:
    """A fund with its figures."""
    return await queries.fund(county_id, fund_id)


async def list_funds(
    actor: Actor, *, text: str = "", state: State = "", page: int = 1
) -> tuple[list[FundRow], int]:
    """Funds of the actor's units, if asked only those that ``state`` names."""
    codes = reach(actor, Action.FUND_VIEW)
    offset = (max(page, 1) - 1) * PAGE
    rows = await queries.funds(actor.county_id, codes, text.strip(), state, (PAGE, offset))
    return rows, await queries.count_funds(actor.county_id, codes, text.strip(), state)


async def list_years(
    actor: Actor, year: int, *, text: str = "", state: State = "", page: int = 1
) -> list[FundYear]:
    """The same funds, in the same order, with one year's figures."""
    codes = reach(actor, Action.FUND_VIEW)
    where = (PAGE, (max(page, 1) - 1) * PAGE)
    return await queries.fund_years(actor.county_id, codes, text.strip(), state, year, where)


async def awaiting(actor: Actor) -> int:
    """Points (0.1) of the actor's units that wait for money, whether they have a fund or none."""
    return await queries.awaiting(actor.county_id, reach(actor, Action.FUND_VIEW))


async def low(actor: Actor) -> int:
    """Funds of the actor's units that will soon be used up."""
    return await queries.count_funds(actor.county_id, reach(actor, Action.FUND_VIEW), "", "low")


async def view_fund(actor: Actor, fund_id: UUID) -> tuple[FundRow, list[ResolutionRow]]:
    """A fund and its resolutions, newest first. Raises NotFound."""
    found = await queries.fund(actor.county_id, fund_id)
    if found is None:
        raise NotFound
    require(actor, Action.FUND_VIEW, Target(unit_code=found.unit_code))
    return found, await queries.resolutions(actor.county_id, fund_id)


async def resolve(
    actor: Actor | None, county_id: int, form: ResolutionForm, *, now: datetime | None = None
) -> Resolved:
    """Enter a resolution: opens the unit's fund if it has none, raises its budget, releases.

    Raises Invalid (a field), NotFound, Conflict (the number is taken, a price is not covered).
    """
    if actor:
        require(actor, Action.FUND_EDIT, Target(unit_code=form.unit_code))
    at = now or clock_now()
    checked(form, today(at))
    unit = await roster.unit_by_code(county_id, form.unit_code)
    if unit is None:
        raise Invalid("没有这个单位。", {"unit_code": "没有这个单位代码，请核对。"})
    if unit.kind == UnitKind.GRID:
        sentence = "网格没有自己的资金，请填村、乡镇或县的代码。"
        raise Invalid(sentence, {"unit_code": sentence})
    policy = (await settings_county.get(county_id)).expiry_policy
    async with DB.transaction():
        fund_id = await queries.fund_of_unit(county_id, form.unit_code)
        opening = None
        known = await alike(county_id, fund_id, form.number) if fund_id else None
        if known and known.number != form.number:
            raise Conflict(f"决议“{known.number}”已经登记过了，与这个文号是同一个，请核对。")
        if fund_id is None:
            opening = await _opening(actor, county_id, form.unit_code, unit.name, today(at))
            fund_id = opening.id
        raising = AddResolution(
            id=new_id(),
            actor_id=actor.person_id if actor else None,
            fund_id=fund_id,
            number=form.number,
            resolved_on=form.resolved_on,
            amount_fen=form.amount_fen,
            day=today(at),
            expires_on=expires_on(policy, today(at)),
        )
        await audit.record(
            actor,
            "fund.resolve",
            "fund",
            fund_id,
            county_id=county_id,
            unit_code=form.unit_code,
            after=form,
        )
        outcomes = await ledger.post(county_id, [opening, raising] if opening else [raising])
        outcome = outcomes[-1]
        if outcome.code == Code.RESOLUTION_EXISTS:
            raise Conflict(f"决议“{form.number}”已经登记过了，请核对文号。")
        if not all(item.accepted for item in outcomes):
            raise Conflict("另一个人刚刚建立了这笔资金，请刷新后再登记。")
    return Resolved(fund_id, opening is not None, outcome.amount, outcome.quantity)


async def alike(county_id: int, fund_id: UUID, number: str) -> ResolutionRow | None:
    """The fund's resolution of that number, however it was typed: it is money once."""
    key = rules.paper_key(number)
    rows = await queries.resolutions(county_id, fund_id)
    return next((row for row in rows if rules.paper_key(row.number) == key), None)


def checked(form: ResolutionForm, on: date) -> None:
    """Raises Invalid naming each wrong field."""
    problems = {}
    if not 1 <= len(form.number) <= MAX_NUMBER:
        problems["number"] = f"请填写决议文号，最多 {MAX_NUMBER} 个字。"
    if form.resolved_on > on:
        problems["resolved_on"] = "决议日期不能晚于今天。"
    if not 0 < form.amount_fen <= MAX_FEN:
        problems["amount_fen"] = "预算金额应大于 0 元，且不超过十亿元。"
    if problems:
        raise Invalid("有几处需要改正。", problems)


async def _opening(
    actor: Actor | None, county_id: int, unit_code: str, unit_name: str, on: date
) -> OpenFund:
    """A unit's first fund; it takes over what waits below, and awards of the unit itself.

    Raises Conflict while a price asks more money than the fund gives for its points.
    """
    settings = await settings_county.get(county_id)
    if name := await mall.underpaid(county_id, settings.point_value_fen, on):
        raise Conflict(f"按现在的每分参考值，“{name}”的积分价抵不上协议进价。请先改价，再立资金。")
    return OpenFund(
        id=new_id(),
        actor_id=actor.person_id if actor else None,
        unit_code=unit_code,
        name=f"{unit_name}积分资金",
        point_value_fen=settings.point_value_fen,
        covers=tuple(sorted({unit_code, *await queries.uncovered(county_id, unit_code)})),
    )
