import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.database import DB
from shared.errors import Conflict
from shared.scheduling import job as periods
from shared.scheduling import leader, runner
from shared.scheduling.job import Job
from tests.conftest import as_owner

COUNTY = 990001
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def county() -> None:
    await DB.execute(
        "INSERT INTO shared.county (id, name, settings) VALUES ($1, '某县', '{}')", COUNTY
    )


class Book:
    """A job's effects; ``broken`` makes it fail."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.broken = False
        self.first = asyncio.Event()

    async def run(self, _county_id: int, period: str, _now: datetime) -> str:
        if self.broken:
            raise Conflict("现在不行。")
        self.runs.append(period)
        self.first.set()
        return "记一笔"

    def job(self, due: periods.Periods, name: str = "test.job") -> Job:
        return Job(name, "*/10 * * * *", due, self.run)


async def test_a_year_does_each_period_once(rollback: None, county: None) -> None:
    """Looked at every six hours for a year, with nights missed and looks doubled."""
    daily, monthly = Book(), Book()
    jobs = [daily.job(periods.days(back=20), "test.daily"), monthly.job(periods.months(), "test.m")]
    for step in range(4 * 365):
        now = START + timedelta(hours=6 * step)
        if now.day in (10, 11, 12, 13):
            continue  # the machine was off
        for job in jobs:
            await runner.run_due(job, now)
            await runner.run_due(job, now)
    assert len(daily.runs) == len(set(daily.runs)) == 366 + 20
    assert daily.runs == sorted(daily.runs)
    assert monthly.runs[-1] == "2026-12"
    assert len(monthly.runs) == len(set(monthly.runs)) == 12 + periods.MONTHS_BACK


async def test_failure_is_shown_and_made_up_for(rollback: None, county: None) -> None:
    book = Book()
    job = book.job(periods.days(back=3))
    book.broken = True
    assert await runner.run_due(job, START) == 0
    (failure,) = await runner.failures(COUNTY)
    assert (failure.period, failure.detail) == ("2025-12-29", "现在不行。")
    book.broken = False
    assert await runner.run_due(job, START) == 4
    assert await runner.failures(COUNTY) == []
    assert [run.detail for run in await runner.latest(COUNTY)] == ["记一笔"]


@pytest.mark.parametrize("due", [periods.last_day(), periods.last_slot(10)])
async def test_a_sweep_that_runs_again_is_no_failure(
    rollback: None, county: None, due: periods.Periods
) -> None:
    """The latest run makes up for the one that failed, whose period never comes again."""
    book = Book()
    job = book.job(due)
    book.broken = True
    assert await runner.run_due(job, START) == 0
    assert len(await runner.failures(COUNTY)) == 1
    book.broken = False
    assert await runner.run_due(book.job(due, "test.other"), START + timedelta(days=1)) == 1
    assert len(await runner.failures(COUNTY)) == 1
    assert await runner.run_due(job, START + timedelta(days=1)) == 1
    assert await runner.failures(COUNTY) == []
    book.broken = True
    assert await runner.run_due(job, START + timedelta(days=2)) == 0
    assert len(await runner.failures(COUNTY)) == 1


async def test_a_sweep_that_fails_all_night_is_one_alarm(rollback: None, county: None) -> None:
    """Its newest; the job whose alarm is rarer, and worse, stays in sight."""
    book, sweep = Book(), Book()
    book.broken = sweep.broken = True
    await runner.run_due(book.job(periods.last_day(), "test.books"), START)
    for slot in range(30):
        due = sweep.job(periods.last_slot(5), "test.sweep")
        await runner.run_due(due, START + timedelta(minutes=5 * slot))
    alarms = {run.job: run.period for run in await runner.failures(COUNTY)}
    assert alarms == {"test.books": "2026-01-01", "test.sweep": "2026-01-01T10:25"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Conflict("现在不行。"), "现在不行。"),
        (ConnectionResetError("reset"), "数据库中途断开，到下次时间会自动再做。"),
        (asyncpg.LockNotAvailableError("canceling"), "数据库正忙（也许正在备份），"),
        (KeyError("张三"), "程序出错（KeyError），"),
        (asyncpg.CheckViolationError("row"), "程序出错（CheckViolationError），"),
    ],
)
async def test_why_a_job_failed_is_a_sentence(
    rollback: None, county: None, error: Exception, said: str
) -> None:
    """For the desk, which is no place for what was in the row."""

    async def run(_county_id: int, _period: str, _now: datetime) -> str:
        raise error

    await runner.run_due(Job("test.job", "0 0 * * *", periods.last_day(), run), START)
    (failure,) = await runner.failures(COUNTY)
    assert failure.detail.startswith(said)
    assert "张三" not in failure.detail


async def test_jobs_that_nobody_runs_are_noticed(rollback: None, county: None) -> None:
    """Nothing fails then; a county that is new has had none yet."""
    assert await runner.idle_since(COUNTY, START) is None
    await runner.run_due(Book().job(periods.last_slot(5)), START)
    assert await runner.idle_since(COUNTY, START + timedelta(hours=23)) is None
    assert await runner.idle_since(COUNTY, START + timedelta(hours=25)) == START


async def test_two_schedulers_do_a_period_once(committed: None, county: None) -> None:
    book = Book()
    begun, slow = asyncio.Event(), asyncio.Event()

    async def run(county_id: int, period: str, now: datetime) -> str:
        begun.set()
        await slow.wait()
        return await book.run(county_id, period, now)

    job = Job("test.slow", "* * * * *", periods.last_day(), run)
    first = asyncio.create_task(runner.run_due(job, START))
    await begun.wait()
    assert await runner.run_due(job, START) == 0
    slow.set()
    assert await first == 1
    assert await runner.run_due(job, START) == 0
    assert len(book.runs) == 1


async def test_a_period_left_running_by_a_dead_process_is_taken_up(
    rollback: None, county: None
) -> None:
    book = Book()
    await DB.execute(
        "INSERT INTO shared.job_run (county_id, id, job, period, status, started_at, detail)"
        " VALUES ($1, gen_random_uuid(), 'test.job', '2026-01-01', 'running', $2, '')",
        COUNTY,
        START,
    )
    assert await runner.run_due(book.job(periods.last_day()), START) == 1


async def test_one_leader_and_takeover(committed: None, county: None) -> None:
    """The second process waits for the lock and leads as soon as the first is gone."""
    book = Book()
    jobs = [book.job(periods.last_day())]
    events = [asyncio.Event(), asyncio.Event()]
    tasks = [
        asyncio.create_task(leader.lead(jobs, lambda: START, look_again=0.05, elected=event))
        for event in events
    ]
    async with asyncio.timeout(30):
        await asyncio.wait(
            [asyncio.ensure_future(e.wait()) for e in events], return_when="FIRST_COMPLETED"
        )
        leading = 0 if events[0].is_set() else 1
        assert not events[1 - leading].is_set()
        await book.first.wait()
        tasks[leading].cancel()
        await events[1 - leading].wait()
    tasks[1 - leading].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert book.runs == ["2026-01-01"]


async def test_leader_that_loses_its_connection_stops(committed: None, county: None) -> None:
    book = Book()
    elected = asyncio.Event()
    task = asyncio.create_task(
        leader.lead([book.job(periods.last_day())], lambda: START, look_again=0.05, elected=elected)
    )
    async with asyncio.timeout(30):
        await elected.wait()
        elected.clear()
        async with as_owner():
            await DB.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND objid = $1 AND pid <> pg_backend_pid()",
                leader.LOCK,
            )
        await elected.wait()  # elected anew on a new connection
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_stop_ends_what_runs_and_calls_it_no_failure(
    committed: None, county: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The leader is gone only when its looks are: they hold connections and a period's lock."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long(_county_id: int, _period: str, _now: datetime) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await DB.fetchval("SELECT 1")  # some way to go even now
            ended.set()
        return ""

    job = Job("test.long", "*/10 * * * *", periods.last_day(), long)
    with capture_logs() as said:
        task = asyncio.create_task(leader.lead([job], lambda: START))
        async with asyncio.timeout(30):
            await begun.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert ended.is_set()
    assert [line["event"] for line in said] == ["scheduler leads", "scheduler stops leading"]
    assert caplog.records == []


def test_jobs_of_one_name_are_refused() -> None:
    book = Book()
    with pytest.raises(ValueError, match=r"test\.job"):
        runner.check([book.job(periods.last_day()), book.job(periods.last_day())])


BROKEN = """
import asyncio
from apscheduler.events import EVENT_JOB_ERROR
from shared.clock import now
from shared.database import DB
from shared.scheduling import leader
from shared.scheduling.job import Job, last_day
from shared.web import logging

async def main():
    logging.configure("json")
    DB.configure("postgresql://nobody@127.0.0.1:1/nothing")
    failed = asyncio.Event()
    scheduler = leader.build([Job("test.broken", "0 3 * * *", last_day(), None)], now, set())
    scheduler.add_listener(lambda _: failed.set(), EVENT_JOB_ERROR)
    scheduler.start()
    await failed.wait()
    scheduler.shutdown()

asyncio.run(main())
"""


def test_a_look_that_failed_is_told_once() -> None:
    """While the database is away, say: with the job's name, and from where it failed."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=True, timeout=120
    )
    [line] = done.stdout.splitlines()
    said = json.loads(line)
    assert (said["event"], said["job"]) == ("scheduled look failed", "test.broken")
    assert "Traceback" in said["exception"]
    assert done.stderr == ""
