"""Each invariant is broken on purpose, with the owner's rights, and the verifier must name it."""

from datetime import timedelta
from uuid import UUID

import pytest

from points.ledger import service
from points.ledger.items import Item, Outcome
from points.ledger.seal import service as seal
from points.ledger.storage import service as storage
from points.ledger.verifier import queries
from points.ledger.verifier import service as verifier
from points.ledger.verifier.queries import LeafRow
from shared.database import DB
from shared.ids import new_id
from tests.conftest import as_owner
from tests.points.ledger.builders import (
    COUNTY,
    NOW,
    TODAY,
    award,
    expire_lots,
    fund,
    hold,
    line,
    post_hold,
    redeem,
    restock,
    reverse,
    sound,
    undo,
    void_hold,
)

LATER = NOW + timedelta(days=1)


@pytest.fixture
async def books(rollback: None) -> list[Outcome]:
    """A little of everything: spent, undone, held, posted, voided, swept, owed, waiting."""
    fund_id, shop, rice = await fund(2000), new_id(), new_id()
    ann, bob = new_id(), new_id()
    earned = award(ann, fund_id, 500)
    goods = line(rice, 2, 50)
    undone, posted, voided = (
        redeem(ann, shop, goods),
        hold(ann, shop, goods),
        hold(ann, shop, goods),
    )
    early: list[Item] = [
        earned,
        award(bob, fund_id, 300, expires_on=TODAY),
        restock(shop, rice, 50),
    ]
    late: list[Item] = [
        undone,
        posted,
        voided,
        redeem(ann, shop, line(rice, 4, 50)),
        undo(undone),
        post_hold(posted),
        void_hold(voided),
        hold(ann, shop, line(rice, 1, 50)),
        reverse(earned),
        award(ann, fund_id, 100),
        award(bob, fund_id, 5000),
        expire_lots(TODAY + timedelta(days=1)),
        redeem(bob, shop, line(rice, 45, 50)),
    ]
    outcomes = await service.post(COUNTY, early, NOW)
    outcomes += await service.post(COUNTY, late, LATER)
    assert [o.code for o in outcomes[:-1]] == ["accepted"] * 15
    await seal.close_days(COUNTY, LATER + timedelta(days=2))
    await sound()
    return outcomes


