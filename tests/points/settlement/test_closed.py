"""A report of a month that is over reads the same later, whatever has happened since."""

import re
from datetime import date, timedelta

import httpx

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Undo
from points.ledger.seal import service as seal
from points.ledger.storage import service as storage
from points.mall import service as mall
from points.settlement import building, console, queries, rules
from points.settlement.publication import service as publication
from points.work import deductions, month
from shared.calendar import queries as calendar
from shared.calendar.rules import DayException
from shared.clock import now, today
from shared.database import DB
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.office import queries as office
from shared.roster.roles import Role
from tests.factories import COUNTY, acting
from tests.points.settlement.test_reports import read
from tests.points.settlement.test_web import enter
from tests.points.settlement.world import THIS_MONTH, World, after, earn, redeem, world
from tests.points.work.test_month import CLOSED, RUN, VILLAGE, confirmed, to_notice

OVER = after(THIS_MONTH)
LATER = OVER + timedelta(days=9)
SPAN = f"first={THIS_MONTH}-01&last={rules.last_day(THIS_MONTH)}"


async def reports(client: httpx.AsyncClient, made: World) -> dict[str, object]:
    """Every report of the month, without who took it out and what it says of the day itself."""
    (statement,) = await queries.statements_of_month(COUNTY, THIS_MONTH)
    sheets = await publication.of_fund(await made.department(), made.fund_id)
    (sheet,) = [row for row in sheets if row.month == THIS_MONTH]
    found: dict[str, object] = {}
    for path in (
        f"/statements/{statement.id}",
        f"/statements/{statement.id}/print",
        f"/statements/{statement.id}/file",
        f"/publications/{sheet.id}",
        f"/desk/seals?month={THIS_MONTH}",
        f"/verify/months/{VILLAGE}/{RUN}/notice",
        f"/desk/ledger?{SPAN}",
    ):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        found[path] = answer.content
    for name in ("ledger", "summary"):
        answer = await client.get(f"/desk/{name}.xlsx?{SPAN}&purpose=核对")
        rows = [row for row in read(answer.content) if "导出：" not in str(row[0])]
        found[name] = [row[:-1] for row in rows] if name == "summary" else rows  # today's balance
    return found


async def closed_month(made: World) -> None:
    """Work of October on its way to the ledger; goods of this month, and the month closed."""
    worker = made.county.worker.person_id
    await confirmed(made.county, 5)
    await confirmed(made.county, 6)
    await to_notice(made.county)
    await month.post_ended(COUNTY, CLOSED + timedelta(days=20))
    await earn(worker, made.fund_id, 1000)
    await redeem(made, now(), soap=2)
    await redeem(made, now(), rice=1)
    await building.build(None, COUNTY, THIS_MONTH, OVER)
    await publication.publish(COUNTY, THIS_MONTH, OVER)
    await console.sign_month(COUNTY, THIS_MONTH, now())
    await storage.close_month(COUNTY, int(THIS_MONTH.replace("-", "")), OVER)
    await seal.close_days(COUNTY, OVER)


async def test_nothing_that_happens_later_changes_a_closed_month(
    client: httpx.AsyncClient,
) -> None:
    """Goods come back, a claim proves false, a price and an agreement are new, a worker moves.

    What stands now has pages of its own: a village's month, a worker's, a shop's balance.
    """
    made = await world()
    await closed_month(made)
    await enter(client, made.county.department)
    before = await reports(client, made)

    kept = await DB.fetchval(
        "SELECT id FROM points.redemption WHERE county_id = $1 LIMIT 1", COUNTY
    )
    record = await DB.fetchval(
        "SELECT id FROM points.work_record WHERE county_id = $1 LIMIT 1", COUNTY
    )
    worker, at = made.county.worker, today(LATER)
    raised = AddResolution(
        id=new_id(),
        fund_id=made.fund_id,
        number="决〔2026〕2号",
        resolved_on=today(),
        amount_fen=500,
        day=at,
        expires_on=None,
    )
    await ledger.post(COUNTY, [Undo(id=new_id(), redemption_id=kept, memo="拿错了"), raised], LATER)
    await redeem(made, now(), soap=1)  # handed over offline, uploaded only now
    held = deductions.Proposal(
        worker_id=worker.person_id,
        code="PEN-07",
        amount=100,
        happened_on=date(2026, 10, 5),
        facts="没有开会",
        evidence="会议签到表",
        record_id=record,
    )
    if LATER.year > 2026:  # whose days of rest the library may not know yet
        rest = DayException(date(LATER.year, 1, 1), working=False, name="元旦")
        await calendar.insert(COUNTY, [new_id()], [rest])
    told = await deductions.propose(await acting(made.county.chief), held, LATER)
    await deductions.reply(await acting(worker), told, "属实", LATER)
    await deductions.decide(await made.instructor(), told, stands=True, reason="属实", now=LATER)
    assert await deductions.post_lapsed(COUNTY, LATER + timedelta(days=30)) == 1
    price = mall.PriceForm(
        product_id=made.soap, shop_id=None, first_day=at, points=60, purchase_fen=500
    )
    await mall.set_price(COUNTY, price, LATER)
    await mall.agree(None, COUNTY, made.shop.shop_id, date(2100, 1, 1), date(2100, 12, 31), now())
    post_id = await roster.add_post(
        COUNTY, made.county.units["421222101002001"].id, Role.GRIDWORKER
    )
    await roster.end_assignment(COUNTY, worker.assignment_id, at, reason="调动")
    await roster.assign(COUNTY, post_id, worker.person_id, at, now=now())
    await office.close_unit(COUNTY, worker.unit_code, at)
    following = rules.next_month(THIS_MONTH)
    await building.build(None, COUNTY, following, after(following))
    await publication.publish(COUNTY, following, after(following))

    now_says = await reports(client, made)
    for name, said in before.items():
        assert now_says[name] == said, name


async def test_signed_and_published_papers_keep_the_names_they_bore(
    client: httpx.AsyncClient,
) -> None:
    """Units and people are renamed, or erased: lists name them as they are called now."""
    made = await world()
    await closed_month(made)
    await enter(client, made.county.department)
    before = await reports(client, made)
    for unit in made.county.units.values():
        await office.update_unit(COUNTY, unit.id, f"新{unit.name}", None, unit.grid_type)
    people = (made.county.worker, made.shop.keeper, made.county.accountant, made.county.supervisor)
    await DB.execute(
        "UPDATE shared.person SET name = '已清除', name_pinyin = '' WHERE county_id = $1"
        " AND id = ANY($2)",
        COUNTY,
        [person.person_id for person in people],
    )
    now_says = await reports(client, made)
    papers = [name for name in before if re.match("/(statements|publications|verify)", name)]
    assert len(papers) == 5
    for name in papers:
        assert now_says[name] == before[name], name
