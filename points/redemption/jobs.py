"""What the counter does by itself: it forgets who fetched an order, and where it was brought."""

from datetime import datetime

from points.redemption import pickups
from shared.retention.registry import PICKUP
from shared.scheduling.job import Job, last_day


async def _forget(county_id: int, _period: str, now: datetime) -> str:
    return f"清除旧预订的代取人和地址 {await pickups.forget(county_id, now)} 份"


JOBS = (Job(PICKUP.job, "45 3 * * *", last_day(3), _forget),)