SPOILS = {
    "I1 两边与单位": "UPDATE points.transfer SET credit = points.account_id('opening', 'merit',"
    " points.nobody()) WHERE county_id = $1 AND code = 'redeem'",
    "I1 总和为零": "UPDATE points.account SET balance = balance + 5 WHERE county_id = $1"
    " AND kind = 'worker' AND unit = 'merit'",
    "I2 余额等于转账": "UPDATE points.account SET balance = balance + CASE kind WHEN 'worker'"
    " THEN 2 ELSE -4 END WHERE county_id = $1 AND unit = 'merit' AND kind <> 'opening'",
    "I3 任何时刻不过限": "UPDATE points.transfer SET amount = 10000 WHERE county_id = $1"
    " AND code = 'redeem'",
    "I3 月用额不低于实际": "UPDATE points.account SET month_points = 0 WHERE county_id = $1"
    " AND month IS NOT NULL",
    "I4 库存": "UPDATE points.stock SET quantity = quantity + 1 WHERE county_id = $1",
    "I5 预算等于决议": "UPDATE points.fund SET budget_fen = budget_fen + 1 WHERE county_id = $1",
    "I5 任何时刻不超预算": "UPDATE points.resolution SET amount_fen = 10 WHERE county_id = $1",
    "I6 兑换的行、批次与金额": "UPDATE points.redemption_line SET quantity = quantity + 1"
    " WHERE county_id = $1",
    "I6 明细与转账有兑换": "UPDATE points.redemption_line SET redemption_id = id"
    " WHERE county_id = $1",
    "I7 每笔转账有来处": "DELETE FROM points.posting WHERE county_id = $1 AND kind = 'undo'",
    "I7 被拒的没有效果": "UPDATE points.redemption SET draws = '{5}' WHERE county_id = $1"
    " AND status = 'refused'",
    "I7 履职入账有转账": "DELETE FROM points.transfer WHERE county_id = $1 AND unit = 'merit'"
    " AND code = 'SVC-01' AND batch = 4",
    "I10 冲正": "UPDATE points.posting SET amount = 501 WHERE county_id = $1 AND kind = 'reverse'",
    "I11 预订只了结一次": "UPDATE points.hold SET status = 'expired', resolved_batch = 2"
    " WHERE county_id = $1 AND status = 'voided'",
    "I11 占用的积分": "UPDATE points.hold SET status = 'expired', resolved_batch = 2"
    " WHERE county_id = $1 AND status = 'pending'",
    "I12 批次链": "UPDATE points.posting SET memo = '改过' WHERE county_id = $1 AND kind = 'undo'",
    "I12 每日封印": "UPDATE points.day_root SET root = sha256(root) WHERE county_id = $1"
    " AND day = '2026-11-03'",
    "I13 只增不改": "ALTER TABLE points.transfer DISABLE TRIGGER transfer_append_only",
    "I14 各批余额": "UPDATE points.lot SET remaining = remaining - 1 WHERE county_id = $1"
    " AND remaining > held",
    "I14 各批合计等于余额": "UPDATE points.lot SET remaining = remaining - 1 WHERE county_id = $1"
    " AND remaining > held",
    "I14 只清到期的": "UPDATE points.lot SET expires_on = NULL WHERE county_id = $1"
    " AND remaining = 0",
    "I14 待拨付": "UPDATE points.awaiting SET remaining = remaining - 1 WHERE county_id = $1",
    "I18 入账有经手人": "UPDATE points.redemption SET authority = '' WHERE county_id = $1",
    "I18 审计只增不改": "GRANT UPDATE ON shared.audit_event TO gridmerit_app",
}


async def spoil(sql: str) -> None:
    """Run as the owner with every trigger silent."""
    async with as_owner():
        await DB.execute("SET LOCAL session_replication_role = replica")
        await (DB.execute(sql, COUNTY) if "$1" in sql else DB.execute(sql))


async def findings() -> dict[str, verifier.Finding]:
    return {finding.invariant: finding for finding in (await verifier.verify(COUNTY)).findings}


@pytest.mark.parametrize("invariant", SPOILS)
async def test_broken_invariant_is_named(books: list[Outcome], invariant: str) -> None:
    """The verifier lists the invariant, with the row."""
    await spoil(SPOILS[invariant])
    found = await findings()
    assert invariant in found
    assert found[invariant].id


FORGED = """
INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
    code)
SELECT t.county_id, batch, position, amount, points.transfer_id(b.at, batch, position, 2), debit,
    credit, about, unit, {code}
FROM points.transfer t JOIN points.batch b ON b.county_id = $1 AND b.number = t.batch
WHERE t.county_id = $1 AND code = 'redeem' LIMIT 1
"""
"""One more transfer where a redemption has its own."""
STRAYS = [
    ("DELETE FROM points.transfer WHERE county_id = $1 AND code = 'redeem'", "I6 兑换的行"),
    ("UPDATE points.transfer SET about = id WHERE county_id = $1 AND code = 'redeem'", "I6 明细"),
    ("DELETE FROM points.redemption WHERE county_id = $1 AND status = 'accepted'", "I6 明细"),
    (FORGED.format(code="'redeem'"), "I6 明细"),
    (FORGED.format(code="'SVC-01'"), "I7 每笔转账"),
    (
        "UPDATE points.transfer SET code = 'redeem' WHERE county_id = $1 AND code = 'SVC-01'",
        "I7 每笔转账",
    ),
]


@pytest.mark.parametrize(("sql", "invariant"), STRAYS)
async def test_a_redemption_and_its_transfer_miss_each_other(
    books: list[Outcome], sql: str, invariant: str
) -> None:
    """One without the other, of another, or one too many."""
    await spoil(sql)
    assert [name for name in await findings() if name.startswith(invariant)]


