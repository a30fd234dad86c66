"""What a signed step does elsewhere, in the same transaction: roster, scorecard, retention."""

from datetime import datetime, timedelta
from decimal import Decimal

from appraisal.casework.fields import YES, day_of
from appraisal.casework.queries import NewStep
from appraisal.casework.rules import LEAVES, Outcome, Pool, Step
from appraisal.casework.schemas import CaseRow
from appraisal.errors import StepRefused
from appraisal.pool import queries as pools
from appraisal.pool.rules import PURGE_DAYS, unqualified
from shared.clock import today
from shared.identity.actor import Actor
from shared.roster import phones
from shared.roster import service as roster
from shared.roster.office import service as office
from shared.roster.office.schemas import AppointForm, EndForm
from shared.roster.roles import Employment, Role


async def take_place(
    actor: Actor, case: CaseRow, step: Step, row: NewStep, now: datetime
) -> None:
    """Raises StepRefused when what should happen cannot; the step is then not signed either."""
    if step.outcome in LEAVES:
        await _leave(actor, case, step, row)
    elif "score" in step.fields:
        await _rescore(actor, case, row, now)
    elif case.pool is Pool.ADMISSION:
        await _admit(actor, case, step, row, now)
    _ = timedelta, Decimal, YES, day_of
