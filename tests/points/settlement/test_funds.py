import io
import itertools
from datetime import date, timedelta

import pytest

from points.settlement.funds import queries, service
from points.settlement.funds.office import import_funds
from points.settlement.funds.schemas import ResolutionForm
from shared.clock import now, today
from shared.database import DB
from shared.documents.excel import Column, Sheet, workbook
from shared.errors import Conflict, Invalid, NotFound
from tests import factories
from tests.conftest import as_owner
from tests.factories import COUNTY
from tests.points.settlement.world import VILLAGE, earn, resolve, wallet, world

HEAD = ("村代码", "村社区", "资金来源", "决议文号", "决议日期", "预算金额元")


def form(**given: object) -> ResolutionForm:
    fields = {
        "unit_code": VILLAGE,
        "number": "雁塔村决〔2026〕5号",
        "resolved_on": date(2026, 1, 22),
        "amount_fen": 450_000,
    }
    return ResolutionForm(**(fields | given))  # type: ignore[arg-type]


async def test_first_resolution_opens_the_fund_and_the_next_raises_it(rollback: None) -> None:
    county = await factories.small_county()
    accountant = await factories.acting(county.accountant)
    first = await service.resolve(accountant, COUNTY, form(), now())
    second = await service.resolve(
        accountant, COUNTY, form(number="追加1号", amount_fen=50_000), now()
    )
    assert (first.opened, second.opened) == (True, False)
    fund, resolutions = await service.view_fund(accountant, first.fund_id)
    assert (fund.budget_fen, fund.left_fen, len(resolutions)) == (500_000, 500_000, 2)
    with pytest.raises(Conflict, match="已经登记过"):
        await service.resolve(accountant, COUNTY, form(), now())


async def test_nearest_fund_pays(rollback: None) -> None:
    """The village's own fund, else the township's, else the county's, else none."""
    await factories.small_county()
    villages = ["421222100001", "421222100002", "421222101001"]
    assert await service.funds_for(COUNTY, villages) == {}
    county_fund = await resolve("421222")
    township_fund = await resolve("421222100")
    village_fund = await resolve("421222100001")
    assert await service.funds_for(COUNTY, villages) == {
        "421222100001": village_fund,
        "421222100002": township_fund,
        "421222101001": county_fund,
    }
    assert await service.fund_for(COUNTY, "421222100001001") == village_fund


async def test_waiting_points_are_released_in_order_as_money_comes(rollback: None) -> None:
    """Points awarded before any fund, or beyond its budget, follow when money is decided."""
    county = await factories.small_county()
    await earn(county.worker.person_id, None, 300)
    await earn(county.second_worker.person_id, None, 300)
    first = await service.resolve(None, COUNTY, form(amount_fen=4_000), now())
    assert (first.released, first.awards) == (400, 2)
    assert await wallet(county.worker.person_id) == 300
    assert await wallet(county.second_worker.person_id) == 100
    fund = await service.fund(COUNTY, first.fund_id)
    assert fund
    assert (fund.left_fen, fund.outstanding, fund.awaiting) == (0, 400, 200)
    more = await service.resolve(None, COUNTY, form(number="追加", amount_fen=100_000), now())
    assert (more.released, more.awards) == (200, 1)


async def test_a_fund_adds_up_its_own_lots(rollback: None) -> None:
    """Not the county's: the statements of a month ask for a thousand funds, one after another."""
    county = await factories.small_county()
    fund_ids = [await resolve(code) for code in ("421222100001", "421222100002", "421222101001")]
    for _ in range(20):
        for fund_id in fund_ids:
            await earn(county.worker.person_id, fund_id, 10)
    async with as_owner():
        await DB.execute("ANALYZE points.lot")
    await DB.execute("SET LOCAL enable_seqscan = off")
    plan = await DB.fetch(
        "EXPLAIN (ANALYZE, BUFFERS OFF) " + queries.FUND_BY_ID, COUNTY, fund_ids[0]
    )
    lines = [row[0] for row in plan]
    [lots] = [number for number, line in enumerate(lines) if " on lot l " in line]
    assert "rows=20.00 loops=1" in lines[lots]
    own = itertools.takewhile(lambda line: "->" not in line, lines[lots + 1 :])
    assert not [line for line in own if "Rows Removed by Filter" in line], plan


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "长" * 61}, "number"),
        ({"resolved_on": today() + timedelta(days=1)}, "resolved_on"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": 10**12}, "amount_fen"),
        ({"unit_code": "421222999999"}, "unit_code"),
        ({"unit_code": "421222100001001"}, "unit_code"),
    ],
)
async def test_wrong_resolution_is_refused(
    rollback: None, given: dict[str, object], field: str
) -> None:
    await factories.small_county()
    with pytest.raises(Invalid) as raised:
        await service.resolve(None, COUNTY, form(**given), now())
    assert field in raised.value.fields


