"""Every route × every role × relation to the object: one answer for what is not theirs.

The rows of the table are the expectation for roles; what lies behind an object's id is looked at
with ids that are absent and ids that belong to somebody else: both must answer alike.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar

import appraisal.routes
import points.routes
import shared.web.pages
from deploy.single import OneProcess
from shared.clock import now, today
from shared.database import DB
from shared.identity import sessions
from shared.identity.accounts import ensure_account
from shared.identity.routes import MENU_ROUTES, Access
from shared.identity.schemas import SessionKind
from shared.roster.roles import DESK_ROLES, Role
from shared.web.plugin import route_names
from tests.conftest import Rollback
from tests.factories import COUNTY, Member, SmallCounty, member, small_county, units

ROUTES = {**points.routes.ROUTES, **appraisal.routes.ROUTES}
ABSENT = "0198c0de-0000-7000-8000-000000000000"
VILLAGE = "421222100001"
PLACES = {
    Role.GRIDWORKER: VILLAGE + "001",
    Role.INSTRUCTOR: "421222100",
    Role.SHOPKEEPER: "421222100",
    Role.AGENCY: "421222100",
    Role.TRAINER: "421222100",
    Role.MEDIATOR: "421222100",
    Role.DEPARTMENT: "421222",
    Role.AUDITOR: "421222",
    Role.ADMIN: "421222",
}
"""Where each role sits; the others are of the village."""
NONSENSE = ("%00", "..%2f..", "中文")
SHOP = UUID(int=7)
WELL_FORMED = {
    "number": "202610",
    "month": "202610",
    "year": "2031",
    "code": "421222999999",
    "village_code": "421222999999",
    "unit_code": "421222999999",
    "token": "421222.nothing",
    "name": "nothing",
}
"""What stands in a path where it is no UUID."""
LEAVES_A_TRACE = {
    "audit_event",
    "export_log",
    "session",
    "code",
    "rule_version",
    "calendar_exception",
}
"""What reading may write: that it was read, when the session was used, the short-lived code that a
page shows, and the shipped rulebook and calendar where a county has none yet."""
FOR_EVERYBODY = {"/r/{token}"}
"""A scanned code tells whoever is no shopkeeper what to do with it."""
SLIP = "/s/"
"""A ballot's page sets no cookie: whoever forges its post must hold the slip."""


class Everybody(msgspec.Struct):
    """One person for each role, somebody who left, somebody whose time has not come."""

    by_role: dict[Role, Member]
    former: Member
    future: Member


@pytest.fixture
async def everybody(rollback: None) -> Everybody:
    """All of them in one county."""
    made = await units()
    people = {
        role: await member(
            role,
            made[PLACES.get(role, VILLAGE)],
            subject_id=SHOP if role is Role.SHOPKEEPER else None,
        )
        for role in Role
    }
    grid, day = made[VILLAGE + "002"], today()
    return Everybody(
        by_role=people,
        former=await member(Role.GRIDWORKER, grid, valid_to=day - timedelta(days=10)),
        future=await member(Role.LEAD, made[VILLAGE], valid_from=day + timedelta(days=10)),
    )


async def act_as(client: httpx.AsyncClient, someone: Member, *, desk: bool | None = None) -> None:
    """Give the client a live session of this person, without the cost of a PIN."""
    account_id = await ensure_account(COUNTY, someone.person_id)
    at_desk = someone.role in DESK_ROLES if desk is None else desk
    kind: SessionKind = "desk" if at_desk else "phone"
    new = await sessions.begin(COUNTY, account_id, someone.person_id, kind, now())
    client.cookies.clear()
    client.cookies.set("gm", new.token, domain="points.local", path="/")


def filled(path: str, value: str = "") -> str:
    """The path with an id in every place: one that is well-formed and does not exist."""
    return re.sub(r"{([^}]+)}", lambda found: value or WELL_FORMED.get(found[1], ABSENT), path)


def table(method: str = "") -> list[tuple[str, str, Access]]:
    """The rows as (method, path, access)."""
    rows = [(*row.split(" ", 1), access) for row, access in sorted(ROUTES.items())]
    return [row for row in rows if not method or row[0] == method]  # type: ignore[misc]


