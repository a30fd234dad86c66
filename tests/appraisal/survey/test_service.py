"""From the list of households to the draw, the slips, the ballots and the last count."""

import asyncio
from contextvars import copy_context
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from appraisal.cycle import advancing
from appraisal.cycle.rules import Stage
from appraisal.errors import WrongStage
from appraisal.survey import (
    ballot_queries,
    ballots,
    draw,
    field,
    households,
    queries,
    results,
    service,
    slips,
)
from appraisal.survey.errors import (
    PaperFirstAgain,
    SlipClosed,
    SlipUnknown,
    SlipUsed,
    WrongState,
)
from appraisal.survey.rules import ASPECTS, Answers, slip_id, slip_number
from appraisal.survey.service import DrawForm, FormForm, FreezeForm
from appraisal.verifier import service as verifier
from shared.clock import now
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.roster import service as roster
from shared.roster.office import queries as office
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import opened
from tests.appraisal.survey.world import (
    AT,
    FULL,
    GRID,
    SECOND,
    VALUE,
    VILLAGE,
    closed,
    current,
    drawn,
    frozen,
    interviewing,
    printed,
    sheet,
    vote,
)
from tests.factories import COUNTY, acting, also_in, member, small_county

GOOD = Answers(aware=True, values=FULL)


async def test_the_same_file_again_changes_nothing(rollback: None) -> None:
    """New, moved, missing: each is counted; a dry run writes nothing; missing ones go on demand."""
    await small_county()
    first = await households.import_households(None, COUNTY, sheet(), "h.csv", dry_run=True)
    assert (first.rows, first.created, first.grids) == (160, 160, 4)
    assert await queries.household_counts(COUNTY) == []
    for expected in ((160, 0), (0, 160)):
        done = await households.import_households(None, COUNTY, sheet(), "h.csv")
        assert (done.created, done.same) == expected
    one = f"网格编码,户号,村民小组\n{GRID},001,9组\n{GRID},777,1组".encode()
    moved = await households.import_households(None, COUNTY, one, "h.csv")
    assert (moved.created, moved.changed, moved.missing, moved.ended) == (1, 1, 39, 0)
    ended = await households.import_households(None, COUNTY, one, "h.csv", end_missing=True)
    assert (ended.same, ended.missing, ended.ended) == (2, 39, 39)
    assert await queries.household_counts(COUNTY) == [("421222100", 4, 122)]


async def listed(*rows: str, head: str = "网格编码,户号") -> households.Imported:
    data = "\n".join([head, *rows]).encode()
    return await households.import_households(None, COUNTY, data, "h.csv")


MOVING = "网格编码,户号,原网格编码"


async def test_a_household_that_moved_leaves_the_grid_that_the_file_names(rollback: None) -> None:
    """A file of the new grid alone points it out; with the old grid named it stands in one."""
    await small_county()
    await listed(f"{GRID},A17", f"{GRID},A18", f"{SECOND},B01")
    known = await listed(f"{SECOND},A17", f"{SECOND},B02")
    assert (known.created, known.moved) == (2, 0)
    assert f"有 1 户新增的，户号在另一个网格的名单里也有（网格 {SECOND} 的 A17 户在 {GRID}）" in (
        known.twins
    )
    assert await queries.household_counts(COUNTY) == [("421222100", 2, 5)]
    for expected in (1, 0):
        done = await listed(f"{SECOND},A17,{GRID}", f"{SECOND},B01,{SECOND}", head=MOVING)
        assert (done.created, done.moved, done.same) == (0, expected, 2 - expected)
        assert done.twins == ""
    fresh = await listed(f"{SECOND},A18,{GRID}", head=MOVING)
    assert (fresh.created, fresh.moved, fresh.missing) == (0, 1, 3)
    rows = await queries.households(COUNTY, [GRID, SECOND])
    assert {(row.grid_code, row.number) for row in rows} == {
        (SECOND, number) for number in ("A17", "A18", "B01", "B02")
    }


