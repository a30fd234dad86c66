"""Funds: no wallet points without a resolution; what exceeds the budget waits as 待拨付.

A unit has at most one fund; a worker's points are paid by the fund of the village collective or,
where there is none, of the township or county above it. Raising a budget releases what waits, in
ledger order. The ledger writes; this module decides what to ask of it.
"""

from collections.abc import Iterable
from uuid import UUID

from points.settlement.funds import queries
from points.settlement.funds.schemas import FundRow, ResolutionRow
from shared.errors import NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor

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
    actor: Actor, *, text: str = "", waiting: bool = False, page: int = 1
) -> tuple[list[FundRow], int]:
    """Funds of the actor's units; ``waiting``: only those with awards that wait for money."""
    codes = reach(actor, Action.FUND_VIEW)
    offset = (max(page, 1) - 1) * PAGE
    rows = await queries.funds(
        actor.county_id, codes, text.strip(), (PAGE, offset), waiting=waiting
    )
    return rows, await queries.count_funds(actor.county_id, codes, text.strip(), waiting=waiting)


async def view_fund(actor: Actor, fund_id: UUID) -> tuple[FundRow, list[ResolutionRow]]:
    """A fund and its resolutions, newest first. Raises NotFound."""
    found = await queries.fund(actor.county_id, fund_id)
    if found is None:
        raise NotFound
    require(actor, Action.FUND_VIEW, Target(unit_code=found.unit_code))
    return found, await queries.resolutions(actor.county_id, fund_id)
