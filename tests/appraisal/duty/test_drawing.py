"""Double-random checks from the frozen list to the share of right records."""

import asyncio
import hashlib
from contextvars import copy_context
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from appraisal.cycle.rules import Kind, Stage
from appraisal.duty import drawing, random_queries, rules
from appraisal.duty.drawing import CheckForm, PaperItem, Result
from appraisal.duty.errors import Changed, Frozen
from appraisal.duty.service import Saved
from points.work import posting
from points.work import service as work
from points.work.schemas import LogForm
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.ids import new_id
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.world import NOW, duty_total
from tests.factories import COUNTY, Member, SmallCounty, acting, small_county

SOURCE = "会场摇号"


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """Two workers of one village with two posted records each."""
    made = await small_county()
    for who, lead in ((made.worker, made.lead), (made.second_worker, made.other_lead)):
        for day in (8, 15):
            await posted(who, lead, date(2026, 11, day))
    return made


async def posted(who: Member, lead: Member, day: date, now: datetime = NOW) -> UUID:
    """A confirmed record in the ledger."""
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=day, text=f"{day.day} 日例会")
    record = await work.log(await acting(who, on=day), form, now=now)
    await work.verify(await acting(lead), record.id, now=now)
    await posting.post_records(COUNTY, [record.id], now)
    return record.id


def form(**more: object) -> CheckForm:
    """Two people of the village, one record each."""
    values: dict[str, object] = {
        "title": "十一月核查",
        "unit_code": "421222100",
        "first_day": date(2026, 11, 1),
        "last_day": date(2026, 11, 20),
        "people": 2,
        "per_person": 1,
        "inspectors": ("尹某", "胡某"),
        "value_source": SOURCE,
    }
    return CheckForm(**(values | more))  # type: ignore[arg-type]  # fields are named by the tests


async def drawn(town: SmallCounty, **more: object) -> UUID:
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(**more), NOW)
    await drawing.draw(actor, check_id, "07 12 31", SOURCE, NOW)
    return check_id


def result(item_id: UUID, *, correct: bool = True, **more: object) -> Result:
    values = {"checked_on": date(2026, 11, 25), "checked_by": "尹某", "note": ""} | more
    return Result(item_id=item_id, correct=correct, **values)  # type: ignore[arg-type]


async def test_hash_first_then_value_and_all_follows_from_both(town: SmallCounty) -> None:
    """The published list has the published hash; anybody's repetition draws the same."""
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(), NOW)
    listed = await drawing.view(actor, check_id)
    assert (listed.state, listed.workers, listed.records, listed.items) == ("listed", 2, 4, 0)
    text = await drawing.listing(actor, check_id)
    assert hashlib.sha256(text.encode()).digest() == listed.list_hash
    with pytest.raises(Invalid):
        await drawing.draw(actor, check_id, " ", SOURCE, NOW)
    assert await drawing.draw(actor, check_id, "07 12 31", SOURCE, NOW) == 2
    row = await drawing.view(actor, check_id)
    assert row.seed == hashlib.sha256((row.list_hash or b"").hex().encode() + b"07 12 31").digest()
    expected = rules.draw(text, row.seed, 2, 1, row.inspectors)
    items = await drawing.items(actor, check_id)
    assert [(i.person_id, i.record_id, i.inspector) for i in items] == [
        (one.person_id, one.record_id, one.inspector) for one in expected
    ]
    assert {item.label[-3:] for item in items} == {"日例会"}
    with pytest.raises(Conflict, match="已经抽取"):
        await drawing.draw(actor, check_id, "1", SOURCE, NOW)


async def test_a_list_of_checks_adds_up_all_results_once(town: SmallCounty) -> None:
    """Not once for every check: after three years the page took more than a second."""
    await drawn(town)
    await drawn(town)
    codes = ["421222"]
    sql = f"{random_queries.CHECK} AND k.unit_code ^@ ANY ($2::text[])"
    plan = await DB.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF) {sql}", COUNTY, codes)
    [items] = [row[0] for row in plan if " on random_item " in row[0] and "loops" in row[0]]
    assert items.endswith("loops=1)")
    checks = await random_queries.checks(COUNTY, codes)
    assert [(row.items, row.checked) for row in checks] == [(2, 0), (2, 0)]


