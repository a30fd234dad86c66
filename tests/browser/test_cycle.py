"""A whole half-year's appraisal through the pages, from opening the cycle to closing it for ever.

The pages' clock stands fifty days back until everybody was told, because closing waits for terms.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from litestar import Litestar
from playwright.async_api import Page

from appraisal.casework import service as casework
from appraisal.cycle.rules import STAGE_NAMES, Stage
from appraisal.duty import service as duty
from appraisal.duty.schemas import SheetInput
from appraisal.notice import service as notice
from shared.clock import now
from shared.roster.roles import Role
from tests import factories
from tests.browser.checks import (
    assert_accessible,
    assert_head,
    assert_keeps_the_rules,
    assert_reflows,
)
from tests.browser.conftest import SignIn, follow
from tests.browser.village import activate
from tests.factories import COUNTY, Member, SmallCounty, acting

WHILE_BACK = timedelta(days=50)
OVER = timedelta(days=250)
"""The year of a day so long ago has a first half that was over fifty days ago."""


class Clock:
    """What the pages of both services take for now."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return now() - self.shift


@pytest.fixture
def clock(application: Litestar, appraisal_application: Litestar) -> Iterator[Clock]:
    """The pages' clock, put back afterwards."""
    made = Clock()
    apps = (application, appraisal_application)
    before = [app.state.clock for app in apps]
    for app in apps:
        app.state.clock = made
    yield made
    for app, one in zip(apps, before, strict=True):
        app.state.clock = one


async def looked_at(page: Page) -> None:
    """Title and heading, and axe finds nothing."""
    await assert_head(page)
    await assert_accessible(page)


async def step(desk: Page, cycle: str, label: str, stage: Stage) -> None:
    """Press a step's button; the cycle stands in its new stage afterwards."""
    await desk.goto(cycle)
    await desk.get_by_role("button", name=label).click()
    current = desk.locator(".stages [aria-current=step]").filter(has_text=STAGE_NAMES[stage])
    await current.wait_for()


async def sheets(town: SmallCounty, year: int, at: datetime) -> None:
    """Six months of attendance; one of the workers was away a lot."""
    workers = ((town.worker, 15), (town.second_worker, 21), (town.cousin_worker, 22))
    lines = [
        SheetInput(
            person_id=who.person_id,
            village_code=who.unit_code[:12],
            month=year * 100 + month,
            rostered=Decimal(22),
            on_duty=Decimal(days),
            leave=Decimal(0),
        )
        for who, days in workers
        for month in range(1, 7)
    ]
    await duty.save(await acting(town.department, desk=True), lines, at)


async def opened(desk: Page, year: int) -> str:
    """Open the half-year's cycle on the page; its address."""
    await desk.goto("/appraisal/desk")
    await desk.get_by_label("年份").fill(str(year))
    await desk.get_by_role("button", name="建立", exact=True).click()
    await desk.get_by_role("heading", name=f"{year}年上半年网格员评比").wait_for()
    await looked_at(desk)
    return desk.url


async def ranked(desk: Page, cycle: str, worker: Member) -> None:
    """From the county down to the rows behind one number of one worker."""
    await desk.goto(f"{cycle}/ranking/units")
    await looked_at(desk)
    await follow(desk.get_by_role("link", name="隽水镇").first)
    await looked_at(desk)
    await desk.goto(f"{cycle}/ranking")
    await looked_at(desk)
    places = await desk.locator("tbody tr").all_inner_texts()
    assert len(places) == 3
    assert worker.name in places[-1]
    await follow(desk.get_by_role("link", name=worker.name))
    await looked_at(desk)
    await follow(desk.get_by_role("link", name="看来源").first)
    await desk.get_by_role("heading", name=worker.name).wait_for()
    sheet = desk.get_by_role("region", name="考勤", exact=True)
    assert await sheet.locator("tbody tr").count() == 6
    await looked_at(desk)


