"""What a village pays for an item instead: within the county's range, on the wallet's side only."""

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import httpx
import msgspec
import pytest

from points.errors import RuleRefused
from points.ledger import service as ledger
from points.rulebook import service as rulebook
from points.rulebook.defaults import CAPS, RULES
from points.rulebook.rules import (
    Decision,
    Earned,
    Facts,
    Paid,
    Rule,
    Variant,
    check_change,
    check_variant,
    decide,
    pay,
    variant_on,
)
from points.rulebook.variants import service
from points.rulebook.variants.schemas import VariantForm
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import ResolutionForm
from points.work import bulk, deductions, intake, posting, trial
from points.work import service as work
from points.work.schemas import LogForm
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.ids import new_id
from shared.roster.roles import Role
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county
from tests.points.ledger.builders import sound
from tests.points.ledger.test_verifier import findings, spoil
from tests.points.rulebook.test_trial import did
from tests.points.work.test_intake import HEAD
from tests.points.work.test_oracle import WORKERS, rows_of
from tests.shared.identity.test_web import enter, enter_desk, post

NOW = datetime(2026, 9, 15, 4, tzinfo=UTC)
FIRST = date(2026, 10, 1)
DURING = datetime(2026, 10, 20, 4, tzinfo=UTC)
VILLAGE = "421222100001"
OPEN = msgspec.structs.replace(
    next(rule for rule in RULES if rule.code == "ORG-02"),
    version=2,
    village_least=5,
    village_most=30,
    effective_from=FIRST,
)
"""参加网格例会: the county gives 1 point, 4 a month; a village may pay 0.5 to 3."""
FORM = VariantForm(
    village_code=VILLAGE,
    code="ORG-02",
    points=15,
    cap_month=40,
    effective_from=FIRST,
    resolution="隽村〔2026〕3号",
    resolved_on=date(2026, 9, 10),
)


async def funded() -> SmallCounty:
    """A county whose first village has money."""
    town = await small_county()
    form = ResolutionForm(
        unit_code=VILLAGE, number="1号", resolved_on=NOW.date(), amount_fen=10_000_000
    )
    await funds.resolve(None, COUNTY, form, now=NOW)
    return town


async def opened(**change: object) -> SmallCounty:
    """A county whose department has given ORG-02 a range."""
    town = await funded()
    desk = await acting(town.department, desk=True)
    await rulebook.ensure_seeded(COUNTY)
    await rulebook.change_rule(desk, msgspec.structs.replace(OPEN, **change), NOW)
    return town


async def approved(town: SmallCounty, form: VariantForm = FORM, now: datetime = NOW) -> UUID:
    """Proposed by the chief, approved by the township's instructor."""
    variant_id = await service.propose(await acting(town.chief), form, now)
    await service.decide(await acting(town.instructor), variant_id, approve=True, now=now)
    return variant_id


async def met(who: Member, day: date) -> UUID:
    """A meeting that somebody declares to have been at."""
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=day, text=f"{day.day}日例会")
    return (await work.log(await acting(who, on=day), form, now=DURING)).id


async def posted(ids: list[UUID]) -> None:
    await DB.execute(
        "UPDATE points.work_record SET state = 'accepted', accepted_at = $2 WHERE county_id = $1",
        COUNTY,
        DURING,
    )
    await posting.post_records(COUNTY, ids, DURING)


@pytest.mark.parametrize(
    ("points", "caps", "paid", "merit", "wallet"),
    [
        (15, (None, None), Paid(), 10, 15),
        (5, (None, None), Paid(), 5, 3),
        (15, (None, None), Paid(), 3, 5),
        (15, (20, None), Paid(day=15), 10, 5),
        (15, (None, 40), Paid(month=30), 10, 10),
        (15, (20, 40), Paid(day=15, month=38), 10, 2),
        (15, (None, 40), Paid(month=50), 10, 0),
        (0, (None, None), Paid(), 10, 0),
        (15, (None, None), Paid(), 0, 0),
    ],
)
def test_what_the_village_pays(
    points: int, caps: tuple[int | None, int | None], paid: Paid, merit: int, wallet: int
) -> None:
    """In proportion to what the county's caps left, half up; then its own caps. Merit stays."""
    variant = Variant(
        village_code=VILLAGE,
        code="ORG-02",
        points=points,
        cap_day=caps[0],
        cap_month=caps[1],
        resolution="3号",
        effective_from=FIRST,
    )
    given = Decision(10, merit, (), f"ORG-02 参加网格例会：得 {merit} 分。")
    found = pay(OPEN, variant, given, paid)
    assert (found.posted, found.wallet, found.pays) == (merit, wallet, wallet)
    assert found.words.startswith("ORG-02 参加网格例会：得")
    assert ("可兑换计" in found.words) == (merit > 0)
    assert given.pays == merit, "without a variant as much as merit"