async def test_a_move_from_where_nobody_is_known_is_a_fault(rollback: None) -> None:
    """Neither is one that the file contradicts."""
    await small_county()
    await listed(f"{GRID},A17", f"{GRID},A18")
    third = "421222100002001"
    done = await listed(
        f"{SECOND},A19,{GRID}",
        f"{SECOND},A17,{GRID}",
        f"{GRID},A17,",
        f"{SECOND},A18,{GRID}",
        f"{third},A18,{GRID}",
        head=MOVING,
    )
    assert done.faults == [
        "第 2 行“原网格编码”：原网格的名单里没有这个户号，请核对；不是迁来的，请清空这一格。",
        "第 3 行“原网格编码”：第 4 行也是这一户，请只留一行。",
        "第 6 行“原网格编码”：第 5 行也是这一户，请只留一行。",
    ]


async def test_a_number_that_lost_its_zeros_is_no_other_household(rollback: None) -> None:
    """Excel makes 1 of 001: the same file saved once more would list everybody twice."""
    await small_county()
    await listed(f"{GRID},001", f"{GRID},010", f"{SECOND},1")
    rows = (f"{GRID},1", f"{GRID},10", f"{GRID},100", f"{SECOND},1")
    done = await listed(*rows)
    assert [fault[:8] for fault in done.faults] == ["第 2 行“户号", "第 3 行“户号"]
    assert "这个网格的名单里有“001”，只差前面的 0。" in done.faults[0]
    assert done.report is not None
    assert await queries.household_counts(COUNTY) == [("421222100", 2, 3)]
    data = "\n".join(["网格编码,户号", *rows]).encode()
    anew = await households.import_households(None, COUNTY, data, "h.csv", end_missing=True)
    assert (anew.created, anew.same, anew.ended) == (3, 1, 2)


async def test_numbers_given_grid_by_grid_are_no_twins(rollback: None) -> None:
    """001 in every grid is another household in each."""
    await small_county()
    await listed(f"{GRID},001", "421222100002001,001")
    assert (await listed(f"{SECOND},001")).twins != ""  # two of the village: who knows
    await listed(f"{GRID},002", f"{SECOND},002")
    assert (await listed("421222100002001,002")).twins == ""


async def test_a_faulty_list_is_refused_whole(rollback: None) -> None:
    """Each wrong cell has its sentence; nothing is written."""
    await small_county()
    rows = [
        "网格编码,户号,村民小组,户主姓名",
        f"{GRID},001,1组,张三",
        f"{GRID},001,1组,李四",
        "421222100001999,002,1组,",
        f"{GRID},张三家,1组,",
        f"{GRID},003,一 组,",
        f"{GRID},,1组,",
    ]
    done = await households.import_households(None, COUNTY, "\n".join(rows).encode(), "h.csv")
    assert done.left_out == ["户主姓名"]
    assert done.fault_count == len(done.faults) == 5
    said = "".join(done.faults)
    for word in ("第 2 行", "没有编码为 421222100001999", "不要写姓名", "不能有逗号", "不能空着"):
        assert word in said
    assert done.report is not None
    assert await queries.household_counts(COUNTY) == []


async def test_the_frozen_list_does_not_follow_later_imports(rollback: None) -> None:
    """What was published is what is drawn from, and its hash is that of the file handed out."""
    made = await frozen()
    content = await service.published_list(made.department, made.cycle_id)
    assert draw.digest(content) == made.survey.list_hash
    more = f"网格编码,户号,村民小组\n{GRID},900,1组".encode()
    await households.import_households(None, COUNTY, more, "h.csv")
    assert await service.published_list(made.department, made.cycle_id) == content
    with pytest.raises(Conflict, match="已经冻结"):
        await service.freeze(made.department, made.cycle_id, FreezeForm(value_source="球"), AT)
    with pytest.raises(WrongState):
        await service.published_draw(made.department, made.cycle_id)


