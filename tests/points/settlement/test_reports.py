import io
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import openpyxl
import pytest

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Reverse, StockMove, Undo
from points.settlement import building, console, rules
from points.settlement import queries as settled
from points.settlement.jobs import JOBS
from points.settlement.publication import service as publication
from points.settlement.reports import queries
from points.settlement.reports import service as reports
from points.settlement.reports.schemas import LedgerTotals
from shared.clock import LOCAL_ZONE, now, today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.actor import Actor
from shared.identity.errors import ConfirmFirst
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.scheduling import runner
from tests import factories
from tests.conftest import as_owner
from tests.factories import COUNTY
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


def fresh(actor: Actor) -> Actor:
    """The same person, who has just given the password again."""
    return msgspec.structs.replace(actor, confirmed_at=now())


def read(content: bytes) -> list[list[Any]]:
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    return [list(row) for row in page.iter_rows(values_only=True)]


async def story() -> World:
    """Last month three redemptions and its statement; this month one of them is undone."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    await earn(made.county.cousin_worker.person_id, made.fund_id, 1000)
    await redeem(made, in_last_month(3), soap=2)
    rice = await redeem(made, in_last_month(4), rice=1)
    await redeem(made, in_last_month(5), soap=1, person=made.county.cousin_worker.person_id)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    await undo(rice)
    return made


async def test_ledger_shows_each_redemption_and_each_undoing_on_its_day(rollback: None) -> None:
    """A late undoing takes nothing from the month before; it is a row of its own in this one."""
    made = await story()
    department = await made.department()
    rows, totals = await reports.ledger(department, reports.month_filter(LAST_MONTH))
    assert (totals.rows, totals.undone, totals.points) == (3, 0, 500)
    assert [(row.kind, row.goods, row.points, row.reason) for row in rows] == [
        ("redeem", "肥皂×1", 50, None),
        ("redeem", "大米5kg×1", 350, None),
        ("redeem", "肥皂×2", 100, None),
    ]
    assert rows[2].place == "隽1社区居委会隽1第1网格"
    (undone,), _ = await reports.ledger(department, reports.month_filter(THIS_MONTH))
    assert (undone.id, undone.kind, undone.points) == (rows[1].id, "undo", -350)
    assert (undone.reason, undone.redeemed_at, undone.place) == (
        "拿错了",
        rows[1].at,
        rows[1].place,
    )
    await redeem(made, now(), soap=3)
    await building.build(None, COUNTY, THIS_MONTH, now())
    for month in (LAST_MONTH, THIS_MONTH):
        rows, _ = await reports.ledger(department, reports.month_filter(month))
        statements = await settled.statements_of_month(COUNTY, month)
        assert sum(row.points for row in rows) == sum(row.points for row in statements)


async def test_a_straggler_counts_in_the_ledger_as_in_the_statements(rollback: None) -> None:
    """Handed over offline and uploaded when the month's statement was made: in the next month."""
    made = await story()
    straggler = await redeem(made, in_last_month(28), soap=3)
    department = await made.department()
    earlier, _ = await reports.ledger(department, reports.month_filter(LAST_MONTH))
    later, _ = await reports.ledger(department, reports.month_filter(THIS_MONTH))
    assert straggler not in {row.id for row in earlier}
    assert [(row.id, row.at) for row in later if row.kind == "redeem"] == [
        (straggler, in_last_month(28))
    ]


async def test_a_period_of_the_ledger_reads_no_other(rollback: None) -> None:
    """A page of two years ago read everything since, and joined all of it: seconds."""
    await story()
    await DB.execute("SET LOCAL enable_seqscan = off")  # by index, however small the tables are
    plan = await DB.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS OFF) {queries.LEDGER}",
        COUNTY, rules.month_start("2026-01"), rules.month_end("2026-01"), "", None, None,
        ["421222"], 51, 0,
    )  # fmt: skip
    lines = [row[0] for row in plan if " on redemption " in row[0]]
    assert lines
    assert all("rows=0.00 " in line or "never executed" in line for line in lines), plan
    assert not [row[0] for row in plan if "Rows Removed by Index Recheck" in row[0]], plan


async def test_each_page_and_file_of_the_ledger_is_planned_for_itself(rollback: None) -> None:
    """The plan that a connection kept for pages took 19 s for a file of a month."""
    department, wanted = await (await story()).department(), reports.month_filter(LAST_MONTH)
    for _ in range(8):
        await reports.ledger(department, wanted)
    plans = await DB.fetchrow(
        "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1",
        queries.LEDGER,
    )
    assert plans
    assert plans["custom_plans"] >= 8
    assert plans["generic_plans"] == 0


