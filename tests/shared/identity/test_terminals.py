"""Shop terminals and helpers: signed requests, one shop, at once revoked; who brings in whom."""

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from shared.clock import now, today
from shared.errors import Conflict, Invalid, NotFound
from shared.identity import queries, slips, staff, terminals
from shared.identity.actor import Actor
from shared.identity.errors import AlreadyRevoked, HeldElsewhere
from shared.identity.schemas import TerminalSecret
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY, Member, SmallCounty, member, phone, small_county
from tests.shared.identity.test_web import enter, post
from tests.shared.identity.worlds import NOW, actor_of, with_pin

SHOP, OTHER_SHOP = UUID(int=7), UUID(int=8)
PATH = f"/api/shops/{SHOP}/redemptions?limit=5"


def signed(made: TerminalSecret, method: str, path: str, body: bytes = b"") -> dict[str, str]:
    """The headers of docs/terminals.md."""
    stamp, nonce = str(int(now().timestamp())), str(new_id())
    text = "\n".join((method, path, stamp, nonce, hashlib.sha256(body).hexdigest()))
    secret = base64.urlsafe_b64decode(made.secret + "=" * (-len(made.secret) % 4))
    return {
        "gridmerit-key": made.key,
        "gridmerit-timestamp": stamp,
        "gridmerit-nonce": nonce,
        "gridmerit-signature": hmac.new(secret, text.encode(), "sha256").hexdigest(),
    }


async def shop() -> tuple[SmallCounty, Member, Actor]:
    """A shop of the first township with its keeper."""
    world = await small_county()
    keeper = await member(Role.SHOPKEEPER, world.units["421222100"], "孟国平", subject_id=SHOP)
    actor = await actor_of(keeper)
    return world, keeper, actor


async def test_a_signed_request_is_the_keeper_at_the_one_shop(client: httpx.AsyncClient) -> None:
    """The example of the documentation works; no cookie is needed, none is looked at.

    Whatever other shop its keeper keeps, the key is this one's.
    """
    world, keeper, actor = await shop()
    unit = world.units["421222100"]
    post_id = await roster.add_post(COUNTY, unit.id, Role.SHOPKEEPER, subject_id=OTHER_SHOP)
    await roster.assign(COUNTY, post_id, keeper.person_id, today(), now=now())
    made = await terminals.create(actor, SHOP, "前台", now())
    who = await terminals.authenticate(signed(made, "GET", PATH), "GET", PATH, b"", now())
    assert who is not None
    assert (who.person_id, who.terminal, who.shops) == (keeper.person_id, True, (SHOP,))
    assert who.device == "terminal:前台"
    assert (await client.get("/me", headers=signed(made, "GET", "/me"))).status_code == 404
    other = PATH.replace(str(SHOP), str(OTHER_SHOP))
    assert (await client.get(other, headers=signed(made, "GET", other))).status_code == 404