async def test_list_and_value_give_the_stored_draw(rollback: None) -> None:
    """The sample in the database is the published recipe's, and the draw happens once."""
    made = await drawn()
    content = await service.published_list(made.department, made.cycle_id)
    lines = draw.draw(draw.read_list(content), draw.seed_of(draw.digest(content), VALUE), 30)
    assert draw.digest(draw.draw_file(lines)) == made.survey.draw_hash
    rows = await queries.listed(COUNTY, made.survey.id, [GRID])
    assert [row.number for row in rows] == [
        line.number for line in lines if line.grid_code == GRID and line.kind == "primary"
    ]
    with pytest.raises(WrongState):
        await service.draw_sample(made.department, made.cycle_id, DrawForm(public_value="2"), AT)


async def test_only_the_department_runs_a_survey(rollback: None) -> None:
    """Others get what absence looks like; the township's instructor sees and prints."""
    made = await drawn()
    for other in (made.instructor, await acting(made.county.chief)):
        with pytest.raises(NotFound):
            await service.close(other, made.cycle_id, AT)
    assert (await service.progress(made.instructor, made.survey, "421222100"))[0].grids == 4
    with pytest.raises(NotFound):
        await service.progress(made.instructor, made.survey, "421222101")
    with pytest.raises(NotFound):
        await slips.print_slips(
            await acting(made.county.chief), made.survey.id, VILLAGE, "http://x", AT
        )


async def test_an_interviewer_is_of_another_village(rollback: None) -> None:
    """The chief and the worker are refused, somebody from next door sees and notes the list."""
    made = await drawn()
    for local in (made.county.chief, made.county.worker):
        with pytest.raises(Invalid, match="不能是本村"):
            await field.assign(made.department, made.survey.id, VILLAGE, local.person_id, AT)
    cousin = await interviewing(made)
    _, rows, may_note = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    assert ({code: len(found) for code, found in rows.items()}, may_note) == (
        {GRID: 30, SECOND: 30},
        True,
    )
    for other in (await acting(made.county.chief), await acting(made.county.worker)):
        with pytest.raises(NotFound):
            await field.hand_out_list(other, made.survey.id, VILLAGE)
        with pytest.raises(NotFound):
            await field.note_visits(other, made.survey.id, VILLAGE, {}, AT)
    names = {one.name for one in await field.candidates(made.department, made.survey, VILLAGE, AT)}
    assert names == {"周部长", "尹玉梅"}
    await field.dismiss(made.department, made.survey.id, VILLAGE, cousin.person_id)
    with pytest.raises(NotFound):
        await field.hand_out_list(cousin, made.survey.id, VILLAGE)


async def test_who_comes_into_the_village_interviews_it_no_more(rollback: None) -> None:
    """Named while they were next door: with a post in it they see no list and note no visit."""
    made = await drawn()
    await interviewing(made)
    await also_in(made.county.cousin_worker, made.county.units[SECOND])
    local = await acting(made.county.cousin_worker)
    with pytest.raises(NotFound):
        await field.hand_out_list(local, made.survey.id, VILLAGE)
    with pytest.raises(NotFound):
        await field.note_visits(local, made.survey.id, VILLAGE, {}, AT)


async def test_who_worked_there_in_the_period_does_not_interview(rollback: None) -> None:
    """Moved to the next village in May, a worker would hand out slips about the spring."""
    made = await drawn()
    moved, next_door = made.county.worker, "421222100002"
    await roster.end_assignment(COUNTY, moved.assignment_id, date(2026, 5, 1))
    unit = made.county.units[next_door + "001"]
    post = await roster.add_post(COUNTY, unit.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, moved.person_id, date(2026, 5, 1), now=now())
    with pytest.raises(Invalid, match="考核期内"):
        await field.assign(made.department, made.survey.id, VILLAGE, moved.person_id, AT)
    found = await field.candidates(made.department, made.survey, VILLAGE, AT)
    assert moved.person_id not in {one.person_id for one in found}


