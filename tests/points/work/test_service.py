"""Declaring and confirming work on a real database."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest

from points.errors import (
    DuplicateWork,
    NotConfirmer,
    NotQuietYet,
    ResidentMissing,
    WorkIdReused,
    WorkNotOpen,
    WorkRefused,
)
from points.rulebook import service as rulebook
from points.rulebook.rules import Step
from points.work import confirming, posting, queries, service
from points.work.rules import State, drawn
from points.work.schemas import LogForm, Record
from shared.clock import now
from shared.database import DB
from shared.errors import Forbidden, NotFound
from shared.identity.actor import Actor
from shared.identity.sealing import keyed
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from tests.factories import COUNTY, Member, SmallCounty, acting, also_in, member, small_county

NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
DAY = date(2026, 10, 19)


def form(rule_code: str = "ORG-02", **more: object) -> LogForm:
    """A declaration for yesterday."""
    values: dict[str, object] = {
        "id": new_id(),
        "rule_code": rule_code,
        "work_date": DAY,
        "text": "参加网格例会",
    }
    return LogForm(**(values | more))  # type: ignore[arg-type]  # fields are named by the tests


async def logged(actor: Actor, code: str = "ORG-02", **more: object) -> Record:
    return await service.log(actor, form(code, **more), now=NOW)


async def by(someone: Member) -> Actor:
    return await acting(someone, on=DAY)


async def test_a_record_waits_for_the_grid_s_own_lead(rollback: None) -> None:
    """V1 is the own lead; another lead of the village may look but not confirm."""
    town = await small_county()
    record = await logged(await by(town.worker))
    assert record.state == State.PENDING
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.lead.name]
    assert [task.line.id for task in await service.tasks(await by(town.lead))] == [record.id]
    assert await service.tasks(await by(town.other_lead)) == []
    with pytest.raises(NotConfirmer):
        await service.verify(await by(town.other_lead), record.id, now=NOW)
    after = await service.verify(await by(town.lead), record.id, now=NOW)
    assert after.state == State.ACCEPTED


async def test_a_worker_of_two_grids_says_where_the_work_was(rollback: None) -> None:
    """The chosen grid's lead confirms it; a grid of another day or person is refused."""
    town = await small_county()
    second = town.second_worker.unit_code
    await also_in(town.worker, town.units[second], date(2026, 10, 10))
    worker = await by(town.worker)
    sent = form(grid_code=second)
    record = await service.log(worker, sent, now=NOW)
    assert record.grid_code == second
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.other_lead.name]
    assert await service.log(worker, sent, now=NOW) == record
    moved = msgspec.structs.replace(sent, grid_code=town.worker.unit_code)
    with pytest.raises(WorkIdReused):
        await service.log(worker, moved, now=NOW)
    with pytest.raises(WorkRefused, match="10月9日不在这个网格的岗位上"):
        await logged(worker, grid_code=second, work_date=date(2026, 10, 9))
    for code in (town.cousin_worker.unit_code, town.chief.unit_code):
        with pytest.raises(WorkRefused, match="改选当天的网格"):
            await logged(worker, grid_code=code)


async def test_two_grids_may_lie_in_two_villages(rollback: None) -> None:
    """Each village's secretary keys in what was done in the own village, and nothing else."""
    town = await small_county()
    other = town.units["421222100002001"]
    await also_in(town.worker, other)
    chief = await member(Role.CHIEF, town.units["421222100002"], "黎书记")
    there = await by(chief)
    slip = form(worker_id=town.worker.person_id, grid_code=other.code)
    record = await service.log(there, slip, now=NOW)
    assert (record.grid_code, record.source) == (other.code, "proxy")
    with pytest.raises(NotFound):
        await logged(there, worker_id=town.worker.person_id, grid_code=town.worker.unit_code)


