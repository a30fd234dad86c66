"""Object by object: whoever stands elsewhere gets the answer for "there is no such thing".

One object of every kind belongs to the first village. The same roles in the sibling village, in
another township, at another shop and in another county ask for each of them, on every route: the
answer equals the one for an id that does not exist, and nothing has changed.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import msgspec
import pytest

from points.ledger import service as ledger
from points.mall import service as mall
from points.redemption import pickups
from points.redemption.schemas import HoldOrder, WantedLine
from points.routes import ROUTES
from points.rulebook import service as rulebook
from points.rulebook.variants import service as variants
from points.rulebook.variants.schemas import VariantForm
from points.settlement import building
from points.settlement import queries as statements
from points.settlement import service as settlement
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import CorrectionForm
from points.settlement.publication import service as publication
from points.work import deductions, month
from points.work import service as work
from points.work.schemas import LogForm
from shared.clock import now, today
from shared.database import DB
from shared.identity import queries, sessions, terminals
from shared.identity.accounts import ensure_account
from shared.ids import new_id
from shared.roster.roles import DESK_ROLES, Role
from tests.factories import COUNTY, Member, acting
from tests.points.settlement import world as scene
from tests.shared.identity.strangers import (
    Question,
    Stranger,
    at,
    enter,
    find_nothing,
    objects_named,
    outsiders,
    reach_nothing,
    strangers,
)
from tests.shared.identity.test_matrix import ABSENT

VILLAGE = "421222100001"
OPEN_TO_THE_COUNTY = (
    "/desk/rules/",
    "/desk/rules-penalties/",
    "/desk/products/",
    "/shop/products/",
    "/r/",
    "/a/",
)
"""The county's rulebook and catalogue belong to no village; tokens have tests of their own."""


async def things() -> tuple[scene.World, dict[str, str]]:
    """One object of each kind, by the name that stands for its id in the paths."""
    made = await scene.world()
    county, worker = made.county, await acting(made.county.worker)
    await scene.earn(worker.person_id, made.fund_id, 2000)
    [transfer, *_] = await ledger.transfers(COUNTY, worker.person_id)
    order = HoldOrder(
        id=new_id(),
        shop_id=made.shop.shop_id,
        lines=[WantedLine(product_id=made.soap, quantity=1)],
    )
    await pickups.hold(worker, order, now())
    found = {
        **await money(made),
        **await labour(made),
        **await access(made),
        "transfer_id": transfer.id,
        "pickup_id": order.id,
        "hold_id": order.id,
        "fund_id": made.fund_id,
        "shop_id": made.shop.shop_id,
        "product_id": made.rice,
        "person_id": worker.person_id,
        "worker_id": worker.person_id,
        "post_id": county.worker.post_id,
        "assignment_id": county.worker.assignment_id,
    }
    places = {"village_code": VILLAGE, "code": VILLAGE, "number": f"{today():%Y%m}"}
    return made, {name: str(value) for name, value in found.items()} | places


async def money(made: scene.World) -> dict[str, UUID]:
    """A redemption on last month's disputed statement, the month's sheet, a proposed price."""
    redemption_id = await scene.redeem(made, scene.in_last_month(3), soap=2)
    after = scene.after(scene.LAST_MONTH)
    await building.build(None, COUNTY, scene.LAST_MONTH, after)
    [statement] = await statements.statements_of_month(COUNTY, scene.LAST_MONTH)
    await publication.publish(COUNTY, scene.LAST_MONTH, after)
    accountant = await made.accountant()
    [sheet] = await publication.of_fund(accountant, made.fund_id)
    line, *_ = await statements.lines(COUNTY, statement.id)
    [dispute] = (
        await settlement.dispute(accountant, statement.id, line.id, "数量不对", now())
    ).disputes
    price = mall.PriceForm(
        product_id=made.rice,
        shop_id=made.shop.shop_id,
        points=400,
        purchase_fen=3300,
        first_day=today() + timedelta(days=3),
    )
    return {
        "redemption_id": redemption_id,
        "statement_id": statement.id,
        "publication_id": sheet.id,
        "dispute_id": dispute.id,
        "price_id": await mall.propose_price(await made.keeper(), price, now()),
        "correction_id": await corrected(made),
        "variant_id": await proposed(made),
    }


