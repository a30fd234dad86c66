"""Settlement in a browser: the shop's and the signers' phones, the desk, the sheets to print."""

import pytest
from playwright.async_api import Page

from points.ledger import service as ledger
from points.ledger.items import StockMove
from points.settlement import building, queries
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import CorrectionForm
from points.settlement.publication import queries as sheets
from points.settlement.publication import service as publication
from shared.clock import now
from shared.identity.accounts import ensure_account
from shared.ids import new_id
from shared.roster.roles import Role
from tests import factories
from tests.browser.checks import (
    NARROWEST,
    assert_accessible,
    assert_head,
    assert_keeps_the_rules,
    assert_reflows,
    shoot,
)
from tests.browser.conftest import Look, SignIn
from tests.browser.village import activate
from tests.factories import COUNTY
from tests.points.oversight.test_oversight import busy_shop
from tests.points.settlement.world import (
    LAST_MONTH,
    THIS_MONTH,
    World,
    after,
    earn,
    in_last_month,
    redeem,
    undo,
    world,
)

LINES = """(e) => {
  const number = document.createRange();
  number.selectNodeContents(e.firstChild);
  return number.getClientRects().length;
}"""
ROOM = """(row) => row.querySelector('.weui-cell__ft').getBoundingClientRect().right
  - row.querySelector('.amount').getBoundingClientRect().right"""
"""What is left for the arrow at the right of a row."""


async def busy_village() -> World:
    """A month with a statement and a public sheet, and a running month with an undoing."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 2000)
    for day in range(1, 6):
        await redeem(made, in_last_month(day), soap=2, rice=day % 2)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    await publication.publish(COUNTY, LAST_MONTH, now())
    await undo(await redeem(made, now(), soap=1))
    await redeem(made, now(), rice=1)
    await activate(made.shop.keeper, made.county.accountant, made.county.supervisor)
    await activate(made.county.chief, made.county.instructor)
    return made


@pytest.mark.parametrize("size", ["elder", "huge"])
async def test_money_stays_whole_in_large_letters(
    committed: None, sign_in: SignIn, size: str
) -> None:
    """On the narrowest phone no number breaks at its point, and none runs under the arrow."""
    made = await busy_village()
    narrow = {"width": NARROWEST, "height": 700}
    page = await sign_in(made.county.accountant, Look(text_size=size), viewport=narrow)
    await page.goto(f"/funds/{made.fund_id}")
    figure = page.locator(".figure__value")
    await shoot(page, f"fund-{size}")
    assert len(await figure.inner_text()) > 8
    assert await figure.evaluate(LINES) == 1
    grade = "(e) => { e.className = 'figure__value'; e.firstChild.data = '基本合格'; }"
    await figure.evaluate(grade)
    assert await figure.evaluate(LINES) == 1, "a grade of four characters"
    await page.goto("/verify/statements")
    rows = page.locator("a.weui-cell", has=page.locator(".amount"))
    assert min(await rows.evaluate_all(f"(rows) => rows.map({ROOM})")) >= 19
    await shoot(page, f"statements-{size}")


async def test_phone_pages_keep_the_rules(committed: None, sign_in: SignIn) -> None:
    made = await busy_village()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    shop = await sign_in(made.shop.keeper)
    for path, name in (
        ("/shop/statements", "shop-statements"),
        (f"/statements/{statement.id}", "shop-statement"),
    ):
        await shop.goto(path)
        await assert_keeps_the_rules(shop, name)
    chief = await sign_in(made.county.chief)
    for path, name in (
        ("/verify/statements", "to-sign"),
        ("/funds", "funds"),
        (f"/funds/{made.fund_id}", "fund"),
    ):
        await chief.goto(path)
        await assert_keeps_the_rules(chief, name)


async def test_three_people_sign_on_their_phones(committed: None, sign_in: SignIn) -> None:
    """From the shop's objection over its withdrawal to the frozen statement."""
    made = await busy_village()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    shop = await sign_in(made.shop.keeper)
    await shop.goto("/shop/statements")
    await shop.get_by_role("link", name="等店主").click()
    await shop.get_by_label("哪一笔").select_option(index=1)
    await shop.get_by_label("理由").fill("少算一块")
    await shop.get_by_role("button", name="提出异议").click()
    await shop.get_by_text("少算一块").wait_for()
    await shoot(shop, "shop-disputed")
    await shop.get_by_role("button", name="撤回异议").click()
    await shop.get_by_text("已撤回").first.wait_for()
    for member, part in (
        (made.shop.keeper, "店主"),
        (made.county.supervisor, "村监委会"),
        (made.county.accountant, "村会计"),
    ):
        page = shop if member is made.shop.keeper else await sign_in(member)
        await page.goto(f"/statements/{statement.id}")
        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name=f"{part}：确认无误").click()
        await confirm(page)
        await page.get_by_text(member.name).first.wait_for()
    frozen = await queries.statement(COUNTY, statement.id)
    assert frozen
    assert frozen.frozen


