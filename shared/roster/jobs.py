"""What the roster does by itself."""

from datetime import datetime

from shared.roster.intake import service
from shared.scheduling.job import Job, last_slot


async def forget_uploads(county_id: int, _period: str, now: datetime) -> str:
    """Uploaded rosters that nobody accepted within a day hold personal data: forget them."""
    return f"{await service.forget_old_files(county_id, now)} files"


JOBS: tuple[Job, ...] = (
    Job("roster.forget_uploads", "*/30 * * * *", last_slot(30), forget_uploads),
)
