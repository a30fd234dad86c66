"""Signing in: what opens, what is counted, and that nobody can lock out somebody else."""

import asyncio
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from functools import partial

import httpx
import pytest

from shared import clock
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unavailable
from shared.identity import accounts, hashing, queries, sessions, signin, slips
from shared.identity.access import Action
from shared.identity.errors import (
    ConfirmFirst,
    DeskOnly,
    NoOffice,
    SlipSpent,
    UsedUp,
    WaitFirst,
    WrongLastFour,
    WrongSignIn,
)
from shared.identity.rules import TRIES_A_DAY, Tries, totp
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.office import service as office
from shared.roster.roles import Role
from tests.factories import COUNTY, STARTED, Member, also_in, member, small_county
from tests.shared.identity.test_matrix import act_as
from tests.shared.identity.worlds import (
    NOW,
    OTHER_PIN,
    PIN,
    actor_of,
    resolved,
    slip_of,
    with_pin,
)

PASSWORD = "village oak in white bloom"
WRONG = "603817"


async def test_slip_to_session(rollback: None) -> None:
    """A slip of the secretary opens the worker's phone once, with the worker's own duties."""
    world = await small_county()
    token, _ = await slip_of(await actor_of(world.chief), world.worker)
    last4 = world.worker.phone[-4:]
    new = await slips.activate(token, last4, PIN, PIN, "elder", NOW)
    actor = await resolved(new)
    assert (actor.person_id, actor.text_size, actor.desk) == (
        world.worker.person_id,
        "elder",
        False,
    )
    assert [duty.role for duty in actor.duties] == [Role.GRIDWORKER]
    with pytest.raises(SlipSpent):
        await slips.activate(token, last4, PIN, PIN, "elder", NOW)
    await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)


async def tried(who: Member, device_token: str, pin: str = WRONG) -> int:
    """How many wrong tries are the account's after one: a stranger's are, a known device's not."""
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, who.phone, pin, NOW, device_token=device_token)
    account = await queries.account_of(COUNTY, who.person_id)
    assert account is not None
    return account.failures


async def test_a_new_slip_ends_the_lost_phone(rollback: None) -> None:
    """Activation on the new phone revokes every older session and device."""
    world = await small_county()
    chief = await actor_of(world.chief)
    await with_pin(world.worker)
    lost = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    [slip] = await slips.issue(chief, [world.worker.person_id], NOW, "https://grid.example")
    assert slip.place == "隽1社区居委会隽1第1网格"
    token = slip.url.rpartition("/")[2]
    await slips.activate(token, world.worker.phone[-4:], OTHER_PIN, OTHER_PIN, "normal", NOW)
    assert await sessions.resolve(lost.token, NOW) is None
    assert await tried(world.worker, lost.device_token, PIN) == 1


async def test_last_four_are_asked_and_five_wrong_ones_void_the_slip(rollback: None) -> None:
    """A slip found in the street opens nothing."""
    world = await small_county()
    token, _ = await slip_of(await actor_of(world.chief), world.worker)
    wrong = f"{(int(world.worker.phone[-4:]) + 1) % 10000:04d}"
    for _ in range(5):
        with pytest.raises(WrongLastFour):
            await slips.activate(token, wrong, PIN, PIN, "normal", NOW)
    with pytest.raises(SlipSpent):
        await slips.activate(token, world.worker.phone[-4:], PIN, PIN, "normal", NOW)


async def test_slips_expire_and_a_newer_one_replaces_them(rollback: None) -> None:
    """Seven days; the slip printed last is the only one that opens."""
    world = await small_county()
    chief = await actor_of(world.chief)
    old, _ = await slip_of(chief, world.worker)
    newer, _ = await slip_of(chief, world.worker)
    with pytest.raises(SlipSpent):
        await slips.find(old, NOW)
    await slips.find(newer, NOW + timedelta(days=6, hours=23))
    with pytest.raises(SlipSpent):
        await slips.find(newer, NOW + timedelta(days=7))


