"""What stands on the desk's first page, gathered from the features."""

from datetime import datetime

import msgspec

from points.settlement import service as settlement
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import FundRow
from points.work import deductions, month
from points.work.month_queries import MonthCount
from points.work.rules import month_of
from shared.calendar import service as calendar
from shared.clock import today
from shared.identity.actor import Actor
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


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a day; ``points`` are 0.1 point of this month's records."""

    county: Tally
    townships: list[TownshipLine]
    month: int
    pending: int
    points: int
    waiting: list[FundRow]
    """The first of them."""
    awaiting: int
    """0.1 point that wait for money in all."""
    unfunded: int
    """What of them is on no fund of ``waiting``, where those are all: 0.1 point."""
    to_sign: int
    deductions: int
    failures: list[RunRow]
    missing_years: list[int]


async def overview(actor: Actor, now: datetime) -> Overview:
    """One look at everything within the actor's rights."""
    number = month_of(today(now))
    villages = await month.overview(actor, number)
    waiting, funds_waiting = await funds.list_funds(actor, waiting=True)
    awaiting = await funds.awaiting(actor)
    listed = sum(fund.awaiting for fund in waiting)
    county = f"{actor.county_id:06d}"
    tallies = await office.tallies(actor, county, now)
    _, unsigned = await settlement.list_statements(actor, state="built")
    return Overview(
        county=next(tally for tally in tallies if tally.code == county),
        townships=[_line(tally, villages) for tally in tallies if tally.code != county],
        month=number,
        pending=sum(row.pending for row in villages),
        points=sum(row.points for row in villages),
        waiting=waiting,
        awaiting=awaiting,
        unfunded=awaiting - listed if len(waiting) == funds_waiting else 0,
        to_sign=unsigned,
        deductions=len(await deductions.to_decide(actor)),
        failures=await runner.failures(actor.county_id),
        missing_years=(
            await calendar.missing(actor.county_id, today(now))
            if Role.DEPARTMENT in actor.roles
            else []
        ),
    )


def _line(tally: Tally, villages: list[MonthCount]) -> TownshipLine:
    own = [row for row in villages if row.village_code.startswith(tally.code)]
    return TownshipLine(tally, sum(row.pending for row in own), sum(row.points for row in own))