async def test_who_moved_has_no_grid_to_choose(rollback: None) -> None:
    """The day says which it was; only posts held at once leave a choice, as far back as counts."""
    town = await small_county()
    grids = [town.units[town.worker.unit_code], town.units[town.second_worker.unit_code]]
    worker = await by(town.worker)
    assert await service.grids(worker, town.worker.person_id, NOW) == ([], "")
    await roster.end_assignment(COUNTY, town.worker.assignment_id, date(2026, 10, 10))
    await also_in(town.worker, grids[1], date(2026, 10, 10))
    assert await service.grids(worker, town.worker.person_id, NOW) == ([], "")
    await also_in(town.worker, grids[0], date(2026, 10, 12))
    assert await service.grids(worker, town.worker.person_id, NOW) == (grids, "")


async def test_who_moved_still_declares_the_last_days_in_the_former_grid(rollback: None) -> None:
    """Declaring is open until the fifth; the former grid's lead confirms, nobody elsewhere."""
    town = await small_county()
    there = town.units["421222101001001"]
    await roster.end_assignment(COUNTY, town.worker.assignment_id, date(2026, 10, 20))
    await also_in(town.worker, there, date(2026, 10, 20))
    worker = await acting(town.worker, on=date(2026, 10, 20))
    assert worker.units(Role.GRIDWORKER) == (there.code,)
    record = await logged(worker)
    assert record.grid_code == town.worker.unit_code
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.lead.name]
    await service.send_back(await by(town.lead), record.id, "写清楚一点", now=NOW)
    again = await logged(worker, text="参加网格例会，发了言", replaces=record.id)
    assert again.state == State.PENDING


async def test_the_same_id_gives_the_first_result(rollback: None) -> None:
    """A phone that sends twice declares once; other content under the id is refused."""
    town = await small_county()
    worker = await by(town.worker)
    first = form()
    one = await service.log(worker, first, now=NOW)
    assert await service.log(worker, first, now=NOW) == one
    with pytest.raises(WorkIdReused):
        await service.log(worker, msgspec.structs.replace(first, text="别的"), now=NOW)
    assert len(await service.own_lines(worker)) == 1


async def test_a_duplicate_is_refused(rollback: None) -> None:
    """Equal in worker, date, rule and text, whatever the spaces and punctuation."""
    town = await small_county()
    worker = await by(town.worker)
    await logged(worker)
    with pytest.raises(DuplicateWork):
        await logged(worker, text=" 参加 网格例会。")


@pytest.mark.parametrize("again", ["３－１２", " 3 - 12", "3-12"])
async def test_a_household_counts_once_a_week_however_it_is_typed(
    rollback: None, again: str
) -> None:
    """Full-width signs and spaces make no other household of it."""
    town = await small_county()
    worker, lead = await by(town.worker), await by(town.lead)
    posted = []
    for household, text in (("3-12", "探访独居老人"), (again, "又去看了一次")):
        record = await logged(worker, "CARE-01", household=household, text=text)
        await service.verify(lead, record.id, now=NOW)
        await posting.post_records(COUNTY, [record.id], NOW)
        found = await queries.record(COUNTY, record.id)
        assert found is not None
        posted.append(found.posted)
    assert posted == [10, 0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"work_date": date(2026, 10, 21)}, "work_date"),
        ({"work_date": date(2026, 6, 1)}, "work_date"),
        ({"rule_code": "ORG-99"}, "rule_code"),
        ({"rule_code": "SVC-03"}, "rule_code"),
        ({"text": "  "}, "text"),
        ({"text": "字" * 501}, "text"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 2}, "quantity"),
        ({"rule_code": "LAW-01", "quantity": 9}, "quantity"),
        ({"rule_code": "CARE-01"}, "household"),
    ],
)
async def test_bad_input_names_its_field(
    rollback: None, change: dict[str, Any], field: str
) -> None:
    """Future and old dates, unknown and foreign rules, empty text, senseless numbers."""
    town = await small_county()
    with pytest.raises(WorkRefused) as refused:
        await logged(
            await by(town.worker), **({"code": change.pop("rule_code", "ORG-02")} | change)
        )
    assert list(refused.value.fields) == [field]
    assert (
        await DB.fetchval("SELECT count(*) FROM points.work_record WHERE county_id = $1", COUNTY)
        == 0
    )


