"""The department's first page, and where each role begins."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from points.mall import service as mall
from points.mall.service import PriceForm
from points.settlement import building, queries, service, signing
from points.settlement.funds import service as funds
from points.settlement.rules import Part
from shared.clock import now, today
from shared.errors import Conflict
from shared.roster.roles import DESK_ROLES, Role
from shared.scheduling import runner
from shared.scheduling.job import Job, last_day, last_slot
from tests.factories import COUNTY, Member, acting, member, small_county
from tests.points.settlement.world import (
    LAST_MONTH,
    after,
    earn,
    in_last_month,
    redeem,
    resolve,
    world,
)
from tests.shared.identity.test_web import enter, enter_desk


async def test_the_desk_opens_on_the_county(client: httpx.AsyncClient) -> None:
    """Figures of the county and a line per township."""
    world = await small_county()
    await enter_desk(client, world.department)
    page = await client.get("/desk")
    assert page.status_code == 200
    for words in ("隽水镇", "麦市镇", "待签对账单", "待拨付"):
        assert words in page.text
    assert 'class="bar__who" href="/me"' in page.text
    own = (await client.get("/me")).text
    assert ("修改登录密码" in own, 'class="top__back" href="/"' in own) == (True, True)
    table = page.text.split("各乡镇</caption>")[1].split("</table>")[0]
    rows = [re.findall(r'num">(\d+)<', row) for row in table.split("<tr>")[2:]]
    *townships, whole = [[int(figure) for figure in row] for row in rows]
    assert [sum(column) for column in zip(*townships, strict=True)] == whole
    assert page.text.count(f'href="/desk/months?chosen={today():%Y-%m}"') == 2, (
        "this month, not the last"
    )


async def test_a_job_that_failed_is_told_in_chinese(client: httpx.AsyncClient) -> None:
    """By its name and its time, as whoever has to do something about it reads them."""
    world = await small_county()

    async def run(_county_id: int, _period: str, _now: datetime) -> str:
        raise Conflict("台账有 1 处不符。")

    at = datetime(2026, 11, 27, 2, 5, tzinfo=UTC)
    await runner.run_period(
        Job("ledger.holds", "", last_slot(5), run), COUNTY, "2026-11-27T10:05", at
    )
    await enter_desk(client, world.department)
    text = (await client.get("/desk")).text
    assert "没有运行" not in text
    assert "定时任务“作废过期预订”（2026-11-27 10:05）没有成功：台账有 1 处不符。" in text


async def test_the_desk_says_when_nobody_runs_the_jobs(client: httpx.AsyncClient) -> None:
    """What ends at night would stand still without any failure to be shown."""
    world = await small_county()

    async def run(_county_id: int, _period: str, _now: datetime) -> str:
        return ""

    before = now() - timedelta(days=2)
    await runner.run_due(Job("ledger.seal", "", last_day(), run), before)
    await enter_desk(client, world.department)
    assert "起没有运行，到期入账" in (await client.get("/desk")).text
    await runner.run_due(Job("ledger.seal", "", last_day(), run), now())
    assert "起没有运行" not in (await client.get("/desk")).text


async def test_all_that_waits_for_money_is_counted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of funds beyond the first page as well, and of villages that no fund pays for yet."""
    monkeypatch.setattr(funds, "PAGE", 1)
    world = await small_county()
    for code, worker in (
        ("421222100001", world.worker),
        ("421222100002", world.second_worker),
    ):
        fund_id = await resolve(code, budget_fen=100)
        await earn(worker.person_id, fund_id, 310)
    await earn(world.cousin_worker.person_id, None, 200)
    await enter_desk(client, world.department)
    page = await client.get("/desk")
    assert re.findall(r"待拨付</span><strong>([\d.]+)<", page.text) == ["80"]
    assert "还没有资金承担" not in page.text, "what the further pages hold is not added up"
    monkeypatch.undo()
    assert "有 20 分待拨付还没有资金承担" in (await client.get("/desk")).text