UNSEALED = [
    ("UPDATE points.account SET owner = id WHERE {merit}", "I2 账户与主人"),
    ("UPDATE points.closing SET at = at + interval '1 hour' WHERE {own}", "I2 月结的时间与户数"),
    ("UPDATE points.closing SET accounts = accounts + 1 WHERE {own}", "I2 月结的时间与户数"),
    ("DELETE FROM points.stock WHERE {own}", "I4 库存"),
    ("UPDATE points.resolution SET resolved_on = resolved_on + 1 WHERE {own}", "I5 资金与决议"),
    ("UPDATE points.resolution SET number = '无' WHERE {own}", "I5 资金与决议"),
    ("DELETE FROM points.fund WHERE {own}", "I5 资金与决议"),
    ("UPDATE points.fund SET point_value_fen = 50 WHERE {own}", "I5 资金与决议"),
    ("UPDATE points.fund SET unit_code = '421222' WHERE {own}", "I5 资金与决议"),
    ("UPDATE points.lot SET fund_id = $2 WHERE {lot}", "I14 各批的来处"),
    ("UPDATE points.lot SET award_id = $2 WHERE {lot}", "I14 各批的来处"),
    ("UPDATE points.lot SET earned_on = earned_on - 1 WHERE {lot}", "I14 各批的来处"),
    ("DELETE FROM points.lot WHERE {own} AND remaining = 0", "I14 各批的来处"),
    ("UPDATE points.awaiting SET person_id = $2 WHERE {own}", "I14 待拨付"),
    ("UPDATE points.awaiting SET fund_id = NULL WHERE {own}", "I14 待拨付"),
    ("DELETE FROM points.awaiting WHERE {own}", "I14 待拨付"),
]
"""What is not in the chain itself must agree with what is."""


@pytest.mark.parametrize(("sql", "invariant"), UNSEALED)
async def test_rows_outside_the_chain_agree_with_it(
    books: list[Outcome], sql: str, invariant: str
) -> None:
    """Whose account, whose money, which resolution, which lot: the posting or transfer says it."""
    await storage.close_month(COUNTY, 202611, NOW + timedelta(days=40))
    lot = "id = (SELECT id FROM points.lot WHERE county_id = $1 ORDER BY id LIMIT 1)"
    where = {
        "own": "county_id = $1",
        "merit": "county_id = $1 AND unit = 'merit' AND kind = 'worker'",
        "lot": f"county_id = $1 AND {lot}",
    }
    await spoil(sql.format(**where).replace("$2", f"'{new_id()}'"))
    assert [name for name in await findings() if name.startswith(invariant)]


async def test_a_budget_raised_in_both_places_is_found(books: list[Outcome]) -> None:
    """I5: the amount of a resolution is sealed with its posting."""
    await spoil("UPDATE points.resolution SET amount_fen = amount_fen + 10 WHERE county_id = $1")
    await spoil("UPDATE points.fund SET budget_fen = budget_fen + 10 WHERE county_id = $1")
    assert list(await findings()) == ["I5 资金与决议已入账"]


