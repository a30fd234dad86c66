"""Work under real concurrency, with real commits."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from points.errors import DuplicateWork, MonthNotReady, ObjectionRefused, WorkNotOpen
from points.ledger import service as ledger
from points.work import bulk, intake, month, month_queries, queries, service
from points.work.month_queries import MonthRow
from points.work.schemas import LogForm, MonthTotals, Record
from shared.database import DB
from shared.errors import NotFound
from shared.identity.access import Action
from shared.ids import new_id
from shared.roster.roles import Role
from tests.factories import COUNTY, acting, member, small_county
from tests.points.ledger.builders import award, fund
from tests.points.work.test_intake import HEAD, row
from tests.points.work.test_month import (
    CLOSED,
    DURING,
    RUN,
    VILLAGE,
    confirmed,
    immediate,
    objected,
    to_notice,
)

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


async def waiting(count: int, *tasks: asyncio.Task[object]) -> None:
    """Until so many sessions wait for a lock, or a task did not wait and is done."""
    sql = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not any(task.done() for task in tasks) and await DB.fetchval(sql) < count:
        pass


async def test_two_answers_to_one_objection_at_once_are_one(committed: None) -> None:
    """Who comes second finds it answered: a record stays refused whose objection was rejected."""
    town = await small_county()
    worker = await acting(town.worker)
    record = await service.log(worker, form(), now=NOW)
    await service.send_back(await acting(town.lead), record.id, "没有来", refuse=True, now=NOW)
    objection = await month.object_to(worker, record.id, "我来了", NOW)
    chief, committee = await acting(town.chief), await acting(town.committee)
    outside = copy_context()
    async with DB.transaction():
        await queries.lock_record(COUNTY, record.id)
        no = month.answer(chief, objection, upheld=False, text="没来", now=NOW)
        first = asyncio.create_task(no, context=outside.copy())
        await waiting(1, first)
        yes = month.answer(committee, objection, upheld=True, text="来了", now=NOW)
        second = asyncio.create_task(yes, context=outside.copy())
        await waiting(2, first, second)
    answers = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), NotFound]
    found = await month.objection_of(COUNTY, record.id)
    stored = await queries.record(COUNTY, record.id)
    assert found is not None
    assert stored is not None
    assert (found.state, stored.state) == ("rejected", "refused")


async def test_a_household_visited_by_two_counts_once_also_when_confirmed_at_once(
    committed: None,
) -> None:
    """Whoever is decided second sees the first one's visit, before either is in the ledger."""
    town = await small_county()
    await DB.execute(
        'UPDATE shared.county SET settings = settings || \'{"posting_mode": "immediate"}\''
        " WHERE id = $1 /* county_id */",
        COUNTY,
    )
    second = await member(Role.GRIDWORKER, town.units["421222100001001"], "鲁大海")
    lead = await acting(town.lead)
    ids = []
    for who in (town.worker, second):
        visit = LogForm(
            id=new_id(), rule_code="CARE-01", work_date=DAY, text="探访独居老人", household="3-12"
        )
        ids.append((await service.log(await acting(who), visit, now=NOW)).id)
    outside = copy_context()
    async with DB.transaction():
        await DB.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
        answers: list[asyncio.Task[object]] = []
        for number, record_id in enumerate(ids, start=1):
            confirming = service.verify(lead, record_id, resident_how="phone", now=NOW)
            answers.append(asyncio.create_task(confirming, context=outside.copy()))
            await waiting(number, *answers)
    await asyncio.gather(*answers)
    posted = [found.posted for id_ in ids if (found := await queries.record(COUNTY, id_))]
    assert sorted(posted) == [0, 10]


async def test_an_objection_sent_twice_at_once_is_raised_once(committed: None) -> None:
    """The second is told that there is one, not that something broke."""
    town = await small_county()
    worker = await acting(town.worker)
    record = await service.log(worker, form(), now=NOW)
    await service.send_back(await acting(town.lead), record.id, "没有来", refuse=True, now=NOW)
    outside = copy_context()
    async with DB.transaction():
        await month.object_to(worker, record.id, "我来了", NOW)
        again = asyncio.create_task(
            month.object_to(worker, record.id, "我来了", NOW), context=outside
        )
        await waiting(1, again)
    (answer,) = await asyncio.gather(again, return_exceptions=True)
    assert isinstance(answer, ObjectionRefused)


@pytest.mark.parametrize("replaced", [False, True])
async def test_nobody_objects_to_or_replaces_what_is_being_confirmed(
    committed: None, *, replaced: bool
) -> None:
    """No page offers it; who sends it all the same is refused and stops no confirmation."""
    town = await small_county()
    await immediate()
    worker = await acting(town.worker)
    record = await service.log(worker, form(), now=NOW)
    again = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加另一次例会", replaces=record.id
    )
    act: Coroutine[Any, Any, object] = (
        service.log(worker, again, now=NOW)
        if replaced
        else month.object_to(worker, record.id, "没有核实", NOW)
    )
    confirm = service.verify(await acting(town.lead), record.id, now=NOW)
    refused, done = await second_of(
        queries.lock_worker(COUNTY, town.worker.person_id), act, confirm
    )
    assert isinstance(refused, WorkNotOpen if replaced else ObjectionRefused)
    assert isinstance(done, Record)
    assert done.state == "posted"


