"""Every page that a person can reach by links keeps the rules.

One world and one sign-in serve a whole walk: a browser and a PIN hash cost more than a look.
"""

import io
import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.async_api import Page, Response

import appraisal.routes
import points.routes
from shared.identity.actor import Actor
from shared.identity.routes import may_ask
from shared.web.pages import DESK_PATHS
from tests import factories
from tests.browser import village as stage
from tests.browser.checks import assert_keeps_the_rules
from tests.browser.conftest import PHONE, Look, SignIn, Theme
from tests.browser.village import Village
from tests.factories import Member, acting
from tests.points.redemption import scene

NO_PAGE = re.compile(
    r"/(health|ready|metrics|alive|api/.*)?$|\.(xlsx|docx|txt|json)$"
    r"|/file$|/photo$|/state$|^/sign-out"
)
ROUTES = {**points.routes.ROUTES, **appraisal.routes.ROUTES}
PRINT = re.compile(
    r"/(print|sheet|slips|brief)$|months/.*/notice$|^/publications/|^/verify/cards"
    r"|^/appraisal/notices/|/steps/\d+$"
)
"""Sheets have a look of their own: black on white, for paper."""
EVERYBODYS = (
    *("/home", "/me", "/work", "/records", "/deductions", "/wallet", "/code", "/pickups"),
    *("/confirm", "/appraisal/me"),
)
"""Looked at as a worker's."""
# 我的 of a shop is 我的 of everybody at another address: such twins may share their title.
NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[A-Z]{3,4}-\d\d\b|\b\d{6,15}\b|\d{4}-\d\d")


async def walk(page: Page, starts: Iterable[str], ours: Callable[[str], bool]) -> set[str]:
    """Follow links from the starts; look at one page of each kind that is ours.

    Returns the kinds seen.
    """
    seen: set[str] = set()
    titles: dict[str, str] = {}
    waiting = deque(starts)
    while waiting:
        path = waiting.popleft()
        kind = NAMES.sub("…", urlsplit(path).path)
        if kind in seen or NO_PAGE.search(kind):
            continue
        seen.add(kind)
        answer = await page.goto(path)
        assert isinstance(answer, Response)
        assert answer.status == 200, path
        here = urlsplit(page.url).path
        waiting.extend(await links(page))
        if not ours(here) or PRINT.search(kind) or NAMES.sub("…", here) != kind:
            continue
        assert len(await answer.body()) < 60_000, path
        title = await assert_keeps_the_rules(page, phone=not here.startswith(DESK_PATHS))
        twin = titles.setdefault(title, kind)
        assert kind.endswith(twin) or twin.endswith(kind), f"{path} has the title of {twin}"
    return seen


async def links(page: Page) -> list[str]:
    """Where the page's links lead within the site."""
    found: list[str] = await page.evaluate(
        "[...document.querySelectorAll('a[href]')].filter((a) => a.origin === location.origin"
        " && !a.getAttribute('href').startsWith('#')).map((a) => a.pathname + a.search)"
    )
    return found


def pages_of(actor: Actor) -> list[str]:
    """The fixed addresses of pages that the table of permissions opens to somebody."""
    return [
        route.removeprefix("GET ")
        for route, access in ROUTES.items()
        if route.startswith("GET /")
        and "{" not in route
        and not access.public
        and may_ask(actor, access)
    ]


async def lived_in() -> Village:
    """The village with points, waiting, returned and posted work, and a redemption."""
    made = await stage.village()
    await scene.give(made.county.worker, 1720, made.fund_id)
    await stage.some_work(made)
    await stage.redeem(made)
    return made


async def walked(page: Page, member: Member, besides: tuple[str, ...] = ()) -> set[str]:
    """Everything that somebody may open on a phone, ``besides`` what others look at."""
    starts = [p for p in pages_of(await acting(member)) if not p.startswith(DESK_PATHS)]
    return await walk(page, starts, lambda path: not path.startswith(besides))