async def test_two_prints_at_once_leave_one_live_slip(committed: None) -> None:
    """Else the sheet that was thrown away still opens the account for seven days."""
    world = await small_county()
    chief, instructor = await actor_of(world.chief), await actor_of(world.instructor)
    people = [world.worker, world.second_worker]
    printed = await asyncio.gather(
        *(
            slips.issue(actor, [one.person_id for one in order], NOW, "https://grid.example")
            for actor, order in ((chief, people), (instructor, people[::-1])) * 3
        )
    )
    live = 0
    for slip in (slip for sheet in printed for slip in sheet):
        with suppress(SlipSpent):
            await slips.find(slip.url.rpartition("/")[2], NOW)
            live += 1
    assert live == len(people)


async def test_two_sign_ins_at_once_from_a_known_browser(committed: None) -> None:
    """A tablet that already knows somebody else: both open, the device is one."""
    world = await small_county()
    await with_pin(world.worker)
    await with_pin(world.lead)
    known = await signin.sign_in(COUNTY, world.lead.phone, PIN, NOW)
    both = [
        signin.sign_in(COUNTY, world.worker.phone, PIN, NOW, device_token=known.device_token)
        for _ in range(2)
    ]
    for new in await asyncio.gather(*both):
        assert (await resolved(new)).person_id == world.worker.person_id
    count = await DB.fetchval("SELECT count(*) FROM shared.device WHERE county_id = $1", COUNTY)
    assert count == 2


async def test_no_slip_is_printed_for_a_stopped_account(rollback: None) -> None:
    """It would open nothing, and say that it is spent: 重打一张, again and again.

    Nor does one open it that was printed before.
    """
    world = await small_county()
    chief, department = await actor_of(world.chief), await actor_of(world.department, desk=True)
    await with_pin(world.worker)
    before, _ = await slip_of(chief, world.worker)
    stop = partial(accounts.set_disabled, department, world.worker.person_id, NOW, reason="核查")
    await stop(disabled=True)
    with pytest.raises(SlipSpent):
        await slips.find(before, NOW)
    with pytest.raises(Conflict, match=f"{world.worker.name}的账号已停用"):
        await slip_of(chief, world.worker)
    await stop(disabled=False)
    token, _ = await slip_of(chief, world.worker)
    await slips.find(token, NOW)


async def test_a_phone_is_signed_out_while_its_slip_is_spent(committed: None) -> None:
    """The secretary and the holder at the same moment: one waits for the other, both succeed."""
    world = await small_county()
    chief, worker = await actor_of(world.chief), world.worker
    token, _ = await slip_of(chief, worker)
    account = await queries.account_of(COUNTY, worker.person_id)
    assert account is not None
    await with_pin(worker)
    await signin.sign_in(COUNTY, worker.phone, PIN, NOW)
    slip = await slips.find(token, NOW)
    outside = copy_context()
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    async with DB.transaction():
        assert await queries.spend_slip(COUNTY, slip.id, NOW)
        revoking = asyncio.create_task(
            accounts.revoke_all(chief, worker.person_id, NOW), context=outside
        )
        while not revoking.done() and not await DB.fetchval(waits):
            pass
        assert await queries.revoke_sessions(COUNTY, account.id, NOW) == 1
    assert await revoking == 0


@pytest.mark.parametrize("how", ["pin", "stop"])
async def test_a_sign_in_to_an_account_that_is_being_changed_is_refused(
    committed: None, how: str
) -> None:
    """Whoever found the phone would else come in after 其他手机已退出, or once it is open again."""
    world = await small_county()
    await with_pin(world.worker)
    known = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    account = await queries.account_of(COUNTY, world.worker.person_id)
    assert account is not None
    outside = copy_context()
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    async with DB.transaction():
        if how == "pin":
            await queries.set_pin(COUNTY, account.id, "another", NOW)
        else:
            await queries.set_disabled(COUNTY, account.id, NOW)
        await queries.revoke_sessions(COUNTY, account.id, NOW)
        entering = asyncio.create_task(
            signin.sign_in(COUNTY, world.worker.phone, PIN, NOW, device_token=known.device_token),
            context=outside,
        )
        while not entering.done() and not await DB.fetchval(waits):
            pass
    with pytest.raises(WrongSignIn):
        await entering
    assert await queries.sessions(COUNTY, account.id, NOW) == []


