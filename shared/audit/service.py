"""Who did what to what, under which authority, with before and after (invariant I18).

``record`` is called inside the transaction that makes the change, so that neither is ever stored
without the other. Values are kept as JSON: never put a phone number, a PIN or a token in them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from structlog.contextvars import get_contextvars

from shared.audit import queries
from shared.audit.schemas import Event, ExportRow
from shared.clock import now
from shared.database import DB
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.ids import new_id

SYSTEM = "system"
"""The authority of jobs and commands: nobody is signed in."""
MAX_REASON = 500


class Entry(msgspec.Struct, frozen=True):
    """One of many events that share actor, county and reason."""

    action: str
    object_kind: str
    object_id: UUID | None
    unit_code: str
    before: object
    after: object
    about_id: UUID | None = None


async def record(
    actor: Actor | None,
    action: str,
    object_kind: str,
    object_id: UUID | None = None,
    *,
    county_id: int,
    about_id: UUID | None = None,
    unit_code: str = "",
    before: object = None,
    after: object = None,
    reason: str = "",
    authority: str = "",
) -> None:
    """Append one event to the caller's transaction.

    ``about_id`` is the person whose object it is, unless that is the object itself. ``before`` and
    ``after`` are Structs, dicts or None; ``authority`` defaults to the actor's duty
    over ``unit_code``, as ``role@unit``.
    """
    event = Event(
        county_id=county_id,
        id=new_id(),
        at=now(),
        actor_id=actor.person_id if actor else None,
        authority=authority or authority_of(actor, unit_code),
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        about_id=about_id,
        unit_code=unit_code,
        before=encoded(before),
        after=encoded(after),
        reason=reason[:MAX_REASON],
        request_id=str(get_contextvars().get("request_id", "")),
    )
    await queries.insert(event)


async def record_all(
    actor: Actor | None, entries: Sequence[Entry], *, county_id: int, reason: str = ""
) -> None:
    """Append many events at once; an import makes thousands."""
    moment = now()
    request_id = str(get_contextvars().get("request_id", ""))
    await queries.insert_all(
        [
            Event(
                county_id=county_id,
                id=new_id(),
                at=moment,
                actor_id=actor.person_id if actor else None,
                authority=authority_of(actor, entry.unit_code),
                action=entry.action,
                object_kind=entry.object_kind,
                object_id=entry.object_id,
                about_id=entry.about_id,
                unit_code=entry.unit_code,
                before=encoded(entry.before),
                after=encoded(entry.after),
                reason=reason[:MAX_REASON],
                request_id=request_id,
            )
            for entry in entries
        ]
    )


async def log_export(
    actor: Actor,
    name: str,
    purpose: str,
    row_count: int,
    at: datetime | None = None,
    *,
    unit_code: str = "",
    about_id: UUID | None = None,
) -> None:
    """导出记录: who took which file out, why, and how many rows; and the audit event for it.

    ``unit_code`` is whose data left the house; without one, and unless they are one person's
    (``about_id``), it is all that the actor may take out.
    """
    moment = at or now()
    if not unit_code and about_id is None:
        codes = reach(actor, Action.EXPORT)
        unit_code = codes[0] if len(codes) == 1 else actor.county_code
    async with DB.transaction():
        export_id = new_id()
        await queries.insert_export(
            ExportRow(actor.county_id, export_id, moment, actor.person_id, name, purpose, row_count)
        )
        await record(
            actor,
            "export",
            "export",
            export_id,
            county_id=actor.county_id,
            about_id=about_id,
            unit_code=unit_code,
            after={"name": name, "rows": row_count},
            reason=purpose,
        )


def authority_of(actor: Actor | None, unit_code: str) -> str:
    """The actor's nearest duty over a unit, as ``role@unit``; ``self`` where there is none."""
    if actor is None:
        return SYSTEM
    code = unit_code or actor.county_code
    covering = [duty for duty in actor.duties if code.startswith(duty.unit_code)]
    if not covering:
        return "self"
    nearest = max(covering, key=lambda duty: len(duty.unit_code))
    return f"{nearest.role.value}@{nearest.unit_code}"


def encoded(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