async def test_worker_pages(committed: None, sign_in: SignIn) -> None:
    """首页, 记工作, 明细, 我的 and what hangs on them."""
    town = await lived_in()
    seen = await walked(await sign_in(town.county.worker), town.county.worker)
    assert {"/home", "/work", "/records", "/records/…", "/records/month", "/code"} <= seen
    assert {"/wallet/…", "/me"} <= seen


async def test_verifier_pages(committed: None, sign_in: SignIn) -> None:
    """待办, 已办, 名册, the month, funds and accounts, of the village secretary."""
    town = await lived_in()
    seen = await walked(await sign_in(town.county.chief), town.county.chief, EVERYBODYS)
    assert {"/verify", "/verify/done", "/verify/people", "/verify/months/…/…"} <= seen


async def test_shop_pages(committed: None, sign_in: SignIn) -> None:
    """扫码, 商品, 对账, 我的."""
    town = await lived_in()
    seen = await walked(await sign_in(town.keeper), town.keeper, EVERYBODYS)
    assert {"/shop", "/shop/today", "/shop/products", "/shop/statements", "/shop/me"} <= seen


async def test_desk_pages(committed: None, desk_sign_in: SignIn) -> None:
    """The department's menu at 1280 px."""
    town = await lived_in()
    page = await desk_sign_in(town.county.department)
    pages = pages_of(await acting(town.county.department, desk=True))
    starts = [path for path in pages if path.startswith(DESK_PATHS)]
    seen = await walk(page, starts, lambda path: path.startswith(DESK_PATHS))
    menu = "roster rules months funds shops products statements ledger audit exports settings"
    assert {f"/desk/{name}" for name in menu.split()} <= seen


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_wide_table_says_that_it_goes_on(
    committed: None, desk_sign_in: SignIn, theme: Theme
) -> None:
    """On a narrow screen a shade lies at the edge behind which there is more, and at no other."""
    county = await factories.small_county()
    page = await desk_sign_in(county.department, Look(theme), viewport=PHONE)
    await page.goto("/desk/roster/people")
    region = page.locator(".table-responsive")
    await region.evaluate("element => element.scrollIntoView()")
    assert await edges(page) == (False, True)
    await region.evaluate("element => element.scrollTo({left: 40, behavior: 'instant'})")
    assert await edges(page) == (True, True)
    await region.evaluate("element => element.scrollTo({left: 9999, behavior: 'instant'})")
    assert await edges(page) == (True, False)


async def test_the_narrow_menu_begins_at_its_page(committed: None, desk_sign_in: SignIn) -> None:
    """Of twenty entries in a row, the one of the page is in sight."""
    county = await factories.small_county()
    page = await desk_sign_in(county.department, viewport=PHONE)
    await page.goto("/desk/settings")
    here = await page.locator(".side [aria-current]").bounding_box()
    assert here is not None
    assert here["x"] >= 0
    assert here["x"] + here["width"] <= PHONE["width"]


async def edges(page: Page) -> tuple[bool, bool]:
    """Whether the ground of a table's first row is shaded at its left and at its right."""
    row = await page.locator(".table-responsive tbody tr").first.bounding_box()
    box = await page.locator(".table-responsive").bounding_box()
    assert row is not None
    assert box is not None
    clip = {"x": box["x"], "y": row["y"] + 3, "width": box["width"], "height": 1}
    picture = await page.screenshot(clip=clip)  # type: ignore[arg-type]  # a TypedDict
    line = Image.open(io.BytesIO(picture)).convert("L")
    ground, *sides = (line.getpixel((x, 0)) for x in (line.width // 2, 2, line.width - 3))
    left, right = (abs(side - ground) > 8 for side in sides)  # type: ignore[operator]
    return left, right


async def test_first_visit_is_light(open_context: Callable[..., Any]) -> None:
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
