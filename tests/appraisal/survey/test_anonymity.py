"""An attacker with the whole database, its logs and a photographed slip, who wants the answer.

Every ballot says who cast it: the answers spell the voter's number. The attacker knows the slips in
the order in which they were used, and looks for that order among the answers.
"""

import logging
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import httpx
import pytest
from litestar import Litestar
from prometheus_client import generate_latest

from appraisal.survey import ballots, field
from appraisal.survey.rules import FEWEST, Answers, slip_id
from deploy.single import OneProcess
from shared.database import DB
from shared.settings import Settings
from shared.web.observed import Observed
from tests.appraisal.survey.world import (
    AT,
    GRID,
    SECOND,
    VILLAGE,
    World,
    closed,
    drawn,
    interviewing,
    printed,
)
from tests.conftest import as_owner
from tests.factories import COUNTY

FACES = (100, 80, 60, 20)
WAITING = ("ballot_inbox", "ballot_burnt", "ballot_paper")
ROUNDS = 4


def signed(voter: int) -> tuple[int, ...]:
    """Answers that spell a number below 4⁶."""
    return tuple(FACES[voter // 4**place % 4] for place in range(6))


def voter_of(values: list[int]) -> int:
    return sum(FACES.index(value) * 4**place for place, value in enumerate(values))


async def vote(token: str, voter: int) -> None:
    answers = Answers(aware=True, values=signed(voter), comment=f"第{voter}位")
    await ballots.submit_ballot(COUNTY, token, answers)


async def rows(table: str) -> list[dict[str, Any]]:
    """A table as it lies on disk: columns, each row's place and the transaction in its head."""
    async with as_owner():
        found = await DB.fetch(
            f"SELECT xmin::text::bigint AS xmin, ctid::text AS place, * FROM appraisal.{table}"
            " WHERE county_id = $1 ORDER BY ctid",
            COUNTY,
        )
    return [dict(row) for row in found]


async def whole_database() -> str:
    """Every row of every table as text."""
    names = await DB.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname IN ('shared', 'points', 'appraisal')"
    )
    parts = []
    async with as_owner():
        for (name,) in names:
            parts += [row[0] for row in await DB.fetch(f"SELECT t::text FROM {name} t")]
    return "\n".join(parts)


async def polled(made: World, order: list[tuple[str, int]]) -> None:
    """Votes in the given order, the interviewer noting the visit before each, counts between."""
    cousin = await interviewing(made)
    _, listed, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    queue = {code: list(found) for code, found in listed.items()}
    for number, (token, voter) in enumerate(order, 1):
        grid = GRID if voter < 100 else SECOND
        note = {queue[grid].pop(0).id: "handed"}
        await field.note_visits(cousin, made.survey.id, VILLAGE, note, AT)
        await vote(token, voter)
        if number % 10 == 0:
            await ballots.count(COUNTY)


async def test_nothing_in_the_database_says_which_slip_said_what(committed: None) -> None:
    """Each count is one transaction of five or more of a grid in random order: no rank is right."""
    made = await drawn()
    tokens = await printed(made)
    order = [
        pair
        for number in range(ROUNDS * 5)
        for pair in ((tokens[GRID][number], number), (tokens[SECOND][number], 100 + number))
    ]
    await polled(made, order)
    slips = {slip_id(token): voter for token, voter in order}
    box, spent = await rows("ballot_box"), await rows("ballot_spent")
    assert (len(box), len(spent)) == (len(order), len(order))
    counts: dict[tuple[int, str], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in box:
        counts[row["xmin"], row["grid_code"]]["answers"].append(voter_of(row["answers"]))
    for row in spent:
        counts[row["xmin"], row["grid_code"]]["slips"].append(slips[row["id"]])
    assert len(counts) == ROUNDS * 2
    guesses = []
    for parts in counts.values():
        assert set(parts["answers"]) == set(parts["slips"])
        assert len(parts["answers"]) >= FEWEST
        guesses.append(parts["answers"] == parts["slips"])
        guesses.append(parts["answers"] == sorted(parts["answers"]))
    # Each is right by chance once in 120 times; all eight of a kind, once in 4 · 10¹⁶.
    assert sum(guesses[::2]) < ROUNDS * 2
    assert sum(guesses[1::2]) < ROUNDS * 2
    for table in (box, spent):
        by_count = [row["id"] for row in table]
        for xmin in {row["xmin"] for row in table}:
            own = [row["id"] for row in table if row["xmin"] == xmin]
            grids = [row["grid_code"] for row in table if row["xmin"] == xmin]
            assert own == sorted(own), grids
        assert len(set(by_count)) == len(by_count)
    assert {id_.version for id_ in (row["id"] for row in box)} == {4}


async def test_what_waits_is_never_written_where_it_would_stay(committed: None) -> None:
    """Unlogged, so no log, backup or replica has it; each count begins new files."""
    kinds = {
        row["relname"]: row["relpersistence"]
        for row in await DB.fetch(
            "SELECT relname, relpersistence::text FROM pg_class"
            " WHERE relnamespace = 'appraisal'::regnamespace AND relname LIKE 'ballot%'"
            " AND relkind = 'r'"
        )
    }
    assert {name for name, kind in kinds.items() if kind == "u"} == set(WAITING)
    made = await drawn()
    tokens = await printed(made)
    size = "SELECT pg_relation_size(('appraisal.' || $1)::regclass)"
    before = {table: await file_of(table) for table in WAITING}
    for number in range(5):
        await vote(tokens[GRID][number], number)
    await ballots.key_paper(
        made.department, made.survey.id, tokens[SECOND][9], Answers(aware=True, values=signed(9))
    )
    await ballots.key_paper(
        made.instructor, made.survey.id, tokens[SECOND][9], Answers(aware=True, values=signed(9))
    )
    for number in range(3):
        await vote(tokens[SECOND][number], 100 + number)
    await ballots.count(COUNTY)
    assert await DB.fetchval(size, "ballot_paper") == 0
    assert all([await file_of(table) != before[table] for table in WAITING])
    for table in ("ballot_inbox", "ballot_burnt"):
        left = await rows(table)
        assert len(left) == 4
        assert {row["grid_code"] for row in left} == {SECOND}
        assert len({row["xmin"] for row in left}) == 1
        assert [row["place"] for row in left] == [f"(0,{number})" for number in range(1, 5)]
    await vote(tokens[SECOND][4], 104)
    await ballots.count(COUNTY)
    assert [await DB.fetchval(size, table) for table in WAITING] == [0, 0, 0]


async def file_of(table: str) -> int:
    """The file a table lies in: TRUNCATE begins a new one, and its dead rows are gone."""
    sql = "SELECT pg_relation_filenode(('appraisal.' || $1)::regclass)"
    found: int = await DB.fetchval(sql, table)
    return found


async def test_the_last_count_parts_everything(committed: None) -> None:
    """One transaction, random order, no used slip; words apart; no time or person beside one."""
    made = await drawn()
    tokens = await printed(made)
    order = [(token, number) for number, token in enumerate(tokens[GRID][:13])]
    order += [(token, 100 + number) for number, token in enumerate(tokens[SECOND][:8])]
    await polled(made, order)
    await closed(made)
    final, words = await rows("ballot"), await rows("ballot_comment")
    assert Counter(row["unit_code"] for row in final) == {GRID: 13, SECOND: 8}
    for table in (final, words):
        assert len({row["xmin"] for row in table}) == 1
        for code in (GRID, SECOND):
            ids = [row["id"] for row in table if row["unit_code"] == code]
            assert ids == sorted(ids)
    ranked = [voter_of(row["answers"]) for row in final if row["unit_code"] == GRID]
    told = [int(row["text"][1:-1]) for row in words if row["unit_code"] == GRID]
    assert sorted(ranked) == sorted(told) == list(range(13))
    assert ranked != told
    assert any(one > other for one, other in pairwise(ranked))
    assert not {row["id"] for row in final} & {row["id"] for row in words}
    assert set(final[0]) - {"xmin", "place"} == {
        "county_id",
        "id",
        "survey_id",
        "unit_code",
        "aware",
        "answers",
    }
    for table_name in ("ballot_spent", "ballot_box", *WAITING):
        assert await rows(table_name) == []
    everything = await whole_database()
    assert not any(token.partition(".")[2] in everything for token, _ in order)
    answers = "\n".join(str(row) for row in (*final, *words))
    assert not any(str(slip_id(token)) in answers for token, _ in order)


async def test_a_ballot_leaves_no_trace_on_its_way(
    client: httpx.AsyncClient,
    application: Litestar,
    appraisal_application: Litestar,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log line, metric, audit event, cookie, session or key in the cache, used slip or not."""
    made = await drawn()
    tokens = (await printed(made))[GRID]
    await client.get("/sign-in")
    app = Observed(OneProcess(application, appraisal_application), settings)
    audit = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1"
    valkey = application.state.valkey
    before = (await DB.fetchval(audit, COUNTY), sorted(await valkey.keys("*")), metrics())
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    transport = httpx.ASGITransport(app)
    headers = {"x-forwarded-for": "203.0.113.9", "user-agent": "MicroMessenger", "cookie": "gm=x.y"}
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        form = {"aware": "1", **{f"v{number}": "80" for number in range(1, 7)}}
        for token in (tokens[0], tokens[0], "421222." + "A" * 22):
            for answer in (
                await http.get(f"/s/{token}", headers=headers),
                await http.post(f"/s/{token}", headers=headers, data=form),
            ):
                assert "set-cookie" not in answer.headers
                assert "x-request-id" not in answer.headers
    after = (await DB.fetchval(audit, COUNTY), sorted(await valkey.keys("*")), metrics())
    assert after == before
    lines = [record for record in caplog.records if record.name not in {"asyncio", "httpx"}]
    assert [record.getMessage() for record in lines] == []
    assert "203.0.113.9" not in await whole_database()


def metrics() -> list[str]:
    """What we count ourselves."""
    return [line for line in generate_latest().decode().splitlines() if "gridmerit_" in line]
