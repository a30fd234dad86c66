"""Who a row of an office file speaks of: a name at a grid on a day."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import msgspec

from shared.dates import chinese_date
from shared.documents.read import Row, Table
from shared.identity.access import Action, Target, allowed
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.schemas import WorkerSpan

GRID, NAME = "网格编码", "姓名"


class Found(msgspec.Struct, frozen=True):
    """A gridworker at a grid."""

    person_id: UUID
    name: str
    grid_code: str

    @property
    def village_code(self) -> str:
        return self.grid_code[:12]


class People:
    """The county's gridworkers of a period, looked up by grid and name."""

    def __init__(self, actor: Actor, action: Action, spans: Iterable[WorkerSpan]) -> None:
        self.actor, self.action = actor, action
        self.spans: dict[tuple[str, str], list[WorkerSpan]] = defaultdict(list)
        self.grids: set[str] = set()
        for span in spans:
            self.spans[span.grid_code, span.name].append(span)
            self.grids.add(span.grid_code)

    def find(self, table: Table, row: Row, first: date, last: date) -> Found | None:
        """The one who was in post between the days, or None and a fault of the row."""
        code, name = row[GRID], row[NAME]
        if code is None or name is None:
            return None
        served = [
            span
            for span in self.spans.get((code, name), [])
            if span.valid_from <= last and (span.valid_to is None or span.valid_to > first)
        ]
        who = {span.person_id for span in served}
        if len(who) != 1:
            table.fault(row, *self._why(code, name, len(who), first, last))
            return None
        found = Found(who.pop(), name, code)
        target = Target(unit_code=found.village_code, owner=found.person_id)
        decision = allowed(self.actor, self.action, target)
        if not decision.allowed:
            own = "这是您本人的数据，要由别人来录。"
            sentence = own if decision.reason == "own" else "这个网格不在您管辖的范围内。"
            table.fault(row, NAME if decision.reason == "own" else GRID, sentence)
            return None
        return found

    def _why(self, code: str, name: str, count: int, first: date, last: date) -> tuple[str, str]:
        if count > 1:
            return NAME, f"这个网格有两个叫“{name}”的网格员，请在页面上登记。"
        when = chinese_date(first) if first == last else f"{first:%Y年%-m月}"
        if code not in self.grids:
            return GRID, f"{when}没有编码为 {code} 的网格，或那里没有网格员，请核对。"
        return NAME, f"{when}这个网格没有叫“{name}”的网格员，请核对姓名和网格编码。"


async def people(actor: Actor, action: Action, days: Iterable[date]) -> People:
    """The gridworkers of the county between the first and the last of the days."""
    known = sorted(days)
    if not known:
        return People(actor, action, [])
    code = actor.county_code
    spans = await roster.workers(actor.county_id, code, known[0], known[-1])
    return People(actor, action, spans)
