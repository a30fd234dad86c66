"""The roster's pages in a browser: the desk at 1280 px, 名册 on a phone at 390 px."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, expect

from shared.audit import service as audit
from shared.clock import now, today
from shared.identity import sessions
from shared.identity.accounts import ensure_account
from shared.roster import service as roster
from shared.roster.intake import service as intake
from shared.roster.intake.service import RosterFile
from tests.browser.checks import assert_accessible, assert_keeps_the_rules, assert_reflows
from tests.browser.conftest import DESK, Look, SignIn, follow
from tests.browser.village import activate
from tests.factories import COUNTY, Member, acting, small_county
from tests.shared.roster.intake import sheets


async def desk_page(open_context: Callable[..., Any], member: Member, look: Look) -> Page:
    """A desk session, as password and TOTP give it."""
    account_id = await ensure_account(COUNTY, member.person_id)
    made = await sessions.begin(COUNTY, account_id, member.person_id, "desk", now())
    context = await open_context(look, viewport=DESK)
    page: Page = await context.new_page()
    await page.goto("/sign-in")
    await context.add_cookies([{"name": "gm", "value": made.token, "url": page.url}])
    return page


async def test_desk_pages_without_a_link_keep_the_rules(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Axe, one heading, a title, no sideways scroll."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    bad = sheets.staff()
    bad[0]["手机号"] = "1"
    runs = [
        (await intake.preview(actor, RosterFile(name="a.xlsx", data=data), now()))[0]
        for data in (sheets.workbook(sheets.staff()), sheets.workbook(bad))
    ]
    page = await desk_page(open_context, world.department, Look())
    worker = world.worker
    for path in (
        "?unit=421222100001&on=2026-02-01",
        f"/posts/{worker.post_id}/appoint",
        f"/import/{runs[0]}",
        f"/import/{runs[1]}",
    ):
        answer = await page.goto(f"/desk/roster{path}")
        assert answer is not None
        assert answer.status == 200, path
        await assert_keeps_the_rules(page, phone=False)


async def test_a_long_refusal_stays_on_a_narrow_screen(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Its sentence ran out of the page in one line; it leads to the box that it names."""
    world = await small_county()
    await roster.end_assignment(COUNTY, world.worker.assignment_id, today())
    page = await desk_page(open_context, world.department, Look())
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"/desk/roster/posts/{world.worker.post_id}/appoint")
    await page.get_by_label("姓名").fill(world.worker.name)
    await page.get_by_label("手机号").fill("13812345678")
    await page.get_by_label("用工形式").select_option("volunteer")
    await follow(page.get_by_role("button", name="任命"))
    await assert_reflows(page)
    await assert_accessible(page)
    await page.get_by_role("link", name="勾选“是另一个人”").click()
    assert page.url.endswith("#f-another")
    assert await page.locator("#f-another").is_visible()


async def test_a_table_is_printed_whole_and_on_white(
    open_context: Callable[..., Any], committed: None
) -> None:
    """From a dark and large desk too: no menu, no buttons, every column inside the sheet."""
    world = await small_county()
    page = await desk_page(open_context, world.department, Look("dark", "elder"))
    await page.goto("/desk/roster/people")
    await page.emulate_media(media="print", color_scheme="dark")
    await page.set_viewport_size({"width": 1030, "height": 700})
    for hidden in (".side", ".bar", ".filters", ".foot"):
        assert not await page.locator(hidden).is_visible()
    assert await page.locator("table").evaluate("e => e.getBoundingClientRect().right") <= 1030
    ink, ground = await page.evaluate(
        """() => [getComputedStyle(document.querySelector('h1')).color,
                  getComputedStyle(document.querySelector('.table-responsive').parentElement)
                    .backgroundColor]"""
    )
    assert (ink, ground) == ("rgb(26, 26, 26)", "rgb(255, 255, 255)")


async def test_a_file_is_compared_and_accepted(
    open_context: Callable[..., Any], committed: None
) -> None:
    """From the menu to the changed tree, with the mouse."""
    world = await small_county()
    page = await desk_page(open_context, world.department, Look())
    await page.goto("/desk/roster")
    await page.get_by_role("link", name="导入花名册").click()
    upload: Any = {
        "name": "花名册.xlsx",
        "mimeType": "application/octet-stream",
        "buffer": sheets.workbook(sheets.staff()),
    }
    await page.get_by_label("花名册", exact=True).set_input_files(upload)
    await page.get_by_role("button", name="先检查").click()
    await page.get_by_role("button", name="导入", exact=True).click()
    await page.get_by_text("已导入").wait_for()
    await page.get_by_role("link", name="看名册").click()
    await page.get_by_role("link", name="隽水镇").click()
    await page.get_by_role("link", name="石南村委会").click()
    await page.get_by_text("卢立新").wait_for()


