"""The appraisal in a browser: the department's desk, the worker's card, the village's scores."""

from random import Random
from uuid import UUID

import msgspec

from appraisal.cycle.rules import Stage
from appraisal.ranking import freezing
from appraisal.scorecard import queries, scoring_queries
from shared.clock import now
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import (
    known_people,
    random_worker,
    stored_run,
    worker,
)
from tests.browser.checks import assert_keeps_the_rules, shoot, wear
from tests.browser.conftest import SignIn
from tests.browser.village import activate
from tests.factories import COUNTY, SmallCounty, acting, small_county


async def announced() -> tuple[SmallCounty, UUID]:
    """A cycle of sixty-three workers under notice; the town's own among them."""
    town = await small_county()
    at = now()
    department = msgspec.structs.replace(await acting(town.department, desk=True), confirmed_at=at)
    cycle_id = await opened(department, at)
    await bring_to(department, cycle_id, Stage.SCORE, at)
    random = Random(11)
    others = [random_worker(random, even=False) for _ in range(60)]
    await known_people(others)
    own = [
        worker(
            person_id=member.person_id,
            name=member.name,
            grid_code=member.unit_code,
            grid_type="community",
            days_rural=0,
            days_community=181,
            **facts,
        )
        for member, facts in (
            (town.worker, {"satisfaction": 913, "failed_checks": 1, "commended_county": 1}),
            (town.second_worker, {"satisfaction": None, "ballots": 12}),
            (town.cousin_worker, {"awarded": 400}),
        )
    ]
    run_id = await stored_run(cycle_id, [*others, *own])
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, 63)
    await bring_to(department, cycle_id, Stage.NOTICE, at)
    await activate(town.worker, town.chief, town.instructor)
    return town, cycle_id


async def test_the_department_s_pages(committed: None, desk_sign_in: SignIn) -> None:
    """Cycle, scoring, units, workers, one card, its months, rules, what-if: all keep the rules."""
    town, cycle_id = await announced()
    desk = await desk_sign_in(town.department)
    here = f"/appraisal/desk/cycles/{cycle_id}"
    card = f"{here}/scorecards/{town.worker.person_id}"
    for path, name in (
        ("/appraisal/desk", "cycles"),
        (here, "cycle"),
        (f"{here}/scorecards", "scorecards"),
        (f"{here}/ranking/units", "units"),
        (f"{here}/ranking", "ranking"),
        (card, "card"),
        (f"{card}/merit", "merit"),
        ("/appraisal/desk/scheme", "scheme"),
        (f"{here}/whatif", "whatif"),
    ):
        await desk.goto(path)
        await shoot(desk, f"desk-{name}")
        await assert_keeps_the_rules(desk, phone=False)


async def test_the_way_down_by_keyboard_and_back(committed: None, desk_sign_in: SignIn) -> None:
    """From the county's table to a worker's card with Enter alone; columns are chosen."""
    town, cycle_id = await announced()
    desk = await desk_sign_in(town.department)
    await desk.goto(f"/appraisal/desk/cycles/{cycle_id}/ranking/units")
    for name in ("隽水镇", "隽1社区居委会", "隽1第1网格"):
        await desk.get_by_role("link", name=name, exact=True).first.press("Enter")
    await desk.get_by_role("link", name=town.worker.name).press("Enter")
    await desk.get_by_role("heading", name=f"{town.worker.name}的考核表").wait_for()
    await desk.goto(f"/appraisal/desk/cycles/{cycle_id}/ranking")
    await desk.get_by_text("显示的列").click()
    await desk.get_by_label("用工形式").check()
    await desk.get_by_role("button", name="查询").click()
    await desk.get_by_role("columnheader", name="用工形式").wait_for()
    await desk.get_by_role("link", name="下一页").click()
    await desk.get_by_text("第 2 / 2 页").wait_for()


async def test_phones_show_the_card_and_the_village(committed: None, sign_in: SignIn) -> None:
    """The worker reads every number; chief and instructor the list of their own unit."""
    town, cycle_id = await announced()
    phone = await sign_in(town.worker)
    for path, name in (("/appraisal/me", "mine"), (f"/appraisal/me/{cycle_id}", "card")):
        await phone.goto(path)
        await shoot(phone, f"m-{name}")
        await assert_keeps_the_rules(phone)
    for member, name in ((town.chief, "chief"), (town.instructor, "instructor")):
        page = await sign_in(member)
        for path, view in (
            ("/appraisal/team", "teams"),
            (f"/appraisal/team/{cycle_id}", "team"),
            (f"/appraisal/team/{cycle_id}/{town.worker.person_id}", "member"),
        ):
            await page.goto(path)
            await shoot(page, f"m-{name}-{view}")
            await assert_keeps_the_rules(page)
        await wear(page, "light", "elder")
        rows = """(e) => {
          const range = document.createRange();
          range.setStart(e.lastChild, e.lastChild.data.indexOf('考核表'));
          range.setEnd(e.lastChild, e.lastChild.data.length);
          return range.getClientRects().length;
        }"""
        assert await page.locator("h1").evaluate(rows) == 1
