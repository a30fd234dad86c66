"""The resident's page as an old phone in 大字版 shows it, and the pages of who runs the survey."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from shared.database import DB
from tests.appraisal.survey.world import GRID, VILLAGE, World, closed, drawn, interviewing, printed
from tests.appraisal.survey.world import vote as ballot
from tests.browser.checks import (
    assert_accessible,
    assert_head,
    assert_keeps_the_rules,
    assert_reflows,
    assert_targets,
    shoot,
    wear,
)
from tests.browser.conftest import SignIn, follow
from tests.browser.village import activate
from tests.factories import COUNTY

ASPECTS = 6
ROWS = """(e) => {
  const range = document.createRange();
  const text = [...e.childNodes].find((node) => node.data?.includes('欧阳金山'));
  range.setStart(text, text.data.indexOf('欧阳金山'));
  range.setEnd(text, text.data.indexOf('欧阳金山') + 4);
  return range.getClientRects().length;
}"""
"""On how many rows the worker's name stands."""


@pytest.fixture
async def made(committed: None) -> World:
    """A drawn survey; people of the first village with PINs."""
    world = await drawn()
    await activate(world.county.instructor, world.county.cousin_worker)
    return world


async def test_a_resident_votes_in_large_letters(
    open_context: Callable[..., Any], made: World
) -> None:
    """Gate question first, then worker and faces; 60 px, no cookie, thanks; axe in every look."""
    slip = (await printed(made))[GRID][0]
    context = await open_context()
    await context.clear_cookies()
    page = await context.new_page()
    await page.goto(f"/s/{slip}")
    assert await page.locator("html").get_attribute("data-text") == "elder"
    assert not await page.get_by_text("欧阳金山").is_visible()
    await page.get_by_label("不知道").check()
    assert await page.get_by_text("欧阳金山").is_visible()
    await assert_accessible(page)
    await assert_targets(page, 60)
    await assert_keeps_the_rules(page)
    await wear(page, "light", "elder")
    assert await page.get_by_text("欧阳金山").evaluate(ROWS) == 1
    for number in range(1, ASPECTS + 1):
        await page.locator(f"input[name=v{number}][value='80']").check()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("谢谢您，已收到").wait_for()
    await expect(page.locator("h1")).to_have_text("谢谢您")
    await assert_keeps_the_rules(page)
    await wear(page, "light", "elder")
    assert await page.get_by_text("平时有事").evaluate(ROWS) == 1
    assert await context.cookies() == []
    count = "SELECT count(*) FROM appraisal.ballot_inbox WHERE county_id = $1 AND NOT aware"
    assert await DB.fetchval(count, COUNTY) == 1
    await page.goto(f"/s/{slip}")
    await page.get_by_text("已经交过了").wait_for()
    await assert_keeps_the_rules(page)


async def test_a_ballot_without_network_keeps_its_answers(
    open_context: Callable[..., Any], made: World
) -> None:
    """A dead network says so and loses nothing; a slip used meanwhile is said to be used."""
    slip = (await printed(made))[GRID][2]
    page = await (await open_context()).new_page()
    await page.goto(f"/s/{slip}")
    await page.get_by_label("知道", exact=True).check()
    for number in range(1, ASPECTS + 1):
        await page.locator(f"input[name=v{number}][value='60']").check()
    await page.get_by_label("想说的话").fill("路灯坏了")
    await page.route("**/s/*", lambda route: route.abort())
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("网络不好，没有收到结果").wait_for()
    await page.get_by_role("button", name="确定").click()
    assert await page.locator("input[value='60']:checked").count() == ASPECTS
    assert await page.get_by_label("想说的话").input_value() == "路灯坏了"
    await page.unroute("**/s/*")
    late = await page.context.new_page()
    await late.goto(f"/s/{slip}")
    await late.get_by_label("知道", exact=True).check()
    for number in range(1, ASPECTS + 1):
        await late.locator(f"input[name=v{number}][value='20']").check()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("谢谢您，已收到").wait_for()
    await late.get_by_role("button", name="提交").click()
    await late.get_by_text("已经交过了").wait_for()


async def test_it_works_without_scripts(chromium: Any, site: str, made: World) -> None:
    """The same page with scripts turned off, at 320 px in the largest letters."""
    slip = (await printed(made))[GRID][1]
    context = await chromium.new_context(
        base_url=site, java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    page = await context.new_page()
    await page.goto(f"/s/{slip}")
    await page.get_by_label("知道", exact=True).check()
    for number in range(1, ASPECTS + 1):
        await page.locator(f"input[name=v{number}][value='100']").check()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("谢谢您，已收到").wait_for()
    await context.close()


async def test_pages_of_the_field_keep_the_rules(sign_in: SignIn, made: World) -> None:
    """The interviewer's list and the township's page on the phone."""
    await interviewing(made)
    page = await sign_in(made.county.cousin_worker)
    await page.goto("/appraisal/visits")
    await assert_keeps_the_rules(page)
    await follow(page.get_by_role("link", name="隽1").first)
    await assert_keeps_the_rules(page)
    page = await sign_in(made.county.instructor)
    await page.goto(f"/appraisal/visits/{made.survey.id}/{VILLAGE}")
    await assert_keeps_the_rules(page)
    await page.goto(f"/appraisal/papers/{made.survey.id}")
    await assert_keeps_the_rules(page)


CUT = """(slips) => slips.filter((slip) =>
  slip.scrollWidth > slip.clientWidth || slip.scrollHeight > slip.clientHeight).length"""


async def test_slips_are_whole_on_the_phone_too(sign_in: SignIn, made: World) -> None:
    """The sheet that the township prints shows every aspect and answer before it is printed."""
    page = await sign_in(made.county.instructor)
    await page.goto(f"/appraisal/visits/{made.survey.id}/{VILLAGE}")
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name="打印测评票").click()
    sheet = await opened.value
    await sheet.wait_for_load_state()
    slips = sheet.locator(".ballot-slip")
    await shoot(sheet, "slips")
    assert await slips.count() > 0
    assert await slips.evaluate_all(CUT) == 0
    await assert_reflows(sheet)


async def test_results_on_the_phone_keep_the_rules(sign_in: SignIn, made: World) -> None:
    """From the list to the township, its village and a grid that is told."""
    for token in (await printed(made))[GRID][:6]:
        await ballot(token)
    await closed(made)
    page = await sign_in(made.county.instructor)
    await page.goto("/appraisal/opinion")
    await assert_keeps_the_rules(page)
    for name in ("隽水镇", "隽1社区居委会", "隽1第1网格"):
        await follow(page.get_by_role("link", name=name))
        await page.get_by_role("heading", name=name, exact=True).wait_for()
        await assert_keeps_the_rules(page)


async def test_pages_of_the_desk_keep_the_rules(desk_sign_in: SignIn, made: World) -> None:
    """Households, form, survey and results at the desk."""
    page = await desk_sign_in(made.county.department)
    base = f"/appraisal/desk/cycles/{made.cycle_id}/survey"
    tokens = (await printed(made))[GRID]
    for token in tokens[:25]:
        await ballot(token, words="路灯坏了")
    paths = ["/appraisal/desk/households", "/appraisal/desk/survey-form", base]
    paths += [f"/appraisal/papers/{made.survey.id}"]
    for path in paths:
        await page.goto(path)
        await assert_head(page)
        await assert_accessible(page)
    await closed(made)
    for path in (f"{base}/results?code={VILLAGE}", f"{base}/words", base):
        await page.goto(path)
        await assert_head(page)
        await assert_accessible(page)
    await assert_reflows(page)
