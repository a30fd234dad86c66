"""Whatever is sent to whatever route, the answer is ours: a page or a sentence, never a defect.

Every route is asked by somebody who may use it, with a sound form in which one value is odd: what
no column holds, no calendar knows, no browser sends. Each field meets a few of them, always the
same ones, and the thousand fields of all routes meet them all. The routes come from the tables of
rights, the names from the forms below, from what handlers take of a query and from what they bind.
"""

import random
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pytest
from litestar import Litestar

import appraisal.routes
import points.routes
from appraisal.scorecard.rules import Scheme
from appraisal.scorecard.web_desk import fields_of
from points.redemption import api, pickups
from points.redemption.schemas import HoldOrder, WantedLine
from points.rulebook.rules import Category
from shared.clock import now, today
from shared.database import DB
from shared.identity.routes import SHARED_ROUTES, Access
from shared.ids import new_id
from shared.roster.intake.schemas import Preview
from shared.roster.roles import Role
from shared.web import forms
from shared.web.ratelimit import Portions
from tests.appraisal import test_objects as appraisal_objects
from tests.appraisal.casework.scene import NEXT_YEAR
from tests.appraisal.objects import things as appraisal_things
from tests.appraisal.survey.world import VILLAGE
from tests.conftest import Rollback
from tests.factories import COUNTY, Member, member
from tests.points.redemption.scene import counter
from tests.shared.identity import test_objects as points_objects
from tests.shared.identity.strangers import at, carry, objects_named, session_of
from tests.shared.identity.test_matrix import WELL_FORMED, may_ask, stripped, token

