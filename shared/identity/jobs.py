"""What identity does by itself: forget what nobody needs any more."""

from datetime import datetime

from shared.identity import accounts
from shared.retention.registry import SIGN_IN
from shared.scheduling.job import Job, last_day


async def purge(county_id: int, _period: str, now: datetime) -> str:
    """Ended sessions, spent and expired slips, and devices that were not seen for long."""
    gone = await accounts.forget_old(county_id, now)
    return f"清理登录 {gone.sessions} 次、激活条 {gone.slips} 张、设备 {gone.devices} 台"


JOBS: tuple[Job, ...] = (Job(SIGN_IN.job, "40 3 * * *", last_day(3), purge),)
