"""Field work: who interviews a village, what became of each visit, who comes instead.

A visit says handed out, refused or not at home; it never says which slip. Nobody sees the list of
a village but the people who run the survey and its interviewers, who are of another village.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from appraisal.cycle import queries as cycles
from appraisal.survey import queries, service
from appraisal.survey.draw import Drawn
from appraisal.survey.errors import WrongState
from appraisal.survey.rules import VISITS, may_interview
from appraisal.survey.schemas import Candidate, DrawnRow, Interviewer, SurveyRow
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.schemas import UnitRow

NOTES = {"handed": "已发票", "refused": "拒绝", "absent": "不在家"}
STATUS_NAMES = {"pending": "待访", "handed": "已发票", "refused": "拒绝", "absent": "多次不在家"}


async def assign(
    actor: Actor, survey_id: UUID, village_code: str, person_id: UUID, now: datetime
) -> None:
    """Name an interviewer of a village; raises NotFound, Invalid for one of that village.

    Nor for who worked in it within the cycle's period: these ballots are about them, too.
    """
    authority = _require_field(actor, village_code)
    survey = await _open(actor, survey_id)
    duties = await roster.duties_at(actor.county_id, person_id, today(now))
    if not duties:
        raise NotFound("没有找到这个人，或其现在没有任职。")
    if not may_interview(duties, village_code[:12]):
        raise Invalid("访问员不能是本村（社区）的人，请换别的村或乡镇的人。")
    if person_id in await _appraised(actor.county_id, survey, village_code[:12]):
        raise Invalid("这个人考核期内在本村（社区）当过网格员，请换一个人。")
    async with DB.transaction():
        named = await queries.insert_interviewer(
            actor.county_id,
            new_id(),
            survey_id,
            village_code,
            person_id,
            actor.person_id,
            now,
        )
        if named:
            await _audit(
                actor, "survey.assign", survey_id, village_code, authority, about_id=person_id
            )


async def dismiss(actor: Actor, survey_id: UUID, village_code: str, person_id: UUID) -> None:
    """The person no longer interviews the village. Raises NotFound."""
    authority = _require_field(actor, village_code)
    async with DB.transaction():
        if not await queries.end_interviewer(actor.county_id, survey_id, village_code, person_id):
            raise NotFound
        await _audit(
            actor, "survey.dismiss", survey_id, village_code, authority, about_id=person_id
        )


async def interviewers(actor: Actor, survey_id: UUID, code: str) -> list[Interviewer]:
    """The interviewers below a unit, by village."""
    _require_field(actor, code)
    return await queries.interviewers(actor.county_id, survey_id, code)


async def candidates(
    actor: Actor, survey: SurveyRow, village_code: str, now: datetime
) -> list[Candidate]:
    """People of the same township, or of the county, who may interview the village."""
    _require_field(actor, village_code)
    # On the page of a grid too, nobody of its village.
    village = village_code[:12]
    appraised = await _appraised(actor.county_id, survey, village)
    found = await queries.candidates(actor.county_id, village[:9], village, today(now))
    return [one for one in found if one.person_id not in appraised]


async def villages(actor: Actor) -> list[tuple[SurveyRow, UnitRow]]:
    """The open surveys and villages that somebody works in: as an interviewer, or runs."""
    found = []
    for survey in await queries.open_surveys(actor.county_id):
        codes = set(await queries.assigned(actor.county_id, survey.id, actor.person_id))
        units = list((await roster.units(actor.county_id, codes)).values())
        for code in reach(actor, Action.SURVEY_FIELD):
            below = await roster.units_below(actor.county_id, code, UnitKind.VILLAGE)
            units += [unit for unit in below if unit.code not in codes]
        found += [(survey, unit) for unit in units]
    return found


async def hand_out_list(
    actor: Actor, survey_id: UUID, village_code: str
) -> tuple[SurveyRow, dict[str, list[DrawnRow]], bool]:
    """A village's drawn households by grid, and whether the actor may note visits.

    Raises NotFound for whoever neither interviews the village nor runs its survey.
    """
    survey = await queries.survey(actor.county_id, survey_id)
    may_note = survey is not None and await _interviews(actor, survey_id, village_code)
    if survey is None or not (may_note or _runs(actor, village_code)):
        raise NotFound
    grids = await queries.grids(actor.county_id, survey_id, village_code)
    rows = await queries.listed(actor.county_id, survey_id, grids)
    found: dict[str, list[DrawnRow]] = {code: [] for code in grids}
    for row in rows:
        found[row.grid_code].append(row)
    return survey, found, may_note and survey.state == "drawn"


async def note_visits(
    actor: Actor,
    survey_id: UUID,
    village_code: str,
    notes: dict[UUID, str],
    now: datetime,
    *,
    known: dict[UUID, int] | None = None,
) -> int:
    """Keep what became of visits; returns how many households came onto the list.

    Whoever refused, or was away twice, is replaced in the order of the draw. ``known`` are the
    visits that the interviewer's page showed, so that one that comes twice is not two. Raises
    NotFound for others than the village's interviewers, WrongState, Invalid.
    """
    known = known or {}
    county_id = actor.county_id
    if not await _interviews(actor, survey_id, village_code):
        raise NotFound
    async with DB.transaction():
        survey = await service.locked(county_id, survey_id, "drawn")
        grids = await queries.grids(county_id, survey_id, village_code)
        rows = {row.id: row for row in await queries.listed(county_id, survey_id, grids)}
        changes = [_change(rows, one, said, known.get(one)) for one, said in notes.items()]
        await queries.note(county_id, survey_id, actor.person_id, today(now), changes)
        gone = Counter(
            (rows[one].grid_code, rows[one].villager_group)
            for one, status, _ in changes
            if status in {"refused", "absent"}
        )
        added = 0
        for grid in sorted({grid for grid, _ in gone}):
            groups = [group for (code, group), n in gone.items() if code == grid for _ in range(n)]
            added += await _replace(county_id, survey, grid, groups)
        after = {"visits": len(changes), "replacements": added}
        await _audit(actor, "survey.note", survey_id, village_code, "interviewer", after)
    return added


async def top_up(actor: Actor, survey_id: UUID, code: str) -> int:
    """Bring replacements to the grids below a unit that have too few answers; how many."""
    authority = _require_field(actor, code)
    county_id = actor.county_id
    added = 0
    async with DB.transaction():
        # Counts before the survey's row: they lock in the order in which a ballot does.
        await queries.lock_field(county_id, survey_id)
        grids = await queries.progress(county_id, survey_id, code, closed=False)
        survey = await service.locked(county_id, survey_id, "drawn")
        for grid in grids:
            if count := service.needed(grid):
                groups: list[str | None] = [None] * count
                added += await _replace(county_id, survey, grid.grid_code, groups)
        await _audit(actor, "survey.top_up", survey_id, code, authority, {"households": added})
    return added


def next_in_order(
    drawn: Sequence[Drawn], listed: Iterable[str], groups: Sequence[str | None]
) -> list[Drawn]:
    """The replacements for households that fell out: the next of the same group, else of the grid.

    ``listed`` are numbers on the list already; a group of None means the next of the grid.
    """
    known = set(listed)
    waiting = [one for one in drawn if one.number not in known]
    found = []
    for group in groups:
        same = [one for one in waiting if one.group == group] or waiting
        if not same:
            break
        found.append(same[0])
        waiting.remove(same[0])
    return found


async def _replace(
    county_id: int, survey: SurveyRow, grid_code: str, groups: Sequence[str | None]
) -> int:
    drawn = await service.drawn_grid(county_id, survey, grid_code)
    listed = await queries.listed(county_id, survey.id, [grid_code])
    chosen = next_in_order(drawn, (row.number for row in listed), groups)
    return await queries.insert_drawn(county_id, survey.id, [(new_id(), one) for one in chosen])


def _change(
    rows: dict[UUID, DrawnRow], one: UUID, said: str, known: int | None
) -> tuple[UUID, str, int]:
    """The household's new status and visits; raises Invalid."""
    row = rows.get(one)
    if row is None or said not in NOTES:
        raise Invalid("名单已有变化，请刷新后再填。")
    if row.status != "pending":
        raise Invalid(f"{row.number} 号户已登记为“{STATUS_NAMES[row.status]}”，不能再改。")
    if known is not None and known != row.visits:
        raise Invalid(f"{row.number} 号户刚刚登记过一次“不在家”，没有重复登记，请核对。")
    if said == "absent" and row.visits + 1 < VISITS:
        return one, "pending", row.visits + 1
    return one, said, row.visits + 1


