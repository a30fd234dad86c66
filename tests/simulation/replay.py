"""The replay checker: the ledger gives a total order; the plain model must tell the same story.

Every row of it is replayed through ``tests.points.ledger.model``; every acknowledged answer must be
in it, once, with the same content; and what was answered before something else was sent stands
before it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from points.ledger.items import (
    AddResolution,
    Award,
    Hold,
    Item,
    Line,
    Pick,
    PostHold,
    Redeem,
    StockMove,
    VoidHold,
)
from tests.factories import COUNTY
from tests.points.ledger.model import Model
from tests.simulation.scene import MONTH_LIMIT, Scene
from tests.simulation.traffic import Call

ROWS = """
SELECT batch, position, 'redemption' AS thing, id, refusal, amount, balance_after, hold_id AS target
FROM points.redemption WHERE county_id = $1
UNION ALL
SELECT batch, position, 'hold', id, refusal, amount, balance_after, NULL
FROM points.hold WHERE county_id = $1
UNION ALL
SELECT batch, position, kind, id, NULL, amount, NULL, target
FROM points.posting WHERE county_id = $1
ORDER BY batch, position
"""
STOCK = "SELECT shop_id, product_id, quantity, held FROM points.stock WHERE county_id = $1"
LEFT = """
SELECT person_id, sum(remaining)::int8 AS left FROM points.lot
WHERE county_id = $1 GROUP BY person_id
"""
CODE_REFUSALS = frozenset({"code_unknown", "code_expired", "code_used"})
AT = datetime(2026, 11, 2, 2, tzinfo=UTC)
"""The model's now: no lot or hold of the scene ends."""
MOST = 20
"""Contradictions to name."""


class Row(msgspec.Struct, frozen=True):
    """One item of the ledger."""

    batch: int
    position: int
    thing: str
    id: UUID
    refusal: str | None
    amount: int
    balance_after: int | None
    target: UUID | None

    @property
    def place(self) -> tuple[int, int]:
        return self.batch, self.position


