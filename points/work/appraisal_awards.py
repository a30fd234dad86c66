"""Awards that a closed appraisal has earned somebody (年度优秀 +30), posted once each.

What is due is read from the contract view ``appraisal.award_due``. The award's id follows from
county, cycle, person and name of the award, so that a run after a run posts nothing twice; the
ledger keeps it by that id for ever. Caps are for work and do not apply; the county's fund pays.
"""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from points.errors import LedgerRefused
from points.ledger import service as ledger
from points.ledger.items import Award, Code
from points.ledger.rules import last_day
from points.settlement.funds import service as funds
from points.work import award_queries as queries
from points.work.award_queries import Due
from shared import settings_county
from shared.clock import today
from shared.database import DB
from shared.roster.rules import county_code

CODE = "AWARD-01"


async def post_due(county_id: int, now: datetime) -> tuple[int, int]:
    """Post what is due and not posted: how many people, how much (0.1 point).

    Raises LedgerRefused.
    """
    async with DB.transaction():
        found = await queries.due(county_id)
        wanted = {award_id(county_id, due): due for due in found}
        posted = await queries.posted(county_id, list(wanted))
        open_ = {key: due for key, due in wanted.items() if key not in posted}
        if not open_:
            return 0, 0
        county = county_code(county_id)
        fund_id = (await funds.funds_for(county_id, [county])).get(county)
        policy = (await settings_county.get(county_id)).expiry_policy
        items = [
            Award(
                id=key,
                authority="appraisal.award_due",
                person_id=due.person_id,
                code=CODE,
                merit=due.amount,
                wallet=due.amount,
                fund_id=fund_id,
                unit_code=county,
                day=due.closed_on,
                expires_on=last_day(policy, due.closed_on, today(now)),
                memo=f"{due.title}优秀奖励",
            )
            for key, due in open_.items()
        ]
        for outcome in await ledger.post(county_id, items, now):
            if outcome.code != Code.ACCEPTED:
                raise LedgerRefused(str(outcome.code))
    return len(open_), sum(due.amount for due in open_.values())


def award_id(county_id: int, due: Due) -> UUID:
    """The same award has the same id, whoever computes it and whenever."""
    name = f"gridmerit:award:{county_id}:{due.cycle_id}:{due.person_id}:{due.award}"
    return uuid5(NAMESPACE_URL, name)