DAY, AHEAD = str(today()), str(today() + timedelta(days=5))
LONG = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=10_000))
"""No index entry holds it, however it is packed."""
ODD = {
    "NUL": "x\0y",
    "half a character": "\ud800",
    "long": LONG,
    "emoji": "😀🏽",
    "above 64 bits": str(2**63),
    "above 32 bits": str(2**31),
    "negative": "-1",
    "float": "1e5",
    "huge float": "1e999999",
    "no number": "NaN",
    "thousands of digits": "9" * 5000,
    "full width": "２０２６",
    "digits of no year": "²²²²-01",
    "first month": "0000-01",
    "last month": "9999-12",
    "superscript": "²",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "no day": "2026-02-30",
    "empty": "",
    "pattern": "%\\",
}
ENGLISH = re.compile(r"Traceback|[A-Za-z`]{3,} [a-z`]{2,}")
"""A library speaking; no sentence of ours has two such words in a row."""
DAYS = ("first day", "last day", "no day")
NUMBERS = (
    *("above 64 bits", "above 32 bits", "negative"),
    *("huge float", "no number", "thousands of digits"),
)
TEXTS = ODD.keys() - {
    *("emoji", "above 32 bits", "negative", "float", "no number"),
    *("full width", "first month", "no day", "empty"),
}
SEARCHED = TEXTS - {"huge float", "thousands of digits", "above 64 bits", "first day"}
AT_ONCE = ("superscript", "empty")
EACH = 3
"""Odd values that one field is sent."""
NEW_ID = str(new_id())
PIN = {"pin": "482915", "again": "482915"}
WHO = {"phone": "13900000000", "county": str(COUNTY), "next": "/"}
ACCOUNT = "/desk/accounts/{person_id}"
ROSTER = "/desk/roster"
POINTS: dict[str, Mapping[str, str]] = {
    "/preferences": {"text_size": "large"},
    "/sign-in": {**WHO, "pin": "482915"},
    "/desk/sign-in": {**WHO, "password": "village oak in bloom", "code": "123456"},
    "/activate": {**WHO, **PIN, "digits": "12345678"},
    "/a/{token}": {**PIN, "last4": "0000"},
    "/desk/take-over": {"password": "x", "again": "x", "code": "1"},
    "/confirm": {"secret": "482915"},
    "/me/view": {"view": "worker"},
    "/me/look": {"theme": "dark"},
    "/me/pin": {**PIN, "old": "739026"},
    "/me/card-pin": PIN,
    "/shop/staff": {"name": "孟小妹", "phone": "13700000001"},
    "/shop/terminals": {"label": "前台"},
    "/verify/accounts/slips": {"person": "PERSON"},
    "/verify/accounts/{person_id}/revoke": {"reason": "手机丢了"},
    "/verify/accounts/{person_id}/card-pin": PIN,
    "/desk/accounts/slips": {"person": "PERSON"},
    f"{ACCOUNT}/revoke": {"reason": "手机丢了"},
    f"{ACCOUNT}/disable": {"reason": "手机丢了"},
    f"{ACCOUNT}/enable": {"reason": "手机丢了"},
    f"{ACCOUNT}/password": {"password": "village oak in bloom"},
    "/desk/settings": {},
    "/desk/calendar": {"year": "2027", "days": NEXT_YEAR.strip()},
    f"{ROSTER}/people/{{person_id}}/edit": {
        "name": "张三",
        "employment": "contract",
        "version": "1",
    },
    f"{ROSTER}/posts/{{post_id}}/appoint": {
        "name": "张三",
        "phone": "13700000002",
        "employment": "contract",
        "valid_from": DAY,
    },
    f"{ROSTER}/assignments/{{assignment_id}}/end": {
        "on": DAY,
        "reason": "本人要求",
        "leaving": "去世",
    },
    f"{ROSTER}/assignments/{{assignment_id}}/transfer": {
        "post_id": "POST",
        "on": DAY,
        "reason": "调岗",
        "ground": "网格或岗位撤并",
    },
    f"{ROSTER}/units/{{code}}/add": {"number": "009", "name": "第九网格", "households": "9"},
    f"{ROSTER}/units/{{code}}/edit": {"name": "隽水社区", "households": "9"},
    f"{ROSTER}/units/{{code}}/post": {"role": "lead", "grids": "421222100001001"},
    f"{ROSTER}/import": {"file": "花名册", "divisions": "区划"},
    f"{ROSTER}/import/{{run_id}}": {"end_missing": "1", "papers": "1"},
    "/shop/products/{product_id}/stock": {"id": NEW_ID, "move": "in", "quantity": "1"},
    "/shop/products/{product_id}/price": {
        "points": "40",
        "purchase": "33.00",
        "first_day": AHEAD,
    },
    "/verify/prices/{price_id}": {"answer": "refuse", "note": "太贵了"},
    "/desk/shops": {
        "unit_code": "421222100001",
        "name": "新店",
        "settlement_name": "新供销社",
        "first_day": DAY,
        "last_day": AHEAD,
    },
    "/desk/shops/{shop_id}": {"version": "1", "settlement_name": "供销社", "state": "open"},
    "/desk/shops/{shop_id}/agreements": {"first_day": "2100-01-01", "last_day": "2100-12-31"},
    "/desk/shops/import": {"file": "名录", "how": "write"},
    "/desk/products": {"category": "daily", "name": "牙膏", "measure": "支", "market": "5"},
    "/desk/products/{product_id}": {"category": "daily", "name": "大米5kg", "measure": "袋"},
    "/desk/products/{product_id}/price": {"points": "40", "purchase": "33", "first_day": AHEAD},
    "/desk/products/prices/{price_id}": {"answer": "refuse", "note": "太贵了"},
    "/desk/products/import": {"file": "目录", "how": "write"},
    "/pickups": {"id": NEW_ID, "shop": "SHOP", "q-SOAP": "1", "p-SOAP": "50"},
    "/shop/customer": {"code": "12345678"},
    "/shop/redeem": {"id": NEW_ID, "code": "12345678", "q-SOAP": "1", "p-SOAP": "50"},
    "/shop/redemptions/{redemption_id}/undo": {"reason": "拿错了"},
    "/shop/pickups/{pickup_id}/post": {"id": NEW_ID, "q-SOAP": "1"},
    "/shop/pickups/{pickup_id}/void": {"reason": "没有货"},
    "/verify/redemptions/{redemption_id}/undo": {"reason": "拿错了"},
    "/verify/cards": {"person": "PERSON"},
    "/desk/rules/{code}": {
        "version": "1",
        "title": "代办帮办",
        "points": "1.5",
        "cap_day": "3",
        "cap_month": "12",
        "steps": "V1",
        "effective_from": AHEAD,
        "last_day": "2099-12-31",
    },
    "/desk/rules/{code}/correct": {
        "seen": "0",
        "title": "代办帮办",
        "points": "1.5",
        "cap_day": "3",
        "cap_month": "12",
        "steps": "V1",
        "effective_from": AHEAD,
        "last_day": "2099-12-31",
    },
    "/desk/rules": {
        "code": "SVC-09",
        "title": "代办帮办",
        "points": "1.5",
        "cap_day": "3",
        "steps": "V1",
        "quiet_days": "7",
        "effective_from": AHEAD,
        "last_day": "2099-12-31",
    },
    "/desk/rules-penalties": {
        "code": "PEN-09",
        "title": "值班脱岗",
        "choices": "1",
        "effective_from": AHEAD,
    },
    "/desk/rules-penalties/{code}": {"version": "1", "choices": "1", "effective_from": AHEAD},
    "/desk/rules-penalties/{code}/correct": {
        "seen": "0",
        "title": "值班脱岗",
        "choices": "1",
        "last_day": "2099-12-31",
    },
    "/verify/variants": {
        "village_code": "421222100001",
        "code": "ORG-02",
        "points": "1.5",
        "cap_month": "4",
        "effective_from": AHEAD,
        "resolution": "决〔2026〕3号",
        "resolved_on": DAY,
    },
    "/verify/variants/{variant_id}": {"answer": "refuse", "note": "太高"},
    "/desk/rules-caps": {
        **dict.fromkeys(Category, "10"),
        "person_month": "60",
        "person_year": "600",
        "effective_from": AHEAD,
    },
    "/statements/{statement_id}/sign": {"part": "accountant", "file": "0"},
    "/statements/{statement_id}/dispute": {"line_id": NEW_ID, "reason": "数量不对"},
    "/disputes/{dispute_id}/decide": {"pay": "1", "note": "属实"},
    "/desk/statements": {"month": DAY[:7]},
    "/desk/funds": {
        "unit_code": "421222100002",
        "number": "决〔2026〕9号",
        "resolved_on": DAY,
        "amount": "100",
    },
    "/desk/funds/{fund_id}/corrections": {
        "resolution_id": "RESOLUTION",
        "amount": "100",
        "reason": "多输了一个零",
    },
    "/funds/{fund_id}/corrections/{correction_id}": {"answer": "refuse", "note": "不对"},
    "/desk/funds/import": {"file": "资金", "act": "write"},
    "/work": {
        "id": NEW_ID,
        "rule_code": "ORG-02",
        "work_date": DAY,
        "text": "参加会议",
        "photo": "",
    },
    "/records/{record_id}/objection": {"text": "分数不对"},
    "/records/{record_id}/review": {"text": "分数不对"},
    "/verify/records/{record_id}/contest": {"text": "分数不对"},
    "/verify/preview": {"ids": "RECORD"},
    "/verify/batch": {"ids": "RECORD"},
    "/verify/{record_id}": {"resident_how": "phone"},
    "/verify/{record_id}/return": {"reason": "看不清", "choice": "看不清", "refuse": "1"},
    "/verify/proxy": {
        "id": NEW_ID,
        "worker_id": "PERSON",
        "rule_code": "ORG-02",
        "work_date": DAY,
        "text": "参加会议",
    },
    "/verify/sampled/{record_id}/refuse": {"reason": "不属实", "next": "/verify"},
    "/verify/objections/{objection_id}": {"verdict": "rejected", "text": "已核对"},
    "/deductions/{deduction_id}/reply": {"text": "当天请了假"},
    "/deductions/{deduction_id}/appeal": {"text": "当天请了假"},
    "/verify/deductions": {
        "worker_id": "PERSON",
        "choice": "PEN-01:20",
        "happened_on": DAY,
        "facts": "无故未参加",
        "evidence": "签到表",
        "record_id": "",
    },
    "/verify/deductions/{deduction_id}/serve": {"served_on": DAY, "how": "本人签收"},
    "/verify/deductions/{deduction_id}/decide": {"verdict": "dropped", "reason": "属实"},
    "/verify/deductions/{deduction_id}/appeal": {"verdict": "rejected", "reason": "属实"},
    "/desk/months/import": {"file": "记录", "act": "store"},
}
"""What a page of ours would send; capitals stand for the objects' own ids."""
ENTRY = {"happened_on": "2026-10-20", "person_id": "PERSON", "document": "1号", "by_whom": "镇里"}
APPRAISAL: dict[str, Mapping[str, str]] = {
    **appraisal_objects.FORMS,
    "/s/{token}": appraisal_objects.BALLOT,
    "/appraisal/desk": {"kind": "half_year", "year": "2027"},
    "/appraisal/desk/scheme": {
        **{name: str(value) for name, value in fields_of(Scheme()).items()},
        "effective_on": AHEAD,
        "reason": "会议决定",
    },
    "/appraisal/desk/kin": {"person": "曾会计", "relative": "欧阳金山"},
    "/appraisal/desk/notices": {"pool": "recommendation", "place": "公示栏"},
    "/appraisal/admissions/new": {
        **appraisal_objects.STEP,
        "step": "applied",
        "post_id": "POST",
        "name": "申某某",
        "phone": "13900009999",
        "source": "public",
        "consent": "1",
    },
    "/appraisal/resign": appraisal_objects.STEP,
    "/appraisal/desk/documents/{name}": {"file": "模板", "reason": "县里的格式"},
    "/appraisal/desk/documents/{name}/default": {"reason": "县里的格式"},
    "/appraisal/desk/duty": {
        "month": "202610",
        "unit": "421222100",
        "reason": "补录",
        "person": "PERSON",
        "village": "421222100001",
        "rostered": "21",
        "on_duty": "20",
        "leave": "1",
        "note": "病假",
        "version": "0",
    },
    "/appraisal/desk/duty/entries": {
        **ENTRY,
        "kind": "veto",
        "outcome": "leak",
        "facts": "转发名册",
    },
    "/appraisal/duty/new": {**ENTRY, "kind": "check", "outcome": "passed", "place": "村口"},
    "/appraisal/desk/duty/random": {
        "title": "核查",
        "unit_code": "421222100",
        "first_day": "2026-11-01",
        "last_day": DAY,
        "people": "1",
        "inspectors": "尹某",
        "value_source": "摇号",
    },
    "/appraisal/desk/training": {
        "kind": "classroom",
        "title": "业务培训",
        "held_on": "2026-10-20",
        "hours": "4",
        "trainer": "尹某",
        "unit_code": "421222100",
    },
    "/appraisal/desk/intake/{name}": {"file": "考勤表"},
    "/appraisal/desk/households": {"file": "住户", "act": "store", "end_missing": "1"},
    "/appraisal/desk/survey-form": {"titles": "走访", "prompts": "来过几次"},
}