async def test_results_are_versions_and_make_the_share(town: SmallCounty) -> None:
    """One of two right; a corrected verdict needs a reason and counts from then on.

    In the cycle of the days it is about, and in no other; nobody enters their own.
    """
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    half = await opened(department, NOW)
    actor = await acting(town.instructor)
    check_id = await drawn(town)
    first, second = await drawing.items(actor, check_id)
    with pytest.raises(Invalid, match="写明错在哪里"):
        await drawing.record(actor, check_id, [result(first.id, correct=False)], NOW)
    first_day = (await drawing.view(actor, check_id)).first_day
    own = msgspec.structs.replace(actor, person_id=first.person_id)
    with pytest.raises(Forbidden):
        await drawing.record(own, check_id, [result(first.id)], NOW)
    early = msgspec.structs.replace(result(first.id), checked_on=first_day - timedelta(days=1))
    with pytest.raises(Invalid, match="核查日期"):
        await drawing.record(actor, check_id, [early], NOW)
    wrong = result(first.id, correct=False, note="日期不符")
    saved = await drawing.record(actor, check_id, [wrong, result(second.id)], NOW)
    assert saved == Saved(2, 0, 0)
    assert await drawing.record(actor, check_id, [wrong], NOW) == Saved(0, 0, 1)
    found = await duty_total(cycle_id, first.person_id)
    assert (found.data_checked, found.data_right) == (1, 0)
    with pytest.raises(Invalid, match="更正原因"):
        await drawing.record(actor, check_id, [result(first.id)], NOW)
    right = [result(first.id)]
    assert (await drawing.record(actor, check_id, right, NOW, reason="看错")).corrected == 1
    found = await duty_total(cycle_id, first.person_id)
    assert (found.data_checked, found.data_right) == (1, 1)
    assert (await duty_total(half, first.person_id)).data_checked == 0
    row = await drawing.view(actor, check_id)
    assert (row.items, row.checked, row.correct) == (2, 2, 2)
    await drawing.void(actor, check_id, "名单有误")
    found = await duty_total(cycle_id, first.person_id)
    assert found.data_checked == 0
    with pytest.raises(Conflict, match="作废"):
        await drawing.record(actor, check_id, right, NOW)


async def test_a_scored_cycle_s_checks_change_no_more(town: SmallCounty) -> None:
    """Nothing is opened, drawn, found or taken back of days that a cycle has scored."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    actor, later = await acting(town.instructor), NOW + timedelta(days=50)
    check_id = await drawn(town)
    waits = await drawing.open_check(actor, form(title="补查"), NOW)
    item = (await drawing.items(actor, check_id))[0]
    await bring_to(department, cycle_id, Stage.SCORE, later)
    for refused in (
        drawing.open_check(actor, form(title="再查"), later),
        drawing.draw(actor, waits, "1", SOURCE, later),
        drawing.record(actor, check_id, [result(item.id)], later),
        drawing.void(actor, check_id, "名单有误"),
    ):
        with pytest.raises(Frozen):
            await refused


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": "查"}, "title"),
        ({"last_day": date(2026, 10, 1)}, "last_day"),
        ({"first_day": date(2026, 6, 30), "last_day": date(2026, 7, 1)}, "last_day"),
        ({"inspectors": ("尹某",)}, "inspectors"),
        ({"value_source": " "}, "value_source"),
        ({"people": 0}, "people"),
    ],
)
async def test_a_check_says_what_it_lacks(
    town: SmallCounty, more: dict[str, object], field: str
) -> None:
    """Before anything is frozen."""
    with pytest.raises(Invalid) as refused:
        await drawing.open_check(await acting(town.instructor), form(**more), NOW)
    assert list(refused.value.fields) == [field]


async def test_nothing_to_draw_and_strangers(town: SmallCounty) -> None:
    """An empty list is said; another township's check is not there, nor is a foreign record."""
    actor = await acting(town.instructor)
    empty = form(first_day=date(2026, 9, 1), last_day=date(2026, 9, 30))
    with pytest.raises(Invalid, match="没有东西可抽"):
        await drawing.open_check(actor, empty, NOW)
    with pytest.raises(NotFound):
        await drawing.open_check(actor, form(unit_code="421222101"), NOW)
    check_id = await drawn(town)
    with pytest.raises(NotFound):
        await drawing.view(await acting(town.chief), check_id)
    with pytest.raises(NotFound):
        await drawing.record(actor, check_id, [result(new_id())], NOW)


