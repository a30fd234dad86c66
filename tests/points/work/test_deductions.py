"""Deductions: notice, answer, decision by another, appeal; what is final reaches the ledger."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from points.errors import DeductionRefused, ObjectionRefused
from points.ledger import service as ledger
from points.work import deductions, month, posting, queries, service
from points.work.deduction_queries import DeductionRow
from points.work.deductions import Proposal
from points.work.rules import State
from points.work.schemas import LogForm, Record
from shared.audit import search
from shared.audit.schemas import Filters
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, NotFound
from shared.identity import queries as identity
from shared.ids import new_id
from shared.roster.roles import Role
from tests.factories import COUNTY, Member, SmallCounty, acting, also_in, member, small_county

NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
DAY = date(2026, 10, 19)


def proposal(town: SmallCounty, **more: object) -> Proposal:
    values: dict[str, object] = {
        "worker_id": town.worker.person_id,
        "code": "PEN-01",
        "amount": 20,
        "happened_on": DAY,
        "facts": "例会无故缺席",
        "evidence": "签到表",
    }
    return Proposal(**(values | more))  # type: ignore[arg-type]  # fields are named by the tests


async def has_phone(someone: Member) -> None:
    """Whoever reads a notice at once."""
    account_id = await identity.ensure_account(COUNTY, new_id(), someone.person_id)
    await identity.set_pin(COUNTY, account_id, "x", NOW)


async def proposed(town: SmallCounty, **more: object) -> UUID:
    """A notice to the worker, who has a phone."""
    await has_phone(town.worker)
    return await deductions.propose(await acting(town.lead), proposal(town, **more), NOW)


async def merit(town: SmallCounty) -> int:
    return (await ledger.balances(COUNTY, town.worker.person_id)).merit


async def row(deduction_id: UUID, town: SmallCounty) -> DeductionRow:
    return await deductions.view(await acting(town.worker), deduction_id)


async def after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC) + timedelta(days=1)


async def final(town: SmallCounty, number: UUID) -> None:
    """Decided against the worker, who lets both terms lapse."""
    late = await after((await row(number, town)).answer_due_on)
    await deductions.decide(await acting(town.chief), number, stands=True, reason="属实", now=late)
    due = (await row(number, town)).appeal_due_on
    assert due is not None
    await deductions.post_lapsed(COUNTY, await after(due))


async def posted(town: SmallCounty) -> Record:
    """A record of 1 point in the ledger."""
    worker = await acting(town.worker, on=DAY)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加网格例会")
    record = await service.log(worker, form, now=NOW)
    await service.verify(await acting(town.lead), record.id, now=NOW)
    await posting.post_records(COUNTY, [record.id], NOW)
    return record


async def test_a_decision_waits_for_the_answer_or_its_term(rollback: None) -> None:
    """Five working days to answer, the last of them as well; an answer opens the way at once."""
    town = await small_county()
    number = await proposed(town)
    chief = await acting(town.chief)
    found = await row(number, town)
    assert found.answer_due_on == await calendar.add_working_days(COUNTY, today(NOW), 5)
    late = await after(found.answer_due_on)
    last = late - timedelta(days=1)
    for early in (NOW, last):
        with pytest.raises(DeductionRefused, match="陈述期"):
            await deductions.decide(chief, number, stands=True, reason="属实", now=early)
    with pytest.raises(DeductionRefused, match="已经过了"):
        await deductions.reply(await acting(town.worker), number, "我请过假", late)
    await deductions.reply(await acting(town.worker), number, "我请过假", last)
    await deductions.decide(chief, number, stands=False, reason="有请假条", now=last)
    assert (await row(number, town)).state == "dropped"
    assert await deductions.post_lapsed(COUNTY, late + timedelta(days=60)) == 0
    assert await merit(town) == 0


async def test_of_two_villages_the_one_it_happened_in_decides(rollback: None) -> None:
    """The false record's village, else the proposer's own; the other one is no party to it."""
    town = await small_county()
    other = town.units["421222100002001"]
    await also_in(town.worker, other)
    there = await acting(await member(Role.CHIEF, town.units["421222100002"], "黎书记"))
    number = await deductions.propose(there, proposal(town), NOW)
    assert (await row(number, town)).village_code == "421222100002"
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加例会", grid_code=other.code
    )
    record = await service.log(await acting(town.worker, on=DAY), form, now=NOW)
    false = proposal(town, code="PEN-07", amount=100, happened_on=DAY, record_id=record.id)
    with pytest.raises(NotFound):
        await deductions.propose(await acting(town.lead), false, NOW)
    number = await deductions.propose(await acting(town.department, desk=True), false, NOW)
    assert (await row(number, town)).village_code == "421222100002"


async def test_a_paper_is_keyed_in_for_who_has_no_phone(rollback: None) -> None:
    """By the secretary, not by who has a part in it; the term to answer runs to its end."""
    town = await small_county()
    number = await proposed(town)
    chief, instructor = await acting(town.chief), await acting(town.instructor)
    for stranger in (town.second_worker, town.cousin_worker, town.lead):
        with pytest.raises(NotFound):
            await deductions.reply(await acting(stranger), number, "我请过假", NOW)
    await deductions.reply(chief, number, "我请过假", NOW)
    found = await row(number, town)
    assert (found.answer, found.answered_at) == ("我请过假（书面材料，王书记代录）", None)
    with pytest.raises(DeductionRefused, match="陈述期"):
        await deductions.decide(instructor, number, stands=True, reason="属实", now=NOW)
    late = await after(found.answer_due_on)
    await deductions.decide(chief, number, stands=True, reason="没有请假条", now=late)
    with pytest.raises(Forbidden, match="经手"):
        await deductions.appeal(chief, number, "不服", late)
    await deductions.appeal(instructor, number, "请假条在网格长那里", late)
    assert (await row(number, town)).appeal == "请假条在网格长那里（书面材料，尹玉梅代录）"
    second = await proposed(town, facts="又缺席一次")
    await deductions.reply(await acting(town.worker), second, "我到了", NOW)
    with pytest.raises(DeductionRefused, match="已经说明过"):
        await deductions.reply(chief, second, "我认", NOW)


async def test_an_unused_appeal_term_makes_it_final_once(rollback: None) -> None:
    """Nothing is deducted before the term is over, and nothing twice."""
    town = await small_county()
    number = await proposed(town)
    late = await after((await row(number, town)).answer_due_on)
    await deductions.decide(await acting(town.chief), number, stands=True, reason="属实", now=late)
    due = (await row(number, town)).appeal_due_on
    assert due == await calendar.add_working_days(COUNTY, today(late), 5)
    assert due is not None
    assert await deductions.post_lapsed(COUNTY, await after(due) - timedelta(days=1)) == 0
    assert await deductions.post_lapsed(COUNTY, await after(due)) == 1
    assert await deductions.post_lapsed(COUNTY, await after(due)) == 0
    assert await merit(town) == -20
    deducted = "SELECT deducted FROM points.merit_month WHERE county_id = $1 AND month = 202610"
    assert await DB.fetchval(deducted, COUNTY) == 20


async def test_the_audit_finds_it_by_the_worker_s_name(rollback: None) -> None:
    """Proposal and answer, and the record that was declared and confirmed before."""
    town = await small_county()
    await posted(town)
    number = await proposed(town)
    await deductions.reply(await acting(town.worker), number, "我请过假", NOW)
    department = await acting(town.department, desk=True)
    filters = Filters(since=today(), until=today(), who=town.worker.name)
    found = [(line.action, line.about_name) for line in await search.search(department, filters)]
    name = town.worker.name
    done = ("deduct.answer", "deduct.propose", "work.verify", "work.log")
    assert found == [(action, name) for action in done]


async def test_an_appeal_stops_it_until_somebody_else_decides(rollback: None) -> None:
    """Neither the proposer nor the first decider decides the appeal; on its last day it is made.

    Nor does the proposer key in what the worker says to it.
    """
    town = await small_county()
    await has_phone(town.worker)
    proposer, instructor = await acting(town.department, desk=True), await acting(town.instructor)
    number = await deductions.propose(proposer, proposal(town), NOW)
    with pytest.raises(Forbidden):
        await deductions.decide(proposer, number, stands=True, reason="属实", now=NOW)
    with pytest.raises(Forbidden, match="经手"):
        await deductions.reply(proposer, number, "我认", NOW)
    late = await after((await row(number, town)).answer_due_on)
    await deductions.decide(instructor, number, stands=True, reason="属实", now=late)
    due = (await row(number, town)).appeal_due_on
    assert due is not None
    late = await after(due)
    with pytest.raises(DeductionRefused, match="已过申诉期限"):
        await deductions.appeal(await acting(town.worker), number, "不属实", late)
    last = late - timedelta(days=1)
    await deductions.appeal(await acting(town.worker), number, "不属实", last)
    assert await deductions.post_lapsed(COUNTY, late + timedelta(days=60)) == 0
    waiting = "SELECT sum(cases)::int FROM points.open_deduction WHERE county_id = $1"
    assert await DB.fetchval(waiting, COUNTY) == 1
    for barred in (proposer, instructor):
        with pytest.raises(Forbidden):
            await deductions.decide_appeal(barred, number, upheld=False, reason="维持", now=last)
    other = await acting(await member(Role.DEPARTMENT, town.units[str(COUNTY)]), desk=True)
    await deductions.decide_appeal(other, number, upheld=True, reason="证据不足", now=last)
    assert await DB.fetchval(waiting, COUNTY) is None
    assert (await row(number, town)).state == "annulled"
    assert await merit(town) == 0


async def test_an_appeal_sent_twice_says_that_there_is_one(rollback: None) -> None:
    """Not that its term is over, which would make the worker fear for the first."""
    town = await small_county()
    number = await proposed(town)
    worker = await acting(town.worker)
    with pytest.raises(DeductionRefused, match="还没有作出决定"):
        await deductions.appeal(worker, number, "我请过假", NOW)
    await deductions.reply(worker, number, "我请过假", NOW)
    await deductions.decide(await acting(town.chief), number, stands=True, reason="属实", now=NOW)
    await deductions.appeal(worker, number, "我请过假", NOW)
    with pytest.raises(DeductionRefused, match="这一件申诉中"):
        await deductions.appeal(worker, number, "我请过假", NOW)


async def test_a_false_claim_is_taken_back_whole(rollback: None) -> None:
    """PEN-07: the award is reversed and ten points besides, once; the record says so."""
    town = await small_county()
    record = await posted(town)
    assert await merit(town) == 10
    with pytest.raises(DeductionRefused):
        await proposed(town, code="PEN-07", amount=100)
    number = await proposed(town, code="PEN-07", amount=100, record_id=record.id)
    late = await after((await row(number, town)).answer_due_on)
    await deductions.decide(
        await acting(town.chief), number, stands=True, reason="没有开会", now=late
    )
    due = (await row(number, town)).appeal_due_on
    assert due is not None
    await deductions.post_lapsed(COUNTY, await after(due))
    found = await queries.record(COUNTY, record.id)
    assert found is not None
    assert found.state == State.REVERSED
    assert await merit(town) == -100
    sums = await DB.fetchrow(
        "SELECT awarded, deducted FROM points.merit_month WHERE county_id = $1", COUNTY
    )
    assert sums is not None
    assert (sums["awarded"], sums["deducted"]) == (0, 100)
    with pytest.raises(DeductionRefused, match="不能扣两次"):
        await proposed(town, code="PEN-07", amount=100, record_id=record.id)


async def test_every_change_of_a_record_stands_in_the_audit(rollback: None) -> None:
    """Whoever asks for the record's own events learns who corrected, refused, reversed it."""
    town = await small_county()

    async def trail(record_id: UUID) -> list[tuple[str, str, str, str]]:
        rows = await DB.fetch(
            "SELECT action, before->>'state' AS b, after->>'state' AS a, authority"
            " FROM shared.audit_event WHERE county_id = $1 AND object_kind = 'work_record'"
            " AND object_id = $2 ORDER BY id",
            COUNTY,
            record_id,
        )
        return [(r["action"], r["b"], r["a"], r["authority"]) for r in rows][1:]

    worker = await acting(town.worker, on=DAY)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加例会")
    await service.log(worker, form, now=NOW)
    lead = await acting(town.lead)
    await service.send_back(lead, form.id, "日期不对", now=NOW)
    better = msgspec.structs.replace(form, id=new_id(), text="参加网格例会", replaces=form.id)
    await service.log(worker, better, now=NOW)
    assert (await trail(form.id))[-1] == ("work.withdraw", "returned", "withdrawn", "self")
    await service.send_back(lead, better.id, "没有来", refuse=True, now=NOW)
    objection = await month.object_to(worker, better.id, "我来了", NOW)
    committee = await acting(town.committee)
    await month.answer(committee, objection, upheld=True, text="签到表上有", now=NOW)
    by = "committee@421222100001"
    assert (await trail(better.id))[-1] == ("work.verify", "refused", "accepted", by)
    await posting.post_records(COUNTY, [better.id], NOW)
    await final(town, await proposed(town, code="PEN-07", amount=100, record_id=better.id))
    assert (await trail(better.id))[-1] == ("work.reverse", "posted", "reversed", "system")


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_false_claim_that_is_not_posted_yet_never_is(
    rollback: None, *, confirmed: bool
) -> None:
    """Found out before its month is posted: refused, so that no later run pays it."""
    town = await small_county()
    worker = await acting(town.worker, on=DAY)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加网格例会")
    record = await service.log(worker, form, now=NOW)
    if confirmed:
        await service.verify(await acting(town.lead), record.id, now=NOW)
    await final(town, await proposed(town, code="PEN-07", amount=100, record_id=record.id))
    found = await queries.record(COUNTY, record.id)
    assert found is not None
    assert found.state == State.REFUSED
    await posting.post_records(COUNTY, [record.id], NOW)
    assert await merit(town) == -100


