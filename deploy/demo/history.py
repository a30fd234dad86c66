"""What happened in the demo county before anybody looked: work, purchases, a statement.

The half-year that was appraised has a few records of everybody.
Last month is over: its statement is built, one is signed by all three, one waits for its shop. In
the running month something waits for the village lead, and some points are ready to be spent.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from deploy.demo import county as data
from deploy.demo.acting import act
from deploy.demo.county import COUNTY
from deploy.demo.halves import Half
from deploy.demo.profiles import PROFILES
from points.ledger import service as ledger
from points.ledger.items import Opening
from points.ledger.rules import expires_on
from points.mall import service as mall
from points.redemption import codes
from points.redemption import service as counter
from points.redemption.schemas import RedemptionOrder, WantedLine
from points.settlement import building, queries, rules, signing
from points.settlement.funds import service as funds
from points.settlement.publication import service as publication
from points.work import service as work
from points.work.schemas import LogForm
from shared import settings_county
from shared.clock import today
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.months import month_of, month_text, months_later
from shared.roster import service as roster
from shared.roster.roles import Role

TEN_IN_THE_MORNING = timedelta(hours=10)
PURCHASES = (
    ("欧阳金山", "孟国平", 23, (("肥皂", 2), ("牙膏", 1))),
    ("苏秀英", "孟国平", 24, (("大米5kg", 1),)),
    ("何春生", "孟国平", 24, (("抽纸6包", 1), ("食盐400g", 2))),
    ("卢立新", "孟国平", 25, (("雨衣", 1),)),
    ("欧阳金山", "孟国平", 26, (("食盐400g", 1),)),
    ("马德福", "文慧", 26, (("笔记本", 1), ("大米5kg", 1))),
)
"""Worker, keeper, day of last month, goods."""


async def play(people: Mapping[str, UUID], shops: Mapping[str, UUID], at: datetime) -> None:
    """Last month's work and purchases, its statements, and the beginning of this month."""
    month = month_text(months_later(month_of(today(at)), -1))
    start = rules.month_start(month) + TEN_IN_THE_MORNING
    await _bring_over(people, at)
    await _closed_half(people, Half.open_at(at).before)
    for village in data.VILLAGES:
        for offset, name in enumerate(village.workers):
            for number, entry in enumerate(data.WORK):
                moment = start + timedelta(days=1 + offset + 4 * number % 20)
                await _log(people[name], entry, moment)
        await _confirm(people, village.cadres, start + timedelta(days=21))
    for worker, keeper, day, wanted in PURCHASES:
        moment = start + timedelta(days=day - 1)
        await _buy(people[worker], keeper, shops[keeper], wanted, moment)
    await _throw_away("孟国平", shops["孟国平"], "食盐400g", start + timedelta(days=26))
    await building.build(None, COUNTY, month, at)
    first, *_ = await queries.statements_of_month(COUNTY, month)
    await signing.sign_on_paper(COUNTY, [first.id], at)
    await publication.publish(COUNTY, month, at)
    await _running_month(people, at)


async def _bring_over(people: Mapping[str, UUID], at: datetime) -> None:
    """What everybody had in the old books when the year began."""
    policy = (await settings_county.get(COUNTY)).expiry_policy
    day = today(at).replace(month=1, day=1)
    items = []
    for village in data.VILLAGES:
        fund_id = await funds.fund_for(COUNTY, village.code)
        items += [
            Opening(
                id=new_id(),
                person_id=people[name],
                code="opening",
                merit=data.OPENING,
                wallet=data.OPENING,
                fund_id=fund_id,
                unit_code=village.code,
                day=day,
                expires_on=expires_on(policy, day),
                memo="上年结转",
            )
            for name in village.workers
        ]
    await ledger.post(COUNTY, items)


async def _closed_half(people: Mapping[str, UUID], half: Half) -> None:
    """Some work of everybody, confirmed in the same month, so that appraisal has points to read."""
    start = half.after(-100)
    for village in data.VILLAGES:
        for one in PROFILES:
            if one.name in village.workers:
                for number, entry in enumerate(data.WORK[: one.works]):
                    moment = start + timedelta(days=3 * number)
                    await _log(people[one.name], entry, moment)
        await _confirm(people, village.cadres, start + timedelta(days=25))


async def _running_month(people: Mapping[str, UUID], at: datetime) -> None:
    """Two records that wait for the lead of the first village, typed this morning."""
    village = data.VILLAGES[0]
    for name, entry in zip(village.workers, (data.WORK[1], data.WORK[5]), strict=False):
        await _log(people[name], entry, at)


async def _log(person_id: UUID, entry: tuple[str, str, int, str], at: datetime) -> None:
    code, text, quantity, household = entry
    form = LogForm(
        id=new_id(),
        rule_code=code,
        work_date=today(at),
        text=text,
        quantity=quantity,
        household=household,
    )
    await work.log(await act(person_id, at), form, now=at)


async def _confirm(people: Mapping[str, UUID], names: tuple[str, ...], at: datetime) -> None:
    """Whatever waits for the cadres of a village."""
    for name in names:
        actor = await act(people[name], at)
        while page := await work.tasks(actor):
            for task in page:
                how = "signature" if task.resident else ""
                await work.verify(actor, task.line.id, resident_how=how, now=at)


async def _buy(
    worker: UUID,
    keeper: str,
    shop_id: UUID,
    wanted: tuple[tuple[str, int], ...],
    at: datetime,
) -> None:
    """The worker shows a code, the shop takes it."""
    code = await codes.issue(await act(worker, at), at)
    offers = {offer.name: offer for offer in await mall.offers(COUNTY, shop_id, today(at))}
    order = RedemptionOrder(
        id=new_id(),
        shop_id=shop_id,
        code=code.digits,
        lines=[WantedLine(offers[name].product_id, pieces) for name, pieces in wanted],
    )
    answer = await counter.redeem(await _keeper(keeper, shop_id, at), order, at)
    if answer.refusal:
        raise answer.refusal


async def _throw_away(keeper: str, shop_id: UUID, name: str, at: datetime) -> None:
    """A carton got wet: what 异常线索 asks the department to look at."""
    offers = {offer.name: offer for offer in await mall.offers(COUNTY, shop_id, today(at))}
    form = mall.StockForm(
        id=new_id(),
        product_id=offers[name].product_id,
        move="out",
        quantity=24,
        reason="仓库漏雨，受潮结块",
    )
    await mall.move_stock(await _keeper(keeper, shop_id, at), shop_id, form, at)


async def _keeper(name: str, shop_id: UUID, at: datetime) -> Actor:
    shop = await mall.shop(COUNTY, shop_id, today(at))
    assert shop is not None  # noqa: S101  it was made a moment ago
    holders = await roster.holders(COUNTY, Role.SHOPKEEPER, shop.unit_code, today(at))
    return await act(next(item.person_id for item in holders if item.name == name), at)