async def test_a_terminal_reads_its_shop(client: httpx.AsyncClient) -> None:
    """Through the whole stack, for a shop of the mall."""
    world = await small_county()
    small = await factories.shop(world.units["421222100001"])
    made = await terminals.create(await actor_of(small.keeper), small.shop_id, "前台", now())
    path = f"/api/shops/{small.shop_id}/redemptions?limit=5"
    answer = await client.get(path, headers=signed(made, "GET", path))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0" * 64},
        {"signature": "é"},
        {"nonce": "0198c0de-0000-7000-8000-000000000000"},
        {"nonce": ""},
        {"nonce": "n" * 100},
        {"timestamp": "0"},
        {"timestamp": "x"},
        {"timestamp": "9" * 30},
        {"key": "421222"},
        {"key": "421222.nonsense"},
        {"key": "999999.0198c0de-0000-7000-8000-000000000000"},
    ],
)
async def test_a_spoilt_request_is_nobody(
    client: httpx.AsyncClient, change: dict[str, str]
) -> None:
    """Any header changed, cut or made up: 401, and not said which."""
    _, _, actor = await shop()
    made = await terminals.create(actor, SHOP, "前台", now())
    spoilt = {f"gridmerit-{name}": value for name, value in change.items()}
    headers = [
        (name.encode(), value.encode())
        for name, value in (signed(made, "GET", PATH) | spoilt).items()
    ]
    answer = await client.get(PATH, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_the_body_and_the_path_are_signed(client: httpx.AsyncClient) -> None:
    """A signature fits one request only."""
    _, _, actor = await shop()
    made = await terminals.create(actor, SHOP, "前台", now())
    headers = signed(made, "POST", "/api/redemptions", b'{"id":1}')
    for path, body in (("/api/redemptions", b'{"id":2}'), ("/api/holds", b'{"id":1}')):
        assert await terminals.authenticate(headers, "POST", path, body, now()) is None
    late = now() + timedelta(seconds=terminals.SKEW + 2)
    path, body = "/api/redemptions", b'{"id":1}'
    assert await terminals.authenticate(headers, "POST", path, body, now()) is not None
    assert await terminals.authenticate(headers, "POST", path, body, late) is None
    huge = b"x" * 70_000
    answer = await client.post(path, content=huge, headers=signed(made, "POST", path, huge))
    assert answer.status_code in {413, 422}


async def test_a_key_ends_with_revocation_and_with_the_keeper(rollback: None) -> None:
    """At once in both cases, and while the keeper's account is stopped."""
    _, keeper, actor = await shop()
    made = await terminals.create(actor, SHOP, "前台", now())
    second = await terminals.create(actor, SHOP, "后台", now())
    [last, first] = await terminals.listed(actor, SHOP)
    assert (last.label, first.label) == ("后台", "前台")
    await terminals.revoke(actor, first.id, now())
    assert await terminals.authenticate(signed(made, "GET", PATH), "GET", PATH, b"", now()) is None
    with pytest.raises(AlreadyRevoked):
        await terminals.revoke(actor, first.id, now())
    account = await queries.account_of(COUNTY, keeper.person_id)
    assert account is not None
    for stopped in (now(), None):
        await queries.set_disabled(COUNTY, account.id, stopped)
        asked = signed(second, "GET", PATH)
        who = await terminals.authenticate(asked, "GET", PATH, b"", now())
        assert (who is None) is (stopped is not None)
    await roster.end_assignment(COUNTY, keeper.assignment_id)
    assert (
        await terminals.authenticate(signed(second, "GET", PATH), "GET", PATH, b"", now()) is None
    )


async def test_only_the_shop_and_the_department_see_its_keys(rollback: None) -> None:
    """Another shop's keeper, a chief, a worker: there is no such shop."""
    world, _, actor = await shop()
    other = await member(Role.SHOPKEEPER, world.units["421222100"], subject_id=OTHER_SHOP)
    await terminals.create(actor, SHOP, "前台", now())
    for stranger in (other, world.chief, world.worker, world.instructor):
        with pytest.raises(NotFound):
            await terminals.listed(await actor_of(stranger), SHOP)
    department = await actor_of(world.department, desk=True)
    assert len(await terminals.listed(department, SHOP)) == 1
    with pytest.raises(Invalid):
        await terminals.create(department, SHOP, "部里", now())


async def test_the_first_keeper_brings_in_helpers(rollback: None) -> None:
    """Each with an own slip and PIN; a helper brings in nobody and cannot take over the keeper."""
    world, keeper, actor = await shop()
    number = phone()
    helper_id = await staff.add_helper(actor, SHOP, "帮手甲", number, NOW)
    [slip] = await slips.issue(actor, [helper_id], now(), "https://grid.example")
    assert slip.name == "帮手甲"
    lines = await staff.listed(actor, SHOP, NOW)
    assert [line.name for line in lines] == ["孟国平", "帮手甲"]
    helper = await actor_of(
        Member(
            helper_id,
            "帮手甲",
            number,
            Role.SHOPKEEPER,
            "421222100",
            SHOP,
            lines[1].assignment_id,
        )
    )
    assert helper.shops == (SHOP,)
    with pytest.raises(NotFound):
        await staff.add_helper(helper, SHOP, "帮手乙", phone(), now())
    with pytest.raises(NotFound):
        await slips.issue(helper, [keeper.person_id], now(), "https://grid.example")
    with pytest.raises(Conflict):
        await staff.add_helper(actor, SHOP, "帮手甲", number, now())
    with pytest.raises(Conflict):
        await staff.add_helper(actor, SHOP, "王二", world.worker.phone, now())
    with pytest.raises(Conflict):
        await staff.end_helper(actor, SHOP, lines[0].assignment_id, now())
    await staff.end_helper(actor, SHOP, lines[1].assignment_id, now())
    later = now() + timedelta(days=1)
    assert [line.name for line in await staff.listed(actor, SHOP, later)] == ["孟国平"]


async def test_a_helper_added_twice_at_once_has_one_post(committed: None) -> None:
    """Somebody the roster knows already: with a second post the helper would outlast 停用."""
    world, keeper, actor = await shop()
    worker = world.worker
    added = await asyncio.gather(
        *(staff.add_helper(actor, SHOP, worker.name, worker.phone, now()) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Conflict) for one in added) == 2, added
    lines = await staff.listed(actor, SHOP, now())
    assert [line.person_id for line in lines] == [keeper.person_id, worker.person_id]


async def test_a_helper_with_another_post_is_told_who_prints_the_slip(
    client: httpx.AsyncClient,
) -> None:
    """The keeper may take a gridworker on, but not take over the gridworker's account."""
    world, keeper, _ = await shop()
    await enter(client, keeper)
    fields = {"name": world.worker.name, "phone": world.worker.phone}
    answer = await post(client, "/shop/staff", **fields)
    assert answer.status_code == 200, answer.text
    assert "激活条请村（社区）书记打印" in answer.text
    assert world.worker.phone[-4:] in answer.text
    assert f"停用后{world.worker.name}不再是店员，不能再扫码兑换" in answer.text
    long = await post(client, "/shop/staff", name="长" * 21, phone=world.worker.phone)
    assert (long.status_code, "2 到 20 个字" in long.text) == (422, True)
    answer = await post(client, f"/shop/staff/{world.worker.person_id}/slip")
    assert "激活条请村（社区）书记打印" in answer.text
    answer = await post(client, f"/shop/staff/{world.second_worker.person_id}/slip")
    assert answer.status_code == 404


async def test_a_keeper_takes_over_nobody_who_has_left_the_grid(client: httpx.AsyncClient) -> None:
    """Name and number stand on the notice board: hired, their points would be the keeper's."""
    world, keeper, actor = await shop()
    await with_pin(world.worker)
    await roster.end_assignment(COUNTY, world.worker.assignment_id, today(), reason="辞职")
    await enter(client, keeper)
    fields = {"name": world.worker.name, "phone": world.worker.phone}
    assert "用原来的密码登录" in (await post(client, "/shop/staff", **fields)).text
    answer = await post(client, f"/shop/staff/{world.worker.person_id}/slip")
    assert "激活条请村（社区）书记打印" in answer.text
    with pytest.raises(HeldElsewhere):
        await slips.issue(actor, [world.worker.person_id], now(), "https://grid.example")
    township = await actor_of(world.instructor)
    await slips.issue(township, [world.worker.person_id], now(), "https://grid.example")


async def test_other_shops_staff_is_absent(rollback: None) -> None:
    """Neither seen nor ended from outside."""
    world, _, actor = await shop()
    other = await actor_of(
        await member(Role.SHOPKEEPER, world.units["421222100"], subject_id=OTHER_SHOP)
    )
    lines = await staff.listed(actor, SHOP, now())
    for act in (
        staff.listed(other, SHOP, now()),
        staff.add_helper(other, SHOP, "帮手甲", phone(), now()),
        staff.end_helper(other, SHOP, lines[0].assignment_id, now()),
        staff.end_helper(other, OTHER_SHOP, lines[0].assignment_id, now()),
    ):
        with pytest.raises(NotFound):
            await act
    instructor = await actor_of(world.instructor)
    assert len(await staff.listed(instructor, SHOP, now())) == 1