def test_what_counts_on_a_day() -> None:
    """The latest that has begun, if it fits what the rule of the day allows."""
    first = FORM
    later = msgspec.structs.replace(first, points=20, effective_from=date(2026, 11, 1))
    ended = msgspec.structs.replace(first, points=None, effective_from=date(2026, 12, 1))
    found = [ended, later, first]
    assert variant_on(found, OPEN, date(2026, 9, 30)) is None
    assert variant_on(found, OPEN, date(2026, 10, 31)) == first
    assert variant_on(found, OPEN, date(2026, 11, 1)) == later
    assert variant_on(found, OPEN, date(2026, 12, 1)) is None
    narrow = msgspec.structs.replace(OPEN, village_most=18)
    assert variant_on(found, narrow, date(2026, 11, 1)) is None, "not the one before it either"
    closed = msgspec.structs.replace(OPEN, village_least=None, village_most=None)
    assert variant_on(found, closed, date(2026, 10, 31)) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"village_least": None}, "village_least"),
        ({"village_most": None}, "village_most"),
        ({"village_least": 11}, "village_least"),
        ({"village_most": 9}, "village_most"),
        ({"village_most": 101}, "village_most"),
    ],
)
def test_a_range_holds_the_county_s_own_points(change: dict[str, object], field: str) -> None:
    """Both ends or none."""
    with pytest.raises(RuleRefused) as refused:
        check_change(msgspec.structs.replace(OPEN, **change), [], CAPS, NOW.date())
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": 4}, "points"),
        ({"points": 31}, "points"),
        ({"points": None}, "points"),
        ({"cap_month": 14}, "cap_month"),
        ({"cap_month": 61}, "cap_month"),
        ({"cap_day": 61}, "cap_day"),
    ],
)
def test_a_variant_stays_within_the_county_s_limits(change: dict[str, object], field: str) -> None:
    """Its points in the range, its caps no wider than the county's, day and month, in its own."""
    with pytest.raises(RuleRefused) as refused:
        check_variant(msgspec.structs.replace(FORM, **change), OPEN, CAPS)
    assert list(refused.value.fields) == [field]
    check_variant(msgspec.structs.replace(FORM, cap_day=15, cap_month=60), OPEN, CAPS)
    daily = msgspec.structs.replace(OPEN, cap_day=20)
    with pytest.raises(RuleRefused, match="单日上限"):
        check_variant(msgspec.structs.replace(FORM, cap_day=31), daily, CAPS)


def test_no_variant_without_a_range_or_an_item() -> None:
    """What the county has not opened is the same everywhere."""
    closed = msgspec.structs.replace(OPEN, village_least=None, village_most=None)
    for rule, field in ((closed, "code"), (None, "effective_from")):
        with pytest.raises(RuleRefused) as refused:
            check_variant(FORM, rule, CAPS)
        assert list(refused.value.fields) == [field]


async def test_the_wallet_follows_the_village_and_merit_the_county(rollback: None) -> None:
    """Its village, its day, its caps over two runs; the neighbours and September as the county."""
    town = await opened()
    await approved(town)
    before = await met(town.worker, date(2026, 9, 30))
    ids = [await met(town.worker, date(2026, 10, day)) for day in (1, 2, 5, 6, 7)]
    far = await met(town.cousin_worker, date(2026, 10, 1))
    await posted([before, *ids[:3]])
    await posting.post_records(COUNTY, [*ids[3:], far], DURING)
    rows = await DB.fetch(
        "SELECT posted, wallet FROM points.work_record WHERE county_id = $1"
        " ORDER BY worker_id = $2 DESC, work_date",
        COUNTY,
        town.worker.person_id,
    )
    assert [tuple(row) for row in rows] == [
        (10, None), (10, 15), (10, 15), (10, 10), (10, 0), (0, 0), (10, None),
    ]  # fmt: skip
    own = await ledger.balances(COUNTY, town.worker.person_id)
    assert (own.merit, own.wallet) == (50, 50)
    other = await ledger.balances(COUNTY, town.cousin_worker.person_id)
    assert (other.merit, other.awaiting) == (10, 10)
    merit = await DB.fetchval(
        "SELECT sum(awarded) FROM points.merit_entry WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        town.worker.person_id,
    )
    assert merit == 50, "what appraisal compares"
    await sound()