async def test_an_account_stopped_twice_is_stopped_once(committed: None) -> None:
    """What changed nothing is no event."""
    world = await small_county()
    department = await actor_of(world.department, desk=True)
    await with_pin(world.worker)
    stop = partial(accounts.set_disabled, department, world.worker.person_id, NOW, reason="核查")
    await asyncio.gather(*(stop(disabled=True) for _ in range(3)))
    sql = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND action = $2"
    assert await DB.fetchval(sql, COUNTY, Action.ACCOUNT_DISABLE) == 1


async def test_digits_open_for_whoever_cannot_scan(rollback: None) -> None:
    """Phone and eight digits; wrong digits count like wrong PINs."""
    world = await small_county()
    _, digits = await slip_of(await actor_of(world.chief), world.worker)
    wrong = f"{(int(digits) + 1) % 10**8:08d}"
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            await slips.activate_by_digits(
                COUNTY, world.worker.phone, wrong, PIN, PIN, "normal", NOW
            )
    with pytest.raises(WaitFirst):
        await slips.activate_by_digits(COUNTY, world.worker.phone, digits, PIN, PIN, "normal", NOW)
    later = NOW + timedelta(minutes=1)
    new = await slips.activate_by_digits(
        COUNTY, world.worker.phone, digits, PIN, PIN, "normal", later
    )
    assert (await resolved(new, later)).person_id == world.worker.person_id


async def test_a_secretary_prints_slips_only_for_whom_they_manage(rollback: None) -> None:
    """Not for another village, not for the township's instructor, whatever else those hold.

    Nor do they see the number or set the card's PIN of who serves elsewhere as well.
    """
    world = await small_county()
    chief = await actor_of(world.chief)
    for stranger in (world.cousin_worker, world.instructor, world.department):
        with pytest.raises(NotFound):
            await slip_of(chief, stranger)
    post_id = await roster.add_post(COUNTY, world.units["421222100"].id, Role.INSTRUCTOR)
    await roster.assign(COUNTY, post_id, world.worker.person_id, NOW.date(), now=now())
    ticked = [world.second_worker.person_id, world.worker.person_id]
    with pytest.raises(Conflict, match=f"^{world.worker.name}在别处还有任职"):
        await slips.issue(chief, ticked, NOW, "https://grid.example")
    with pytest.raises(NotFound):
        await slips.issue(chief, [*ticked, world.cousin_worker.person_id], NOW, "https://x.example")
    assert not await DB.fetchval(
        "SELECT count(*) FROM shared.activation_slip WHERE county_id = $1", COUNTY
    )
    await slip_of(await actor_of(world.department, desk=True), world.worker)
    came = STARTED + timedelta(days=1)
    await also_in(world.cousin_worker, world.units["421222100001002"], came)
    for who in (world.worker, world.cousin_worker):
        for act in (
            accounts.set_card_pin(chief, who.person_id, PIN, PIN),
            office.show_phone(chief, who.person_id, NOW),
        ):
            with pytest.raises(NotFound):
                await act


async def test_wrong_tries_elsewhere_do_not_stop_a_known_phone(rollback: None) -> None:
    """Twenty wrong tries of strangers: unknown devices wait, the owner's phone just works."""
    world = await small_county()
    await with_pin(world.worker)
    known = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    at = NOW
    for _ in range(TRIES_A_DAY):
        with pytest.raises(WrongSignIn):
            await signin.sign_in(COUNTY, world.worker.phone, OTHER_PIN, at)
        with pytest.raises((WrongSignIn, TooMany)):
            await signin.sign_in(COUNTY, world.worker.phone, OTHER_PIN, at)
        await DB.execute("UPDATE shared.account SET blocked_until = NULL WHERE county_id > 0")
        if await DB.fetchval("SELECT failures_today FROM shared.account LIMIT 1") >= TRIES_A_DAY:
            break
    with pytest.raises(UsedUp):
        await signin.sign_in(COUNTY, world.worker.phone, PIN, at)
    again = await signin.sign_in(
        COUNTY, world.worker.phone, PIN, at, device_token=known.device_token
    )
    await resolved(again)


