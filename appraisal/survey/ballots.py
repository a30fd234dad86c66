"""A ballot: a slip burnt and an answer stored in one transaction, and nothing else.

No log line, no audit event, no time, no address, no person: whoever adds one here breaks the
promise on the slip. From a phone the slip's token opens the page; a paper is keyed in by two
people whose keyings agree, or a third one decides.
"""

from uuid import UUID

import msgspec

from appraisal.survey import ballot_queries, queries
from appraisal.survey.errors import PaperFirstAgain, SlipClosed, SlipUnknown, SlipUsed
from appraisal.survey.rules import Answers, Aspect, differences, faults, slip_id
from appraisal.survey.schemas import FormRow, PaperRow, SlipRow
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict as Busy
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.roster import queries as roster_queries
from shared.roster import service as roster


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What a resident sees: the form, the grid and, after the gate question, who the worker is."""

    slip: SlipRow
    form: FormRow
    grid_name: str
    village_name: str
    workers: tuple[str, ...]


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a keying."""

    number: str
    cast: bool
    differing: tuple[str, ...] = ()


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A paper whose two keyings differ."""

    number: str
    grid_name: str
    first: Answers
    second: Answers
    differing: tuple[str, ...]


async def open_slip(county_id: int, token: str) -> Paper:
    """The ballot page of a slip; raises SlipUnknown, SlipClosed, SlipUsed."""
    row = await _usable(county_id, await ballot_queries.slip(county_id, slip_id(token)))
    return await _paper(county_id, row)


async def submit_ballot(county_id: int, token: str, answers: Answers) -> None:
    """Burn the slip and take the answer; raises SlipUnknown, SlipClosed, SlipUsed, Invalid."""
    row = await _usable(county_id, await ballot_queries.slip(county_id, slip_id(token)))
    _check(answers, (await _form(county_id, row)).aspects)
    async with DB.transaction():
        await _cast(county_id, row, answers)


async def find_paper(actor: Actor, survey_id: UUID, code: str) -> tuple[Paper, PaperRow | None]:
    """The slip that somebody keys in, by its printed number or the scanned address.

    Raises NotFound, SlipUnknown, SlipClosed, SlipUsed, PaperFirstAgain, Forbidden.
    """
    row = await _keyable(actor, survey_id, code)
    waiting = await ballot_queries.paper(actor.county_id, row.id)
    if waiting and waiting.first_by == actor.person_id and waiting.second_by is None:
        raise PaperFirstAgain
    if waiting and waiting.second_by:
        _expect_third(actor, waiting)
    return await _paper(actor.county_id, row), waiting


async def key_paper(actor: Actor, survey_id: UUID, code: str, answers: Answers) -> Keyed:
    """One of the two keyings of a paper; the second casts the ballot when it says the same.

    Raises NotFound, SlipUnknown, SlipClosed, SlipUsed, PaperFirstAgain, Forbidden, Invalid.
    """
    county_id = actor.county_id
    row = await _keyable(actor, survey_id, code)
    aspects = (await _form(county_id, row)).aspects
    _check(answers, aspects)
    number = f"{row.number:010d}"
    async with DB.transaction():
        waiting = await ballot_queries.paper(county_id, row.id)
        if waiting is None:
            if not await ballot_queries.insert_paper(county_id, row, answers, actor.person_id):
                raise Busy("别人正好也在办这张票，没有录上，请稍后再查一次这个号码。")
            return Keyed(number=number, cast=False)
        if waiting.second_by is not None:
            raise Forbidden("这张票两遍录入不一致，请在“待核对”里由第三人核对原票后确定。")
        if waiting.first_by == actor.person_id:
            raise PaperFirstAgain
        first = _first(waiting)
        differing = differences(first, answers, aspects)
        if differing:
            await ballot_queries.second_paper(county_id, row.id, answers, actor.person_id)
            return Keyed(number=number, cast=False, differing=tuple(differing))
        words = answers.comment or first.comment
        await _cast(county_id, row, msgspec.structs.replace(answers, comment=words))
    return Keyed(number=number, cast=True)


async def form_to_print(actor: Actor, survey_id: UUID) -> FormRow:
    """The survey's form, for the paper half of a slip. Raises NotFound."""
    _field_units(actor)
    survey = await queries.survey(actor.county_id, survey_id)
    found = await queries.form(actor.county_id, survey.form_id) if survey else None
    if found is None:
        raise NotFound
    return found