async def test_no_work_outside_the_assignment(rollback: None) -> None:
    """A worker whose post has ended cannot declare work of a later day."""
    town = await small_county()
    await roster.end_assignment(COUNTY, town.worker.assignment_id, date(2026, 10, 10))
    worker = await acting(town.worker, on=date(2026, 10, 9))
    with pytest.raises(WorkRefused, match="不在网格员岗位"):
        await logged(worker)


async def test_nobody_confirms_their_own(rollback: None) -> None:
    """A lead who is also the gridworker: the record goes to the other lead."""
    town = await small_county()
    grid = town.units[town.worker.unit_code]
    post = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, town.lead.person_id, date(2026, 1, 1), now=now())
    both = await by(town.lead)
    record = await service.log(both, form(), now=NOW)
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.other_lead.name]
    with pytest.raises(Forbidden):
        await service.verify(both, record.id, now=NOW)


async def test_a_settled_quarrel_is_confirmed_when_it_stays_settled(rollback: None) -> None:
    """MED-01 waits for seven days without a relapse; it may be sent back before."""
    town = await small_county()
    record = await logged(await by(town.worker), "MED-01", text="劝解邻里纠纷")
    lead = await by(town.lead)
    for days in (1, 6):
        at = NOW + timedelta(days=days - 1)  # NOW is the day after the work
        with pytest.raises(NotQuietYet, match="10月26日起可以办"):
            await service.verify(lead, record.id, resident_how="phone", now=at)
    week = NOW + timedelta(days=6)
    done = await service.verify(lead, record.id, resident_how="phone", now=week)
    assert done.state == State.ACCEPTED
    other = await logged(await by(town.worker), "MED-01", text="劝解家庭纠纷")
    await service.send_back(lead, other.id, "又吵起来了", refuse=True, now=NOW)


async def test_a_chief_is_not_confirmed_by_the_own_leads(rollback: None) -> None:
    """The secretary who is a gridworker, too, whatever the form of employment says."""
    town = await small_county()
    grid = town.units[town.worker.unit_code]
    post = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, town.chief.person_id, date(2026, 1, 1), now=now())
    chief = await acting(town.chief, on=DAY)
    for code in ("ORG-02", "OPN-01"):
        record = await logged(chief, code, text=code)
        names = await service.waits_for(COUNTY, record.id, NOW)
        assert set(names) == {town.instructor.name}
        with pytest.raises(NotConfirmer):
            await service.verify(await by(town.lead), record.id, now=NOW)
    town_roll = await confirming.roll_of(COUNTY, DAY)
    found = town_roll.confirmer(
        Step.V1, grid.code, frozenset({town.chief.person_id}), town.chief.person_id, cadre=False
    )
    assert found is not None
    assert found.role is Role.INSTRUCTOR
    # The next village's chief, who works a grid here, is under nobody's orders but the lead's.
    neighbour = await member(Role.CHIEF, town.units["421222100002"], "庞书记")
    roll = await confirming.roll_of(COUNTY, DAY)
    excluded = frozenset({neighbour.person_id})
    found = roll.confirmer(Step.V1, grid.code, excluded, neighbour.person_id, cadre=False)
    assert found is not None
    assert found.role is Role.LEAD


async def test_a_cadre_is_confirmed_one_level_up(rollback: None) -> None:
    """A village cadre's record waits for the township's instructor; the township's, for above."""
    town = await small_county()
    grid = town.units["421222100002001"]
    cadre = await member(Role.GRIDWORKER, grid, employment=Employment.CADRE)
    record = await logged(await by(cadre))
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.instructor.name]
    above = await logged(await by(cadre), "SVC-04", text="险情先期处置")
    assert await service.waits_for(COUNTY, above.id, NOW) == [town.department.name]
    await service.verify(await by(town.instructor), record.id, now=NOW)


async def test_a_vacant_post_goes_one_level_up(rollback: None) -> None:
    """A village without lead and chief: the instructor confirms, and the record says so."""
    town = await small_county()
    worker = await member(Role.GRIDWORKER, town.units["421222100002001"])
    record = await logged(await by(worker))
    done = await service.verify(await by(town.instructor), record.id, now=NOW)
    assert done.state == State.ACCEPTED
    steps = await queries.steps(COUNTY, [record.id])
    assert [step.authority for step in steps] == ["instructor@421222100"]


