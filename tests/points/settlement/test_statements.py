import asyncio
import io
from contextvars import copy_context
from datetime import date, timedelta
from uuid import UUID

import openpyxl
import pytest

from points.errors import StatementChanged, StatementFrozen
from points.settlement import building, console, documents, queries, rules, service, signing
from points.settlement.rules import Part
from points.settlement.schemas import SignatureRow, StatementRow
from shared.clock import now, today
from shared.database import DB
from shared.documents.excel import digest
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.schemas import Holder
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
    resolve,
    undo,
    world,
)


async def built(month: str = LAST_MONTH) -> list[StatementRow]:
    """Build a month as the job does, and answer its statements."""
    await building.build(None, COUNTY, month, min(after(month), now()))
    return await queries.statements_of_month(COUNTY, month)


async def test_a_shop_s_open_lines_read_no_other_s(rollback: None) -> None:
    """Its page looked through every redemption that the county ever had."""
    made = await world()
    await DB.execute("SET LOCAL enable_seqscan = off")
    plan = await DB.fetch(f"EXPLAIN {queries.EVENTS}", COUNTY, now(), made.shop.shop_id)
    conditions = [row[0] for row in plan if "Index Cond" in row[0] and "shop_id = " in row[0]]
    assert [line for line in conditions if "at < " in line]


async def test_what_wants_a_signature_is_found_among_years_of_statements(rollback: None) -> None:
    """In one look: everybody's 待办 read all statements, and for each page of open ones again."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    [row] = await built()
    await DB.execute(
        "INSERT INTO points.statement SELECT (jsonb_populate_record(s, jsonb_build_object("
        "'id', gen_random_uuid(), 'month', to_char(date '2000-01-01' + n * 31, 'YYYY-MM'),"
        " 'state', 'frozen', 'frozen_at', now()))).*"
        " FROM points.statement s, generate_series(1, 300) AS n WHERE s.county_id = $1",
        COUNTY,
    )
    async with as_owner():
        await DB.execute("ANALYZE points.statement")
    plan = await DB.fetch(
        f"EXPLAIN {queries.STATEMENTS}", COUNTY, "", "built", "", [], ["421222"], 50, 0
    )
    assert [line[0] for line in plan if "statement_open" in line[0]], plan
    assert not [line[0] for line in plan if "SubPlan" in line[0]], plan
    keeper = await made.keeper()
    assert [item.statement.id for item in await service.to_sign(keeper)] == [row.id]


async def spender(made: World, amount: int = 3000) -> None:
    await earn(made.county.worker.person_id, made.fund_id, amount)


async def sign_all(made: World, statement: StatementRow) -> None:
    """All three, in order, of the file as it is."""
    for actor, part in (
        (await made.keeper(), Part.SHOP),
        (await made.accountant(), Part.ACCOUNTANT),
        (await made.supervisor(), Part.SUPERVISOR),
    ):
        await signing.sign(actor, statement.id, part, statement.file_hash, now())


async def test_statement_is_the_sum_of_its_lines_at_agreed_prices(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=2)
    await redeem(made, in_last_month(9), rice=1, soap=1)
    (statement,) = await built()
    found = await service.view(await made.keeper(), statement.id)
    assert [(line.points, line.amount_fen) for line in found.lines] == [(100, 900), (400, 3750)]
    assert found.lines[1].goods == "肥皂×1、大米5kg×1"
    assert found.lines[0].worker == "欧**山"
    assert (statement.points, statement.amount_fen, statement.payable_fen) == (500, 4650, 4650)
    assert statement.settlement_name.endswith("供销合作社")


async def test_each_redemption_stands_in_exactly_one_statement(rollback: None) -> None:
    """Built twice, nothing is added; what comes later goes to the next month."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=2)
    first = await built()
    await redeem(made, in_last_month(28), soap=1)  # uploaded late, from a hold
    again = await building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH))
    assert (again.made, again.extended, again.unchanged) == (0, 0, 1)
    assert await built() == first
    (later,) = await built(THIS_MONTH)
    assert (later.line_count, later.amount_fen) == (1, 450)


async def test_late_undo_is_a_negative_line_of_the_next_month(rollback: None) -> None:
    made = await world()
    await spender(made)
    redemption = await redeem(made, in_last_month(3), rice=1)
    (closed,) = await built()
    await undo(redemption)
    await redeem(made, now(), soap=1)
    (open_,) = await built(THIS_MONTH)
    assert (await built())[0] == closed
    assert (open_.amount_fen, open_.payable_fen, open_.carry_fen) == (450 - 3300, 0, 450 - 3300)
    lines = await queries.lines(COUNTY, open_.id)
    assert {(line.kind, line.points, line.amount_fen) for line in lines} == {
        ("redeem", 50, 450),
        ("undo", -350, -3300),
    }