async def announced(desk: Page, cycle: str) -> None:
    """The notice is issued on its page and laid out for A4."""
    await desk.goto(f"{cycle}/notice")
    await desk.get_by_role("button", name="发布公示").click()
    await desk.get_by_role("link", name="打印 A4").wait_for()
    await looked_at(desk)
    await desk.get_by_role("link", name="对公示的异议").click()
    await desk.get_by_role("heading", name="对公示的异议", exact=True).wait_for()
    await looked_at(desk)
    await desk.go_back()
    await desk.get_by_role("link", name="打印 A4").click()
    await desk.get_by_text("（盖章）").wait_for()
    assert (await desk.pdf(format="A4"))[:4] == b"%PDF"


async def objected(phone: Page, year: int) -> str:
    """The worker reads the card, signs for the result, and objects; the case's address."""
    await phone.goto("/appraisal/me")
    await assert_keeps_the_rules(phone)
    await follow(phone.get_by_role("link", name=f"{year}年上半年网格员评比"))
    await assert_keeps_the_rules(phone)
    await phone.get_by_role("link", name="签收、提异议").click()
    await phone.get_by_role("button", name="签收", exact=True).click()
    await phone.get_by_text("异议期到").wait_for()
    await assert_accessible(phone)
    await phone.get_by_label("哪一项不对，为什么").fill("四月在县里跟班学习，考勤漏记了。")
    await phone.get_by_role("button", name="提交异议").click()
    await phone.get_by_role("heading", name="对考核结果的异议").wait_for()
    await assert_accessible(phone)
    await assert_reflows(phone)
    return phone.url


async def answered(desk: Page, case: str) -> None:
    """Somebody who decided nothing before upholds the result."""
    await desk.goto("/appraisal/desk/cases")
    await looked_at(desk)
    await desk.goto(case)
    await looked_at(desk)
    form = desk.locator("details.step").filter(has_text="复核：维持原结果").first
    await form.locator("summary").click()
    await form.get_by_label("理由和情况").fill("跟班学习的通知和考勤已核对，没有漏记。")
    await form.get_by_label("不是近亲属").check()
    await form.get_by_role("button", name="签办").click()
    await desk.get_by_role("cell", name="复核：维持原结果").wait_for()


async def test_a_half_year_from_opening_to_closing(
    committed: None, sign_in: SignIn, desk_sign_in: SignIn, clock: Clock
) -> None:
    """Every stage is a button; the worker understands, signs, objects and is answered."""
    town = await factories.small_county()
    clerk = await factories.member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    await activate(town.worker)
    desk = await desk_sign_in(town.department)
    other = await desk_sign_in(clerk)
    phone = await sign_in(town.worker)
    clock.shift = WHILE_BACK
    year = (now() - OVER).year

    cycle = await opened(desk, year)
    await step(desk, cycle, "开始采集数据", Stage.COLLECT)
    await sheets(town, year, clock())
    await step(desk, cycle, "结束采集，进入评分", Stage.SCORE)
    await desk.goto(f"{cycle}/scorecards")
    await desk.get_by_role("button", name="开始评分").click()
    await desk.get_by_text("第 1 次评分").first.wait_for()
    await looked_at(desk)
    await step(desk, cycle, "评分完成，提交审核", Stage.REVIEW)
    await ranked(desk, cycle, town.worker)
    await step(desk, cycle, "审核通过，开始公示", Stage.NOTICE)
    await announced(desk, cycle)

    case = await objected(phone, year)
    cycle_id = UUID(cycle.rpartition("/")[2])
    for who in (town.second_worker, town.cousin_worker):
        await notice.receive(await acting(who), cycle_id, clock())
    await step(desk, cycle, "公示期满，进入异议申诉", Stage.APPEAL)
    await answered(other, case)
    await phone.goto(case)
    await phone.get_by_role("button", name="本人签收").click()
    signing = phone.locator("summary").filter(has_text="答复书送达本人")
    await signing.wait_for(state="detached")

    clock.shift = timedelta(days=7)
    assert await casework.clock(COUNTY, clock()) == (1, 0)
    clock.shift = timedelta()
    await step(desk, cycle, "办结归档", Stage.CLOSED)
    await looked_at(desk)