async def test_a_known_phone_that_guesses_is_known_no_more(rollback: None) -> None:
    """A stolen phone has its own delays, and after twenty wrong tries counts as unknown."""
    world = await small_county()
    account_id = await with_pin(world.worker)
    known = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    at = NOW
    for _ in range(20):
        with pytest.raises(WrongSignIn):
            await signin.sign_in(
                COUNTY, world.worker.phone, OTHER_PIN, at, device_token=known.device_token
            )
        at += timedelta(minutes=16)
    hashed = signin.device_hash(account_id, known.device_token)
    assert await queries.device(COUNTY, account_id, hashed) is None


async def test_tries_at_once_are_counted_as_many(committed: None) -> None:
    """Forty parallel guesses get four free ones and a fifth, not forty."""
    world = await small_county()
    account_id = await with_pin(world.worker)
    results = await asyncio.gather(
        *(signin.sign_in(COUNTY, world.worker.phone, OTHER_PIN, NOW) for _ in range(40)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, WrongSignIn)]
    waiting = [result for result in results if isinstance(result, WaitFirst)]
    assert (len(refused), len(waiting)) == (5, 35)
    account = await queries.account(COUNTY, account_id)
    assert account is not None
    assert account.failures == 5


async def test_a_right_try_is_given_back(rollback: None) -> None:
    """Signing in on many new phones never uses up the day."""
    world = await small_county()
    account_id = await with_pin(world.worker)
    for _ in range(TRIES_A_DAY + 2):
        await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    account = await queries.account(COUNTY, account_id)
    assert account is not None
    assert (account.failures, account.failures_today) == (0, 0)


