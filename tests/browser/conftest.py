"""A real server, Debian's chromium, and people who sign in with their PIN.

The server runs on the tests' own loop and pool, so a test writes its world with the factories and
then looks at it through the browser. Without chromium or Chinese fonts these tests are skipped
with a loud line at the end of the run, and fail where ``CI`` is set.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from litestar import Litestar
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from deploy import hatch_build
from deploy.single import OneProcess
from shared.clock import now
from shared.identity import accounts
from shared.identity.rules import TOTP_STEP, totp
from tests.browser.village import PIN
from tests.conftest import serving
from tests.factories import COUNTY, Member

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
]
PASSWORD = "correct horse battery"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

Theme = Literal["light", "dark"]
SignIn = Callable[..., Coroutine[Any, Any, Page]]


def _missing() -> str:
    """What keeps a browser test from running, or empty."""
    if CHROMIUM is None:
        return "chromium is not installed (Debian: apt install chromium)"
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False)
    if not fonts.stdout.strip():
        return "no Chinese font is installed (Debian: apt install fonts-noto-cjk)"
    return ""


MISSING = _missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here; without a browser skip them, or fail in CI."""
    for item in items:
        if Path(item.path).parent != Path(__file__).parent:
            continue
        item.add_marker(pytest.mark.browser)
        if MISSING and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that nobody has looked at the pages."""
    if MISSING:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True)
        terminalreporter.line(MISSING)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for the run."""
    if MISSING:
        pytest.fail(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def site(application: Litestar, appraisal_application: Litestar) -> AsyncIterator[str]:
    """Both services on a port of their own, with built assets; yields its address."""
    async with serving(OneProcess(application, appraisal_application)) as address:
        yield address


@pytest.fixture(scope="session", autouse=True)
def built_assets() -> None:
    """The pages' style sheets and scripts, built when their sources have changed."""
    if not MISSING:
        hatch_build.build(ROOT)


class Look(msgspec.Struct, frozen=True):
    """How somebody likes the pages."""

    theme: Theme = "light"
    text_size: str = "normal"


@pytest.fixture
async def open_context(chromium: Browser, site: str) -> AsyncIterator[Callable[..., Any]]:
    """Make a browser context: a phone unless told otherwise, in Chinese, in China's time."""
    made: list[BrowserContext] = []

    async def make(look: Look | None = None, viewport: dict[str, int] = PHONE) -> BrowserContext:
        look = look or Look()
        context = await chromium.new_context(
            base_url=site,
            viewport=viewport,  # type: ignore[arg-type]  # a TypedDict by another name
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme=look.theme,
            reduced_motion="reduce",
            has_touch=viewport["width"] < 800,
        )
        cookies = {"theme": look.theme, "text_size": look.text_size}
        await context.add_cookies(
            [{"name": n, "value": v, "url": site} for n, v in cookies.items()]
        )
        context.set_default_timeout(30_000)
        made.append(context)
        return context

    yield make
    for context in made:
        await context.close()


@pytest.fixture
def sign_in(open_context: Callable[..., Any]) -> SignIn:
    """Sign somebody in through the phone's sign-in page, with phone number and PIN."""

    async def enter(member: Member, look: Look | None = None, **options: Any) -> Page:
        context = await open_context(look, **options)
        page: Page = await context.new_page()
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(member.phone)
        await page.get_by_label("密码", exact=False).first.fill(PIN)
        await page.get_by_role("button", name="登录").click()
        await page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    return enter


async def follow(target: Locator) -> None:
    """Press what leads to another page, and wait until that is there with its scripts.

    A click alone waits only until the answer begins; the page may still be empty then.
    """
    async with target.page.expect_navigation():
        await target.click()


@pytest.fixture
def desk_sign_in(open_context: Callable[..., Any]) -> SignIn:
    """Sign somebody in at a desk, with password and one-time code."""

    async def enter(member: Member, look: Look | None = None, **options: Any) -> Page:
        secrets = await accounts.desk_secrets(PASSWORD, member.phone)
        at = now()
        assert secrets.totp_key is not None
        await accounts.give_desk(COUNTY, member.person_id, secrets, at)
        context = await open_context(look, **({"viewport": DESK} | options))
        page: Page = await context.new_page()
        await page.goto("/desk/sign-in")
        await page.get_by_label("手机号").fill(member.phone)
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_label("动态码").fill(
            totp(secrets.totp_key, int(at.timestamp()) // TOTP_STEP)
        )
        await page.get_by_role("button", name="登录").click()
        await page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    return enter
