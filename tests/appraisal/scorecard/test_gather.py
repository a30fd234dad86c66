"""What a run copies from its sources: who is appraised, for which days, with which facts."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from appraisal.casework import service as casework
from appraisal.casework.schemas import SignForm
from appraisal.cycle import advancing
from appraisal.cycle.rules import Kind, Stage
from appraisal.errors import StepRefused
from appraisal.notice import service as notice
from appraisal.ranking import queries as ranking_queries
from appraisal.scorecard import queries, scoring, scoring_queries, service
from appraisal.verifier import service as verifier
from points.work import bulk, deductions, intake
from points.work.deductions import Proposal
from shared.clock import now
from shared.database import DB
from shared.errors import Conflict
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.survey import world as survey
from tests.factories import COUNTY, Member, acting, member, phone, small_county, units
from tests.points.work.test_intake import HEAD

AFTER = datetime(2026, 7, 3, 2, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
INPUTS = "SELECT * FROM appraisal.input WHERE county_id = $1 AND run_id = $2"
ATTENDANCE = """
INSERT INTO appraisal.attendance (county_id, id, person_id, village_code, month, rostered_days,
    duty_days, leave_days, note, version, current, reason, source, entered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 1, true, '', 'form', now())
"""
ENTRY = """
INSERT INTO appraisal.duty_entry (county_id, id, kind, person_id, village_code, happened_on,
    outcome, level, place, by_whom, facts, document, state, source, entered_at)
VALUES ($1, $2, $3, $4, left($5, 12), $6, $7, $8, '', '县组织部', '事实', '文件', 'standing',
    'form', now())
