"""Confirming a month from its paper sheets: each record by whoever has the authority today.

The sheets that the verifiers signed are kept by the township; the console enters that they did.
Every step names the holder of the post, the authority and ``sheet`` as its way; a step that nobody
up to the county could confirm stays open and is counted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.rulebook import service as rulebook
from points.rulebook.rules import STEP_NAMES, Step
from points.work import bulk_queries, confirming, posting
from points.work.bulk_queries import Answered, Waiting
from points.work.posting import CHUNK
from points.work.rules import State
from points.work.schemas import Excluding, MonthTotals, StepRow
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.identity.access import Action
from shared.ids import new_id
from shared.roster.rules import county_code

BEGINNING = (date.min, UUID(int=0))
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
    early: int = 0
    """Records still waiting because the rule's quiet days are not over."""
    by_role: dict[str, int] = {}
    posted: MonthTotals | None = None
    """In immediate mode: what was posted at once."""


async def verify_month(
    county_id: int,
    month: int,
    now: datetime,
    progress: Progress = lambda _step, _count: None,
) -> Verified:
    """Confirm every pending record of a run on behalf of its verifiers; 202610 is the month.

    A few villages a transaction, in immediate mode posted with it: killed and run again, it goes
    on where it was. Records already answered are left alone.
    """
    settings = await settings_county.get(county_id)
    versions = await rulebook.versions(county_id)
    resident = [code for code, rules in versions.items() if rules[-1].resident]
    run = _Run(
        county_id=county_id,
        month=month,
        at=now,
        roll=await confirming.roll_of(county_id, today(now)),
        resident=resident,
        quiet={
            (rule.code, rule.version): rule.quiet_days
            for rules in versions.values()
            for rule in rules
        },
        posts=settings.posting_mode == "immediate",
    )
    result = Verified(pending=0, posted=MonthTotals() if run.posts else None)
    for villages in _groups(await bulk_queries.places(county_id, month, State.PENDING)):
        after: tuple[date, UUID] | None = BEGINNING
        while after:
            async with DB.transaction():
                after = await _verify_chunk(run, villages, after, result, progress)
    return result


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """What the chunks of a month's confirmation have in common."""

    county_id: int
    month: int
    at: datetime
    roll: confirming.Roll
    resident: list[str]
    quiet: dict[tuple[str, int], int]
    """Days without a relapse that a rule's version asks for."""
    posts: bool


async def _verify_chunk(
    run: _Run,
    villages: list[str],
    after: tuple[date, UUID],
    result: Verified,
    progress: Progress,
) -> tuple[date, UUID] | None:
    """Confirm the next records of some villages; answers the last one if there may be more."""
    county_id, at = run.county_id, run.at
    waiting = await bulk_queries.waiting(county_id, run.month, villages, after, CHUNK)
    if not waiting:
        return None
    part = Verified(pending=len(waiting))
    answers, complete = await _answers(run, waiting, part)
    await bulk_queries.answer(county_id, answers, at)
    part.steps = len(answers)
    if run.posts:
        totals = await posting.post_confirmed(county_id, complete, at, run.resident)
        part.accepted = totals.records
        posting.add(result.posted or MonthTotals(), totals)
        progress("入账", len(complete))
    else:
        part.accepted = len(await bulk_queries.accept(county_id, complete, run.resident, at))
        progress("核实", len(complete))
    await audit.record(
        None,
        Action.WORK_VERIFY,
        "work_month",
        county_id=county_id,
        unit_code=county_code(county_id),
        after={"month": run.month, "via": "sheet", "accepted": part.accepted} | part.by_role,
        reason="按纸质核实单录入",
    )
    _add(result, part)
    return (waiting[-1].work_date, waiting[-1].id) if len(waiting) == CHUNK else None


def _add(total: Verified, part: Verified) -> None:
    """Sum of two chunks, into the first."""
    for name in ("pending", "accepted", "steps", "escalated", "early"):
        setattr(total, name, getattr(total, name) + getattr(part, name))
    for sums, more in ((total.stuck, part.stuck), (total.by_role, part.by_role)):
        for name, count in more.items():
            sums[name] = sums.get(name, 0) + count


def _groups(places: list[tuple[str, int]]) -> Iterator[list[str]]:
    """Villages together up to ``CHUNK`` records; a larger village alone, in several chunks."""
    group: list[str] = []
    size = 0
    for village, records in places:
        if group and size + records > CHUNK:
            yield group
            group, size = [], 0
        group.append(village)
        size += records
    if group:
        yield group


async def post_month(
    county_id: int,
    month: int,
    now: datetime,
    progress: Progress = lambda _step, _count: None,
) -> tuple[MonthTotals, int]:
    """Post a month that was reviewed and noticed on paper; the totals and how many villages.

    A few villages a transaction: killed and run again, it goes on where it was, and what is posted
    stays posted once.
    """
    totals, posted = MonthTotals(), set[str]()
    for group in _groups(await bulk_queries.places(county_id, month, State.ACCEPTED)):
        while True:
            async with DB.transaction():
                chunk = await bulk_queries.ready(county_id, month, group, CHUNK)
                if not chunk:
                    break
                villages = sorted({village for _, village in chunk})
                rows = [(new_id(), village) for village in villages]
                await bulk_queries.close(county_id, rows, month, now)
                await audit.record(
                    None,
                    Action.MONTH_POST,
                    "work_month",
                    county_id=county_id,
                    unit_code=county_code(county_id),
                    after={"month": month, "villages": villages, "records": len(chunk)},
                    reason="按纸质公示结果入账",
                )
                ids = [record_id for record_id, _ in chunk]
                posting.add(totals, await posting.post_records(county_id, ids, now))
            posted.update(villages)
            progress("入账", len(chunk))
    return totals, len(posted)


async def _answers(
    run: _Run, waiting: list[Waiting], result: Verified
) -> tuple[list[Answered], list[UUID]]:
    """Steps that somebody can confirm, and the records that are then complete."""
    steps: dict[UUID, list[StepRow]] = defaultdict(list)
    for step in await bulk_queries.steps(run.county_id, [record.id for record in waiting]):
        steps[step.record_id].append(step)
    answers: list[Answered] = []
    complete: list[UUID] = []
    for record in waiting:
        quiet = timedelta(days=run.quiet[record.rule_code, record.rule_version])
        if record.work_date + quiet > today(run.at):
            result.early += 1
            continue
        found, missing = _record_answers(record, steps[record.id], run.roll, result)
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
    taken = {step.by_id for step in steps if step.verdict == "approve" and step.by_id}
    for step in steps:
        if step.verdict != "open":
            continue
        who = roll.confirmer(
            step.step,
            record.grid_code,
            record.excluded,
            record.worker_id,
            cadre=record.cadre,
            confirmed=frozenset(taken),
        )
        if who is None:
            missing = missing or step.step
            continue
        by = who.people[0].person_id
        if not who.escalated:
            taken.add(by)
        found.append(Answered(step.id, by, confirming.authority_of(who)))
        result.escalated += who.escalated
        result.by_role[who.role.value] = result.by_role.get(who.role.value, 0) + 1
    return found, missing