async def test_a_phone_says_what_waits_besides_records(client: httpx.AsyncClient) -> None:
    """Statements to sign and objections to decide, prices, money that is missing."""
    made = await world(budget_fen=5_000)
    await earn(made.county.worker.person_id, made.fund_id, 620)
    await redeem(made, in_last_month(3), soap=1)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    (statement,) = await queries.statements_of_month(COUNTY, LAST_MONTH)
    keeper = await made.keeper()
    form = PriceForm(
        product_id=made.soap,
        shop_id=made.shop.shop_id,
        first_day=today() + timedelta(days=1),
        points=60,
        purchase_fen=450,
        reason="涨价",
    )
    await mall.propose_price(keeper, form, now())

    async def todo(member: Member) -> str:
        await enter(client, member)
        return re.sub(r"<[^>]+>|\s", "", (await client.get("/verify")).text)

    assert "对账单签字集体资金" in await todo(made.county.accountant)
    await signing.sign(keeper, statement.id, Part.SHOP, statement.file_hash, now())
    page = await todo(made.county.accountant)
    assert "对账单待签字1张" in page
    assert "集体资金待拨付12分" in page
    assert "调价" not in page
    assert "调价待批准1件" in await todo(made.county.instructor)

    (line,) = await queries.lines(COUNTY, statement.id)
    await service.dispute(await made.accountant(), statement.id, line.id, "没有领取人签字", now())
    assert "对账单异议待裁定1张" in await todo(made.county.instructor)
    assert 'hx-get="/appraisal/cases"' in (await client.get("/verify")).text
    assert "有异议等您裁定" in (await client.get("/verify/statements")).text
    assert "有异议等您裁定" not in await todo(made.county.supervisor)
    await enter_desk(client, made.county.department)
    desk = (await client.get("/desk")).text
    assert re.findall(r"对账单异议待裁定</span><strong>(\d+)<", desk) == ["1"]
    assert "有异议等您裁定" in (await client.get("/desk/statements")).text


async def test_a_fund_that_will_soon_be_used_up_is_told(client: httpx.AsyncClient) -> None:
    """Before points have to wait; from less than a tenth of the budget on."""
    made = await world(budget_fen=7_000)
    await earn(made.county.worker.person_id, made.fund_id, 630)
    department = await acting(made.county.department, desk=True)
    await enter(client, made.county.chief)
    for path in ("/verify", "/funds"):
        assert "剩不到一成" not in (await client.get(path)).text
    assert await funds.list_funds(department, state="low") == ([], 0)
    await earn(made.county.worker.person_id, made.fund_id, 10)
    for path in ("/verify", "/funds"):
        assert "剩不到一成" in (await client.get(path)).text
    await enter(client, made.county.cousin_worker)
    assert (await client.get("/verify")).status_code == 404
    await enter_desk(client, made.county.department)
    assert "资金剩不到一成" in (await client.get("/desk")).text
    assert 'href="/desk/funds?state=low"' in (await client.get("/desk")).text
    assert f'href="/funds/{made.fund_id}"' in (await client.get("/desk/funds?state=low")).text
    assert "没有符合条件" in (await client.get("/desk/funds?state=waiting")).text


@pytest.mark.parametrize("role", sorted(DESK_ROLES))
async def test_whoever_signs_in_at_a_desk_lands_on_a_page(
    client: httpx.AsyncClient, role: Role
) -> None:
    """The county in figures is not everybody's: an administrator's desk begins elsewhere."""
    world = await small_county()
    someone = await member(role, world.units["421222"])
    await enter_desk(client, someone)
    door = await client.get("/desk/sign-in")
    form = door.text.partition('action="/desk/sign-in"')[2].partition("</form>")[0]
    [first] = re.findall(r'name="next" value="([^"]*)"', form)
    landed = await client.get(first, follow_redirects=True)
    assert (landed.status_code, landed.url.path != "/me") == (200, True), landed.url
    county = (await client.get("/desk")).status_code == 200
    assert ('href="/desk"' in landed.text) is county, "a way back to a page that is not theirs"


async def test_each_role_begins_on_its_own_page(client: httpx.AsyncClient) -> None:
    """Worker, verifier, accountant; a worker has no desk."""
    world = await small_county()
    for someone, path in (
        (world.worker, "/home"),
        (world.lead, "/verify"),
        (world.accountant, "/verify"),
    ):
        await enter(client, someone)
        assert (await client.get("/")).headers["location"] == path
    assert (await client.get("/desk")).status_code == 404
