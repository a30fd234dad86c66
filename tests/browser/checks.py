"""What every page must keep, measured in the browser: axe, target sizes, reflow, title, zoom.

What begins a look at a page waits until it is loaded: a click, or a text that is there already,
may come while half the page is still under way.
"""

import os
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

TARGETS = """(least) => [...document.querySelectorAll(
  'a[href], button, select, input:not([type=hidden]), textarea, summary')]
  .filter((e) => e.checkVisibility?.({checkOpacity: false, checkVisibilityCSS: true}) ?? true)
  .map((e) => {
    const box = (e.closest('label') ?? e).getBoundingClientRect();
    const inline = e.matches('a') && getComputedStyle(e).display === 'inline';
    const cell = inline && e.closest('td, dd');
    const [width, height] = cell ? [0, 24] : [least - 0.6, least - 0.6];
    return {text: (e.innerText || e.name || e.ariaLabel || e.id || e.outerHTML).slice(0, 40),
            width: box.width, height: box.height,
            small: box.width < width || box.height < height,
            skip: inline && !cell || e.matches('.skip') || box.width === 0};
  })
  .filter((t) => t.small && !t.skip)"""
SIDEWAYS = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolling = 'table, .table-responsive, .segments, .table-wrap';
  const offenders = [...document.querySelectorAll('body *')].filter((e) =>
    e.getBoundingClientRect().right > wide + 1 && !e.closest(scrolling));
  return document.documentElement.scrollWidth > wide
    ? offenders.slice(0, 5).map((e) => e.outerHTML.slice(0, 90)) : [];
}"""


LOOKS = (("light", "normal"), ("dark", "normal"), ("light", "elder"), ("dark", "elder"))
NARROWEST = 320
SHOTS = os.environ.get("SHOTS", "")
"""A folder for pictures to look at; none are kept otherwise."""


async def assert_keeps_the_rules(page: Page, name: str = "", *, phone: bool = True) -> str:
    """All checks in every look, and on phones the reflow of the largest text at 320 px.

    Size and theme are attributes of the root element, so one load serves; that the server sets
    them in the first byte is tested elsewhere. Colours are the theme's and boxes the size's, so axe
    looks at two of the four. Returns the page's title; ``name`` is that of its pictures.
    """
    for theme, size in LOOKS:
        await wear(page, theme, size)
        if name:
            await shoot(page, f"{name}-{theme}-{size}")
        if (theme, size) in {LOOKS[0], LOOKS[-1]}:
            await assert_accessible(page)
        await assert_targets(page, 60 if size == "elder" else 44)
    if not phone:
        await assert_reflows(page)
    if phone:
        before = page.viewport_size
        assert before is not None
        await assert_reflows(page)
        await page.set_viewport_size({"width": NARROWEST, "height": before["height"]})
        await wear(page, "light", "huge")
        await assert_reflows(page)
        await page.set_viewport_size(before)
    return await assert_head(page)


async def wear(page: Page, theme: str, size: str) -> None:
    """Put a look on a page."""
    await page.wait_for_load_state()
    await page.evaluate(
        "([theme, text]) => Object.assign(document.documentElement.dataset, {theme, text})",
        [theme, size],
    )


async def assert_accessible(page: Page) -> None:
    """Axe finds nothing."""
    await page.wait_for_load_state()
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = await page.evaluate(
        "async () => (await axe.run({resultTypes: ['violations']})).violations"
    )
    found = [
        f"{violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for violation in violations
        for node in violation["nodes"][:3]
    ]
    look = await page.evaluate("JSON.stringify(document.documentElement.dataset)")
    assert found == [], f"{page.url} {look}\n" + "\n".join(found)


async def assert_targets(page: Page, least: int) -> None:
    """Everything that can be pressed is at least ``least`` px wide and high."""
    small: list[dict[str, Any]] = await page.evaluate(TARGETS, least)
    assert small == [], f"{page.url}: {small}"


async def assert_reflows(page: Page) -> None:
    """Nothing but tables needs sideways scrolling."""
    assert await page.evaluate(SIDEWAYS) == [], page.url


async def assert_head(page: Page) -> str:
    """A title, one h1, the language, and a viewport that lets people zoom; returns the title."""
    await page.wait_for_load_state()
    title = await page.title()
    assert title, page.url
    assert await page.locator("h1").count() == 1, page.url
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    viewport = await page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport
    return title


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
