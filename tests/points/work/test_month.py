"""A village's month: review, sample, notice, posting, and what objections do to it."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar

from points.errors import MonthNotReady, ObjectionRefused, WorkRefused
from points.ledger import service as ledger
from points.work import month, queries, service
from points.work.month_queries import MonthRow
from points.work.rules import State
from points.work.schemas import LogForm, Record
from shared.calendar import service as calendar
from shared.calendar.errors import MissingYear
from shared.clock import now, today
from shared.database import DB
from shared.errors import Forbidden, NotFound
from shared.identity.sealing import keyed
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.office import queries as office_queries
from shared.roster.roles import Role
from tests.factories import COUNTY, STARTED, Member, SmallCounty, acting, member, small_county
from tests.points.redemption import scene as counter
from tests.shared.identity.test_web import enter, post

VILLAGE = "421222100001"
DURING = datetime(2026, 10, 20, 4, tzinfo=UTC)
CLOSED = datetime(2026, 11, 6, 4, tzinfo=UTC)
RUN = 202610


async def confirmed(
    town: SmallCounty, day: int, code: str = "ORG-02", record_id: UUID | None = None
) -> Record:
    """A record of October, confirmed by the lead."""
    worker = await acting(town.worker, on=date(2026, 10, day))
    form = LogForm(
        id=record_id or new_id(),
        rule_code=code,
        work_date=date(2026, 10, day),
        text="参加网格例会",
    )
    record = await service.log(worker, form, now=DURING)
    await service.verify(await acting(town.lead), record.id, now=DURING)
    return record


async def state(record_id: UUID) -> tuple[str, int]:
    found = await queries.record(COUNTY, record_id)
    assert found is not None
    return found.state, found.posted


async def to_notice(town: SmallCounty, at: datetime = CLOSED) -> MonthRow:
    await month.review(await acting(town.committee), VILLAGE, RUN, at)
    await month.review(await acting(town.supervisor), VILLAGE, RUN, at)
    return await month.confirm_sample(await acting(town.instructor), VILLAGE, RUN, at)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


async def immediate() -> None:
    await DB.execute(
        'UPDATE shared.county SET settings = settings || \'{"posting_mode": "immediate"}\''
        " WHERE id = $1",
        COUNTY,
    )


async def objected(town: SmallCounty) -> tuple[LogForm, UUID]:
    """A refused record that its worker objects to: what was declared, and the objection."""
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, 2), text="参加网格例会"
    )
    record = await service.log(worker, form, now=DURING)
    await service.send_back(await acting(town.lead), record.id, "没有来", refuse=True, now=DURING)
    return form, await month.object_to(worker, record.id, "我来了", DURING)


async def test_a_month_goes_its_whole_way(rollback: None) -> None:
    """Both sign, the township samples, five working days of notice, then once to the ledger.

    The term to object begins anew with the posting.
    """
    town = await small_county()
    records = [await confirmed(town, day) for day in (1, 8, 15)]
    committee, supervisor = await acting(town.committee), await acting(town.supervisor)
    with pytest.raises(MonthNotReady, match="截止"):
        await month.review(committee, VILLAGE, RUN, datetime(2026, 11, 5, 4, tzinfo=UTC))
    row = await month.review(committee, VILLAGE, RUN, CLOSED)
    assert (row.state, row.sample) == ("reviewing", [])
    row = await month.review(supervisor, VILLAGE, RUN, CLOSED)
    assert (row.state, len(row.sample)) == ("sampling", 1)
    with pytest.raises(NotFound):
        await month.confirm_sample(committee, VILLAGE, RUN, CLOSED)
    row = await month.confirm_sample(await acting(town.instructor), VILLAGE, RUN, CLOSED)
    expected = await calendar.add_working_days(COUNTY, today(CLOSED), 5)
    assert (row.state, row.notice_to) == ("notice", expected)
    last_day = datetime(expected.year, expected.month, expected.day, 4, tzinfo=UTC)
    assert (await month.post_ended(COUNTY, last_day)).records == 0
    totals = await month.post_ended(COUNTY, last_day + timedelta(days=1))
    assert (totals.records, totals.posted) == (3, 30)
    assert [await state(record.id) for record in records] == [(State.POSTED, 10)] * 3
    assert (await month.post_ended(COUNTY, last_day + timedelta(days=2))).records == 0
    worker = await acting(town.worker)
    line, _ = await service.view(worker, records[0].id)
    assert await month.may_object(worker, line, last_day + timedelta(days=2))


async def test_who_has_to_sign_a_month_is_told_so(rollback: None) -> None:
    """The village's two once declaring has closed, each until they have; then the township."""
    town = await small_county()
    await confirmed(town, 1)
    people = (town.committee, town.supervisor, town.instructor, town.chief, town.department)

    async def waits(at: datetime = CLOSED) -> list[list[int]]:
        return [await month.waiting(await acting(member), at) for member in people]

    assert await waits(datetime(2026, 11, 5, 4, tzinfo=UTC)) == [[], [], [], [], []]
    assert await waits() == [[RUN], [RUN], [], [], []]
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    assert await waits() == [[], [RUN], [], [], []]
    await month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    assert await waits() == [[], [], [RUN], [], [RUN]]
    await month.confirm_sample(await acting(town.instructor), VILLAGE, RUN, CLOSED)
    assert await waits() == [[], [], [], [], []]


