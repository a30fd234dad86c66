"""People who left are erased at night; what a service still has to settle with them holds it back.

Shared knows neither service, so the composition root hands their answers in.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.retention import service
from shared.retention.registry import PERSON
from shared.retention.service import Hold
from shared.scheduling.job import Job, last_day


def people(holds: Sequence[Hold]) -> Job:
    """The job, told whom to ask before somebody is erased."""

    async def run(county_id: int, _period: str, now: datetime) -> str:
        return f"清除离任人员信息 {await service.erase_people(county_id, now, holds)} 人"

    return Job(PERSON.job, "35 3 * * *", last_day(3), run)
