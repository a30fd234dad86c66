"""The rulebook of a county: seeded from the default, changed by new versions only.

A record is decided by the version in force on its work date, and the decision keeps the version's
number; so a change never reaches back.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from points.errors import RuleRefused
from points.rulebook import queries
from points.rulebook.defaults import CAPS, PENALTIES, RULES
from points.rulebook.queries import NewVersion, Stored
from points.rulebook.rules import (
    CATEGORY_NAMES,
    Caps,
    Category,
    Penalty,
    Rule,
    check_caps,
    check_change,
    check_correction,
    check_penalty,
    next_code,
    show,
)
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Conflict, NotFound
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id

CAPS_CODE = "CAPS"


async def rules_at(county_id: int, on: date) -> list[Rule]:
    """Award rules in force on a day, by code."""
    await ensure_seeded(county_id)
    return [_rule(row) for row in await queries.in_force(county_id, "award", on)]


async def rule_at(county_id: int, code: str, on: date) -> Rule | None:
    """One award rule as it stood on a day."""
    return next((rule for rule in await rules_at(county_id, on) if rule.code == code), None)


async def rules_since(county_id: int, first: date, on: date) -> list[Rule]:
    """The latest version of each award rule that was in force at any time of two days, by code."""
    found = (
        [
            rule
            for rule in history
            if rule.effective_from <= on
            and (rule.effective_to is None or rule.effective_to > first)
        ]
        for history in (await versions(county_id)).values()
    )
    return [rules[-1] for rules in found if rules]


async def penalties_at(county_id: int, on: date) -> list[Penalty]:
    """Deduction rules in force on a day, by code."""
    await ensure_seeded(county_id)
    return [_penalty(row) for row in await queries.in_force(county_id, "penalty", on)]


async def caps_at(county_id: int, on: date) -> Caps:
    """Category and person caps in force on a day; raises NotFound before the first."""
    await ensure_seeded(county_id)
    rows = await queries.in_force(county_id, "caps", on)
    if not rows:
        raise NotFound(f"{chinese_date(on)}还没有生效的积分规则。")
    return msgspec.json.decode(rows[0].body, type=Caps)


class CapsVersion(msgspec.Struct, frozen=True):
    """Caps and the first day on which they are no longer in force."""

    caps: Caps
    until: date | None


async def caps_versions(county_id: int) -> list[CapsVersion]:
    """All versions of the caps, for whoever asks about many days (:func:`caps_of`)."""
    await ensure_seeded(county_id)
    rows = await queries.all_versions(county_id, "caps")
    return [CapsVersion(msgspec.json.decode(row.body, type=Caps), row.effective_to) for row in rows]


def caps_of(versions: Sequence[CapsVersion], on: date) -> Caps:
    """Those in force on a day; raises NotFound before the first."""
    for version in versions:
        if version.caps.effective_from <= on and (version.until is None or on < version.until):
            return version.caps
    raise NotFound(f"{chinese_date(on)}还没有生效的积分规则。")


async def history(county_id: int, code: str) -> list[Rule]:
    """All versions of one award rule, oldest first. Raises NotFound."""
    await ensure_seeded(county_id)
    rows = await queries.history(county_id, code)
    if not rows or rows[0].kind != "award":
        raise NotFound
    return [_rule(row) for row in rows]


async def penalty_history(county_id: int, code: str) -> list[Penalty]:
    """All versions of one deduction rule, oldest first. Raises NotFound."""
    await ensure_seeded(county_id)
    rows = await queries.history(county_id, code)
    if not rows or rows[0].kind != "penalty":
        raise NotFound
    return [_penalty(row) for row in rows]


async def versions(county_id: int) -> dict[str, list[Rule]]:
    """Every version of every award rule, oldest first, by code."""
    await ensure_seeded(county_id)
    found: dict[str, list[Rule]] = {}
    for rule in map(_rule, await queries.all_versions(county_id, "award")):
        found.setdefault(rule.code, []).append(rule)
    return found


async def titles(county_id: int) -> dict[str, str]:
    """What each award rule is called, in its latest version."""
    return {code: history[-1].title for code, history in (await versions(county_id)).items()}


async def planned(county_id: int, on: date) -> set[str]:
    """Codes with a version that begins after a day."""
    return {item.code for item in await _items(county_id) if item.effective_from > on}


async def upcoming(county_id: int, on: date) -> list[Rule | Penalty]:
    """The next version of each rule and deduction that is not in force on a day and will be."""
    found: dict[str, Rule | Penalty] = {}
    for item in await _items(county_id):
        if item.effective_to is None or item.effective_to > on:
            found.setdefault(item.code, item)
    return [item for item in found.values() if item.effective_from > on]


async def next_free(county_id: int, prefix: str) -> str:
    """The code of the next item of a category, or of PEN."""
    return next_code(prefix, [item.code for item in await _items(county_id)])


async def add_rule(actor: Actor, new: Rule, now: datetime) -> None:
    """Put an item of the county's own into force from its day on, to its last if it has one.

    Raises RuleRefused naming the field and the reason, NotFound.
    """
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await _unused(actor.county_id, new.code)
        await _check(actor.county_id, new, [], now)
        await _store(actor, "award", new, now)


async def check_rule(actor: Actor, new: Rule, now: datetime) -> None:
    """Whether a new version could be put into force. Raises RuleRefused, NotFound."""
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    versions = await history(actor.county_id, new.code)
    await _check(actor.county_id, new, versions, now)


async def change_rule(
    actor: Actor, new: Rule, now: datetime, *, based_on: int | None = None
) -> Rule:
    """Put a new version of an existing rule into force from its day on, to its last if it has one.

    ``based_on`` is the version that was looked at. Raises RuleRefused naming the field and the
    reason, NotFound for an unknown code, Conflict when somebody was quicker.
    """
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await queries.lock(actor.county_id, new.code)
        versions = await history(actor.county_id, new.code)
        if based_on is not None and based_on != versions[-1].version:
            raise Conflict(f"别人刚存了第 {versions[-1].version} 版，请核对后再改。")
        new = msgspec.structs.replace(
            new, version=versions[-1].version + 1, category=versions[-1].category
        )
        await _check(actor.county_id, new, versions, now)
        await queries.end(actor.county_id, new.code, new.effective_from)
        await _store(actor, "award", new, now, versions[-1])
    return new


async def correct_rule(actor: Actor, new: Rule, now: datetime, *, seen: str) -> None:
    """Put right the last version of a rule before its first day, which stays, as its number does.

    ``seen`` is the stamp of what was looked at. Raises RuleRefused naming the field and the reason,
    NotFound for an unknown code, Conflict when it has begun or somebody was quicker.
    """
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await queries.lock(actor.county_id, new.code)
        versions = await history(actor.county_id, new.code)
        last = versions[-1]
        new = msgspec.structs.replace(
            new,
            version=last.version,
            category=last.category,
            effective_from=last.effective_from,
        )
        check_correction(new, last, seen, today(now))
        await _check(actor.county_id, new, versions[:-1], now)
        await _correct(actor, "award", new, last, now)


async def add_penalty(actor: Actor, new: Penalty, now: datetime) -> None:
    """Put a deduction of the county's own into force, for what happens from its day on.

    Raises RuleRefused, NotFound.
    """
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await _unused(actor.county_id, new.code)
        check_penalty(new, [], today(now))
        await _store(actor, "penalty", new, now)


async def change_penalty(
    actor: Actor,
    code: str,
    choices: tuple[int, ...],
    effective_from: date,
    now: datetime,
    *,
    effective_to: date | None = None,
    based_on: int | None = None,
) -> None:
    """Put other amounts of a deduction into force, for what happens from their day on.

    Raises RuleRefused, NotFound for an unknown code, Conflict when somebody was quicker.
    """
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await queries.lock(actor.county_id, code)
        history = await penalty_history(actor.county_id, code)
        last = history[-1]
        if based_on is not None and based_on != last.version:
            raise Conflict(f"别人刚存了第 {last.version} 版，请核对后再改。")
        new = msgspec.structs.replace(
            last,
            version=last.version + 1,
            choices=choices,
            effective_from=effective_from,
            effective_to=effective_to,
        )
        check_penalty(new, history, today(now))
        await queries.end(actor.county_id, code, effective_from)
        await _store(actor, "penalty", new, now, last)


async def correct_penalty(
    actor: Actor,
    code: str,
    title: str,
    choices: tuple[int, ...],
    now: datetime,
    *,
    effective_to: date | None = None,
    seen: str,
) -> None:
    """The same for a deduction's title, amounts and last day."""
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await queries.lock(actor.county_id, code)
        history = await penalty_history(actor.county_id, code)
        last = history[-1]
        new = msgspec.structs.replace(last, title=title, choices=choices, effective_to=effective_to)
        check_correction(new, last, seen, today(now))
        check_penalty(new, history[:-1], today(now))
        await _correct(actor, "penalty", new, last, now)


