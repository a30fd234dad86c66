"""Funds: no wallet points without a resolution; what exceeds the budget waits as 待拨付.

A unit has at most one fund; a worker's points are paid by the fund of the village collective or,
where there is none, of the township or county above it. Raising a budget releases what waits, in
ledger order. The ledger writes; this module decides what to ask of it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Code, CorrectResolution, OpenFund
from points.ledger.rules import expires_on
from points.mall import service as mall
from points.settlement import rules
from points.settlement.funds import queries
from points.settlement.funds.schemas import (
    CorrectionForm,
    CorrectionRow,
    FundRow,
    FundYear,
    ResolutionForm,
    ResolutionRow,
    Resolved,
    State,
)
from shared import settings_county
from shared.audit import service as audit
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
UNCORRECTED = {
    Code.RESOLUTION_CHANGED: "这条决议后来又更正过，不再是这里写的金额。请不同意这一份，重新提出。",
    Code.BUDGET_ISSUED: "已发放的积分超过更正后的预算，不能更正到这么少，请不同意这一份。",
}


async def fund_for(county_id: int, village_code: str) -> UUID | None:
    """The fund that pays for workers of a village (or grid), if there is any."""
    return (await queries.funds_for(county_id, [village_code])).get(village_code)


async def funds_for(county_id: int, village_codes: Iterable[str]) -> dict[str, UUID]:
    """The same for many villages; those without a fund are absent."""
    return await queries.funds_for(county_id, sorted(set(village_codes)))


async def has_own(county_id: int, unit_code: str) -> bool:
    """Whether a unit pays from money of its own, not from that of a unit above it."""
    return await queries.fund_of_unit(county_id, unit_code) is not None


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
    actor: Actor | None, county_id: int, form: ResolutionForm, now: datetime
) -> Resolved:
    """Enter a resolution: opens the unit's fund if it has none, raises its budget, releases.

    Raises Invalid (a field), NotFound, Conflict (the number is taken, a price is not covered).
    """
    if actor:
        require(actor, Action.FUND_EDIT, Target(unit_code=form.unit_code))
    checked(form, today(now))
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
            opening = await _opening(actor, county_id, form.unit_code, unit.name, today(now))
            fund_id = opening.id
        raising = AddResolution(
            id=new_id(),
            actor_id=actor.person_id if actor else None,
            fund_id=fund_id,
            number=form.number,
            resolved_on=form.resolved_on,
            amount_fen=form.amount_fen,
            day=today(now),
            expires_on=expires_on(policy, today(now)),
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
            raise Conflict(
                f"决议“{form.number}”已经登记过了，请核对文号；金额登记错了的，在资金页更正。"
            )
        if not all(item.accepted for item in outcomes):
            raise Conflict("另一个人刚刚建立了这笔资金，请刷新后再登记。")
    return Resolved(fund_id, opening is not None, outcome.amount, outcome.quantity)


async def corrections(actor: Actor, fund_id: UUID) -> list[CorrectionRow]:
    """What was or is to be corrected in a fund's resolutions, newest first. Raises NotFound."""
    await view_fund(actor, fund_id)
    return await queries.corrections(actor.county_id, fund_id)


async def corrections_waiting(actor: Actor) -> list[CorrectionRow]:
    """Those of the actor's units that somebody has yet to decide."""
    return await queries.corrections_waiting(actor.county_id, reach(actor, Action.FUND_EDIT))


async def propose_correction(
    actor: Actor, fund_id: UUID, form: CorrectionForm, now: datetime
) -> None:
    """Ask for another amount of a mistyped resolution. A signed paper is not rewritten: both stay.

    Raises NotFound, Invalid (a field), Conflict while another correction of it waits.
    """
    found, known = await view_fund(actor, fund_id)
    require(actor, Action.FUND_EDIT, Target(unit_code=found.unit_code))
    wrong = next((row for row in known if row.id == form.resolution_id), None)
    if wrong is None:
        raise Invalid("请选择决议。", {"resolution_id": "请从列表中选择。"})
    least = max(wrong.stands_fen - found.left_fen, 0)
    if not least <= form.amount_fen <= MAX_FEN:
        sentence = f"应在 {least / 100:.2f} 元（已发放的积分要有预算）到十亿元之间。"
        raise Invalid("有几处需要改正。", {"amount_fen": sentence})
    if form.amount_fen == wrong.stands_fen:
        raise Invalid("有几处需要改正。", {"amount_fen": "和现在的金额一样，不用更正。"})
    correction_id, at = new_id(), now
    async with DB.transaction():
        if not await queries.insert_correction(
            actor.county_id, correction_id, form, wrong.stands_fen, at, actor.person_id
        ):
            raise Conflict("这条决议已有一份更正在等批准，请先办完那一份。")
        await audit.record(
            actor,
            "fund.correct",
            "correction",
            correction_id,
            county_id=actor.county_id,
            unit_code=found.unit_code,
            before={"number": wrong.number, "amount_fen": wrong.stands_fen},
            after={"number": wrong.number, "amount_fen": form.amount_fen},
            reason=form.reason,
        )


async def decide_correction(
    actor: Actor,
    fund_id: UUID,
    correction_id: UUID,
    *,
    approve: bool,
    note: str = "",
    now: datetime,
) -> None:
    """Approve or refuse a correction, by somebody other than who asked for it.

    Raises NotFound, Forbidden, Invalid, Conflict (it is decided, or the ledger does not take it).
    """
    row = await queries.correction(actor.county_id, fund_id, correction_id)
    if row is None:
        raise NotFound
    require(actor, Action.FUND_EDIT, Target(unit_code=row.unit_code, maker=row.proposed_by))
    if not approve and not note:
        raise Invalid("请写明不同意的原因。", {"note": "请写明不同意的原因。"})
    policy = (await settings_county.get(actor.county_id)).expiry_policy
    state = "approved" if approve else "refused"
    async with DB.transaction():
        if not await queries.decide_correction(
            actor.county_id, row.id, state, now, actor.person_id, note
        ):
            raise Conflict("这份更正已经有人办过了，请刷新查看结果。")
        await audit.record(
            actor,
            f"fund.correction_{state}",
            "correction",
            row.id,
            county_id=actor.county_id,
            unit_code=row.unit_code,
            before={"number": row.number, "amount_fen": row.was_fen},
            after={"number": row.number, "amount_fen": row.amount_fen},
            reason=note or row.reason,
        )
        if approve:
            item = CorrectResolution(
                id=row.id,
                actor_id=actor.person_id,
                resolution_id=row.resolution_id,
                was_fen=row.was_fen,
                amount_fen=row.amount_fen,
                day=today(now),
                expires_on=expires_on(policy, today(now)),
            )
            outcome = await ledger.post_one(actor.county_id, item)
            if not outcome.accepted:
                raise Conflict(UNCORRECTED[Code(outcome.code)])


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
