"""The whole story on three phones of 390 px and one desk of 1280 px, and that everybody agrees."""

import re
from datetime import timedelta

from playwright.async_api import Page

from points.settlement import building
from shared.clock import now, today
from tests.browser import village as stage
from tests.browser.conftest import SignIn, follow
from tests.factories import COUNTY
from tests.points.redemption import scene


async def balance(page: Page) -> str:
    """可用积分 on 首页."""
    await page.goto("/home")
    return re.sub(r"\D", "", await page.locator(".figure__value").inner_text())


async def declare(worker: Page) -> None:
    """Four taps: 记工作, the category, the item, 提交."""
    await worker.get_by_role("link", name="记工作").click()
    await worker.get_by_role("link", name="组织生活参与").click()
    await worker.get_by_role("link", name="参加网格例会").click()
    await worker.get_by_role("button", name="提交").click()
    await worker.get_by_role("heading", name="已提交").last.wait_for()


async def test_from_work_to_statement(
    committed: None, sign_in: SignIn, desk_sign_in: SignIn
) -> None:
    """Logged, verified, posted, redeemed: balance, day, ledger and statement say the same."""
    town = await stage.village()
    await scene.give(town.county.worker, 200, town.fund_id)
    worker = await sign_in(town.county.worker)
    assert await balance(worker) == "20"
    await declare(worker)
    await worker.get_by_text(f"等{town.county.lead.name}核实").wait_for()
    assert await balance(worker) == "20"

    lead = await sign_in(town.county.lead)
    await lead.goto("/verify")
    await lead.get_by_role("button", name="通过", exact=True).click()
    await lead.get_by_text("没有等您核实的记录").wait_for()
    assert await balance(worker) == "21"

    await follow(worker.get_by_role("link", name="出示兑换码"))
    digits = await worker.locator("figcaption").inner_text()
    shop = await sign_in(town.keeper)
    await shop.get_by_label("输 8 位数字").fill(digits)
    await follow(shop.get_by_role("button", name="下一步"))
    for _ in range(2):
        await shop.get_by_role("button", name="增加肥皂").click()
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("−10分").wait_for()
    await worker.get_by_role("heading", name="已扣 10 分").wait_for()
    await worker.get_by_text("剩 11 分").wait_for()
    assert await balance(worker) == "11"

    await shop.goto("/shop/today")
    assert "10" in await shop.locator(".figure__value").inner_text()
    await shop.goto("/shop/statements")
    running = await shop.locator(".figure").inner_text()
    assert "9.00" in running
    assert re.search(r"积分\s*10", running)

    desk = await desk_sign_in(town.county.department)
    await desk.goto("/desk/ledger")
    row = await desk.get_by_role("row").filter(has_text="肥皂").inner_text()
    assert town.county.worker.name in row or town.county.worker.name[0] in row
    assert re.search(r"\b10\b", row)

    month = f"{today():%Y-%m}"
    await building.build(None, COUNTY, month, now() + timedelta(days=32))
    await shop.goto("/shop/statements")
    await follow(shop.get_by_role("link").filter(has_text="积分超市").first)
    statement = await shop.locator("main").inner_text()
    assert "9.00" in statement
    assert "肥皂" in statement


async def test_offline_work_arrives_once(committed: None, sign_in: SignIn) -> None:
    """Declared without network, sent when it is back, one record however often it is tried."""
    town = await stage.village()
    worker = await sign_in(town.county.worker)
    await worker.goto("/work/new?category=ORG&rule=ORG-02")
    await worker.context.set_offline(offline=True)
    await worker.get_by_role("button", name="提交").click()
    await worker.get_by_text("已存在手机里，有网自动上传（1）").wait_for()
    await worker.context.set_offline(offline=False)
    await worker.locator(".outbox").wait_for(state="detached")
    await worker.evaluate("window.dispatchEvent(new Event('online'))")
    await worker.goto("/records")
    assert await worker.locator("#records .weui-cell").count() == 1


async def test_an_ended_session_loses_nothing(committed: None, sign_in: SignIn) -> None:
    """The record waits for the PIN and arrives after signing in again."""
    town = await stage.village()
    worker = await sign_in(town.county.worker)
    await worker.goto("/work/new?category=ORG&rule=ORG-02")
    session = [c for c in await worker.context.cookies() if c["name"] == "gm"]
    await worker.context.clear_cookies(name="gm")
    await worker.get_by_role("button", name="提交").click()
    await worker.get_by_role("link", name="登录后上传").wait_for()
    await worker.context.add_cookies(session)  # type: ignore[arg-type]  # its own TypedDict
    async with worker.expect_response(lambda answer: answer.url.endswith("/done")):
        await worker.goto("/home")
    await worker.goto("/records")
    assert await worker.locator("#records .weui-cell").count() == 1