async def test_who_refuses_is_replaced_in_the_order_of_the_draw(rollback: None) -> None:
    """Refused at once, not at home on the second visit; the next of the same group comes.

    The slips that were meant for them are enough for those.
    """
    made = await drawn()
    cousin = await interviewing(made)
    await printed(made)
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    one, two, three = rows[GRID][:3]
    notes = {one.id: "refused", two.id: "absent", three.id: "handed"}
    assert await field.note_visits(cousin, made.survey.id, VILLAGE, notes, AT) == 1
    assert await field.note_visits(cousin, made.survey.id, VILLAGE, {two.id: "absent"}, AT) == 1
    _, after, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    added = after[GRID][30:]
    lines = [
        line
        for line in await service.drawn_grid(COUNTY, made.survey, GRID)
        if line.kind == "replacement"
    ]
    expected = field.next_in_order(lines, [], [one.villager_group, two.villager_group])
    assert {row.number for row in added} == {line.number for line in expected}
    assert [row.status for row in after[GRID][:3]] == ["refused", "absent", "handed"]
    with pytest.raises(Invalid, match="不能再改"):
        await field.note_visits(cousin, made.survey.id, VILLAGE, {three.id: "refused"}, AT)
    with pytest.raises(Invalid, match="都已有票"):
        await printed(made)


async def test_households_are_topped_up(rollback: None) -> None:
    """Until 60 % and 20 have answered; who waits for a visit counts as coming."""
    made = await drawn()
    cousin = await interviewing(made)
    tokens = await printed(made)
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    notes = {row.id: "handed" for row in rows[GRID]}
    await field.note_visits(cousin, made.survey.id, VILLAGE, notes, AT)
    for token in tokens[GRID][:12]:
        await vote(token)
    assert await ballots.count(COUNTY) == 12
    assert await field.top_up(made.department, made.survey.id, GRID) == 8
    assert await field.top_up(made.department, made.survey.id, GRID) == 0
    (line,) = (
        one
        for one in await service.progress(made.instructor, made.survey, VILLAGE)
        if one.code == GRID
    )
    assert (line.listed, line.handed, line.answered, line.share, line.short) == (38, 30, 12, 40, 0)
    more = await slips.print_slips(made.department, made.survey.id, GRID, "http://x", AT)
    assert len(more) == 8


async def test_slips_are_as_many_as_households(rollback: None) -> None:
    """Printed once; printed again they are new and the old ones worth nothing."""
    made = await drawn()
    tokens = await printed(made)
    assert {code: len(found) for code, found in tokens.items()} == {GRID: 30, SECOND: 30}
    with pytest.raises(Invalid, match="都已有票"):
        await printed(made)
    await vote(tokens[GRID][0])
    again = await slips.print_slips(
        made.department, made.survey.id, GRID, "http://x", AT, again=True
    )
    assert len(again) == 29
    total, *_ = await service.progress(made.department, made.survey, GRID)
    assert total.slips == 29
    with pytest.raises(SlipUnknown):
        await vote(tokens[GRID][1])
    await vote(again[0].url.rpartition("/")[2])
    await vote(tokens[SECOND][0])
    with pytest.raises(Invalid, match="都已有票"):
        await printed(made)


async def test_a_paper_handed_in_outlives_its_void_batch(rollback: None) -> None:
    """Keyed once before all slips were made void: keyed twice it counts, and nobody gets another.

    The same for a paper that waits for its third look; its number is still listed.
    """
    made = await drawn()
    tokens = (await printed(made))[GRID]
    one, two, lost = (slip_number(slip_id(token)) for token in tokens[:3])
    third = await acting(await member(Role.DEPARTMENT, made.county.units["421222"]), desk=True)
    other = Answers(aware=True, values=(100, 80, 100, 100, 100, 100))
    for number in (one, two):
        await ballots.key_paper(made.department, made.survey.id, number, GOOD)
    await ballots.key_paper(made.instructor, made.survey.id, two, other)
    again = await slips.print_slips(
        made.department, made.survey.id, GRID, "http://x", AT, again=True
    )
    assert len(again) == 28
    (conflict,), waiting = await ballots.conflicts(third, made.survey.id)
    assert (conflict.number, waiting) == (two, 1)
    elsewhere = await member(Role.INSTRUCTOR, made.county.units["421222101"])
    assert await ballots.conflicts(await acting(elsewhere), made.survey.id) == ([], 0)
    assert (await ballots.key_paper(made.instructor, made.survey.id, one, GOOD)).cast
    await ballots.decide_paper(third, made.survey.id, two, other)
    with pytest.raises(SlipUnknown):
        await ballots.key_paper(made.department, made.survey.id, lost, GOOD)
    with pytest.raises(Invalid, match="都已有票"):
        await printed(made)
    line, *_ = await service.progress(made.department, made.survey, GRID)
    assert line.answered == 2


