"""The monthly publication: what a fund issued, what was redeemed, what stands on the shelves.

Built by the job after the statements of the month, once; what was published never changes. A sheet
made late, after an outage say, has the balances and shelves of the month's end all the same.
"""

from datetime import UTC, datetime
from uuid import UUID

from points.settlement import rules
from points.settlement.funds import service as funds
from points.settlement.publication import queries
from points.settlement.publication.schemas import Figures, PublicationRow
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, NotFound
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.months import month_cn

NOW = datetime(9999, 1, 1, tzinfo=UTC)
"""Nothing has happened since."""


async def publish(county_id: int, month: str, now: datetime) -> int:
    """Build the sheets of a month that is over; answers how many are new."""
    if rules.month_end(rules.checked_month(month)) > now:
        raise Conflict(f"{month_cn(month)}还没有结束，不能出公开表。")
    made = 0
    window = (rules.month_start(month), rules.month_end(month))
    for fund_id, existed in await queries.fund_ids(county_id, window[1], month):
        until = window[1] if existed else NOW
        fund = await funds.fund(county_id, fund_id)
        then = await queries.balances(county_id, fund_id, until)
        if fund is None or then is None:
            continue
        moved = await queries.moved(county_id, fund_id, *window)
        spent = await queries.spent(county_id, fund_id, month)
        figures = Figures(
            budget_fen=then.budget_fen,
            left_fen=then.budget_fen - then.used * fund.point_value_fen // 10,
            issued=moved.issued,
            reversed=moved.reversed,
            expired=moved.expired,
            redeemed=spent.redeemed,
            undone=spent.undone,
            outstanding=then.outstanding,
            awaiting=then.awaiting,
            workers=spent.workers,
            payable_fen=await queries.payable(county_id, fund_id, month),
            stock=tuple(await queries.stock(county_id, fund.unit_code, fund_id, month, until)),
            corrections=tuple(await queries.corrected(county_id, fund_id, *window)),
            month_end=existed,
        )
        made += await _store(county_id, fund_id, month, now, (fund.unit_code, fund.name), figures)
    return made


async def view(actor: Actor, publication_id: UUID) -> PublicationRow:
    """One sheet. Raises NotFound."""
    found = await queries.publication(actor.county_id, publication_id)
    if found is None:
        raise NotFound
    require(actor, Action.FUND_VIEW, Target(unit_code=found.unit_code))
    return found


async def of_fund(actor: Actor, fund_id: UUID) -> list[PublicationRow]:
    """The sheets of a fund, newest first. Raises NotFound."""
    fund, _ = await funds.view_fund(actor, fund_id)
    return await queries.of_fund(actor.county_id, fund.id)


async def _store(
    county_id: int,
    fund_id: UUID,
    month: str,
    at: datetime,
    owner: tuple[str, str],
    figures: Figures,
) -> bool:
    publication_id = new_id()
    async with DB.transaction():
        row = (fund_id, month, today(at), *owner)
        is_new = await queries.insert(county_id, publication_id, row, figures)
        if is_new:
            await audit.record(
                None,
                "publication.build",
                "publication",
                publication_id,
                county_id=county_id,
                unit_code=owner[0],
                after={"month": month, "issued": figures.issued, "redeemed": figures.redeemed},
            )
    return is_new