async def conflicts(actor: Actor, survey_id: UUID) -> tuple[list[Conflict], int]:
    """Papers of the actor's units that wait for a third look, and how many for a second keying."""
    reach = _field_units(actor)
    survey = await queries.survey(actor.county_id, survey_id)
    form = await queries.form(actor.county_id, survey.form_id) if survey else None
    if survey is None or form is None:
        raise NotFound
    rows = [
        row
        for row in await ballot_queries.papers(actor.county_id, survey_id)
        if row.grid_code.startswith(reach)
    ]
    units = await roster.units(actor.county_id, {row.grid_code for row in rows})
    found = []
    for row in rows:
        if row.second_by is None:
            continue
        first, second = _first(row), _second(row)
        found.append(
            Conflict(
                number=f"{await _number(actor.county_id, row):010d}",
                grid_name=units[row.grid_code].name,
                first=first,
                second=second,
                differing=tuple(differences(first, second, form.aspects)),
            )
        )
    return found, len(rows) - len(found)


def keyings(row: PaperRow) -> tuple[Answers, Answers] | None:
    """Both keyings of a paper; None while there is one."""
    return (_first(row), _second(row)) if row.second_by else None


async def decide_paper(actor: Actor, survey_id: UUID, code: str, answers: Answers) -> None:
    """The third look: somebody else reads the paper again, and that counts."""
    county_id = actor.county_id
    row = await _keyable(actor, survey_id, code)
    _check(answers, (await _form(county_id, row)).aspects)
    async with DB.transaction():
        waiting = await ballot_queries.paper(county_id, row.id)
        if waiting is None or waiting.second_by is None:
            raise NotFound("这张票没有待核对的差异。")
        _expect_third(actor, waiting)
        await _cast(county_id, row, answers)


async def count(county_id: int) -> int:
    """Move what five or more of a grid have said out of the inbox; how many ballots."""
    if not await ballot_queries.waits(county_id):
        return 0
    async with DB.transaction():
        return await ballot_queries.count(county_id)


async def _cast(county_id: int, row: SlipRow, answers: Answers) -> None:
    keyed = await ballot_queries.end_paper(county_id, row.id)
    if not await ballot_queries.burn(county_id, row):
        raise SlipUsed
    if not await ballot_queries.still_open(county_id, row, keyed=keyed):
        raise SlipUsed
    await ballot_queries.cast(county_id, row, answers)


async def _usable(county_id: int, row: SlipRow | None) -> SlipRow:
    if row is None or row.state == "frozen":
        raise SlipUnknown
    if row.state == "closed":
        raise SlipClosed
    if await ballot_queries.used(county_id, row.id):
        raise SlipUsed
    return row


async def _keyable(actor: Actor, survey_id: UUID, code: str) -> SlipRow:
    digits = code.replace(" ", "").replace("-", "")
    if digits.isdecimal() and len(digits) == 10:
        found = await ballot_queries.slip_by_number(actor.county_id, survey_id, int(digits))
    else:
        found = await ballot_queries.slip(actor.county_id, slip_id(code))
    if found is None or found.survey_id != survey_id:
        raise SlipUnknown
    require(actor, Action.SURVEY_FIELD, Target(unit_code=found.grid_code))
    return await _usable(actor.county_id, found)


async def _paper(county_id: int, row: SlipRow) -> Paper:
    village = row.grid_code[:12]
    units = await roster.units(county_id, [row.grid_code, village])
    day = min(today(), row.ends_on)
    workers = await roster_queries.workers(county_id, row.grid_code, day, day)
    return Paper(
        slip=row,
        form=await _form(county_id, row),
        grid_name=units[row.grid_code].name,
        village_name=units[village].name,
        workers=tuple(worker.name for worker in workers),
    )


async def _form(county_id: int, row: SlipRow) -> FormRow:
    found = await queries.form(county_id, row.form_id)
    if found is None:
        raise SlipUnknown
    return found


async def _number(county_id: int, row: PaperRow) -> int:
    slip = await ballot_queries.slip(county_id, row.id)
    return slip.number if slip else 0


def _expect_third(actor: Actor, row: PaperRow) -> None:
    """Who keyed a paper does not decide what it says. Raises Forbidden."""
    if actor.person_id in {row.first_by, row.second_by}:
        raise Forbidden("您录过这张票，请由第三人对照原票确定。")


def _check(answers: Answers, aspects: tuple[Aspect, ...]) -> None:
    if found := faults(answers, aspects):
        raise Invalid("还有没选的，请补上。", found)


def _field_units(actor: Actor) -> tuple[str, ...]:

    found = reach(actor, Action.SURVEY_FIELD)
    if not found:
        raise NotFound
    return found


def _first(row: PaperRow) -> Answers:
    return Answers(aware=row.aware, values=row.answers, comment=row.comment)


def _second(row: PaperRow) -> Answers:
    return Answers(
        aware=bool(row.second_aware),
        values=row.second_answers or (),
        comment=row.second_comment,
    )