async def test_a_false_claim_gives_back_all_that_was_paid(rollback: None) -> None:
    """More than its merit, where the village paid more."""
    town = await opened()
    await approved(town)
    record_id = await met(town.worker, FIRST)
    await posted([record_id])
    assert (await ledger.balances(COUNTY, town.worker.person_id)).wallet == 15
    claim = deductions.Proposal(
        worker_id=town.worker.person_id,
        code="PEN-07",
        amount=100,
        happened_on=FIRST,
        facts="没有到会",
        evidence="签到表",
        record_id=record_id,
    )
    deduction_id = await deductions.propose(await acting(town.lead), claim, DURING)
    await deductions.reply(await acting(town.worker), deduction_id, "记错了日子", DURING)
    department = await acting(town.department, desk=True)
    await deductions.decide(department, deduction_id, stands=True, reason="属实", now=DURING)
    assert await deductions.post_lapsed(COUNTY, DURING + timedelta(days=60)) == 1
    own = await ledger.balances(COUNTY, town.worker.person_id)
    assert (own.merit, own.wallet) == (-100, 0)
    await sound()


async def test_a_narrower_range_puts_the_county_s_points_back(rollback: None) -> None:
    """From the new version's day on, until the village resolves anew; an item's end ends it."""
    town = await opened()
    await approved(town)
    desk = await acting(town.department, desk=True)
    november = date(2026, 11, 1)
    narrow = msgspec.structs.replace(OPEN, village_most=12, effective_from=november)
    await rulebook.change_rule(desk, narrow, DURING)
    rules = await rulebook.rules_at(COUNTY, FIRST)
    assert (await service.paying(COUNTY, VILLAGE, rules, FIRST))["ORG-02"].points == 15
    rules = await rulebook.rules_at(COUNTY, november)
    assert await service.paying(COUNTY, VILLAGE, rules, november) == {}
    [item] = await service.items(COUNTY, VILLAGE, november)
    assert (item.counts, item.latest and item.latest.points) == (None, 15)
    again = msgspec.structs.replace(FORM, points=12, cap_month=None, effective_from=november)
    await approved(town, again, DURING)
    assert (await service.paying(COUNTY, VILLAGE, rules, november))["ORG-02"].points == 12


async def test_a_village_goes_back_to_the_county_s_points(rollback: None) -> None:
    """By a resolution as well."""
    town = await opened()
    await approved(town)
    back = msgspec.structs.replace(
        FORM, points=None, cap_month=None, effective_from=date(2026, 10, 10)
    )
    await approved(town, back)
    ids = [await met(town.worker, date(2026, 10, day)) for day in (9, 10)]
    await posted(ids)
    assert (await ledger.balances(COUNTY, town.worker.person_id)).wallet == 25
    await sound()
    with pytest.raises(RuleRefused, match="没有改动"):
        await service.propose(
            await acting(town.chief),
            msgspec.structs.replace(back, effective_from=date(2026, 10, 30)),
            DURING,
        )


async def test_one_proposes_and_another_decides(rollback: None) -> None:
    """The chief and the township, or the instructor and the department; each is told to audit.

    One day has one approved variant.
    """
    town = await opened()
    chief, instructor = await acting(town.chief), await acting(town.instructor)
    variant_id = await service.propose(chief, FORM, NOW)
    with pytest.raises(Conflict, match="已有一份在等批准"):
        await service.propose(chief, msgspec.structs.replace(FORM, points=20), NOW)
    there = await member(Role.INSTRUCTOR, town.units["421222101"])
    for stranger in (town.chief, town.lead, town.worker, there):
        with pytest.raises(NotFound):
            await service.decide(await acting(stranger), variant_id, approve=True, now=NOW)
    assert [row.id for row in await service.waiting(instructor)] == [variant_id]
    assert await service.waiting(chief) == []
    with pytest.raises(Invalid):
        await service.decide(instructor, variant_id, approve=False, now=NOW)
    await service.decide(instructor, variant_id, approve=False, note="分太高", now=NOW)
    with pytest.raises(Conflict, match="已经有人办过"):
        await service.decide(instructor, variant_id, approve=True, now=NOW)
    mine = await service.propose(instructor, FORM, NOW)
    with pytest.raises(Forbidden):
        await service.decide(instructor, mine, approve=True, now=NOW)
    await service.decide(await acting(town.department, desk=True), mine, approve=True, now=NOW)
    other = await service.propose(chief, msgspec.structs.replace(FORM, points=20), NOW)
    with pytest.raises(Conflict, match="这一天起已有一份批准的细则"):
        await service.decide(instructor, other, approve=True, now=NOW)
    told = await DB.fetch(
        "SELECT action FROM shared.audit_event WHERE county_id = $1 AND object_kind = 'variant'"
        " ORDER BY id",
        COUNTY,
    )
    assert [row["action"] for row in told] == [
        "variant.propose", "variant.refused", "variant.propose", "variant.approved",
        "variant.propose",
    ]  # fmt: skip


