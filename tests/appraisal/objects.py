"""One object of every kind that a path of the appraisal service can name, of the first village.

A half-year whose results are out, surveyed, with two runs, a notice, an objection and a contest;
a year that collects, with a drawn survey and printed slips; a veto, a drawn check, a training, a
refused file, a kinship and a protection.
"""

from collections.abc import Container, Mapping
from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.casework import queries as cases
from appraisal.casework import service as casework
from appraisal.cycle.rules import Kind, Stage
from appraisal.duty import drawing, entries
from appraisal.duty.rules import EntryKind
from appraisal.intake import service as intake
from appraisal.intake.kinds import KINDS
from appraisal.notice import service as notice
from appraisal.notice.schemas import ContestForm, NoticeForm
from appraisal.pool import service as pools
from appraisal.pool.rules import Protection
from appraisal.pool.schemas import ShieldForm
from appraisal.ranking import freezing
from appraisal.scorecard import queries as scorecards
from appraisal.scorecard import scoring
from appraisal.survey import ballots, field, households, slips
from appraisal.survey import service as surveys
from appraisal.survey.rules import Answers
from appraisal.survey.service import DrawForm, FreezeForm
from appraisal.training import service as training
from shared.clock import now, today
from shared.identity.actor import Actor
from shared.roster.roles import Role
from tests.appraisal.casework.scene import Scene, form, result, served
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.test_drawing import drawn, posted
from tests.appraisal.duty.test_sheets import HEAD
from tests.appraisal.duty.world import book, fact
from tests.appraisal.scorecard.worlds import stored_run
from tests.appraisal.survey.world import VALUE, VILLAGE, sheet
from tests.appraisal.training.test_service import came, session
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county
from tests.shared.identity.test_matrix import ABSENT

OBJECTOR, CONTACT = "游建设", "13907150715"
WORDS = "培训学时少算了八小时"
FACTS = "转发名册给外人"


class Things(msgspec.Struct, frozen=True):
    """The county, the objects' ids by their names in the paths, and what nobody else may read."""

    town: SmallCounty
    ids: Mapping[str, str]
    instead: Mapping[str, Mapping[str, str]]
    """Beginning of a path → ids that differ there."""
    contest_id: str
    words: Mapping[str, str]
    """Word in a form → the id that it stands for."""
    clerk: Member
    marks: tuple[str, ...]

    def named(self, path: str) -> dict[str, str]:
        """The ids for a path."""
        found = dict(self.ids)
        for start, other in self.instead.items():
            if path.startswith(start):
                found |= other
        return found

    def absent(self, path: str, kept: Container[str]) -> dict[str, str]:
        """Ids of the same form that belong to nothing, but for those that are known anyway."""
        words = {"number", "name", "pool"}
        nothing = dict.fromkeys(self.ids, ABSENT) | {"village_code": "421222199999"}
        named = self.named(path)
        return nothing | {name: named[name] for name in named if name in kept or name in words}


async def things() -> Things:
    """All of it, through the services."""
    at = now()
    town = await small_county()
    clerk = await member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    department = msgspec.structs.replace(await acting(town.department, desk=True), confirmed_at=at)
    await households.import_households(None, COUNTY, sheet(), "住户.csv")
    made = Scene(town, await _results(town, department, at), clerk, at)
    notice_id = await notice.issue_results(department, made.cycle_id, NoticeForm(), at)
    case_id, contest_id = await _said(made, notice_id)
    survey_id, words = await _survey(made, department)
    worker = town.worker
    found = {
        **await _duty(made),
        **await _kept(made),
        "cycle_id": made.cycle_id,
        "person_id": worker.person_id,
        "case_id": case_id,
        "notice_id": notice_id,
        "survey_id": survey_id,
    }
    faulty = found.pop("faulty")
    check_id, person_id = found["check_id"], str(worker.person_id)
    [item] = await drawing.items(department, check_id)
    list_of_one = "网格编码,户号\n421222199999001,1".encode()
    refused = await households.import_households(None, COUNTY, list_of_one, "住户.csv")
    run_id = await households.keep(department, list_of_one, "住户.csv", refused, at)
    return Things(
        town=town,
        ids={name: str(value) for name, value in found.items()}
        | {"village_code": VILLAGE, "number": "1", "name": "attendance", "pool": "warning"},
        instead={
            "/appraisal/desk/documents/": {"name": "sheet"},
            "/appraisal/desk/households/": {"run_id": str(run_id)},
            "/appraisal/desk/intake/{name}/{run_id}/report.xlsx": {"run_id": str(faulty)},
        },
        contest_id=str(contest_id),
        words=words | {"PERSON": person_id, "ITEM": str(item.id)},
        clerk=clerk,
        marks=(worker.name, town.second_worker.name, OBJECTOR, CONTACT, WORDS, FACTS),
    )