async def test_a_merged_village_still_owes_its_months(rollback: None) -> None:
    """Its records were on nobody's list any more, and their points were never posted."""
    town = await small_county()
    await confirmed(town, 1)
    for someone in (town.committee, town.supervisor):
        await roster.end_assignment(COUNTY, someone.assignment_id, today(CLOSED))
    await office_queries.close_unit(COUNTY, VILLAGE, today(CLOSED))
    instructor = await acting(town.instructor)
    listed = {row.village_code: row.accepted for row in await month.overview(instructor, RUN)}
    assert listed[VILLAGE] == 1
    assert VILLAGE not in {row.village_code for row in await month.overview(instructor, 202609)}
    await month.review(instructor, VILLAGE, RUN, CLOSED)
    row = await month.confirm_sample(instructor, VILLAGE, RUN, CLOSED)
    assert row.notice_to is not None
    over = CLOSED + (row.notice_to - today(CLOSED)) + timedelta(days=1)
    assert (await month.post_ended(COUNTY, over)).posted == 10


async def test_declaring_closes_on_a_working_day(rollback: None) -> None:
    """The 5th of October is a holiday: September's slips are taken on the first day back."""
    town = await small_county()
    worker = await acting(town.worker, on=date(2026, 9, 28))
    runs = []
    for day, text in ((4, "甲"), (8, "乙"), (9, "丙")):
        at = datetime(2026, 10, day, 4, tzinfo=UTC)
        form = LogForm(id=new_id(), rule_code="SVC-01", work_date=date(2026, 9, 28), text=text)
        runs.append((await service.log(worker, form, now=at)).run_month)
    assert runs == [202609, 202609, 202610]
    committee = await acting(town.committee)
    for day, word in ((6, "10月8日截止"), (8, "10月8日截止")):
        with pytest.raises(MonthNotReady, match=word):
            await month.review(committee, VILLAGE, 202609, datetime(2026, 10, day, 4, tzinfo=UTC))
    after = datetime(2026, 10, 9, 4, tzinfo=UTC)
    assert (await month.review(committee, VILLAGE, 202609, after)).state == "reviewing"
    assert await month.run_of(COUNTY, date(2088, 9, 1), date(2088, 10, 5)) == 208809
    assert await month.run_of(COUNTY, date(2088, 9, 1), date(2088, 10, 6)) == 208810


async def test_a_chosen_id_does_not_avoid_the_sample(rollback: None) -> None:
    """Ids that a plain hash would put last are sampled like any others."""
    town = await small_county()
    plain = new_id()

    def avoids(item: UUID) -> bool:
        return sha256(item.bytes).digest() > sha256(plain.bytes).digest()

    def first(item: UUID) -> bool:
        return keyed("sample", str(item)) < keyed("sample", str(plain))

    crafted = next(item for item in iter(new_id, None) if avoids(item) and first(item))
    await confirmed(town, 1, record_id=plain)
    await confirmed(town, 8, record_id=crafted)
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    row = await month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    assert row.sample == [str(crafted)]


