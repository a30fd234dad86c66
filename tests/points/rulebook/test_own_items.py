"""Items of the county's own: declared, confirmed, posted and deducted like the shipped ones."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import httpx
import msgspec
import pytest

from points.errors import DeductionRefused, RuleRefused
from points.ledger import service as ledger
from points.rulebook import service
from points.rulebook.rules import Category, Evidence, Penalty, Rule, Step
from points.work import deductions, intake, posting
from points.work import service as work
from points.work.schemas import LogForm
from shared.clock import today
from shared.database import DB
from shared.errors import NotFound
from shared.ids import new_id
from tests.factories import COUNTY, SmallCounty, acting, small_county
from tests.shared.identity.test_web import enter, enter_desk, post

NOW = datetime(2026, 9, 15, 4, tzinfo=UTC)
FIRST = date(2026, 10, 1)
DURING = datetime(2026, 10, 20, 4, tzinfo=UTC)

ITEM = Rule(
    code="SVC-05",
    category=Category.SVC,
    title="帮助老人使用智能手机",
    points=15,
    cap_day=30,
    cap_month=60,
    steps=(Step.V1,),
    evidence=Evidence.NONE,
    templates=("教老人视频通话",),
    effective_from=FIRST,
    effective_to=date(2027, 1, 1),
)
DEDUCTION = Penalty(
    code="PEN-09", title="值班脱岗 / 迟到", choices=(20, 10), effective_from=FIRST
)  # fmt: skip


async def added() -> SmallCounty:
    town = await small_county()
    desk = await acting(town.department, desk=True)
    await service.add_rule(desk, ITEM, NOW)
    await service.add_penalty(desk, DEDUCTION, NOW)
    return town


async def test_an_item_comes_with_the_next_number_and_its_days(rollback: None) -> None:
    """In force from its first day to its last; told to the audit; a later version follows it."""
    town = await added()
    assert await service.rule_at(COUNTY, "SVC-05", FIRST - timedelta(days=1)) is None
    assert await service.rule_at(COUNTY, "SVC-05", date(2026, 12, 31)) == ITEM
    assert await service.rule_at(COUNTY, "SVC-05", date(2027, 1, 1)) is None
    assert [await service.next_free(COUNTY, prefix) for prefix in ("SVC", "ORG", "PEN")] == [
        "SVC-06",
        "ORG-05",
        "PEN-10",
    ]
    assert [item.code for item in await service.upcoming(COUNTY, NOW.date())] == [
        "SVC-05",
        "PEN-09",
    ]
    assert await service.upcoming(COUNTY, FIRST) == []
    told = await DB.fetch(
        "SELECT before, after->>'code' AS code, after->>'title' AS title FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'rules.edit' ORDER BY id",
        COUNTY,
    )
    assert [tuple(row) for row in told] == [
        (None, "SVC-05", ITEM.title),
        (None, "PEN-09", DEDUCTION.title),
    ]
    desk = await acting(town.department, desk=True)
    dearer = msgspec.structs.replace(ITEM, points=20, effective_from=date(2026, 11, 1))
    assert (await service.change_rule(desk, dearer, NOW)).version == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "SVC-01"}, "code"),
        ({"points": 0}, "points"),
        ({"points": 250, "cap_day": None, "cap_month": None}, "points"),
        ({"cap_day": 10}, "cap_day"),
        ({"steps": ()}, "steps"),
        ({"title": "每日打卡"}, "title"),
        ({"effective_from": NOW.date()}, "effective_from"),
        ({"effective_to": FIRST}, "last_day"),
    ],
)
async def test_a_senseless_item_is_refused(
    rollback: None, change: dict[str, object], field: str
) -> None:
    """As a new version would be; a code that was ever given is not given again."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    with pytest.raises(RuleRefused) as refused:
        await service.add_rule(desk, msgspec.structs.replace(ITEM, **change), NOW)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "PEN-01"}, "code"),
        ({"code": "SVC-05"}, "code"),
        ({"choices": ()}, "choices"),
        ({"choices": (10, 210)}, "choices"),
        ({"title": "没有签到"}, "title"),
        ({"effective_from": NOW.date()}, "effective_from"),
        ({"effective_to": FIRST}, "last_day"),
    ],
)
async def test_a_senseless_deduction_is_refused(
    rollback: None, change: dict[str, object], field: str
) -> None:
    """No harder than the hardest of the policy, and not for what is no work."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    with pytest.raises(RuleRefused) as refused:
        await service.add_penalty(desk, msgspec.structs.replace(DEDUCTION, **change), NOW)
    assert list(refused.value.fields) == [field]


async def test_two_who_add_the_same_code_at_once_make_one_item(committed: None) -> None:
    """The second is told: nobody's item is lost unseen."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    await service.ensure_seeded(COUNTY)
    items = [msgspec.structs.replace(ITEM, title=title) for title in ("教用手机", "陪同就医")]
    answers = await asyncio.gather(
        *(service.add_rule(desk, item, NOW) for item in items), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "RuleRefused"]


async def test_only_the_department_adds_items(rollback: None) -> None:
    """For others there is nothing to add to."""
    town = await small_county()
    chief = await acting(town.chief)
    with pytest.raises(NotFound):
        await service.add_rule(chief, ITEM, NOW)
    with pytest.raises(NotFound):
        await service.add_penalty(chief, DEDUCTION, NOW)