async def corrected(made: scene.World) -> UUID:
    """Another amount of the fund's resolution, asked for; a second resolution stands as it is."""
    accountant = await made.accountant()
    _, [resolution] = await funds.view_fund(accountant, made.fund_id)
    form = CorrectionForm(
        resolution_id=resolution.id, amount_fen=resolution.amount_fen + 1, reason="少了一分"
    )
    await funds.propose_correction(accountant, made.fund_id, form, now())
    await scene.resolve(VILLAGE, number="决〔2026〕2号")
    [row] = await funds.corrections(accountant, made.fund_id)
    return row.id


async def proposed(made: scene.World) -> UUID:
    """What the village wants to pay for an item whose range begins tomorrow."""
    desk, tomorrow = await acting(made.county.department, desk=True), today() + timedelta(days=1)
    rule = (await rulebook.history(COUNTY, "ORG-02"))[-1]
    await rulebook.change_rule(
        desk,
        msgspec.structs.replace(rule, village_least=5, village_most=30, effective_from=tomorrow),
        now(),
    )
    form = VariantForm(
        village_code=VILLAGE,
        code="ORG-02",
        points=15,
        effective_from=tomorrow,
        resolution="决〔2026〕3号",
        resolved_on=today(),
    )
    return await variants.propose(await acting(made.county.chief), form, now())


async def labour(made: scene.World) -> dict[str, UUID]:
    """A verified record that its worker objects to, and a notice of a deduction."""
    worker, lead = await acting(made.county.worker), await acting(made.county.lead)
    day = today() - timedelta(days=1)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=day, text="参加网格例会")
    record = await work.log(worker, form, now())
    await work.verify(lead, record.id, now=now())
    proposal = deductions.Proposal(
        worker_id=worker.person_id,
        code="PEN-01",
        amount=20,
        happened_on=day,
        facts="无故未参加网格例会",
        evidence="会议签到表",
    )
    return {
        "record_id": record.id,
        "objection_id": await month.object_to(worker, record.id, "分数不对", now()),
        "deduction_id": await deductions.propose(lead, proposal, now()),
    }


async def access(made: scene.World) -> dict[str, UUID]:
    """A terminal's key, somebody's session, an uploaded roster."""
    key = await terminals.create(await made.keeper(), made.shop.shop_id, "前台", now())
    worker, run_id = made.county.worker, new_id()
    account_id = await ensure_account(COUNTY, worker.person_id)
    await sessions.begin(COUNTY, account_id, worker.person_id, "phone", now())
    [session] = await queries.sessions(COUNTY, account_id, now())
    await DB.execute(
        "INSERT INTO shared.import_run (county_id, id, kind, file_name, file_sha256, created_at,"
        " created_by) VALUES ($1, $2, 'roster', 'r.xlsx', '', $3, $4)",
        COUNTY,
        run_id,
        now(),
        made.county.department.person_id,
    )
    return {
        "key_id": UUID(key.key.partition(".")[2]),
        "session_id": session.id,
        "run_id": run_id,
    }


