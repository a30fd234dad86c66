"""What stands on the desk's first page and above a phone's 待办, gathered from the features."""

from datetime import datetime

import msgspec

from points.mall import service as mall
from points.redemption import codes
from points.rulebook.variants import service as variants
from points.settlement import service as settlement
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import FundRow
from points.work import deductions, month
from points.work.month_queries import MonthCount
from shared.calendar import service as calendar
from shared.clock import today
from shared.identity.actor import Actor
from shared.months import month_of
from shared.roster.office import service as office
from shared.roster.office.schemas import Tally
from shared.roster.roles import Role
from shared.scheduling import runner
from shared.scheduling.queries import RunRow


class TownshipLine(msgspec.Struct, frozen=True):
    """A township's counts with its work of this month (0.1 point)."""

    tally: Tally
    pending: int
    points: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the actor besides records, in numbers."""

    objections: int
    deductions: int
    letters: int
    """Of deductions, to hand over to who has no phone."""
    months: list[int]
    """Of each village whose month is to be reviewed or sampled, the oldest first."""
    prices: int
    to_sign: int
    """Statements; none for the department, which sees all that are not signed."""
    disputes: int
    """Statements with an objection to decide."""
    awaiting: int
    """0.1 point that wait for money in all."""
    variants: int
    """What villages want to pay for items, that somebody else asked for."""
    corrections: int
    """Corrections of resolutions that somebody else asked for."""
    low: int
    """Funds with less than a tenth of their budget left."""
    untold: int
    """People who do not sign in, with points that end soon."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a day; ``points`` are 0.1 point of this month's records."""

    county: Tally
    townships: list[TownshipLine]
    month: int
    pending: int
    points: int
    waiting: list[FundRow]
    """The first of them."""
    unfunded: int
    """What of them is on no fund of ``waiting``, where those are all: 0.1 point."""
    to_sign: int
    todo: Waiting
    failures: list[RunRow]
    idle_since: datetime | None
    """No job was done since then."""
    missing_years: list[int]


async def overview(actor: Actor, now: datetime) -> Overview:
    """One look at everything within the actor's rights."""
    number = month_of(today(now))
    villages = await month.overview(actor, number)
    waiting, funds_waiting = await funds.list_funds(actor, state="waiting")
    todo = await to_do(actor, now)
    listed = sum(fund.awaiting for fund in waiting)
    county = actor.county_code
    tallies = await office.tallies(actor, county, now)
    _, unsigned = await settlement.list_statements(actor, state="built")
    return Overview(
        county=next(tally for tally in tallies if tally.code == county),
        townships=[_line(tally, villages) for tally in tallies if tally.code != county],
        month=number,
        pending=sum(row.pending for row in villages),
        points=sum(row.points for row in villages),
        waiting=waiting,
        unfunded=todo.awaiting - listed if len(waiting) == funds_waiting else 0,
        to_sign=unsigned,
        todo=todo,
        failures=await runner.failures(actor.county_id),
        idle_since=await runner.idle_since(actor.county_id, now),
        missing_years=(
            await calendar.missing(actor.county_id, today(now))
            if Role.DEPARTMENT in actor.roles
            else []
        ),
    )


async def to_do(actor: Actor, now: datetime) -> Waiting:
    """What the actor has to act on, besides records to confirm."""
    prices = await mall.waiting_prices(actor)
    corrections = await funds.corrections_waiting(actor)
    proposed = await variants.waiting(actor)
    department = Role.DEPARTMENT in actor.roles
    return Waiting(
        objections=len(await month.objections(actor)),
        deductions=len(await deductions.to_decide(actor)),
        letters=len(await deductions.to_serve(actor)),
        months=await month.waiting(actor, now),
        prices=sum(row.proposed_by != actor.person_id for row in prices),
        variants=sum(row.proposed_by != actor.person_id for row in proposed),
        to_sign=0 if department else len(await settlement.to_sign(actor)),
        disputes=len(await settlement.to_decide(actor)),
        awaiting=await funds.awaiting(actor),
        corrections=sum(row.proposed_by != actor.person_id for row in corrections),
        low=await funds.low(actor),
        untold=len(await codes.untold(actor, now)),
    )


def _line(tally: Tally, villages: list[MonthCount]) -> TownshipLine:
    own = [row for row in villages if row.village_code.startswith(tally.code)]
    return TownshipLine(tally, sum(row.pending for row in own), sum(row.points for row in own))
