"""A worker's month as days: what each day holds, and who may look at whose."""

from datetime import UTC, date, datetime
from uuid import UUID

import httpx
import pytest

from points.work import bulk, intake, service
from points.work.evidence import Month, of_month, weeks
from points.work.rules import State
from points.work.schemas import LogForm
from shared.clock import now
from shared.errors import NotFound
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county
from tests.points.work.test_intake import HEAD, row
from tests.shared.identity.test_web import enter, enter_desk

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
NUMBER = 202611


async def declare(worker: Member, day: int, text: str) -> UUID:
    """A record of a day of November."""
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=date(2026, 11, day), text=text)
    return (await service.log(await acting(worker), form, now=NOW)).id


async def some_work(town: SmallCounty) -> dict[str, UUID]:
    """On the 3rd one confirmed, one sent back and one withdrawn; on the 9th one that waits."""
    lead = await acting(town.lead)
    ids = {
        "confirmed": await declare(town.worker, 3, "网格例会甲"),
        "returned": await declare(town.worker, 3, "网格例会乙"),
        "withdrawn": await declare(town.worker, 3, "网格例会丙"),
        "waiting": await declare(town.worker, 9, "网格例会丁"),
    }
    await service.verify(lead, ids["confirmed"], now=NOW)
    await service.send_back(lead, ids["returned"], "写清地点", now=NOW)
    await service.withdraw(await acting(town.worker), ids["withdrawn"], NOW)
    return ids


def days(found: Month) -> dict[int, dict[State, int]]:
    """The days that have records."""
    return {
        day.on.day: dict(day.states) for week in found.weeks for day in week if day and day.states
    }


def test_weeks_go_from_monday_to_sunday() -> None:
    """October 2026 begins on a Thursday and ends on a Saturday; February 2027 fills four weeks."""
    shape = [[day and day.on.day for day in week] for week in weeks(date(2026, 10, 1), [])]
    assert shape[0] == [None, None, None, 1, 2, 3, 4]
    assert shape[-1] == [26, 27, 28, 29, 30, 31, None]
    assert [len(week) for week in weeks(date(2027, 2, 1), [])] == [7] * 4


async def test_a_day_says_how_many_records_are_in_which_state(rollback: None) -> None:
    """What was withdrawn is as if it had never been; a day without records is only a day."""
    town = await small_county()
    await some_work(town)
    for someone, desk in ((town.worker, False), (town.lead, False), (town.department, True)):
        found = await of_month(await acting(someone, desk=desk), town.worker.person_id, NUMBER)
        assert days(found) == {
            3: {State.ACCEPTED: 1, State.RETURNED: 1},
            9: {State.PENDING: 1},
        }
        assert [line.words for line in found.records] == ["", "写清地点", ""]


async def test_the_three_pages_lead_to_the_records(client: httpx.AsyncClient) -> None:
    """The worker's, the verifier's and the desk's: the day, its state in words, the record."""
    town = await small_county()
    ids = await some_work(town)
    worker = town.worker.person_id
    await enter(client, town.worker)
    pages = [await client.get(f"/records/month?number={NUMBER}")]
    await enter(client, town.chief)
    pages.append(await client.get(f"/verify/workers/{worker}/{NUMBER}"))
    await enter_desk(client, town.department)
    pages.append(await client.get(f"/desk/workers/{worker}/{NUMBER}"))
    for page in pages:
        assert page.status_code == 200
        assert page.text.count('href="#day-') == 2
        assert page.text.count('id="day-3"') == page.text.count('id="day-9"') == 1
        assert "待核实 1 条" in page.text
        assert str(ids["withdrawn"]) not in page.text
        for name in ("confirmed", "returned", "waiting"):
            assert f"/records/{ids[name]}" in page.text
    assert "我的工作月历" in pages[0].text
    assert f"{town.worker.name}的工作月历" in pages[1].text


async def test_who_may_not_see_the_records_finds_no_calendar(client: httpx.AsyncClient) -> None:
    """Another village, another worker, the accountant; and no link to what is not there."""
    town = await small_county()
    await some_work(town)
    path = f"/verify/workers/{town.worker.person_id}/{NUMBER}"
    stranger = await member(Role.CHIEF, town.units["421222101001"], "李书记")
    for someone in (stranger, town.accountant, town.second_worker):
        await enter(client, someone)
        assert (await client.get(path)).status_code == 404, someone.role
    await enter(client, town.chief)
    calendar = f"/verify/workers/{town.worker.person_id}/"
    assert calendar in (await client.get(f"/verify/people/{town.worker.person_id}")).text
    assert "工作月历" not in (await client.get(f"/verify/people/{town.lead.person_id}")).text
    absent = await client.get(f"/verify/workers/{town.lead.person_id}/{NUMBER}")
    assert absent.status_code == 404


async def test_each_village_sees_what_was_done_in_it(rollback: None) -> None:
    """Who moved has two halves; their own month and the county's are whole."""
    town = await small_county()
    there = town.units["421222101001002"]
    await declare(town.worker, 3, "在老网格开会")
    await roster.end_assignment(COUNTY, town.worker.assignment_id, date(2026, 11, 10))
    post_id = await roster.add_post(COUNTY, there.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post_id, town.worker.person_id, date(2026, 11, 10), now=now())
    await declare(town.worker, 12, "在新网格开会")
    other = await member(Role.CHIEF, town.units["421222101001"], "李书记")
    seen = {
        someone.name: list(
            days(await of_month(await acting(someone), town.worker.person_id, NUMBER))
        )
        for someone in (town.chief, other, town.worker, town.department)
    }
    assert list(seen.values()) == [[3], [12], [3, 12], [3, 12]]


async def test_a_year_of_points_ends_with_the_month(rollback: None) -> None:
    """By month of work, caps counted; months without any are there and are nought."""
    town = await small_county()
    rows = [row(day, "ORG-02", "参加网格例会") for day in (1, 8, 15, 22, 29)]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "a.csv", now=NOW)
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    worker = await acting(town.worker)
    year = (await of_month(worker, worker.person_id, NUMBER)).year
    assert (len(year), year[0], year[-2:]) == (
        12,
        ("2025-12", 0),
        [("2026-10", 40), ("2026-11", 0)],
    )
    before = (await of_month(worker, worker.person_id, 202609)).year
    assert (before[-1], sum(points for _, points in before)) == (("2026-09", 0), 0)


async def test_no_month_is_no_page(rollback: None) -> None:
    """A thirteenth month, and a year that nothing can have happened in."""
    worker = await acting((await small_county()).worker)
    for wrong in (202613, 202600, 1, 999912, -202611):
        with pytest.raises(NotFound):
            await of_month(worker, worker.person_id, wrong)