async def test_a_paper_of_a_slip_void_meanwhile_is_not_taken(rollback: None) -> None:
    """Its slip was made void between the look and the keying: nothing is stored."""
    made = await drawn()
    token = (await printed(made))[GRID][0]
    row = await ballot_queries.slip(COUNTY, slip_id(token))
    assert row is not None
    await ballot_queries.void(COUNTY, made.survey.id, GRID)
    by = made.department.person_id
    assert not await ballot_queries.insert_paper(COUNTY, row, GOOD, by)


async def test_a_closed_grid_s_households_are_not_frozen(rollback: None) -> None:
    """Nobody is drawn in a grid that was dissolved after its households were imported."""
    county = await small_county()
    department = await acting(county.department, desk=True)
    await households.import_households(None, COUNTY, sheet(), "h.csv")
    await office.close_unit(COUNTY, "421222100002002", date(2026, 7, 1))
    [(_, _, grids, count)] = await households.counts(department)
    assert (grids, count) == (3, 120)
    cycle_id = await opened(department, AT)
    survey = await service.freeze(department, cycle_id, FreezeForm(value_source="某期彩票"), AT)
    assert survey.households == 120
    assert "421222100002002" not in await queries.grids(COUNTY, survey.id, "421222")
    assert (await verifier.verify(COUNTY)).findings == ()


async def test_two_presses_freeze_one_list(committed: None) -> None:
    """The second waits for the first and hears that the list stands, instead of an error page."""
    county = await small_county()
    department = await acting(county.department, desk=True)
    await households.import_households(None, COUNTY, sheet(), "h.csv")
    cycle_id = await opened(department, AT)
    form = FreezeForm(value_source="某期彩票")
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        await service.freeze(department, cycle_id, form, AT)
        other = asyncio.create_task(service.freeze(department, cycle_id, form, AT), context=outside)
        while not other.done() and not await DB.fetchval(waits):
            pass
    with pytest.raises(Conflict, match="已经冻结"):
        await other


async def test_a_print_waits_for_a_ballot_that_is_being_cast(committed: None) -> None:
    """A ballot whose transaction is open when all slips are made void: it counts, once."""
    made = await drawn()
    token = (await printed(made))[GRID][0]
    row = await ballot_queries.slip(COUNTY, slip_id(token))
    assert row is not None
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        await ballot_queries.end_paper(COUNTY, row.id)
        assert await ballot_queries.burn(COUNTY, row)
        assert await ballot_queries.still_open(COUNTY, row, keyed=False)
        again = asyncio.create_task(
            slips.print_slips(made.department, made.survey.id, GRID, "http://x", AT, again=True),
            context=outside,
        )
        while not again.done() and not await DB.fetchval(waits):
            pass
        await ballot_queries.cast(COUNTY, row, GOOD)
    assert len(await again) == 29


