"""What the roster does by itself."""

from datetime import datetime

from shared.retention.registry import UPLOAD
from shared.roster.intake import service
from shared.scheduling.job import Job, last_slot


async def forget_uploads(county_id: int, _period: str, now: datetime) -> str:
    """Uploaded rosters that nobody accepted within a day hold personal data: forget them."""
    return f"清理上传文件 {await service.forget_old_files(county_id, now)} 份"


JOBS: tuple[Job, ...] = (Job(UPLOAD.job, "*/30 * * * *", last_slot(30), forget_uploads),)
