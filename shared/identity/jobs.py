"""What identity does by itself: forget what nobody needs any more."""

from datetime import datetime, timedelta

from shared.database import DB
from shared.identity import queries
from shared.scheduling.job import Job, last_day

LOGS_KEPT = timedelta(days=200)
"""Network logs are kept six months by law; who signed in when is part of them."""
DEVICES_KEPT = timedelta(days=400)
"""As long as the browser keeps the cookie."""


async def purge(county_id: int, _period: str, now: datetime) -> str:
    """Ended sessions, spent and expired slips, and devices that were not seen for long."""
    async with DB.transaction():
        sessions = await queries.purge_sessions(county_id, now - LOGS_KEPT)
        slips = await queries.purge_slips(county_id, now - LOGS_KEPT)
        devices = await queries.purge_devices(county_id, now - DEVICES_KEPT)
    return f"{sessions} sessions, {slips} slips, {devices} devices"


JOBS: tuple[Job, ...] = (Job("identity.purge", "40 3 * * *", last_day(3), purge),)