async def test_ledger_is_bounded_by_village_and_filter(rollback: None) -> None:
    made = await story()
    chief = await factories.acting(made.county.chief)
    wanted = reports.month_filter(LAST_MONTH)
    assert len((await reports.ledger(chief, wanted))[0]) == 2
    department = await made.department()
    found = await reports.ledger(department, msgspec.structs.replace(wanted, text="卢立新"))
    assert [row.worker for row in found[0]] == ["卢立新"]
    shop, village = found[0][0].shop, found[0][0].village
    for text, count in ((shop[1:], 3), (village, 1), (f"立新 {shop[:3]}", 1), ("无此人", 0)):
        rows, totals = await reports.ledger(department, msgspec.structs.replace(wanted, text=text))
        assert (len(rows), totals.rows) == (count, count), text
    plan = await DB.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS OFF) {queries.LEDGER}",
        COUNTY, wanted.first, wanted.last, "卢立新", None, None, ["421222"], 51, 0,
    )  # fmt: skip
    # Whose village each line is of is only asked for those who are meant.
    assert [row[0] for row in plan if "CTE Scan on sought" in row[0] and "actual" in row[0]]
    worker = await factories.acting(made.county.worker)
    assert await reports.ledger(worker, wanted) == ([], LedgerTotals(rows=0, undone=0, points=0))