async def test_a_try_that_nobody_has_time_to_look_at_does_not_count(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storm of sign-ins shuts nobody out, on a new phone or a known one."""
    world = await small_county()
    await with_pin(world.worker)
    known = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, world.worker.phone, OTHER_PIN, NOW)
    for device in ("", known.device_token):
        with monkeypatch.context() as storm:
            storm.setattr(hashing, "QUEUE_CAP", 0)
            for _ in range(TRIES_A_DAY + 1):
                with pytest.raises(Unavailable):
                    await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW, device_token=device)
        row = await DB.fetchrow("SELECT failures, failures_today FROM shared.account")
        assert tuple(row or ()) == (1, 1)
    await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW, device_token=known.device_token)
    await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)


async def test_unknown_number_and_wrong_pin_look_the_same(rollback: None) -> None:
    """One sentence; a text that is no number is a fault of the field."""
    world = await small_county()
    await with_pin(world.worker)
    sentences = set()
    for phone in (world.worker.phone, "13899999999", world.lead.phone):
        with pytest.raises(WrongSignIn) as refused:
            await signin.sign_in(COUNTY, phone, OTHER_PIN, NOW)
        sentences.add(refused.value.message)
    assert len(sentences) == 1
    with pytest.raises(Invalid):
        await signin.sign_in(COUNTY, "12345", PIN, NOW)


async def test_rights_follow_the_assignment_at_once(rollback: None) -> None:
    """A session outlives a post; its rights do not: 90 days of balance, then nothing."""
    world = await small_county()
    await with_pin(world.worker)
    new = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    await roster.end_assignment(COUNTY, world.worker.assignment_id, NOW.date())
    actor = await resolved(new)
    assert (actor.duties, actor.former) == ((), True)
    late = NOW + timedelta(days=89)
    await DB.execute("UPDATE shared.session SET expires_at = $1 WHERE county_id > 0", late)
    assert await sessions.resolve(new.token, late - timedelta(seconds=1)) is not None
    with pytest.raises(NoOffice):
        await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW + timedelta(days=90))


async def test_disabled_account_and_revoked_session_end_at_once(rollback: None) -> None:
    """Both are looked at on the row at every request; no cache stands between.

    An account that is started again starts without its sessions; with those of a lost phone its
    device and slip go as well.
    """
    world = await small_county()
    await with_pin(world.worker)
    department = await actor_of(world.department, desk=True)
    first = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    await accounts.set_disabled(
        department, world.worker.person_id, NOW, disabled=True, reason="手机被盗"
    )
    assert await sessions.resolve(first.token, NOW) is None
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    await accounts.set_disabled(
        department, world.worker.person_id, NOW, disabled=False, reason="找回"
    )
    assert await sessions.resolve(first.token, NOW) is None
    second = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    chief = await actor_of(world.chief)
    slip, _ = await slip_of(chief, world.worker)
    await accounts.revoke_all(chief, world.worker.person_id, NOW)
    assert await sessions.resolve(second.token, NOW) is None
    assert await tried(world.worker, second.device_token) == 1
    with pytest.raises(SlipSpent):
        await slips.find(slip, NOW)


async def test_who_has_left_and_loses_the_phone_is_signed_out_by_the_last_unit(
    rollback: None,
) -> None:
    """For 90 days a stranger could show codes; no present post stands between any longer."""
    world = await small_county()
    worker = world.worker
    await with_pin(worker)
    held = await signin.sign_in(COUNTY, worker.phone, PIN, NOW)
    await roster.end_assignment(COUNTY, worker.assignment_id, today(NOW))
    chief = await actor_of(world.chief)
    department = await actor_of(world.department, desk=True)
    for stranger in (world.lead, world.cousin_worker, world.accountant):
        with pytest.raises(NotFound):
            await accounts.revoke_all(await actor_of(stranger), worker.person_id, NOW)
    assert await accounts.revoke_all(chief, worker.person_id, NOW, "手机丢失") == 1
    assert await sessions.resolve(held.token, NOW) is None
    stop = partial(accounts.set_disabled, person_id=worker.person_id, now=NOW, reason="手机丢失")
    with pytest.raises(NotFound):
        await stop(chief, disabled=True)
    await stop(department, disabled=True)
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, worker.phone, PIN, NOW)
    for actor in (chief, department):
        line = await accounts.line(actor, worker.person_id, NOW)
        assert (line.away, line.state, line.role_name("组织部")) == (
            True,
            "已停用",
            "网格员（已离任）",
        )
        assert worker.person_id not in {one.person_id for one in await accounts.listed(actor, NOW)}
        [line] = await accounts.listed(actor, NOW, state="away")
        assert line.person_id == worker.person_id
        with pytest.raises(NotFound):
            await slip_of(actor, worker)
    later = NOW + timedelta(days=90)
    with pytest.raises(NotFound):
        await accounts.revoke_all(department, worker.person_id, later)
    with pytest.raises(NotFound):
        await accounts.line(department, worker.person_id, later)


async def test_who_is_between_two_posts_and_loses_the_phone_is_signed_out(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The phone still shows codes: the unit of the coming post finds the account and stops it."""
    world = await small_county()
    worker, day = world.worker, today(clock.now())
    await with_pin(worker)
    await roster.end_assignment(COUNTY, worker.assignment_id, day)
    grid = world.units["421222100001001"]
    post_id = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post_id, worker.person_id, day + timedelta(days=9), now=now())
    held = await signin.sign_in(COUNTY, worker.phone, PIN, clock.now())
    assert await sessions.resolve(held.token, clock.now()) is not None
    await act_as(client, world.department)
    page = (await client.get(f"/desk/roster/people/{worker.person_id}")).text
    path = f"/desk/accounts/{worker.person_id}"
    assert path in page
    assert (await client.get(path)).status_code == 200
    department = await actor_of(world.department, desk=True)
    line = await accounts.line(department, worker.person_id, clock.now())
    assert (line.away, line.unit_code, line.sessions) == (False, grid.code, 1)
    assert await accounts.revoke_all(department, worker.person_id, clock.now(), "手机丢失") == 1
    assert await sessions.resolve(held.token, clock.now()) is None
    with pytest.raises(NotFound):
        await accounts.line(await actor_of(world.lead), worker.person_id, clock.now())


async def test_a_phone_signed_out_by_its_owner_is_known_no_more(rollback: None) -> None:
    """Ended alone in the list of devices, a lost phone kept tries of its own beside the day's."""
    world = await small_county()
    await with_pin(world.worker)
    lost = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    here = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    await sessions.end_one(await resolved(here), (await resolved(lost)).session_id, NOW)
    assert await sessions.resolve(lost.token, NOW) is None
    assert await tried(world.worker, lost.device_token) == 1
    assert await tried(world.worker, here.device_token) == 1


