"""Work in a browser: declared on a phone, offline too, confirmed on another; the desk's months."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from playwright.async_api import Page, expect

from appraisal.notice import service as notice
from points.rulebook import service as rulebook
from points.work import bulk, deductions, intake, service
from points.work import month as months
from points.work.deductions import Proposal
from points.work.schemas import LogForm
from shared.clock import now, today
from shared.database import DB
from shared.ids import new_id
from tests.appraisal.casework.scene import actor_of, form, result, scene, served
from tests.browser.checks import assert_accessible, assert_keeps_the_rules, shoot
from tests.browser.conftest import PHONE, Look, SignIn, follow
from tests.browser.test_roster import desk_page
from tests.browser.village import PIN, activate
from tests.factories import COUNTY, Member, SmallCounty, acting, also_in, small_county
from tests.points.work import test_month as month
from tests.points.work.test_intake import HEAD, WORKER

ROWS_OF_TEXT = """(all) => all.map((e) => {
  const range = document.createRange();
  range.selectNodeContents(e);
  return [e.innerText, range.getClientRects().length];
})"""
"""How many rows the text of each element takes."""
WIDTHS_OF_LINES = """(e) => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const size = parseFloat(getComputedStyle(e).fontSize);
  return [...range.getClientRects()].map((line) => line.width / size);
}"""
GRID = "421222100001001"
VILLAGE = "421222100001"


async def busy_county() -> SmallCounty:
    """Records in every state: pending, confirmed, posted, returned, cut; one deduction."""
    town = await small_county()
    on = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
    rows = [f"{on + timedelta(days=7 * n)},{GRID},{WORKER},ORG-02,参加网格例会," for n in range(4)]
    rows += [f"{on + timedelta(days=n)},{GRID},{WORKER},SVC-01,代办医保缴费," for n in range(3)]
    data = "\n".join([HEAD, *rows]).encode()
    await intake.import_work(None, COUNTY, data, "a.csv", now=now())
    number = on.year * 100 + on.month
    await bulk.verify_month(COUNTY, number, now())
    await bulk.post_month(COUNTY, number, now())
    worker = await acting(town.worker)
    for code, text in (
        ("SVC-02", "上门为行动不便老人测血压"),
        ("MED-01", "劝解邻里宅基地纠纷"),
        ("ORG-01", "参加主题党日"),
        ("OPN-01", "上报路灯损坏"),
        ("ORG-04", "参加清洁行动"),
    ):
        form = LogForm(id=new_id(), rule_code=code, work_date=today(), text=text)
        record = await service.log(worker, form, now())
        if code == "ORG-04":
            await service.send_back(
                await acting(town.lead), record.id, "日期写错了，请改正", now=now()
            )
        if code == "ORG-01":
            await service.verify(await acting(town.lead), record.id, now=now())
    form = LogForm(
        id=new_id(),
        rule_code="CARE-01",
        work_date=today(),
        text="探访独居老人",
        household="0012",
        worker_id=town.worker.person_id,
    )
    await service.log(await acting(town.chief), form, now())
    await deductions.propose(
        await acting(town.lead),
        Proposal(
            worker_id=town.worker.person_id,
            code="PEN-01",
            amount=20,
            happened_on=today(),
            facts="11月例会无故缺席",
            evidence="签到表",
        ),
        now(),
    )
    return town


async def test_todo_counts_the_cases_of_the_other_service(sign_in: SignIn, committed: None) -> None:
    """The row asks for the number when the page stands; every look keeps the rules."""
    made = await scene(now=now())
    await result(made, made.town.worker, "basic", "64.0")
    await served(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    await notice.object_to(worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now)
    await activate(made.town.instructor)
    page = await sign_in(made.town.instructor)
    await page.goto("/verify")
    await page.get_by_role("link", name="考核事项").get_by_text("1 件").wait_for()
    await assert_keeps_the_rules(page, "todo-counts")


async def test_the_worker_s_pages_keep_the_rules(sign_in: SignIn, committed: None) -> None:
    """Axe, targets, reflow, on every page of a worker with a full history."""
    town = await busy_county()
    await activate(town.worker)
    page = await sign_in(town.worker)
    for path, name in (
        ("/home", "home"),
        ("/work", "work"),
        ("/work/new?category=SVC", "choose"),
        ("/work/new?category=SVC&rule=SVC-01", "new"),
        ("/work/new?category=CARE&rule=CARE-01", "new-care"),
        ("/records", "records"),
        ("/deductions", "deductions"),
    ):
        await page.goto(path)
        await assert_keeps_the_rules(page, name)
    await page.goto("/records?show=returned")
    await page.get_by_text("参加清洁行动").click()
    await page.get_by_text("日期写错了").first.wait_for()
    await assert_keeps_the_rules(page, "record-returned")
    await page.goto("/records?show=posted")
    await page.get_by_text("参加网格例会").first.click()
    await page.get_by_text("谁核实的").wait_for()
    await assert_keeps_the_rules(page, "record-posted")
    await page.goto("/deductions")
    await page.get_by_text("网格例会无故缺席").click()
    await page.get_by_label("陈述").wait_for()
    await assert_keeps_the_rules(page, "deduction")


async def test_the_verifier_s_pages_keep_the_rules(sign_in: SignIn, committed: None) -> None:
    """待办 with its cards, batch preview, 代录, the month, deductions."""
    town = await busy_county()
    await activate(town.lead, town.chief)
    page = await sign_in(town.lead)
    await page.goto("/verify")
    await assert_keeps_the_rules(page, "todo")
    await follow(page.get_by_role("button", name="先看一遍再通过"))
    await assert_keeps_the_rules(page, "preview")
    month = (today().replace(day=1) - timedelta(days=1)).strftime("%Y%m")
    for path, name in (
        ("/verify/done", "done"),
        ("/verify/months", "months"),
        (f"/verify/months/{VILLAGE}/{month}", "month"),
        ("/verify/deductions", "verify-deductions"),
        ("/verify/deductions/new", "deduction-new"),
        ("/verify/objections", "objections"),
    ):
        await page.goto(path)
        await assert_keeps_the_rules(page, name)
    desk = await acting(town.department, desk=True)
    rule = (await rulebook.history(COUNTY, "ORG-02"))[-1]
    wide = msgspec.structs.replace(rule, village_least=5, village_most=30, effective_from=today())
    await rulebook.change_rule(desk, wide, now() - timedelta(days=1))
    page = await sign_in(town.chief)
    for path, name in (
        ("/verify/proxy", "proxy"),
        ("/verify/variants", "variants"),
        (f"/verify/variants?village={VILLAGE}&code=ORG-02", "variant"),
    ):
        await page.goto(path)
        await assert_keeps_the_rules(page, name)


async def test_headings_of_the_todo_page_stand_below_each_other(
    sign_in: SignIn, committed: None
) -> None:
    """等您核实 stands on the page itself, 其他事项 in a group of rows."""
    town = await busy_county()
    await activate(town.lead)
    page = await sign_in(town.lead)
    await page.goto("/verify")
    starts: list[float] = await page.evaluate(
        """[...document.querySelectorAll('main h2.weui-cells__title')].map((e) => {
          const text = document.createRange();
          text.selectNodeContents(e);
          return text.getBoundingClientRect().left;
        })"""
    )
    assert len(starts) == 2
    assert len(set(starts)) == 1


async def test_more_rows_take_the_place_of_the_button(sign_in: SignIn, committed: None) -> None:
    """加载更多 by the keyboard goes on at the first new row; 通过 and 退回 are 60 px high."""
    town = await small_county()
    await activate(town.worker, town.lead)
    worker = await acting(town.worker)
    for number in range(service.PAGE + 2):
        form = LogForm(
            id=new_id(), rule_code="ORG-02", work_date=today(), text=f"参加第 {number} 组例会"
        )
        await service.log(worker, form, now=now())
    page = await sign_in(town.worker)
    await page.goto("/records")
    await page.get_by_role("link", name="加载更多").press("Enter")
    await expect(page.get_by_role("link", name="参加第 1 组例会")).to_be_focused()
    await expect(page.locator("#records a")).to_have_count(service.PAGE + 2)
    page = await sign_in(town.lead)
    await page.goto("/verify")
    for name in ("通过", "退回"):
        box = await page.get_by_role("button", name=name, exact=True).first.bounding_box()
        assert box is not None
        assert box["height"] >= 60, name


async def test_the_story_of_one_record(sign_in: SignIn, committed: None) -> None:
    """Four taps to declare; the lead confirms; the worker sees who did."""
    town = await small_county()
    await activate(town.worker, town.lead)
    page = await sign_in(town.worker)
    await page.goto("/home")
    await page.get_by_role("link", name="记工作").first.click()
    await page.get_by_role("link", name="组织生活参与").click()
    await page.get_by_role("link", name="参加网格例会").click()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("heading", name="已提交").first.wait_for()
    await page.get_by_text(f"等{town.lead.name}核实").wait_for()
    await shoot(page, "story-done")

    lead = await sign_in(town.lead)
    await lead.goto("/verify")
    await lead.get_by_role("button", name="通过", exact=True).click()
    await lead.get_by_text("没有等您核实的记录").wait_for()

    await page.goto("/records")
    await page.get_by_text("参加网格例会").first.click()
    await page.get_by_text(town.lead.name).wait_for()


async def test_a_refusal_in_a_long_list_is_led_to(sign_in: SignIn, committed: None) -> None:
    """Sent back without a reason: the card that says so comes into view, far down the page."""
    town = await small_county()
    await activate(town.lead)
    worker = await acting(town.worker)
    for number in range(12):
        form = LogForm(
            id=new_id(), rule_code="ORG-02", work_date=today(), text=f"参加第 {number} 组例会"
        )
        await service.log(worker, form, now=now())
    page = await sign_in(town.lead)
    await page.goto("/verify")
    await page.get_by_role("button", name="退回", exact=True).last.click()
    await follow(page.get_by_role("dialog").get_by_role("button", name="退回", exact=True))
    refused = page.get_by_role("alert").filter(has_text="请写明退回的原因")
    await expect(refused).to_be_focused()
    await expect(refused).to_be_in_viewport()


async def test_nothing_is_lost_offline_and_nothing_comes_twice(
    sign_in: SignIn, committed: None
) -> None:
    """Written without network it waits on the phone; with network it is one record."""
    town = await small_county()
    await activate(town.worker)
    page = await sign_in(town.worker)
    await page.goto("/work/new?category=SVC&rule=SVC-01")
    await page.context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("已存在手机里").first.wait_for()
    await shoot(page, "offline")
    await expect(page.get_by_text("换一项")).to_have_count(0)
    await expect(page.get_by_text("有网时再打开网格积分，会自动上传")).to_be_visible()
    count = "SELECT count(*) FROM points.work_record WHERE county_id = $1"
    assert await DB.fetchval(count, COUNTY) == 0
    await page.context.set_offline(offline=False)
    await page.goto("/records")
    for _ in range(300):
        if await DB.fetchval(count, COUNTY):
            break
        await page.wait_for_timeout(100)
    told = page.get_by_role("status").filter(has_text="存在手机里的 1 条已上传。")
    await shoot(page, "uploaded")
    await expect(page.get_by_text("已存在手机里")).to_have_count(0)
    await follow(told.get_by_role("link", name="去看看"))
    await page.get_by_text("代办医保缴费").first.wait_for()
    await page.goto("/home")
    assert await DB.fetchval(count, COUNTY) == 1


async def test_going_back_to_the_form_is_another_record(sign_in: SignIn, committed: None) -> None:
    """Browsers keep what was in a form, its id, too: the second record was refused or swallowed."""
    town = await small_county()
    await activate(town.worker)
    page = await sign_in(town.worker)
    await page.goto("/work/new?category=SVC&rule=SVC-01")
    await page.get_by_label("自己写").fill("帮张大爷交电费")
    await follow(page.get_by_role("button", name="提交"))
    await page.get_by_text("帮张大爷交电费").wait_for()
    await page.go_back()
    await page.get_by_label("自己写").fill("帮李大娘取药")
    await follow(page.get_by_role("button", name="提交"))
    await page.get_by_text("帮李大娘取药").wait_for()
    written = "SELECT text FROM points.work_record WHERE county_id = $1 ORDER BY declared_at"
    texts = [row["text"] for row in await DB.fetch(written, COUNTY)]
    assert texts == ["帮张大爷交电费", "帮李大娘取药"]


async def test_the_chosen_grid_waits_with_the_record(sign_in: SignIn, committed: None) -> None:
    """Who has two grids chooses one of them, without network, too; every look keeps the rules."""
    town = await small_county()
    second = town.second_worker.unit_code
    await also_in(town.worker, town.units[second])
    await activate(town.worker)
    page = await sign_in(town.worker)
    await page.goto("/work/new?category=SVC&rule=SVC-01")
    await shoot(page, "two-grids")
    await assert_keeps_the_rules(page)
    await page.context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await expect(page.get_by_text("已存在手机里")).to_have_count(0)
    await page.get_by_label(town.units[second].name).check()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("已存在手机里").first.wait_for()
    await page.context.set_offline(offline=False)
    await page.get_by_role("status").filter(has_text="存在手机里的 1 条已上传。").wait_for()
    written = "SELECT grid_code FROM points.work_record WHERE county_id = $1"
    assert [row["grid_code"] for row in await DB.fetch(written, COUNTY)] == [second]


async def enter(page: Page, member: Member) -> None:
    """Somebody else takes the phone."""
    await page.goto("/me")
    await page.get_by_role("button", name="退出登录").click()
    await follow(page.get_by_role("button", name="确定"))
    await page.goto("/sign-in")
    await page.get_by_label("手机号").fill(member.phone)
    await page.get_by_label("密码", exact=False).first.fill(PIN)
    await follow(page.get_by_role("button", name="登录"))


async def test_a_page_left_open_sends_nothing_for_whoever_signed_in_since(
    sign_in: SignIn, committed: None
) -> None:
    """Two workers share a phone: each record is its writer's, or waits for them."""
    town = await small_county()
    for member in (town.worker, town.second_worker):
        await activate(member)
    page = await sign_in(town.worker)
    await page.goto("/work/new?category=SVC&rule=SVC-01")
    other = await page.context.new_page()
    await enter(other, town.second_worker)
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("已存在手机里").first.wait_for()
    await page.get_by_role("link", name="登录后上传").wait_for()
    written = "SELECT worker_id FROM points.work_record WHERE county_id = $1"
    assert await DB.fetch(written, COUNTY) == []
    await enter(other, town.worker)
    for _ in range(300):
        if await DB.fetch(written, COUNTY):
            break
        await other.wait_for_timeout(100)
    assert [row["worker_id"] for row in await DB.fetch(written, COUNTY)] == [town.worker.person_id]