async def test_who_may_propose_and_what(rollback: None) -> None:
    """A chief for the own village and its own money; from a day on that has the range."""
    town = await opened()
    chief = await acting(town.chief)
    for form, who in (
        (FORM, town.lead),
        (FORM, town.worker),
        (msgspec.structs.replace(FORM, village_code="421222101001"), town.chief),
        (msgspec.structs.replace(FORM, village_code=VILLAGE + "001"), town.chief),
    ):
        with pytest.raises(NotFound):
            await service.propose(await acting(who), form, NOW)
    for change, field in (
        ({"effective_from": NOW.date()}, "effective_from"),
        ({"effective_from": date(2026, 9, 20)}, "code"),
        ({"resolved_on": date(2026, 9, 16)}, "resolved_on"),
        ({"resolution": ""}, "resolution"),
        ({"code": "ORG-99"}, "effective_from"),
    ):
        with pytest.raises(RuleRefused) as refused:
            await service.propose(chief, msgspec.structs.replace(FORM, **change), NOW)
        assert list(refused.value.fields) == [field]


async def test_who_pays_from_above_sets_nothing(rollback: None) -> None:
    """The township's money is not the village's to give."""
    town = await opened()
    form = msgspec.structs.replace(FORM, village_code="421222100002")
    with pytest.raises(RuleRefused, match="没有自己的集体资金"):
        await service.propose(await acting(town.instructor), form, NOW)


async def test_a_late_approval_counts_from_the_day_after(rollback: None) -> None:
    """What is verified stays; and what has become too much meanwhile is not approved."""
    town = await opened()
    chief, instructor = await acting(town.chief), await acting(town.instructor)
    variant_id = await service.propose(chief, FORM, NOW)
    await service.decide(instructor, variant_id, approve=True, now=DURING)
    rules = await rulebook.rules_at(COUNTY, DURING.date())
    assert await service.paying(COUNTY, VILLAGE, rules, DURING.date()) == {}
    after = DURING.date() + timedelta(days=1)
    assert (await service.paying(COUNTY, VILLAGE, rules, after))["ORG-02"].effective_from == after
    november = date(2026, 11, 1)
    dearer = msgspec.structs.replace(FORM, points=30, cap_month=None, effective_from=november)
    second = await service.propose(chief, dearer, DURING)
    desk = await acting(town.department, desk=True)
    narrow = msgspec.structs.replace(OPEN, village_most=20, effective_from=november)
    await rulebook.change_rule(desk, narrow, DURING)
    with pytest.raises(Invalid, match="不能同意"):
        await service.decide(instructor, second, approve=True, now=DURING)


async def test_an_import_says_what_the_village_pays(rollback: None) -> None:
    """In words, in the row's explanation."""
    town = await opened()
    await approved(town)
    data = (
        "日期,网格编码,姓名,规则编号,内容\n"
        f"2026-10-01,{town.worker.unit_code},{town.worker.name},ORG-02,例会\n"
    ).encode()
    read = await intake.import_work(None, COUNTY, data, "work.csv", now=DURING)
    assert (read.counts, read.added) == (10, 1)
    assert "本村细则（隽村〔2026〕3号）每次可兑换 1.5 分，可兑换计 1.5 分" in read.lines[0].words


