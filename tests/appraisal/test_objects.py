"""Object by object: whoever has no right to one gets the answer for "there is no such thing".

The questions come from the table of routes: a route with a new kind of id needs an object in
``objects.py``, one that changes something needs its form here, or a test fails. Forms are sound,
so that a refusal is never one of a missing field.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress

import httpx
import pytest

from appraisal.routes import ROUTES
from appraisal.scorecard.rules import Scheme
from appraisal.scorecard.web_desk import fields_of
from shared.clock import today
from shared.database import DB
from shared.identity.routes import SHARED_ROUTES
from shared.roster.roles import Role
from tests.appraisal.objects import CONTACT, FACTS, OBJECTOR, Things, things
from tests.appraisal.survey.world import VALUE, VILLAGE
from tests.conftest import Rollback
from tests.factories import COUNTY, Member, member
from tests.shared.identity.strangers import (
    Question,
    Stranger,
    at,
    carry,
    enter,
    find_nothing,
    objects_named,
    outsiders,
    reach_nothing,
    session_of,
    strangers,
    text_of,
)
from tests.shared.identity.test_matrix import contents, may_ask, token

DAY = str(today())
STEP = {"words": "情况属实。", "document": "1号", "no_kin": "1", "effective_on": DAY}
BALLOT = {"aware": "1", **{f"v{number}": "100" for number in range(1, 7)}}
ENTRY = {
    "happened_on": "2026-10-20",
    "outcome": "leak",
    "facts": "转发名册",
    "document": "结论",
    "by_whom": "镇综治办",
    "reason": "核对有误",
}
CHECKED = {"correct-ITEM": "1", "checked_on": DAY, "checked_by": "尹某"}
CYCLE = "/appraisal/desk/cycles/{cycle_id}"
DUTY = "/appraisal/desk/duty"
VISITS = "/appraisal/visits/{survey_id}/{village_code}"
PAPERS = "/appraisal/papers/{survey_id}"
RESULTS = "/appraisal/results/{cycle_id}/{person_id}"
SHIELDS = "/appraisal/desk/people/{person_id}/shields"
FORMS: dict[str, Mapping[str, str]] = {
    f"{CYCLE}/advance": {"target": "appeal"},
    f"{CYCLE}/scorecards": {"note": "重算"},
    f"{CYCLE}/scorecards/annual": {"words": "上半年成绩变更", "no_kin": "1"},
    f"{CYCLE}/scorecards/left-out": {**STEP, "person_id": "PERSON"},
    f"{CYCLE}/scorecards/{{person_id}}": {"score": "81", "reason": "补交了凭证"},
    f"{CYCLE}/whatif": {name: str(value) for name, value in fields_of(Scheme()).items()},
    f"{CYCLE}/survey/freeze": {"value_source": "开奖号码"},
    f"{CYCLE}/survey/draw": {"public_value": VALUE},
    f"{CYCLE}/survey/close": {},
    f"{CYCLE}/training": {"hours": "10", "reason": "会议决定"},
    f"{CYCLE}/notice": {"place": "公示栏"},
    f"{VISITS}": {"HOUSEHOLD": "handed"},
    f"{VISITS}/slips": {"again": "1"},
    f"{VISITS}/top-up": {},
    f"{VISITS}/interviewers": {"person_id": "INTERVIEWER"},
    f"{VISITS}/interviewers/end": {"person_id": "INTERVIEWER"},
    PAPERS: {"code": "FIRST-SLIP"},
    f"{PAPERS}/key": {"code": "FIRST-SLIP", **BALLOT},
    f"{PAPERS}/decide": {"code": "SECOND-SLIP", **BALLOT},
    f"{DUTY}/entries/{{entry_id}}/correct": ENTRY,
    f"{DUTY}/entries/{{entry_id}}/withdraw": {"reason": "录错了人"},
    f"{DUTY}/entries/{{entry_id}}/decide": {"stands": "1", "reason": "属实"},
    f"{DUTY}/random/{{check_id}}/draw": {"value": "1 2 3", "value_source": "会场摇号"},
    f"{DUTY}/random/{{check_id}}/results": CHECKED,
    f"{DUTY}/random/{{check_id}}/void": {"reason": "名单有误"},
    "/appraisal/duty/random/{check_id}": CHECKED,
    "/appraisal/desk/training/{session_id}": {
        "row-PERSON": "1",
        "present-PERSON": "1",
        "test-PERSON": "81",
        "reason": "看错了卷子",
    },
    "/appraisal/desk/training/{session_id}/cancel": {"reason": "没有办"},
    "/appraisal/desk/intake/{name}/{run_id}": {},
    "/appraisal/desk/intake/{name}/{run_id}/cancel": {},
    "/appraisal/cases/{case_id}/sign": {**STEP, "step": "review_kept"},
    "/appraisal/cases/{case_id}/objector": {},
    "/appraisal/cases/{case_id}/steps/{number}": {},
    "/appraisal/desk/kin/{kin_id}/end": {},
    "/appraisal/desk/notices/{notice_id}/objections": {
        **STEP,
        "entry": "1",
        "objector": OBJECTOR,
        "contact": CONTACT,
        "channel": "visit",
        "received_on": DAY,
    },
    RESULTS: {"how": "signed", "served_on": DAY},
    f"{RESULTS}/objection": {"words": "不属实"},
    f"{RESULTS}/unreached": {**STEP, "undelivered": "unknown"},
    "/appraisal/me/{cycle_id}/objection": {"words": "不属实"},
    "/appraisal/me/{cycle_id}/receive": {},
    "/appraisal/people/{person_id}/open": {
        **STEP,
        "pool": "exit",
        "basis": "fault",
        "step": "evidence",
        "hearing": "周一上午",
    },
    SHIELDS: {"kind": "maternity", "starts_on": DAY, "document": "证明"},
    f"{SHIELDS}/{{shield_id}}/revoke": {},
}
"""What a page of ours would send; capitals stand for the objects' own ids."""
QUERIES = {"/appraisal/people/{person_id}/open": "?pool=exit"}
"""What a page must be asked besides its path."""
KINDS_ONLY = {
    "/appraisal/desk/documents/{name}",
    "/appraisal/desk/documents/{name}/default",
    "/appraisal/desk/documents/{name}/sample.docx",
    "/appraisal/desk/documents/{name}/template.docx",
    "/appraisal/desk/intake/{name}",
    "/appraisal/desk/intake/{name}/template.xlsx",
    "/appraisal/pools/{pool}",
}
"""What stands in the path is a word of the product and no object."""
TOKENS = {"/s/{token}"}
"""Who holds the slip may vote: tests/appraisal/survey/test_anonymity.py."""
BELONGS = {
    "cycle_id": str(COUNTY),
    "survey_id": str(COUNTY),
    "notice_id": str(COUNTY),
    "session_id": f"{COUNTY}100",
}
"""What is no secret below a unit: its people find it, and in it their own part."""
SHARED = {
    f"{CYCLE}/duty",
    f"{CYCLE}/training",
    f"{CYCLE}/training/export.xlsx",
    "/appraisal/desk/training/{session_id}",
    "/appraisal/desk/training/{session_id}/export.xlsx",
    "/appraisal/notices/{notice_id}",
    "/appraisal/notices/{notice_id}/notice.docx",
    "/appraisal/opinion/{cycle_id}",
    PAPERS,
    "/appraisal/team/{cycle_id}",
}
"""The pages of such things that open to people who are strangers to the first village."""


