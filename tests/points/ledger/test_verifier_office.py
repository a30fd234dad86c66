"""What the office does around the ledger, broken on purpose: statements, records, audit."""

from datetime import timedelta

import msgspec
import pytest

from points.settlement import building, queries, signing
from points.work import deductions
from points.work import service as work
from points.work.deductions import Proposal
from points.work.schemas import LogForm
from shared import settings_county
from shared.audit import service as audit
from shared.clock import now, today
from shared.database import DB
from shared.ids import new_id
from tests.factories import acting
from tests.points.ledger.builders import COUNTY, award, one, sound
from tests.points.ledger.test_verifier import findings, spoil
from tests.points.settlement.world import THIS_MONTH, World, redeem, undo, world

SPOILS = {
    "I8 对账单合计": "UPDATE points.statement SET points = points + 1",
    "I8 对账行与兑换": "UPDATE points.statement_line SET points = points + 1",
    "I8 每笔兑换都在对账单里": "DELETE FROM points.statement_line WHERE kind = 'redeem'",
    "I8 冻结的对账单有三方签字": "UPDATE points.statement_signature SET file_sha256 = ''"
    " WHERE part = 'shop'",
    "I8 对账单的文件": "UPDATE points.statement SET file = file || 'x'",
    "I9 入账与工作记录": "UPDATE points.work_record SET posted = posted - 1",
    "I9 冲正与工作记录": "UPDATE points.work_record SET state = 'reversed'",
    "I9 无记录的入账": "DELETE FROM points.work_record",
    "I18 核实有依据": "UPDATE points.verification SET authority = ''",
    "I18 办理有审计": "DELETE FROM shared.audit_event WHERE object_kind = 'deduction'",
}


MONEY = [
    ("UPDATE points.statement_line SET amount_fen = amount_fen + 100 WHERE kind = 'redeem'", "行"),
    ("UPDATE points.statement_line SET at = at - interval '40 days'", "行"),
    ("UPDATE points.statement_line SET whole_points = 2 * whole_points", "行"),
    ("UPDATE points.statement SET shop_id = id", "行"),
    ("DELETE FROM points.statement", "行"),
    (
        "UPDATE points.statement SET opening_fen = opening_fen + 9, payable_fen = payable_fen + 9",
        "结",
    ),
    (
        "UPDATE points.statement SET disputed_fen = 9, payable_fen = payable_fen - 9",
        "结",
    ),
]
RECORDS = [
    ("UPDATE points.work_record SET worker_id = id", "I9 入账与工作记录"),
    ("UPDATE points.work_record SET work_date = work_date - 200", "I9 入账与工作记录"),
    ("UPDATE points.work_record SET rule_code = 'MED-03'", "I9 入账与工作记录"),
    ("UPDATE points.deduction SET amount = 10", "I9 扣分与台账"),
    ("UPDATE points.deduction SET worker_id = id", "I9 扣分与台账"),
    ("DELETE FROM points.deduction", "I9 扣分与台账"),
]


@pytest.fixture
async def office(rollback: None) -> World:
    """A frozen statement with an undone purchase, a posted record, a deduction under way."""
    made = await world()
    await DB.execute(
        'UPDATE shared.county SET settings = settings || \'{"posting_mode": "immediate"}\''
        " WHERE id = $1 /* county_id */",
        COUNTY,
    )
    worker, lead = await acting(made.county.worker), await acting(made.county.lead)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=today(), text="参加网格例会")
    record = await work.log(worker, form, now=now())
    assert (await work.verify(lead, record.id, now=now())).posted
    proposal = Proposal(
        worker_id=worker.person_id,
        code="PEN-01",
        amount=20,
        happened_on=today(),
        facts="例会无故缺席",
        evidence="签到表",
    )
    await deductions.propose(lead, proposal, now())
    bonus = msgspec.structs.replace(award(worker.person_id, made.fund_id, 1000), code="bonus")
    await one(bonus, now())
    await redeem(made, now(), soap=2)
    await undo(await redeem(made, now(), soap=1))
    await building.build(None, COUNTY, THIS_MONTH, now() + timedelta(days=2))
    [statement] = await queries.statements_of_month(COUNTY, THIS_MONTH)
    assert await signing.sign_on_paper(COUNTY, [statement.id], now())
    await sound()
    return made


