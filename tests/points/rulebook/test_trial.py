"""试算: a new version on the records of the last half-year, before it counts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from points.errors import RuleRefused
from points.rulebook import service
from points.rulebook.rules import Caps, Category, Rule
from points.work import trial
from points.work.trial import Line
from shared.clock import today
from shared.database import DB
from shared.errors import NotFound
from tests.factories import COUNTY, Member, SmallCounty, acting, small_county
from tests.points.work.test_photo_retention import record
from tests.shared.identity.test_web import enter_desk, post

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


async def did(town: SmallCounty, who: Member, day: date, posted: int, **more: Any) -> UUID:
    """Posted work."""
    given = {
        "worker_id": who.person_id,
        "grid_code": who.unit_code,
        "work_date": day,
        "run_month": day.year * 100 + day.month,
        "gives": max(posted, 10),
        "posted": posted,
    }
    return await record(town, b"", **given | more)


async def another(code: str = "SVC-01", /, **change: object) -> Rule:
    """A rule in a version of next year."""
    await service.ensure_seeded(COUNTY)
    old = (await service.history(COUNTY, code))[-1]
    return msgspec.structs.replace(old, effective_from=date(2027, 1, 1), **change)


async def test_caps_cut_the_trial_as_they_cut_postings(rollback: None) -> None:
    """The day's cap, the month's, what other work took of the category; township by township."""
    town = await small_county()
    new = await another(points=20, cap_day=30, cap_month=60)
    for day in (1, 1, 8, 15, 22):
        await did(town, town.worker, date(2026, 6, day), 10)
    await did(town, town.second_worker, date(2026, 7, 3), 10)
    await did(town, town.second_worker, date(2026, 7, 4), 185, rule_code="SVC-04")
    await did(town, town.cousin_worker, date(2026, 10, 31), 0)
    await did(town, town.worker, date(2026, 4, 30), 10)
    await did(town, town.worker, date(2026, 6, 9), 10, state="reversed")
    desk = await acting(town.department, desk=True)
    found = await trial.of_rule(desk, new, NOW)
    assert (found.first, found.last, found.records) == (date(2026, 5, 1), date(2026, 10, 31), 7)
    near, far, everybody = found.lines
    # 30 of the first day, 20, then what is left of 60; 15 of the category's 200; 20
    assert (near.workers, near.before, near.after, near.gain, near.lose) == (2, 60, 75, 2, 0)
    assert (far.workers, far.before, far.after, far.gain) == (1, 0, 20, 1)
    assert everybody == Line(name="合计", workers=3, before=60, after=95, gain=3, lose=0)


async def test_the_same_points_come_out_as_they_went_in(rollback: None) -> None:
    """A lower version is a loss, what was cut wrongly a gain; and nothing is written."""
    town = await small_county()
    for day in (1, 1, 1, 1, 9):
        await did(town, town.worker, date(2026, 6, day), 10 if day == 9 else 7)
    desk = await acting(town.department, desk=True)
    before = await DB.fetch("SELECT * FROM points.work_record WHERE county_id = $1", COUNTY)
    lower = await trial.of_rule(desk, await another(points=5), NOW)
    assert (lower.lines[-1].before, lower.lines[-1].after, lower.lines[-1].lose) == (38, 25, 1)
    renamed = await trial.of_rule(desk, await another(title="代办"), NOW)
    assert (renamed.lines[-1].after, renamed.lines[-1].gain) == (40, 1)
    assert before == await DB.fetch("SELECT * FROM points.work_record WHERE county_id = $1", COUNTY)
    assert len(await service.history(COUNTY, "SVC-01")) == 1


async def test_visits_and_repeats_count_once_in_a_trial_too(rollback: None) -> None:
    """A posted record is neither its own earlier visit nor what it repeats."""
    town = await small_county()
    for day, posted in ((1, 10), (3, 0), (8, 10)):
        visit = {"rule_code": "CARE-01", "category": "CARE", "household": "3-12"}
        await did(town, town.worker, date(2026, 6, day), posted, **visit)
    for day in (1, 3, 20):
        await did(town, town.worker, date(2026, 6, day), 10, text_key="代办医保")
    desk = await acting(town.department, desk=True)
    visits = await trial.of_rule(desk, await another("CARE-01", points=15), NOW)
    assert (visits.lines[-1].before, visits.lines[-1].after) == (20, 30)
    repeats = await trial.of_rule(desk, await another(repeat_zero=True), NOW)
    assert (repeats.lines[-1].before, repeats.lines[-1].after) == (30, 20)


async def other_caps(*, svc: int = 200, **change: Any) -> Caps:
    """Caps of next year."""
    old = await service.caps_at(COUNTY, NOW.date())
    months = old.category_month | {Category.SVC: svc}
    return msgspec.structs.replace(
        old, category_month=months, effective_from=date(2027, 1, 1), **change
    )


async def test_other_caps_are_tried_on_all_records(rollback: None) -> None:
    """By each record's own rule, in order of days; what other months gave counts in the year."""
    town = await small_county()
    for day in (1, 2):
        await did(town, town.worker, date(2026, 6, day), 50, rule_code="SVC-04")
    for day in range(3, 9):
        await did(town, town.worker, date(2026, 6, day), 10)
    await did(town, town.worker, date(2026, 6, 9), 10, rule_code="ORG-02", category="ORG")
    await did(town, town.cousin_worker, date(2026, 4, 30), 595, rule_code="SVC-04")
    await did(town, town.cousin_worker, date(2026, 10, 31), 10)
    desk = await acting(town.department, desk=True)
    found = await trial.of_caps(desk, await other_caps(svc=130, person_year=600), NOW)
    assert (found.first, found.last, found.records) == (date(2026, 5, 1), date(2026, 10, 31), 10)
    near, far, everybody = found.lines
    # 130 of the category and the meeting's 10; what is left of the year's 600
    assert (near.workers, near.before, near.after, near.lose) == (1, 170, 140, 1)
    assert (far.workers, far.before, far.after, far.lose) == (1, 10, 5, 1)
    assert everybody == Line(name="合计", workers=2, before=180, after=145, gain=0, lose=2)
    wider = await trial.of_caps(desk, await other_caps(svc=210), NOW)
    assert (wider.lines[-1].before, wider.lines[-1].after) == (180, 180)
    assert len(await service.caps_versions(COUNTY)) == 1