def asked(role: Role, kinds: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The routes with an object that the table opens to a role."""
    for row, access in sorted(ROUTES.items()):
        method, path = row.split(" ", 1)
        names = objects_named(path)
        if not names or access.public or path.startswith(OPEN_TO_THE_COUNTY):
            continue
        if access.desk and role not in DESK_ROLES:
            continue
        if (access.roles is None or role in access.roles) and set(names) <= set(kinds):
            yield method, path


def nowhere(ids: dict[str, str]) -> dict[str, str]:
    """Ids of the same form that belong to nothing."""
    found = dict.fromkeys(ids, ABSENT)
    return found | {"village_code": "421222199999", "code": "421222199999", "number": ids["number"]}


async def test_every_kind_of_id_is_tested(client: httpx.AsyncClient) -> None:
    """A route with a new kind of id needs an object here."""
    _, ids = await things()
    named = {name for row in ROUTES for name in objects_named(row)}
    assert named - {"token"} == ids.keys()


async def test_strangers_find_nothing_and_change_nothing(client: httpx.AsyncClient) -> None:
    """Every object route × role × relation: as if the object did not exist."""
    made, ids = await things()
    absent = nowhere(ids)

    def questions(stranger: Stranger) -> Iterator[Question]:
        for method, path in asked(stranger.member.role, ids):
            yield Question(method, path, at(path, ids), at(path, absent))

    assert await find_nothing(client, await strangers(made.county.units), questions) > 500


async def test_ids_in_forms_and_queries_reach_nothing(client: httpx.AsyncClient) -> None:
    """Records, deductions, orders, cards, slips, units, money of the first village."""
    made, ids = await things()
    county, person_id, yesterday = made.county, ids["person_id"], str(today() - timedelta(days=1))
    form = {
        "person": person_id,
        "person_id": person_id,
        "worker_id": person_id,
        "ids": ids["record_id"],
        "record_id": ids["record_id"],
        "replaces": ids["record_id"],
        "shop": ids["shop_id"],
        "shop_id": ids["shop_id"],
        "post_id": ids["post_id"],
        "unit": VILLAGE,
        "unit_code": VILLAGE,
        "object_id": person_id,
        "after_id": person_id,
        "after": ids["transfer_id"],
        "before": ids["transfer_id"],
        "id": str(new_id()),
        "rule_code": "ORG-02",
        "work_date": yesterday,
        "text": "参加网格例会",
        "quantity": "1",
        "code": "PEN-01",
        "happened_on": yesterday,
        "amount": "2",
        "facts": "无故未参加",
        "evidence": "签到表",
        "reason": "按规定",
        "number": "决〔2026〕9号",
        "purpose": "核对",
        "resolved_on": yesterday,
        "month": f"{today():%Y-%m}",
    }
    people = (county.worker, county.second_worker, county.chief, county.lead, county.accountant)
    marks = {value for name, value in ids.items() if len(value) == 36 and name != "product_id"}
    marks |= {mark for one in people for mark in (one.name, one.phone, str(one.person_id))}
    own = {row: access for row, access in ROUTES.items() if row != "POST /sign-out"}
    everybody = [*await strangers(county.units), *await outsiders(county.units)]
    await reach_nothing(client, everybody, own, form, marks)
    with pytest.raises(AssertionError, match="writes"):  # who may, does
        await reach_nothing(client, [Stranger(county.chief, "")], own, form, marks)


async def test_who_left_or_is_stopped_finds_nothing(client: httpx.AsyncClient) -> None:
    """What they held over the village is over; of their own nothing is asked here."""
    made, ids = await things()
    absent = nowhere(ids)

    def questions(_: Stranger) -> Iterator[Question]:
        for row, access in sorted(ROUTES.items()):
            method, path = row.split(" ", 1)
            if access.former and objects_named(path) and not path.startswith(OPEN_TO_THE_COUNTY):
                yield Question(method, path, at(path, ids), at(path, absent))

    assert await find_nothing(client, await outsiders(made.county.units), questions) > 50


def staff(made: scene.World) -> list[Member]:
    """One person of each role of points."""
    county = made.county
    return [
        county.worker,
        county.lead,
        county.chief,
        county.committee,
        county.supervisor,
        county.accountant,
        county.instructor,
        county.department,
        made.shop.keeper,
    ]


async def test_each_object_opens_to_somebody(client: httpx.AsyncClient) -> None:
    """The other half: a page that nobody can open would pass the test above."""
    made, ids = await things()
    opened: set[str] = set()
    wanted: set[str] = set()
    for someone in staff(made):
        await enter(client, someone)
        for method, path in asked(someone.role, ids):
            if method != "GET" or path.endswith("/photo") or "{run_id}" in path:
                continue  # no photo was taken, no file uploaded
            wanted.add(path)
            answer = await client.get(at(path, ids))
            if answer.status_code == 200:
                opened.add(path)
    assert opened == wanted