async def test_v2_needs_committee_and_supervisor(rollback: None) -> None:
    """One of the two is not enough, and neither can answer twice."""
    town = await small_county()
    record = await logged(await by(town.worker), "OPN-01", text="上报路灯损坏")
    half = await service.verify(await by(town.committee), record.id, now=NOW)
    assert half.state == State.PENDING
    with pytest.raises(NotConfirmer):
        await service.verify(await by(town.committee), record.id, now=NOW)
    whole = await service.verify(await by(town.supervisor), record.id, now=NOW)
    assert whole.state == State.ACCEPTED


async def test_v2_where_one_person_holds_both_posts(rollback: None) -> None:
    """After their one step the township does the other: nobody else can."""
    town = await small_county()
    village = town.units["421222100001"]
    await roster.end_assignment(COUNTY, town.supervisor.assignment_id, DAY, reason="卸任")
    post = await roster.add_post(COUNTY, village.id, Role.SUPERVISOR)
    await roster.assign(COUNTY, post, town.committee.person_id, date(2026, 1, 1), now=now())
    record = await logged(await by(town.worker), "OPN-01", text="上报路灯损坏")
    both = await by(town.committee)
    half = await service.verify(both, record.id, now=NOW)
    assert half.state == State.PENDING
    assert await service.tasks(both) == []
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.instructor.name]
    instructor = await by(town.instructor)
    assert [task.line.id for task in await service.tasks(instructor)] == [record.id]
    whole = await service.verify(instructor, record.id, now=NOW)
    assert whole.state == State.ACCEPTED


async def test_what_is_done_is_paged_by_when_one_did_it_oneself(rollback: None) -> None:
    """Whatever the other verifier answered later, and many in one instant."""
    town = await small_county()
    worker, committee = await by(town.worker), await by(town.committee)
    supervisor = await by(town.supervisor)
    ids = set()
    for number in range(25):
        record = await logged(worker, "OPN-01", text=f"{number}号路灯不亮")
        ids.add(record.id)
        await service.verify(committee, record.id, now=NOW)
        await service.verify(supervisor, record.id, now=NOW + timedelta(hours=number))
    first = await service.done(committee)
    rest = await service.done(committee, first[-1].id)
    assert {line.id for line in first} | {line.id for line in rest} == ids
    assert {line.verified_at for line in rest} == {NOW}
    assert len(first) + len(rest) == 25


async def test_the_resident_s_word_is_recorded(rollback: None) -> None:
    """A rule with R asks how the resident confirmed."""
    town = await small_county()
    record = await logged(await by(town.worker), "SVC-01", text="代办医保缴费")
    lead = await by(town.lead)
    with pytest.raises(ResidentMissing):
        await service.verify(lead, record.id, now=NOW)
    done = await service.verify(lead, record.id, resident_how="phone", now=NOW)
    assert (done.state, done.resident_how) == (State.ACCEPTED, "phone")


async def test_only_what_a_rule_asks_is_recorded_of_the_resident(rollback: None) -> None:
    """A batch has one answer for all that are ticked: no resident confirmed a meeting."""
    town = await small_county()
    record = await logged(await by(town.worker))
    await service.verify(await by(town.lead), record.id, resident_how="phone", now=NOW)
    found = await queries.record(COUNTY, record.id)
    assert found is not None
    assert (found.state, found.resident_how) == (State.ACCEPTED, "")


async def test_the_list_asks_for_the_resident_as_each_day_s_version_does(rollback: None) -> None:
    """A version that begins within a month: the question stands where it will be needed."""
    town = await small_county()
    rule = (await rulebook.history(COUNTY, "ORG-02"))[-1]
    new = msgspec.structs.replace(rule, resident=True, effective_from=date(2026, 10, 10))
    office = await acting(town.department, desk=True)
    await rulebook.change_rule(office, new, datetime(2026, 10, 5, 4, tzinfo=UTC))
    for day in (9, 12):
        await logged(await by(town.worker), work_date=date(2026, 10, day))
    tasks = await service.tasks(await by(town.lead))
    assert [(task.line.work_date.day, task.resident) for task in tasks] == [(9, False), (12, True)]
    with pytest.raises(ResidentMissing):
        await service.verify(await by(town.lead), tasks[1].line.id, now=NOW)


