"""What identity does by itself: forget what nobody needs any more."""

from datetime import datetime

from shared.identity import accounts
from shared.scheduling.job import Job, last_day


async def purge(county_id: int, _period: str, now: datetime) -> str:
    """Ended sessions, spent and expired slips, and devices that were not seen for long."""
    gone = await accounts.forget_old(county_id, now)
    return f"{gone.sessions} sessions, {gone.slips} slips, {gone.devices} devices"


JOBS: tuple[Job, ...] = (Job("identity.purge", "40 3 * * *", last_day(3), purge),)