@pytest.mark.parametrize("invariant", SPOILS)
async def test_broken_invariant_is_named(office: World, invariant: str) -> None:
    """The verifier lists the invariant, with the row."""
    sql = SPOILS[invariant]
    await spoil(f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} county_id = $1")
    found = await findings()
    assert invariant in found
    assert found[invariant].id


@pytest.mark.parametrize(("sql", "place"), MONEY)
async def test_a_statement_owes_what_was_handed_out(office: World, sql: str, place: str) -> None:
    """Every fen of a line follows from goods and lots; opening and disputes from theirs."""
    await spoil(f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} county_id = $1")
    assert {"行": "I8 对账行与兑换", "结": "I8 结转与异议"}[place] in await findings()


@pytest.mark.parametrize(("sql", "invariant"), RECORDS)
async def test_what_counts_for_somebody_is_what_was_posted(
    office: World, sql: str, invariant: str
) -> None:
    """Appraisal reads records and deductions: worker, day, rule and amount are the ledger's."""
    lead, department = await acting(office.county.lead), await acting(office.county.department)
    worker = await acting(office.county.worker)
    [noticed], _ = await deductions.listed(lead)
    await deductions.reply(worker, noticed.id, "当天在卫生院", now())
    await deductions.decide(department, noticed.id, stands=True, reason="仍应扣分", now=now())
    assert await deductions.post_lapsed(COUNTY, now() + timedelta(days=60)) == 1
    await sound()
    await spoil(f"{sql} WHERE county_id = $1")
    assert invariant in await findings()


LOTS = "UPDATE points.lot SET expires_on = {} WHERE county_id = $1 AND award_id IN ({})"
RECORD = "SELECT id FROM points.work_record"


@pytest.mark.parametrize("day", ["expires_on + 1", "'2099-12-31'", "NULL", "'2020-12-31'"])
async def test_a_lots_last_day_follows_from_its_posting(office: World, day: str) -> None:
    """Nothing seals it: a day later or earlier than the county's policy gives is found."""
    assert await findings() == {}
    await spoil(LOTS.format(day, RECORD))
    assert set(await findings()) == {"I14 各批的截止日"}


async def test_a_lot_keeps_the_policy_of_its_time(office: World) -> None:
    """What was posted before a change ends as it was to; after it by the new policy alone."""
    before = await settings_county.get(COUNTY)
    after = msgspec.structs.replace(before, expiry_policy="never")
    department = await acting(office.county.department, desk=True)
    await settings_county.update(department, COUNTY, after)
    assert await findings() == {}
    await spoil(
        "UPDATE shared.audit_event SET at = at + interval '2 hours' WHERE county_id = $1"
        " AND action = 'settings.edit'"
    )
    assert await findings() == {}
    await spoil(LOTS.format("NULL", RECORD))
    assert set(await findings()) == {"I14 各批的截止日"}
    await spoil(
        "UPDATE shared.audit_event SET at = at - interval '9 hours' WHERE county_id = $1"
        " AND action = 'settings.edit'"
    )
    assert await findings() == {}


async def test_a_policy_that_was_set_while_the_clock_ran_ahead(office: World) -> None:
    """The audit has it later than what was posted by it; whoever put the clock right said so."""
    before = await settings_county.get(COUNTY)
    after = msgspec.structs.replace(before, expiry_policy="never")
    department = await acting(office.county.department, desk=True)
    await settings_county.update(department, COUNTY, after)
    await spoil(
        "UPDATE shared.audit_event SET at = at + interval '8 hours' WHERE county_id = $1"
        " AND action = 'settings.edit'"
    )
    await spoil(LOTS.format("NULL", RECORD))
    assert set(await findings()) == {"I14 各批的截止日"}
    await audit.record(
        None,
        "clock.confirm",
        "unit",
        new_id(),
        county_id=COUNTY,
        unit_code=str(COUNTY),
        after={"until": now() + timedelta(hours=9)},
    )
    assert await findings() == {}