@pytest.mark.parametrize("public", [True, False])
async def test_no_objection_makes_a_false_claim_count(rollback: None, *, public: bool) -> None:
    """The township's final decision is not undone by the village's answer to an objection."""
    town = await small_county()
    worker = await acting(town.worker, on=DAY)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=DAY, text="参加网格例会")
    await service.log(worker, form, now=NOW)
    await service.verify(await acting(town.lead), form.id, now=NOW)
    number = await proposed(town, code="PEN-07", amount=100, record_id=form.id)
    objection = await month.object_to(worker, form.id, "我来了", NOW)
    await DB.execute(
        "UPDATE points.objection SET by_public = $2 WHERE county_id = $1", COUNTY, public
    )
    await final(town, number)
    committee = await acting(town.committee)
    revives = {"upheld": not public, "text": "查过了", "now": NOW}
    with pytest.raises(ObjectionRefused, match="已按虚报作出扣分决定"):
        await month.answer(committee, objection, **revives)  # type: ignore[arg-type]
    await month.answer(committee, objection, upheld=public, text="查过了", now=NOW)
    found = await queries.record(COUNTY, form.id)
    assert found is not None
    assert found.state == State.REFUSED


async def test_a_second_word_after_the_decision_is_told_so(rollback: None) -> None:
    """The term still runs, but it was decided on the first word: now there is the appeal."""
    town = await small_county()
    number = await proposed(town)
    worker = await acting(town.worker)
    await deductions.reply(worker, number, "那天请过假", NOW)
    await deductions.decide(
        await acting(town.chief), number, stands=True, reason="没有请假", now=NOW
    )
    with pytest.raises(DeductionRefused, match="已决定，可申诉"):
        await deductions.reply(worker, number, "有假条", NOW)