async def test_the_sum_is_that_of_all_pages(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the same conditions as the rows, whatever page is looked at."""
    made = await story()
    await redeem(made, now(), soap=3)
    monkeypatch.setattr(reports, "PAGE", 1)
    department = await made.department()
    wanted = reports.month_filter(THIS_MONTH)
    pages = [await reports.ledger(department, wanted, number) for number in (1, 2, 3)]
    assert [[row.kind for row in rows] for rows, _ in pages] == [["redeem"], ["undo"], []]
    points = sum(row.points for rows, _ in pages for row in rows)
    assert {totals for _, totals in pages} == {LedgerTotals(rows=2, undone=1, points=points)}
    other = msgspec.structs.replace(wanted, text="卢立新")
    assert (await reports.ledger(department, other))[1].rows == 0


async def test_export_needs_a_password_a_purpose_and_leaves_a_trace(rollback: None) -> None:
    made = await story()
    department, wanted = await made.department(), reports.month_filter(LAST_MONTH)
    with pytest.raises(ConfirmFirst):
        await reports.export_ledger(department, wanted, "对账")
    with pytest.raises(Invalid, match="用途"):
        await reports.export_ledger(fresh(department), wanted, " ")
    with pytest.raises(NotFound):
        await reports.export_ledger(
            fresh(await factories.acting(made.county.worker)), wanted, "好奇"
        )
    name, content = await reports.export_ledger(fresh(department), wanted, "十月对账")
    assert name.startswith("通城县兑换台账_")
    rows = read(content)
    assert rows[2][1:3] == ["时间", "乡镇"]
    assert [row[8] for row in rows[3:7]] == [10, 35, 5, 50]
    assert {row[9] for row in rows[3:6]} == {"兑换"}
    assert rows[6][0] == "合计"
    assert str(rows[-1][0]).startswith(f"导出：{department.name} 20")
    logged = await DB.fetchrow(
        "SELECT name, purpose, row_count FROM shared.export_log WHERE county_id = $1", COUNTY
    )
    assert logged
    assert tuple(logged) == (name, "十月对账", 3)


async def test_summary_adds_up_by_township(rollback: None) -> None:
    made = await story()
    department = fresh(await made.department())
    first, last = rules.first_day(LAST_MONTH), rules.last_day(LAST_MONTH)
    _, content = await reports.export_summary(department, first, last, "上月")
    by_name = {row[4]: row for row in read(content)[3:] if row[4]}
    assert by_name["欧阳金山"][14] == 45
    began = rules.first_day(THIS_MONTH)
    _, content = await reports.export_summary(department, began, today(), "本月")
    by_name = {row[4]: row for row in read(content)[3:] if row[4]}
    assert by_name["欧阳金山"][14] == -35
    _, content = await reports.export_summary(department, first, today(), "汇总")
    rows = read(content)
    by_name = {row[4]: row for row in rows[3:] if row[4]}
    assert by_name["欧阳金山"][6] == 100
    assert by_name["欧阳金山"][14:16] == [10, 90]
    assert by_name["苏建国"][13:16] == [0, 0, 0]
    assert [row[0] for row in rows].count("小计") == 2
    total = next(row for row in rows if row[0] == "合计")
    assert any("补审入账的以后会加进来" in str(row[0]) for row in rows)
    assert (total[13], total[14]) == (200, 15)
    with pytest.raises(Invalid, match="一次最多一年"):
        await reports.export_summary(department, today(), first, "倒着")


async def test_public_sheet_agrees_with_statements_and_never_changes(rollback: None) -> None:
    made = await story()
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    assert await publication.publish(COUNTY, LAST_MONTH, after(LAST_MONTH)) == 1
    assert await publication.publish(COUNTY, LAST_MONTH, now()) == 0
    chief = await factories.acting(made.county.chief)
    (sheet,) = await publication.of_fund(chief, made.fund_id)
    figures = sheet.figures
    assert (figures.redeemed, figures.undone, figures.workers) == (500, 0, 2)
    assert figures.payable_fen == 3300 + 3 * 450
    assert (figures.budget_fen, figures.outstanding) == (500_000, 2000 - 150)
    assert not figures.month_end  # the fund is younger than the month
    assert {(item.product, item.quantity) for item in figures.stock} == {
        ("肥皂", 97),
        ("大米5kg", 100),
    }
    assert (await publication.view(chief, sheet.id)).name == "隽1社区居委会积分资金"
    with pytest.raises(NotFound):
        await publication.view(await factories.acting(made.county.cousin_worker), sheet.id)
    with pytest.raises(Conflict, match="还没有结束"):
        await publication.publish(COUNTY, THIS_MONTH, now())


async def test_a_late_public_sheet_has_the_figures_of_the_months_end(rollback: None) -> None:
    """Made after an outage, it must not count what the next month brought and took."""
    made = await world(budget_fen=10_000)
    worker, cousin = made.county.worker.person_id, made.county.cousin_worker.person_id
    await earn(worker, made.fund_id, 700)
    await earn(cousin, made.fund_id, 400)
    waiting = await DB.fetchval("SELECT id FROM points.awaiting WHERE county_id = $1", COUNTY)
    kept = await redeem(made, now(), soap=2)
    later = after(THIS_MONTH) + timedelta(days=3)
    given_back = Undo(id=new_id(), redemption_id=kept, memo="拿错了")
    raised = AddResolution(
        id=new_id(),
        fund_id=made.fund_id,
        number="决〔2026〕2号",
        resolved_on=today(),
        amount_fen=500,
        day=today(later),
        expires_on=None,
    )
    cancelled = Reverse(id=new_id(), award_id=waiting, amount=20, day=today(later))
    moved: tuple[tuple[UUID, Literal["in", "out"], int], ...] = (
        (made.soap, "in", 9),
        (made.rice, "out", 98),
    )
    moves = [
        StockMove(
            id=new_id(),
            shop_id=made.shop.shop_id,
            product_id=product,
            move=move,
            quantity=quantity,
            at=later,
        )
        for product, move, quantity in moved
    ]
    outcomes = await ledger.post(COUNTY, [given_back, raised, cancelled, *moves], later)
    assert all(outcome.accepted for outcome in outcomes), outcomes
    await redeem(made, later, rice=1)
    await ledger.expire_lots(COUNTY, date(2100, 1, 1))
    at = later + timedelta(days=9)
    await building.build(None, COUNTY, THIS_MONTH, at)
    await publication.publish(COUNTY, THIS_MONTH, at)
    (sheet,) = await publication.of_fund(await factories.acting(made.county.chief), made.fund_id)
    figures = sheet.figures
    assert figures.month_end
    assert (figures.budget_fen, figures.left_fen) == (10_000, 0)
    assert (figures.issued, figures.outstanding, figures.awaiting) == (1000, 900, 100)
    assert {(item.product, item.quantity) for item in figures.stock} == {
        ("肥皂", 98),
        ("大米5kg", 100),
    }


async def test_the_public_sheet_leaves_out_no_goods(rollback: None) -> None:
    """The shops of a township may have more than five hundred goods between them."""
    made = await story()
    async with as_owner():
        await DB.execute(
            "INSERT INTO points.product SELECT p.* FROM points.product o, generate_series(1, 501) n"
            ", jsonb_populate_record(o, jsonb_build_object('id', md5(n::text), 'name', '货' || n))"
            " AS p WHERE o.county_id = $1 AND o.id = $2",
            COUNTY,
            made.soap,
        )
        await DB.execute(
            "INSERT INTO points.stock SELECT k.* FROM points.stock o, generate_series(1, 501) n,"
            " jsonb_populate_record(o, jsonb_build_object('id', md5('k' || n), 'product_id',"
            " md5(n::text))) AS k WHERE o.county_id = $1 AND o.product_id = $2",
            COUNTY,
            made.soap,
        )
    await publication.publish(COUNTY, LAST_MONTH, after(LAST_MONTH))
    (sheet,) = await publication.of_fund(await factories.acting(made.county.chief), made.fund_id)
    assert len(sheet.figures.stock) >= 501


async def test_public_sheet_counts_nobody_who_only_gave_back(rollback: None) -> None:
    """What was undone a month later is no exchange of that month."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    redemption = await redeem(made, in_last_month(3), soap=1)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    await undo(redemption)
    at = after(THIS_MONTH)
    await building.build(None, COUNTY, THIS_MONTH, at)
    await publication.publish(COUNTY, THIS_MONTH, at)
    (sheet,) = await publication.of_fund(await factories.acting(made.county.chief), made.fund_id)
    figures = sheet.figures
    assert (figures.redeemed, figures.undone, figures.workers) == (0, 50, 0)


async def test_job_of_the_first_day_does_statements_and_sheets_once(rollback: None) -> None:
    made = await story()
    (job,) = JOBS
    at = after(LAST_MONTH) + timedelta(hours=1)
    assert await runner.run_due(job, at) == len(job.periods(at, COUNTY))
    assert await runner.run_due(job, at + timedelta(days=1)) == 0
    (sheet,) = await publication.of_fund(await factories.acting(made.county.chief), made.fund_id)
    assert sheet.month == LAST_MONTH


async def test_console_signs_a_month_and_writes_its_files(rollback: None) -> None:
    await story()
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    with pytest.raises(NotFound, match="核对店名"):
        await console.sign_month(COUNTY, LAST_MONTH, now(), "没有的店")
    signed = await console.sign_month(COUNTY, LAST_MONTH, now())
    assert (signed.statements, signed.signatures, signed.frozen) == (1, 3, 1)
    ((name, content),) = await console.statement_files(COUNTY, LAST_MONTH, now())
    assert name.startswith("对账单_银城积分超市")
    assert content == (await console.statement_files(COUNTY, LAST_MONTH, now()))[0][1]
    _, ledger = await reports.console_ledger(COUNTY, LAST_MONTH)
    assert len(read(ledger)) > 6
    assert (await reports.console_summary(COUNTY, THIS_MONTH))[1][:2] == b"PK"


async def test_ledger_follows_the_post_that_goes_on_after_a_second_one_ended(
    rollback: None,
) -> None:
    """Who helped out in another village for a while belongs to the own one again."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    post_id = await roster.add_post(
        COUNTY, made.county.units["421222101002001"].id, Role.GRIDWORKER
    )
    first = rules.first_day(LAST_MONTH)
    await roster.assign(
        COUNTY,
        post_id,
        made.county.worker.person_id,
        first,
        valid_to=first + timedelta(days=5),
        now=now(),
    )
    await redeem(made, in_last_month(20), soap=1)
    await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    chief = await factories.acting(made.county.chief)
    rows, _ = await reports.ledger(chief, reports.month_filter(LAST_MONTH))
    assert [row.place for row in rows] == ["隽1社区居委会隽1第1网格"]
    summed = await queries.summary(COUNTY, first, rules.last_day(LAST_MONTH), [str(COUNTY)], now())
    assert [row.village for row in summed if row.worker == "欧阳金山"] == ["隽1社区居委会"]


async def test_points_that_ended_yesterday_are_no_balance_before_eight_in_the_morning(
    rollback: None,
) -> None:
    """The summary's day is the day in China, also while it is still yesterday in London."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000, expires=2030)
    at = datetime(2031, 1, 1, 1, tzinfo=LOCAL_ZONE).astimezone(UTC)
    rows = await queries.summary(COUNTY, today(), today(), [str(COUNTY)], at)
    assert {row.wallet for row in rows} == {0}


async def test_summary_lists_who_left_and_still_redeemed(rollback: None) -> None:
    """For ninety days the points can be spent: without them the sums fall short of the ledger's."""
    made = await story()
    left = rules.first_day(THIS_MONTH) - timedelta(days=1)
    await roster.end_assignment(COUNTY, made.county.worker.assignment_id, left)
    await redeem(made, now(), soap=9)
    period = rules.first_day(THIS_MONTH), rules.last_day(THIS_MONTH)
    rows = await queries.summary(COUNTY, *period, [made.county.worker.unit_code[:12]], now())
    assert {row.worker: row.redeemed for row in rows} == {"欧阳金山": 450 - 350, "苏建国": 0}
    earlier = rules.first_day(LAST_MONTH) - timedelta(days=9), rules.first_day(LAST_MONTH)
    rows = await queries.summary(COUNTY, *earlier, [str(COUNTY)], now())
    assert {row.redeemed for row in rows} == {0}