LABELS = (
    *("新到岗", "调整岗位", "离任", "信息更正", "没有变化", "不在新表"),
    *("新单位", "单位变更", "新岗位"),
)
"""What the preview of a roster counts."""


ODD_JSON: tuple[Any, ...] = (
    *(None, True, 1.5, -1, 10**30, "", "x\0y", LONG, "😀", "２", "9" * 12),
    *([], {}, [[]]),
)
ODD_BODIES = (
    *(b"", b"[", b"{", b"nul", b"\xff", b"1e999", b"9" * 5000, b'"\\ud800"', b'{"id":1,"id":2}'),
    *(b"[" * 60_000, b'{"id":' * 9_000, b'{"lines":' + b"[" * 50_000, b"-" + b"0" * 9),
)


class Visitor(msgspec.Struct, frozen=True):
    """Somebody with a live session."""

    member: Member
    session: str


class Place(msgspec.Struct):
    """A route, the object in its path, and what a page of ours would send."""

    method: str
    path: str
    access: Access
    ids: Mapping[str, str]
    query: dict[str, str]
    form: dict[str, str]
    names: dict[str, Any] = {}
    """Of the query, or of the form, and what each is bound to."""

    @property
    def texts(self) -> Iterable[str]:
        """What its text fields are sent: less where a cheaper page is asked the same."""
        if self.path.endswith((".docx", ".xlsx", "/whatif")):
            return ("NUL",)
        return SEARCHED if self.method == "GET" else TEXTS

    def address(self, instead: Mapping[str, str] = {}) -> str:
        ids = {**self.ids, **instead}
        safe = {name: quote(ids[name], safe="", errors="surrogatepass") for name in ids}
        return at(self.path, safe)