"""


async def department_of(someone: Member) -> Actor:
    return msgspec.structs.replace(await acting(someone, desk=True), confirmed_at=AFTER)


async def inputs_of(run_id: UUID) -> dict[UUID, dict[str, Any]]:
    return {row["person_id"]: dict(row) for row in await DB.fetch(INPUTS, COUNTY, run_id)}


async def random_sheets(
    random: Random, people: list[UUID], grids: tuple[str, ...]
) -> set[tuple[UUID, str, int]]:
    """Some months' sheets of the grids' villages, as (person, village, month), 22 days each."""
    sheets = {
        (person, code[:12], 202600 + month)
        for person in people
        for code in grids
        for month in range(1, 8)
        if random.random() < 0.7
    }
    for person, code, month in sheets:
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), person, code, month, Decimal(22), Decimal("20.5"),
            Decimal(1),
        )  # fmt: skip
    return sheets


@pytest.mark.parametrize("seed", range(4))
async def test_everybody_in_post_on_the_last_day_is_there_with_their_days(
    rollback: None, seed: int
) -> None:
    """Counted day by day from the assignments; who left before is not appraised (I16).

    Days on duty are the sum of all sheets; a month is missing where a village owes its sheet.
    """
    random = Random(seed)
    made = await units()
    grids = [unit for code, unit in sorted(made.items()) if len(code) == 15]
    department = await roster.add_person(COUNTY, "周部长", phone(), Employment.OFFICIAL, now=now())
    post = await roster.add_post(COUNTY, made["421222"].id, Role.DEPARTMENT)
    await roster.assign(COUNTY, post, department, FIRST, now=now())
    held: dict[UUID, list[tuple[str, str, date, date]]] = {}
    for _ in range(12):
        person = await roster.add_person(COUNTY, "张三", phone(), Employment.CONTRACT, now=now())
        held[person] = []
        day = date(2025, 11, 1) + timedelta(days=random.randint(0, 250))
        for _ in range(random.choice((1, 1, 2, 3))):
            grid = random.choice(grids)
            past = day + timedelta(days=random.randint(1, 300))
            place = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
            await roster.assign(COUNTY, place, person, day, valid_to=past, now=now())
            held[person].append((grid.code, grid.grid_type or "other", day, past))
            day = random.choice((day + timedelta(days=5), past, past + timedelta(days=20)))
    sheets = await random_sheets(random, list(held), (grids[0].code, grids[-1].code))
    actor = await department_of(Member(department, "", "", Role.DEPARTMENT, "421222", post, post))
    cycle_id = await opened(actor, AFTER)
    await bring_to(actor, cycle_id, Stage.SCORE, AFTER)
    there = {
        person: places
        for person, places in held.items()
        if any(first <= LAST < past for _, _, first, past in places)
    }
    if not there:
        with pytest.raises(Conflict, match="没有在岗"):
            await scoring.score(actor, cycle_id, "", AFTER)
        return
    run = await scoring.score(actor, cycle_id, "", AFTER)
    found = await inputs_of(run.id)
    assert found.keys() == there.keys()
    period = [FIRST + timedelta(days=step) for step in range((LAST - FIRST).days + 1)]
    for person, places in there.items():
        row = found[person]
        days = [[p for p in places if p[2] <= day < p[3]] for day in period]
        assert row["days"] == sum(bool(one) for one in days)
        kinds = Counter(kind for one in days for _, kind, _, _ in one)
        for kind in ("rural", "community", "other"):
            assert row[f"days_{kind}"] == kinds[kind]
        spent = Counter(code for one in days for code, _, _, _ in one)
        last = {code for code, _, first, past in places if first <= LAST < past}
        assert row["grid_code"] == min(last, key=lambda code: (-spent[code], code))
        own = [month for owner, _, month in sheets if owner == person and month <= 202606]
        assert row["rostered"] == (len(own) * 220 or None)
        owed = {
            (code[:12], day.year * 100 + day.month)
            for day, one in zip(period, days, strict=True)
            for code, _, _, _ in one
        }
        missing = {month for code, month in owed if (person, code, month) not in sheets}
        assert row["missing_months"] == len(missing)


async def test_the_last_day_decides_who_is_there(rollback: None) -> None:
    """Who began on it is appraised, for one day; whose post ended before it is not."""
    town = await small_county()
    department = await department_of(town.department)
    grid = town.units["421222100001001"]
    spans = {"到岗": (LAST, None), "离岗": (FIRST, LAST), "满期": (FIRST, LAST + timedelta(days=1))}
    people = {}
    for name, (since, past) in spans.items():
        people[name] = await roster.add_person(
            COUNTY, name, phone(), Employment.CONTRACT, now=now()
        )
        post = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
        await roster.assign(COUNTY, post, people[name], since, valid_to=past, now=now())
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    found = await inputs_of((await scoring.score(department, cycle_id, "", AFTER)).id)
    days = {name: found[one]["days"] for name, one in people.items() if one in found}
    assert days == {"到岗": 1, "满期": (LAST - FIRST).days + 1}


SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if plan["Node Type"] in SCANS:
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


async def test_a_run_reads_its_own_county_only(rollback: None) -> None:
    """However many counties share a database, each table is asked for the one county's rows."""
    town = await small_county()
    department = await department_of(town.department)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    run = await scoring.score(department, cycle_id, "", AFTER)
    assert await DB.fetchval("SHOW statement_timeout") == "5min"  # 3 GB after three years
    again = scoring_queries.GATHER.replace("INSERT INTO", "EXPLAIN (FORMAT JSON) INSERT INTO", 1)
    [[text]] = await DB.fetch(again, COUNTY, run.id)
    [explained] = msgspec.json.decode(text)
    found = list(scans(explained["Plan"]))
    assert {"work_record", "ballot", "attendance", "random_result", "training_attendance"} <= {
        scan["Relation Name"] for scan in found
    }
    conditions = ("Index Cond", "Recheck Cond", "Filter")
    assert [
        scan
        for scan in found
        if not any("county_id = " in scan.get(condition, "") for condition in conditions)
    ] == []