async def test_other_units_money_looks_absent(rollback: None) -> None:
    made = await world()
    worker = await factories.acting(made.county.worker)
    cousin = await factories.acting(made.county.cousin_worker)
    chief = await factories.acting(made.county.chief)
    for stranger in (worker, cousin):
        with pytest.raises(NotFound):
            await service.view_fund(stranger, made.fund_id)
    with pytest.raises(NotFound):
        await service.resolve(chief, COUNTY, form(number="自批"), now())
    assert [row.id for row in (await service.list_funds(chief))[0]] == [made.fund_id]
    assert await service.list_funds(worker) == ([], 0)


def file(rows: list[tuple[object, ...]]) -> bytes:
    """An office file as a department would hand it in."""
    kinds = ("text", "text", "text", "text", "date", "number")
    columns = tuple(
        Column(title, kind)  # type: ignore[arg-type]
        for title, kind in zip(HEAD, kinds, strict=True)
    )
    return workbook(
        Sheet(name="资金", title="决议表", unit="组织部", on=today(), columns=columns, rows=rows)
    )


ROWS: list[tuple[object, ...]] = [
    ("421222100001", "隽1社区居委会", "村集体", "甲决1号", date(2026, 1, 22), 4500),
    ("421222100002", "隽2村委会", "乡镇", "乙决1号", date(2026, 1, 27), 8000),
    ("421222101001", "麦1社区居委会", "乡镇", "丙决1号", date(2026, 1, 13), 3000),
]


async def test_office_file_opens_funds_and_the_same_file_changes_nothing(rollback: None) -> None:
    await factories.small_county()
    dry = await import_funds(None, COUNTY, file(ROWS), "funds.xlsx", dry_run=True, now=now())
    assert (dry.created, dry.faults) == (3, [])
    assert await service.funds_for(COUNTY, ["421222100001"]) == {}
    first = await import_funds(None, COUNTY, file(ROWS), "funds.xlsx", now())
    again = await import_funds(None, COUNTY, file(ROWS), "funds.xlsx", now())
    assert (first.created, again.created, again.same) == (3, 0, 3)
    found = await service.funds_for(COUNTY, ["421222100001", "421222100002", "421222101002"])
    assert len(set(found.values())) == 3
    fund = await service.fund(COUNTY, found["421222100002"])
    assert fund
    assert (fund.unit_code, fund.budget_fen) == ("421222100", 800_000)


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        (0, "421222100099", "没有代码为"),
        (0, "42122210000", "没有代码为"),
        (1, "别的村", "名称不同"),
        (2, "企业赞助", "不认识"),
        (3, None, "不能空着"),
        (4, today() + timedelta(days=3), "不能晚于今天"),
        (5, 0, "大于 0"),
        (5, 12.345, "两位小数"),
    ],
)
async def test_faulty_cell_is_named_and_nothing_is_written(
    rollback: None, column: int, value: object, sentence: str
) -> None:
    await factories.small_county()
    row = list(ROWS[0])
    row[column] = value
    result = await import_funds(None, COUNTY, file([tuple(row), *ROWS[1:]]), "funds.xlsx", now())
    assert any(sentence in fault for fault in result.faults), result.faults
    assert result.report is not None
    assert io.BytesIO(result.report).read(2) == b"PK"
    assert await service.funds_for(COUNTY, ["421222100002"]) == {}


async def test_a_signed_paper_is_not_rewritten(rollback: None) -> None:
    await factories.small_county()
    await import_funds(None, COUNTY, file(ROWS), "funds.xlsx", now())
    changed = [(*ROWS[0][:5], 9999), *ROWS[1:]]
    result = await import_funds(None, COUNTY, file(changed), "funds.xlsx", now())
    assert "已登记为 2026-01-22、4500.00 元" in result.faults[0]
    twice = await import_funds(None, COUNTY, file([ROWS[0], ROWS[0]]), "funds.xlsx", now())
    assert "两行相同的文号" in twice.faults[0]


async def test_a_number_typed_otherwise_is_the_same_paper(rollback: None) -> None:
    """Brackets and blanks of a keyboard make no second budget, by file or by form."""
    await factories.small_county()
    typed = ["甲决〔2026〕5号", "甲决[2026] 5号", "甲决（2026）5号", "甲决【２０２６】5号"]
    rows = [(*ROWS[0][:3], number, *ROWS[0][4:]) for number in typed]
    await import_funds(None, COUNTY, file(rows[:1]), "funds.xlsx", now())
    for row in rows[1:]:
        again = await import_funds(None, COUNTY, file([row]), "funds.xlsx", now())
        assert (again.created, again.same) == (0, 1)
    other = await import_funds(None, COUNTY, file([(*rows[1][:5], 9999)]), "funds.xlsx", now())
    assert "文号“甲决〔2026〕5号”已登记为 2026-01-22、4500.00 元" in other.faults[0]
    both = await import_funds(None, COUNTY, file(rows[:2]), "funds.xlsx", now())
    assert "两行相同的文号" in both.faults[0]
    with pytest.raises(Conflict, match="甲决〔2026〕5号”已经登记过"):
        await service.resolve(None, COUNTY, form(number="甲决(2026)5号"), now())
    assert not (await service.resolve(None, COUNTY, form(number="甲决〔2026〕6号"), now())).opened