async def test_work_of_the_item_is_posted(rollback: None) -> None:
    """Declared by hand and by file, confirmed by its verifier, cut by its caps."""
    town = await added()
    worker, lead = await acting(town.worker, on=FIRST), await acting(town.lead)
    form = LogForm(id=new_id(), rule_code="SVC-05", work_date=FIRST, text="教老人视频通话")
    record = await work.log(worker, form, now=DURING)
    line = f"2026-10-01,{town.worker.unit_code},{town.worker.name},SVC-05"
    data = f"日期,网格编码,姓名,规则编号,内容\n{line},教老人付款\n{line},教老人挂号\n".encode()
    read = await intake.import_work(None, COUNTY, data, "work.csv", now=DURING)
    assert (read.added, read.refused) == (2, 0)
    ids = [task.line.id for task in await work.tasks(lead)]
    assert record.id in ids
    for record_id in ids:
        await work.verify(lead, record_id, now=DURING)
    await posting.post_records(COUNTY, ids, DURING)
    assert (await ledger.balances(COUNTY, town.worker.person_id)).merit == 30
    merit = await DB.fetchval(
        "SELECT sum(awarded) FROM points.merit_entry WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        town.worker.person_id,
    )
    assert merit == 30, "what appraisal sees"


async def test_the_deduction_is_proposed_for_what_happens_from_its_day(rollback: None) -> None:
    """Before it there is no such deduction."""
    town = await added()
    lead = await acting(town.lead)
    proposal = deductions.Proposal(
        worker_id=town.worker.person_id,
        code="PEN-09",
        amount=10,
        happened_on=FIRST,
        facts="值班迟到半小时",
        evidence="值班表",
    )
    await deductions.propose(lead, proposal, DURING)
    early = msgspec.structs.replace(proposal, happened_on=FIRST - timedelta(days=1))
    with pytest.raises(DeductionRefused, match="没有这条扣分规则"):
        await deductions.propose(lead, early, DURING)


async def test_the_item_stands_where_the_others_do(client: httpx.AsyncClient) -> None:
    """The worker's form, the paper slip, the lead's form of deductions."""
    town = await added()
    await enter(client, town.worker)
    assert ITEM.title in (await client.get("/work/new?category=SVC")).text
    await enter(client, town.chief)
    assert f"SVC-05 {ITEM.title}" in (await client.get("/verify/slips")).text
    offered = (await client.get("/verify/deductions/new")).text
    assert "值班脱岗　−2 分" in offered
    assert "迟到　−1 分" in offered


async def test_the_department_adds_an_item_on_its_page(client: httpx.AsyncClient) -> None:
    """From the list to the form with the next number; what is wrong comes back as typed."""
    town = await small_county()
    await enter_desk(client, town.department)
    assert 'href="/desk/rules/new?category=MED"' in (await client.get("/desk/rules")).text
    asked = (await client.get("/desk/rules/new?category=MED")).text
    assert 'value="MED-05"' in asked
    form = {
        "code": "med-05",
        "title": "调解回访",
        "points": "1.5",
        "cap_month": "6",
        "per": "1",
        "steps": "V1",
        "evidence": "none",
        "quiet_days": "7",
        "household": "1",
        "effective_from": str(today() + timedelta(days=5)),
    }
    for name, value in (("code", "ABC-01"), ("points", "一"), ("quiet_days", "-1"), ("title", "")):
        wrong = await post(client, "/desk/rules", **form | {name: value})
        assert (wrong.status_code, "field__error" in wrong.text) == (422, True), name
        assert 'value="none" checked' in wrong.text
    saved = await post(client, "/desk/rules", **form)
    assert saved.headers["location"] == "/desk/rules/MED-05?saved=1"
    [item] = await service.history(COUNTY, "MED-05")
    assert (item.points, item.quiet_days, item.household, item.steps) == (15, 7, True, (Step.V1,))
    assert "新事项已保存" in (await client.get(saved.headers["location"])).text
    listed = (await client.get("/desk/rules")).text
    assert 'href="/desk/rules/MED-05"' in listed
    taken = await post(client, "/desk/rules", **form)
    assert (taken.status_code, "MED-05 已经用过" in taken.text) == (422, True)


async def test_the_department_adds_a_deduction_and_ends_it(client: httpx.AsyncClient) -> None:
    """Its later versions stay below the first; its last day is a version as well."""
    town = await small_county()
    await enter_desk(client, town.department)
    assert 'value="PEN-09"' in (await client.get("/desk/rules-penalties/new")).text
    first = today() + timedelta(days=5)
    form = {"code": "PEN-09", "title": "值班脱岗", "choices": "1、2", "effective_from": str(first)}
    wrong = await post(client, "/desk/rules-penalties", **form | {"choices": "21"})
    assert (wrong.status_code, "不超过政策规定的 20 分" in wrong.text) == (422, True)
    saved = await post(client, "/desk/rules-penalties", **form)
    assert saved.headers["location"] == "/desk/rules-penalties/PEN-09?saved=1"
    assert "待生效的事项" in (await client.get("/desk/rules")).text
    later = first + timedelta(days=10)
    change = {"version": "1", "choices": "1、2", "effective_from": str(later)}
    higher = await post(client, "/desk/rules-penalties/PEN-09", **change | {"choices": "3"})
    assert (higher.status_code, "不超过政策规定的 2 分" in higher.text) == (422, True)
    ended = await post(client, "/desk/rules-penalties/PEN-09", **change, last_day=str(later))
    assert ended.status_code == 303
    assert "起不再扣分" in (await client.get(f"/desk/rules?on={later}")).text
    over = await service.penalties_at(COUNTY, later + timedelta(days=1))
    assert "PEN-09" not in [penalty.code for penalty in over]
