"""Pages that need nobody signed in, and what the shell promises: size, theme, weight, headers."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared.clock import now
from shared.identity import desk
from shared.identity.rules import TOTP_STEP, totp
from shared.roster.roles import Role
from tests.browser.checks import (
    assert_keeps_the_rules,
    assert_reflows,
)
from tests.browser.conftest import Look, follow
from tests.factories import COUNTY, member, small_county


@pytest.mark.parametrize(
    "path", ["/nowhere", "/desk/nowhere", "/sign-in", "/activate", "/desk/sign-in"]
)
async def test_public_pages_keep_the_rules(open_context: Callable[..., Any], path: str) -> None:
    """axe, targets of 44 px (60 in 大字版), title and zoom, light and dark."""
    page = await (await open_context()).new_page()
    await page.goto(path)
    await assert_keeps_the_rules(page)


async def test_the_holder_takes_a_desk_account_over(
    committed: None, open_context: Callable[..., Any]
) -> None:
    """With the sheet in, with a password and an authenticator of one's own to the desk."""
    world = await small_county()
    someone = await member(Role.DEPARTMENT, world.units["421222"])
    first, own = "village oak in white bloom", "quiet river under an old bridge"
    made = await desk.create_on_console(
        COUNTY, someone.name, someone.phone, someone.role, first, now()
    )
    page = await (await open_context()).new_page()
    await page.goto("/desk/sign-in")
    await page.get_by_label("手机号").fill(someone.phone)
    await page.get_by_label("密码").fill(first)
    await page.get_by_label("动态码").fill(made.code)
    await follow(page.get_by_role("button", name="登录"))
    assert urlsplit(page.url).path == "/desk/take-over"
    await assert_keeps_the_rules(page)
    key = base64.b32decode((await page.locator("code").inner_text()).replace(" ", ""))
    await page.get_by_label("新密码").fill(own)
    await page.get_by_label("再输一次").fill(own)
    code = page.get_by_role("textbox", name="动态码")
    await code.fill(totp(key, int(now().timestamp()) // TOTP_STEP))
    await follow(page.get_by_role("button", name="设好"))
    assert await page.locator("td.code").count() == 8
    assert "只显示这一次" in await page.locator("h1 ~ p").first.inner_text()
    await follow(page.get_by_role("link", name="进入管理台"))
    assert urlsplit(page.url).path == "/desk"


async def test_text_size_button_works_without_scripts(open_context: Callable[..., Any]) -> None:
    """大字版 stands on every phone page and comes back to it, already large in the first byte."""
    page = await (await open_context()).new_page()
    await page.goto("/sign-in")
    await page.get_by_role("button", name="大字版").click()
    await page.wait_for_url("**/sign-in")
    assert await page.locator("html").get_attribute("data-text") == "elder"
    size = await page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 18


async def test_text_size_button_comes_back_to_the_same_question(
    open_context: Callable[..., Any],
) -> None:
    """What was asked for in the address is asked again: a filter, a chosen item, the way on."""
    page = await (await open_context()).new_page()
    await page.goto("/sign-in?next=/records")
    await page.get_by_role("button", name="大字版").click()
    await page.locator("html[data-text=elder]").wait_for()
    assert page.url.endswith("/sign-in?next=/records")


async def test_largest_text_fits_the_narrowest_phone(open_context: Callable[..., Any]) -> None:
    """At 30 px text and 320 px width nothing runs out of the page."""
    context = await open_context(Look(text_size="huge"), viewport={"width": 320, "height": 640})
    page = await context.new_page()
    await page.goto("/nowhere")
    await assert_reflows(page)