async def test_one_false_claim_is_held_against_a_worker_once(rollback: None) -> None:
    """Lead and secretary both find it out; only after it was dropped may it come up again."""
    town = await small_county()
    record = await posted(town)
    claim = {"code": "PEN-07", "amount": 100, "record_id": record.id}
    number = await proposed(town, **claim)
    second = proposal(town, **claim, facts="群众反映没有开会")
    chief = await acting(town.chief)
    with pytest.raises(DeductionRefused, match="不能扣两次"):
        await deductions.propose(chief, second, NOW)
    late = await after((await row(number, town)).answer_due_on)
    await deductions.decide(chief, number, stands=False, reason="证据不足", now=late)
    assert await deductions.propose(chief, second, late) != number


async def test_another_rule_leaves_the_record_s_award_alone(rollback: None) -> None:
    """PEN-02 with a record as evidence takes its point; only PEN-07 takes the award back."""
    town = await small_county()
    record = await posted(town)
    with pytest.raises(DeductionRefused) as refused:
        await proposed(
            town,
            code="PEN-02",
            amount=10,
            worker_id=town.second_worker.person_id,
            record_id=record.id,
        )
    assert list(refused.value.fields) == ["record_id"]
    await final(town, await proposed(town, code="PEN-02", amount=10, record_id=record.id))
    found = await queries.record(COUNTY, record.id)
    assert found is not None
    assert found.state == State.POSTED
    assert await merit(town) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "PEN-99"}, "code"),
        ({"amount": 15}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -20}, "amount"),
        ({"happened_on": date(2026, 12, 1)}, "happened_on"),
        ({"facts": " "}, "facts"),
        ({"evidence": ""}, "evidence"),
        ({"facts": "长" * 501}, "facts"),
        ({"happened_on": date(2025, 12, 1)}, "worker_id"),
    ],
)
async def test_a_wrong_proposal_names_its_field(
    rollback: None, change: dict[str, object], field: str
) -> None:
    """Unknown rule, foreign amount, future, no facts, not in post."""
    town = await small_county()
    with pytest.raises(DeductionRefused) as refused:
        await proposed(town, **change)
    assert list(refused.value.fields) == [field]


