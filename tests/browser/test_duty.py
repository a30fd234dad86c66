"""Duty, training and templates in the browser: at the desk, in the field, on a worker's phone."""

from datetime import date

import msgspec

from appraisal.cycle.rules import Kind, Stage
from appraisal.duty import drawing, entries, service
from appraisal.duty.rules import EntryKind
from appraisal.training import service as training
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.test_drawing import form, posted
from tests.appraisal.duty.world import NOW, fact, line
from tests.appraisal.training.test_service import came, session
from tests.browser.checks import assert_keeps_the_rules
from tests.browser.conftest import SignIn
from tests.factories import SmallCounty, acting, small_county
from tests.shared.identity.worlds import with_pin

DESK = "/appraisal/desk"


class Lived(msgspec.Struct):
    """A township with something of everything, and where to look at it."""

    town: SmallCounty
    desk: list[str]
    check: str


async def lived_in() -> Lived:
    """A sheet with a correction, entries of two kinds, a check half done, a course."""
    town = await small_county()
    for who in (town.worker, town.instructor):
        await with_pin(who)
    department = await acting(town.department, desk=True)
    instructor = await acting(town.instructor)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    await service.save(instructor, [line(town.worker)], NOW)
    await service.save(instructor, [line(town.worker, "17")], NOW, reason="数错一天")
    first = await entries.add(instructor, fact(town.worker), NOW)
    again = fact(town.worker, place="渡口")
    entry = await entries.correct(instructor, first, again, "地点记错", NOW)
    veto = await entries.add(instructor, fact(town.second_worker, EntryKind.VETO), NOW)
    for day in (8, 15):
        await posted(town.worker, town.lead, date(2026, 11, day))
    check = await drawing.open_check(instructor, form(per_person=2), NOW)
    await drawing.draw(instructor, check, "07 12 31", "会场摇号", NOW)
    waiting = await drawing.open_check(instructor, form(title="还没抽的核查"), NOW)
    course = await training.add_session(instructor, session(), NOW)
    await training.record(instructor, course, [came(town.worker, "88")], NOW)
    return Lived(
        town,
        [
            f"{DESK}/duty?month=202610",
            f"{DESK}/duty?month=202610&unit=421222100",
            f"{DESK}/duty/people/{town.worker.person_id}",
            f"{DESK}/duty/entries",
            f"{DESK}/duty/entries/{entry}",
            f"{DESK}/duty/entries/{entry}/correct",
            f"{DESK}/duty/entries/{veto}",
            f"{DESK}/duty/entries/new?kind=complaint",
            f"{DESK}/duty/random",
            f"{DESK}/duty/random/new",
            f"{DESK}/duty/random/{check}",
            f"{DESK}/duty/random/{waiting}",
            f"{DESK}/cycles/{cycle_id}/duty",
            f"{DESK}/cycles/{cycle_id}/training",
            f"{DESK}/training",
            f"{DESK}/training/{course}",
            f"{DESK}/intake/attendance",
            f"{DESK}/documents",
        ],
        f"/appraisal/duty/random/{check}",
    )


async def test_desk_pages_of_duty_keep_the_rules(committed: None, desk_sign_in: SignIn) -> None:
    """Contrast, names, targets in every look."""
    made = await lived_in()
    page = await desk_sign_in(made.town.department)
    for path in made.desk:
        await page.goto(path)
        await assert_keeps_the_rules(page, phone=False)


async def test_phone_pages_of_duty_keep_the_rules(committed: None, sign_in: SignIn) -> None:
    """The instructor in the field and the worker's own, in every look."""
    made = await lived_in()
    page = await sign_in(made.town.instructor)
    for path in ("/appraisal/duty", "/appraisal/duty/new?kind=check", made.check):
        await page.goto(path)
        await assert_keeps_the_rules(page)
    page = await sign_in(made.town.worker)
    for path in ("/appraisal/me/duty", "/appraisal/me/training"):
        await page.goto(path)
        await assert_keeps_the_rules(page)


async def test_an_instructor_records_a_check_in_the_field(committed: None, sign_in: SignIn) -> None:
    """From 我的 to the answer; the worker then reads it."""
    made = await lived_in()
    page = await sign_in(made.town.instructor)
    await page.goto("/me")
    await page.get_by_role("link", name="履职数据").click()
    await page.get_by_role("link", name="记现场抽查").click()
    await page.get_by_text("合格", exact=True).click()
    await page.get_by_label("网格员").select_option(str(made.town.second_worker.person_id))
    await page.get_by_label("抽查地点").fill("卫生室")
    await page.get_by_role("button", name="登记", exact=True).click()
    await page.get_by_text("已登记。").wait_for()
    rows = await entries.own(await acting(made.town.second_worker))
    assert [(row.place, row.outcome, row.source) for row in rows] == [("卫生室", "passed", "phone")]
