"""The ledger against a plain model: a Hypothesis state machine plays both and compares.

Every answer must match, and after every run the verifier must find the books sound. A failing run
is shrunk to the shortest story.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from points.ledger import service
from points.ledger.items import (
    AddResolution,
    ExpireHolds,
    Hold,
    Item,
    OpenFund,
    Outcome,
    Pick,
    PostHold,
    Redeem,
    StockMove,
    VoidHold,
)
from shared.database import DB
from shared.ids import new_id
from tests.conftest import APP_ROLE
from tests.points.ledger.builders import (
    CLERK,
    COUNTY,
    NOW,
    TODAY,
    answer,
    appeal,
    award,
    correction,
    deduct,
    expire_lots,
    hold,
    line,
    redeem,
    resolution,
    reverse,
    sound,
    undo,
    void_hold,
)
from tests.points.ledger.model import Answer, Model

T = TypeVar("T")
WHO = st.integers(0, 2)
AMOUNT = st.integers(1, 60).map(lambda n: n * 5)
SHOP = st.integers(0, 1)
PIECES = st.integers(1, 4)
PICK = st.integers(0, 1_000)
"""Chooses among what exists."""
ENDS = st.sampled_from([0, 2, 5, None])
"""Days until a lot ends."""
LIMIT = st.sampled_from([None, 400])
PROOF = st.sampled_from([(True, True), (True, False), (False, True)])
"""Whether the pickup code was shown, and whether the goods left before they were given up."""


class LedgerMachine(RuleBasedStateMachine):
    """One county, three people, two shops, two products, one fund."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    connection: ClassVar[asyncpg.Connection]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.day = 0
        self.people = [new_id() for _ in range(3)]
        self.shops = [new_id() for _ in range(2)]
        self.products = [new_id() for _ in range(2)]
        self.fund_id = new_id()
        self.known: list[tuple[Item, Outcome]] = []
        self.appealed: dict[UUID, UUID] = {}
        """The open appeal of each person."""
        self.transaction = self.connection.transaction()
        self.run(self.transaction.start())
        opened = OpenFund(id=self.fund_id, unit_code="42", name="村", point_value_fen=100)
        self.run(self.alone(service.post_one(COUNTY, opened, NOW)))
        self.model.room[self.fund_id] = 0

    def teardown(self) -> None:
        try:
            self.run(self.alone(sound()))
        finally:
            self.run(self.transaction.rollback())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def alone(self, work: Coroutine[Any, Any, T]) -> T:
        """On the machine's own connection, whose transaction spans the whole story."""
        holder: Any = SimpleNamespace(connection=self.connection)
        DB.current_transaction.set(holder)
        return await work

    def post(self, item: Item) -> Outcome:
        """Post on both sides and compare."""
        outcome = self.run(self.alone(service.post_one(COUNTY, item, NOW)))
        expected = self.model.post(item)
        found = Answer(**{name: getattr(outcome, name) for name in Answer.__struct_fields__})
        assert expected == found, item
        self.known.append((item, outcome))
        return outcome

    def items(self, kind: type[T]) -> list[T]:
        return [item for item, _ in self.known if isinstance(item, kind)]

    @property
    def at(self) -> Any:
        return NOW + timedelta(days=self.day)

    def ends(self, days: int | None) -> date | None:
        return None if days is None else TODAY + timedelta(days=self.day + days)

    @initialize()
    def begin(self) -> None:
        """Money, points and goods: chance alone hardly ever brings all three together."""
        self.post(resolution(self.fund_id, 1000, "begin"))
        for person in self.people:
            self.post(award(person, self.fund_id, 200))
        for shop in self.shops:
            for product in self.products:
                self.post(
                    StockMove(
                        id=new_id(), shop_id=shop, product_id=product, move="in", quantity=6,
                        at=self.at,
                    )
                )  # fmt: skip

    @rule(who=WHO, amount=AMOUNT, days=ENDS, funded=st.booleans())
    def earn(self, who: int, amount: int, days: int | None, funded: bool) -> None:  # noqa: FBT001
        fund_id = self.fund_id if funded else None
        self.post(award(self.people[who], fund_id, amount, expires_on=self.ends(days)))

    @rule(amount=AMOUNT, days=ENDS)
    def resolve(self, amount: int, days: int | None) -> None:
        item = resolution(self.fund_id, amount, str(amount))
        self.post(msgspec.structs.replace(item, expires_on=self.ends(days)))

    @rule(pick=PICK, amount=AMOUNT, days=ENDS, up_to_date=st.booleans())
    def correct(
        self,
        pick: int,
        amount: int,
        days: int | None,
        up_to_date: bool,  # noqa: FBT001
    ) -> None:
        resolutions = self.items(AddResolution)
        wrong = resolutions[pick % len(resolutions)]
        _, stands = self.model.resolutions.get(wrong.id, (None, 0))
        was = stands if up_to_date else stands + 5
        if amount != was:
            item = correction(wrong, amount, was)
            self.post(msgspec.structs.replace(item, expires_on=self.ends(days)))

    @rule(who=WHO, amount=AMOUNT)
    def punish(self, who: int, amount: int) -> None:
        self.post(deduct(self.people[who], amount))

    @rule(pick=PICK, part=st.one_of(st.none(), AMOUNT))
    def take_back(self, pick: int, part: int | None) -> None:
        given = [i for i, _ in self.known if i.__struct_config__.tag in {"award", "deduct"}]
        if given:
            self.post(reverse(given[pick % len(given)], part))  # type: ignore[arg-type]

    @rule(shop=SHOP, product=SHOP, move=st.sampled_from(["in", "out", "count"]), pieces=PIECES)
    def shelve(self, shop: int, product: int, move: Any, pieces: int) -> None:
        self.post(
            StockMove(
                id=new_id(), shop_id=self.shops[shop], product_id=self.products[product],
                move=move, quantity=pieces * 3, at=self.at,
            )
        )  # fmt: skip

    def basket(self, rice: int, soap: int) -> list[Any]:
        return [line(self.products[0], rice, 20), line(self.products[1], soap, 50)][: 1 + soap % 2]

    @rule(who=WHO, shop=SHOP, rice=PIECES, soap=PIECES, limit=LIMIT)
    def buy(self, who: int, shop: int, rice: int, soap: int, limit: int | None) -> None:
        basket = self.basket(rice, soap)
        self.post(
            redeem(self.people[who], self.shops[shop], *basket, at=self.at, month_limit=limit)
        )

    @rule(who=WHO, shop=SHOP, rice=PIECES, soap=PIECES, limit=LIMIT)
    def order(self, who: int, shop: int, rice: int, soap: int, limit: int | None) -> None:
        basket = self.basket(rice, soap)
        item = hold(
            self.people[who], self.shops[shop], *basket, at=self.at, days=2, month_limit=limit
        )
        self.post(item)

    @rule(pick=PICK, pieces=st.one_of(st.none(), PIECES))
    def collect(self, pick: int, pieces: int | None) -> None:
        if holds := self.items(Hold):
            held = holds[pick % len(holds)]
            picks = None if pieces is None else (Pick(self.products[0], pieces),)
            self.post(
                PostHold(
                    id=new_id(), hold_id=held.id, shop_id=held.shop_id, at=self.at, picks=picks,
                    actor_id=CLERK, authority="shop",
                )
            )  # fmt: skip

    @rule(pick=PICK, by=st.sampled_from(["self", "shop"]))
    def give_up(self, pick: int, by: str) -> None:
        if holds := self.items(Hold):
            item = void_hold(holds[pick % len(holds)])
            self.post(msgspec.structs.replace(item, authority=by))

    @rule(pick=PICK, pieces=st.one_of(st.none(), PIECES), proof=PROOF)
    def upload(self, pick: int, pieces: int | None, proof: tuple[bool, bool]) -> None:
        """An offline shop's, of what was given up, before or after the moment of every batch."""
        shown, early = proof
        gone = {item.hold_id for item in self.items(VoidHold)}
        if holds := [held for held in self.items(Hold) if held.id in gone]:
            held = holds[pick % len(holds)]
            picks = None if pieces is None else (Pick(self.products[0], pieces),)
            self.post(
                PostHold(
                    id=new_id(), hold_id=held.id, shop_id=held.shop_id, picks=picks,
                    at=NOW - timedelta(minutes=1) if early else self.at,
                    actor_id=CLERK, authority="shop", shown=shown,
                )
            )  # fmt: skip

    @rule(pick=PICK)
    def bring_back(self, pick: int) -> None:
        if bought := self.items(Redeem):
            self.post(undo(bought[pick % len(bought)]))

    @rule()
    def sweep_holds(self) -> None:
        self.post(ExpireHolds(id=new_id(), at=self.at))

    @rule()
    def sweep_lots(self) -> None:
        self.post(expire_lots(TODAY + timedelta(days=self.day)))

    @rule(who=WHO)
    def appeal(self, who: int) -> None:
        """Somebody appeals, or has the answer."""
        person = self.people[who]
        if person in self.model.appealing:
            self.run(self.alone(answer(self.appealed.pop(person))))
            self.model.appealing.remove(person)
        else:
            self.appealed[person] = self.run(self.alone(appeal(person)))
            self.model.appealing.add(person)

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.day = min(self.day + days, 25)

    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        """A stored answer comes again; an unstored refusal is decided afresh, so not retried."""
        stored = [pair for pair in self.known if pair[1].batch is not None]
        if stored:
            item, before = stored[pick % len(stored)]
            again = self.run(self.alone(service.post_one(COUNTY, item, NOW)))
            assert again == msgspec.structs.replace(before, repeated=True)

    @rule(who=WHO, amount=AMOUNT)
    def crash(self, who: int, amount: int) -> None:
        """What is rolled back leaves nothing behind, the chain's next number included."""
        item = award(self.people[who], self.fund_id, amount)

        async def lost() -> None:
            savepoint = self.connection.transaction()
            await savepoint.start()
            await service.post_one(COUNTY, item, NOW)
            await savepoint.rollback()

        self.run(self.alone(lost()))

    @invariant()
    def balances_agree(self) -> None:
        for person in self.people:
            have = self.run(self.alone(service.balances(COUNTY, person, self.at)))
            mine = [lot for lot in self.model.lots if lot.person == person]
            assert have.merit == self.model.merit[person]
            assert have.wallet == self.model.balance(person, self.at)
            assert have.held == sum(lot.held for lot in mine)
            assert have.offset == self.model.owed[person]
            assert have.awaiting == sum(
                w.left for w in self.model.queue if w.award.person_id == person
            )


@pytest.fixture
async def story(database: str) -> AsyncIterator[tuple[asyncio.AbstractEventLoop, Any]]:
    """The session's loop, idle while a plain test runs, and a connection of the machine's own."""
    connection = await asyncpg.connect(database, server_settings={"role": APP_ROLE})
    yield asyncio.get_running_loop(), connection
    await connection.close()


@pytest.mark.soak
def test_ledger_behaves_as_the_model(
    story: tuple[Any, Any], request: pytest.FixtureRequest
) -> None:
    """Forty random stories of up to forty steps each; in a soak they differ from run to run."""
    LedgerMachine.loop, LedgerMachine.connection = story
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not request.config.getoption("soak"),
        ),
    )
