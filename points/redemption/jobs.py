"""What the counter does by itself: give uncollected orders back, forget lapsed codes."""

from datetime import datetime

from points.ledger import service as ledger
from shared.scheduling.job import Job, last_day, last_slot

SLOT = 15
"""Minutes: how late an uncollected order may be given back."""


async def expire_holds(county_id: int, _period: str, now: datetime) -> str:
    """Void what was not collected in time: points to their lots, pieces to the shelf."""
    return f"过期退回预订 {await ledger.expire_holds(county_id, now)} 份"


async def purge_codes(county_id: int, _period: str, now: datetime) -> str:
    """Codes that lapsed days ago; until then they can be told from unknown ones."""
    return f"清理过期兑换码 {await ledger.purge_codes(county_id, now)} 个"


JOBS: tuple[Job, ...] = (
    Job("redemption.expire_holds", f"*/{SLOT} * * * *", last_slot(SLOT), expire_holds),
    Job("redemption.purge_codes", "20 3 * * *", last_day(3), purge_codes),
)
