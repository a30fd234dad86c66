from collections import Counter
from datetime import datetime, timedelta

import pytest

from appraisal.casework import service as casework
from appraisal.casework.rules import Pool
from appraisal.cycle import service as cycles
from appraisal.duty import drawing
from appraisal.ranking import service as ranking
from appraisal.ranking.schemas import Wanted
from appraisal.survey import service as surveys
from appraisal.survey import slips
from appraisal.verifier import service as verifier
from deploy.demo import county as data
from deploy.demo.acting import act
from deploy.demo.halves import Half
from deploy.demo.seed import PHONE, seed_demo, totp
from points.ledger import service as ledger
from points.oversight import service as oversight
from shared import settings_county
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict
from shared.identity import signin
from shared.roster import service as roster
from shared.settings import Settings


async def test_demo_county_is_ready_to_play_in(committed: None, settings: Settings) -> None:
    """Made once, and everybody in the table can sign in."""
    demo = await seed_demo(settings)
    again = await seed_demo(settings)
    assert (demo.made, again.made, again.sign_ins) == (True, False, demo.sign_ins)
    assert (await settings_county.get(data.COUNTY)).posting_mode == "immediate"
    for line in demo.sign_ins:
        who = (data.COUNTY, line.phone, line.secret)
        if line.path == PHONE:
            session = await signin.sign_in(*who, now())
        else:
            session = await signin.desk_sign_in(*who, totp(now()), now())
        assert session.token
    earlier = await DB.fetch(
        "SELECT DISTINCT state FROM points.work_record WHERE county_id = $1 AND work_date < $2",
        data.COUNTY,
        today().replace(day=1),
    )
    assert [row["state"] for row in earlier] == ["posted"]
    statements = await DB.fetch(
        "SELECT state, line_count FROM points.statement WHERE county_id = $1", data.COUNTY
    )
    assert {row["state"] for row in statements} == {"built", "frozen"}
    worker = await roster.person_by_phone(
        data.COUNTY, next(line.phone for line in demo.sign_ins if line.name == "欧阳金山")
    )
    assert worker
    assert (await ledger.balances(data.COUNTY, worker.id)).wallet >= 300
    assert await DB.fetchval(
        "SELECT count(*) FROM points.awaiting WHERE county_id = $1 AND remaining > 0", data.COUNTY
    )


async def test_demo_county_has_appraised(rollback: None, settings: Settings) -> None:
    """A closed half-year with a valid result, ranks, an answered objection; one that collects.

    A contest that the department may decide, a vacancy with an applicant, a check half done, one
    clue for the auditor; and the verifier finds that everything in it holds.
    """
    await seed_demo(settings)
    running = Half.open_at(now())
    found = await DB.fetch(
        "SELECT kind, year, state FROM appraisal.cycle WHERE county_id = $1 ORDER BY starts_on",
        data.COUNTY,
    )
    halves = [(running.before.before, "closed"), (running.before, "closed"), (running, "collect")]
    assert [tuple(row) for row in found] == [(one.kind, one.year, to) for one, to in halves]
    person = await roster.person_by_phone(data.COUNTY, data.phone(1))
    assert person
    department = await act(person.id, now())
    cycle, past, _ = await cycles.cycles(department)
    listing = await ranking.listing(department, past.id, Wanted())
    workers = sum(len(village.workers) for village in data.VILLAGES)
    assert (len(listing.rows), listing.total) == (workers, workers)
    grades = Counter(row.grade for row in listing.rows)
    assert grades.keys() >= {"excellent", "good", "basic"}
    _, survey = await surveys.of_cycle(department, cycle.id)
    assert survey
    assert survey.state == "drawn"
    printed = await slips.print_slips(
        department, survey.id, data.VILLAGES[0].code, settings.public_url, now()
    )
    assert len(printed) == 3 * survey.per_grid
    valid = await DB.fetchval(
        "SELECT count(*) FROM appraisal.survey_result"
        " WHERE county_id = $1 AND cycle_id = $2 AND valid",
        data.COUNTY,
        past.id,
    )
    assert valid == workers - 1
    cases = [
        (case.machine, case.done)
        for pool in Pool
        for case in (await casework.listed(department, pool))[0]
    ]
    assert sorted(cases) == [
        ("admission", False),
        ("contest_pool", False),
        ("improvement", False),
        ("objection", True),
        ("recommendation", False),
    ]
    [contest] = [
        case
        for case in (await casework.listed(department, Pool.OBJECTION))[0]
        if case.machine == "contest_pool"
    ]
    view = await casework.view(department, contest.id, now())
    assert {choice.step.key for choice in view.choices if not choice.reason} == {
        "contest_kept",
        "contest_dropped",
        "withdrawn",
    }
    assert (await verifier.verify(data.COUNTY)).findings == ()
    last_month = today().replace(day=1) - timedelta(days=1)
    found = await oversight.look(department, f"{last_month:%Y-%m}")
    assert [kind.title for kind in found if kind.clues] == ["库存改数多的店"]
    checks = await drawing.checks(department)
    assert [(check.state, check.items > check.checked) for check in checks] == [
        ("drawn", True),
        ("drawn", False),
    ]


@pytest.mark.parametrize("day", ["2026-08-29", "2027-01-02", "2027-03-02"])
def test_the_running_half_year_leaves_time_to_close_the_one_before(day: str) -> None:
    """However late in the year the demo is started, the closed cycle is over."""
    at = datetime.fromisoformat(f"{day}T10:00:00+08:00")
    assert Half.open_at(at).before.after(46) < at


async def test_demo_never_touches_a_real_county(rollback: None, settings: Settings) -> None:
    await roster.add_county(421222, "通城县")
    with pytest.raises(Conflict, match="别的县"):
        await seed_demo(settings)
