"""People who have no right to an object, and the look at what they get for asking.

One world and one list of people serve a whole test. What a role gets for an id that does not
exist is asked once, not by everybody who holds the role: half of the requests.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

import httpx
import msgspec

from shared.clock import now, today
from shared.database import DB
from shared.identity import queries, sessions
from shared.identity.accounts import ensure_account
from shared.identity.routes import Routes
from shared.identity.schemas import SessionKind
from shared.ids import new_id
from shared.roster.roles import DESK_ROLES, Role
from shared.roster.schemas import UnitRow
from tests.conftest import Rollback
from tests.factories import COUNTY, Member, member, units
from tests.shared.identity.test_matrix import contents, may_ask, stripped, token

Answer = tuple[int, str]


class Stranger(msgspec.Struct, frozen=True):
    """Somebody with a role at a place that is not the object's."""

    member: Member
    relation: str


class Question(msgspec.Struct, frozen=True):
    """A request for an object, and the same for one that does not exist."""

    method: str
    path: str
    """As the table of routes writes it."""
    there: str
    nothing: str
    form: Mapping[str, str] = {}


def objects_named(path: str) -> list[str]:
    """The names of the ids in a path."""
    return re.findall(r"{([^}]+)}", path)


def at(path: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"{([^}]+)}", lambda name: ids[name[1]], path)


async def strangers(here: Mapping[str, UnitRow]) -> list[Stranger]:
    """Each role in the sibling village, the other township, another shop, another county."""
    there = await units(421223)
    found = []
    for role in Role:
        places = {
            "sibling village": here["421222100002"],
            "other township": here["421222101"],
            "village of another township": here["421222101001"],
            "other county": there["421223"],
        }
        if role is Role.GRIDWORKER:
            places = {"same village": here["421222100001002"], "cousin": here["421222101001001"]}
        elif role is Role.SHOPKEEPER:
            places = {"other shop": here["421222100"], "other county": there["421223"]}
        elif role in {Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN}:
            places = {"other county": there["421223"]}
        for relation, unit in places.items():
            someone = await member(
                role,
                unit,
                county_id=int(unit.code[:6]),
                subject_id=new_id() if role is Role.SHOPKEEPER else None,
            )
            found.append(Stranger(someone, relation))
    return found


async def outsiders(here: Mapping[str, UnitRow]) -> list[Stranger]:
    """Who held a post over the object's village and has left it, or is stopped."""
    places = {
        Role.GRIDWORKER: "421222100001001",
        Role.CHIEF: "421222100001",
        Role.INSTRUCTOR: "421222100",
    }
    found = []
    for role, code in places.items():
        gone = today() - timedelta(days=10)
        found.append(Stranger(await member(role, here[code], valid_to=gone), "left"))
        stopped = await member(role, here[code])
        await ensure_account(COUNTY, stopped.person_id)
        await queries.set_stopped(COUNTY, stopped.person_id, today() + timedelta(days=10))
        found.append(Stranger(stopped, "stopped"))
    return found


async def enter(client: httpx.AsyncClient, someone: Member) -> None:
    """Ask as somebody of any county from now on."""
    carry(client, await session_of(someone))


async def session_of(someone: Member) -> str:
    """A live session of somebody who has just given their password."""
    county_id = int(someone.unit_code[:6])
    account_id = await ensure_account(county_id, someone.person_id)
    kind: SessionKind = "desk" if someone.role in DESK_ROLES else "phone"
    new = await sessions.begin(county_id, account_id, someone.person_id, kind, now())
    await DB.execute(
        "UPDATE shared.session SET confirmed_at = $3 WHERE county_id = $1 AND account_id = $2",
        county_id,
        account_id,
        now(),
    )
    return new.token


def carry(client: httpx.AsyncClient, session: str) -> None:
    """The client's cookie is this session's, and no other."""
    client.cookies.clear()
    client.cookies.set("gm", session, domain="points.local", path="/")


async def find_nothing(
    client: httpx.AsyncClient,
    everybody: Iterable[Stranger],
    asked: Callable[[Stranger], Iterable[Question]],
    marks: Iterable[str] = (),
) -> int:
    """Whoever asks gets what one gets for nothing, without a mark of the object; none writes.

    Answers how many questions were asked.
    """
    nothing: dict[tuple[Role, str, str], Answer] = {}
    private, cells, leaks = tuple(marks), 0, []
    waiting = [(stranger, await session_of(stranger.member)) for stranger in everybody]
    before = await contents()
    for stranger, session in waiting:
        carry(client, session)
        for question in asked(stranger):
            where = (stranger.member.role.value, stranger.relation, question.method, question.path)
            answer = await _ask(client, question, question.there)
            if any(mark in answer.text for mark in private):
                leaks.append((*where, "tells"))
            got = _said(answer, question.there)
            key = (stranger.member.role, question.method, question.nothing)
            if nothing.get(key) != got:
                absent = await _ask(client, question, question.nothing)
                nothing[key] = _said(absent, question.nothing)
            if got != nothing[key] or got[0] < 400:
                leaks.append((*where, f"{got[0]} for {nothing[key][0]}"))
            cells += 1
        assert await contents() == before, (stranger.member.role, stranger.relation)
    assert leaks == []
    return cells


async def reach_nothing(
    client: httpx.AsyncClient,
    everybody: Iterable[Stranger],
    routes: Routes,
    form: Mapping[str, str],
    marks: Iterable[str],
) -> None:
    """What no path names is named in the query or the form of all that a stranger may ask.

    The answer tells of no mark but those sent, and no row comes to name one.
    """
    private, sent, leaks = tuple(marks), set(form.values()), []
    before = await contents("|".join(private))
    for stranger in everybody:
        carry(client, await session_of(stranger.member))
        headers = {"x-csrftoken": await token(client)}
        for row, access in sorted(routes.items()):
            method, path = row.split(" ", 1)
            if objects_named(path) or access.public or not may_ask(access, stranger.member):
                continue
            after = before
            with suppress(Rollback):
                async with DB.transaction():
                    if method == "GET":
                        answer = await client.get(path, params=form)
                    else:
                        answer = await client.request(method, path, data=form, headers=headers)
                        if answer.status_code < 400:
                            after = await contents("|".join(private))
                    raise Rollback
            where = (stranger.member.role.value, stranger.relation, row)
            if any(mark in text_of(answer) for mark in private if mark not in sent):
                leaks.append((*where, "tells"))
            if after != before:
                leaks.append((*where, "writes"))
    assert leaks == [], leaks


def text_of(answer: httpx.Response) -> str:
    """What it says; an office file is a zip of texts."""
    if not answer.content.startswith(b"PK"):
        return stripped(answer)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(name).decode(errors="replace") for name in book.namelist())


def _said(answer: httpx.Response, path: str) -> Answer:
    """What it says, whichever the object."""
    return answer.status_code, stripped(answer).replace(path, "")


async def _ask(client: httpx.AsyncClient, question: Question, path: str) -> httpx.Response:
    if question.method == "GET":
        return await client.get(path)
    headers = {"x-csrftoken": await token(client)}
    return await client.request(question.method, path, headers=headers, data=dict(question.form))