async def test_the_phone_list_keeps_the_rules(sign_in: SignIn, committed: None) -> None:
    """Axe, targets of 44 px (60 in 大字版), no sideways scroll; find somebody by initials."""
    world = await small_county()
    await activate(world.chief)
    page = await sign_in(world.chief)
    await page.goto("/verify/people")
    await assert_keeps_the_rules(page)
    await page.get_by_label("找人").fill("oyjs")
    await page.get_by_role("button", name="查找").click()
    await page.get_by_role("link", name="欧阳金山").click()
    await page.get_by_role("button", name="显示完整手机号").wait_for()
    await assert_keeps_the_rules(page)


async def test_the_tab_of_a_refused_sheet_leads_back(sign_in: SignIn, committed: None) -> None:
    """Slips for nobody are refused in a tab of its own, which has no page before."""
    town = await small_county()
    await activate(town.chief)
    page = await sign_in(town.chief)
    await page.goto("/verify/accounts?state=active")
    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="打印激活条").click()
    tab = await opened.value
    await tab.get_by_text("请选择 1 到").wait_for()
    await follow(tab.get_by_role("button", name="返回上一页"))
    await tab.get_by_role("heading", name="村里的账号").wait_for()


async def test_long_sentences_do_not_stretch_the_audit(
    open_context: Callable[..., Any], committed: None
) -> None:
    """A reason without a blank is broken like any other Chinese text."""
    world = await small_county()
    department = await acting(world.department, desk=True)
    reason = "据反映情况经核查属实并已当面告知本人同时报送乡镇备案" * 12
    before, after = {"note": "原"}, {"note": reason}
    await audit.record(
        department, "roster.edit", "person", world.worker.person_id, county_id=COUNTY,
        before=before, after=after, reason=reason,
    )  # fmt: skip
    await audit.log_export(department, reason, reason, 1)
    page = await desk_page(open_context, world.department, Look())
    for path in ("/desk/audit", "/desk/exports"):
        await page.goto(path)
        for details in await page.locator("main details").all():
            await details.evaluate("element => { element.open = true }")
        region = page.locator(".table-responsive")
        wide = await region.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert wide[0] <= wide[1], path


async def test_a_desk_left_alone_shows_its_door(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Typing counts as use and the server hears of it; a warning first, then data go."""
    world = await small_county()
    page = await desk_page(open_context, world.department, Look())
    await page.clock.install()
    await page.goto("/desk/accounts?state=open")
    await page.clock.fast_forward("27:00")
    async with page.expect_response("**/desk/alive") as heard:
        await page.get_by_label("姓名").press("a")
    assert (await heard.value).status == 204
    await page.clock.fast_forward("27:00")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.clock.fast_forward("01:30")
    await page.get_by_text("两分钟后自动退出登录").wait_for()
    await assert_accessible(page)
    await page.get_by_role("button", name="继续使用").press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.clock.fast_forward("27:00")
    assert page.url.endswith("/desk/accounts?state=open")
    await page.clock.fast_forward("04:00")
    await page.wait_for_url("**/desk/sign-in?idle=1&next=*")
    assert page.url.endswith("next=%2Fdesk%2Faccounts%3Fstate%3Dopen")
    await page.get_by_text("为了安全已自动退出").wait_for()


async def test_a_sheet_left_alone_goes_as_well(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Slips that open accounts stay in no tab; the way back is the page with the button."""
    world = await small_county()
    page = await desk_page(open_context, world.department, Look())
    await page.clock.install()
    await page.goto("/desk/accounts?q=欧阳金山")
    await page.locator(f"input[value='{world.worker.person_id}']").check()
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name="打印所选的激活条").click()
    sheet = await opened.value
    await sheet.wait_for_load_state()  # the script has set its clock
    await sheet.clock.fast_forward("31:00")
    await sheet.wait_for_url("**/desk/sign-in?idle=1&next=%2Fdesk%2Faccounts%3F*")


BROKEN = """(words) => {
  const found = [];
  for (const note of document.querySelectorAll('.tick small, .row__note')) {
    const text = note.firstChild;
    for (const word of words) {
      const at = text.data.indexOf(word);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + word.length);
      const tops = [...range.getClientRects()].map((box) => Math.round(box.top));
      if (new Set(tops).size > 1) found.push(text.data);
    }
  }
  return found;
}"""


async def test_the_words_of_an_account_stay_whole(sign_in: SignIn, committed: None) -> None:
    """In large letters too: role, grid and state go to the next line whole."""
    town = await small_county()
    await activate(town.chief, town.lead, town.worker, town.committee, town.supervisor)
    page = await sign_in(town.chief, Look(text_size="elder"))
    words = [
        "已激活",
        "未激活",
        "总网格长",
        "网格员",
        "两委成员",
        "村监委会",
        "第一网格",
        "石南村委会第一网格",
    ]
    for path in ("/verify/accounts", "/verify/people"):
        await page.goto(path)
        assert await page.evaluate(BROKEN, words) == [], path
        await assert_reflows(page)