async def test_one_person_cannot_sign_both_sides(rollback: None) -> None:
    """Committee and supervisor are two people; a repeat of the first changes nothing."""
    town = await small_county()
    await confirmed(town, 1)
    committee = await acting(town.committee)
    await month.review(committee, VILLAGE, RUN, CLOSED)
    row = await month.review(committee, VILLAGE, RUN, CLOSED)
    assert (row.state, row.supervisor_id) == ("reviewing", None)


async def test_who_holds_both_posts_signs_one_side(rollback: None) -> None:
    """The other supervisor signs the other; without one, the township stands in."""
    town = await small_county()
    post = await roster.add_post(COUNTY, town.units[VILLAGE].id, Role.SUPERVISOR)
    await roster.assign(COUNTY, post, town.committee.person_id, STARTED, now=now())
    both, supervisor = await acting(town.committee), await acting(town.supervisor)
    for _ in range(2):
        row = await month.review(both, VILLAGE, RUN, CLOSED)
        assert (row.state, row.committee_id) == ("reviewing", both.person_id)
    row = await month.review(supervisor, VILLAGE, RUN, CLOSED)
    assert (row.state, row.supervisor_id) == ("sampling", supervisor.person_id)
    september = 202609
    await month.review(supervisor, VILLAGE, september, CLOSED)
    row = await month.review(both, VILLAGE, september, CLOSED)
    assert (row.state, row.committee_id) == ("sampling", both.person_id)
    await roster.end_assignment(COUNTY, town.supervisor.assignment_id, date(2026, 11, 1))
    await month.review(both, VILLAGE, 202608, CLOSED)
    row = await month.review(await acting(town.instructor), VILLAGE, 202608, CLOSED)
    assert (row.state, row.supervisor_id) == ("sampling", town.instructor.person_id)


async def test_nobody_reviews_a_month_with_their_own_records(rollback: None) -> None:
    """A committee member who is a gridworker, too: the township signs for the committee."""
    town = await small_county()
    post = await roster.add_post(COUNTY, town.units[VILLAGE].id, Role.COMMITTEE)
    await roster.assign(COUNTY, post, town.worker.person_id, STARTED, now=now())
    await roster.end_assignment(COUNTY, town.committee.assignment_id, date(2026, 10, 1))
    await confirmed(town, 1)
    own, instructor = await acting(town.worker), await acting(town.instructor)
    with pytest.raises(NotFound):
        await month.review(own, VILLAGE, RUN, CLOSED)
    row = await month.review(instructor, VILLAGE, RUN, CLOSED)
    assert (row.committee_id, row.supervisor_id) == (instructor.person_id, None)
    row = await month.review(own, VILLAGE, 202609, CLOSED)
    assert row.committee_id == own.person_id


async def test_pending_records_move_to_the_next_run(rollback: None) -> None:
    """The review closes the month; what nobody confirmed is not lost."""
    town = await small_county()
    await confirmed(town, 1)
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, 2), text="参加网格例会"
    )
    waiting = await service.log(worker, form, now=DURING)
    await to_notice(town)
    found = await queries.record(COUNTY, waiting.id)
    assert found is not None
    assert (found.state, found.run_month) == (State.PENDING, 202611)


async def test_a_sampled_record_that_does_not_hold_is_refused(rollback: None) -> None:
    """With a reason, by its own township only, which also ends the sample; it is not posted."""
    town = await small_county()
    record = await confirmed(town, 1)
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    await month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    instructor = await acting(town.instructor)
    with pytest.raises(WorkRefused):
        await month.reject_sampled(instructor, record.id, " ", CLOSED)
    there = await acting(await member(Role.INSTRUCTOR, town.units["421222101"]))
    for stranger in (await acting(town.chief), there):
        with pytest.raises(NotFound):
            await month.reject_sampled(stranger, record.id, "不实", CLOSED)
        with pytest.raises(NotFound):
            await month.confirm_sample(stranger, VILLAGE, RUN, CLOSED)
    await month.reject_sampled(instructor, record.id, "没有开会", CLOSED)
    await month.confirm_sample(instructor, VILLAGE, RUN, CLOSED)
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=20))).records == 0
    assert (await state(record.id))[0] == State.REFUSED


