"""The pages of settlement as their users click through them."""

import re

import httpx
import pytest

from points.rulebook.rules import show
from points.settlement import building, documents, queries, service, web
from points.settlement.funds import service as funds
from points.settlement.publication import queries as sheets
from points.settlement.publication import service as publication
from shared.clock import now, today
from shared.dates import chinese_date
from shared.identity import sessions
from shared.identity.accounts import ensure_account
from shared.identity.schemas import SessionKind
from shared.months import month_cn
from shared.roster.roles import DESK_ROLES, Role
from shared.web.filters import points
from tests import factories
from tests.factories import COUNTY, Member
from tests.points.settlement.test_funds import ROWS, file
from tests.points.settlement.world import (
    LAST_MONTH,
    THIS_MONTH,
    World,
    after,
    earn,
    in_last_month,
    redeem,
    resolve,
    undo,
    world,
)


async def enter(client: httpx.AsyncClient, member: Member) -> None:
    """A live session of this person, the password just given."""
    account_id = await ensure_account(COUNTY, member.person_id)
    kind: SessionKind = "desk" if member.role in DESK_ROLES else "phone"
    new = await sessions.begin(COUNTY, account_id, member.person_id, kind, now())
    client.cookies.clear()
    client.cookies.set("gm", new.token, domain="points.local", path="/")
    await client.get("/me")


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as our own pages send it."""
    return await client.post(path, data={"_csrf_token": client.cookies["csrftoken"], **fields})


async def story() -> World:
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    await redeem(made, in_last_month(3), soap=2)
    await redeem(made, in_last_month(5), rice=1)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    await undo(await redeem(made, now(), soap=1))
    return made


async def test_three_sign_on_their_pages_and_the_statement_freezes(
    client: httpx.AsyncClient,
) -> None:
    made = await story()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    address = f"/statements/{statement.id}"
    for member, start, part in (
        (made.shop.keeper, "/shop/statements", "shop"),
        (made.county.accountant, "/verify/statements", "accountant"),
        (made.county.supervisor, "/verify/statements", "supervisor"),
    ):
        await enter(client, member)
        listed = await client.get(start)
        assert address in listed.text
        assert "等您签字" in listed.text
        waits = "店主" if part == "shop" else "村监委会"
        assert re.search(f"笔\xa0· 等.*{waits}签字</small>", listed.text)
        if part != "shop":
            assert re.search("对账单待签字.*1 张", (await client.get("/verify")).text, re.DOTALL)
        shown = await client.get(address)
        assert "确认无误，签字" in shown.text
        answer = await post(client, f"{address}/sign", part=part, file=statement.file_hash)
        assert (answer.status_code, answer.headers["location"]) == (303, address)
        shown = await client.get(address)
        assert member.name in shown.text
        assert {
            "shop": "还等村会计、村监委会签字。",
            "accountant": "还等村监委会签字。",
            "supervisor": "三方都已签字，这张对账单不再改动。",
        }[part] in shown.text
        if part == "shop":
            slip = re.findall(r'href="(/receipts/[^"]+)"', shown.text)[0]
            number = re.search(r"<dt>单号</dt><dd>(\w{12})<", (await client.get(slip)).text)
            assert number
            assert f"单号 {number[1]}" in shown.text
        else:
            assert "/receipts/" not in shown.text
    assert "三方已签" in (await client.get("/verify/statements")).text
    assert "对账单待签字" not in (await client.get("/verify")).text
    again = await post(client, f"{address}/sign", part="supervisor", file=statement.file_hash)
    assert again.status_code == 409
    assert "都已签字" in again.text
    await enter(client, made.county.department)
    at_desk = (await client.get(address)).text
    assert "村会计（村级）" in at_desk
    assert "accountant@" not in at_desk


async def test_no_statement_is_out_of_reach_on_a_phone(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind the first fifty could neither be opened nor, by the keeper, be signed."""
    monkeypatch.setattr(service, "PAGE", 1)
    made = await story()
    await building.build(None, COUNTY, THIS_MONTH, after(THIS_MONTH))
    old, new = [
        f"/statements/{one.id}"
        for month in (LAST_MONTH, THIS_MONTH)
        for one in await queries.statements_of_month(COUNTY, month)
    ]
    await enter(client, made.shop.keeper)
    shown = (await client.get("/shop/statements")).text
    mine = shown[shown.index("等您签字") :]
    assert (old in mine, new in mine, "第 1 / 2 页" in shown) == (True, True, True)
    await enter(client, made.county.instructor)
    first, second = [
        (await client.get(f"/verify/statements{page}")).text for page in ("", "?page=2")
    ]
    assert (new in first, old in first, "第 1 / 2 页" in first) == (True, False, True)
    assert (new in second, old in second, "没有等您签字" in second) == (False, True, False)


