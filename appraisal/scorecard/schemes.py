"""The rules of scoring by date: the shipped ones until the department makes its own."""

from datetime import date, datetime

import msgspec

from appraisal.scorecard import queries
from appraisal.scorecard.rules import Scheme, problems
from appraisal.scorecard.schemas import SchemeRow
from shared import lock_queries
from shared.audit import service as audit
from shared.database import DB
from shared.errors import Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id

SHIPPED = SchemeRow(
    id=None, effective_on=date(2020, 1, 1), scheme=Scheme(leave_from=30), reason="系统自带"
)


async def in_force(county_id: int, on: date) -> SchemeRow:
    """The rules of a day."""
    return await queries.scheme_at(county_id, on) or SHIPPED


async def versions(actor: Actor) -> list[SchemeRow]:
    """Every version, latest first, the shipped one last. Raises NotFound."""
    require(actor, Action.SCHEME_VIEW, whole_county(actor.county_id))
    return [*await queries.schemes(actor.county_id), SHIPPED]


async def change(
    actor: Actor, scheme: Scheme, effective_on: date, reason: str, now: datetime
) -> None:
    """Let other rules hold from a day on; what was scored keeps its own, the same make no version.

    Raises NotFound, Invalid naming what does not add up.
    """
    require(actor, Action.SCHEME_EDIT, whole_county(actor.county_id))
    faults = problems(scheme)
    if not reason.strip():
        faults["reason"] = "请写明为什么修改，例如方案文号。"
    if faults:
        raise Invalid("评分规则不能这样定。", faults)
    bands = tuple(sorted(scheme.bands, key=lambda band: band.low))
    scheme = msgspec.structs.replace(scheme, bands=bands)
    body = msgspec.json.encode(scheme).decode()
    scheme_id = new_id()
    async with DB.transaction():
        await lock_queries.take(actor.county_id, "appraisal.scheme")
        before = await in_force(actor.county_id, effective_on)
        if before.scheme == scheme:
            return
        await queries.insert_scheme(
            actor.county_id,
            scheme_id,
            effective_on,
            body,
            actor.person_id,
            actor.name,
            now,
            reason.strip(),
        )
        await audit.record(
            actor,
            Action.SCHEME_EDIT,
            "scheme",
            scheme_id,
            county_id=actor.county_id,
            before=before.scheme,
            after={"effective_on": effective_on, "scheme": scheme},
            reason=reason.strip(),
        )
