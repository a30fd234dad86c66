"""What every page must keep, measured in the browser: axe, target sizes, reflow, title, zoom."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

TARGETS = """(least) => [...document.querySelectorAll(
  'a[href], button, select, input:not([type=hidden]), textarea, summary')]
  .filter((e) => e.checkVisibility?.({checkOpacity: false, checkVisibilityCSS: true}) ?? true)
  .map((e) => {
    const box = (e.closest('label') ?? e).getBoundingClientRect();
    const inline = e.matches('a') && getComputedStyle(e).display === 'inline';
    return {text: (e.innerText || e.name || e.ariaLabel || e.id || e.outerHTML).slice(0, 40),
            width: box.width, height: box.height,
            skip: inline || e.matches('.skip') || box.width === 0};
  })
  .filter((t) => !t.skip && (t.height < least - 0.6 || t.width < least - 0.6))"""
SIDEWAYS = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolling = 'table, .table-responsive, .segments, .table-wrap';
  const offenders = [...document.querySelectorAll('body *')].filter((e) =>
    e.getBoundingClientRect().right > wide + 1 && !e.closest(scrolling));
  return document.documentElement.scrollWidth > wide
    ? offenders.slice(0, 5).map((e) => e.outerHTML.slice(0, 90)) : [];
}"""


async def assert_accessible(page: Page) -> None:
    """Axe finds nothing."""
    results = await Axe().run(page, options={"resultTypes": ["violations"]})
    found = [
        f"{violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for violation in results.response["violations"]
        for node in violation["nodes"][:3]
    ]
    assert found == [], f"{page.url}\n" + "\n".join(found)


async def assert_targets(page: Page, least: int) -> None:
    """Everything that can be pressed is at least ``least`` px wide and high."""
    small: list[dict[str, Any]] = await page.evaluate(TARGETS, least)
    assert small == [], f"{page.url}: {small}"


async def assert_reflows(page: Page) -> None:
    """Nothing but tables needs sideways scrolling."""
    assert await page.evaluate(SIDEWAYS) == [], page.url


async def assert_head(page: Page) -> str:
    """A title, one h1, the language, and a viewport that lets people zoom; returns the title."""
    title = await page.title()
    assert title, page.url
    assert await page.locator("h1").count() == 1, page.url
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    viewport = await page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport
    return title
