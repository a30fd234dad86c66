"""Slips: one token each, printed in batches of a village, known only while they are printed.

The table keeps a hash of each token in the order of the hashes; which slip a household gets is
settled when the interviewer takes one from the pile.
"""

import secrets
from datetime import datetime
from uuid import UUID

from appraisal.survey import ballot_queries, queries, service
from appraisal.survey.rules import slip_id, slip_number
from appraisal.survey.schemas import PrintedSlip, SurveyRow
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster

SHEET_LIMIT = 600
"""Slips of one print."""


async def print_slips(
    actor: Actor,
    survey_id: UUID,
    village_code: str,
    public_url: str,
    now: datetime,
    *,
    again: bool = False,
) -> list[PrintedSlip]:
    """As many slips as the village's lists still need, by grid, shuffled within each.

    ``again`` makes every slip that was printed before and not handed in void, and prints for all
    who have not answered. Raises NotFound, WrongState, Invalid when nothing is missing or too much.
    """
    if len(village_code) < 12:
        raise NotFound
    authority = require(actor, Action.SURVEY_FIELD, Target(unit_code=village_code))
    county_id = actor.county_id
    async with DB.transaction():
        # Counts before the survey's row: they lock in the order in which a ballot does.
        await queries.lock_field(county_id, survey_id)
        await ballot_queries.hold()
        if again:
            await ballot_queries.void(county_id, survey_id, village_code)
        wanted = await _wanted(county_id, survey_id, village_code)
        survey = await service.locked(county_id, survey_id, "drawn")
        if not wanted:
            raise Invalid("名单上每一户都已有票，不用再打印。要重新打印，请选“全部作废重打”。")
        if sum(wanted.values()) > SHEET_LIMIT:
            raise Invalid(f"一次最多打印 {SHEET_LIMIT} 张，请按网格打印。")
        slips = await _make(actor, survey, wanted, public_url, now)
        await audit.record(
            actor,
            "survey.print",
            "survey",
            survey_id,
            county_id=county_id,
            unit_code=village_code,
            after={"slips": sum(wanted.values()), "again": again},
            authority=authority,
        )
    return slips


async def _wanted(county_id: int, survey_id: UUID, code: str) -> dict[str, int]:
    """Slips to print per grid: a household that refused leaves its slip to the next."""
    unused = await ballot_queries.unused(county_id, survey_id, code)
    found = {}
    for grid in await queries.progress(county_id, survey_id, code, closed=False):
        missing = grid.listed - grid.gone - grid.answered - unused.get(grid.grid_code, 0)
        if missing > 0:
            found[grid.grid_code] = missing
    return found


async def _make(
    actor: Actor, survey: SurveyRow, wanted: dict[str, int], public_url: str, now: datetime
) -> list[PrintedSlip]:
    county_id = actor.county_id
    units = await roster.units(county_id, wanted)
    numbers = await ballot_queries.numbers(county_id, survey.id)
    rows: list[tuple[UUID, UUID, str, int]] = []
    printed = []
    for grid, count in sorted(wanted.items()):
        batch = new_id()
        await ballot_queries.insert_batch(
            county_id, batch, survey.id, grid, count, actor.person_id, today(now)
        )
        for _ in range(count):
            token, slip = _fresh(county_id, numbers)
            numbers.add(int(slip_number(slip)))
            rows.append((slip, batch, grid, int(slip_number(slip))))
            url = f"{public_url}/s/{token}"
            printed.append(PrintedSlip(url, slip_number(slip), units[grid].name))
    await ballot_queries.insert_slips(county_id, survey.id, rows)
    return printed


def _fresh(county_id: int, numbers: set[int]) -> tuple[str, UUID]:
    """A random token of 128 bits whose printed number is not on another slip."""
    while True:
        token = f"{county_id:06d}.{secrets.token_urlsafe(16)}"
        slip = slip_id(token)
        if int(slip_number(slip)) not in numbers:
            return token, slip