async def _open(actor: Actor, survey_id: UUID) -> SurveyRow:
    survey = await queries.survey(actor.county_id, survey_id)
    if survey is None:
        raise NotFound
    if survey.state == "closed":
        raise WrongState("这次测评已经结束。")
    return survey


async def _appraised(county_id: int, survey: SurveyRow, village: str) -> set[UUID]:
    """Gridworkers of a village at any time of the cycle's period, wherever they are now."""
    cycle = await cycles.cycle(county_id, survey.cycle_id)
    if cycle is None:  # a foreign key keeps it
        raise NotFound
    spans = await roster.workers(county_id, village, cycle.starts_on, cycle.ends_on)
    return {span.person_id for span in spans}


async def _interviews(actor: Actor, survey_id: UUID, village_code: str) -> bool:
    """Assigned, and today still nobody of that village."""
    codes = await queries.assigned(actor.county_id, survey_id, actor.person_id)
    return village_code in codes and may_interview(actor.duties, village_code[:12])


def _runs(actor: Actor, code: str) -> bool:
    return allowed(actor, Action.SURVEY_FIELD, Target(unit_code=code)).allowed


def _require_field(actor: Actor, code: str) -> str:
    return require(actor, Action.SURVEY_FIELD, Target(unit_code=code))


async def _audit(
    actor: Actor,
    action: str,
    survey_id: UUID,
    unit_code: str,
    authority: str,
    after: object = None,
    about_id: UUID | None = None,
) -> None:
    await audit.record(
        actor,
        action,
        "survey",
        survey_id,
        county_id=actor.county_id,
        about_id=about_id,
        unit_code=unit_code,
        after=after,
        authority=authority,
    )