async def test_refusing_a_sampled_record_leads_to_a_page_of_ours(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a forged page asks for as the way back."""
    monkeypatch.setattr(application.state, "clock", lambda: CLOSED)
    town = await small_county()
    record = await confirmed(town, 1)
    for signer in (town.committee, town.supervisor):
        await month.review(await acting(signer), VILLAGE, RUN, CLOSED)
    await enter(client, town.instructor)
    asked = {"reason": "没有开会", "next": "https://evil.example/"}
    answer = await post(client, f"/verify/sampled/{record.id}/refuse", **asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_the_last_month_of_a_period_can_be_spent(rollback: None) -> None:
    """Points of September are posted in November: quarter_end must not have ended them."""
    town = await small_county()
    await DB.execute(
        'UPDATE shared.county SET settings = settings || \'{"expiry_policy": "quarter_end"}\''
        " WHERE id = $1",
        COUNTY,
    )
    await counter.fund(VILLAGE)
    worker = await acting(town.worker, on=date(2026, 9, 28))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 9, 28), text="参加网格例会"
    )
    record = await service.log(worker, form, now=datetime(2026, 9, 29, tzinfo=UTC))
    await service.verify(await acting(town.lead), record.id, now=DURING)
    for signer in (town.committee, town.supervisor):
        await month.review(await acting(signer), VILLAGE, 202609, DURING)
    await month.confirm_sample(await acting(town.instructor), VILLAGE, 202609, DURING)
    night = DURING + timedelta(days=14)
    assert (await month.post_ended(COUNTY, night)).posted == 10
    await ledger.expire_lots(COUNTY, today(night))
    assert (await ledger.balances(COUNTY, town.worker.person_id, night)).wallet == 10


async def test_only_what_is_sampled_is_refused_by_the_township(rollback: None) -> None:
    """Neither before the review nor from a page that was open when the notice began."""
    town = await small_county()
    record = await confirmed(town, 1)
    instructor = await acting(town.instructor)
    with pytest.raises(MonthNotReady):
        await month.reject_sampled(instructor, record.id, "不实", CLOSED)
    row = await to_notice(town)
    assert row.sample == [str(record.id)]
    with pytest.raises(MonthNotReady):
        await month.reject_sampled(instructor, record.id, "不实", CLOSED)
    assert (await state(record.id))[0] == State.ACCEPTED


async def test_an_objection_holds_its_record_back(rollback: None) -> None:
    """Only that record waits; once answered, the next night posts it."""
    town = await small_county()
    kept, disputed = await confirmed(town, 1), await confirmed(town, 8)
    await to_notice(town)
    worker = await acting(town.worker)
    objection = await month.object_to(worker, disputed.id, "时间不对", CLOSED)
    with pytest.raises(ObjectionRefused):
        await month.object_to(worker, disputed.id, "再提一次", CLOSED)
    with pytest.raises(ObjectionRefused, match="500 个字"):
        await month.object_to(worker, kept.id, "长" * 501, CLOSED)
    with pytest.raises(NotFound):
        await month.object_to(await acting(town.second_worker), kept.id, "不对", CLOSED)
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=20))).records == 1
    assert (await state(kept.id), (await state(disputed.id))[0]) == (
        (State.POSTED, 10),
        State.ACCEPTED,
    )
    committee = await acting(town.committee)
    with pytest.raises(ObjectionRefused):
        await month.answer(committee, objection, upheld=False, text=" ", now=CLOSED)
    await month.answer(committee, objection, upheld=False, text="核对无误", now=CLOSED)
    last = noon(await calendar.add_working_days(COUNTY, today(CLOSED), 5))
    with pytest.raises(ObjectionRefused, match="已过申请复核"):
        await month.ask_review(worker, disputed.id, "请再看", last + timedelta(days=1))
    await month.ask_review(worker, disputed.id, "请再看", last)
    asked = await month.objection_of(COUNTY, disputed.id)
    assert asked is not None
    assert asked.review_due_on == await calendar.add_working_days(COUNTY, today(last), 10)
    with pytest.raises((NotFound, Forbidden)):
        await month.answer(committee, objection, upheld=True, text="好", now=CLOSED)
    await month.answer(
        await acting(town.instructor), objection, upheld=True, text="以会议签到为准", now=CLOSED
    )
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=21))).records == 1
    assert await state(disputed.id) == (State.POSTED, 10)


async def test_what_the_public_objects_to_a_notice_is_answered_first(rollback: None) -> None:
    """The record waits; found right it does not count, unless the township says otherwise."""
    town = await small_county()
    kept, disputed, third = [await confirmed(town, day) for day in (1, 8, 15)]
    chief, worker = await acting(town.chief), await acting(town.worker)
    with pytest.raises(ObjectionRefused, match="公示期内"):
        await month.contest(chief, disputed.id, "那天没有开会", CLOSED)
    row = await to_notice(town)
    assert len(await month.contestable(chief, row, town.worker.person_id)) == 3
    assert month.may_contest_month(chief, row, CLOSED)
    assert not month.may_contest_month(worker, row, CLOSED)
    with pytest.raises(NotFound):
        await month.contest(worker, disputed.id, "那天没有开会", CLOSED)
    first = await month.contest(chief, disputed.id, "那天没有开会", CLOSED)
    with pytest.raises(ObjectionRefused, match="没有异议在办"):
        await month.contest(chief, disputed.id, "那天没有开会", CLOSED)
    assert row.notice_to is not None
    last = noon(row.notice_to)
    with pytest.raises(ObjectionRefused, match="公示期内"):
        await month.contest(chief, third.id, "没看见他", last + timedelta(days=1))
    second = await month.contest(chief, third.id, "没看见他", last)
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=20))).records == 1
    assert (await state(kept.id))[0] == State.POSTED
    committee, instructor = await acting(town.committee), await acting(town.instructor)
    await month.answer(committee, first, upheld=True, text="签到表上没有", now=CLOSED)
    assert (await state(disputed.id))[0] == State.REFUSED
    with pytest.raises(ObjectionRefused, match="已经提过异议"):
        await month.object_to(worker, disputed.id, "我在", CLOSED)
    await month.ask_review(worker, disputed.id, "有照片", CLOSED)
    await month.answer(instructor, first, upheld=False, text="照片属实", now=CLOSED)
    assert (await state(disputed.id))[0] == State.ACCEPTED
    await month.answer(committee, second, upheld=False, text="有签到", now=CLOSED)
    with pytest.raises(NotFound):
        await month.ask_review(worker, third.id, "请再看", CLOSED)
    await month.ask_review(chief, third.id, "反映人仍说没看见", CLOSED)
    await month.answer(instructor, second, upheld=True, text="签到是代签的", now=CLOSED)
    assert (await state(third.id))[0] == State.REFUSED
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=21))).records == 1


async def test_no_review_of_the_public_s_objection_after_the_posting(rollback: None) -> None:
    """The township could find it right and nothing would follow: that takes a deduction."""
    town = await small_county()
    disputed = await confirmed(town, 8)
    await to_notice(town)
    chief = await acting(town.chief)
    objection = await month.contest(chief, disputed.id, "那天没有开会", CLOSED)
    answered = CLOSED + timedelta(days=6)
    await month.answer(
        await acting(town.committee), objection, upheld=False, text="有签到", now=answered
    )
    later = answered + timedelta(days=3)
    assert (await month.post_ended(COUNTY, later)).records == 1
    with pytest.raises(ObjectionRefused, match="按扣分办理"):
        await month.ask_review(chief, disputed.id, "反映人仍说没有", later)
    assert (await state(disputed.id))[0] == State.POSTED


async def test_who_refused_a_sampled_record_does_not_review_it(rollback: None) -> None:
    """The township's instructor refused it: the second review is the department's."""
    town = await small_county()
    record = await confirmed(town, 1)
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    await month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    instructor, worker = await acting(town.instructor), await acting(town.worker)
    await month.reject_sampled(instructor, record.id, "没有开会", CLOSED)
    (line,) = await service.own_lines(worker)
    assert await month.may_object(worker, line, CLOSED)
    objection = await month.object_to(worker, record.id, "我来了", CLOSED)
    committee = await acting(town.committee)
    await month.answer(committee, objection, upheld=False, text="以抽查为准", now=CLOSED)
    await month.ask_review(worker, record.id, "请再看", CLOSED)
    assert await month.objections(instructor) == []
    with pytest.raises(Forbidden):
        await month.answer(instructor, objection, upheld=False, text="没有", now=CLOSED)
    department = await acting(town.department)
    assert [row.id for row in await month.objections(department)] == [objection]
    await month.answer(department, objection, upheld=True, text="签到表上有", now=CLOSED)
    assert (await state(record.id))[0] == State.ACCEPTED


async def test_an_upheld_objection_accepts_a_refused_record(rollback: None) -> None:
    """What was refused counts after all, and is posted."""
    town = await small_county()
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, 2), text="参加网格例会"
    )
    record = await service.log(worker, form, now=DURING)
    await service.send_back(await acting(town.lead), record.id, "没有来", refuse=True, now=DURING)
    objection = await month.object_to(worker, record.id, "我来了", DURING)
    await month.answer(
        await acting(town.committee), objection, upheld=True, text="签到表上有", now=DURING
    )
    assert (await state(record.id))[0] == State.ACCEPTED


async def test_a_paper_objection_is_keyed_in_for_who_has_no_phone(rollback: None) -> None:
    """By the secretary or above, not by who refused or answered; it says who keyed it in."""
    town = await small_county()
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="SVC-04", work_date=date(2026, 10, 2), text="险情先期处置"
    )
    await service.log(worker, form, now=DURING)
    instructor, chief = await acting(town.instructor), await acting(town.chief)
    await service.send_back(instructor, form.id, "不属实", refuse=True, now=DURING)
    for stranger in (town.second_worker, town.lead, town.cousin_worker):
        with pytest.raises(NotFound):
            await month.object_to(await acting(stranger), form.id, "有照片", DURING)
    with pytest.raises(Forbidden, match="经手"):
        await month.object_to(instructor, form.id, "有照片", DURING)
    objection = await month.object_to(chief, form.id, "有照片", DURING)
    found = await month.objection_of(COUNTY, form.id)
    assert found is not None
    assert (found.worker_id, found.text) == (
        town.worker.person_id,
        "有照片（书面材料，王书记代录）",
    )
    await month.answer(chief, objection, upheld=False, text="以乡镇为准", now=DURING)
    with pytest.raises(Forbidden, match="经手"):
        await month.ask_review(chief, form.id, "请再看", DURING)
    department = await acting(town.department)
    await month.ask_review(department, form.id, "请再看", DURING)
    found = await month.objection_of(COUNTY, form.id)
    assert found is not None
    assert (found.state, found.review_text) == ("review", "请再看（书面材料，周部长代录）")


async def test_who_refused_does_not_decide_the_second_review(rollback: None) -> None:
    """The instructor who refused a record of the township's is replaced by the department."""
    town = await small_county()
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="SVC-04", work_date=date(2026, 10, 2), text="险情先期处置"
    )
    await service.log(worker, form, now=DURING)
    instructor, department = await acting(town.instructor), await acting(town.department)
    await service.send_back(instructor, form.id, "不属实", refuse=True, now=DURING)
    objection = await month.object_to(worker, form.id, "有照片", DURING)
    await month.answer(
        await acting(town.committee), objection, upheld=False, text="以乡镇为准", now=DURING
    )
    await month.ask_review(worker, form.id, "请再看", DURING)
    assert await month.objections(instructor) == []
    with pytest.raises(Forbidden):
        await month.answer(instructor, objection, upheld=False, text="维持", now=DURING)
    assert [row.id for row in await month.objections(department)] == [objection]
    await month.answer(department, objection, upheld=True, text="照片属实", now=DURING)
    assert (await state(form.id))[0] == State.ACCEPTED


