"""The counter in a real browser: two phones, one code, and the pages' rules."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from points.ledger import service as ledger
from points.redemption import codes
from shared.clock import now
from shared.identity import sessions
from shared.identity.accounts import ensure_account
from tests.browser.checks import (
    assert_accessible,
    assert_head,
    assert_reflows,
    assert_targets,
    shoot,
)
from tests.browser.conftest import DESK, Look, SignIn, follow
from tests.browser.village import activate
from tests.factories import COUNTY, acting
from tests.points.redemption.scene import counter


async def seen(page: Page, name: str, least: int = 44) -> None:
    """The page keeps the rules; a picture of it where somebody wants to look."""
    await assert_head(page)
    await assert_accessible(page)
    await assert_targets(page, least)
    await assert_reflows(page)
    await shoot(page, f"{name}")


@pytest.mark.parametrize(
    "look", [Look(), Look("dark", "elder")], ids=lambda look: f"{look.theme}-{look.text_size}"
)
async def test_two_phones_one_code(committed: None, sign_in: SignIn, look: Look) -> None:
    """The worker shows a code, the shop types it, picks, confirms; both screens agree."""
    scene = await counter(2070)
    await activate(scene.world.worker, scene.shop.keeper)
    least = 60 if look.text_size == "elder" else 44
    kind = f"{look.theme}-{look.text_size}"
    worker = await sign_in(scene.world.worker, look)
    await worker.goto("/code")
    await seen(worker, f"code-{kind}", least)
    digits = await worker.locator("figcaption").inner_text()

    shop = await sign_in(scene.shop.keeper, look)
    await shop.goto("/shop")
    await seen(shop, f"shop-{kind}", least)
    camera = await shop.get_by_role("button", name="打开相机").bounding_box()
    assert camera
    assert camera["height"] < 80, "its label breaks"
    await shop.get_by_label("输 8 位数字").fill(digits)
    await follow(shop.get_by_role("button", name="下一步"))
    await shop.get_by_role("button", name="增加大米5kg").click()
    await shop.get_by_role("button", name="增加肥皂").click()
    assert await shop.locator("[data-total]").inner_text() == "40"
    await seen(shop, f"goods-{kind}", least)
    await shop.get_by_role("button", name="增加高压锅").click()
    await shop.get_by_text("不够分，还差 43 分").wait_for()
    assert await shop.get_by_role("button", name="确认兑换").is_disabled()
    await shoot(shop, f"short-{kind}")
    await shop.get_by_role("button", name="减少高压锅").click()
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("−40分").wait_for()
    await seen(shop, f"done-{kind}", least)

    await worker.get_by_text("已扣 40 分").wait_for()
    await worker.get_by_text("剩 167 分").wait_for()
    await seen(worker, f"spent-{kind}", least)
    await follow(worker.get_by_role("link", name="看小票"))
    await seen(worker, f"receipt-{kind}", least)

    await follow(shop.get_by_role("link", name="看小票或撤销"))
    await shop.get_by_text("撤销这笔兑换").click()
    await shop.get_by_label("拿错商品").check()
    await seen(shop, f"undo-{kind}", least)
    await shop.get_by_role("button", name="撤销，退回 40 分").click()
    await shop.get_by_text("积分和商品都已退回").wait_for()
    await shop.goto("/shop/today")
    await seen(shop, f"today-{kind}", least)


FELT = """
const shake = navigator.vibrate.bind(navigator);
navigator.vibrate = (pattern) => { window.felt = shake(pattern); return window.felt; };
"""
"""A browser lets a page vibrate once somebody has touched that very page."""


async def lose(route: Route) -> None:
    """The service is asked and answers; the answer does not arrive."""
    await route.fetch()
    await route.abort()


async def test_a_lost_answer_is_said_and_counts_once(committed: None, sign_in: SignIn) -> None:
    """The network dies after 确认兑换: the page stays and says so, the next press tells; felt."""
    scene = await counter(2070)
    await activate(scene.shop.keeper)
    shop = await sign_in(scene.shop.keeper)
    await shop.add_init_script(FELT)
    await shop.goto(f"/r/{await scene.code()}")
    await shop.get_by_role("button", name="增加肥皂").click()
    await shop.route("**/shop/redeem", lose)
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("不知道办成没有").wait_for()
    await seen(shop, "lost")
    await shop.get_by_role("button", name="确定").click()
    await shop.unroute("**/shop/redeem")
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("−5分").wait_for()
    assert await shop.evaluate("window.felt") is True
    assert (await ledger.balances(COUNTY, scene.worker.person_id)).wallet == 2070 - 50
    await expect(shop).to_have_title(re.compile("兑换成功"))
    await follow(shop.get_by_role("link", name="下一位"))
    await shop.get_by_text("今日 1 笔").wait_for()


async def test_other_goods_after_a_lost_answer(committed: None, sign_in: SignIn) -> None:
    """Soap was handed out after all: the page says so, and the rice chosen since is not."""
    scene = await counter(2070)
    await activate(scene.shop.keeper)
    shop = await sign_in(scene.shop.keeper)
    await shop.goto(f"/r/{await scene.code()}")
    await shop.get_by_role("button", name="增加肥皂").click()
    await shop.route("**/shop/redeem", lose)
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_role("dialog").get_by_role("button", name="确定").click()
    await shop.unroute("**/shop/redeem")
    await shop.get_by_role("button", name="增加大米5kg").click()
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("−5分").wait_for()
    assert (await ledger.balances(COUNTY, scene.worker.person_id)).wallet == 2070 - 50


async def test_a_code_that_ran_out_without_network_says_so(
    committed: None, sign_in: SignIn
) -> None:
    """The page stays, and has a new code once there is a network; a wrong clock changes nothing."""
    scene = await counter(2070)
    await activate(scene.world.worker)
    worker = await sign_in(scene.world.worker)
    await worker.clock.install(time=now() + timedelta(hours=3))
    await worker.goto("/code")
    digits = await worker.locator("figcaption").inner_text()
    for _ in range(3):  # no question may be on its way that is answered when time is up
        async with worker.expect_request_finished():
            await worker.clock.run_for(3_000)
    await expect(worker.locator("figcaption")).to_have_text(digits)
    await worker.context.set_offline(True)
    await worker.clock.run_for(300_000)
    await worker.get_by_text("没有网络，这个码已过期").wait_for()
    await seen(worker, "code-offline")
    await worker.context.set_offline(False)
    async with worker.expect_navigation():
        await worker.clock.run_for(3_000)
    await expect(worker.locator("figcaption")).not_to_have_text(digits)


async def test_order_ahead(committed: None, sign_in: SignIn) -> None:
    """Shop, goods, pickup code on one phone; found by its digits and handed over on the other."""
    scene = await counter(2070)
    await activate(scene.world.worker, scene.shop.keeper)
    worker = await sign_in(scene.world.worker)
    await worker.goto("/pickups/new")
    await seen(worker, "pickup-shops")
    await follow(worker.get_by_role("link", name="银城积分超市"))
    await worker.get_by_role("button", name="增加大米5kg").click()
    await seen(worker, "order")
    await worker.get_by_role("button", name="确认预订").click()
    await worker.get_by_text("预订好了").wait_for()
    await seen(worker, "pickup")
    digits = await worker.locator("figcaption").inner_text()
    await worker.goto("/pickups")
    await seen(worker, "pickups")
    shop = await sign_in(scene.shop.keeper)
    await shop.goto("/shop/pickups")
    await seen(shop, "shop-pickups")
    await shop.goto("/shop")
    await shop.get_by_label("输 8 位数字").fill(digits)
    async with shop.expect_navigation():
        await shop.keyboard.press("Enter")
    await shop.get_by_role("button", name="确认交货").wait_for()
    await seen(shop, "hand-over")
    await shop.get_by_role("button", name="确认交货").click()
    await shop.get_by_text("−35分").wait_for()


async def test_going_back_from_a_page_that_answered_a_form(
    committed: None, sign_in: SignIn
) -> None:
    """Back and 大字版 lead from an answer to the page with the form, not to an error."""
    scene = await counter(2070)
    await activate(scene.shop.keeper)
    shop = await sign_in(scene.shop.keeper)
    await shop.goto("/shop")
    await shop.get_by_label("输 8 位数字").fill("12345678")
    await follow(shop.get_by_role("button", name="下一步"))
    await shop.get_by_text("没有这个兑换码").wait_for()
    await follow(shop.get_by_role("button", name="大字版"))
    assert await shop.locator("html").get_attribute("data-text") == "elder"
    await shop.get_by_label("输 8 位数字").fill((await codes.issue(scene.worker, now())).digits)
    await follow(shop.get_by_role("button", name="下一步"))
    await shop.get_by_role("button", name="增加肥皂").click()
    await follow(shop.get_by_role("button", name="确认兑换"))
    await shop.get_by_text("−5分").wait_for()
    await shop.go_back()
    await shop.get_by_label("输 8 位数字").wait_for()


async def test_largest_text_on_the_narrowest_phone(committed: None, sign_in: SignIn) -> None:
    """At 30 px and 320 px the goods still fit."""
    scene = await counter(2070)
    await activate(scene.shop.keeper)
    page = await sign_in(
        scene.shop.keeper, Look(text_size="huge"), viewport={"width": 320, "height": 640}
    )
    await page.goto(f"/r/{await scene.code()}")
    await assert_reflows(page)
    await shoot(page, "goods-huge")


async def test_shelf_and_village(committed: None, sign_in: SignIn) -> None:
    """Stock in, a price asked for on the shop's phone and approved on the secretary's; cards."""
    scene = await counter(2070)
    await activate(scene.shop.keeper, scene.world.chief)
    shop = await sign_in(scene.shop.keeper)
    await shop.goto("/shop/products")
    await seen(shop, "shelf")
    await follow(shop.get_by_role("link", name="肥皂"))
    await shop.get_by_role("spinbutton", name="件数").fill("10")
    await shop.get_by_role("button", name="保存库存").click()
    await shop.get_by_text("入库").last.wait_for()
    await shop.get_by_text("申请调价").click()
    await shop.get_by_label("兑换积分").fill("6")
    await shop.get_by_label("协议进价").fill("五块二")
    await follow(shop.get_by_role("button", name="报村里批准"))
    await shop.locator("#f-purchase:focus").wait_for()
    await expect(shop.get_by_text("金额要填数字")).to_be_in_viewport()
    await shop.get_by_label("协议进价").fill("5.2")
    await seen(shop, "product")
    await shop.get_by_role("button", name="报村里批准").click()
    await shop.get_by_text("等批准").wait_for()
    await shop.goto(f"/r/{await scene.code()}")
    await shop.get_by_role("button", name="增加肥皂").click()
    await shop.get_by_role("button", name="确认兑换").click()
    await shop.get_by_text("−5分").wait_for()

    chief = await sign_in(scene.world.chief)
    await chief.goto("/verify/prices")
    await seen(chief, "prices")
    reason = await chief.locator(".field").first.bounding_box()
    label = await chief.get_by_text("不同意的原因").bounding_box()
    assert reason is not None
    assert label is not None
    assert label["x"] - reason["x"] >= 12
    await chief.get_by_role("button", name="同意", exact=True).click()
    await chief.get_by_text("没有要批准的调价").wait_for()
    await chief.goto("/verify/redemptions")
    await seen(chief, "redemptions")
    await follow(chief.get_by_role("link", name="银城积分超市"))
    await seen(chief, "late-undo")
    await chief.goto("/verify/cards")
    await seen(chief, "cards")
    await chief.get_by_label("欧阳金山").check()
    await chief.get_by_role("button", name="生成可打印的卡").click()
    await chief.get_by_text("积分兑换卡").first.wait_for()
    await shoot(chief, "print-cards")


async def test_the_desk(committed: None, open_context: Callable[..., Any]) -> None:
    """Shops, catalogue and their forms at 1280 px, in light and dark."""
    scene = await counter(0)
    desk = await acting(scene.world.department, desk=True)
    account_id = await ensure_account(COUNTY, desk.person_id)
    begun = await sessions.begin(COUNTY, account_id, desk.person_id, "desk", now())
    for look in (Look(), Look("dark")):
        context = await open_context(look, viewport=DESK)
        page = await context.new_page()
        await page.goto("/desk/sign-in")
        await context.add_cookies([{"name": "gm", "value": begun.token, "url": page.url}])
        for name, path in (
            ("shops", "/desk/shops"),
            ("shop", f"/desk/shops/{scene.shop_id}"),
            ("shop-new", "/desk/shops/new"),
            ("products", "/desk/products"),
            ("product", f"/desk/products/{scene.soap}"),
            ("product-new", "/desk/products/new"),
        ):
            await page.goto(path)
            await assert_head(page)
            await assert_accessible(page)
            await shoot(page, f"desk-{name}-{look.theme}")
