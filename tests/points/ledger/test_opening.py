"""Opening balances from an office file."""

import asyncio
from contextvars import copy_context
from datetime import timedelta

import pytest

from points.ledger import opening, service
from points.ledger.items import Balances
from points.ledger.opening import MADE_BEFORE, Brought, import_balances
from shared.clock import today
from shared.database import DB
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import SmallCounty, acting, member, small_county
from tests.points.ledger.builders import COUNTY, fund, sound
from tests.points.ledger.test_verifier import findings, spoil
from tests.shared.documents import books

HEAD = "姓名,网格编码,履职积分,可兑换积分,有效期至,备注"


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    return await small_county()


def file(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows]).encode()


GOOD = file("欧阳金山,421222100001001,30.5,20,2099-12-31,", "苏建国,421222100001002,,8,,上年结余")


@pytest.mark.parametrize("old", [False, True])
async def test_a_merged_balance_is_nobodys(town: SmallCounty, *, old: bool) -> None:
    """30 over two workers: each would get all of it. The village over both is what it says."""
    rows: list[list[object]] = [
        ["村", "姓名", "网格编码", "可兑换积分"],
        ["雁塔", "欧阳金山", "421222100001001", "30"],
        ["雁塔", "苏建国", "421222100001002", "30"],
        [None, town.cousin_worker.name, town.cousin_worker.unit_code, None],
    ]
    merged = [(2, 3, 3, 3), (2, 3, 0, 0)]
    data = books.xls(rows, merged) if old else books.xlsx(rows, merges=["D3:D4", "A3:A4"])
    done = await import_balances(None, COUNTY, data, "期初.xls")
    assert [fault[:11] for fault in done.faults] == ["第 3 行“可兑换积分", "第 4 行“可兑换积分"]
    assert "这是合并单元格" in done.faults[0]
    assert (await service.balances(COUNTY, town.worker.person_id)).wallet == 0


async def test_balances_are_brought_over_once(town: SmallCounty) -> None:
    """Both units, beyond the budget waiting; the same file again adds nothing."""
    await fund(250)
    dry = await import_balances(None, COUNTY, GOOD, "期初.csv", dry_run=True)
    assert (dry.posted, dry.merit, dry.wallet) == (2, 305, 280)
    assert (await service.balances(COUNTY, town.worker.person_id)).merit == 0
    done = await import_balances(None, COUNTY, GOOD, "期初.csv")
    assert (done.posted, done.waiting, done.left_out) == (2, 30, ["备注"])
    assert await service.balances(COUNTY, town.worker.person_id) == Balances(305, 200, 0, 0, 0)
    assert await service.balances(COUNTY, town.second_worker.person_id) == Balances(0, 50, 0, 0, 30)
    rows = [line.split(",") for line in GOOD.decode().splitlines()]
    filtered = books.xlsx(rows, hidden=(3,))
    again = await import_balances(None, COUNTY, filtered, "期初.xlsx")
    assert again.hidden.startswith("表里有 1 行被筛选或隐藏（第 3 行）")
    assert (again.posted, again.same) == (0, 2)
    await sound()


async def test_the_sealed_row_says_until_when(town: SmallCounty) -> None:
    """A file names days that no policy gives; the verifier finds a lot with another."""
    await fund(1000)
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    memos = await DB.fetch("SELECT memo FROM points.posting WHERE kind = 'opening' ORDER BY batch")
    assert "期初积分，可兑换积分有效期至 2099-12-31" in {row["memo"] for row in memos}
    await spoil("UPDATE points.lot SET expires_on = '2098-12-31' WHERE county_id = $1")
    assert set(await findings()) == {"I14 各批的截止日"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("欧阳金山,421222100001002,1,1,,", "不是网格"),
        ("欧阳金山,421222100001001,,,,", "两种积分"),
        ("欧阳金山,421222100001001,-1,,,", "履职积分"),
        ("欧阳金山,421222100001001,1.25,,,", "一位小数"),
        (f"欧阳金山,421222100001001,1,1,{today() - timedelta(days=1)},", "过期"),
        ("苏建国,421222100001002,1,1,,", "两次"),
    ],
)
async def test_one_wrong_row_stops_the_file(town: SmallCounty, row: str, words: str) -> None:
    """The fault names the row, nothing is written, the marked workbook comes back."""
    data = file("苏建国,421222100001002,1,1,,", row)
    result = await import_balances(None, COUNTY, data, "期初.csv")
    assert len(result.faults) == 1
    assert words in result.faults[0]
    assert "第 3 行" in result.faults[0]
    assert result.report.startswith(b"PK")
    assert (await service.balances(COUNTY, town.second_worker.person_id)).merit == 0


