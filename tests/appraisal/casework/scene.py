"""A cycle whose results are out, and the steps of its cases in few words."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.casework import service as casework
from appraisal.casework.schemas import CaseRow, SignForm
from appraisal.cycle.rules import Kind, Stage
from appraisal.notice import service as notice
from appraisal.notice.schemas import ServeForm
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster.roles import Employment, Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import COLUMNS, worker
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county

NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)
"""A Tuesday, after the half-year."""
NOW_LONG_AGO = datetime(2026, 8, 3, 4, tzinfo=UTC)
NEXT_YEAR = """
2027-01-01 至 2027-01-03 休 元旦
2027-02-05 至 2027-02-11 休 春节
2027-04-05 休 清明节
2027-05-01 至 2027-05-05 休 劳动节
2027-06-09 休 端午节
2027-09-15 休 中秋节
2027-10-01 至 2027-10-07 休 国庆节
"""
"""Sixty days after a September warning lie in the next year."""
SERVICE = {"how": "signed"}
CHECK = {"adult": "1", "residence": "local", "schooling": "high", "clean": "1"}
ANSWERS = {
    **SERVICE,
    **CHECK,
    "score": "81.5",
    "present": "40",
    "against": "31",
    "list_kind": "reserve",
    "employment": "village_paid",
    "starts_on": "2026-11-02",
    "term_until": "2026-09-30",
    "hearing": "9月10日上午9时，镇政府会议室",
    "unprotected": "1",
    "kind": "training",
    "undelivered": "unknown",
}
"""An answer to whatever a step may ask."""


class Scene(msgspec.Struct):
    """The small county, a cycle whose results are out, and a second department clerk."""

    town: SmallCounty
    cycle_id: UUID
    clerk: Member
    now: datetime

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)

    @property
    def today(self) -> date:
        return today(self.now)


async def scene(
    *, kind: Kind = Kind.HALF_YEAR, stage: Stage = Stage.NOTICE, now: datetime = NOW
) -> Scene:
    """The department of one clerk has passed the results on; the other clerk has not."""
    town = await small_county()
    clerk = await member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    department = await acting(town.department, desk=True)
    await calendar.replace_year(department, 2027, NEXT_YEAR)
    cycle_id = await opened(department, now, kind=kind)
    await bring_to(department, cycle_id, stage, now)
    return Scene(town, cycle_id, clerk, now)


async def result(
    made: Scene,
    someone: Member,
    grade: str,
    final: str,
    *,
    ballots: int = 25,
    half_width: str = "8.0",
    note: str = "",
    cycle_id: UUID | None = None,
    first_final: int | None = None,
) -> None:
    """A score as a run would have left it."""
    cycle_id = cycle_id or made.cycle_id
    cents = int(Decimal(final) * 100)
    facts = worker(
        person_id=someone.person_id,
        name=someone.name,
        grid_code=someone.unit_code,
        ballots=ballots,
        half_width=int(Decimal(half_width) * 10) if half_width else None,
        veto=note == "veto",
        first_final=first_final,
    )
    places = ", ".join(f"${number}" for number in range(3, 3 + len(COLUMNS)))
    run_id = await DB.fetchval(
        "SELECT id FROM appraisal.run WHERE county_id = $1 AND cycle_id = $2 AND current",
        COUNTY,
        cycle_id,
    )
    await DB.execute(
        f"INSERT INTO appraisal.input (county_id, run_id, {', '.join(COLUMNS)})"
        f" VALUES ($1, $2, {places})",
        COUNTY,
        run_id,
        *(facts[name] for name in COLUMNS),
    )
    await DB.execute(
        "INSERT INTO appraisal.score (county_id, run_id, person_id, satisfaction, plus, minus,"
        " present, rate, calculated, final, grade, note)"
        " VALUES ($1, $2, $3, 3000, 0, 0, 100, 0, $4, $4, $5, $6)",
        COUNTY,
        run_id,
        someone.person_id,
        cents,
        grade,
        note,
    )


async def served(made: Scene, someone: Member) -> None:
    """The result was signed for today."""
    form = ServeForm(how="signed", served_on=made.today)
    await notice.serve(
        await acting(made.town.chief), made.cycle_id, someone.person_id, form, made.now
    )


def form(made: Scene, step: str, *, on: date | None = None, **answers: str) -> SignForm:
    """A step filled in as it should be."""
    return SignForm(
        step=step,
        words="情况属实，按规定办理。",
        effective_on=on or made.today,
        document="隽组〔2026〕1号",
        answers=ANSWERS | answers,
        no_kin=True,
    )


async def sign(
    made: Scene, who: Member, case_id: UUID, step: str, *, on: date | None = None, **answers: str
) -> CaseRow:
    """One step by somebody, today."""
    actor = await actor_of(made, who)
    return await casework.sign(actor, case_id, form(made, step, on=on, **answers), made.now)


async def actor_of(made: Scene, who: Member) -> Actor:
    """The person with the duties of the scene's day."""
    return await acting(who, on=made.today, desk=who.role is Role.DEPARTMENT)


async def gridworker(made: Scene, employment: Employment) -> Member:
    """A further gridworker of the first village."""
    grid = made.town.units["421222100001001"]
    return await member(Role.GRIDWORKER, grid, f"韦{new_id().hex[-4:]}", employment=employment)