class Replay:
    """Reads a ledger and holds it against what the traffic and the clerk know."""

    def __init__(self, scene: Scene, calls: Mapping[UUID, Call]) -> None:
        self.scene, self.calls = scene, calls
        self.model = Model()
        self.model.room[scene.fund_id] = 0
        self.used: set[str] = set()
        self.rows: list[Row] = []
        self.places: dict[UUID, Row] = {}
        self.voids: dict[UUID, Row] = {}
        """By the hold that they end; the server makes their ids."""
        self.found: list[str] = []

    def say(self, text: str) -> None:
        if len(self.found) < MOST:
            self.found.append(text)

    async def run(self, connection: asyncpg.Connection) -> list[str]:
        """Everything that does not fit, in words; empty when the ledger tells the story."""
        self.rows = [Row(**dict(row)) for row in await connection.fetch(ROWS, COUNTY)]
        for row in self.rows:
            self._replay(row)
        self._answers()
        self._real_time()
        await self._shelves_and_wallets(connection)
        return self.found

    def _replay(self, row: Row) -> None:
        """One item through the model."""
        if row.thing == "void_hold" and row.target is not None:
            self.voids[row.target] = row
        else:
            self.places[row.id] = row
        if row.thing == "open_fund":
            return
        item = self._item(row)
        if item is None:
            self.say(f"{row.thing} {row.id}: nobody sent this")
            return
        call = self.calls.get(row.id)
        if call is not None and call.code and not self._code_is_good(row, call):
            return
        expected = self.model.post(item)
        if call is not None and call.code and expected.code == "accepted":
            self.used.add(call.code)
        told = (row.refusal or "accepted", row.amount)
        if told != (expected.code, expected.amount):
            self.say(f"{row.thing} {row.id}: {told}, the model says {expected}")
        elif row.balance_after is not None and row.balance_after != expected.balance:
            self.say(f"{row.thing} {row.id}: balance {row.balance_after}, model {expected}")

    def _code_is_good(self, row: Row, call: Call) -> bool:
        """Whether the model is asked; a used code is refused before anything else is looked at."""
        used = call.code in self.used
        if used and row.refusal != "code_used":
            self.say(f"{row.thing} {row.id}: a used code was answered {row.refusal}")
        elif not used and row.refusal in CODE_REFUSALS:
            self.say(f"{row.thing} {row.id}: a fresh code was answered {row.refusal}")
        return not used and row.refusal not in CODE_REFUSALS

    def _item(self, row: Row) -> Item | None:
        """What was asked for, from whoever asked."""
        if row.thing == "void_hold" and row.target is not None:
            return VoidHold(id=row.id, hold_id=row.target)
        if row.thing in {"award", "stock_move", "add_resolution"}:
            found = self.scene.items.get(row.id)
            return found if isinstance(found, Award | StockMove | AddResolution) else None
        call = self.calls.get(row.id)
        if call is None:
            return None
        if call.kind == "hand_over" and call.hold_id is not None:
            picks = tuple(Pick(p, n) for p, n in call.lines) or None
            shop = call.terminal.shop_id
            return PostHold(id=row.id, hold_id=call.hold_id, shop_id=shop, at=AT, picks=picks)
        return self._purchase(call)

    def _purchase(self, call: Call) -> Redeem | Hold:
        common: dict[str, Any] = {
            "id": call.id,
            "shop_id": call.terminal.shop_id,
            "means": "card",
            "person_id": self.scene.owner_of[call.code],
            "at": AT,
            "month_limit": MONTH_LIMIT,
            "lines": tuple(
                Line(product_id=p, quantity=n, price=self.scene.prices[p], cost_fen=0)
                for p, n in call.lines
            ),
        }
        if call.kind == "redeem":
            return Redeem(**common)
        return Hold(**common, expires_at=datetime.max.replace(tzinfo=UTC))

    def _row(self, call: Call) -> Row | None:
        if call.kind == "void" and call.hold_id is not None:
            return self.voids.get(call.hold_id)
        return self.places.get(call.id)

    def _answers(self) -> None:
        """Acknowledged means present, as it was answered; nothing was answered two ways."""
        for call in self.calls.values():
            row = self._row(call)
            if call.status in {200, 201}:
                if row is None or row.refusal is not None:
                    self.say(f"{call.kind} {call.id} was accepted and is not there: {row}")
                elif json.loads(call.answer)["amount"] != row.amount:
                    self.say(f"{call.kind} {call.id} answered {call.answer!r}, stands {row}")
            elif call.status == 409 and row is not None:
                told = json.loads(call.answer)["code"]
                if told != row.refusal:
                    self.say(f"{call.kind} {call.id} was refused as {told}, stands {row.refusal}")
            elif call.status and row is not None:
                self.say(f"{call.kind} {call.id} got {call.status}, yet stands {row}")

    def _real_time(self) -> None:
        """What was answered before another call was first sent stands before it."""
        events = sorted(self._events())
        latest: tuple[int, int] = (0, 0)
        who: UUID | None = None
        for _, sending, place, id_ in events:
            if sending and place <= latest and id_ != who:
                self.say(f"{id_} at {place} was sent after {who} at {latest} was answered")
            elif not sending and place > latest:
                latest, who = place, id_

    def _events(self) -> Iterator[tuple[int, bool, tuple[int, int], UUID]]:
        for call in self.calls.values():
            row = self._row(call)
            if row is not None and call.status in {200, 201, 409}:
                yield call.first_sent, True, row.place, call.id
                yield call.acked, False, row.place, call.id

    async def _shelves_and_wallets(self, connection: asyncpg.Connection) -> None:
        """Where the model and the tables end up."""
        model = self.model
        for row in await connection.fetch(STOCK, COUNTY):
            place = (row["shop_id"], row["product_id"])
            if (model.stock[place], model.kept[place]) != (row["quantity"], row["held"]):
                self.say(f"stock {place}: {dict(row)}, the model has {model.stock[place]}")
        left = {row["person_id"]: row["left"] for row in await connection.fetch(LEFT, COUNTY)}
        for person in self.scene.people:
            mine = sum(lot.left for lot in model.mine[person])
            if left.get(person, 0) != mine:
                self.say(f"wallet {person}: {left.get(person, 0)}, the model has {mine}")
