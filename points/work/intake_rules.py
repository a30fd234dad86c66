"""Which rows of an office's file become records, and why the others do not: pure functions."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from points.rulebook.rules import Rule, Step, in_force
from points.work.rules import text_key
from shared.dates import chinese_date
from shared.roster.schemas import WorkerSpan

MAX_TEXT = 500
MAX_QUANTITY = 500
REMEMBERED = 100_000
"""Answers about (rule, day) and (grid, name, day) that are kept: rows ask the same again."""
HOUSES = re.compile(r"(\d{1,4})\s*户")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One readable row of the file."""

    number: int
    on: date
    grid_code: str
    name: str
    code: str
    text: str
    quantity: int | None = None
    household: str = ""
    confirmed_by: str = ""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A row that becomes a record."""

    given: Given
    id: UUID
    worker_id: UUID
    rule: Rule
    text: str
    text_key: str
    quantity: int
    household: str


class Refused(Exception):  # noqa: N818  a row is refused, nothing failed
    """A row that does not; ``column`` says where, the sentence why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class World(msgspec.Struct, frozen=True):
    """What a row is checked against."""

    county_id: int
    rules: Mapping[str, Sequence[Rule]]
    """All versions by code."""
    workers: Mapping[str, Sequence[WorkerSpan]]
    """Everybody who worked in a grid in the file's time, by grid code."""
    grids: frozenset[str]
    today: date
    seen: dict[tuple[object, ...], "Rule | UUID | Refused"] = {}


def accept(given: Given, world: World) -> Accepted:
    """The record a row becomes. Raises Refused with the first reason that applies."""
    if given.on > world.today:
        raise Refused("日期", f"{chinese_date(given.on)}还没有到。")
    rule, worker = _rule_and_worker(given, world)
    text = rule.templates[0] if rule.secret else given.text
    if not text:
        raise Refused("内容", "内容不能空着，请写一句做了什么。")
    if len(text) > MAX_TEXT:
        raise Refused("内容", f"内容最多 {MAX_TEXT} 个字。")
    quantity = _quantity(given, rule, text)
    household = given.household if rule.household else ""
    key = text_key(text)
    name = f"{world.county_id}|{worker}|{given.on}|{rule.code}|{key}"
    return Accepted(
        given=given,
        id=id_of(given.on, name),
        worker_id=worker,
        rule=rule,
        text=text,
        text_key=key,
        quantity=quantity,
        household=household,
    )


def _rule_and_worker(given: Given, world: World) -> tuple[Rule, UUID]:
    """Looked up once for all rows that ask the same. Raises Refused, the rule's reason first."""
    rule_key = (given.code, given.on)
    worker_key = (given.grid_code, given.name, given.on)
    if len(world.seen) > REMEMBERED:
        world.seen.clear()
    for key, find in ((rule_key, _rule), (worker_key, _worker)):
        if key not in world.seen:
            try:
                world.seen[key] = find(given, world)
            except Refused as refusal:
                world.seen[key] = refusal
        found = world.seen[key]
        if isinstance(found, Refused):
            raise Refused(found.column, found.reason)
    rule, worker = world.seen[rule_key], world.seen[worker_key]
    assert isinstance(rule, Rule)  # noqa: S101  each key has its kind
    assert isinstance(worker, UUID)  # noqa: S101
    return rule, worker


def id_of(on: date, name: str) -> UUID:
    """The same row always gets the same id, which sorts by the day of the work (UUIDv8)."""
    days = (on - date(1970, 1, 1)).days
    tail = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    number = days * 86_400_000 << 80 | tail
    number = number & ~(0xF << 76) | 0x8 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def _rule(given: Given, world: World) -> Rule:
    versions = world.rules.get(given.code)
    if not versions:
        raise Refused("规则编号", f"没有规则 {given.code}，请对照规则库。")
    rule = in_force(list(versions), given.on)
    if rule is None:
        raise Refused("规则编号", f"规则 {given.code} 在{chinese_date(given.on)}没有生效。")
    if Step.SYSTEM in rule.steps:
        raise Refused("规则编号", f"{given.code} 由工单办结自动产生，不能导入。")
    return rule


def _worker(given: Given, world: World) -> UUID:
    if given.grid_code not in world.grids:
        raise Refused("网格编码", f"没有网格 {given.grid_code}，请对照花名册。")
    named = [span for span in world.workers.get(given.grid_code, ()) if span.name == given.name]
    if not named:
        raise Refused("姓名", f"{given.name}不是网格 {given.grid_code} 的网格员。")
    there = {
        span.person_id
        for span in named
        if span.valid_from <= given.on and (span.valid_to is None or given.on < span.valid_to)
    }
    if not there:
        raise Refused("日期", f"{given.name}{chinese_date(given.on)}不在这个网格的岗位上。")
    if len(there) > 1:
        raise Refused("姓名", f"这个网格有 {len(there)} 位{given.name}，请在页面上代录。")
    return there.pop()


def _quantity(given: Given, rule: Rule, text: str) -> int:
    """The number column, else the number of households in the words, else one award's worth."""
    if rule.per == 1:
        if given.quantity not in (None, 1):
            raise Refused("数量", "这一项一次只能记 1 件，请拆成几行。")
        return 1
    written = HOUSES.search(text)
    quantity = given.quantity or (int(written[1]) if written else rule.per)
    if not rule.per <= quantity <= MAX_QUANTITY:
        raise Refused(
            "数量" if given.quantity else "内容",
            f"每 {rule.per} 户计一次，最多 {MAX_QUANTITY} 户，现在是 {quantity} 户。",
        )
    return quantity