@pytest.fixture(scope="module")
async def made(database: str) -> AsyncIterator[Things]:
    """The objects, once for the module; what a test adds is undone within."""
    with suppress(Rollback):
        async with DB.transaction():
            yield await things()
            raise Rollback


def object_routes(method: str = "") -> list[tuple[str, str]]:
    """(method, path) of the appraisal service's own routes with an object in the path."""
    rows = [row.split(" ", 1) for row in sorted(ROUTES) if row not in SHARED_ROUTES]
    return [
        (verb, path)
        for verb, path in rows
        if objects_named(path) and path not in KINDS_ONLY | TOKENS and verb == (method or verb)
    ]


def form_of(made: Things, method: str, path: str) -> dict[str, str]:
    """What is sent along, with the objects' ids in their places."""
    found = dict(FORMS[path]) if method == "POST" else {}
    for word, value in made.words.items():
        found = {key.replace(word, value): text.replace(word, value) for key, text in found.items()}
    return found


def addresses(made: Things, path: str) -> list[str]:
    """Where the objects are: a case is an objection, and what somebody said of the notice."""
    ids = made.named(path)
    found = [ids, ids | {"case_id": made.contest_id}] if "{case_id}" in path else [ids]
    query = QUERIES.get(path, "?purpose=核对" if path.endswith((".xlsx", ".docx")) else "")
    return [at(path, one) + query for one in found]