async def test_the_same_file_on_a_later_day_adds_nothing(
    town: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was brought over yesterday is the same balance; who is new in the file is added."""
    first, second = GOOD.decode().splitlines()[1:]
    monkeypatch.setattr(opening, "today", lambda: today() - timedelta(days=1))
    assert (await import_balances(None, COUNTY, file(first), "期初.csv")).posted == 1
    monkeypatch.undo()
    again = await import_balances(None, COUNTY, file(first, second), "期初.csv")
    assert (again.faults, again.same, again.posted) == ([], 1, 1)
    assert (await service.balances(COUNTY, town.worker.person_id)).merit == 305


async def test_the_same_file_is_known_after_its_points_have_ended(
    town: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was brought over in time is no fault when somebody is added to the file later."""
    first = f"欧阳金山,421222100001001,30.5,20,{today() - timedelta(days=1)},"
    monkeypatch.setattr(opening, "today", lambda: today() - timedelta(days=2))
    assert (await import_balances(None, COUNTY, file(first), "期初.csv")).posted == 1
    monkeypatch.undo()
    second = GOOD.decode().splitlines()[2]
    again = await import_balances(None, COUNTY, file(first, second), "期初.csv")
    assert (again.faults, again.same, again.posted) == ([], 1, 1)


async def test_namesakes_of_a_grid_are_a_fault(town: SmallCounty) -> None:
    """Nobody's balance goes to somebody else of the same name."""
    grid = town.units[town.worker.unit_code]
    namesake = await member(Role.GRIDWORKER, grid, town.worker.name)
    result = await import_balances(None, COUNTY, GOOD, "期初.csv")
    assert len(result.faults) == 1
    assert "2 位" in result.faults[0]
    for person in (town.worker, namesake):
        assert (await service.balances(COUNTY, person.person_id)).merit == 0


async def test_another_amount_for_the_same_person_is_a_fault(town: SmallCounty) -> None:
    """A second file does not add to or replace what was brought over."""
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    changed = file("欧阳金山,421222100001001,99,20,2099-12-31,")
    result = await import_balances(None, COUNTY, changed, "期初.csv")
    assert "更正原因" in result.faults[0]


async def test_a_wrong_balance_is_corrected_with_a_reason(town: SmallCounty) -> None:
    """Reversed and brought over anew, as often as needed; each file again adds nothing."""
    await fund(1000)
    head = f"{HEAD},更正原因"
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    person_id = town.worker.person_id
    for merit, wallet in (("50", "45"), ("30.5", "20"), ("50", "45")):
        row = f"欧阳金山,421222100001001,{merit},{wallet},2099-12-31,,抄错一行"
        data = f"{head}\n{row}".encode()
        dry = await import_balances(None, COUNTY, data, "期初.csv", dry_run=True)
        done = await import_balances(None, COUNTY, data, "期初.csv")
        again = await import_balances(None, COUNTY, data, "期初.csv")
        assert (dry.corrected, done.corrected, done.posted, done.faults) == (1, 1, 0, [])
        assert (again.corrected, again.same) == (0, 1)
        now = await service.balances(COUNTY, person_id)
        assert (now.merit, now.wallet) == (float(merit) * 10, float(wallet) * 10)
    assert MADE_BEFORE in str((await import_balances(None, COUNTY, GOOD, "期初.csv")).faults)
    events = await DB.fetch(
        "SELECT reason FROM shared.audit_event WHERE county_id = $1 AND about_id = $2"
        " AND action = 'ledger.opening'",
        COUNTY,
        person_id,
    )
    assert [event["reason"] for event in events] == ["抄错一行"] * 3
    await sound()


async def test_a_correction_run_twice_at_once_is_in_the_audit_once(committed: None) -> None:
    """The second run finds the balance corrected, and says so."""
    await small_county()
    await fund(1000)
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    data = f"{HEAD},更正原因\n欧阳金山,421222100001001,50,45,2099-12-31,,抄错一行".encode()
    outside = copy_context()
    runs: list[asyncio.Task[Brought]] = []
    async with DB.transaction():
        await DB.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
        for number in (1, 2):
            run = import_balances(None, COUNTY, data, "期初.csv")
            runs.append(asyncio.create_task(run, context=outside.copy()))
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not runs[-1].done() and await DB.fetchval(waits) < number:
                pass
    done = await asyncio.gather(*runs)
    assert sorted((one.corrected, one.same, one.posted) for one in done) == [(0, 1, 0), (1, 0, 0)]
    sql = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND reason = $2"
    assert await DB.fetchval(sql, COUNTY, "抄错一行") == 1
    await sound()


async def test_a_balance_of_somebody_else_is_taken_back_whole(town: SmallCounty) -> None:
    """Empty amounts with a reason; the first file does not bring it back unseen."""
    await fund(1000)
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    data = f"{HEAD},更正原因\n欧阳金山,421222100001001,,,,,是同名的人的".encode()
    for corrected in (1, 0):
        done = await import_balances(None, COUNTY, data, "期初.csv")
        assert (done.faults, done.corrected) == ([], corrected)
        got = await service.balances(COUNTY, town.worker.person_id)
        assert (got.merit, got.wallet, got.offset) == (0, 0, 0)
    assert MADE_BEFORE in str((await import_balances(None, COUNTY, GOOD, "期初.csv")).faults)
    right = f"{HEAD},更正原因\n欧阳金山,421222100001001,7,7,,,找到了本人的".encode()
    assert (await import_balances(None, COUNTY, right, "期初.csv")).corrected == 1
    got = await service.balances(COUNTY, town.worker.person_id)
    assert (got.merit, got.wallet) == (70, 70)
    await sound()


async def test_who_moved_or_left_is_known_by_the_balance_brought_over(town: SmallCounty) -> None:
    """The office's file can be imported again; somebody new of a former name is a fault."""
    await import_balances(None, COUNTY, GOOD, "期初.csv")
    await roster.end_assignment(COUNTY, town.worker.assignment_id, today(), reason="辞职")
    again = await import_balances(None, COUNTY, GOOD, "期初.csv")
    assert (again.faults, again.same) == ([], 2)
    await roster.end_assignment(COUNTY, town.second_worker.assignment_id, today(), reason="调动")
    await member(Role.GRIDWORKER, town.units[town.second_worker.unit_code], "苏建国")
    namesake = await import_balances(None, COUNTY, GOOD, "期初.csv")
    assert "2 位" in namesake.faults[0]


async def test_only_the_department_brings_balances_over(town: SmallCounty) -> None:
    """A secretary has no right to it; absent and forbidden look the same."""
    department: Actor = await acting(town.department, desk=True)
    await import_balances(department, COUNTY, GOOD, "期初.csv", dry_run=True)
    with pytest.raises(Exception, match="没有"):
        await import_balances(await acting(town.chief), COUNTY, GOOD, "期初.csv")
