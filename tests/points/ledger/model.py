"""A plain in-memory ledger: what the real one must answer, written without thinking of SQL."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.ledger.items import (
    AddResolution,
    Award,
    Code,
    CorrectResolution,
    Deduct,
    ExpireHolds,
    ExpireLots,
    Hold,
    Item,
    PostHold,
    Redeem,
    Reverse,
    StockMove,
    Undo,
    VoidHold,
)
from tests.points.ledger.builders import NOW

NEVER = date.max


class Answer(msgspec.Struct, frozen=True):
    """The fields of an outcome that the model predicts."""

    code: str
    amount: int = 0
    wallet: int = 0
    waiting: int = 0
    settled: int = 0
    balance: int | None = None
    quantity: int = 0


class Lot(msgspec.Struct):
    number: int
    person: UUID
    award: UUID
    fund: UUID
    ends: date
    left: int
    held: int = 0
    ended: int = 0
    """Written off."""


class Waiting(msgspec.Struct):
    award: Award
    left: int


class Held(msgspec.Struct):
    item: Hold
    draws: list[tuple[Lot, int]]
    status: str = "pending"
    own: bool = False
    """The worker gave it up, and an upload may still show that it was fetched before."""


class Bought(msgspec.Struct):
    person: UUID
    shop: UUID
    amount: int
    goods: dict[UUID, int]
    draws: list[tuple[Lot, int]]
    undone: bool = False


class Given(msgspec.Struct):
    person: UUID
    merit: int
    wallet: int
    sign: int
    reversed: bool = False


class Model:
    """Balances, lots, holds, stock and funds; ``post`` answers one item after another."""

    def __init__(self) -> None:
        self.room: dict[UUID, int] = {}
        self.numbers: set[tuple[UUID, str]] = set()
        self.resolutions: dict[UUID, tuple[UUID, int]] = {}
        """The fund of each and what it stands at, 0.1 point."""
        self.merit: dict[UUID, int] = defaultdict(int)
        self.owed: dict[UUID, int] = defaultdict(int)
        self.lots: list[Lot] = []
        self.mine: dict[UUID, list[Lot]] = defaultdict(list)
        """Lots by person."""
        self.month: dict[UUID, int] = defaultdict(int)
        """What each person redeemed and holds, all in one month here."""
        self.queue: list[Waiting] = []
        self.stock: dict[tuple[UUID, UUID], int] = defaultdict(int)
        self.kept: dict[tuple[UUID, UUID], int] = defaultdict(int)
        self.holds: dict[UUID, Held] = {}
        self.bought: dict[UUID, Bought] = {}
        self.given: dict[UUID, Given] = {}
        self.appealing: set[UUID] = set()
        """Whose points do not end."""

    def post(self, item: Item) -> Answer:
        kind = str(item.__struct_config__.tag)
        answer: Answer = getattr(self, kind)(item)
        return answer

    # Earning

    def award(self, item: Award) -> Answer:
        fund = item.fund_id
        behind = any(w.award.fund_id == fund for w in self.queue)
        now = 0 if fund is None or behind else min(item.wallet, self.room[fund])
        self.merit[item.person_id] += item.merit
        self.given[item.id] = Given(item.person_id, item.merit, item.wallet, 1)
        settled = self.issue(item, now, item.expires_on)
        if item.wallet > now:
            self.queue.append(Waiting(item, item.wallet - now))
        return Answer("accepted", item.merit, now, item.wallet - now, settled)

    def deduct(self, item: Deduct) -> Answer:
        self.merit[item.person_id] -= item.amount
        self.given[item.id] = Given(item.person_id, item.amount, 0, -1)
        return Answer("accepted", item.amount)

    def issue(self, item: Award, now: int, ends: date | None) -> int:
        """Give a person a lot, less what is owed; answers how much settled."""
        if now == 0 or item.fund_id is None:
            return 0
        settled = min(now, self.owed[item.person_id])
        self.owed[item.person_id] -= settled
        self.room[item.fund_id] -= now - settled
        number, left = len(self.lots), now - settled
        lot = Lot(number, item.person_id, item.id, item.fund_id, ends or NEVER, left)
        self.lots.append(lot)
        self.mine[item.person_id].append(lot)
        return settled

    def add_resolution(self, item: AddResolution) -> Answer:
        if (item.fund_id, item.number) in self.numbers:
            return Answer(Code.RESOLUTION_EXISTS)
        self.numbers.add((item.fund_id, item.number))
        self.resolutions[item.id] = (item.fund_id, item.amount_fen // 10)
        return self.budget(item.fund_id, item.amount_fen // 10, item.expires_on)

    def correct_resolution(self, item: CorrectResolution) -> Answer:
        fund, stands = self.resolutions.get(item.resolution_id, (None, 0))
        if fund is None:
            return Answer(Code.RESOLUTION_UNKNOWN)
        if stands != item.was_fen // 10:
            return Answer(Code.RESOLUTION_CHANGED)
        more = item.amount_fen // 10 - stands
        if self.room[fund] + more < 0:
            return Answer(Code.BUDGET_ISSUED)
        self.resolutions[item.resolution_id] = (fund, stands + more)
        return self.budget(fund, more, item.expires_on)

    def budget(self, fund: UUID, more: int, ends: date | None) -> Answer:
        """The budget changes; what it now covers is released."""
        self.room[fund] += more
        room, released, count = self.room[fund], 0, 0
        for waiting in [w for w in self.queue if w.award.fund_id == fund]:
            now = min(waiting.left, room - released)
            if now == 0:
                break
            self.issue(waiting.award, now, ends)
            waiting.left -= now
            released, count = released + now, count + 1
        self.queue = [w for w in self.queue if w.left]
        return Answer("accepted", released, quantity=count)

    def reverse(self, item: Reverse) -> Answer:
        award = self.given.get(item.award_id)
        if award is None:
            return Answer(Code.AWARD_UNKNOWN)
        if award.reversed:
            return Answer(Code.ALREADY_REVERSED)
        amount = item.amount or max(award.merit, award.wallet)
        if amount > max(award.merit, award.wallet):
            return Answer(Code.REVERSE_EXCEEDS)
        award.reversed = True
        merit, left = min(amount, award.merit), min(amount, award.wallet)
        self.merit[award.person] -= award.sign * merit
        cancelled = taken = ended = 0
        for waiting in self.queue:
            if waiting.award.id == item.award_id:
                cancelled = min(left, waiting.left)
                waiting.left -= cancelled
        self.queue = [w for w in self.queue if w.left]
        for lot in self.lots:
            if lot.award == item.award_id:
                part = min(left - cancelled - taken, lot.left - lot.held)
                lot.left -= part
                self.room[lot.fund] += part
                taken += part
                ended += lot.ended
        owed = max(0, left - cancelled - taken - ended)
        self.owed[award.person] += owed
        return Answer("accepted", merit, taken, cancelled, owed)

    # Spending

    def spendable(self, person: UUID, at: datetime) -> list[Lot]:
        today = (at + timedelta(hours=8)).date()
        kept = person in self.appealing
        mine = [lot for lot in self.mine[person] if lot.left and (lot.ends >= today or kept)]
        return sorted(mine, key=lambda lot: lot.ends)

    def balance(self, person: UUID, at: datetime) -> int:
        return sum(lot.left - lot.held for lot in self.spendable(person, at))

    def decide(self, item: Redeem | Hold) -> tuple[Answer | None, list[tuple[Lot, int]]]:
        assert item.person_id is not None
        have = self.balance(item.person_id, item.at)
        for line in item.lines:
            place = (item.shop_id, line.product_id)
            if self.stock[place] - self.kept[place] < line.quantity:
                return Answer(Code.OUT_OF_STOCK, item.amount, balance=have), []
        if have < item.amount:
            return Answer(Code.INSUFFICIENT, item.amount, balance=have), []
        month = self.month[item.person_id] + item.amount
        if item.month_limit is not None and month > item.month_limit:
            return Answer(Code.MONTH_LIMIT, item.amount, balance=have), []
        draws, left = [], item.amount
        for lot in self.spendable(item.person_id, item.at):
            part = min(left, lot.left - lot.held)
            if part:
                draws.append((lot, part))
            left -= part
        return None, draws

    def redeem(self, item: Redeem) -> Answer:
        refusal, draws = self.decide(item)
        if refusal:
            return refusal
        assert item.person_id is not None
        goods = {line.product_id: line.quantity for line in item.lines}
        self.hand_over(item.id, Bought(item.person_id, item.shop_id, item.amount, goods, draws))
        return Answer("accepted", item.amount, balance=self.balance(item.person_id, item.at))

    def hand_over(self, id_: UUID, bought: Bought) -> None:
        for lot, part in bought.draws:
            lot.left -= part
        for product, pieces in bought.goods.items():
            self.stock[bought.shop, product] -= pieces
        self.month[bought.person] += bought.amount
        self.bought[id_] = bought

    def hold(self, item: Hold) -> Answer:
        refusal, draws = self.decide(item)
        if refusal:
            return refusal
        assert item.person_id is not None
        for lot, part in draws:
            lot.held += part
        for line in item.lines:
            self.kept[item.shop_id, line.product_id] += line.quantity
        self.month[item.person_id] += item.amount
        self.holds[item.id] = Held(item, draws)
        return Answer("accepted", item.amount, balance=self.balance(item.person_id, item.at))

    def free(self, held: Held, status: str) -> None:
        held.status = status
        assert held.item.person_id is not None
        self.month[held.item.person_id] -= held.item.amount
        for lot, part in held.draws:
            lot.held -= part
        for line in held.item.lines:
            self.kept[held.item.shop_id, line.product_id] -= line.quantity

    def returned(self, person: UUID, draws: list[tuple[Lot, int]]) -> None:
        """Points that came back pay what is owed first."""
        lots = {lot.number: lot for lot, _ in draws}
        for lot in (lots[number] for number in sorted(lots)):
            part = min(self.owed[person], lot.left - lot.held)
            lot.left -= part
            self.owed[person] -= part
            self.room[lot.fund] += part

    def post_hold(self, item: PostHold) -> Answer:
        held = self.holds.get(item.hold_id)
        if held is None:
            return Answer(Code.HOLD_UNKNOWN, balance=0)
        person = held.item.person_id
        assert person is not None
        prices = {line.product_id: line.price for line in held.item.lines}
        goods = {line.product_id: line.quantity for line in held.item.lines}
        if item.picks is not None:
            goods = {pick.product_id: pick.quantity for pick in item.picks}
        amount = sum(prices.get(product, 0) * pieces for product, pieces in goods.items())
        again = held.own and item.shown and item.at < NOW
        refusal = self.refuse_collect(held, item, goods, again=again)
        if refusal:
            return Answer(refusal, amount, balance=self.balance(person, item.at))
        draws, left = [], amount
        sources = held.draws
        if again:
            held.own = False
            sources = [(lot, lot.left - lot.held) for lot in self.spendable(person, item.at)]
        else:
            self.free(held, "posted")
        for lot, part in sources:
            draws.append((lot, min(part, left)))
            left -= min(part, left)
        self.hand_over(item.id, Bought(person, item.shop_id, amount, goods, draws))
        balance = self.balance(person, item.at)
        if amount < held.item.amount:
            self.returned(person, held.draws)
        return Answer("accepted", amount, balance=balance)

    def refuse_collect(
        self, held: Held, item: PostHold, goods: dict[UUID, int], *, again: bool
    ) -> str:
        if held.item.shop_id != item.shop_id:
            return Code.SHOP_MISMATCH
        if held.status != "pending" and not again:
            return Code.HOLD_RESOLVED
        if held.item.expires_at <= item.at:
            return Code.HOLD_EXPIRED
        kept = {line.product_id: line.quantity for line in held.item.lines}
        if any(pieces > kept.get(product, 0) for product, pieces in goods.items()):
            return Code.LINES_EXCEED_HOLD
        return self.refuse_again(held, item, goods) if again else ""

    def refuse_again(self, held: Held, item: PostHold, goods: dict[UUID, int]) -> str:
        assert held.item.person_id is not None
        for product, pieces in goods.items():
            place = (item.shop_id, product)
            if pieces > self.stock[place] - self.kept[place]:
                return Code.OUT_OF_STOCK
        prices = {line.product_id: line.price for line in held.item.lines}
        amount = sum(prices[product] * pieces for product, pieces in goods.items())
        short = self.balance(held.item.person_id, item.at) < amount
        return Code.CANCELLED_SPENT if short else ""

    def void_hold(self, item: VoidHold) -> Answer:
        held = self.holds.get(item.hold_id)
        if held is None:
            return Answer(Code.HOLD_UNKNOWN)
        if held.status != "pending":
            return Answer(Code.HOLD_RESOLVED)
        self.free(held, "voided")
        held.own = item.authority == "self"
        assert held.item.person_id is not None
        self.returned(held.item.person_id, held.draws)
        return Answer("accepted", held.item.amount)

    def expire_holds(self, item: ExpireHolds) -> Answer:
        live = [h for h in self.holds.values() if h.status == "pending"]
        due = [h for h in live if h.item.expires_at <= item.at]
        for held in sorted(due, key=lambda h: (h.item.expires_at, h.item.id)):
            self.free(held, "expired")
            assert held.item.person_id is not None
            self.returned(held.item.person_id, held.draws)
        return Answer("accepted", sum(h.item.amount for h in due), quantity=len(due))

    def undo(self, item: Undo) -> Answer:
        bought = self.bought.get(item.redemption_id)
        if bought is None:
            return Answer(Code.REDEMPTION_UNKNOWN)
        if bought.undone:
            return Answer(Code.ALREADY_UNDONE)
        bought.undone = True
        self.month[bought.person] -= bought.amount
        for lot, part in bought.draws:
            lot.left += part
        for product, pieces in bought.goods.items():
            self.stock[bought.shop, product] += pieces
        self.returned(bought.person, bought.draws)
        return Answer("accepted", bought.amount)

    def expire_lots(self, item: ExpireLots) -> Answer:
        due = [
            lot
            for lot in self.lots
            if lot.left and not lot.held and lot.ends < item.on and lot.person not in self.appealing
        ]
        total = sum(lot.left for lot in due)
        for lot in due:
            self.room[lot.fund] += lot.left
            lot.ended += lot.left
            lot.left = 0
        return Answer("accepted", total, quantity=len(due))

    def stock_move(self, item: StockMove) -> Answer:
        place = (item.shop_id, item.product_id)
        before = self.stock[place]
        after = {
            "in": before + item.quantity,
            "out": before - item.quantity,
            "count": item.quantity,
        }[item.move]
        if after < self.kept[place]:
            return Answer(Code.OUT_OF_STOCK)
        self.stock[place] = after
        return Answer("accepted", abs(after - before), quantity=after)