async def test_phone_sessions_roll_and_end_after_thirty_idle_days(rollback: None) -> None:
    """Used every day it never ends; written at most once a day."""
    world = await small_county()
    await with_pin(world.worker)
    new = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    at = NOW
    for _ in range(10):
        at += timedelta(days=20)
        assert await sessions.resolve(new.token, at) is not None
    assert await sessions.resolve(new.token, at + timedelta(days=30)) is None


async def test_sign_out_everywhere_keeps_this_phone(rollback: None) -> None:
    """Other sessions end, other devices are strangers again."""
    world = await small_county()
    await with_pin(world.worker)
    other = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    here = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    actor = await resolved(here)
    assert len(await sessions.mine(actor, NOW)) == 2
    assert await sessions.end_elsewhere(actor, NOW) == 1
    assert await sessions.resolve(other.token, NOW) is None
    assert await sessions.resolve(here.token, NOW) is not None
    assert await tried(world.worker, other.device_token) == 1
    assert await tried(world.worker, here.device_token) == 1


async def test_confirming_and_a_new_pin_rotate_the_token(rollback: None) -> None:
    """The old token is dead: what was stolen before is worth nothing after.

    A new PIN ends the sessions of all other phones as well.
    """
    world = await small_county()
    await with_pin(world.worker)
    elsewhere = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    first = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    later = NOW + timedelta(hours=1)
    actor = await resolved(first, later)
    with pytest.raises(ConfirmFirst):
        sessions.require_confirmed(actor, later)
    second = await signin.confirm(actor, PIN, later)
    assert await sessions.resolve(first.token, later) is None
    sessions.require_confirmed(await resolved(second, later), later)
    third = await signin.change_pin(await resolved(second, later), PIN, OTHER_PIN, OTHER_PIN, later)
    assert await sessions.resolve(second.token, later) is None
    assert await sessions.resolve(elsewhere.token, later) is None
    assert await sessions.resolve(third.token, later) is not None


