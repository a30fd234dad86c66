"""What settlement does by itself: on the first of a month, statements and public sheets."""

from datetime import datetime

from points.settlement import building
from points.settlement.publication import service as publication
from shared.scheduling.job import Job, months


async def _statements(county_id: int, period: str, now: datetime) -> str:
    built = await building.build(None, county_id, period, now)
    published = await publication.publish(county_id, period, now)
    return f"对账单 {built.made + built.extended} 张、{built.line_count} 笔，公开表 {published} 张"


JOBS = (Job("settlement.statements", "0 1 * * *", months(hour=1), _statements),)