async def check_new_caps(actor: Actor, new: Caps, now: datetime) -> None:
    """Whether new caps could be put into force. Raises RuleRefused."""
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    await _check_caps(actor.county_id, new, now)


async def change_caps(actor: Actor, new: Caps, now: datetime) -> None:
    """Put new category and person caps into force; raises RuleRefused."""
    require(actor, Action.RULES_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        await ensure_seeded(actor.county_id)
        await queries.lock(actor.county_id, CAPS_CODE)
        versions = await _check_caps(actor.county_id, new, now)
        await queries.end(actor.county_id, CAPS_CODE, new.effective_from)
        stored = msgspec.structs.replace(
            _version("caps", CAPS_CODE, new), version=len(versions) + 1
        )
        await queries.insert(actor.county_id, [stored], now, actor.person_id)
        await audit.record(
            actor,
            Action.RULES_EDIT,
            "caps",
            county_id=actor.county_id,
            unit_code=actor.county_code,
            before=_told(versions[-1]),
            after=_told(new),
        )


async def ensure_seeded(county_id: int) -> None:
    """Give a county without any rules the default rulebook."""
    if await queries.seeded(county_id):
        return
    rows = [
        *(_version("award", rule.code, rule) for rule in RULES),
        *(_version("penalty", penalty.code, penalty) for penalty in PENALTIES),
        _version("caps", CAPS_CODE, CAPS),
    ]
    await queries.insert(county_id, rows, clock_now(), None)


def by_category(rules: Sequence[Rule]) -> dict[Category, list[Rule]]:
    """Rules under their category, in the categories' order."""
    return {
        category: [rule for rule in rules if rule.category is category] for category in Category
    }


async def _items(county_id: int) -> list[Rule | Penalty]:
    """Every version of every award rule and deduction, by code, oldest first."""
    await ensure_seeded(county_id)
    rules = await queries.all_versions(county_id, "award")
    penalties = await queries.all_versions(county_id, "penalty")
    return [*map(_rule, rules), *map(_penalty, penalties)]


async def _unused(county_id: int, code: str) -> None:
    """Nobody adds an item or changes caps meanwhile. Raises RuleRefused for a code once given."""
    await ensure_seeded(county_id)
    await queries.lock(county_id, CAPS_CODE)
    if await queries.history(county_id, code):
        raise RuleRefused("code", f"编号 {code} 已经用过，请换一个。")


async def _check(county_id: int, new: Rule, history: list[Rule], at: datetime) -> None:
    """Against the caps of each day that the version may count on. Raises RuleRefused."""
    for stored in await caps_versions(county_id):
        if stored.until is None or stored.until > new.effective_from:
            check_change(new, history, stored.caps, today(at))


async def _check_caps(county_id: int, new: Caps, at: datetime) -> list[Caps]:
    """All versions so far, against which new caps were held. Raises RuleRefused."""
    found = [version.caps for version in await caps_versions(county_id)]
    rules = [
        rule
        for rule in map(_rule, await queries.all_versions(county_id, "award"))
        if rule.effective_to is None or rule.effective_to > new.effective_from
    ]
    check_caps(new, found, rules, today(at))
    return found


async def _store(
    actor: Actor,
    kind: str,
    new: Rule | Penalty,
    at: datetime,
    last: Rule | Penalty | None = None,
) -> None:
    """Keep a version and tell the audit what it was before."""
    await queries.insert(actor.county_id, [_version(kind, new.code, new)], at, actor.person_id)
    await _tell(actor, new, last)


async def _correct(
    actor: Actor, kind: str, new: Rule | Penalty, last: Rule | Penalty, at: datetime
) -> None:
    """Write a version over, and tell the audit what it was before."""
    row = _version(kind, new.code, new)
    await queries.correct(actor.county_id, row, at, actor.person_id)
    await _tell(actor, new, last, reason=f"改正还没有生效的第 {last.version} 版")


async def _tell(
    actor: Actor, new: Rule | Penalty, last: Rule | Penalty | None, reason: str = ""
) -> None:
    await audit.record(
        actor,
        Action.RULES_EDIT,
        "rule",
        county_id=actor.county_id,
        unit_code=actor.county_code,
        before=_told(last),
        after=_told(new),
        reason=reason,
    )


def _told(version: Rule | Penalty | Caps | None) -> object:
    """A version as the audit trail tells it."""
    if isinstance(version, Caps):
        limits = version.category_month.items()
        return msgspec.structs.asdict(version) | {
            "category_month": [f"{CATEGORY_NAMES[name]} {show(cap)} 分" for name, cap in limits]
        }
    if not isinstance(version, Penalty):
        return version
    return {
        "code": version.code,
        "title": version.title,
        "first_day": version.effective_from,
        "choices": [f"{show(amount)} 分" for amount in version.choices],
        "last_day": version.effective_to and version.effective_to - timedelta(days=1),
    }


def _rule(row: Stored) -> Rule:
    rule = msgspec.json.decode(row.body, type=Rule)
    return msgspec.structs.replace(rule, effective_to=row.effective_to)


def _penalty(row: Stored) -> Penalty:
    penalty = msgspec.json.decode(row.body, type=Penalty)
    return msgspec.structs.replace(penalty, effective_to=row.effective_to)


def _version(kind: str, code: str, body: Rule | Penalty | Caps) -> NewVersion:
    return NewVersion(
        new_id(),
        kind,
        code,
        getattr(body, "version", 1),
        body.effective_from,
        getattr(body, "effective_to", None),
        msgspec.json.encode(body).decode(),
    )
