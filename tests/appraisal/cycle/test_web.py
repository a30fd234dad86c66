"""The department's pages of cycles."""

from uuid import UUID

import httpx
import pytest

from appraisal.cycle.rules import Stage
from appraisal.scorecard import queries, scoring_queries
from shared.clock import now
from shared.database import DB
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.test_gather import vetoed
from tests.appraisal.scorecard.worlds import stored_run, worker
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county
from tests.shared.identity.test_matrix import act_as, token
from tests.shared.identity.worlds import with_pin


@pytest.fixture
async def world(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as the page sends it."""
    return await client.post(path, data={"_csrf_token": await token(client), **fields})


async def test_the_department_opens_a_cycle_on_a_page(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """Opened, listed, moved on; a second one of the kind is refused in a sentence."""
    await act_as(client, world.department)
    made = await post(client, "/appraisal/desk", kind="half_year", year="2025")
    assert made.status_code == 303
    cycle = await client.get(made.headers["location"])
    assert (cycle.status_code, "开始采集数据" in cycle.text) == (200, True)
    cycle_id = UUID(made.headers["location"].rpartition("/")[2])
    moved = await post(
        client, f"/appraisal/desk/cycles/{cycle_id}/advance", target="collect", note=""
    )
    assert moved.status_code == 303
    listed = await client.get("/appraisal/desk")
    assert "2025年上半年网格员评比" in listed.text
    assert "采集数据" in listed.text
    again = await post(client, "/appraisal/desk", kind="half_year", year="2025")
    assert (again.status_code, "已经建立" in again.text) == (409, True)
    wrong = await post(client, "/appraisal/desk", kind="half_year", year="20X5")
    assert (wrong.status_code, "请填数字" in wrong.text) == (422, True)


async def test_menus_lead_from_one_service_to_the_other(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """The department's menu is whole on the pages of both; the index sends each role home."""
    await act_as(client, world.department)
    for path in ("/desk/rules", "/appraisal/desk"):
        text = (await client.get(path)).text
        assert 'href="/appraisal/desk"' in text, path
        assert 'href="/desk/rules"' in text, path
    assert (await client.get("/appraisal")).headers["location"] == "/appraisal/desk"
    await act_as(client, world.worker)
    assert (await client.get("/appraisal/")).headers["location"] == "/appraisal/me"
    mine = await client.get("/appraisal/me")
    assert (mine.status_code, 'href="/work"' in mine.text) == (200, True)
    assert 'href="/appraisal/me"' in (await client.get("/me")).text


async def test_a_page_says_beforehand_that_nobody_could_decide_an_appeal(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """One clerk alone: before the results are passed on, and after, until there is another."""
    department = await acting(world.department, desk=True)
    cycle_id = await opened(department, now())
    await bring_to(department, cycle_id, Stage.SCORE, now())
    run_id = await stored_run(cycle_id, [worker(grid_code="421222100001001")])
    await scoring_queries.score([COUNTY], [run_id])
    await queries.make_current(COUNTY, cycle_id, run_id, 1)
    path, words = f"/appraisal/desk/cycles/{cycle_id}", "申诉没有人能答复"
    await act_as(client, world.department)
    assert words not in (await client.get(path)).text
    await bring_to(department, cycle_id, Stage.REVIEW, now())
    page = (await client.get(path)).text
    assert (words in page, "有 1 个能登录的组织部账号，现在有 0 个" in page) == (True, True)
    await DB.execute(
        "UPDATE shared.county SET settings = settings || $2::jsonb WHERE id = $1",
        COUNTY,
        '{"department_name": "社会工作部"}',
    )
    page = (await client.get(path)).text
    assert ("安排社会工作部岗位" in page, "社会工作部（通城县）" in page) == (True, True)
    assert "组织部" not in page
    clerk = await member(Role.DEPARTMENT, world.units[str(COUNTY)], "吴科长")
    assert words in (await client.get(path)).text, "without an account"
    await with_pin(clerk)
    assert words in (await client.get(path)).text, "with a phone's alone"
    await with_password(clerk)
    assert words not in (await client.get(path)).text
    await bring_to(department, cycle_id, Stage.NOTICE, now())
    assert words not in (await client.get(path)).text
    await vetoed(world.worker, await acting(clerk, desk=True))
    page = (await client.get(path)).text
    assert (words in page, "审定过一票否决的人" in page) == (True, True)
    withdrawn = "UPDATE appraisal.duty_entry SET state = 'withdrawn' WHERE county_id = $1"
    await DB.execute(withdrawn, COUNTY)
    assert words not in (await client.get(path)).text
    await DB.execute(
        "UPDATE shared.account SET disabled_at = now() WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        clerk.person_id,
    )
    assert words in (await client.get(path)).text


async def test_where_no_instructor_reviews_two_others_are_needed(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """The one who reviews the objection in the county does not decide its appeal."""
    department = await acting(world.department, desk=True)
    cycle_id = await opened(department, now())
    await bring_to(department, cycle_id, Stage.SCORE, now())
    run_id = await stored_run(cycle_id, [worker(grid_code="421222101001001")])
    await scoring_queries.score([COUNTY], [run_id])
    await queries.make_current(COUNTY, cycle_id, run_id, 1)
    await bring_to(department, cycle_id, Stage.REVIEW, now())
    await act_as(client, world.department)
    await with_password(await member(Role.DEPARTMENT, world.units[str(COUNTY)], "吴科长"))
    page = (await client.get(f"/appraisal/desk/cycles/{cycle_id}")).text
    assert ("没有网格指导员" in page, "现在有 1 个" in page) == (True, True)
    await with_password(await member(Role.DEPARTMENT, world.units[str(COUNTY)], "何科长"))
    page = (await client.get(f"/appraisal/desk/cycles/{cycle_id}")).text
    assert "没有网格指导员" not in page


async def with_password(someone: Member) -> None:
    """Somebody who can sign in at a desk."""
    await DB.execute(
        "INSERT INTO shared.account (county_id, id, person_id, password_hash)"
        " VALUES ($1, gen_random_uuid(), $2, 'x')"
        " ON CONFLICT (county_id, person_id) DO UPDATE SET password_hash = 'x'",
        COUNTY,
        someone.person_id,
    )
