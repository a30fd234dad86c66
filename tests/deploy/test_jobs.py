"""All jobs of the product together, driven through a turn of the year with an injected clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger

from deploy.jobs import jobs
from shared.clock import LOCAL_ZONE
from shared.database import DB
from shared.scheduling import leader, runner
from shared.scheduling.words import NAMES
from tests.factories import COUNTY
from tests.points.settlement.world import earn, redeem, world

JOBS = jobs(Path("nowhere"))
START = datetime(2026, 12, 27, 20, 0, tzinfo=UTC)  # four in the morning in China


def test_every_job_has_its_own_names_and_a_time() -> None:
    runner.check(JOBS)
    assert NAMES.keys() == {job.name for job in JOBS}
    assert len(set(NAMES.values())) == len(NAMES)
    for job in JOBS:
        CronTrigger.from_crontab(job.trigger, timezone=LOCAL_ZONE)
        assert job.periods(START, COUNTY), job.name
    assert len(leader.build(JOBS, lambda: START, set()).get_jobs()) == len(JOBS)


async def test_nothing_fails_through_a_turn_of_the_year(rollback: None) -> None:
    """Every job of every day is done once, with nights missed; nothing fails."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000, expires=2026)
    await redeem(made, START - timedelta(days=20), soap=2)
    for day in (0, 1, 4, 5, 6):
        for job in JOBS:
            await runner.run_due(job, START + timedelta(days=day))
    assert await runner.failures(COUNTY) == []
    ran = await DB.fetch("SELECT DISTINCT job FROM shared.job_run WHERE county_id = $1", COUNTY)
    assert {row["job"] for row in ran} == {job.name for job in JOBS}
    assert await DB.fetchval(
        "SELECT count(*) FROM points.statement WHERE county_id = $1 AND month = '2026-12'", COUNTY
    )
    assert (
        await DB.fetchval("SELECT sum(remaining) FROM points.lot WHERE county_id = $1", COUNTY) == 0
    )