async def test_desk_needs_password_and_a_fresh_code(rollback: None) -> None:
    """Password, one-time code used once, recovery code used once; eight hours."""
    world = await small_county()
    phone = world.department.phone
    secrets = await accounts.desk_secrets(PASSWORD, phone)
    await accounts.give_desk(COUNTY, world.department.person_id, secrets, NOW)
    account = await queries.account_of(COUNTY, world.department.person_id)
    assert account is not None
    assert account.totp_cipher is not None
    assert secrets.totp_key is not None
    code = totp(secrets.totp_key, int(NOW.timestamp()) // 30)
    with pytest.raises(WrongSignIn):
        await signin.desk_sign_in(COUNTY, phone, PASSWORD, "000000", NOW)
    new = await signin.desk_sign_in(COUNTY, phone, PASSWORD, code, NOW)
    actor = await resolved(new)
    assert actor.desk
    assert Role.DEPARTMENT in actor.roles
    with pytest.raises(WrongSignIn):
        await signin.desk_sign_in(COUNTY, phone, PASSWORD, code, NOW)
    # Of two who send one code at once, the row lets one have it.
    step = int(NOW.timestamp()) // 30
    tries = [await queries.use_totp_step(COUNTY, account.id, step + late) for late in (0, 1, 1)]
    assert tries == [False, True, False]
    recovery = secrets.recovery_codes[0].lower()
    elsewhere = await signin.desk_sign_in(COUNTY, phone, PASSWORD, recovery, NOW)
    with pytest.raises(WrongSignIn):
        await signin.desk_sign_in(COUNTY, phone, PASSWORD, recovery, NOW)
    assert await sessions.resolve(new.token, NOW + timedelta(hours=8)) is None
    other = "白鹭在南堰过夜，从不回岸上"
    changed = await signin.change_password(actor, PASSWORD, other, other, NOW)
    for ended in (new, elsewhere):
        assert await sessions.resolve(ended.token, NOW) is None
    assert await sessions.resolve(changed.token, NOW) is not None
    with pytest.raises(WrongSignIn):
        await signin.confirm(actor, PASSWORD, NOW)


async def test_a_desk_nobody_uses_ends_after_the_countys_minutes(rollback: None) -> None:
    """Use prolongs it, up to eight hours; what a page asks by itself does not; a phone's stays."""
    world = await small_county()
    person_id = world.department.person_id
    account_id = await accounts.ensure_account(COUNTY, person_id)
    new = await sessions.begin(COUNTY, account_id, person_id, "desk", NOW)
    at = NOW
    for _ in range(3):
        at += timedelta(minutes=29)
        assert await sessions.resolve(new.token, at) is not None
    later = at + timedelta(minutes=29)
    assert await sessions.resolve(new.token, later, used=False) is not None
    assert not await sessions.left_alone(new.token, later)
    assert await sessions.resolve(new.token, at + timedelta(minutes=30)) is None
    assert await sessions.left_alone(new.token, at + timedelta(minutes=30))

    await DB.execute(
        "UPDATE shared.county SET settings = $2 WHERE id = $1", COUNTY, '{"desk_idle_minutes": 5}'
    )
    short = await sessions.begin(COUNTY, account_id, person_id, "desk", NOW)
    assert await sessions.resolve(short.token, NOW + timedelta(minutes=5)) is None
    busy = await sessions.begin(COUNTY, account_id, person_id, "desk", NOW)
    for minutes in range(4, 480, 4):
        assert await sessions.resolve(busy.token, NOW + timedelta(minutes=minutes)) is not None
    assert await sessions.resolve(busy.token, NOW + timedelta(hours=8)) is None
    assert not await sessions.left_alone(busy.token, NOW + timedelta(hours=8))
    worker_id = world.worker.person_id
    account_id = await accounts.ensure_account(COUNTY, worker_id)
    phone = await sessions.begin(COUNTY, account_id, worker_id, "phone", NOW)
    assert await sessions.resolve(phone.token, NOW + timedelta(hours=8)) is not None


async def test_a_pin_does_not_carry_desk_rights(rollback: None) -> None:
    """Somebody of the department who is also a gridworker has only that on the phone."""
    world = await small_county()
    await with_pin(world.department)
    with pytest.raises(DeskOnly):
        await signin.sign_in(COUNTY, world.department.phone, PIN, NOW)
    unit = world.units["421222100001001"]
    post_id = await roster.add_post(COUNTY, unit.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post_id, world.department.person_id, NOW.date(), now=now())
    actor = await resolved(await signin.sign_in(COUNTY, world.department.phone, PIN, NOW))
    assert actor.roles == {Role.GRIDWORKER}


async def test_strangers_at_the_sign_in_page_do_not_shut_a_card(rollback: None) -> None:
    """Wrong PINs of a phone and wrong PINs of a card are counted apart."""
    world = await small_county()
    account_id = await with_pin(world.worker)
    chief = await actor_of(world.chief)
    await accounts.set_card_pin(chief, world.worker.person_id, OTHER_PIN, OTHER_PIN)
    spent = Tries(TRIES_A_DAY, NOW + timedelta(minutes=15), TRIES_A_DAY, today(NOW))
    await queries.store_tries(COUNTY, account_id, spent)
    with pytest.raises(WrongSignIn):
        await signin.check_card_pin(COUNTY, world.worker.person_id, PIN, NOW)
    await signin.check_card_pin(COUNTY, world.worker.person_id, OTHER_PIN, NOW)
    with pytest.raises(UsedUp):
        await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    with pytest.raises(NotFound):
        await accounts.set_card_pin(chief, world.cousin_worker.person_id, PIN, PIN)


async def test_nobody_sets_the_card_pin_of_somebody_who_has_left(rollback: None) -> None:
    """Who holds no post is nobody's to manage: a foreign secretary could spend what is left."""
    world = await small_county()
    await roster.end_assignment(COUNTY, world.cousin_worker.assignment_id, today(NOW))
    with pytest.raises(NotFound):
        await accounts.set_card_pin(
            await actor_of(world.chief), world.cousin_worker.person_id, PIN, PIN
        )
    with pytest.raises(NotFound):
        await accounts.set_card_pin(await actor_of(world.chief), new_id(), PIN, PIN)
    former = await actor_of(world.cousin_worker)
    assert former.former
    await accounts.set_card_pin(former, former.person_id, PIN, PIN)
    await signin.check_card_pin(COUNTY, former.person_id, PIN, NOW)


async def test_a_card_opens_for_ninety_days_after_the_last_post(rollback: None) -> None:
    """As the phone does: on the eighty-ninth day after it and no longer, nor while stopped."""
    world = await small_county()
    worker = world.worker
    await accounts.set_card_pin(await actor_of(world.chief), worker.person_id, PIN, PIN)
    account = await queries.account_of(COUNTY, worker.person_id)
    assert account is not None
    await queries.set_disabled(COUNTY, account.id, NOW)
    with pytest.raises(WrongSignIn):
        await signin.check_card_pin(COUNTY, worker.person_id, PIN, NOW)
    await queries.set_disabled(COUNTY, account.id, None)
    await roster.end_assignment(COUNTY, worker.assignment_id, today(NOW))
    await signin.check_card_pin(COUNTY, worker.person_id, PIN, NOW + timedelta(days=89))
    with pytest.raises(Forbidden, match="90 天"):
        await signin.check_card_pin(COUNTY, worker.person_id, PIN, NOW + timedelta(days=90))


async def test_every_step_leaves_an_audit_event(rollback: None) -> None:
    """Slip, activation, sign-in, refusal, revocation: who, whom and under which authority."""
    world = await small_county()
    chief = await actor_of(world.chief)
    token, _ = await slip_of(chief, world.worker)
    await slips.activate(token, world.worker.phone[-4:], PIN, PIN, "normal", NOW)
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, world.worker.phone, OTHER_PIN, NOW)
    await accounts.revoke_all(chief, world.worker.person_id, NOW, "手机丢了")
    rows = await DB.fetch("SELECT action, authority FROM shared.audit_event WHERE county_id > 0")
    events = {(row["action"], row["authority"]) for row in rows}
    assert {
        ("identity.slip", "chief@421222100001"),
        ("identity.activate", "slip"),
        ("identity.sign_in", "self"),
        ("identity.sign_in_refused", "none"),
    } <= events
    assert ("identity.revoke", "chief@421222100001") in events