async def test_midnight_belongs_to_the_month_that_begins(rollback: None) -> None:
    """What is bought at its first instant is no line of the last; the same of an undoing."""
    made = await world()
    await spender(made)
    undone = await redeem(made, in_last_month(3), rice=1)
    bought = await redeem(made, rules.month_end(LAST_MONTH), soap=1)
    (last,) = await built()
    assert [line.redemption_id for line in await queries.lines(COUNTY, last.id)] == [undone]
    await undo(undone)
    at = await DB.fetchval(
        "SELECT at FROM points.posting WHERE county_id = $1 AND kind = 'undo'", COUNTY
    )
    found = []
    for later in (0, 1):
        through = at + timedelta(microseconds=later)
        await building.build(None, COUNTY, THIS_MONTH, now=through)
        (this,) = await queries.statements_of_month(COUNTY, THIS_MONTH)
        lines = await queries.lines(COUNTY, this.id)
        found.append([(line.kind, line.redemption_id) for line in lines])
    assert found == [[("redeem", bought)], [("redeem", bought), ("undo", undone)]]


async def test_what_is_below_zero_opens_the_next_statement(rollback: None) -> None:
    """Only once it is frozen, and in one statement only."""
    made = await world()
    await spender(made)
    redemption = await redeem(made, in_last_month(3), rice=1)
    await built()
    await undo(redemption)
    (negative,) = await built(THIS_MONTH)
    following = rules.next_month(THIS_MONTH)
    assert await queries.carries(COUNTY, following) == {}
    await sign_all(made, negative)
    await building.build(None, COUNTY, following, after(following))
    (last,) = await queries.statements_of_month(COUNTY, following)
    assert (last.opening_fen, last.carry_fen, last.carried) == (-3300, -3300, [negative.id])
    assert await queries.carries(COUNTY, rules.next_month(following)) == {}


async def test_undo_in_the_same_month_nets_out(rollback: None) -> None:
    made = await world()
    await spender(made)
    await undo(await redeem(made, now(), rice=1))
    (statement,) = await built(THIS_MONTH)
    assert (statement.line_count, statement.points, statement.payable_fen) == (2, 0, 0)