async def test_one_slip_is_one_ballot(rollback: None) -> None:
    """Used, counted, unknown and closed slips are refused, each with its own words."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    for token in tokens[:5]:
        await vote(token)
    with pytest.raises(SlipUsed):
        await vote(tokens[0])
    assert await ballots.count(COUNTY) == 5
    with pytest.raises(SlipUsed):
        await vote(tokens[0])
    with pytest.raises(SlipUsed):
        await ballots.open_slip(COUNTY, tokens[0])
    with pytest.raises(SlipUnknown):
        await vote("421222." + "A" * 22)
    with pytest.raises(Invalid):
        await ballots.submit_ballot(COUNTY, tokens[6], Answers(aware=True, values=(1,) * 6))
    row = await ballot_queries.slip(COUNTY, slip_id(tokens[7]))
    assert row is not None
    await closed(made)
    with pytest.raises(SlipClosed):
        await vote(tokens[7])
    # Whoever had been let in before the end finds the box shut.
    assert not await ballot_queries.still_open(COUNTY, row, keyed=False)


async def test_a_slip_scanned_twice_at_once_counts_once(committed: None) -> None:
    """Eight submissions of one slip and counts between them: one ballot, whatever the order."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    for token in tokens[1:5]:
        await vote(token)
    done = await asyncio.gather(
        *(vote(tokens[0]) for _ in range(8)),
        *(ballots.count(COUNTY) for _ in range(3)),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, BaseException)]
    assert {type(one) for one in refused} == {SlipUsed}
    assert len(refused) == 7
    await closed(made)
    assert await DB.fetchval("SELECT count(*) FROM appraisal.ballot WHERE county_id = 421222") == 5


async def test_paper_is_keyed_by_two(rollback: None) -> None:
    """The same answers from two people cast the ballot, with the slip's number or its address."""
    made = await drawn()
    token = (await printed(made))[GRID][0]
    number = slip_number(slip_id(token))
    first = await ballots.key_paper(made.department, made.survey.id, number, GOOD)
    assert not first.cast
    for again in (
        ballots.key_paper(made.department, made.survey.id, number, GOOD),
        ballots.find_paper(made.department, made.survey.id, number),
    ):
        with pytest.raises(PaperFirstAgain):
            await again
    second = await ballots.key_paper(made.instructor, made.survey.id, token, GOOD)
    assert second.cast
    with pytest.raises(SlipUsed):
        await vote(token)
    with pytest.raises(NotFound):
        await ballots.key_paper(await acting(made.county.chief), made.survey.id, number, GOOD)
    with pytest.raises(SlipUnknown):
        await ballots.find_paper(made.department, made.cycle_id, token)


async def test_a_third_look_decides_what_two_read_differently(rollback: None) -> None:
    """The differences are listed; neither of the two may decide; scanning meanwhile wins."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    other = Answers(aware=True, values=(100, 80, 100, 100, 100, 100))
    boss = await acting(made.county.department, desk=True)
    number = slip_number(slip_id(tokens[0]))
    third = await acting(made.county.cousin_worker)
    await ballots.key_paper(boss, made.survey.id, number, GOOD)
    keyed = await ballots.key_paper(made.instructor, made.survey.id, number, other)
    assert (keyed.cast, keyed.differing) == (False, (ASPECTS[1].title,))
    (conflict,), waiting = await ballots.conflicts(boss, made.survey.id)
    assert (conflict.number, conflict.differing, waiting) == (number, (ASPECTS[1].title,), 0)
    for one in (boss, made.instructor):
        with pytest.raises(Forbidden, match="第三人"):
            await ballots.decide_paper(one, made.survey.id, number, GOOD)
    with pytest.raises(NotFound):
        await ballots.decide_paper(third, made.survey.id, number, GOOD)
    await vote(tokens[0])
    with pytest.raises(SlipUsed):
        await ballots.key_paper(boss, made.survey.id, number, GOOD)
    assert await ballots.conflicts(boss, made.survey.id) == ([], 0)


async def test_results_wait_for_the_end_and_the_cycle_for_them(rollback: None) -> None:
    """No figure before the survey is closed; no scoring before it either."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    for token in tokens[:6]:
        await vote(token)
    with pytest.raises(WrongState):
        await results.of_unit(made.department, await current(made), "421222")
    with pytest.raises(Conflict, match="群众测评还没有结束"):
        await advancing.advance(made.department, made.cycle_id, Stage.SCORE, "", AT)
    survey = await closed(made)
    await advancing.advance(made.department, made.cycle_id, Stage.SCORE, "", AT)
    lines = {
        one.code: one.answered for one in await service.progress(made.department, survey, VILLAGE)
    }
    assert lines == {VILLAGE: 6, GRID: 6, SECOND: 0}
    found = await results.of_unit(made.department, survey, "421222")
    assert (found[0][1].counted, found[0][1].score) == (6, Decimal(100))
    with pytest.raises(WrongStage):
        await service.close(made.department, made.cycle_id, AT)