async def test_an_objection_raised_while_points_expire_still_protects(committed: None) -> None:
    """The night's sweep waits behind a counter; whoever objects meanwhile keeps their points."""
    town = await small_county()
    worker = await acting(town.worker)
    record = await service.log(worker, form(), now=NOW)
    await service.send_back(await acting(town.lead), record.id, "没有来", refuse=True, now=NOW)
    points = award(town.worker.person_id, await fund(), 100, expires_on=DAY)
    assert (await ledger.post_one(COUNTY, points)).accepted
    outside = copy_context()
    async with DB.transaction():
        await DB.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
        sweep = asyncio.create_task(
            ledger.expire_lots(COUNTY, DAY + timedelta(days=1)), context=outside
        )
        await waiting(1, sweep)
        await month.object_to(worker, record.id, "我来了", NOW)
    assert await sweep == 0
    at = NOW - timedelta(days=1)
    assert (await ledger.balances(COUNTY, town.worker.person_id, at)).wallet == 100


async def events(action: str) -> int:
    sql = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND action = $2"
    return int(await DB.fetchval(sql, COUNTY, action))


async def second_of(first: Awaitable[object], *then: Coroutine[Any, Any, object]) -> list[object]:
    """What becomes of acts that meet another one before it is committed."""
    outside = copy_context()
    async with DB.transaction():
        await first
        tasks = []
        for number, act in enumerate(then, start=1):
            tasks.append(asyncio.create_task(act, context=outside.copy()))
            await waiting(number, *tasks)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_month_posted_twice_at_once_is_in_the_audit_once(committed: None) -> None:
    """The night's run and the department's button: who comes second finds the month posted."""
    town = await small_county()
    await confirmed(town, 1)
    await to_notice(town)
    after = CLOSED + timedelta(days=20)
    department = await acting(town.department, desk=True)
    totals = await second_of(
        month_queries.month_row(COUNTY, VILLAGE, RUN, lock=True),
        month.post_ended(COUNTY, after),
        month.post_now(department, after),
    )
    assert sum(one.records for one in totals if isinstance(one, MonthTotals)) == 1
    assert await events(Action.MONTH_POST) == 1


async def test_a_review_asked_for_twice_at_once_is_asked_once(committed: None) -> None:
    """The second is told of the first, and the audit has one."""
    town = await small_county()
    form, objection = await objected(town)
    await month.answer(await acting(town.chief), objection, upheld=False, text="没来", now=DURING)
    worker = await acting(town.worker, on=date(2026, 10, 2))
    ask = partial(month.ask_review, worker, form.id, "我确实来了", DURING)
    (second,) = await second_of(ask(), ask())
    assert isinstance(second, ObjectionRefused)
    assert "已经申请过复核" in str(second.fields)
    assert await events(Action.APPEAL) == 1


@pytest.mark.parametrize("posted_first", [False, True])
async def test_a_record_is_either_posted_or_reviewed(
    committed: None, *, posted_first: bool
) -> None:
    """The office asks for another look at what the night is posting: one of the two is too late."""
    town = await small_county()
    disputed = await confirmed(town, 8)
    await to_notice(town)
    chief, committee = await acting(town.chief), await acting(town.committee)
    objection = await month.contest(chief, disputed.id, "那天没有开会", CLOSED)
    night = CLOSED + timedelta(days=9)
    await month.answer(committee, objection, upheld=False, text="有签到", now=night)
    post = month.post_ended(COUNTY, night)
    ask = month.ask_review(chief, disputed.id, "反映人仍说没有", night)
    (second,) = await (second_of(post, ask) if posted_first else second_of(ask, post))
    found, row = (
        await queries.record(COUNTY, disputed.id),
        await month.objection_of(COUNTY, disputed.id),
    )
    assert found is not None
    assert row is not None
    if posted_first:
        assert isinstance(second, ObjectionRefused)
        assert (found.state, row.state) == ("posted", "rejected")
    else:
        assert (found.state, row.state) == ("accepted", "review")


async def test_a_month_reviewed_twice_by_one_side_is_in_the_audit_once(committed: None) -> None:
    """A repeat changes nothing, and says nothing either."""
    town = await small_county()
    await confirmed(town, 1)
    review = partial(month.review, await acting(town.committee), VILLAGE, RUN, CLOSED)
    (second,) = await second_of(review(), review())
    assert isinstance(second, MonthRow)
    assert second.state == "reviewing"
    assert await events(Action.WORK_REVIEW) == 1


async def test_who_presses_again_hears_what_was_done(committed: None) -> None:
    """Not that the village should review first, or that the term is over."""
    town = await small_county()
    await confirmed(town, 1)
    for someone in (town.committee, town.supervisor):
        await month.review(await acting(someone), VILLAGE, RUN, CLOSED)
    instructor = await acting(town.instructor)
    sample = partial(month.confirm_sample, instructor, VILLAGE, RUN, CLOSED)
    (second,) = await second_of(sample(), sample())
    assert isinstance(second, MonthNotReady)
    assert second.message == "这个月公示中，抽查已经确认过，不用再确认。"


async def test_a_month_is_reviewed_while_its_sheets_are_entered(committed: None) -> None:
    """The console confirms records in order of their days, and the review moves them so, too."""
    town = await small_county()
    ids = []
    for who, day in ((town.worker, 20), (town.second_worker, 2)):
        worker = await acting(who, on=date(2026, 10, day))
        sent = LogForm(
            id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, day), text=f"{day}日例会"
        )
        ids.append((await service.log(worker, sent, now=DURING)).id)
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    review = month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    outside = copy_context()
    async with DB.transaction():
        await queries.lock_record(COUNTY, ids[1])
        task = asyncio.create_task(review, context=outside)
        await waiting(1, task)
        await queries.lock_record(COUNTY, ids[0])
    assert (await task).state == "sampling"