async def test_the_same_proposal_sent_twice_is_one(rollback: None) -> None:
    """A form posted again serves no second notice; another amount or day is another matter."""
    town = await small_county()
    first = await proposed(town)
    assert await proposed(town) == first
    assert await proposed(town, happened_on=DAY - timedelta(days=1)) != first
    assert (await deductions.listed(await acting(town.chief)))[1] == 2


async def test_strangers_see_and_do_nothing(rollback: None) -> None:
    """Another township's people, a colleague, the worker against themselves."""
    town = await small_county()
    number = await proposed(town)
    for stranger in (town.cousin_worker, town.second_worker):
        with pytest.raises(NotFound):
            await deductions.view(await acting(stranger), number)
        with pytest.raises(NotFound):
            await deductions.reply(await acting(stranger), number, "x", NOW)
    own = msgspec.structs.replace(proposal(town), worker_id=town.lead.person_id)
    with pytest.raises((DeductionRefused, NotFound)):
        await deductions.propose(await acting(town.lead), own, NOW)


async def test_terms_run_from_the_paper_where_there_is_no_phone(rollback: None) -> None:
    """Nothing is decided or deducted before the letter was handed over; then five days follow."""
    town = await small_county()
    chief, instructor = await acting(town.chief), await acting(town.instructor)
    number = await deductions.propose(await acting(town.lead), proposal(town), NOW)
    late = await after((await row(number, town)).answer_due_on)
    with pytest.raises(DeductionRefused, match="还没有登记送达"):
        await deductions.decide(instructor, number, stands=True, reason="属实", now=late)
    for stranger in (town.second_worker, town.cousin_worker, town.lead, town.worker):
        with pytest.raises(NotFound):
            await deductions.serve(await acting(stranger), number, today(late), "签收", late)
    for wrong in (today(NOW) - timedelta(days=1), today(late) + timedelta(days=1)):
        with pytest.raises(DeductionRefused, match="请核对"):
            await deductions.serve(chief, number, wrong, "本人签收", late)
    await deductions.serve(chief, number, today(late), "王书记送，本人签收", late)
    found = await row(number, town)
    assert found.answer_due_on == await calendar.add_working_days(COUNTY, today(late), 5)
    with pytest.raises(DeductionRefused, match="已经登记过"):
        await deductions.serve(chief, number, today(late), "本人签收", late)
    with pytest.raises(DeductionRefused, match="陈述期"):
        await deductions.decide(instructor, number, stands=True, reason="属实", now=late)
    late = await after(found.answer_due_on)
    await deductions.decide(instructor, number, stands=True, reason="属实", now=late)
    later = late + timedelta(days=30)
    assert await deductions.post_lapsed(COUNTY, later) == 0
    await deductions.serve(chief, number, today(later), "挂号信 XA1", later)
    found = await row(number, town)
    assert found.appeal_due_on is not None
    assert found.appeal_due_on > today(later)
    assert await deductions.post_lapsed(COUNTY, later) == 0
    assert await deductions.post_lapsed(COUNTY, await after(found.appeal_due_on)) == 1
    assert await merit(town) == -20