async def test_two_verdicts_at_once_leave_the_first(committed: None) -> None:
    """The second did not know of the first and gave no reason: it is told to look again."""
    made = await small_county()
    await posted(made.worker, made.lead, date(2026, 11, 8))
    actor = await acting(made.instructor)
    check_id = await drawn(made)
    [item] = await drawing.items(actor, check_id)
    wrong = result(item.id, correct=False, note="日期不符")
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        await drawing.record(actor, check_id, [result(item.id)], NOW)
        other = asyncio.create_task(drawing.record(actor, check_id, [wrong], NOW), context=outside)
        while not other.done() and not await DB.fetchval(waits):
            pass
    with pytest.raises(Changed):
        await other
    [item] = await drawing.items(actor, check_id)
    assert (item.version, item.correct) == (1, True)


async def test_a_check_opened_twice_at_once_is_one(committed: None) -> None:
    """Two lists of one check would be two draws to choose from."""
    town = await small_county()
    await posted(town.worker, town.lead, date(2026, 11, 8))
    actor = await acting(town.instructor)
    for mode in ("drawn", "paper"):
        made = await asyncio.gather(
            *(drawing.open_check(actor, form(mode=mode), NOW) for _ in range(3))
        )
        assert len(set(made)) == 1
    other = await drawing.open_check(actor, form(people=1), NOW)
    assert other != await drawing.open_check(actor, form(), NOW)
    assert len(await drawing.checks(actor)) == 3


async def test_a_paper_check_takes_results_without_a_draw(town: SmallCounty) -> None:
    """The same record again changes nothing; a drawn check takes none."""
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(mode="paper", inspectors=()), NOW)
    item = PaperItem(
        person_id=town.worker.person_id,
        label="入户登记",
        correct=True,
        checked_on=date(2026, 11, 25),
        checked_by="尹某",
    )
    assert await drawing.add_paper(actor, check_id, [item], NOW) == Saved(1, 0, 0)
    assert await drawing.add_paper(actor, check_id, [item], NOW) == Saved(0, 0, 1)
    other = msgspec.structs.replace(item, label="工单台账")
    assert await drawing.add_paper(actor, check_id, [item, other], NOW) == Saved(1, 0, 1)
    assert [one.label for one in await drawing.items(actor, check_id)] == ["入户登记", "工单台账"]
    with pytest.raises(Conflict, match="系统抽取"):
        await drawing.add_paper(actor, await drawn(town), [item], NOW)


async def test_two_papers_at_once_are_one_record(committed: None) -> None:
    """The same file taken in from two windows: the second finds what the first has written."""
    town = await small_county()
    actor = await acting(town.instructor)
    check_id = await drawing.open_check(actor, form(mode="paper", value_source="抓阄"), NOW)
    item = PaperItem(
        person_id=town.worker.person_id,
        label="入户登记",
        correct=False,
        note="漏一户",
        checked_on=date(2026, 11, 25),
        checked_by="尹某",
    )
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        assert await drawing.add_paper(actor, check_id, [item], NOW) == Saved(1, 0, 0)
        other = asyncio.create_task(
            drawing.add_paper(actor, check_id, [item], NOW), context=outside
        )
        while not other.done() and not await DB.fetchval(waits):
            pass
    assert await other == Saved(0, 0, 1)
    assert len(await drawing.items(actor, check_id)) == 1
