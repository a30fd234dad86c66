"""What a month's points of one worker were made of, for those who check the appraisal."""

from datetime import date
from uuid import UUID

import msgspec

from points.work import evidence_queries as queries
from points.work.evidence_queries import Evidence
from shared.errors import NotFound
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's month: posted records and final deductions."""

    name: str
    records: list[Evidence]
    deductions: list[Evidence]


async def of_month(actor: Actor, worker_id: UUID, number: int) -> Month:
    """Rows of the month of work ``number`` (202603). Raises NotFound."""
    require(actor, Action.WORK_VIEW, Target(unit_code=f"{actor.county_id:06d}"))
    year, month = divmod(number, 100)
    person = await roster.person(actor.county_id, worker_id)
    if person is None or not (2000 <= year < 2100 and 1 <= month <= 12):
        raise NotFound
    first = date(year, month, 1)
    past = date(year + month // 12, month % 12 + 1, 1)
    return Month(
        name=person.name,
        records=await queries.records(actor.county_id, worker_id, first, past),
        deductions=await queries.deductions(actor.county_id, worker_id, first, past),
    )