class Sweep:
    """Asks, undoes what was done, and keeps what was wrong with the answer."""

    def __init__(self, client: httpx.AsyncClient, csrf: str, valkey: Any) -> None:
        self.client, self.csrf, self.valkey = client, csrf, valkey
        self.visitor: Visitor | None = None
        self.wrong: list[tuple[str, str, str]] = []
        self.asked = 0

    async def send(
        self, place: Place, what: str, address: str = "", query: Iterable[Any] = (), **sent: Any
    ) -> int:
        """The status of the answer."""
        assert self.visitor
        carry(self.client, self.visitor.session)
        self.client.cookies.set("csrftoken", self.csrf, domain="points.local", path="/")
        url = address or place.address()
        if pairs := [*(place.query | dict(query)).items()]:
            url += "?" + urlencode(pairs, errors="surrogatepass")
        headers = {"x-csrftoken": self.csrf, **sent.pop("headers", {})}
        with suppress(Rollback):
            async with DB.transaction():
                answer = await self.client.request(place.method, url, headers=headers, **sent)
                raise Rollback
        self.asked += 1
        if answer.status_code >= 400:
            said = re.sub(r"<[^>]+>|{[{%].*?[%}]}", " ", stripped(answer))
            if answer.status_code >= 500 or ENGLISH.search(said):
                route = f"{place.method} {place.path}"
                self.wrong.append((route, what, f"{answer.status_code} {said[-200:].strip()}"))
        return answer.status_code

    async def post(self, place: Place, what: str, pairs: Iterable[tuple[str, str]]) -> int:
        return await self.send(
            place,
            what,
            content=urlencode([*pairs], errors="surrogatepass"),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )

    async def sound(self, place: Place) -> int:
        """As a page of ours asks."""
        if place.method == "GET":
            return await self.send(place, "sound")
        return await self.post(place, "sound", place.form.items())

    async def enter(self, place: Place, visitors: Iterable[Visitor]) -> bool:
        """Find somebody whom the place answers; whoever may ask, if nobody."""
        first = None
        for self.visitor in visitors:
            if not may_ask(place.access, self.visitor.member):
                continue
            first = first or self.visitor
            status = await self.sound(place)
            if status < 400 or (status == 409 and place.method == "POST"):
                return True
        self.visitor = first
        return False

    async def oddly(self, place: Place) -> None:
        """One odd value in each part of the path, of the query, of the form; then all at once."""
        async for key in self.valkey.scan_iter("limit:*"):
            await self.valkey.delete(key)
        for name in objects_named(place.path):
            words = ("NUL",) if name.endswith("_id") else ODD.keys() - {"empty"}
            for word in few(words, place, name):
                await self.send(place, f"{name}: {word}", place.address({name: ODD[word]}))
        for name, kind in place.names.items():
            for word in few(passing(kind, place.texts), place, name):
                await self.given(place, f"{name}: {word}", {name: ODD[word]})
        if place.names:
            for word in AT_ONCE:
                await self.given(place, f"all: {word}", dict.fromkeys(place.names, ODD[word]))
        if place.method != "GET":
            await self.misshapen(place)

    async def given(self, place: Place, what: str, values: Mapping[str, str]) -> None:
        """These values, the others sound."""
        if place.method == "GET":
            await self.send(place, what, query=values.items())
        else:
            await self.post(place, what, {**place.form, **values}.items())

    async def misshapen(self, place: Place) -> None:
        """Each field left out; all of them twice, or files; and JSON for a form."""
        for name in place.names:
            rest = {key: value for key, value in place.form.items() if key != name}
            await self.post(place, f"{name}: missing", rest.items())
        await self.post(
            place, "twice", [*place.form.items(), *dict.fromkeys(place.names, "x").items()]
        )
        await self.send(place, "files", files=dict.fromkeys(place.names, ("x.txt", b"x")) or None)
        await self.send(place, "JSON for a form", json=place.form)


