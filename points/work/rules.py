"""Who confirms a record, what may be declared, and how a month moves: pure functions."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from points.rulebook.rules import Step
from shared.roster.roles import Role

CHECK_SHARE = 10
"""One record in so many of a CHECK rule is drawn for a check."""
SAMPLE_SHARE = 10
"""The township looks at one record in so many before a month's notice, at least one."""
REPEAT_DAYS = 7
MAX_WORDS = 500
"""Of a reason, an objection, an answer."""
OLDEST_DAYS = 92
"""How far back work may be declared (paper slips keyed in late)."""
_NOISE = re.compile(r"[\W_]+")


class State(StrEnum):
    """A record's state; ``accepted`` and ``posted`` are the awarding ones (invariant I9)."""

    PENDING = "pending"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    POSTED = "posted"
    REVERSED = "reversed"


STATE_NAMES = {
    State.PENDING: "待核实",
    State.RETURNED: "退回",
    State.WITHDRAWN: "已撤回",
    State.REFUSED: "不予认定",
    State.ACCEPTED: "已核实",
    State.POSTED: "已入账",
    State.REVERSED: "已冲回",
}


class PostHeld(msgspec.Struct, frozen=True):
    """Somebody holding a post that may confirm."""

    person_id: UUID
    name: str
    role: Role
    unit_code: str
    grids: tuple[str, ...] = ()


class Confirmer(msgspec.Struct, frozen=True):
    """Whom a step waits for: the holders of a role at a unit (of a grid, for its own lead)."""

    role: Role
    unit_code: str
    grid_code: str
    people: tuple[PostHeld, ...]
    escalated: bool
    """The post that should confirm is vacant or conflicted, so the level above does."""


def confirmer(
    step: Step,
    grid_code: str,
    excluded: frozenset[UUID],
    roll: Sequence[PostHeld],
    *,
    cadre: bool,
    worker: UUID | None = None,
    confirmed: frozenset[UUID] = frozenset(),
) -> Confirmer | None:
    """Who confirms a step of a record from a grid; None when nobody up to the county can.

    ``excluded`` are the worker and whoever entered the record; ``confirmed`` have confirmed another
    step of it, and may do this one only where they stand in. A cadre's own record is confirmed one
    level up, and the chief's, whatever the form of employment: the leads work under the chief.
    ``roll`` holds the posts of the grid's village, township and county that day.
    """
    proper = _proper(step)
    cadre = cadre or any(
        held.role is Role.CHIEF and held.person_id == worker and held.unit_code == grid_code[:12]
        for held in roll
    )
    for rung, (role, unit, grid) in enumerate(_ladder(step, grid_code, cadre=cadre)):
        people = tuple(
            held
            for held in roll
            if held.role is role
            and held.unit_code == unit
            and (not grid or grid in held.grids)
            and held.person_id not in excluded
        )
        escalated = rung >= proper or cadre
        if not escalated:
            people = tuple(held for held in people if held.person_id not in confirmed)
        if people:
            return Confirmer(role, unit, grid, people, escalated=escalated)
    return None


def _ladder(step: Step, grid_code: str, *, cadre: bool) -> list[tuple[Role, str, str]]:
    """(role, unit, grid) from the proper confirmer upwards; the first that is held counts."""
    village, township, county = grid_code[:12], grid_code[:9], grid_code[:6]
    upper = [(Role.INSTRUCTOR, township, ""), (Role.DEPARTMENT, county, "")]
    outside = {Step.AGENCY: Role.AGENCY, Step.TRAINER: Role.TRAINER, Step.MEDIATOR: Role.MEDIATOR}
    if step in (Step.V3, Step.V4):
        return upper[1:] if cadre or step is Step.V4 else upper
    if role := outside.get(step):
        return [(role, unit, "") for unit in (village, township, county)] + upper
    if cadre:
        return upper
    if step is Step.COMMITTEE:
        return [(Role.COMMITTEE, village, ""), *upper]
    if step is Step.SUPERVISOR:
        return [(Role.SUPERVISOR, village, ""), *upper]
    return [
        (Role.LEAD, village, grid_code),
        (Role.LEAD, village, ""),
        (Role.CHIEF, village, ""),
        *upper,
    ]


def _proper(step: Step) -> int:
    """How many rungs of the ladder are the rule's own, before it is an escalation."""
    return 1 if step in (Step.COMMITTEE, Step.SUPERVISOR, Step.V3, Step.V4) else 3


def steps_for(steps: Iterable[Step], *, checked: bool) -> tuple[Step, ...]:
    """The steps a record really needs: a CHECK only when it is drawn."""
    return tuple(step for step in steps if step is not Step.CHECK or checked)


def drawn(ticket: bytes) -> bool:
    """Whether a record is among the one in ``CHECK_SHARE`` drawn; ``ticket`` is a hash of its id.

    A keyed one: the phone chooses the id, and could choose one that is not drawn.
    """
    return int.from_bytes(ticket[:4]) % CHECK_SHARE == 0


def sample(tickets: Mapping[UUID, bytes]) -> list[UUID]:
    """At least a tenth of a month's records, by hashes of their ids that no phone can know."""
    wanted = -(-len(tickets) // SAMPLE_SHARE)
    return sorted(tickets, key=lambda item: tickets[item])[:wanted]


def text_key(text: str) -> str:
    """Text as it is compared: without width, case, spaces and punctuation."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def unfit(text: str, missing: str) -> str:
    """What is wrong with words that somebody has to give; ``missing`` if there are none."""
    words = text.strip()
    if len(words) > MAX_WORDS:
        return f"最多 {MAX_WORDS} 个字，请写短一些。"
    return "" if words else missing


def household_key(text: str) -> str:
    """A household's number as the office's files have it: half width, without spaces.

    One household typed in two ways would be visited twice in a week.
    """
    return "".join(unicodedata.normalize("NFKC", text).split())


def week_of(day: date) -> tuple[date, date]:
    """Monday and the Monday after."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)