def known(stranger: Stranger) -> set[str]:
    """The ids that a stranger's county or township shares with them."""
    return {name for name, code in BELONGS.items() if stranger.member.unit_code.startswith(code)}


def questions(made: Things, stranger: Stranger, *, shared: bool) -> Iterator[Question]:
    """What a stranger may try: at what is shared with them, or at the rest."""
    common = known(stranger)
    for method, path in object_routes():
        if not may_ask(ROUTES[f"{method} {path}"], stranger.member):
            continue
        if common.issuperset(objects_named(path)) is shared:
            form, nothing = form_of(made, method, path), at(path, made.absent(path, common))
            for there in addresses(made, path):
                query = there[there.index("?") :] if "?" in there else ""
                yield Question(method, path, there, nothing + query, form)


def test_every_kind_of_id_and_every_form_is_there(made: Things) -> None:
    """A new route fails here until it has an object and, where it changes something, a form."""
    named = {name for _, path in object_routes() for name in objects_named(path)}
    assert named == made.ids.keys() - {"pool"}
    assert {path for _, path in object_routes("POST")} == FORMS.keys()
    every = {row.split(" ", 1)[1] for row in ROUTES}
    assert every >= KINDS_ONLY | TOKENS | SHARED


async def test_strangers_find_nothing_and_change_nothing(
    client: httpx.AsyncClient, made: Things
) -> None:
    """Every object route × role × relation: as if the object did not exist, in every byte."""
    everybody = await strangers(made.town.units)
    cells = await find_nothing(
        client, everybody, lambda one: questions(made, one, shared=False), made.marks
    )
    assert cells > 500


async def test_who_left_or_is_stopped_finds_nothing(
    client: httpx.AsyncClient, made: Things
) -> None:
    """What they held over the village is over; of their own nothing is asked here."""

    def questions(_: Stranger) -> Iterator[Question]:
        for method, path in object_routes():
            if ROUTES[f"{method} {path}"].former and "{cycle_id}" not in path:
                form, nothing = form_of(made, method, path), at(path, made.absent(path, ()))
                for there in addresses(made, path):
                    yield Question(method, path, there, nothing, form)

    with suppress(Rollback):
        async with DB.transaction():
            everybody = await outsiders(made.town.units)
            assert await find_nothing(client, everybody, questions, made.marks) > 40
            raise Rollback