def few(words: Iterable[str], place: Place, name: str) -> list[str]:
    """Some of them, other ones for each field; no run of the tests picks others."""
    found = sorted(words)
    return random.Random(f"{place.method} {place.path} {name}").sample(found, min(EACH, len(found)))


def passing(kind: Any, texts: Iterable[str]) -> Iterable[str]:
    """The odd values that a field of this type may let through; the others are sent all at once."""
    kinds = {*flat(kind)}
    if str in kinds:
        return sorted(texts)
    found = [*NUMBERS] if kinds & {int, Decimal} else []
    return [*found, *DAYS] if kinds & {date, datetime} else found or ["NUL"]


def flat(kind: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from flat(part)


def taken(app: Litestar) -> dict[str, dict[str, Any]]:
    """Row of the table → what its handler takes of the query, and the type of each."""
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            besides = {"request", *objects_named(route.path_format)}
            names = {
                name: field.annotation
                for name, field in handler.parsed_fn_signature.parameters.items()
                if name not in besides
            }
            for method in handler.http_methods:
                found[f"{method} {route.path_format}"] = names
    return found


def query_of(path: str) -> dict[str, str]:
    """What a page must be asked besides its path."""
    if path == "/code/state":
        return {"id": NEW_ID}
    if path == "/appraisal/people/{person_id}/open":
        return {"pool": "exit"}
    return {"purpose": "核对"} if path.endswith((".xlsx", ".docx")) else {}


def filled(form: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    """The form with the objects' ids in their places."""
    found = dict(form)
    for word, value in words.items():
        found = {key.replace(word, value): text.replace(word, value) for key, text in found.items()}
    return found


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that handlers bind, as they do, and the type of each."""
    found: dict[str, Any] = {}
    bind = forms.bind

    def noted(kind: Any, values: dict[str, Any]) -> Any:
        found.update((field.name, field.type) for field in msgspec.structs.fields(kind))
        return bind(kind, values)

    monkeypatch.setattr(forms, "bind", noted)
    return found


async def swept(
    sweep: Sweep, places: Iterable[Place], visitors: list[Visitor], bound: dict[str, Any]
) -> list[str]:
    """Look at every place; the rows that answer nobody."""
    shut = []
    for place in places:
        bound.clear()
        if not await sweep.enter(place, visitors):
            shut.append(f"{place.method} {place.path}")
        place.names = dict.fromkeys(place.form, str) | place.names | bound
        if sweep.visitor:
            await sweep.oddly(place)
    return shut


async def visiting(people: Iterable[Member]) -> list[Visitor]:
    return [Visitor(one, await session_of(one)) for one in people]


async def test_points_answers_whatever_is_sent(
    client: httpx.AsyncClient, application: Litestar, bound: dict[str, Any]
) -> None:
    """Its own routes and the shared ones; a few doors and files stay shut to this world."""
    made, ids = await points_objects.things()
    county, names = made.county, taken(application)
    admin = await member(Role.ADMIN, county.units[str(COUNTY)])
    await DB.execute(
        "UPDATE shared.import_run SET summary = $2 WHERE county_id = $1",
        COUNTY,
        msgspec.json.encode(Preview(rows=0, counts=dict.fromkeys(LABELS, 0))).decode(),
    )
    people = [*points_objects.staff(made), admin]
    words = {
        "PERSON": ids["person_id"],
        "POST": ids["post_id"],
        "SHOP": ids["shop_id"],
        "SOAP": str(made.soap),
        "RECORD": ids["record_id"],
        "RESOLUTION": str(
            await DB.fetchval(
                "SELECT id FROM points.resolution WHERE county_id = $1 ORDER BY id DESC", COUNTY
            )
        ),
    }
    codes = {"/desk/rules/": "ORG-02", "/desk/rules-penalties/": "PEN-01"}

    def places() -> Iterator[Place]:
        for row, access in sorted(points.routes.ROUTES.items()):
            method, path = row.split(" ", 1)
            if method == "POST" and path.startswith("/api/"):
                continue
            own = {"token": WELL_FORMED["token"], **ids}
            own["code"] = next((c for start, c in codes.items() if path.startswith(start)), VILLAGE)
            form = filled(POINTS.get(path, {}), words) if method == "POST" else {}
            yield Place(method, path, access, own, query_of(path), form, names[row])

    sweep = Sweep(client, await token(client), application.state.valkey)
    shut = await swept(sweep, places(), await visiting(people), bound)
    assert sweep.wrong == []
    assert len(shut) < 36, shut


async def test_appraisal_answers_whatever_is_sent(
    client: httpx.AsyncClient, appraisal_application: Litestar, bound: dict[str, Any]
) -> None:
    """Its own routes; a few forms are refused whole in this world."""
    made = await appraisal_things()
    town, names = made.town, taken(appraisal_application)
    trainer = await member(Role.TRAINER, town.units["421222100"])
    people = [
        made.clerk,
        town.department,
        town.worker,
        town.chief,
        town.instructor,
        town.second_worker,
        town.cousin_worker,
        trainer,
    ]
    words = {"POST": str(town.worker.post_id), **made.words}

    def places() -> Iterator[Place]:
        for row, access in sorted(appraisal.routes.ROUTES.items()):
            method, path = row.split(" ", 1)
            if row in SHARED_ROUTES:
                continue
            own = {"token": made.words["FIRST-SLIP"], **made.named(path)}
            form = filled(APPRAISAL.get(path, {}), words) if method == "POST" else {}
            yield Place(method, path, access, own, query_of(path), form, names[row])

    sweep = Sweep(client, await token(client), appraisal_application.state.valkey)
    shut = await swept(sweep, places(), await visiting(people), bound)
    assert sweep.wrong == []
    assert len(shut) < 8, shut


async def test_the_api_answers_whatever_is_sent(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part of each body is something else, or is missing; bodies that are no JSON."""
    monkeypatch.setattr(api, "WRITES_A_MINUTE", Portions("odd", 10**6, 60, own=10**6, portion=1))
    scene = await counter()
    lines = [WantedLine(product_id=scene.soap, quantity=1)]
    kept = HoldOrder(id=new_id(), shop_id=scene.shop_id, lines=lines)
    await pickups.hold(scene.worker, kept, now())
    goods = [{"product_id": str(scene.soap), "quantity": 1}]
    order = {"id": NEW_ID, "shop_id": str(scene.shop_id), "code": "12345678", "lines": goods}
    more = {"pin": "482915", "amount": 50, "collector": "欧阳"}
    bodies: dict[str, dict[str, Any]] = {
        "/api/redemptions": order | more,
        "/api/holds": order | {"deliver_to": "家里", "collector": "欧阳"},
        "/api/holds/{hold_id}/post": {"id": NEW_ID, "picks": goods, "at": f"{DAY}T00:00:00Z"},
        "/api/holds/{hold_id}/void": {"reason": "没有货"},
    }
    sweep = Sweep(client, await token(client), application.state.valkey)
    sweep.visitor = Visitor(scene.shop.keeper, await session_of(scene.shop.keeper))
    for path, body in bodies.items():
        place = Place("POST", path, points.routes.ROUTES[f"POST {path}"], {}, {}, {})
        place.ids = {"hold_id": str(kept.id)}
        for raw in (*ODD_BODIES, *map(msgspec.json.encode, wrongly(body))):
            headers = {"content-type": "application/json"}
            status = await sweep.send(place, repr(raw[:200]), content=raw, headers=headers)
            assert status < 401 or status in {404, 409}, (path, raw[:200])
    assert sweep.wrong == []


async def test_a_query_of_other_bytes_is_answered(
    client: httpx.AsyncClient, application: Litestar
) -> None:
    """What an old browser sends in GBK where a word of ours is expected."""
    made, _ = await points_objects.things()

    async def gbk(scope: Any, receive: Any, send: Any) -> None:
        scope["query_string"] = b"category=\xd6\xd0&shop=\xd6\xd0&q=\xd6\xd0&page=\xd6&on=\xd6"
        await application(scope, receive, send)

    client.cookies.clear()
    carry(client, await session_of(made.county.worker))
    odd = await client.get("/work/new?category=x", headers={"host": "points:none"})
    assert odd.status_code == 400
    transport = httpx.ASGITransport(gbk)
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        for someone in (made.county.worker, made.county.department):
            carry(http, await session_of(someone))
            for path in ("/work/new", "/pickups/new", "/desk/rules", "/desk/roster/people"):
                answer = await http.get(path)
                assert answer.status_code in {200, 400, 404, 422}, path


def wrongly(value: Any) -> Iterator[Any]:
    """A JSON value with each of its parts in turn another one, or missing."""
    yield from ODD_JSON
    for key in [*value] if isinstance(value, dict) else []:
        rest = {name: part for name, part in value.items() if name != key}
        yield rest
        yield from (rest | {key: part} for part in wrongly(value[key]))
        yield value | {"more": 1}
    if isinstance(value, list):
        yield from ([part] for part in wrongly(value[0]))
        yield value * 60