def joins(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that may compare every row with every other."""
    filtered = plan["Node Type"] == "Nested Loop" and "Join Filter" in plan
    if filtered or plan["Node Type"] == "Merge Join":
        yield plan
    for part in plan.get("Plans", ()):
        yield from joins(part)


@pytest.mark.parametrize("statement", [scoring_queries.SCORE, ranking_queries.FREEZE])
async def test_a_countys_first_workers_are_not_compared_with_each_other(
    rollback: None, statement: str
) -> None:
    """Scores and ranks just written are in no statistics: they are joined by hash all the same."""
    town = await small_county()
    department = await department_of(town.department)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    run = await scoring.score(department, cycle_id, "", AFTER)
    await DB.execute("ANALYZE appraisal.input")
    await DB.execute(scoring_queries.BY_KEY)
    await DB.execute(f"PREPARE planned (int[], uuid[]) AS {statement}")
    explain = f"EXPLAIN (FORMAT JSON) EXECUTE planned (ARRAY[{COUNTY}], ARRAY['{run.id}'::uuid])"
    [[text]] = await DB.fetch(explain)
    await DB.execute("DEALLOCATE planned")
    [explained] = msgspec.json.decode(text)
    assert list(joins(explained["Plan"])) == []


async def test_the_facts_are_those_of_the_sources(rollback: None) -> None:
    """Attendance, checks, praise, survey, points and training of the period, nothing else.

    Of its first day and its last one as well.
    """
    made = await survey.drawn()
    town, department = made.county, made.department
    tokens = await survey.printed(made)
    for number, token in enumerate(tokens[survey.GRID][:22]):
        await survey.vote(token, (100,) * 6 if number % 2 else (80,) * 6)
    for token in tokens[survey.SECOND][:6]:
        await survey.vote(token)
    await survey.closed(made)
    worker = town.worker
    for month, rostered, on_duty in ((202601, "22", "20.5"), (202606, "21", "20"), (202607, 9, 0)):
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), worker.person_id, worker.unit_code[:12], month,
            Decimal(rostered), Decimal(on_duty), Decimal(1),
        )  # fmt: skip
    for kind, on, outcome, level in (
        ("check", LAST, "failed", ""),
        ("check", date(2026, 7, 1), "failed", ""),
        ("commend", FIRST, "", "county"),
        ("commend", date(2025, 12, 31), "", "township"),
    ):
        await DB.execute(
            ENTRY, COUNTY, new_id(), kind, worker.person_id, worker.unit_code, on, outcome, level
        )
    meetings = [
        f"2026-06-{day:02d},421222100001001,{worker.name},ORG-02,参加网格例会,"
        for day in (1, 8, LAST.day)
    ]
    content = "\n".join([HEAD, *meetings]).encode()
    at = datetime(2026, 7, 2, 4, tzinfo=UTC)
    imported = await intake.import_work(None, COUNTY, content, "a.csv", now=at)
    assert imported.added == 3
    await bulk.verify_month(COUNTY, 202606, at)
    await bulk.post_month(COUNTY, 202606, at)
    moved = "UPDATE points.work_record SET work_date = $2 WHERE county_id = $1 AND work_date = $3"
    for on, before in ((FIRST, date(2026, 6, 1)), (FIRST - timedelta(days=1), date(2026, 6, 8))):
        await DB.execute(moved, COUNTY, on, before)
    await bring_to(department, made.cycle_id, Stage.SCORE, AFTER)
    run = await scoring.score(department, made.cycle_id, "首次", AFTER)
    found = await inputs_of(run.id)
    facts = found[worker.person_id]
    given = {
        "rostered": 430, "on_duty": 405, "on_leave": 20, "missing_months": 4, "failed_checks": 1,
        "commended_county": 1, "commended_township": 0, "data_total": None, "satisfaction": 900,
        "ballots": 22, "awarded": 20, "deducted": 0, "hours": None, "veto": False,
        "grid_code": worker.unit_code, "grid_type": "community", "days": 181,
        "employment_type": "village_paid", "first_final": None,
    }  # fmt: skip
    assert {name: facts[name] for name in given} == given
    assert facts["half_width"] > 0
    second = found[town.second_worker.person_id]
    assert (second["satisfaction"], second["ballots"]) == (None, 6)
    card = await service.card(department, made.cycle_id, worker.person_id)
    months = await service.months(department, card)
    assert [(one.month, one.awarded) for one in months] == [(202601, 10), (202606, 10)]


async def test_ballots_of_two_grids_do_not_make_a_sample(rollback: None) -> None:
    """Twelve and ten, neither valid: the card names no number above what it calls too few."""
    made = await survey.drawn()
    worker = made.county.worker
    grid = made.county.units[survey.SECOND]
    post = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, worker.person_id, date(2026, 3, 1), now=now())
    tokens = await survey.printed(made)
    for token in tokens[survey.GRID][:12] + tokens[survey.SECOND][:10]:
        await survey.vote(token)
    await survey.closed(made)
    await bring_to(made.department, made.cycle_id, Stage.SCORE, AFTER)
    run = await scoring.score(made.department, made.cycle_id, "", AFTER)
    facts = (await inputs_of(run.id))[worker.person_id]
    assert (facts["satisfaction"], facts["ballots"], facts["grids"]) == (None, 12, 2)
    card = await service.card(made.department, made.cycle_id, worker.person_id)
    [words] = [line.words for line in card.lines if line.component == "satisfaction"]
    assert words.startswith("有效票 12 张，不到 20 张，样本不足。")


async def test_a_second_run_is_a_version_and_the_first_stays(rollback: None) -> None:
    """New facts make a new run; the difference names who changed; the old inputs are unchanged."""
    town = await small_county()
    department = await department_of(town.department)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    first = await scoring.score(department, cycle_id, "", AFTER)
    before = await inputs_of(first.id)
    worker = town.worker
    await DB.execute(
        ATTENDANCE, COUNTY, new_id(), worker.person_id, worker.unit_code[:12], 202603,
        Decimal(20), Decimal(10), Decimal(0),
    )  # fmt: skip
    second = await scoring.score(department, cycle_id, "补录", AFTER)
    assert (first.number, second.number, second.note) == (1, 2, "补录")
    assert await inputs_of(first.id) == before
    board, changes = await service.difference(department, cycle_id, 1)
    assert [run.current for run in board.runs] == [True, False]
    assert [(one.person_id, one.before, one.after) for one in changes] == [
        (worker.person_id, None, 5000)
    ]


async def test_what_was_mended_in_collecting_is_scored_before_review(rollback: None) -> None:
    """Given back for a missing sheet: the run from before it cannot go to review."""
    town = await small_county()
    department = await department_of(town.department)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    await scoring.score(department, cycle_id, "", AFTER)
    for day, stage in enumerate((Stage.COLLECT, Stage.SCORE), 1):
        at = AFTER + timedelta(days=day)
        await advancing.advance(department, cycle_id, stage, "补六月考勤", at)
    later = AFTER + timedelta(days=3)
    with pytest.raises(Conflict, match="重新评分"):
        await advancing.advance(department, cycle_id, Stage.REVIEW, "", later)
    await scoring.score(department, cycle_id, "", later)
    await advancing.advance(department, cycle_id, Stage.REVIEW, "", later)
    await advancing.advance(department, cycle_id, Stage.SCORE, "看错了", later)
    await advancing.advance(department, cycle_id, Stage.REVIEW, "", later)


async def test_two_presses_at_once_are_one_run(committed: None) -> None:
    """The second waits for the first and hears what happened, instead of an error page."""
    department = await acting((await small_county()).department, desk=True)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        await scoring.score(department, cycle_id, "", AFTER)
        other = asyncio.create_task(scoring.score(department, cycle_id, "", AFTER), context=outside)
        while not other.done() and not await DB.fetchval(waits):
            pass
    with pytest.raises(Conflict, match="刷新"):
        await other
    assert [run.number for run in await queries.runs(COUNTY, cycle_id)] == [1]


async def test_a_later_transfer_changes_no_report(rollback: None) -> None:
    """Who moves after the period stays where the closed run found them (I17)."""
    town = await small_county()
    department = await department_of(town.department)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    run = await scoring.score(department, cycle_id, "", AFTER)
    await bring_to(department, cycle_id, Stage.CLOSED, AFTER)
    before = await inputs_of(run.id)
    worker = town.worker
    await roster.end_assignment(COUNTY, worker.assignment_id, date(2026, 6, 1))
    await DB.execute(
        "UPDATE shared.unit SET name = '改名' WHERE county_id = $1 AND code = $2",
        COUNTY,
        worker.unit_code,
    )
    assert await inputs_of(run.id) == before
    card = await service.card(department, cycle_id, worker.person_id)
    assert card.facts.grid_code == worker.unit_code


async def test_the_annual_result_takes_in_the_closed_half_year(rollback: None) -> None:
    """0.4 × first + 0.6 × second for those who have a first; not before that is closed.

    Who was in post for less than three months of the first has none, whatever its figures.
    """
    town = await small_county()
    grid = town.units["421222100001001"]
    newcomer = await member(Role.GRIDWORKER, grid, valid_from=date(2026, 5, 6))
    department = await department_of(town.department)
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    worker = town.worker

    async def month(number: int, on_duty: int) -> None:
        for someone in (worker, newcomer):
            await DB.execute(
                ATTENDANCE, COUNTY, new_id(), someone.person_id, someone.unit_code[:12], number,
                Decimal(20), Decimal(on_duty), Decimal(0),
            )  # fmt: skip

    await month(202603, 10)
    await scoring.score(department, half, "", AFTER)
    winter = datetime(2027, 1, 5, tzinfo=UTC)
    annual = await opened(department, AFTER, kind=Kind.ANNUAL)
    await bring_to(department, annual, Stage.COLLECT, winter)
    with pytest.raises(Conflict, match="还没有办结"):
        await bring_to(department, annual, Stage.SCORE, winter)
    await bring_to(department, half, Stage.CLOSED, winter)
    await bring_to(department, annual, Stage.SCORE, winter)
    await month(202609, 20)
    run = await scoring.score(department, annual, "", winter)
    scores = await queries.scores(COUNTY, run.id, worker.person_id)
    assert scores is not None
    assert (scores.period_score, scores.calculated) == (10000, 8000)
    for alone in (newcomer, town.second_worker):
        facts = await queries.facts(COUNTY, run.id, alone.person_id)
        assert facts is not None
        assert facts.first_final is None


async def test_a_half_year_opened_late_is_taken_in_when_it_is_closed(rollback: None) -> None:
    """No unfinished score of it gets into the annual one, which waits for the result."""
    town = await small_county()
    department = await department_of(town.department)
    winter = datetime(2027, 1, 5, tzinfo=UTC)
    annual = await opened(department, AFTER, kind=Kind.ANNUAL)
    await bring_to(department, annual, Stage.SCORE, winter)
    half = await opened(department, winter)
    await bring_to(department, half, Stage.SCORE, winter)
    who = town.worker
    for number, on_duty in ((202603, 10), (202609, 20)):
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), who.person_id, who.unit_code[:12], number,
            Decimal(20), Decimal(on_duty), Decimal(0),
        )  # fmt: skip
    await scoring.score(department, half, "", winter)
    run = await scoring.score(department, annual, "", winter)
    scores = await queries.scores(COUNTY, run.id, who.person_id)
    assert scores is not None
    assert scores.calculated == 10000
    with pytest.raises(Conflict, match="还没有办结"):
        await bring_to(department, annual, Stage.REVIEW, winter)
    await bring_to(department, half, Stage.CLOSED, winter + timedelta(days=60))
    with pytest.raises(Conflict, match="重新评分"):
        await bring_to(department, annual, Stage.REVIEW, winter)
    run = await scoring.score(department, annual, "", winter + timedelta(days=61))
    scores = await queries.scores(COUNTY, run.id, who.person_id)
    assert scores is not None
    assert scores.calculated == 8000
    await bring_to(department, annual, Stage.REVIEW, winter)


async def test_a_deduction_too_late_for_its_half_year_counts_once_in_the_next(
    rollback: None,
) -> None:
    """Noticed while scores are made: the year has it, with the day it is about; later none has."""
    town = await small_county()
    department = await department_of(town.department)
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    await scoring.score(department, half, "", AFTER)
    worker, when = await acting(town.worker), AFTER + timedelta(days=3)
    form = Proposal(
        worker_id=worker.person_id,
        code="PEN-01",
        amount=20,
        happened_on=LAST,
        facts="例会无故缺席",
        evidence="签到表",
    )
    number = await deductions.propose(await acting(town.lead), form, when)
    await deductions.reply(worker, number, "记错了日子", when)
    chief = await acting(town.chief)
    await deductions.decide(chief, number, stands=True, reason="有签到表", now=when)
    await deductions.appeal(worker, number, "请再看", when)
    instructor = await acting(town.instructor)
    await deductions.decide_appeal(instructor, number, upheld=False, reason="属实", now=when)
    await bring_to(department, half, Stage.CLOSED, when)

    async def deducted(year: int, kind: Kind, at: datetime) -> int:
        cycle_id = await opened(department, at, kind=kind, year=year)
        await bring_to(department, cycle_id, Stage.SCORE, at)
        run = await scoring.score(department, cycle_id, "", at)
        found: int = (await inputs_of(run.id))[worker.person_id]["deducted"]
        card = await service.card(department, cycle_id, worker.person_id)
        listed = [(one.month, one.deducted) for one in await service.months(department, card)]
        assert listed == ([(202606, found)] if found else [])
        return found

    assert await deducted(2026, Kind.ANNUAL, datetime(2027, 1, 5, tzinfo=UTC)) == 20
    assert await deducted(2027, Kind.HALF_YEAR, datetime(2027, 7, 5, tzinfo=UTC)) == 0


async def test_points_posted_too_late_for_their_half_year_count_once_in_the_next(
    rollback: None,
) -> None:
    """June's, posted after that is scored, are in the year; days that no cycle covered are not."""
    town = await small_county()
    department = await department_of(town.department)
    worker, last = town.worker, datetime(2026, 7, 2, 4, tzinfo=UTC)

    async def met(day: int, at: datetime) -> None:
        row = f"2026-06-{day:02d},421222100001001,{worker.name},ORG-02,参加网格例会,"
        content = f"{HEAD}\n{row}".encode()
        await intake.import_work(None, COUNTY, content, f"{day}.csv", now=last)
        await bulk.verify_month(COUNTY, 202606, at)
        await bulk.post_month(COUNTY, 202606, at)

    await met(1, last)
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    await scoring.score(department, half, "", AFTER)
    for day in (8, 15):
        await met(day, AFTER + timedelta(days=20))
    await DB.execute(
        "UPDATE points.work_record SET work_date = '2025-12-15'"
        " WHERE county_id = $1 AND work_date = '2026-06-15'",
        COUNTY,
    )
    await bring_to(department, half, Stage.CLOSED, AFTER)

    async def awarded(year: int, kind: Kind, at: datetime) -> tuple[int, list[tuple[int, int]]]:
        cycle_id = await opened(department, at, kind=kind, year=year)
        await bring_to(department, cycle_id, Stage.SCORE, at)
        run = await scoring.score(department, cycle_id, "", at)
        card = await service.card(department, cycle_id, worker.person_id)
        months = await service.months(department, card)
        found = (await inputs_of(run.id))[worker.person_id]["awarded"]
        return found, [(one.month, one.awarded) for one in months]

    winter, summer = datetime(2027, 1, 5, tzinfo=UTC), datetime(2027, 7, 5, tzinfo=UTC)
    assert await awarded(2026, Kind.ANNUAL, winter) == (10, [(202606, 10)])
    assert await awarded(2027, Kind.HALF_YEAR, summer) == (0, [])


async def vetoed(worker: Member, department: Actor) -> None:
    """A veto of May that the department approved."""
    await DB.execute(
        "INSERT INTO appraisal.duty_entry (county_id, id, kind, person_id, village_code,"
        " happened_on, outcome, level, place, by_whom, facts, document, state, source, entered_at,"
        " decided_by, decided_at) VALUES ($1, $2, 'veto', $3, left($4, 12), '2026-05-01', 'fraud',"
        " '', '', '县组织部', '事实', '文件', 'standing', 'form', now(), $5, now())",
        COUNTY,
        new_id(),
        worker.person_id,
        worker.unit_code,
        department.person_id,
    )


async def test_a_veto_of_the_first_half_leaves_the_year_to_the_scores(rollback: None) -> None:
    """It fails the half-year, whose card says what the year makes of it; the year goes by score."""
    town = await small_county()
    department = await department_of(town.department)
    worker = town.worker
    for month in (202603, 202609):
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), worker.person_id, worker.unit_code[:12], month,
            Decimal(20), Decimal(16), Decimal(0),
        )  # fmt: skip
    await vetoed(worker, department)
    graded = []
    for kind, at in ((Kind.HALF_YEAR, AFTER), (Kind.ANNUAL, datetime(2027, 1, 5, tzinfo=UTC))):
        cycle_id = await opened(department, at, kind=kind)
        await bring_to(department, cycle_id, Stage.SCORE, at)
        await scoring.score(department, cycle_id, "", at)
        card = await service.card(department, cycle_id, worker.person_id)
        graded.append((card.scores.final, card.scores.grade, "年终考核按这个" in card.total_words))
        await bring_to(department, cycle_id, Stage.CLOSED, at)
    assert graded == [(8000, "fail", True), (8000, "good", False)]


