"""Every key page keeps the accessibility rules in every look, at 390, 320 and 1280 px.

One world and one sign-in serve many pages: a browser and a PIN hash cost more than a look.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser import village as stage
from tests.browser.checks import assert_accessible, assert_head, assert_reflows, assert_targets
from tests.browser.conftest import Look, SignIn
from tests.browser.village import Village
from tests.points.redemption import scene

LOOKS = [Look(), Look("dark"), Look(text_size="elder"), Look("dark", "elder")]
NARROW = {"width": 320, "height": 640}
WORKER = ("/home", "/work", "/work/new", "/work/new?category=SVC&rule=SVC-01", "/records")
WALLET = ("/wallet", "/code", "/pickups", "/pickups/new")
OWN = ("/me", "/me/look", "/me/pin", "/me/card-pin", "/me/sessions", "/me/data")
VERIFIER = ("/verify", "/verify/done", "/verify/proxy", "/verify/months", "/verify/objections")
OFFICE = ("/verify/people", "/verify/accounts")
COUNTER = ("/shop", "/shop/today", "/shop/pickups")
KEEPER = ("/shop/me", "/shop/staff", "/shop/terminals")
ROSTER = ("/desk/roster", "/desk/roster/people", "/desk/roster/vacancies", "/desk/roster/import")
DESK = ("/desk", "/desk/accounts", "/desk/settings", "/desk/audit", "/desk/exports")


async def visit(page: Page, paths: tuple[str, ...], look: Look, *, wide: bool = False) -> None:
    """Look at each page with all our checks; titles differ."""
    titles: dict[str, str] = {}
    for path in paths:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        await assert_accessible(page)
        await assert_targets(page, 60 if look.text_size in {"elder", "huge"} else 44)
        if not wide:
            await assert_reflows(page)
        title = await assert_head(page)
        assert title not in titles, f"{path} has the title of {titles.get(title)}"
        titles[title] = path


async def lived_in() -> Village:
    """The village with points, waiting and returned work."""
    made = await stage.village()
    await scene.give(made.county.worker, 1720, made.fund_id)
    for number in range(3):
        await stage.declare(made.county.worker, f"参加网格例会，讨论第{number + 1}组道路维修")
    return made


def looks() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.theme}-{look.text_size}")


@looks()
async def test_worker_pages(committed: None, sign_in: SignIn, look: Look) -> None:
    """首页, 记工作, 明细, 我的 and what hangs on them."""
    town = await lived_in()
    await visit(await sign_in(town.county.worker, look), WORKER + WALLET + OWN, look)


@looks()
async def test_verifier_pages(committed: None, sign_in: SignIn, look: Look) -> None:
    """待办, 已办, 名册 and the month, of the secretary."""
    town = await lived_in()
    await visit(await sign_in(town.county.chief, look), VERIFIER + OFFICE, look)


@looks()
async def test_shop_pages(committed: None, sign_in: SignIn, look: Look) -> None:
    """扫码, 商品, 对账, 我的."""
    town = await lived_in()
    await visit(await sign_in(town.keeper, look), COUNTER + KEEPER, look)


@looks()
async def test_desk_pages(committed: None, desk_sign_in: SignIn, look: Look) -> None:
    """The department's menu, at 1280 px."""
    town = await lived_in()
    await visit(await desk_sign_in(town.county.department, look), DESK + ROSTER, look, wide=True)


@pytest.mark.parametrize("who", ["worker", "chief", "keeper"])
async def test_largest_text_on_the_narrowest_phone(
    committed: None, sign_in: SignIn, who: str
) -> None:
    """At 30 px text and 320 px width nothing but a table needs sideways scrolling."""
    town = await lived_in()
    member, paths = {
        "worker": (town.county.worker, WORKER + WALLET + OWN),
        "chief": (town.county.chief, VERIFIER + OFFICE),
        "keeper": (town.keeper, COUNTER + KEEPER),
    }[who]
    page = await sign_in(member, Look(text_size="huge"), viewport=NARROW)
    for path in paths:
        await page.goto(path)
        await assert_reflows(page)


async def test_first_visit_is_light(committed: None, open_context: Callable[..., Any]) -> None:
    """Sign-in page, style sheet and script travel in 45 KB; the HTML itself has at most 14 KB."""
    context = await open_context()
    page: Page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    answer = await page.goto("/sign-in")
    assert answer is not None
    await page.wait_for_load_state("networkidle")
    assert len(sizes) >= 3
    assert sum(sizes) <= 45 * 1024, sizes
    assert len(await answer.body()) <= 14 * 1024