async def test_a_crash_of_the_server_is_said(rollback: None) -> None:
    """What waited in the unlogged inbox and is gone at the next count is counted as lost."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    for token in tokens[:3]:
        await vote(token)
    await ballots.count(COUNTY)
    assert (await current(made)).waiting == 3
    for table in ("ballot_inbox", "ballot_burnt"):  # as recovery leaves unlogged tables: empty
        await DB.execute(f"DELETE FROM appraisal.{table} WHERE county_id = $1", COUNTY)
    await vote(tokens[5])
    await ballots.count(COUNTY)
    survey = await current(made)
    assert (survey.lost, survey.waiting) == (2, 1)


async def test_a_form_is_a_version(rollback: None) -> None:
    """New words are for the next survey; the running one keeps its own."""
    made = await drawn()
    titles = [aspect.title for aspect in ASPECTS]
    prompts = ["说话和气", *(aspect.prompt for aspect in ASPECTS[1:])]
    await service.save_form(made.department, FormForm(titles=titles, prompts=prompts), AT)
    assert (await service.current_form(COUNTY)).aspects[0].prompt == "说话和气"
    assert (await service.form_of(COUNTY, made.survey)).aspects == ASPECTS
    with pytest.raises(Invalid):
        await service.save_form(made.department, FormForm(titles=["一"], prompts=["二"]), AT)


async def test_new_words_saved_twice_at_once_are_one_version(committed: None) -> None:
    """The second finds them saved, instead of an error page."""
    made = await drawn()
    titles = [aspect.title for aspect in ASPECTS]
    form = FormForm(titles=titles, prompts=["说话和气", *(one.prompt for one in ASPECTS[1:])])
    await asyncio.gather(*(service.save_form(made.department, form, AT) for _ in range(3)))
    found = await service.current_form(COUNTY)
    assert (found.version, found.aspects[0].prompt) == (2, "说话和气")


async def test_an_interviewer_named_twice_is_named_once(rollback: None) -> None:
    """In the audit, too: what changed nothing is no event."""
    made = await drawn()
    cousin = await interviewing(made)
    await interviewing(made)
    found = await field.interviewers(made.department, made.survey.id, VILLAGE)
    assert [one.person_id for one in found] == [cousin.person_id]
    sql = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND action = $2"
    assert await DB.fetchval(sql, COUNTY, "survey.assign") == 1


async def test_words_and_slips_are_forgotten(rollback: None) -> None:
    """A year after the end; answers and results stay."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    for token in tokens[:6]:
        await vote(token, words="路灯坏了")
    survey = await closed(made)
    assert await service.forget(COUNTY, AT) == (0, 0, 0)
    gone = await service.forget(COUNTY, datetime(2027, 7, 4, tzinfo=UTC))
    assert gone[:2] == (6, 60)
    assert await results.words(made.department, survey, "421222") == []
    (_, county), *_ = await results.of_unit(made.department, survey, "421222")
    assert county.ballots == 6


async def test_an_interviewers_list_reads_its_village_only(rollback: None) -> None:
    """Not the county's forty thousand drawn households at every look on the phone."""
    survey = (await drawn()).survey
    await DB.execute("SET LOCAL enable_seqscan = off")
    plan = await DB.fetch(f"EXPLAIN {queries.LISTED}", COUNTY, survey.id, [GRID])
    assert not [line[0] for line in plan if "Filter" in line[0]], plan
    listed = await queries.listed(COUNTY, survey.id, [GRID])
    assert {one.grid_code for one in listed} == {GRID}
