"""What was registered about one worker in a period: the rows behind a scorecard's numbers."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.duty import entry_queries, queries, random_queries, service
from appraisal.duty.schemas import CheckItem, Entry, SheetVersion
from appraisal.training import queries as trainings
from appraisal.training.schemas import OwnSession
from shared.clock import today
from shared.errors import NotFound
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.months import month_of
from shared.roster import service as roster


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's rows, latest first."""

    name: str
    versions: list[SheetVersion]
    entries: list[Entry]
    items: list[CheckItem]
    sessions: list[OwnSession]


async def records(actor: Actor, person_id: UUID, first: date, last: date, now: datetime) -> Records:
    """Attendance with its corrections, standing entries, drawn records, training.

    A drawn record belongs to the days of its check, as the score has it. Raises NotFound.
    """
    card = await roster.person(actor.county_id, person_id)
    place = await service.place(actor, Action.DUTY_VIEW, person_id, today(now))
    code = place.village_code if place else actor.county_code
    for action in (Action.DUTY_VIEW, Action.RANDOM_VIEW, Action.TRAINING_VIEW):
        require(actor, action, Target(unit_code=code, owner=person_id))
    if card is None:
        raise NotFound
    versions = await queries.versions(actor.county_id, person_id)
    entries = await entry_queries.of_person(actor.county_id, person_id)
    items = await random_queries.of_person(actor.county_id, person_id, first, last)
    sessions = await trainings.own(actor.county_id, person_id)
    return Records(
        name=card.name,
        versions=[row for row in versions if month_of(first) <= row.month <= month_of(last)],
        entries=[row for row in entries if first <= row.happened_on <= last],
        items=items,
        sessions=[row for row in sessions if first <= row.held_on <= last],
    )
