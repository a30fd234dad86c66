"""What the scheduler does for itself."""

from datetime import datetime

from shared.scheduling import runner
from shared.scheduling.job import Job, last_day


async def _forget(county_id: int, _period: str, now: datetime) -> str:
    return f"清理 {await runner.forget_sweeps(county_id, now)} 条"


JOBS = (Job("scheduling.forget", "50 3 * * *", last_day(3), _forget),)
"""Runs of sweeps are kept for a week; daily and monthly ones stay, they are evidence."""