async def test_the_desk_s_pages_keep_the_rules(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Rules, months, prints: axe, one heading, no sideways scroll."""
    town = await busy_county()
    await rulebook.ensure_seeded(COUNTY)
    desk, later = await acting(town.department, desk=True), today() + timedelta(days=5)
    rule = (await rulebook.history(COUNTY, "LAW-04"))[-1]
    await rulebook.change_rule(
        desk, msgspec.structs.replace(rule, title="反诈宣传", effective_from=later), now()
    )
    await rulebook.change_penalty(desk, "PEN-06", (90,), later, now())
    page = await desk_page(open_context, town.department, Look())
    month = (today().replace(day=1) - timedelta(days=1)).strftime("%Y%m")
    for path, name in (
        ("/desk/rules/LAW-04/correct", "desk-rule-correct"),
        ("/desk/rules-penalties/PEN-06/correct", "desk-penalty-correct"),
        (f"/desk/months/{VILLAGE}/{month}", "desk-month"),
        ("/desk/months/objections", "desk-objections"),
        ("/desk/months/deductions", "desk-deductions"),
    ):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        await assert_keeps_the_rules(page, name, phone=False)
    for path, name in (
        (f"/verify/months/{VILLAGE}/{month}/notice", "print-notice"),
        (f"/verify/months/{VILLAGE}/{month}/sheet", "print-sheet"),
        ("/verify/slips", "print-slip"),
    ):
        answer = await page.goto(path)
        assert answer is not None
        if answer.status == 200:
            await shoot(page, name)
            await assert_accessible(page)


async def test_the_sample_of_a_month_keeps_the_rules(sign_in: SignIn, committed: None) -> None:
    """The township looks at every tenth record on the phone, and may refuse it there."""
    town = await small_county()
    await activate(town.instructor)
    for day in (1, 8, 15):
        await month.confirmed(town, day)
    for side in (town.committee, town.supervisor):
        await months.review(await acting(side), VILLAGE, month.RUN, month.CLOSED)
    page = await sign_in(town.instructor)
    await page.goto(f"/verify/months/{VILLAGE}/{month.RUN}")
    await assert_keeps_the_rules(page, "sample")
    card = await page.locator(".weui-cells:has(.inline-form)").bounding_box()
    field = await page.get_by_text("不实的原因").bounding_box()
    button = await page.get_by_role("button", name="不予认定").bounding_box()
    assert card is not None
    for inner in (field, button):
        assert inner is not None
        assert inner["x"] - card["x"] >= 12
        assert card["x"] + card["width"] - inner["x"] - inner["width"] >= 12


async def test_names_on_the_month_s_notice_stay_whole(
    open_context: Callable[..., Any], committed: None
) -> None:
    """On A4, as it hangs in the village: 欧**山 and 第一网格 stand on one line each."""
    town = await busy_county()
    page = await desk_page(open_context, town.department, Look())
    month = (today().replace(day=1) - timedelta(days=1)).strftime("%Y%m")
    await page.goto(f"/verify/months/{VILLAGE}/{month}/notice")
    await shoot(page, "notice-a4")
    cells = page.locator("tr:not(.total) > td:is(:nth-child(2), :nth-child(3))")
    found = await cells.evaluate_all(ROWS_OF_TEXT)
    assert found
    assert [text for text, count in found if count > 1] == []


async def test_the_empty_slip_is_one_page(sign_in: SignIn, committed: None) -> None:
    """The last items of the list, which a worker looks up, stood alone on a second sheet."""
    town = await small_county()
    await activate(town.chief)
    page = await sign_in(town.chief)
    await page.goto("/verify/slips")
    paper = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1


async def test_large_letters_waste_no_lines(sign_in: SignIn, committed: None) -> None:
    """In large letters 会 of an item's title had a line of its own, before the bracket."""
    town = await small_county()
    await activate(town.worker)
    page = await sign_in(town.worker, Look(text_size="elder"))
    await page.goto("/work/new?category=ORG")
    title = page.get_by_text("参加主题党日或网格党小组会")
    widths = await title.evaluate(WIDTHS_OF_LINES)
    assert len(widths) > 1
    assert min(widths) > 1.5, "in characters"
    await page.goto("/me")
    fact = page.locator(".facts > div").first
    tops = "(e) => [...e.children].map((part) => part.getBoundingClientRect().top)"
    name, value = await fact.evaluate(tops)
    assert name == value, "a short fact takes one line"


async def test_names_on_the_sheet_stay_whole_on_the_phone(
    open_context: Callable[..., Any], committed: None
) -> None:
    """Date, grid and name of a line to confirm, as read before the sheet is printed."""
    town = await busy_county()
    page = await desk_page(open_context, town.department, Look())
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a TypedDict
    await page.goto(f"/verify/months/{VILLAGE}/{today():%Y%m}/sheet")
    await shoot(page, "sheet-phone")
    await assert_accessible(page)
    cells = page.locator("td:is(:nth-child(2), :nth-child(3), :nth-child(4))")
    found = await cells.evaluate_all(ROWS_OF_TEXT)
    assert found
    assert [text for text, count in found if count > 1] == []


async def test_a_month_as_days(
    committed: None, sign_in: SignIn, open_context: Callable[..., Any]
) -> None:
    """The worker's own, the lead's and the desk's keep the rules; a day leads to its records."""
    town = await busy_county()
    await activate(town.worker, town.lead)
    month = f"{(today().replace(day=1) - timedelta(days=1)):%Y%m}"
    seen = f"workers/{town.worker.person_id}/{month}"
    for member, path in (
        (town.worker, f"/records/month?number={month}"),
        (town.lead, f"/verify/{seen}"),
    ):
        phone = await sign_in(member)
        await phone.goto(path)
        await assert_keeps_the_rules(phone)
        first = phone.locator(".month a").first
        await first.click()
        assert phone.url.endswith("#day-1")
        await expect(phone.locator("#day-1").get_by_role("link")).to_have_count(2)
    desk = await desk_page(open_context, town.department, Look())
    await desk.goto(f"/desk/{seen}")
    await assert_keeps_the_rules(desk, phone=False)
    await expect(desk.locator(".month__has")).to_have_count(6)