async def test_redemption_over_two_funds_is_divided_without_losing_a_fen(rollback: None) -> None:
    """Lots are spent first-expiring first; each fund pays its share of the points."""
    made = await world()
    other = await resolve("421222100")
    await earn(made.county.worker.person_id, other, 130, expires=2098)
    await spender(made, 500)
    await redeem(made, in_last_month(3), rice=1)
    statements = await built()
    by_fund = {row.fund_id: row for row in statements}
    assert (by_fund[other].points, by_fund[made.fund_id].points) == (130, 220)
    assert sum(row.amount_fen for row in statements) == 3300
    assert by_fund[other].amount_fen in {3300 * 130 // 350, 3300 * 130 // 350 + 1}
    assert by_fund[other].unit_code == "421222100"
    (line,) = await queries.lines(COUNTY, by_fund[other].id)
    assert line.shared
    assert line.whole_points == 350


async def test_running_month_grows_until_somebody_signs(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, now() - timedelta(seconds=2), soap=1)
    (first,) = await built(THIS_MONTH)
    await redeem(made, now() - timedelta(seconds=1), soap=1)
    (second,) = await built(THIS_MONTH)
    assert (first.id, first.line_count, second.line_count) == (second.id, 1, 2)
    assert first.file_sha256 != second.file_sha256
    with pytest.raises(StatementChanged):
        await signing.sign(await made.keeper(), first.id, Part.SHOP, first.file_hash, now())
    await signing.sign(await made.keeper(), second.id, Part.SHOP, second.file_hash, now())
    await redeem(made, now(), soap=1)
    assert (await built(THIS_MONTH))[0].line_count == 2


async def test_preview_shows_what_is_in_no_statement_and_writes_nothing(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    await built()
    await redeem(made, now(), rice=1)
    (preview,) = await building.preview(await made.keeper(), made.shop.shop_id)
    assert [line.goods for line in preview.lines] == ["大米5kg×1"]
    assert (
        await DB.fetchval("SELECT count(*) FROM points.statement WHERE county_id = $1", COUNTY) == 1
    )


async def test_same_rows_give_the_same_file_and_the_stored_hash(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    (statement,) = await built()
    keeper = await made.keeper()
    _, first, _ = await service.file(keeper, statement.id)
    name, second, _ = await service.file(keeper, statement.id)
    assert first == second
    assert digest(first) == statement.file_sha256
    assert name.startswith("对账单_银城积分超市")
    page = openpyxl.load_workbook(io.BytesIO(first)).active
    assert page["I4"].value == 13.5
    assert any("本期应付：13.50 元" in str(cell.value) for cell in page["A"])


async def test_the_file_that_was_hashed_is_kept(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release may write the same rows otherwise; a file from before is made anew."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    await redeem(made, in_last_month(2), soap=1)
    (statement,) = await built()
    keeper = await made.keeper()
    await service.dispute(
        keeper, statement.id, (await queries.lines(COUNTY, statement.id))[0].id, "少算", now()
    )
    _, first, _ = await service.file(keeper, statement.id)

    async def store(file: str) -> None:
        async with as_owner():
            sentence = f"UPDATE points.statement SET file = {file} WHERE county_id = $1"
            await DB.execute(sentence, COUNTY)

    with monkeypatch.context() as patch:
        patch.setitem(documents.KINDS, "redeem", "消费")
        assert (await service.file(keeper, statement.id))[1] == first
        ((_, content),) = await console.statement_files(COUNTY, LAST_MONTH, now())
        assert content == first
        await store("NULL")
        with pytest.raises(StatementChanged, match="指纹不一致"):
            await service.file(keeper, statement.id)
    assert (await service.file(keeper, statement.id))[1] == first
    await store("'other'")
    with pytest.raises(StatementChanged, match="指纹不一致"):
        await service.file(keeper, statement.id)


async def test_three_people_sign_in_order_and_freeze(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    (statement,) = await built()
    accountant, supervisor = await made.accountant(), await made.supervisor()
    with pytest.raises(Forbidden, match="还没有轮到"):
        await signing.sign(accountant, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    await signing.sign(await made.keeper(), statement.id, Part.SHOP, statement.file_hash, now())
    await signing.sign(supervisor, statement.id, Part.SUPERVISOR, statement.file_hash, now())
    assert [item.statement.id for item in await service.to_sign(accountant)] == [statement.id]
    assert await service.to_sign(supervisor) == []
    await signing.sign(accountant, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    found = await service.view(accountant, statement.id)
    assert found.statement.frozen
    assert [row.part for row in found.signatures] == [Part.SHOP, Part.SUPERVISOR, Part.ACCOUNTANT]
    assert not any(row.stand_in for row in found.signatures)
    with pytest.raises(StatementFrozen):
        await signing.sign(accountant, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    with pytest.raises(StatementFrozen):
        await service.dispute(accountant, statement.id, found.lines[0].id, "太晚", now())
    actions = await DB.fetch(
        "SELECT action FROM shared.audit_event WHERE county_id = $1 AND object_id = $2",
        COUNTY,
        statement.id,
    )
    assert [row["action"] for row in actions].count("statement.sign") == 3


async def test_vacant_posts_are_signed_for_by_the_level_above(rollback: None) -> None:
    """Two different people, both marked as standing in."""
    made = await world()
    fund = await resolve("421222100002")  # a village without accountant or supervisor
    await earn(made.county.worker.person_id, fund, 500)
    await redeem(made, in_last_month(), soap=3)
    (statement,) = await built()
    await signing.sign(await made.keeper(), statement.id, Part.SHOP, statement.file_hash, now())
    instructor, department = await made.instructor(), await made.department()
    with pytest.raises(NotFound):
        await signing.sign(
            await made.accountant(), statement.id, Part.ACCOUNTANT, statement.file_hash, now()
        )
    await signing.sign(instructor, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    with pytest.raises(Forbidden, match="三个人"):
        await signing.sign(instructor, statement.id, Part.SUPERVISOR, statement.file_hash, now())
    await signing.sign(department, statement.id, Part.SUPERVISOR, statement.file_hash, now())
    found = await service.view(department, statement.id)
    assert [row.stand_in for row in found.signatures] == [False, True, True]
    assert found.signatures[2].means == "desk"


async def test_keeper_who_is_the_accountant_too_leaves_that_part_to_the_township(
    rollback: None,
) -> None:
    """Three people sign although the village has one for two of the parts."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    accountant = made.county.accountant
    await roster.end_assignment(COUNTY, accountant.assignment_id, today(), reason="离任")
    await roster.assign(COUNTY, accountant.post_id, made.shop.keeper.person_id, today(), now=now())
    (statement,) = await built()
    keeper, instructor = await made.keeper(), await made.instructor()
    await signing.sign(keeper, statement.id, Part.SHOP, statement.file_hash, now())
    with pytest.raises(Forbidden, match="三个人"):
        await signing.sign(keeper, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    assert [item.statement.id for item in await service.to_sign(instructor)] == [statement.id]
    await signing.sign(instructor, statement.id, Part.ACCOUNTANT, statement.file_hash, now())
    await signing.sign(
        await made.supervisor(), statement.id, Part.SUPERVISOR, statement.file_hash, now()
    )
    found = await service.view(instructor, statement.id)
    assert found.statement.frozen
    assert [row.stand_in for row in found.signatures] == [False, True, False]


@pytest.mark.parametrize("paper", [False, True])
async def test_shop_without_a_keeper_is_signed_for_by_the_level_above(
    rollback: None,
    paper: bool,  # noqa: FBT001  a case
) -> None:
    """Nobody else may, and only while the shop has nobody, whoever keeps another one there."""
    made = await world()
    await factories.shop(made.county.units["421222100"], "隽水二店")
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    (statement,) = await built()
    instructor = await made.instructor()
    with pytest.raises(NotFound):
        await signing.sign(instructor, statement.id, Part.SHOP, statement.file_hash, now())
    await roster.end_assignment(COUNTY, made.shop.keeper.assignment_id, today(), reason="停业")
    if paper:
        await signing.sign_on_paper(COUNTY, [statement.id], now())
    else:
        with pytest.raises(NotFound):
            await signing.sign(
                await made.accountant(), statement.id, Part.SHOP, statement.file_hash, now()
            )
        await signing.sign(instructor, statement.id, Part.SHOP, statement.file_hash, now())
        await signing.sign(
            await made.accountant(), statement.id, Part.ACCOUNTANT, statement.file_hash, now()
        )
        await signing.sign(
            await made.supervisor(), statement.id, Part.SUPERVISOR, statement.file_hash, now()
        )
    found = await service.view(instructor, statement.id)
    assert found.statement.frozen
    assert {row.part for row in found.signatures if row.stand_in} == {Part.SHOP}


async def test_instructor_cannot_sign_where_the_village_has_its_own(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=3)
    (statement,) = await built()
    await signing.sign(await made.keeper(), statement.id, Part.SHOP, statement.file_hash, now())
    with pytest.raises(NotFound):
        await signing.sign(
            await made.instructor(), statement.id, Part.ACCOUNTANT, statement.file_hash, now()
        )


async def test_disputed_line_leaves_the_payable_sum_and_takes_signatures_back(
    rollback: None,
) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    await redeem(made, in_last_month(9), rice=1)
    (statement,) = await built()
    keeper, accountant = await made.keeper(), await made.accountant()
    await signing.sign(keeper, statement.id, Part.SHOP, statement.file_hash, now())
    rice = (await queries.lines(COUNTY, statement.id))[1]
    with pytest.raises(NotFound):
        await service.dispute(accountant, statement.id, new_id(), "没有领取人签字", now())
    found = await service.dispute(accountant, statement.id, rice.id, "没有领取人签字", now())
    assert (found.statement.disputed_fen, found.statement.payable_fen) == (3300, 450)
    assert found.signatures == ()
    assert [line.disputed for line in found.lines] == [False, True]
    with pytest.raises(StatementChanged, match="已经有异议"):
        await service.dispute(keeper, statement.id, rice.id, "再来一次", now())
    content = (await service.file(keeper, statement.id))[1]
    assert digest(content) == found.statement.file_sha256 != statement.file_sha256
    with pytest.raises(Forbidden, match="提出异议的人"):
        await service.withdraw(keeper, found.disputes[0].id, now())
    back = await service.withdraw(accountant, found.disputes[0].id, now())
    assert (back.statement.payable_fen, back.statement.file_sha256) == (
        3750,
        statement.file_sha256,
    )


async def test_dispute_decided_after_the_freeze_is_paid_with_the_next_statement(
    rollback: None,
) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    await redeem(made, in_last_month(9), rice=1)
    (statement,) = await built()
    accountant = await made.accountant()
    soap, rice = await queries.lines(COUNTY, statement.id)
    found = await service.dispute(accountant, statement.id, rice.id, "没有领取人签字", now())
    await sign_all(made, found.statement)
    for change in (
        service.withdraw(accountant, found.disputes[0].id, now()),
        service.dispute(accountant, statement.id, soap.id, "也没有", now()),
    ):
        with pytest.raises(StatementFrozen):
            await change
    with pytest.raises(NotFound):
        await service.decide(accountant, found.disputes[0].id, "补签了", pay=True, now=now())
    later = now() + timedelta(minutes=1)
    instructor = await made.instructor()
    decided = await service.decide(instructor, found.disputes[0].id, "已补签", pay=True, now=later)
    assert decided.statement.payable_fen == 450
    assert (await service.file(instructor, statement.id))[2].lines[1].disputed
    (following,) = await built(THIS_MONTH)
    assert (following.opening_fen, following.payable_fen) == (3300, 3300)
    assert following.carried == [found.disputes[0].id]


async def test_who_objected_leaves_the_decision_to_others(rollback: None) -> None:
    """An instructor who objects finds it neither to decide nor possible to.

    A line that is found right before the freeze is paid by this statement, and not by the next.
    """
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    (statement,) = await built()
    (line,) = await queries.lines(COUNTY, statement.id)
    instructor, department = await made.instructor(), await made.department()
    found = await service.dispute(instructor, statement.id, line.id, "没有领取人签字", now())
    assert found.disputes[0].raised_as("组织部") == "网格指导员"
    assert await service.to_decide(instructor) == []
    with pytest.raises(Forbidden, match="换一个人"):
        await service.decide(instructor, found.disputes[0].id, "补签了", pay=True, now=now())
    (listed,) = await service.to_decide(department)
    assert listed.statement.id == statement.id
    decided = await service.decide(department, found.disputes[0].id, "补签了", pay=True, now=now())
    assert decided.statement.payable_fen == 450
    await sign_all(made, decided.statement)
    assert await built(THIS_MONTH) == []


async def test_refused_line_is_never_paid(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    (statement,) = await built()
    line = (await queries.lines(COUNTY, statement.id))[0]
    keeper = await made.keeper()
    found = await service.dispute(keeper, statement.id, line.id, "不是本店的", now())
    decided = await service.decide(
        await made.instructor(), found.disputes[0].id, "查实不付", pay=False, now=now()
    )
    assert decided.statement.payable_fen == 0
    assert decided.disputes[0].state_name == "不付"
    await sign_all(made, decided.statement)
    assert await queries.carries(COUNTY, THIS_MONTH) == {}


async def test_a_line_that_was_undone_is_not_disputed(rollback: None) -> None:
    """Its undoing takes it out already: without it the shop would be paid less than nothing."""
    made = await world()
    await spender(made)
    await redeem(made, now(), soap=1)
    await undo(await redeem(made, now(), rice=1))
    (statement,) = await built(THIS_MONTH)
    lines = await queries.lines(COUNTY, statement.id)
    (rice,) = [line for line in lines if (line.kind, line.amount_fen) == ("redeem", 3300)]
    (back,) = [line for line in lines if line.kind == "undo"]
    with pytest.raises(Invalid, match="已经撤销"):
        await service.dispute(await made.accountant(), statement.id, rice.id, "没有签字", now())
    found = await queries.statement(COUNTY, statement.id)
    assert found is not None
    assert (found.disputed_fen, found.payable_fen) == (0, 450)
    shown = await service.dispute(await made.keeper(), statement.id, back.id, "货已领走", now())
    assert shown.statement.payable_fen == 3750


async def test_undo_of_a_refused_line_deducts_nothing(rollback: None) -> None:
    """What the village never paid it does not get back; points and pieces still return."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    rice = await redeem(made, in_last_month(9), rice=1)
    (statement,) = await built()
    line = (await queries.lines(COUNTY, statement.id))[1]
    found = await service.dispute(await made.accountant(), statement.id, line.id, "没有签字", now())
    refused = await service.decide(
        await made.instructor(), found.disputes[0].id, "不付", pay=False, now=now()
    )
    await sign_all(made, refused.statement)
    await undo(rice)
    await redeem(made, now(), soap=2)
    (following,) = await built(THIS_MONTH)
    assert (following.opening_fen, following.payable_fen) == (0, 900)
    lines = await queries.lines(COUNTY, following.id)
    assert {(item.kind, item.points, item.amount_fen) for item in lines} == {
        ("undo", -350, 0),
        ("redeem", 100, 900),
    }


async def test_an_undoing_settles_the_objection_to_its_line(rollback: None) -> None:
    """Both in one statement: deducted while the line stood apart, the shop would be short.

    Whoever had signed the file of before signs again.
    """
    made = await world()
    await spender(made)
    await redeem(made, now(), soap=1)
    rice = await redeem(made, now(), rice=1)
    (statement,) = await built(THIS_MONTH)
    line = (await queries.lines(COUNTY, statement.id))[1]
    found = await service.dispute(await made.accountant(), statement.id, line.id, "没有签字", now())
    keeper, file = await made.keeper(), found.statement.file_hash
    await signing.sign(keeper, statement.id, Part.SHOP, file, now())
    await undo(rice)
    (grown,) = await built(THIS_MONTH)
    assert (grown.disputed_fen, grown.payable_fen, grown.carry_fen) == (0, 450, 0)
    shown = await service.view(keeper, statement.id)
    assert [(row.state, row.decided_name) for row in shown.disputes] == [("payable", None)]
    assert "撤销" in shown.disputes[0].note
    assert shown.signatures == ()
    assert digest((await service.file(keeper, grown.id))[1]) == grown.file_sha256


async def test_an_undoing_settles_the_objection_to_a_frozen_line(rollback: None) -> None:
    """What was left out opens the statement that deducts it: no month pays the difference."""
    made = await world()
    await spender(made)
    rice = await redeem(made, in_last_month(9), rice=1)
    (statement,) = await built()
    line = (await queries.lines(COUNTY, statement.id))[0]
    found = await service.dispute(await made.accountant(), statement.id, line.id, "没有签字", now())
    await sign_all(made, found.statement)
    await undo(rice)
    await redeem(made, now(), soap=1)
    (following,) = await built(THIS_MONTH)
    assert (following.opening_fen, following.payable_fen, following.carry_fen) == (3300, 450, 0)
    assert (await service.file(await made.keeper(), statement.id))[2].lines[0].disputed


async def test_undo_deducted_before_its_line_was_refused_is_given_back(rollback: None) -> None:
    """The decision came after the undoing stood in a statement: the next one opens with it.

    An undoing settles the objection; here it did not, as before there was that rule.
    """
    made = await world()
    await spender(made)
    rice = await redeem(made, in_last_month(9), rice=1)
    (statement,) = await built()
    line = (await queries.lines(COUNTY, statement.id))[0]
    found = await service.dispute(await made.accountant(), statement.id, line.id, "没有签字", now())
    await sign_all(made, found.statement)
    hidden = await DB.fetchval(
        "UPDATE points.statement_dispute SET state = 'withdrawn', decided_at = now()"
        " WHERE county_id = $1 RETURNING id",
        COUNTY,
    )
    await undo(rice)
    (following,) = await built(THIS_MONTH)
    await DB.execute(
        "UPDATE points.statement_dispute SET state = 'open', decided_at = NULL"
        " WHERE county_id = $1 AND id = $2",
        COUNTY,
        hidden,
    )
    assert following.carry_fen == -3300
    await sign_all(made, following)
    later = now() + timedelta(minutes=1)
    await service.decide(
        await made.instructor(), found.disputes[0].id, "不付", pay=False, now=later
    )
    third = rules.next_month(THIS_MONTH)
    await building.build(None, COUNTY, third, after(third))
    (last,) = await queries.statements_of_month(COUNTY, third)
    assert (last.opening_fen, last.payable_fen, last.carry_fen) == (0, 0, 0)
    assert set(last.carried) == {following.id, found.disputes[0].id}


async def test_console_enters_paper_signatures_for_whoever_may_sign(rollback: None) -> None:
    made = await world()
    fund = await resolve("421222100002")
    await earn(made.county.worker.person_id, made.fund_id, 100)
    await earn(made.county.worker.person_id, fund, 500, expires=2098)
    await redeem(made, in_last_month(), rice=1, soap=4)
    statements = await built()
    assert {statement.fund_id for statement in statements} == {made.fund_id, fund}
    for statement in statements:
        rows = await signing.sign_on_paper(COUNTY, [statement.id], now())
        assert [row.part for row in rows] == list(Part)
        assert {row.means for row in rows} == {"paper"}
        standing_in = [row.stand_in for row in rows]
        assert standing_in == [False, fund == statement.fund_id, fund == statement.fund_id]
        assert await signing.sign_on_paper(COUNTY, [statement.id], now()) == []
    assert all(row.frozen for row in await queries.statements_of_month(COUNTY, LAST_MONTH))


async def test_a_month_on_paper_is_entered_together(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a post is asked once, not for each statement; a wrong id enters nothing at all."""
    made = await world()
    other = await resolve("421222100")
    await earn(made.county.worker.person_id, other, 130, expires=2098)
    await spender(made, 500)
    await redeem(made, in_last_month(3), rice=1)
    statements = await built()
    ids = [row.id for row in statements]
    asked = []
    before = roster.holders

    async def counted(county_id: int, role: Role, code: str, on: date) -> list[Holder]:
        asked.append((role, code))
        return await before(county_id, role, code, on)

    monkeypatch.setattr(roster, "holders", counted)
    with pytest.raises(NotFound):
        await signing.sign_on_paper(COUNTY, [*ids, new_id()], now())
    assert await queries.signed(COUNTY, ids) == {}
    assert asked == []
    by_shop = statements[1]
    await signing.sign(await made.keeper(), by_shop.id, Part.SHOP, by_shop.file_hash, now())
    asked.clear()
    entered = await signing.sign_on_paper(COUNTY, ids, now())
    assert len(entered) == 5
    assert len(asked) == len(set(asked))
    assert all(row.frozen for row in await queries.statements_of_month(COUNTY, LAST_MONTH))
    events = await DB.fetch(
        "SELECT action, count(*) AS n FROM shared.audit_event WHERE county_id = $1"
        " AND object_id = ANY($2) AND action IN ('statement.sign', 'statement.freeze') GROUP BY 1",
        COUNTY,
        ids,
    )
    assert {row["action"]: row["n"] for row in events} == {
        "statement.sign": 6,
        "statement.freeze": 2,
    }


async def test_frozen_rows_cannot_be_changed_by_anybody(rollback: None) -> None:
    """Not even by the owner of the tables."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    (statement,) = await built()
    await signing.sign_on_paper(COUNTY, [statement.id], now())
    for sql in (
        "UPDATE points.statement SET payable_fen = 0 WHERE county_id = $1",
        "DELETE FROM points.statement WHERE county_id = $1",
        "UPDATE points.statement_line SET amount_fen = 1 WHERE county_id = $1",
        "DELETE FROM points.statement_line WHERE county_id = $1",
    ):
        with pytest.raises(Exception, match="never change"):
            async with as_owner():
                await DB.execute(sql, COUNTY)


async def test_strangers_do_not_learn_that_a_statement_exists(rollback: None) -> None:
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    (statement,) = await built()
    other = await factories.shop(made.county.units["421222101"], name="别家店")
    line = (await queries.lines(COUNTY, statement.id))[0]
    for stranger in (made.county.worker, made.county.cousin_worker, other.keeper):
        actor = await factories.acting(stranger)
        assert await service.list_statements(actor) == ([], 0)
        with pytest.raises(NotFound):
            await service.view(actor, statement.id)
        with pytest.raises(NotFound):
            await service.file(actor, statement.id)
        with pytest.raises(NotFound):
            await service.dispute(actor, statement.id, line.id, "试试", now())
        with pytest.raises(NotFound):
            await signing.sign(actor, statement.id, Part.SHOP, statement.file_hash, now())
    with pytest.raises(NotFound):
        await building.build(await made.keeper(), COUNTY, LAST_MONTH, now())


async def test_month_to_come_is_refused(rollback: None) -> None:
    await factories.small_county()
    with pytest.raises(Invalid, match="还没有到"):
        await building.build(None, COUNTY, rules.next_month(THIS_MONTH), now())


async def test_two_builds_at_once_make_one_statement(committed: None) -> None:
    import asyncio

    made = await world()
    await spender(made)
    await redeem(made, in_last_month(), soap=1)
    results = await asyncio.gather(
        *(building.build(None, COUNTY, LAST_MONTH, after(LAST_MONTH)) for _ in range(5)),
        return_exceptions=True,
    )
    assert all(not isinstance(r, Exception) or isinstance(r, StatementChanged) for r in results)
    assert len(await queries.statements_of_month(COUNTY, LAST_MONTH)) == 1
    assert (
        await DB.fetchval("SELECT count(*) FROM points.statement_line WHERE county_id = $1", COUNTY)
        == 1
    )


async def test_a_build_that_began_before_a_signature_does_not_change_what_was_signed(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop signs while a build is already writing its file: the signed file stays."""
    made = await world()
    await spender(made)
    await redeem(made, now() - timedelta(seconds=2), soap=1)
    (first,) = await built(THIS_MONTH)
    await redeem(made, now() - timedelta(seconds=1), soap=1)
    keeper, hashing = await made.keeper(), building._hash

    async def signed_meanwhile(draft: building._Draft) -> None:
        await hashing(draft)
        await signing.sign(keeper, first.id, Part.SHOP, first.file_hash, now())

    monkeypatch.setattr(building, "_hash", signed_meanwhile)
    with pytest.raises(StatementChanged):
        await building.build(None, COUNTY, THIS_MONTH, now())
    monkeypatch.undo()
    assert await queries.statements_of_month(COUNTY, THIS_MONTH) == [first]
    assert len(await queries.lines(COUNTY, first.id)) == 1


async def test_what_is_carried_over_never_opens_an_earlier_month(rollback: None) -> None:
    """A build of an older month leaves what a later one carries to the month after that."""
    made = await world()
    await spender(made)
    redemption = await redeem(made, in_last_month(3), rice=1)
    await built()
    await undo(redemption)
    (negative,) = await built(THIS_MONTH)
    await sign_all(made, negative)
    before = str(rules.first_day(LAST_MONTH) - timedelta(days=1))[:7]
    assert await built(before) == []
    following = rules.next_month(THIS_MONTH)
    await building.build(None, COUNTY, following, after(following))
    (last,) = await queries.statements_of_month(COUNTY, following)
    assert last.carried == [negative.id]


async def test_a_line_names_the_grid_of_its_day(rollback: None) -> None:
    """A worker who moved to another village after the redemption stands in the old grid."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    worker = made.county.worker
    moved = rules.first_day(LAST_MONTH) + timedelta(days=19)
    await roster.end_assignment(COUNTY, worker.assignment_id, moved, reason="调动")
    post_id = await roster.add_post(
        COUNTY, made.county.units["421222101002001"].id, Role.GRIDWORKER
    )
    await roster.assign(COUNTY, post_id, worker.person_id, moved, now=now())
    (statement,) = await built()
    (line,) = await queries.lines(COUNTY, statement.id)
    assert line.place == "隽1社区居委会隽1第1网格"


async def test_everything_that_waits_for_a_signer_is_shown(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what would stand on a later page of the list."""
    monkeypatch.setattr(service, "PAGE", 1)
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    (earlier,) = await built()
    await redeem(made, now(), soap=1)
    (later,) = await built(THIS_MONTH)
    keeper = await made.keeper()
    shown = [item.statement.id for item in await service.to_sign(keeper)]
    assert shown == [later.id, earlier.id]


async def test_who_has_no_turn_yet_costs_no_question_a_statement(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accountant's list while the shop has not signed: nothing is asked line by line."""
    made = await world()
    await spender(made)
    await redeem(made, in_last_month(3), soap=1)
    (statement,) = await built()
    accountant, asked = await made.accountant(), []
    before = queries.signatures

    async def counted(county_id: int, statement_id: UUID) -> list[SignatureRow]:
        asked.append(statement_id)
        return await before(county_id, statement_id)

    monkeypatch.setattr(queries, "signatures", counted)
    assert await service.to_sign(accountant) == []
    assert asked == []
    await signing.sign(await made.keeper(), statement.id, Part.SHOP, statement.file_hash, now())
    assert [item.statement.id for item in await service.to_sign(accountant)] == [statement.id]


async def below_zero() -> tuple[StatementRow, str, str]:
    """A frozen statement of this month that the next one opens with; the next two months."""
    made = await world()
    await spender(made)
    redemption = await redeem(made, in_last_month(3), rice=1)
    await built()
    await undo(redemption)
    (negative,) = await built(THIS_MONTH)
    await sign_all(made, negative)
    first = rules.next_month(THIS_MONTH)
    return negative, first, rules.next_month(first)


async def test_two_months_built_at_once_open_with_a_carry_once(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job beside a press: what is below zero is deducted from one of them."""
    negative, first, second = await below_zero()
    hashing = building._hash

    async def other_meanwhile(draft: building._Draft) -> None:
        await hashing(draft)
        monkeypatch.setattr(building, "_hash", hashing)
        await building.build(None, COUNTY, second, after(second))

    monkeypatch.setattr(building, "_hash", other_meanwhile)
    with pytest.raises(StatementChanged):
        await building.build(None, COUNTY, first, after(first))
    assert await queries.statements_of_month(COUNTY, first) == []
    (one,) = await queries.statements_of_month(COUNTY, second)
    assert one.carried == [negative.id]


async def test_a_build_waits_for_one_that_is_being_written(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has committed when both have read what is carried over: the second is refused."""
    negative, first, second = await below_zero()
    storing = building._store
    outside = copy_context()
    others = []
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"

    async def other_meanwhile(actor: Actor | None, county_id: int, draft: building._Draft) -> None:
        monkeypatch.setattr(building, "_store", storing)
        work = building.build(None, COUNTY, second, after(second))
        others.append(asyncio.create_task(work, context=outside))
        while not others[0].done() and not await DB.fetchval(waits):
            pass
        await storing(actor, county_id, draft)

    monkeypatch.setattr(building, "_store", other_meanwhile)
    await building.build(None, COUNTY, first, after(first))
    with pytest.raises(StatementChanged):
        await others[0]
    (one,) = await queries.statements_of_month(COUNTY, first)
    assert one.carried == [negative.id]