def checked(record_id: UUID) -> bool:
    """Whether the lot falls on an id."""
    return drawn(keyed("check", str(record_id)))


async def test_one_in_ten_of_a_check_rule_waits(rollback: None) -> None:
    """OPN-04 counts as declared unless it is drawn; then the lead looks."""
    town = await small_county()
    worker = await by(town.worker)
    ids = [new_id() for _ in range(300)]
    plain = next(item for item in ids if not checked(item))
    looked_at = next(item for item in ids if checked(item))
    one = await logged(worker, "OPN-04", id=plain, text="更新住户信息")
    two = await logged(worker, "OPN-04", id=looked_at, text="更新流动人口信息")
    assert (one.state, two.state) == (State.ACCEPTED, State.PENDING)
    steps = await queries.steps(COUNTY, [looked_at])
    assert [(step.step, step.role) for step in steps] == [(Step.CHECK, Role.LEAD)]


async def test_a_chosen_id_does_not_avoid_the_check(rollback: None) -> None:
    """Ids that a plain hash would never draw are drawn like any others."""
    town = await small_county()
    worker = await by(town.worker)
    ids = (new_id() for _ in range(10_000))
    crafted = [i for i in ids if int.from_bytes(sha256(i.bytes).digest()[:4]) % 10 != 0]
    looked_at = next(item for item in crafted if checked(item))
    record = await logged(worker, "OPN-04", id=looked_at)
    assert record.state == State.PENDING


@pytest.mark.parametrize("way", ["withdrawn", "returned"])
async def test_a_drawn_record_is_not_drawn_anew(rollback: None, way: str) -> None:
    """Taken back, or sent back and corrected: what stands in for it is checked as well."""
    town = await small_county()
    worker = await by(town.worker)
    ids = [new_id() for _ in range(300)]
    plain = next(item for item in ids if not checked(item))
    first = await logged(worker, "OPN-04", id=next(item for item in ids if checked(item)))
    if way == "withdrawn":
        await service.withdraw(worker, first.id, now=NOW)
        again = await logged(worker, "OPN-04", id=plain, text="换一句")
    else:
        await service.send_back(await by(town.lead), first.id, "没有这一户", now=NOW)
        moved = {"work_date": date(2026, 10, 18), "replaces": first.id}
        again = await logged(worker, "OPN-04", id=plain, **moved)
    assert again.state == State.PENDING


async def test_a_returned_record_is_corrected(rollback: None) -> None:
    """退回 shows the reason; the corrected record takes the old one's place.

    Nobody else's does; and what was confirmed is not taken back any more.
    """
    town = await small_county()
    worker = await by(town.worker)
    record = await logged(worker)
    lead = await by(town.lead)
    with pytest.raises(WorkRefused):
        await service.send_back(lead, record.id, "  ", now=NOW)
    await service.send_back(lead, record.id, "日期写错了", now=NOW)
    line = (await service.own_lines(worker))[0]
    assert (line.state, line.reason) == (State.RETURNED, "日期写错了")
    with pytest.raises(NotFound):
        await logged(await by(town.second_worker), replaces=record.id)
    better = await logged(worker, work_date=date(2026, 10, 18), replaces=record.id)
    assert better.state == State.PENDING
    states = {line.id: line.state for line in await service.own_lines(worker)}
    assert states[record.id] == State.WITHDRAWN
    with pytest.raises(WorkNotOpen):
        await service.verify(lead, record.id, now=NOW)
    await service.verify(lead, better.id, now=NOW)
    with pytest.raises(WorkNotOpen):
        await service.withdraw(worker, better.id, now=NOW)


async def test_a_secret_record_keeps_no_words(rollback: None) -> None:
    """专项帮教: whatever was typed, only the rule's own text is stored."""
    town = await small_county()
    record = await logged(await by(town.worker), "CARE-02", text="帮教张三")
    assert record.text == "专项帮教"