async def test_a_paper_answer_is_late_only_after_the_letter(rollback: None) -> None:
    """Who was never told may still answer, and so knows of it."""
    town = await small_county()
    chief = await acting(town.chief)
    number = await deductions.propose(await acting(town.lead), proposal(town), NOW)
    late = await after((await row(number, town)).answer_due_on)
    await deductions.reply(chief, number, "我请过假", late)
    await deductions.decide(chief, number, stands=True, reason="没有请假条", now=late)
    due = (await row(number, town)).appeal_due_on
    assert due is not None
    await deductions.appeal(await acting(town.instructor), number, "不服", await after(due))
    assert (await row(number, town)).state == "appealed"


async def test_it_is_said_when_nobody_is_left_to_answer_an_appeal(rollback: None) -> None:
    """Before the last who could decides the first time, and until somebody else can sign in."""
    town = await small_county()
    number = await proposed(town)
    department, on = await acting(town.department, desk=True), today(NOW)
    found = await row(number, town)
    assert "没有人能答复" in await deductions.undecidable(department, found, on)
    await has_phone(town.department)
    assert await deductions.undecidable(await acting(town.chief), found, on) == ""
    assert "没有人能答复" in await deductions.undecidable(department, found, on)
    await has_phone(town.instructor)
    assert await deductions.undecidable(department, found, on) == ""
    stop = "UPDATE shared.account SET disabled_at = $2 WHERE county_id = $1 AND person_id = $3"
    await DB.execute(stop, COUNTY, NOW, town.instructor.person_id)
    assert "没有人能答复" in await deductions.undecidable(department, found, on)