async def token(client: httpx.AsyncClient) -> str:
    """The page token a browser would send."""
    if "csrftoken" not in client.cookies:
        await client.get("/sign-in")
    return next(cookie.value or "" for cookie in client.cookies.jar if cookie.name == "csrftoken")


async def send(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request as our own pages make it."""
    headers = {"x-csrftoken": await token(client)} if method != "GET" else {}
    return await client.request(method, path, headers=headers)


def stripped(page: httpx.Response) -> str:
    """What the answer says: the page's main part, or the whole document of a program."""
    main = re.search("<main.*</main>", page.text, re.DOTALL)
    return main[0] if main else page.text


def may_ask(access: Access, someone: Member) -> bool:
    """Said again for a person with one role: desk routes at a desk, the others by role."""
    if access.public:
        return True
    if access.desk and someone.role not in DESK_ROLES:
        return False
    return access.roles is None or someone.role in access.roles


def test_every_route_has_a_row_and_every_row_a_route(
    application: Litestar, appraisal_application: Litestar
) -> None:
    """Neither a page without a rule nor a rule for nothing."""
    assert route_names(application) == points.routes.ROUTES.keys()
    assert route_names(appraisal_application) == appraisal.routes.ROUTES.keys()


def test_menus_of_both_services_show_what_each_serves() -> None:
    """What a menu links to has its row, and the copy for the other service says the same."""
    assert {row: ROUTES[row] for row in MENU_ROUTES} == MENU_ROUTES
    folder = Path(shared.web.pages.__file__).parent / "templates"
    text = "".join((folder / f"{name}_base.html").read_text("utf-8") for name in ("desk", "m"))
    entries = set(re.findall(r'\("\w+", "[^"]+", "(/[^"]*)", "\w+"\)', text))
    assert entries - {row.removeprefix("GET ") for row in MENU_ROUTES} == set()


async def test_nobody_sees_but_the_door(client: httpx.AsyncClient) -> None:
    """Pages send the anonymous to sign-in, programs get 401; public rows answer."""
    for method, path, access in table():
        answer = await send(client, method, filled(path))
        if access.public:
            assert "sign-in?" not in answer.headers.get("location", ""), path
        elif path.startswith("/api/"):
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
        else:
            assert answer.status_code == 303, (method, path)
            assert "/sign-in" in answer.headers["location"]


@pytest.mark.parametrize("role", list(Role))
async def test_routes_of_other_roles_are_absent(
    client: httpx.AsyncClient, everybody: Everybody, role: Role
) -> None:
    """Forbidden looks like absent, word for word; what is one's own is not closed by the table."""
    someone = everybody.by_role[role]
    await act_as(client, someone)
    nothing = {
        root: stripped(await client.get(f"{root}/no-such-page")) for root in ("", "/api", "/desk")
    }
    for method, path, access in table():
        if may_ask(access, someone) or path == "/sign-out":
            continue
        answer = await send(client, method, filled(path))
        assert answer.status_code == 404, (role, method, path)
        own = path.removeprefix("/appraisal")
        root = next((root for root in ("/api", "/desk") if own.startswith(root)), "")
        assert stripped(answer) == nothing[root], path


@pytest.mark.parametrize("role", list(Role))
async def test_ids_that_are_not_there_are_absent(
    client: httpx.AsyncClient, everybody: Everybody, role: Role
) -> None:
    """No role gets anything but 404 for an id that does not exist.

    Nor does one role that may ask, the department first, get a crash for nonsense.
    """
    someone = everybody.by_role[role]
    await act_as(client, someone)
    widest = sorted(Role, key=lambda one: one is not Role.DEPARTMENT)
    for _, path, access in table("GET"):
        if "{" not in path or not may_ask(access, someone) or path in FOR_EVERYBODY:
            continue
        asks = next(one for one in widest if may_ask(access, everybody.by_role[one]))
        for value in (ABSENT, "421222999999", *(NONSENSE if asks is role else ())):
            with suppress(Rollback):
                async with DB.transaction():
                    answer = await client.get(filled(path, value))
                    assert answer.status_code in {404, 400, 422, 303}, (role, path, value)
                    raise Rollback
        if not access.public:
            assert (await client.get(filled(path))).status_code == 404, (role, path)


async def test_own_pages_open_for_each_role(
    client: httpx.AsyncClient, everybody: Everybody
) -> None:
    """A row without an id never answers with an error to those it names."""
    for role, someone in everybody.by_role.items():
        await act_as(client, someone)
        for _, path, access in table("GET"):
            if "{" in path or not may_ask(access, someone):
                continue
            answer = await client.get(path)
            assert answer.status_code < 500, (role, path, answer.text[:500])
            assert answer.status_code in {200, 204, 303, 400, 403, 404, 422}, (role, path)


async def test_who_left_has_balance_code_and_objection_only(
    client: httpx.AsyncClient, everybody: Everybody
) -> None:
    """On the phone, ninety days long; who has not begun has nothing."""
    await act_as(client, everybody.former)
    for method, path, access in table("GET"):
        if access.public or "{" in path:
            continue
        answer = await send(client, method, path)
        opens = access.former and not access.desk
        assert (answer.status_code != 404) is opens or path == "/", path
    await act_as(client, everybody.future)
    assert (await client.get("/me")).status_code == 303


@pytest.fixture
async def world(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


def strangers(world: SmallCounty) -> Iterable[Member]:
    """Everybody whose account the chief of the first village must not touch, by relation."""
    return (world.cousin_worker, world.instructor, world.department)


@pytest.mark.parametrize("act", ["GET ", "POST /revoke", "POST /card-pin"])
async def test_foreign_accounts_are_absent_to_a_chief(
    client: httpx.AsyncClient, world: SmallCounty, act: str
) -> None:
    """Descendants open; other township, ancestor and county do not, as if they did not exist."""
    await act_as(client, world.chief)
    method, suffix = act.split(" ", 1)
    for someone in (world.worker, world.second_worker, world.lead, world.committee):
        await ensure_account(COUNTY, someone.person_id)
        path = f"/verify/accounts/{someone.person_id}{suffix}"
        answer = await send(client, method, path)
        assert answer.status_code in {200, 303, 422}, (someone.role, answer.text[:300])
    absent = await send(client, method, f"/verify/accounts/{ABSENT}{suffix}")
    if suffix != "/card-pin":
        assert absent.status_code == 404
    for someone in strangers(world):
        await ensure_account(COUNTY, someone.person_id)
        answer = await send(client, method, f"/verify/accounts/{someone.person_id}{suffix}")
        assert answer.status_code == absent.status_code, (someone.role, answer.text[:300])
        assert stripped(answer) == stripped(absent)


async def test_lists_hold_the_subtree_and_nothing_else(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """What a list shows is what may be opened: names of others appear nowhere."""
    shown = {
        world.chief: (world.worker, world.second_worker, world.lead),
        world.instructor: (world.worker, world.chief),
    }
    hidden = {
        world.chief: (world.cousin_worker, world.instructor),
        world.instructor: (world.cousin_worker, world.department),
    }
    for viewer, names in shown.items():
        await act_as(client, viewer)
        text = (await client.get("/verify/accounts")).text
        assert all(someone.name in text for someone in names)
        assert not any(someone.name in text for someone in hidden[viewer])


async def test_a_session_of_another_county_is_nobody(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """The county stands in the token and in every statement."""
    await act_as(client, world.worker)
    assert (await client.get("/me")).status_code == 200
    _, _, secret = client.cookies["gm"].partition(".")
    client.cookies.clear()
    client.cookies.set("gm", f"421223.{secret}", domain="points.local", path="/")
    assert (await client.get("/me")).status_code == 303


async def test_headers_stand_on_every_answer(
    client: httpx.AsyncClient, everybody: Everybody
) -> None:
    """Pages, files, errors and redirects alike; nothing personal is kept by a cache."""
    await act_as(client, everybody.by_role[Role.DEPARTMENT])
    for _, path, access in table("GET"):
        answer = await client.get(filled(path))
        headers = answer.headers
        scripts = "'sha256-" if path == "/check-receipt" else "'self'"
        assert f"script-src {scripts}" in headers["content-security-policy"], path
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
        if not access.public:
            assert headers["cache-control"] == "no-store", path
    absent = await client.get("/nowhere")
    assert absent.headers["x-content-type-options"] == "nosniff"


async def test_changes_need_our_page(client: httpx.AsyncClient, everybody: Everybody) -> None:
    """A request that another site started is refused, and so is one without our page's token.

    Where the role may not even ask, there is nothing that could be refused.
    """
    keeper = everybody.by_role[Role.SHOPKEEPER]
    await act_as(client, keeper)
    page_token = await token(client)
    for method, path, access in table():
        if method == "GET":
            continue
        address = filled(path)
        if not path.startswith(("/api/", SLIP)):
            refused = 403 if access.public or may_ask(access, keeper) else 404
            assert (await client.request(method, address)).status_code == refused, path
        for foreign in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://evil.example"},
        ):
            headers = {"x-csrftoken": page_token, **foreign}
            answer = await client.request(method, address, headers=headers)
            assert answer.status_code == 403, (path, foreign)


async def contents(naming: str = "") -> dict[str, tuple[int, int]]:
    """Rows and a checksum of every table but those that record reading.

    ``naming`` is a pattern: then only rows that say it somewhere.
    """
    names = await DB.fetch(
        "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND NOT relispartition"
        " AND relnamespace::regnamespace::text IN ('shared', 'points', 'appraisal')"
    )
    # One trip for all of them: a hundred statements cost more than they read.
    rows = await DB.fetch(
        " UNION ALL ".join(
            f"SELECT '{schema}.{name}', count(*), COALESCE(sum(hashtext(t::text)), 0)"
            f' FROM {schema}."{name}" t WHERE t::text ~ $1'
            for schema, name in names
            if name not in LEAVES_A_TRACE
        ),
        naming,
    )
    return {name: (count, checksum) for name, count, checksum in rows}


async def test_reading_changes_nothing(client: httpx.AsyncClient, everybody: Everybody) -> None:
    """Every GET of every role leaves every table as it was."""
    for someone in everybody.by_role.values():
        await act_as(client, someone)
        before = await contents()
        for _, path, access in table("GET"):
            if may_ask(access, someone):
                await client.get(filled(path))
        assert await contents() == before, someone.role


async def test_addresses_said_by_the_browser_do_not_count(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """A new X-Forwarded-For with every try does not free a new allowance."""
    page_token = await token(client)
    answers = [
        await client.post(
            "/sign-in",
            data={"_csrf_token": page_token, "phone": f"138{number:08d}", "pin": "482915"},
            headers={"x-forwarded-for": f"10.0.0.{number}"},
        )
        for number in range(62)
    ]
    assert {answer.status_code for answer in answers[:60]} == {422}
    assert {answer.status_code for answer in answers[60:]} == {429}


async def test_the_addresses_of_one_line_are_one(
    client: httpx.AsyncClient,
    application: Litestar,
    appraisal_application: Litestar,
    world: SmallCounty,
) -> None:
    """IPv6 gives a line more addresses than tries could use; another line has its own allowance."""
    page_token = await token(client)
    app = OneProcess(application, appraisal_application)
    codes = []
    for number in range(62):
        address = f"2001:db8:1:{'1' if number < 61 else '2'}::{number:x}"
        transport = httpx.ASGITransport(app, client=(address, 443))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://points", cookies=client.cookies
        ) as http:
            form = {"_csrf_token": page_token, "phone": f"138{number:08d}", "pin": "482915"}
            codes.append((await http.post("/sign-in", data=form)).status_code)
    assert codes == [422] * 60 + [429, 422]


async def test_an_emptied_cache_frees_no_guessing(
    client: httpx.AsyncClient, application: Litestar, world: SmallCounty
) -> None:
    """The tries that matter stand on the account's row."""
    from tests.shared.identity.worlds import OTHER_PIN, with_pin

    await with_pin(world.worker)
    page_token = await token(client)
    form = {"_csrf_token": page_token, "phone": world.worker.phone, "pin": OTHER_PIN}
    codes = []
    for _ in range(7):
        async for key in application.state.valkey.scan_iter("*"):
            await application.state.valkey.delete(key)
        codes.append((await client.post("/sign-in", data=form)).status_code)
    assert codes == [422] * 5 + [429] * 2