async def test_who_sampled_does_not_decide_the_second_review(rollback: None) -> None:
    """A record refused from the sample, too, is looked at again by somebody else."""
    town = await small_county()
    record = await confirmed(town, 1)
    await month.review(await acting(town.committee), VILLAGE, RUN, CLOSED)
    await month.review(await acting(town.supervisor), VILLAGE, RUN, CLOSED)
    worker, instructor = await acting(town.worker), await acting(town.instructor)
    await month.reject_sampled(instructor, record.id, "没有开会", CLOSED)
    await month.confirm_sample(instructor, VILLAGE, RUN, CLOSED)
    objection = await month.object_to(worker, record.id, "开了", CLOSED)
    await month.answer(
        await acting(town.committee), objection, upheld=False, text="以抽查为准", now=CLOSED
    )
    await month.ask_review(worker, record.id, "请再看", CLOSED)
    with pytest.raises(Forbidden):
        await month.answer(instructor, objection, upheld=False, text="维持", now=CLOSED)


async def test_an_upheld_objection_is_posted_at_once_in_immediate_mode(rollback: None) -> None:
    """No month is ever posted there that could bring the record along."""
    town = await small_county()
    await immediate()
    form, objection = await objected(town)
    await month.answer(
        await acting(town.committee), objection, upheld=True, text="签到表上有", now=DURING
    )
    assert await state(form.id) == (State.POSTED, 10)