async def confirm(page: Page) -> None:
    """Answer the question asked first, if it is one of the page's own."""
    asked = page.locator("dialog[open] button", has_text="确定")
    if await asked.count():
        await asked.first.click()


async def test_desk_pages_and_sheets(committed: None, desk_sign_in: SignIn) -> None:
    made = await busy_village()
    colleague = await factories.member(Role.DEPARTMENT, made.county.units[str(COUNTY)])
    actor = await factories.acting(colleague, desk=True)
    _, [resolution] = await funds.view_fund(actor, made.fund_id)
    form = CorrectionForm(resolution_id=resolution.id, amount_fen=450_000, reason="多输了")
    await funds.propose_correction(actor, made.fund_id, form, now())
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    (sheet,) = await sheets.of_fund(COUNTY, made.fund_id)
    desk = await desk_sign_in(made.county.department)
    for path, name in (
        ("/desk/statements", "desk-statements"),
        (f"/statements/{statement.id}", "desk-statement"),
        ("/desk/funds", "desk-funds"),
        (f"/funds/{made.fund_id}", "desk-fund"),
        (f"/desk/ledger?first={LAST_MONTH}-01", "desk-ledger"),
        ("/desk/calendar", "desk-calendar"),
    ):
        await desk.goto(path)
        await shoot(desk, name)
        await assert_head(desk)
        await assert_accessible(desk)
        await assert_reflows(desk)
    for path, name in (
        (f"/statements/{statement.id}/print", "print-statement"),
        (f"/publications/{sheet.id}", "print-publication"),
    ):
        await desk.goto(path)
        await desk.emulate_media(media="print")
        await shoot(desk, name)
        await assert_head(desk)
        await assert_accessible(desk)


async def test_pages_of_oversight_keep_the_rules(committed: None, desk_sign_in: SignIn) -> None:
    """Clues, a shop's counts, stale accounts, a year's money: at a desk and on a narrow screen."""
    made = await busy_shop()
    await ensure_account(COUNTY, made.county.worker.person_id)
    counted = StockMove(
        id=new_id(),
        shop_id=made.shop.shop_id,
        product_id=made.soap,
        move="count",
        quantity=70,
        at=now(),
        memo="盘点，包装破损的已退供货商",
    )
    assert (await ledger.post_one(COUNTY, counted)).accepted
    desk = await desk_sign_in(made.county.department)
    for path, name in (
        (f"/desk/oversight?month={THIS_MONTH}", "oversight"),
        (f"/desk/shops/{made.shop.shop_id}", "shop-counts"),
        ("/desk/accounts/stale", "stale"),
        (f"/desk/funds?year={THIS_MONTH[:4]}", "funds-year"),
    ):
        await desk.goto(path)
        for width in (1280, 390):
            await desk.set_viewport_size({"width": width, "height": 900})
            await assert_keeps_the_rules(desk, f"{name}-{width}", phone=False)


async def test_a_sheet_is_read_on_the_phone_too(committed: None, sign_in: SignIn) -> None:
    """Before it is printed: no column stands on its characters one by one, the sheet scrolls."""
    made = await busy_village()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    page = await sign_in(made.shop.keeper)
    await page.goto(f"/statements/{statement.id}/print")
    widths = "(cells) => Math.min(...cells.map((cell) => cell.getBoundingClientRect().width))"
    assert await page.locator("td, th").evaluate_all(widths) > 60
    await shoot(page, "statement-print")
    await assert_reflows(page)