async def test_a_long_statement_has_pages_on_the_phone(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop's month of a thousand lines was one page of half a megabyte; the sheet stays whole."""
    monkeypatch.setattr(web, "LINES", 1)
    made = await story()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    soap, rice = await queries.lines(COUNTY, statement.id)
    address = f"/statements/{statement.id}"
    await enter(client, made.shop.keeper)
    first, second = [(await client.get(address + page)).text for page in ("", "?page=2")]
    assert "共 2 条，第 1 / 2 页" in first
    for shown, line, other in ((first, soap, rice), (second, rice, soap)):
        assert (f"单号 {documents.short(line.redemption_id)}" in shown) is True
        assert (f"单号 {documents.short(other.redemption_id)}" in shown) is False
        assert (f'value="{line.id}"' in shown, f'value="{other.id}"' in shown) == (True, False)
    assert ("本期应付" in first, "本期应付" in second) == (True, False)
    refused = await post(client, f"{address}/dispute?page=2", line_id=str(rice.id), reason="")
    assert (refused.status_code, f'value="{rice.id}" selected' in refused.text) == (422, True)
    printed = (await client.get(f"{address}/print")).text
    assert all(documents.short(line.redemption_id) in printed for line in (soap, rice))


async def test_shop_sees_what_is_not_in_a_statement_yet(client: httpx.AsyncClient) -> None:
    made = await story()
    await enter(client, made.shop.keeper)
    shown = await client.get("/shop/statements")
    assert "本月至今未出账" in shown.text
    assert "撤销" in shown.text
    assert re.search(r"<dt>积分</dt><dd>[\d.]+ 分</dd>", shown.text)
    assert re.search(r"<dt>笔数</dt><dd>\d+ 笔</dd>", shown.text)


async def test_dispute_on_the_page_changes_the_sum_and_is_decided(
    client: httpx.AsyncClient,
) -> None:
    made = await story()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    line = (await queries.lines(COUNTY, statement.id))[1]
    address = f"/statements/{statement.id}"
    await enter(client, made.shop.keeper)
    empty = await post(client, f"{address}/dispute", line_id=str(line.id), reason="")
    assert empty.status_code == 422
    unchosen = await post(client, f"{address}/dispute", line_id="", reason="少算一袋")
    assert unchosen.status_code == 422
    assert 'id="e-line_id"' in unchosen.text, "the sentence stands at the field"
    assert ">少算一袋</textarea>" in unchosen.text
    answer = await post(client, f"{address}/dispute", line_id=str(line.id), reason="少算一袋")
    assert answer.status_code == 303
    assert "少算一袋" in (await client.get(address)).text
    stale = await post(client, f"{address}/sign", part="shop", file=statement.file_hash)
    assert stale.status_code == 409
    (dispute,) = await queries.disputes(COUNTY, statement.id)
    await enter(client, made.county.accountant)
    refused = await post(client, f"/disputes/{dispute.id}/decide", pay="true", note="我来定")
    assert refused.status_code == 404
    await enter(client, made.county.instructor)
    assert "裁定" in (await client.get(address)).text
    decided = await post(client, f"/disputes/{dispute.id}/decide", pay="true", note="核对无误")
    assert decided.status_code == 303
    assert "照付" in (await client.get(address)).text


async def test_a_line_that_was_undone_cannot_be_chosen(client: httpx.AsyncClient) -> None:
    """The server would refuse it; its undoing may be objected to."""
    made = await story()
    await building.build(None, COUNTY, THIS_MONTH, now())
    (statement,) = await queries.statements_of_month(COUNTY, THIS_MONTH)
    line, back = await queries.lines(COUNTY, statement.id)
    assert (line.kind, back.kind) == ("redeem", "undo")
    await enter(client, made.shop.keeper)
    shown = (await client.get(f"/statements/{statement.id}")).text
    assert (f'value="{line.id}"' in shown, f'value="{back.id}"' in shown) == (False, True)


async def test_sheets_to_print_show_every_line(client: httpx.AsyncClient) -> None:
    made = await story()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    await publication.publish(COUNTY, LAST_MONTH, now())
    await enter(client, made.county.chief)
    printed = await client.get(f"/statements/{statement.id}/print")
    assert "大米5kg×1" in printed.text
    assert statement.file_hash in printed.text
    assert "村监委会签字" in printed.text
    assert "打印：" in printed.text
    (sheet,) = await sheets.of_fund(COUNTY, made.fund_id)
    public = await client.get(f"/publications/{sheet.id}")
    assert "本月应付积分超市" in public.text
    assert "（盖章）" in public.text
    shelves = public.text.split("三、库存")[1].split("</table>")[0]
    assert shelves.count("<td>银城积分超市</td>") == 1, "a line a shop leaves the seal its room"
    for of_that_day in ("决议预算合计（填报日）", "预算还剩（填报日）", "填报日等追加预算"):
        assert of_that_day in public.text
    fund = await client.get(f"/funds/{made.fund_id}")
    assert f"/publications/{sheet.id}" in fund.text
    assert "每月发放和兑换的积分" in fund.text
    assert f"兑换 {points(sheet.figures.redeemed)} 分</desc>" in fund.text
    assert "预算还剩" in fund.text
    assert re.search(r"<dt>预算</dt><dd>[\d,.]+ 元</dd>", fund.text)
    assert (await client.get("/funds")).status_code == 200


@pytest.mark.parametrize("path", ["/desk/statements", "/desk/funds", "/desk/ledger"])
async def test_desk_lists_and_their_filters(client: httpx.AsyncClient, path: str) -> None:
    made = await story()
    await enter(client, made.county.department)
    assert (await client.get(path)).status_code == 200
    assert "没有符合条件的记录" in (await client.get(f"{path}?q=没有这家")).text


async def test_an_undoing_names_the_day_of_its_redemption(client: httpx.AsyncClient) -> None:
    """Unless it is the same day's: the row above the redemption's own needs no date."""
    made = await story()
    await enter(client, made.county.department)
    assert "的兑换：拿错了" not in (await client.get("/desk/ledger")).text
    kept = await redeem(made, in_last_month(7), soap=1)
    await undo(kept)
    shown = (await client.get("/desk/ledger")).text
    assert f"{chinese_date(in_last_month(7).date())}的兑换：拿错了" in shown
    first = f"{chinese_date(today().replace(day=1))}至{chinese_date(today())}"
    assert f'card-title">{first}<' in shown, "the paper says which days it is about"
    amounts = re.findall(r'num">(−?[\d.]+)</td>', shown)
    *rows, whole = [float(amount.replace("−", "-")) for amount in amounts]
    assert sum(rows) == whole


async def test_desk_builds_a_statement_and_looks_at_it(client: httpx.AsyncClient) -> None:
    made = await story()
    await redeem(made, now(), soap=1)
    await enter(client, made.county.department)
    answer = await post(client, "/desk/statements", month=str(today())[:7])
    assert "月：新出 1 张" in answer.text
    wrong = await post(client, "/desk/statements", month="2098-01")
    assert (wrong.status_code, "还没有到" in wrong.text) == (422, True)
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    shown = (await client.get(f"/statements/{statement.id}")).text
    assert statement.file_hash in shown
    sums = re.search(r'合计</th><td class="num">([\d.]+)</td><td class="num">([\d.,]+)<', shown)
    assert sums is not None
    assert sums.groups() == (show(statement.points), documents.yuan(statement.amount_fen))


async def test_desk_enters_a_resolution(client: httpx.AsyncClient) -> None:
    made = await story()
    await enter(client, made.county.department)
    form = {"unit_code": "421222100002", "number": "决9号", "resolved_on": "2026-01-09"}
    wrong = await post(client, "/desk/funds", **form, amount="一千")
    assert wrong.status_code == 422
    assert "决9号" in wrong.text
    answer = await post(client, "/desk/funds", **form, amount="1000.50")
    assert answer.status_code == 303
    assert "1,000.50" in (await client.get(answer.headers["location"])).text


async def test_desk_shows_what_became_of_a_year_s_money(client: httpx.AsyncClient) -> None:
    """Each village's resolutions of the year and its public sheets, added up to the last one."""
    made = await story()
    await publication.publish(COUNTY, LAST_MONTH, after(LAST_MONTH))
    year = int(LAST_MONTH[:4])
    [fund] = await funds.list_years(await made.department(), year)
    [sheet] = await publication.of_fund(await made.accountant(), made.fund_id)
    assert fund.through == LAST_MONTH
    assert (fund.redeemed, fund.outstanding, fund.left_fen) == (
        sheet.figures.redeemed,
        sheet.figures.outstanding,
        sheet.figures.left_fen,
    )
    assert fund.redeemed > 0
    [of_2026] = await funds.list_years(await made.department(), 2026)
    assert of_2026.resolved_fen == 500_000, "the resolution of the fund is of that January"
    [before] = await funds.list_years(await made.department(), 2001)
    assert (before.resolved_fen, before.redeemed, before.through) == (0, 0, None)
    await enter(client, made.county.department)
    page = (await client.get(f"/desk/funds?year={year}")).text
    assert f"{year}年的资金" in page
    assert f"<td>{int(LAST_MONTH[5:])}月底</td>" in page
    assert "<td>—</td>" in (await client.get("/desk/funds?year=2001")).text


async def test_desk_imports_a_list_of_resolutions(client: httpx.AsyncClient) -> None:
    """Looking writes nothing; a faulty file says every fault."""
    made = await story()
    await enter(client, made.county.department)
    rows = [(*row[:3], f"新{row[3]}", *row[4:]) for row in ROWS]
    for act, word in (("look", "还没有写入：将登记 3 条"), ("write", "已登记 3 条")):
        answer = await client.post(
            "/desk/funds/import",
            data={"_csrf_token": client.cookies["csrftoken"], "act": act},
            files={"file": ("funds.xlsx", file(rows), "application/octet-stream")},
        )
        assert word in answer.text
        assert re.search(r">先检查</button>.*>导入</button>", answer.text, re.DOTALL)
    faulty = await client.post(
        "/desk/funds/import",
        data={"_csrf_token": client.cookies["csrftoken"], "act": "write"},
        files={"file": ("f.xlsx", file([("999", *row[1:]) for row in rows]), "x/y")},
    )
    assert "没有代码为 999" in faulty.text
    broken = await client.post(
        "/desk/funds/import",
        data={"_csrf_token": client.cookies["csrftoken"], "act": "write"},
        files={"file": ("f.xlsx", b"%PDF-1.7", "x/y")},
    )
    assert (broken.status_code, "PDF" in broken.text) == (422, True)


async def test_the_ledger_opens_at_the_last_month_that_has_anything(
    client: httpx.AsyncClient,
) -> None:
    """On the first of a month it was empty until somebody asked for another."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    await redeem(made, in_last_month(3), soap=2)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    await enter(client, made.county.department)
    opened = (await client.get("/desk/ledger")).text
    assert f"先列最近有兑换的{month_cn(LAST_MONTH)}" in opened
    assert "肥皂×2" in opened
    asked = (await client.get(f"/desk/ledger?first={THIS_MONTH}-01")).text
    assert ("先列" in asked, "肥皂×2" in asked) == (False, False)
    await redeem(made, now(), soap=1)
    assert "先列" not in (await client.get("/desk/ledger")).text


async def test_files_are_taken_away_with_a_purpose(client: httpx.AsyncClient) -> None:
    made = await story()
    await enter(client, made.county.department)
    span = f"first={LAST_MONTH}-01&last={today()}"
    for path in ("/desk/ledger.xlsx", "/desk/summary.xlsx"):
        assert (await client.get(f"{path}?{span}")).status_code == 422
        answer = await client.get(f"{path}?{span}&purpose=对账")
        assert answer.content[:2] == b"PK"
        assert "attachment" in answer.headers["content-disposition"]
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    content = (await client.get(f"/statements/{statement.id}/file")).content
    assert content[:2] == b"PK"
    assert "兑换台账" in (await client.get("/desk/exports")).text


async def test_department_keeps_the_calendar(client: httpx.AsyncClient) -> None:
    made = await story()
    await enter(client, made.county.department)
    shown = await client.get("/desk/calendar?year=2026")
    assert "2026-10-01 休 国庆节" in shown.text
    wrong = await post(client, "/desk/calendar", year="2026", days="2026-01-01 休")
    assert (wrong.status_code, "法定节假日" in wrong.text) == (422, True)
    assert "还没有录入" in (await client.get("/desk/calendar?year=2035")).text


@pytest.mark.parametrize(
    "path",
    [
        "/desk/ledger?first=9999-12-01&last=9999-12-31",
        "/desk/ledger?first=0001-01-01&last=0001-01-02",
        "/desk/ledger?first=2026-02-30",
        "/desk/ledger?first=2026-10-02&last=2026-10-01",
        "/desk/summary.xlsx?first=2020-01-01&last=2026-01-01&purpose=x",
        "/desk/statements?month=2026-13",
        "/desk/oversight?month=2026-13",
        "/desk/statements?page=99999999999999999999999",
        "/desk/funds?page=-1&waiting=maybe",
        "/desk/funds?year=-1",
        "/desk/calendar?year=1",
        "/desk/audit?since=0001-01-01&until=0001-01-02",
        "/desk/exports?until=0001-01-02",
        "/desk/exports?since=9999-12-31&until=9999-12-31",
        "/desk/rules?on=27",
    ],
)
async def test_impossible_conditions_have_one_sentence(
    client: httpx.AsyncClient, path: str
) -> None:
    made = await world()
    await enter(client, made.county.department)
    answer = await client.get(path)
    assert answer.status_code == 422, answer.text[:200]


def roles_of(made: World) -> list[Member]:
    county = made.county
    return [county.worker, county.cousin_worker, county.lead, county.committee]


async def test_others_find_nothing(client: httpx.AsyncClient) -> None:
    made = await story()
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    for member in roles_of(made):
        await enter(client, member)
        for path in (f"/statements/{statement.id}", f"/funds/{made.fund_id}", "/desk/ledger"):
            assert (await client.get(path)).status_code == 404, (member.role, path)


async def test_a_part_that_nobody_can_sign_is_said_beforehand(client: httpx.AsyncClient) -> None:
    """The county's own fund with one clerk: two parts, and nobody above; a second one helps."""
    made = await world()
    fund = await resolve(str(COUNTY))
    await earn(made.county.worker.person_id, fund, 500)
    await redeem(made, in_last_month(), soap=3)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    [statement] = await queries.statements_of_month(COUNTY, LAST_MONTH)
    await enter(client, made.shop.keeper)
    said = "“村监委会”一栏没有人能签"
    assert said in (await client.get(f"/statements/{statement.id}")).text
    await factories.member(Role.DEPARTMENT, made.county.units[str(COUNTY)], "吴科长")
    assert said not in (await client.get(f"/statements/{statement.id}")).text