async def test_work_declared_again_is_not_accepted_twice(rollback: None) -> None:
    """The refused record stays refused, and the page says why, while the later one stands."""
    town = await small_county()
    form, objection = await objected(town)
    again = msgspec.structs.replace(form, id=new_id())
    await service.log(await acting(town.worker, on=form.work_date), again, now=DURING)
    with pytest.raises(ObjectionRefused, match="又记了一条"):
        await month.answer(
            await acting(town.committee), objection, upheld=True, text="签到表上有", now=DURING
        )
    assert (await state(form.id))[0] == State.REFUSED


async def test_the_term_of_an_objection_is_five_working_days(rollback: None) -> None:
    """On the last day it is taken, the day after it is not."""
    town = await small_county()
    record = await confirmed(town, 1)
    worker = await acting(town.worker)
    last = await calendar.add_working_days(COUNTY, today(DURING), 5)
    late = datetime(last.year, last.month, last.day, 4, tzinfo=UTC) + timedelta(days=1)
    with pytest.raises(ObjectionRefused):
        await month.object_to(worker, record.id, "不对", late)
    await month.object_to(worker, record.id, "不对", late - timedelta(days=1))


async def test_a_record_opens_before_the_next_year_s_holidays_are_entered(rollback: None) -> None:
    """At the end of December its page failed for everybody until the department had done it."""
    town = await small_county()
    at = datetime(2026, 12, 29, 4, tzinfo=UTC)
    worker = await acting(town.worker, on=date(2026, 12, 28))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 12, 28), text="参加网格例会"
    )
    await service.log(worker, form, now=at)
    await service.send_back(await acting(town.lead), form.id, "没有来", refuse=True, now=at)
    line, _ = await service.view(worker, form.id)
    assert await month.may_object(worker, line, at)
    assert not await month.may_object(await acting(town.second_worker), line, at)
    with pytest.raises(MissingYear, match="2027年"):
        await month.object_to(worker, form.id, "我来了", at)


