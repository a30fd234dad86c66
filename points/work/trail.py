"""The audit of what becomes of a record; call it with the record as it was before."""

from points.work.rules import State
from points.work.schemas import Record
from shared.audit import service as audit
from shared.identity.actor import Actor


async def changed(
    actor: Actor,
    action: str,
    record: Record,
    state: State,
    authority: str,
    reason: str = "",
) -> None:
    """A record came into another state."""
    await audit.record(
        actor,
        action,
        "work_record",
        record.id,
        county_id=actor.county_id,
        about_id=record.worker_id,
        unit_code=record.grid_code,
        before={"state": record.state},
        after={"state": state},
        reason=reason,
        authority=authority,
    )