async def test_the_secretary_keys_in_and_another_confirms(rollback: None) -> None:
    """代录 is marked; whoever keyed it in does not confirm it."""
    town = await small_county()
    chief = await by(town.chief)
    record = await logged(chief, worker_id=town.worker.person_id)
    assert (record.source, record.entered_by) == ("proxy", town.chief.person_id)
    assert await service.waits_for(COUNTY, record.id, NOW) == [town.lead.name]
    stranger = await by(town.cousin_worker)
    with pytest.raises(NotFound):
        await logged(stranger, worker_id=town.worker.person_id)


async def test_a_reason_has_its_limit(rollback: None) -> None:
    """Not only in the form: what is sent past it is refused with a sentence."""
    town = await small_county()
    record = await logged(await by(town.worker))
    with pytest.raises(WorkRefused, match="500 个字"):
        await service.send_back(await by(town.lead), record.id, "长" * 501, now=NOW)
    await service.send_back(await by(town.lead), record.id, "长" * 500, now=NOW)


async def test_a_stranger_sees_nothing(rollback: None) -> None:
    """Another township's worker finds neither record nor right."""
    town: SmallCounty = await small_county()
    record = await logged(await by(town.worker))
    stranger = await by(town.cousin_worker)
    with pytest.raises(NotFound):
        await service.view(stranger, record.id)
    with pytest.raises(NotFound):
        await service.verify(stranger, record.id, now=now())
    assert isinstance(record.id, UUID)


async def test_a_repeat_within_seven_days_is_flagged(rollback: None) -> None:
    """The same report from the same grid within a week points at the first one, and earns nothing.

    After eight days it is another report; one that earned nothing makes no third one a repeat.
    """
    town = await small_county()
    worker = await by(town.worker)
    found = []
    for days, words in ((7, "上报路灯损坏"), (8, "上报水管漏水")):
        said = []
        for text, ago in ((words, 2 * days), (f"{words}！", days), (words, 0)):
            on = DAY - timedelta(days=ago)
            record = await logged(worker, "OPN-01", text=text, work_date=on)
            for who in (town.committee, town.supervisor):
                await service.verify(await by(who), record.id, now=NOW)
            said.append(record.id)
        line, _ = await service.view(worker, said[1])
        for record_id in said:
            await posting.post_records(COUNTY, [record_id], NOW)
        posted = [one.posted for one in await queries.lines(COUNTY, said)]
        found.append((line.repeats == said[0], posted))
    assert found == [(True, [10, 0, 10]), (False, [10, 10, 10])]


async def test_work_is_declared_for_ninety_two_days(rollback: None) -> None:
    """A paper slip of the last quarter may still be keyed in; one a day older may not."""
    town = await small_county()
    worker = await by(town.worker)
    oldest = NOW.date() - timedelta(days=92)
    with pytest.raises(WorkRefused, match="92 天"):
        await logged(worker, work_date=oldest - timedelta(days=1))
    assert (await logged(worker, work_date=oldest)).work_date == oldest


async def test_a_relative_leaves_the_record_to_the_next_in_line(rollback: None) -> None:
    """The own lead recuses: the other lead confirms; when both do, the chief."""
    town = await small_county()
    record = await logged(await by(town.worker))
    for who, after in ((town.lead, town.other_lead), (town.other_lead, town.chief)):
        actor = await by(who)
        await service.recuse(actor, record.id, NOW)
        assert await service.tasks(actor) == []
        assert await service.waits_for(COUNTY, record.id, NOW) == [after.name]
        with pytest.raises(NotConfirmer):
            await service.verify(actor, record.id, now=NOW)
    chief = await by(town.chief)
    assert [task.line.id for task in await service.tasks(chief)] == [record.id]
    assert (await service.verify(chief, record.id, now=NOW)).state == State.ACCEPTED


async def test_a_step_follows_the_post(rollback: None) -> None:
    """When the lead's post falls vacant the record waits for the other lead, then back again."""
    town = await small_county()
    record = await logged(await by(town.worker))
    await roster.end_assignment(COUNTY, town.lead.assignment_id, date(2026, 10, 20))
    assert await service.refresh(COUNTY, "421222", NOW) == 1
    assert [task.line.id for task in await service.tasks(await by(town.other_lead))] == [record.id]
    assert await service.refresh(COUNTY, "421222100001", NOW) == 0