async def test_a_lifted_veto_leaves_the_books_in_order(rollback: None) -> None:
    """The input keeps it; the grade that an objection gave is the one that the verifier expects.

    Another's veto stands, who said nothing against it.
    """
    town = await small_county()
    department = await department_of(town.department)
    await DB.execute(
        ATTENDANCE, COUNTY, new_id(), town.worker.person_id, town.worker.unit_code[:12], 202603,
        Decimal(20), Decimal(16), Decimal(0),
    )  # fmt: skip
    for someone in (town.worker, town.second_worker):
        await vetoed(someone, department)
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    await scoring.score(department, half, "", AFTER)
    await scoring.score(department, half, "考勤补录", AFTER)  # the first run stays as it was
    await bring_to(department, half, Stage.NOTICE, AFTER)
    worker, on = await acting(town.worker), AFTER.date()
    raised = SignForm(step="raised", words="不是我报的", effective_on=on)
    case_id = await notice.object_to(worker, half, worker.person_id, raised, AFTER)
    answer = SignForm(
        step="review_changed",
        words="查明不是本人所报",
        effective_on=on,
        answers={"score": "80.0", "veto_lifted": "1"},
        no_kin=True,
    )
    await casework.sign(await acting(town.instructor), case_id, answer, AFTER)
    card = await service.card(department, half, worker.person_id)
    assert (card.scores.grade, card.facts.veto) == ("good", True)
    found = (await verifier.verify(COUNTY)).findings
    assert [one for one in found if one.invariant.startswith("I15")] == []


