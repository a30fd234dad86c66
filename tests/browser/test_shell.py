"""Pages that need nobody signed in, and what the shell promises: size, theme, weight, headers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.checks import (
    assert_accessible,
    assert_head,
    assert_reflows,
    assert_targets,
)
from tests.browser.conftest import Look

LOOKS = [Look(), Look("dark"), Look(text_size="elder"), Look("dark", "elder")]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.theme}-{look.text_size}")
@pytest.mark.parametrize(
    "path", ["/nowhere", "/desk/nowhere", "/sign-in", "/activate", "/desk/sign-in"]
)
async def test_public_pages_keep_the_rules(
    open_context: Callable[..., Any], look: Look, path: str
) -> None:
    """axe, targets of 44 px (60 in 大字版), title and zoom, light and dark."""
    page = await (await open_context(look)).new_page()
    await page.goto(path)
    await assert_head(page)
    await assert_accessible(page)
    await assert_targets(page, 60 if look.text_size == "elder" else 44)


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