async def test_the_audit_names_the_secretary_who_acted_on_an_account(rollback: None) -> None:
    """Not 本人, and under the unit, so that a search of the village finds it."""
    world = await small_county()
    person_id = world.worker.person_id
    await with_pin(world.worker)
    grid = world.units[world.worker.unit_code]
    post_id = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post_id, world.chief.person_id, NOW.date(), now=now())
    chief = await actor_of(world.chief)
    await accounts.revoke_all(chief, person_id, NOW, "手机丢了")
    await accounts.set_card_pin(chief, person_id, PIN, PIN)
    await accounts.set_card_pin(await actor_of(world.worker), person_id, PIN, PIN)
    department = await actor_of(world.department, desk=True)
    await accounts.set_disabled(department, person_id, NOW, disabled=True, reason="核查")
    rows = await DB.fetch(
        "SELECT action, authority, unit_code FROM shared.audit_event WHERE county_id > 0"
        " AND object_id = $1 ORDER BY id",
        person_id,
    )
    grid_code = world.worker.unit_code
    assert [tuple(row.values()) for row in rows] == [
        ("identity.revoke", "chief@421222100001", grid_code),
        ("identity.card_pin", "chief@421222100001", grid_code),
        ("identity.card_pin", "self", ""),
        ("identity.disable", "department@421222", grid_code),
    ]


async def test_a_helper_of_another_county_is_a_stranger(rollback: None) -> None:
    """Tokens name their county; a session is looked for there and nowhere else."""
    world = await small_county()
    await with_pin(world.worker)
    new = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    _, _, secret = new.token.partition(".")
    assert await sessions.resolve(f"421223.{secret}", NOW) is None
    for bad in ("", ".", secret, "421222.", "４２１２２２.x", "421222." + "a" * 200):
        assert await sessions.resolve(bad, NOW) is None


async def test_a_person_before_the_first_day_cannot_sign_in(rollback: None) -> None:
    """A future assignment gives nothing yet."""
    world = await small_county()
    unit = world.units["421222100001001"]
    future = await member(Role.LEAD, unit, valid_from=NOW.date() + timedelta(days=5))
    await with_pin(future)
    with pytest.raises(NoOffice):
        await signin.sign_in(COUNTY, future.phone, PIN, NOW)
