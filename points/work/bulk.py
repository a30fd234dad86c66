"""Confirming a month from its paper sheets: each record by whoever has the authority today.

The sheets that the verifiers signed are kept by the township; the console enters that they did.
Every step names the holder of the post, the authority and ``sheet`` as its way; a step that nobody
up to the county could confirm stays open and is counted.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from points.rulebook import service as rulebook
from points.rulebook.rules import STEP_NAMES, Step
from points.work import bulk_queries, confirming, posting
from points.work.bulk_queries import Answered
from points.work.rules import Confirmer
from points.work.schemas import Excluding, MonthTotals, StepRow
from shared import settings_county
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.identity.access import Action
from shared.ids import new_id

CHUNK = 5_000
Progress = Callable[[str, int], None]


class Verified(msgspec.Struct, kw_only=True):
    """What a month's confirmation did."""

    pending: int
    """Records that waited at the beginning."""
    accepted: int = 0
    steps: int = 0
    escalated: int = 0
    """Steps confirmed one level up because the post is vacant or conflicted."""
    stuck: dict[str, int] = {}
    """Records still waiting, by the verifier that nobody stands for."""
    by_role: dict[str, int] = {}
    posted: MonthTotals | None = None
    """In immediate mode: what was posted at once."""


async def verify_month(
    county_id: int,
    month: int,
    now: datetime | None = None,
    progress: Progress = lambda _step, _count: None,
) -> Verified:
    """Confirm every pending record of a run on behalf of its verifiers; 202610 is the month.

    Records already answered are left alone, so it can be run again.
    """
    at = now or clock_now()
    async with DB.transaction():
        waiting = await bulk_queries.waiting(county_id, month)
        result = Verified(pending=len(waiting))
        answers, complete = await _answers(county_id, month, waiting, result, at)
        for first in range(0, len(answers), CHUNK):
            await bulk_queries.answer(county_id, answers[first : first + CHUNK], at)
            progress("核实", len(answers[first : first + CHUNK]))
        versions = await rulebook.versions(county_id)
        resident = [code for code, rules in versions.items() if rules[-1].resident]
        accepted = await bulk_queries.accept(county_id, complete, resident, at)
        result.accepted = len(accepted)
        result.steps = len(answers)
        await audit.record(
            None,
            Action.WORK_VERIFY,
            "work_month",
            county_id=county_id,
            unit_code=str(county_id),
            after={"month": month, "via": "sheet", "accepted": len(accepted)} | result.by_role,
            reason="按纸质核实单录入",
        )
    settings = await settings_county.get(county_id)
    if settings.posting_mode == "immediate":
        result.posted = await posting.post_many(
            county_id, accepted, at, lambda count: progress("入账", count)
        )
    return result


async def post_month(
    county_id: int,
    month: int,
    now: datetime | None = None,
    progress: Progress = lambda _step, _count: None,
) -> tuple[MonthTotals, int]:
    """Post a month that was reviewed and noticed on paper; the totals and how many villages.

    Whole villages a transaction: killed and run again, it goes on where it was, and what is posted
    stays posted once.
    """
    at = now or clock_now()
    ready = await bulk_queries.ready(county_id, month)
    grids = dict(ready)
    totals, villages = MonthTotals(), 0
    for chunk in posting.chunks(ready):
        codes = sorted({grids[record_id][:12] for record_id in chunk})
        async with DB.transaction():
            rows = [(new_id(), code) for code in codes]
            await bulk_queries.close(county_id, rows, month, at)
            await audit.record(
                None,
                Action.MONTH_POST,
                "work_month",
                county_id=county_id,
                unit_code=str(county_id),
                after={"month": month, "villages": codes, "records": len(chunk)},
                reason="按纸质公示结果入账",
            )
            posting.add(totals, await posting.post_records(county_id, chunk, at))
        villages += len(codes)
        progress("入账", len(chunk))
    return totals, villages


async def _answers(
    county_id: int, month: int, waiting: list[Excluding], result: Verified, at: datetime
) -> tuple[list[Answered], list[UUID]]:
    """Steps that somebody can confirm, and the records that are then complete."""
    roll = await confirming.roll_of(county_id, today(at))
    steps: dict[UUID, list[StepRow]] = defaultdict(list)
    for step in await bulk_queries.steps(county_id, month):
        steps[step.record_id].append(step)
    answers: list[Answered] = []
    complete: list[UUID] = []
    for record in waiting:
        found, missing = _record_answers(record, steps[record.id], roll, result)
        answers += found
        if missing:
            name = STEP_NAMES[missing]
            result.stuck[name] = result.stuck.get(name, 0) + 1
        else:
            complete.append(record.id)
    return answers, complete


def _record_answers(
    record: Excluding, steps: list[StepRow], roll: confirming.Roll, result: Verified
) -> tuple[list[Answered], Step | None]:
    """Answers to a record's open steps, and the first step that nobody can confirm."""
    found: list[Answered] = []
    missing: Step | None = None
    taken = {step.by_id for step in steps if step.verdict == "approve"}
    for step in steps:
        if step.verdict != "open":
            continue
        who = roll.confirmer(step.step, record.grid_code, record.excluded, cadre=record.cadre)
        by = _free(who, taken)
        if who is None or by is None:
            missing = missing or step.step
            continue
        if not who.escalated:
            taken.add(by)
        found.append(Answered(step.id, by, confirming.authority_of(who)))
        result.escalated += who.escalated
        result.by_role[who.role.value] = result.by_role.get(who.role.value, 0) + 1
    return found, missing


def _free(who: Confirmer | None, taken: set[UUID | None]) -> UUID | None:
    """Somebody who has not confirmed another step of the record, unless they stand in above."""
    if who is None:
        return None
    if who.escalated:
        return who.people[0].person_id
    return next((p.person_id for p in who.people if p.person_id not in taken), None)