async def test_a_vacant_side_is_signed_one_level_up(rollback: None) -> None:
    """A village without committee and supervisor: the instructor reviews, for both."""
    town = await small_county()
    instructor: Member = town.instructor
    row = await month.review(await acting(instructor), "421222100002", RUN, CLOSED)
    assert (row.state, row.committee_id, row.supervisor_id) == (
        "sampling",
        instructor.person_id,
        instructor.person_id,
    )


async def test_immediate_mode_posts_at_once(rollback: None) -> None:
    """A confirmed record is in the ledger with the confirmation."""
    town = await small_county()
    await immediate()
    record = await confirmed(town, 1)
    assert await state(record.id) == (State.POSTED, 10)


async def test_what_is_confirmed_after_the_review_joins_the_next_run(rollback: None) -> None:
    """It was not in the notice, so it is in the next one."""
    town = await small_county()
    await confirmed(town, 1)
    worker = await acting(town.worker, on=date(2026, 10, 2))
    form = LogForm(
        id=new_id(), rule_code="ORG-04", work_date=date(2026, 10, 2), text="参加清洁行动"
    )
    late = await service.log(worker, form, now=DURING)
    await service.send_back(await acting(town.lead), late.id, "没有来", refuse=True, now=DURING)
    await to_notice(town)
    better = msgspec.structs.replace(form, id=new_id())
    record = await service.log(worker, better, now=CLOSED)
    await service.verify(await acting(town.lead), record.id, now=CLOSED)
    found = await queries.record(COUNTY, record.id)
    assert found is not None
    assert (found.state, found.run_month) == (State.ACCEPTED, 202611)
    assert (await month.post_ended(COUNTY, CLOSED + timedelta(days=20))).records == 1