async def test_a_variant_is_tried_on_the_last_half_year(rollback: None) -> None:
    """The village's records of the item, with its caps; nothing is written."""
    town = await opened()
    for day in (1, 2, 3):
        await did(town, town.worker, date(2026, 6, day), 10, rule_code="ORG-02", category="ORG")
    await did(town, town.second_worker, date(2026, 7, 1), 10, rule_code="ORG-02", category="ORG")
    await did(town, town.cousin_worker, date(2026, 7, 1), 10, rule_code="ORG-02", category="ORG")
    found = await trial.of_variant(await acting(town.chief), FORM, NOW)
    assert (found.workers, found.before, found.after, found.gain) == (2, 40, 55, 2)
    back = msgspec.structs.replace(FORM, points=30, cap_month=30)
    found = await trial.of_variant(await acting(town.chief), back, NOW)
    assert (found.before, found.after) == (40, 60)
    with pytest.raises(RuleRefused):
        await trial.of_variant(
            await acting(town.chief), msgspec.structs.replace(FORM, points=31), NOW
        )
    assert await service.of_village(await acting(town.chief), VILLAGE) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE points.work_record SET wallet = wallet - 1 WHERE wallet > 0 AND county_id = $1",
        "UPDATE points.work_record SET wallet = NULL WHERE county_id = $1",
        "UPDATE points.work_record SET wallet = posted WHERE wallet IS NULL AND county_id = $1",
        "UPDATE points.rule_variant SET points = 12 WHERE county_id = $1",
        "UPDATE points.rule_variant SET state = 'refused' WHERE county_id = $1",
        "UPDATE points.rule_variant SET effective_from = '2026-11-01' WHERE county_id = $1",
        "UPDATE points.rule_variant SET village_code = '421222100002' WHERE county_id = $1",
    ],
)
async def test_the_verifier_holds_wallets_against_resolutions(rollback: None, sql: str) -> None:
    """What was paid is what the approved variant of the village and the day says."""
    town = await opened()
    await approved(town)
    ids = [await met(town.worker, day) for day in (date(2026, 9, 30), FIRST)]
    await posted(ids)
    await sound()
    await spoil(sql)
    assert "I9 可兑换积分与本村细则" in await findings()


async def test_the_verifier_adds_up_what_a_village_s_caps_are_about(rollback: None) -> None:
    """Each record may be within the cap, and all of a month together not."""
    town = await opened()
    await approved(town)
    await posted([await met(town.worker, FIRST + timedelta(days=7 * week)) for week in range(3)])
    await sound()
    for cap, invariants in ((40, set[str]()), (39, {"I9 本村细则的上限"})):
        await spoil(f"UPDATE points.rule_variant SET cap_month = {cap} WHERE county_id = $1")
        assert set(await findings()) == invariants


def test_a_decision_without_a_variant_is_stored_as_before() -> None:
    """No word of wallets where nothing differs."""
    rule: Rule = OPEN
    found = decide(rule, CAPS, Earned(), Facts())
    assert b"wallet" not in msgspec.json.encode(found)


async def open_today() -> SmallCounty:
    """A county whose department has given ORG-02 a range from today on."""
    town = await funded()
    desk = await acting(town.department, desk=True)
    await rulebook.ensure_seeded(COUNTY)
    wide = msgspec.structs.replace(OPEN, effective_from=today())
    await rulebook.change_rule(desk, wide, now() - timedelta(days=1))
    return town


async def test_the_chief_proposes_on_the_phone(client: httpx.AsyncClient) -> None:
    """From the list to the form, tried, sent; what is wrong comes back as typed."""
    town = await open_today()
    await enter(client, town.chief)
    listed = (await client.get("/verify/variants")).text
    assert "村里可定 0.5 到 3 分" in listed.replace("\xa0", " ")
    path = f"/verify/variants?village={VILLAGE}&code=ORG-02"
    assert path.replace("&", "&amp;") in listed
    assert "报乡镇批准" in (await client.get(path)).text
    form = {
        "village_code": VILLAGE,
        "code": "ORG-02",
        "points": "1.5",
        "cap_day": "",
        "cap_month": "4",
        "effective_from": str(today() + timedelta(days=1)),
        "resolution": "隽村〔2026〕3号",
        "resolved_on": str(today()),
    }
    wrong = await post(client, "/verify/variants", act="send", **form | {"points": "9"})
    assert (wrong.status_code, "县里定的幅度是 0.5 到 3 分" in wrong.text) == (422, True)
    odd = await post(client, "/verify/variants", act="send", **form | {"points": "一"})
    assert odd.status_code == 422
    tried = await post(client, "/verify/variants", act="try", **form)
    assert (tried.status_code, "近六个月可兑换" in tried.text) == (200, True)
    sent = await post(client, "/verify/variants", act="send", **form)
    assert sent.status_code == 303
    assert "已报上去" in (await client.get(sent.headers["location"])).text
    assert "等批准" in (await client.get(path)).text
    again = await post(client, "/verify/variants", act="send", **form | {"points": "2"})
    assert (again.status_code, "已有一份在等批准" in again.text) == (409, True)
    other = await client.get("/verify/variants?village=421222101001")
    assert other.status_code == 404