async def _results(town: SmallCounty, department: Actor, at: datetime) -> UUID:
    """A surveyed half-year, scored twice, its results out: the second run as the test says."""
    cycle_id = await opened(department, at)
    await bring_to(department, cycle_id, Stage.COLLECT, at)
    await _drawn(department, cycle_id, at)
    await surveys.close(department, cycle_id, at)
    await bring_to(department, cycle_id, Stage.SCORE, at)
    await scoring.score(department, cycle_id, "", at)
    run_id = await stored_run(cycle_id, [])
    await scorecards.make_current(COUNTY, cycle_id, run_id, 3)
    made = Scene(town, cycle_id, town.department, at)
    await result(made, town.worker, "basic", "64.0")
    await result(made, town.second_worker, "excellent", "95.0")
    await result(made, town.cousin_worker, "good", "80.0")
    await freezing.freeze(COUNTY, run_id)
    await bring_to(department, cycle_id, Stage.NOTICE, at)
    return cycle_id


async def _drawn(department: Actor, cycle_id: UUID, at: datetime) -> None:
    await surveys.freeze(department, cycle_id, FreezeForm(value_source="双色球开奖号码"), at)
    await surveys.draw_sample(department, cycle_id, DrawForm(public_value=VALUE), at)


async def _said(made: Scene, notice_id: UUID) -> tuple[UUID, UUID]:
    """The worker objects to the own result, and somebody to the colleague's place on the list."""
    await served(made, made.town.worker)
    given = form(made, "raised")
    given = msgspec.structs.replace(given, words=WORDS, answers={})
    worker = made.town.worker
    case_id = await notice.object_to(
        await acting(worker), made.cycle_id, worker.person_id, given, made.now
    )
    contest = ContestForm(
        entry=1,
        objector=OBJECTOR,
        contact=CONTACT,
        channel="visit",
        words="半年没有上过门。",
        received_on=made.today,
        no_kin=True,
    )
    clerk = await acting(made.clerk, desk=True)
    return case_id, await notice.contest(clerk, notice_id, contest, made.now)


async def _survey(made: Scene, department: Actor) -> tuple[UUID, dict[str, str]]:
    """The year's survey: its id; a slip, one that two people read differently, a household."""
    at, instructor = made.now, await acting(made.town.instructor)
    cycle_id = await opened(department, at, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, at)
    await _drawn(department, cycle_id, at)
    _, survey = await surveys.of_cycle(department, cycle_id)
    assert survey is not None
    interviewer = await acting(made.town.cousin_worker)
    await field.assign(department, survey.id, VILLAGE, interviewer.person_id, at)
    printed = await slips.print_slips(department, survey.id, VILLAGE, "http://points", at)
    first, second = (slip.url.rpartition("/")[2] for slip in printed[:2])
    for keying, value in ((department, 100), (instructor, 80)):
        answers = Answers(aware=True, values=(value,) * 6, comment="")
        await ballots.key_paper(keying, survey.id, second, answers)
    _, listed, _ = await field.hand_out_list(interviewer, survey.id, VILLAGE)
    [household, *_] = [row.id for rows in listed.values() for row in rows]
    return survey.id, {
        "FIRST-SLIP": first,
        "SECOND-SLIP": second,
        "HOUSEHOLD": str(household),
        "INTERVIEWER": str(interviewer.person_id),
    }


async def _duty(made: Scene) -> dict[str, UUID]:
    """What the township's instructor entered about the worker."""
    town, worker = made.town, made.town.worker
    instructor = await acting(town.instructor)
    await posted(worker, town.lead, date(2026, 11, 8))
    session_id = await training.add_session(instructor, session(), made.now)
    await training.record(instructor, session_id, [came(worker, "80")], made.now)
    wrong = book(HEAD, ["十月", worker.unit_code, worker.name, 18, 17, 1, ""])
    right = book(HEAD, [202610, worker.unit_code, worker.name, 18, 17, 1, ""])
    run_id, _ = await intake.preview(instructor, KINDS["attendance"], right, made.now)
    faulty, _ = await intake.preview(instructor, KINDS["attendance"], wrong, made.now)
    veto = fact(worker, EntryKind.VETO, facts=FACTS)
    return {
        "entry_id": await entries.add(instructor, veto, made.now),
        "check_id": await drawn(town, people=1, per_person=1),
        "session_id": session_id,
        "run_id": run_id,
        "faulty": faulty,
    }


async def _kept(made: Scene) -> dict[str, UUID]:
    """A kinship and a protection of the worker."""
    clerk, worker = await acting(made.clerk, desk=True), made.town.worker
    await casework.record_kin(clerk, made.town.accountant.name, worker.name, made.now)
    [kin] = await cases.kinships(COUNTY)
    shield = ShieldForm(kind=Protection.MATERNITY, starts_on=today(made.now), document="证明1号")
    await pools.record_shield(clerk, worker.person_id, shield, made.now)
    _, [kept] = await pools.shields(clerk, worker.person_id, made.now)
    return {"kin_id": kin.id, "shield_id": kept.id}