async def test_service_cannot_touch_the_ledger(books: list[Outcome]) -> None:
    """I13: no UPDATE, DELETE or INSERT for the app's role, and the owner hears the alarm."""
    for sql in (
        "UPDATE points.account SET balance = 0 WHERE county_id = $1",
        "DELETE FROM points.transfer WHERE county_id = $1",
        "INSERT INTO points.resolution (county_id) VALUES ($1)",
        "UPDATE points.code SET used_by = NULL WHERE county_id = $1",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with DB.transaction():
                await DB.execute(sql, COUNTY)
    for table in ("transfer", "posting", "redemption", "redemption_line", "batch", "stock_move"):
        for sql in (
            f"UPDATE points.{table} SET county_id = county_id WHERE county_id = {COUNTY}",
            f"DELETE FROM points.{table} WHERE county_id = {COUNTY}",
            f"TRUNCATE points.{table} CASCADE",
        ):
            with pytest.raises(Exception, match="append-only"):
                async with as_owner():
                    await DB.execute(sql)


async def chain() -> verifier.Finding:
    return (await findings())["I12 批次链"]


async def test_chain_names_a_changed_row(books: list[Outcome]) -> None:
    """Q8: one row edited in the database is noticed and named."""
    row = await DB.fetchval(
        "SELECT id FROM points.transfer WHERE county_id = $1 AND code = 'redeem' LIMIT 1", COUNTY
    )
    await spoil(f"UPDATE points.transfer SET about = id WHERE id = '{row}'")
    found = await chain()
    assert (found.thing, found.id) == ("transfer", str(row))


async def test_chain_names_a_removed_row(books: list[Outcome]) -> None:
    """A deleted row is missed, with its batch and place."""
    await spoil("DELETE FROM points.stock_move WHERE county_id = $1")
    found = await chain()
    assert (found.thing, found.id) == ("batch", "3")
    assert "被删除" in found.detail


async def test_chain_names_an_added_row(books: list[Outcome]) -> None:
    """A forged transfer inside a sealed batch is named."""
    await spoil(
        "INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about,"
        " unit, code) SELECT t.county_id, batch, position, amount,"
        " points.transfer_id(b.at, batch, position, 99), debit, credit, about, unit, code"
        " FROM points.transfer t JOIN points.batch b ON b.county_id = $1 AND b.number = t.batch"
        " WHERE t.county_id = $1 AND batch = 3 AND position = 1 AND unit = 'merit'"
    )
    found = await chain()
    assert (found.thing, "多出" in found.detail) == ("transfer", True)


async def test_chain_names_moved_rows(books: list[Outcome]) -> None:
    """Two rows that change places are noticed."""
    await spoil(
        "UPDATE points.posting SET position = 100 - position WHERE county_id = $1 AND batch = 4"
    )
    assert "挪动" in (await chain()).detail


@pytest.mark.parametrize(
    ("sql", "batch"),
    [
        ("DELETE FROM points.batch WHERE county_id = $1 AND number = 3", "3"),
        (
            "UPDATE points.batch SET previous_hash = '\\x00' WHERE county_id = $1 AND number = 2",
            "2",
        ),
        ("UPDATE points.batch SET hash = '\\x00' WHERE county_id = $1 AND number = 4", "4"),
        ("UPDATE points.batch SET at = at + interval '1 us' WHERE county_id = $1", "1"),
    ],
)
async def test_chain_names_a_spoiled_block(books: list[Outcome], sql: str, batch: str) -> None:
    """Removed, unlinked, or with another hash or time."""
    await spoil(sql)
    found = await chain()
    assert (found.thing, found.id) == ("batch", batch)


async def test_removed_last_block_is_noticed(books: list[Outcome]) -> None:
    """The chain cannot miss its own end, but the rows of the lost block can."""
    await spoil("DELETE FROM points.batch WHERE county_id = $1 AND number = 4")
    assert {"I6 兑换的行、批次与金额", "I7 每笔转账有来处"} <= set(await findings())


async def seal_broken() -> tuple[str, str]:
    found = (await findings())["I12 每日封印"]
    return found.id, found.detail


@pytest.mark.parametrize(
    ("sql", "day", "words"),
    [
        ("UPDATE points.transfer SET about = id WHERE batch = 4", "2026-11-03", "里有改动"),
        ("DELETE FROM points.transfer WHERE batch = 3", "2026-11-02", "多了或少了"),
        ("DELETE FROM points.day_root WHERE day = '2026-11-03'", "2026-11-04", "缺失"),
        ("DELETE FROM points.day_root WHERE day = '2026-11-02'", "2026-11-03", "接不上"),
        (
            "UPDATE points.day_root SET last_batch = 2 WHERE last_batch = first_batch + 2",
            "2026-11-02",
            "第 2 页",
        ),
        ("UPDATE points.batch SET hash = sha256(hash) WHERE number = 4", "2026-11-03", "第 4 页"),
        ("UPDATE points.day_root SET starts = '{}'", "2026-11-02", "封印自身"),
        ("UPDATE points.day_root SET blocks = sha256(blocks)", "2026-11-02", "里有改动"),
    ],
)
async def test_spoiled_day_is_named(books: list[Outcome], sql: str, day: str, words: str) -> None:
    """Rows changed under a closed day, days removed or rewritten: the first such day is named."""
    await spoil(sql + (" AND" if "WHERE" in sql else " WHERE") + " county_id = $1")
    found = await seal_broken()
    assert found[0] == day
    assert words in found[1]


async def test_overlapping_assignments_are_named(rollback: None) -> None:
    """I17: two people on one post at one instant."""
    post, first, second = new_id(), new_id(), new_id()
    for id_, start in ((first, TODAY), (second, TODAY + timedelta(days=3))):
        async with as_owner():
            await DB.execute("SET LOCAL session_replication_role = replica")
            await DB.execute(
                "INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from,"
                " valid_to, reason, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, '', $7)",
                COUNTY, id_, post, new_id(), start, start + timedelta(days=5), NOW,
            )  # fmt: skip
    assert (await findings())["I17 一岗一人"].id == str(second)


async def test_job_done_twice_is_named(rollback: None) -> None:
    """I19: one completed run for each job and period."""
    async with as_owner():
        await DB.execute("DROP INDEX shared.job_run_unique")
    for _ in range(2):
        await DB.execute(
            "INSERT INTO shared.job_run (county_id, id, job, period, status, started_at, detail)"
            " VALUES ($1, $2, 'sweep', '2026-11', 'done', $3, '')",
            COUNTY, new_id(), NOW,
        )  # fmt: skip
    assert "sweep 2026-11" in (await findings())["I19 一期一次"].detail


def rows(*leaves: bytes) -> list[LeafRow]:
    return [LeafRow("posting", UUID(int=n), leaf) for n, leaf in enumerate(leaves)]


def test_first_difference_of_equal_rows_blames_the_block() -> None:
    """Where every row is as it was sealed, the block itself was changed."""
    assert verifier.first_difference(7, rows(b"a", b"b"), [b"a", b"b"]).thing == "batch"


def test_first_difference_at_the_end() -> None:
    """A row too many or too few at the end of a block."""
    assert verifier.first_difference(7, rows(b"a", b"b"), [b"a"]).id == str(UUID(int=1))
    assert "删除" in verifier.first_difference(7, rows(b"a"), [b"a", b"b"]).detail


async def test_no_check_looks_through_all_lots_for_each_redemption(rollback: None) -> None:
    """Where nobody has analysed yet, too: with 50,000 redemptions one such check took minutes."""
    await queries.be_patient()
    charged = {name: sql for name, sql in queries.CHECKS.items() if "redemption_charge" in sql}
    assert charged
    for name, sql in charged.items():
        plan = await DB.fetch("EXPLAIN " + sql.replace("$1", str(COUNTY)))
        assert not [row[0] for row in plan if "Nested Loop" in row[0]], name


async def test_statements_are_sought_only_for_what_is_in_none(rollback: None) -> None:
    """A redemption met every statement of its shop: 90,000 and 20,000 took more than minutes."""
    await queries.be_patient()
    sql = queries.CHECKS["I8 每笔兑换都在对账单里"]
    plan = [row[0] for row in await DB.fetch("EXPLAIN " + sql.replace("$1", str(COUNTY)))]
    begins = plan.index("  CTE loose")
    ends = next(place for place, line in enumerate(plan) if line.startswith("  ->"))
    assert [line for line in plan[begins:ends] if " on statement_line " in line]
    assert not [line for line in plan[begins:ends] if " on statement " in line]