async def test_only_caps_that_may_come_into_force_are_tried(rollback: None) -> None:
    """Caps that could not be saved, and somebody who could not save them."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    for wrong in (await other_caps(), await other_caps(svc=10), await other_caps(person_year=10)):
        with pytest.raises(RuleRefused):
            await trial.of_caps(desk, wrong, NOW)
    with pytest.raises(NotFound):
        await trial.of_caps(await acting(town.chief), await other_caps(svc=130), NOW)
    empty = await trial.of_caps(desk, await other_caps(svc=130), NOW)
    assert (empty.records, empty.lines) == (0, [])


async def test_the_form_of_caps_is_tried_too(client: httpx.AsyncClient) -> None:
    """The figures stand above the form with what was typed; 保存 saves it."""
    town = await small_county()
    await did(town, town.worker, today().replace(day=1) - timedelta(days=1), 10)
    await enter_desk(client, town.department)
    assert "先试算" in (await client.get("/desk/rules-caps")).text
    form = {
        **dict.fromkeys(("ORG", "SVC", "OPN", "MED", "CARE", "LAW"), "20"),
        "person_month": "60",
        "person_year": "620",
        "effective_from": str(today() + timedelta(days=5)),
    }
    tried = await post(client, "/desk/rules-caps", act="try", **form)
    assert tried.status_code == 200
    for words in ("已入账的 1 条按下面的新的上限计", 'value="620"', "隽水镇", "合计"):
        assert words in tried.text, words
    assert len(await service.caps_versions(COUNTY)) == 1
    wrong = await post(client, "/desk/rules-caps", act="try", **form | {"person_year": "1"})
    assert wrong.status_code == 422
    assert (await post(client, "/desk/rules-caps", act="save", **form)).status_code == 303
    assert len(await service.caps_versions(COUNTY)) == 2


async def test_only_what_may_come_into_force_is_tried(rollback: None) -> None:
    """A version that could not be saved, and somebody who could not save it."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    for change in ({"points": 0}, {"per": 0}, {}):
        with pytest.raises(RuleRefused):
            await trial.of_rule(desk, await another(**change), NOW)
    with pytest.raises(NotFound):
        await trial.of_rule(await acting(town.chief), await another(points=20), NOW)
    empty = await trial.of_rule(desk, await another(points=20), NOW)
    assert (empty.records, empty.lines) == (0, [])


async def test_the_form_is_tried_and_keeps_what_was_typed(client: httpx.AsyncClient) -> None:
    """The figures stand above the form; nothing is saved before 保存新版."""
    town = await small_county()
    month = today().replace(day=1) - timedelta(days=1)
    await did(town, town.worker, month, 10)
    await enter_desk(client, town.department)
    await client.get("/desk/rules/SVC-01")
    form = {
        "version": "1",
        "title": "代办帮办民生事项",
        "points": "2.5",
        "cap_day": "3",
        "cap_month": "12",
        "per": "1",
        "steps": "V1",
        "evidence": "optional",
        "effective_from": str(today() + timedelta(days=5)),
    }
    tried = await post(client, "/desk/rules/SVC-01", act="try", **form)
    assert tried.status_code == 200
    for words in ("已入账的 1 条按下面的新版计", "+1.5", 'value="2.5"', "隽水镇", "合计"):
        assert words in tried.text, words
    assert len(await service.history(COUNTY, "SVC-01")) == 1
    wrong = await post(client, "/desk/rules/SVC-01", act="try", **form | {"cap_day": "1"})
    assert wrong.status_code == 422
    assert (await post(client, "/desk/rules/SVC-01", act="save", **form)).status_code == 303
