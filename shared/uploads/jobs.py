"""What happens to uploaded files by itself."""

from datetime import datetime

from shared.retention.registry import UPLOAD
from shared.scheduling.job import Job, last_slot
from shared.uploads import service


async def forget_uploads(county_id: int, _period: str, now: datetime) -> str:
    """Files that nobody accepted within a day hold personal data: forget them."""
    return f"清理上传文件 {await service.forget_old(county_id, now)} 份"


JOBS: tuple[Job, ...] = (Job(UPLOAD.job, "*/30 * * * *", last_slot(30), forget_uploads),)
