"""Writes a plan: parents before children, ends before starts, one statement a kind."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from shared.audit import service as audit
from shared.audit.service import Entry as Audit
from shared.identity.actor import Actor
from shared.roster import names, phones
from shared.roster.intake import queries
from shared.roster.intake.schemas import NewPerson, PersonChange, Plan

REASON = "花名册导入"

Progress = Callable[[str], None]
"""Told the name of each step as it begins."""


async def write_plan(
    county_id: int, plan: Plan, now: datetime, actor: Actor | None, progress: Progress
) -> None:
    """Inside the transaction of the caller, who holds the lock of the county."""
    progress("写入单位")
    await queries.insert_units(county_id, plan.new_units)
    await queries.update_units(county_id, plan.changed_units)
    progress("写入人员")
    people = await asyncio.to_thread(_person_rows, plan.new_people)
    await queries.insert_people(county_id, now, people)
    await queries.update_people(county_id, _change_rows(plan.changed_people))
    progress("写入岗位和任职")
    await queries.insert_posts(county_id, plan.new_posts)
    await queries.end_tenures(county_id, plan.ends)
    await queries.correct_tenures(county_id, plan.corrections)
    await queries.insert_tenures(
        county_id, plan.starts, REASON, now, actor.person_id if actor else None
    )
    progress("写入审计记录")
    await audit.record_all(actor, _audit_of(plan), county_id=county_id, reason=REASON)


def _person_rows(people: list[NewPerson]) -> list[tuple[object, ...]]:
    return [
        (
            person.id,
            person.name,
            *names.romanise(person.name),
            phones.seal(person.phone),
            person.fingerprint,
            person.phone[-4:],
            person.employment.value,
            person.full_time,
            person.political,
        )
        for person in people
    ]


def _change_rows(changes: list[PersonChange]) -> list[tuple[object, ...]]:
    return [
        (
            change.before.id,
            change.name,
            *names.romanise(change.name),
            phones.seal(change.phone) if change.phone else None,
            change.fingerprint,
            change.phone[-4:] if change.phone else None,
            change.employment.value,
            change.full_time,
            change.political,
        )
        for change in changes
    ]


def _audit_of(plan: Plan) -> list[Audit]:
    """One event per changed person, assignment or unit; phones are named, never shown."""
    events = [
        Audit("unit.add", "unit", unit.id, unit.code, None, {"name": unit.name})
        for unit in plan.new_units
    ]
    events += [
        Audit(
            "unit.edit",
            "unit",
            change.id,
            change.code,
            {"name": change.before_name, "households": change.before_households},
            {"name": change.name, "households": change.households},
        )
        for change in plan.changed_units
    ]
    events += [
        Audit(
            "person.add",
            "person",
            person.id,
            plan.places[person.id],
            None,
            {"employment": person.employment},
        )
        for person in plan.new_people
    ]
    events += [
        _audit_of_person(change, plan.places[change.before.id]) for change in plan.changed_people
    ]
    events += [
        Audit("assignment.end", "person", end.person_id, end.unit_code, None, {"on": end.on})
        for end in plan.ends
    ]
    events += [
        Audit(
            "assignment.correct",
            "person",
            fixed.person_id,
            fixed.unit_code,
            {"valid_from": fixed.before},
            {"valid_from": fixed.after},
        )
        for fixed in plan.corrections
    ]
    events += [
        Audit(
            "assignment.start",
            "person",
            start.person_id,
            start.unit_code,
            None,
            {"post": start.post_id, "valid_from": start.valid_from},
        )
        for start in plan.starts
    ]
    return events


def _audit_of_person(change: PersonChange, unit_code: str) -> Audit:
    before, fields = change.before, ("name", "full_time", "political")
    old = {field: getattr(before, field) for field in fields}
    new = {field: getattr(change, field) for field in fields}
    old["employment"], new["employment"] = before.employment_type, change.employment
    if change.phone:
        new["phone"] = "changed"
    return Audit("person.edit", "person", before.id, unit_code, old, new)