async def test_ids_in_forms_and_queries_reach_nothing(
    client: httpx.AsyncClient, made: Things
) -> None:
    """Entries, sheets, checks, sessions, applicants of the first village, by whoever is not."""
    person_id, ids = made.ids["person_id"], made.ids
    form = {
        "person": person_id,
        "person_id": person_id,
        "cycle": ids["cycle_id"],
        "unit": VILLAGE,
        "unit_code": VILLAGE,
        "village": VILLAGE,
        "code": VILLAGE,
        "post_id": str(made.town.worker.post_id),
        "done": ids["entry_id"],
        "pool": "exit",
        "kind": "veto",
        "outcome": "leak",
        "happened_on": "2026-10-20",
        "month": "202610",
        "facts": "转发名册",
        "document": "结论",
        "by_whom": "镇综治办",
        "reason": "有误",
        "title": "核查",
        "first_day": "2026-10-01",
        "last_day": DAY,
        "value_source": "摇号",
        "held_on": "2026-10-20",
        "hours": "4",
        "trainer": "尹某",
        "purpose": "核对",
        "step": "applied",
        "name": "申某某",
        "phone": "13900009999",
        "source": "public",
        "words": "报名",
        "effective_on": DAY,
        "consent": "1",
        "no_kin": "1",
    }
    marks = {*made.marks, person_id, ids["case_id"], ids["entry_id"], form["post_id"], FACTS}
    own = {row: access for row, access in ROUTES.items() if row not in SHARED_ROUTES}
    with suppress(Rollback):
        async with DB.transaction():
            units = made.town.units
            everybody = [*await strangers(units), *await outsiders(units)]
            await reach_nothing(client, everybody, own, form, marks)
            lessons = {row: access for row, access in own.items() if "training" in row}
            assert lessons
            await reach_nothing(client, everybody, lessons, form | {"kind": "classroom"}, marks)
            with pytest.raises(AssertionError, match="tells"):  # who may, does
                await reach_nothing(client, [Stranger(made.town.instructor, "")], own, form, marks)
            raise Rollback


async def test_nobody_without_a_session_sees_anything(
    client: httpx.AsyncClient, made: Things
) -> None:
    """A resident who knows an address is sent to the door, whatever they send along."""
    headers = {"x-csrftoken": await token(client)}
    for method, path in object_routes():
        for there in addresses(made, path):
            data = form_of(made, method, path)
            answer = await client.request(method, there, headers=headers, data=data)
            assert answer.status_code == 303, (method, path)
            assert "/sign-in" in answer.headers["location"]
            assert not any(mark in answer.text for mark in made.marks), path


async def test_the_countys_things_show_everybody_their_own_part(
    client: httpx.AsyncClient, made: Things
) -> None:
    """The other township's people open the cycle, and read of nobody in the first village."""
    seen: set[str] = set()
    everybody = [
        (stranger, await session_of(stranger.member))
        for stranger in await strangers(made.town.units)
    ]
    before = await contents()
    for stranger, session in everybody:
        carry(client, session)
        headers = {"x-csrftoken": await token(client)}
        for question in questions(made, stranger, shared=True):
            with suppress(Rollback):
                async with DB.transaction():
                    answer = await client.request(
                        question.method, question.there, headers=headers, data=question.form
                    )
                    if question.method == "POST" and answer.status_code < 400:
                        assert await contents() == before, question.path
                    raise Rollback
            where = (stranger.member.role.value, stranger.relation, question.path)
            assert not any(mark in text_of(answer) for mark in made.marks), where
            if answer.status_code < 400:
                seen.add(question.path)
    assert seen == SHARED


async def test_each_object_opens_to_somebody(client: httpx.AsyncClient, made: Things) -> None:
    """The other half: a page nobody can open, or a form nobody can send, would pass the others."""
    town = made.town
    people: list[Member] = [
        made.clerk,
        town.department,
        town.worker,
        town.chief,
        town.instructor,
        town.second_worker,
        town.cousin_worker,
        await member(Role.TRAINER, town.units["421222100"]),
    ]
    shut = object_routes()
    for someone in people:
        await enter(client, someone)
        headers = {"x-csrftoken": await token(client)}
        for method, path in list(shut):
            if not may_ask(ROUTES[f"{method} {path}"], someone):
                continue
            form = form_of(made, method, path)
            with suppress(Rollback):
                async with DB.transaction():
                    [answer, *_] = [
                        await client.request(method, there, headers=headers, data=form)
                        for there in addresses(made, path)
                    ]
                    raise Rollback
            if answer.status_code < 400 or (method == "POST" and answer.status_code == 409):
                shut.remove((method, path))
    assert shut == []
