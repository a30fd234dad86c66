"""Work under real concurrency, with real commits."""

import asyncio
from datetime import UTC, date, datetime

import msgspec

from points.errors import DuplicateWork, WorkNotOpen
from points.work import bulk, intake, service
from points.work.schemas import LogForm
from shared.database import DB
from shared.ids import new_id
from tests.factories import COUNTY, acting, small_county
from tests.points.work.test_intake import HEAD, row

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
DAY = date(2026, 11, 2)
COUNT = "SELECT count(*) FROM points.work_record WHERE county_id = $1"


def form() -> LogForm:
    return LogForm(id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加网格例会")


async def test_a_phone_that_sends_five_times_at_once_declares_once(committed: None) -> None:
    """Every answer is the same record."""
    town = await small_county()
    worker = await acting(town.worker)
    sent = form()
    answers = await asyncio.gather(*(service.log(worker, sent, now=NOW) for _ in range(5)))
    assert {answer.id for answer in answers} == {sent.id}
    assert await DB.fetchval(COUNT, COUNTY) == 1


async def test_the_same_work_under_two_ids_is_declared_once(committed: None) -> None:
    """One wins, the other is 重复."""
    town = await small_county()
    worker = await acting(town.worker)
    sent = form()
    forms = [msgspec.structs.replace(sent, id=new_id()) for _ in range(5)]
    answers = await asyncio.gather(
        *(service.log(worker, one, now=NOW) for one in forms), return_exceptions=True
    )
    assert sum(isinstance(answer, DuplicateWork) for answer in answers) == 4
    assert await DB.fetchval(COUNT, COUNTY) == 1


async def test_two_confirmations_at_once_are_one(committed: None) -> None:
    """The second finds it answered."""
    town = await small_county()
    record = await service.log(await acting(town.worker), form(), now=NOW)
    lead = await acting(town.lead)
    answers = await asyncio.gather(
        *(service.verify(lead, record.id, now=NOW) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, WorkNotOpen) for answer in answers) == 3


async def test_two_posting_runs_post_each_record_once(committed: None) -> None:
    """Whoever comes second waits and finds nothing left; the same for two imports of one file."""
    await small_county()
    rows = [row(day, "SVC-01", "代办医保缴费") for day in range(1, 15)]
    data = "\n".join([HEAD, *rows]).encode()
    await asyncio.gather(
        *(intake.import_work(None, COUNTY, data, "a.csv", now=NOW) for _ in range(2))
    )
    assert await DB.fetchval(COUNT, COUNTY) == 14
    await bulk.verify_month(COUNTY, 202610, NOW)
    runs = await asyncio.gather(*(bulk.post_month(COUNTY, 202610, NOW) for _ in range(3)))
    assert sum(totals.records for totals, _ in runs) == 14
    assert sum(totals.posted for totals, _ in runs) == 120
    merit = "SELECT sum(awarded) FROM points.merit_month WHERE county_id = $1"
    assert await DB.fetchval(merit, COUNTY) == 120