async def test_the_township_approves_and_everybody_reads_it(client: httpx.AsyncClient) -> None:
    """On the instructor's phone; then on the worker's form, the paper slip and the desk."""
    town = await open_today()
    tomorrow = today() + timedelta(days=1)
    form = msgspec.structs.replace(FORM, effective_from=tomorrow, resolved_on=today())
    await service.propose(await acting(town.chief), form, now())
    await enter(client, town.instructor)
    assert "本村细则待批准" in (await client.get("/verify")).text
    asked = (await client.get("/verify/variants")).text
    assert "隽村〔2026〕3号" in asked
    [row] = await service.waiting(await acting(town.instructor))
    unsaid = await post(client, f"/verify/variants/{row.id}", answer="refuse", note="")
    assert (unsaid.status_code, "请写明不同意的原因" in unsaid.text) == (422, True)
    done = await post(client, f"/verify/variants/{row.id}", answer="approve", note="")
    assert done.headers["location"] == "/verify/variants?done=approve"
    await DB.execute(
        "UPDATE points.rule_variant SET effective_from = $2 WHERE county_id = $1", COUNTY, today()
    )

    await enter(client, town.worker)
    offered = (await client.get("/work/new?category=ORG")).text.replace("\xa0", " ")
    assert "本村可兑换 1.5 分，每月最多 4 分" in offered
    await enter(client, town.chief)
    assert "本村可兑换1.5分" in (await client.get("/verify/slips")).text
    await enter_desk(client, town.department)
    rule = (await client.get("/desk/rules/ORG-02")).text
    assert "各村细则" in rule
    assert "隽村〔2026〕3号" in rule
    assert "村里可定 0.5–3 分" in (await client.get("/desk/rules")).text
    audit = (await client.get("/desk/audit")).text
    assert "提出本村细则" in audit
    assert "批准本村细则" in audit


@pytest.mark.parametrize("seed", range(2))
async def test_a_random_month_is_paid_as_a_second_reading_says(rollback: None, seed: int) -> None:
    """Fractions and plain sums, over what the county's caps left of each record."""
    town = await funded()
    desk = await acting(town.department, desk=True)
    await rulebook.ensure_seeded(COUNTY)
    own = {"MED-01": (30, 45, 75), "OPN-01": (5, None, None), "ORG-02": (17, None, 40)}
    county = {rule.code: rule.points for rule in RULES}
    for code, (points, daily, cap) in own.items():
        rule = (await rulebook.history(COUNTY, code))[-1]
        wide = msgspec.structs.replace(rule, village_least=5, village_most=30)
        await rulebook.change_rule(desk, msgspec.structs.replace(wide, effective_from=FIRST), NOW)
        form = msgspec.structs.replace(FORM, code=code, points=points, cap_day=daily, cap_month=cap)
        await approved(town, form)
    first = [(FIRST, grid, name, "MED-01", text) for grid, name in WORKERS for text in ("丁", "戊")]
    rows = [*first, *rows_of(seed)]
    lines = [f"{day},{grid},{name},{code},{text}," for day, grid, name, code, text in rows]
    data = "\n".join([HEAD, *lines]).encode()
    later = datetime(2026, 11, 3, 4, tzinfo=UTC)
    await intake.import_work(None, COUNTY, data, "a.csv", now=later)
    await bulk.verify_month(COUNTY, 202610, later)
    await bulk.post_month(COUNTY, 202610, later)
    paid: dict[tuple[UUID, str, date | None], int] = defaultdict(int)
    found = await DB.fetch(
        "SELECT worker_id, rule_code, work_date, posted, wallet FROM points.work_record"
        " WHERE county_id = $1 AND state = 'posted' ORDER BY work_date, declared_at, seq, id",
        COUNTY,
    )
    for worker_id, code, on, merit, wallet in found:
        if code not in own:
            assert wallet is None
            continue
        points, daily, cap = own[code]
        expected = math.floor(Fraction(merit * points, county[code]) + Fraction(1, 2))
        for day, limit in ((on, daily), (None, cap)):
            if limit is not None:
                expected = min(expected, limit - paid[worker_id, code, day])
        for day in (on, None):
            paid[worker_id, code, day] += expected
        assert wallet == expected
    assert {code for _, code, _ in paid} == set(own)
    await sound()