async def test_days_that_the_roster_had_wrong_leave_nobody_without_a_grade(rollback: None) -> None:
    """An objection finds them; it gives a grade, and never one that would be a worse result."""
    town = await small_county()
    department = await department_of(town.department)
    clerk = await member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    people = {town.worker: Decimal(16), town.second_worker: Decimal(10)}
    for someone, days in people.items():
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), someone.person_id, someone.unit_code[:12], 202606,
            Decimal(20), days, Decimal(0),
        )  # fmt: skip
        await DB.execute(
            "UPDATE shared.assignment SET valid_from = '2026-06-01'"
            " WHERE county_id = $1 AND person_id = $2",
            COUNTY,
            someone.person_id,
        )
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    await scoring.score(department, half, "", AFTER)
    await bring_to(department, half, Stage.NOTICE, AFTER)

    async def sign(who: Member, case_id: UUID, step: str, **answers: str) -> None:
        form = SignForm(
            step=step,
            words="三月起就在岗，名册录晚了",
            effective_on=AFTER.date(),
            document="隽组〔2026〕1号",
            answers=answers,
            no_kin=True,
        )
        await casework.sign(await acting(who), case_id, form, AFTER)

    async def objected(someone: Member) -> UUID:
        actor = await acting(someone)
        form = SignForm(step="raised", words="我三月就上岗了", effective_on=AFTER.date())
        return await notice.object_to(actor, half, actor.person_id, form, AFTER)

    async def graded(someone: Member) -> tuple[str, str]:
        card = await service.card(department, half, someone.person_id)
        return card.scores.grade, card.scores.note

    case_id = await objected(town.worker)
    await sign(town.instructor, case_id, "review_changed", score="80")
    assert await graded(town.worker) == ("undetermined", "short")
    await sign(town.worker, case_id, "told")
    await sign(town.worker, case_id, "appealed")
    await sign(clerk, case_id, "appeal_upheld", score="80", days_met="1")
    assert await graded(town.worker) == ("good", "")
    found = (await verifier.verify(COUNTY)).findings
    assert [one for one in found if one.invariant.startswith("I15")] == []

    case_id = await objected(town.second_worker)
    with pytest.raises(StepRefused, match="原来不定等次，这样会变成“不合格”"):
        await sign(town.instructor, case_id, "review_changed", score="50", days_met="1")
    await sign(town.instructor, case_id, "review_kept")
    assert await graded(town.second_worker) == ("undetermined", "short")
