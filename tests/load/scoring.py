"""``python -m tests.load.scoring``: scoring and ranking a million workers beside DuckDB.

P10 from rollups: the scoring statement over frozen inputs, written to ``appraisal.score``, a county
at a time as the product does it, on two connections; B4: DuckDB on a file of the same rows with the
same statement in its dialect, all counties at once, on as many threads. The results are compared
row by row before anything is said. P11c: freezing the ranks. P11: the rank page of a county with
all of them over HTTP, first page and the last, beside B5, a keyed SELECT over HTTP of the same
server program. P10 from raw stands in scoring_raw.py. One cluster with durable settings; rounds in
turn, medians with least and most. Knobs: ``BENCH_ROUNDS``, ``BENCH_COUNTIES``,
``BENCH_RAW_COUNTIES``. Adds its rows to tests/load/bench.json.
"""

import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import duckdb
import httpx
import msgspec

from appraisal.ranking import queries as ranking
from appraisal.ranking.service import PAGE
from appraisal.scorecard import scoring_queries
from appraisal.scorecard.rules import Scheme
from deploy.embedded import VALKEY, Embedded
from deploy.engine_postgres import SUPERUSER, Postgres
from deploy.migrate import OWNER, migrate
from shared.clock import now
from shared.database import DB
from shared.identity import sealing, sessions
from shared.identity.accounts import ensure_account
from shared.roster import phones
from tests import factories
from tests.load import report, scoring_raw
from tests.load.rig import database_cpu
from tests.load.scoring_raw import Took

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COUNTIES = int(os.environ.get("BENCH_COUNTIES", "400"))
PEOPLE = 2_500
"""Workers of a county."""
CHUNK = 25
"""Counties that one statement takes where the product would take one."""
LANES = 2
"""Connections, and threads of DuckDB."""
CYCLE = UUID(int=1)
RUN = UUID(int=2)
"""The same ids in every county: keys begin with the county."""
BIG = factories.COUNTY
"""The county that has everybody, for the rank page."""
SECRET = "bench" * 10
REQUESTS = 400

CYCLES = """
INSERT INTO appraisal.cycle (county_id, id, kind, year, title, starts_on, ends_on, state,
    opened_by, opened_at)
SELECT c, $2, 'half_year', 2026, '', '2026-01-01', '2026-06-30', 'score', $2, now()
FROM unnest($1::int[]) AS c
"""
RUNS = """
INSERT INTO appraisal.run (county_id, id, cycle_id, number, current, scheme, annual, period_days,
    people, made_by, made_name, made_at, note)
SELECT c, $3, $2, 1, true, $4, false, 181, $5, $2, '', now(), '' FROM unnest($1::int[]) AS c
"""
# Ordinary people: some lack something, some moved, some were praised or reprimanded. They lie in
# the order in which the product writes them.
INPUTS = """
INSERT INTO appraisal.input (county_id, run_id, person_id, name, grid_code, grid_type,
    employment_type, days, days_rural, days_community, days_other, grids, rostered, on_duty,
    on_leave, missing_months, failed_checks, data_total, data_good, satisfaction, half_width,
    ballots, awarded, deducted, hours, hours_required, test, commended_township,
    commended_county, veto, veto_reason, first_final)
SELECT c, $2, id, '张三', lpad(c::text, 6, '0') || lpad((n % 16)::text, 3, '0')
           || lpad((n % 190)::text, 3, '0') || lpad((n % 5)::text, 3, '0'),
       (ARRAY['rural', 'rural', 'community', 'other'])[1 + n % 4], 'village_paid', days,
       CASE WHEN n % 4 < 2 THEN days ELSE moved END, CASE WHEN n % 4 = 2 THEN days ELSE 0 END,
       CASE WHEN n % 4 = 3 THEN days ELSE 0 END, 1 + (n % 10 = 0)::int,
       CASE WHEN n % 50 <> 7 THEN 1200 END, CASE WHEN n % 50 <> 7 THEN 900 + (a * 300)::int END,
       CASE WHEN n % 50 <> 7 THEN (b * 100)::int END, 0, (n % 33 = 0)::int,
       CASE WHEN n % 9 <> 0 THEN 20 END, CASE WHEN n % 9 <> 0 THEN 20 - (b * 5)::int END,
       CASE WHEN n % 12 <> 0 THEN 600 + (a * 400)::int END, 60, 25, (b * 3600)::int,
       CASE WHEN n % 40 = 0 THEN 20 ELSE 0 END, (a * 1400)::int, 1200,
       CASE WHEN n % 3 <> 0 THEN (b * 10000)::int END, (n % 25 = 0)::int, (n % 90 = 0)::int,
       n % 1000 = 0, '', NULL
FROM unnest($1::int[]) AS c
CROSS JOIN LATERAL (SELECT n, gen_random_uuid() AS id, random() AS a, random() AS b,
    CASE WHEN n % 60 = 1 THEN 60 ELSE 181 END AS days, CASE WHEN n % 10 = 0 THEN 30 ELSE 0 END
        AS moved FROM generate_series(1, $3) AS n OFFSET 0) AS p
ORDER BY c, id
"""


class Bench:
    """The engines and what was measured."""

    def __init__(self, engines: Embedded) -> None:
        self.postgres: Any = next(e for e in engines.engines if isinstance(e, Postgres))
        self.url = self.postgres.url(OWNER)
        self.superuser = self.postgres.url(SUPERUSER)
        self.redis = engines.url(VALKEY)
        self.home = str(engines.home.path)
        self.folder = Path(tempfile.mkdtemp(prefix="gridmerit-scoring-"))
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.counties = [100_000 + number for number in range(COUNTIES)]

    def note(self, row: str, figure: float) -> None:
        self.figures[row].append(figure)
        print(f"  {row:<24} {figure:>12,.3f}", flush=True)

    def compared(self, row: str, baseline: str, ours: Took, theirs: Took, size: str = "") -> None:
        """Both sides' seconds and their ratio, on the wall and of CPU."""
        self.note(f"{baseline}{size}", theirs.wall)
        self.note(f"{baseline}{size} cpu s", theirs.cpu)
        self.note(f"{row}{size} s", ours.wall)
        self.note(f"{row}{size} cpu s", ours.cpu)
        self.note(f"{row}{size}", ours.wall / theirs.wall)
        self.note(f"{row}{size} cpu", ours.cpu / theirs.cpu)

    async def runs(self, owner: asyncpg.Connection, counties: list[int], people: int) -> None:
        """A cycle being scored and its run in each county."""
        scheme = msgspec.json.encode(Scheme()).decode()
        await owner.execute(CYCLES, counties, CYCLE)
        await owner.execute(RUNS, counties, CYCLE, RUN, scheme, people)

    async def lanes(self, counties: Sequence[int], work: Any, together: int = 1) -> Took:
        """What ``work(counties, [run])`` takes over the counties on LANES connections.

        A transaction takes ``together`` counties: one, as the product does.
        """
        cpu = database_cpu(self.postgres.data) + process_time()
        parts = [counties[at : at + together] for at in range(0, len(counties), together)]
        began = perf_counter()

        async def lane(own: Sequence[Sequence[int]]) -> None:
            for part in own:
                async with DB.transaction():
                    await scoring_queries.be_roomy()
                    await work(part, [RUN])

        await asyncio.gather(*(lane(parts[number::LANES]) for number in range(LANES)))
        wall = perf_counter() - began
        return Took(wall, database_cpu(self.postgres.data) + process_time() - cpu)


def in_duckdb(sql: str) -> str:
    """A scoring statement in DuckDB's dialect: whole-number division, one scheme for all."""
    text = re.sub(r"\s/\s", " // ", sql)
    for condition in re.findall(
        r"\w\.county_id = ANY\(\$1\) AND \w\.(?:run_id|id) = ANY\(\$2\)", text
    ):
        text = text.replace(condition, "TRUE")
    return text.replace("appraisal.", "")


def rule_in_duckdb(scheme: Scheme) -> str:
    """The numbers of the scheme as the statement's first part."""
    numbers = {k: v for k, v in msgspec.to_builtins(scheme).items() if k != "bands"}
    lines = {band.grade.value: band.low * 100 for band in scheme.bands}
    columns = [f"{value}::int8 AS {name}" for name, value in numbers.items()]
    columns += [f"{lines[name]} AS {name}_line" for name in ("basic", "good", "excellent")]
    return (
        "rule AS (SELECT row_number() OVER () AS number, county_id, id AS run_id,"
        " period_days::int8 AS period_days, annual, " + ", ".join(columns) + " FROM run)"
    )


class Duck:
    """DuckDB on a file of the same rows."""

    score = f"WITH {rule_in_duckdb(Scheme())}, " + in_duckdb(
        "\nmedian AS" + scoring_queries.SCORE.partition("\nmedian AS")[2]
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = duckdb.connect(str(folder / "b4.duckdb"))
        self.db.execute(f"SET threads = {LANES}")

    async def load(self, name: str, owner: asyncpg.Connection) -> None:
        """Copy a table of appraisal, types and all."""
        path = self.folder / f"{name}.csv"
        await owner.copy_from_table(
            name, schema_name="appraisal", output=path, format="csv", header=True
        )
        self.db.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_csv('{path}', header = true,"
            f" allow_quoted_nulls = false, columns = {await columns_of(owner, name)})"
        )
        path.unlink()

    def seconds(self) -> Took:
        """One pass over all counties, written and on disk."""
        began, cpu = perf_counter(), process_time()
        self.db.execute(f"CREATE OR REPLACE TABLE score AS {self.score}")
        self.db.execute("CHECKPOINT")
        return Took(perf_counter() - began, process_time() - cpu)


async def world(bench: Bench, owner: asyncpg.Connection) -> None:
    """Cycles, runs and inputs of all counties."""
    await owner.execute("SELECT setseed(0.5)")
    await bench.runs(owner, bench.counties, PEOPLE)
    for at in range(0, COUNTIES, CHUNK):
        await owner.execute(INPUTS, bench.counties[at : at + CHUNK], RUN, PEOPLE)
    await owner.execute("ANALYZE")


async def rollups(bench: Bench, owner: asyncpg.Connection) -> None:
    """P10 from rollups and P11c, in turn with B4."""
    duck = Duck(bench.folder)
    for name in ("input", "run"):
        await duck.load(name, owner)
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", flush=True)
        await owner.execute("TRUNCATE appraisal.score, appraisal.ranking")
        theirs = await asyncio.to_thread(duck.seconds)
        quarter = COUNTIES // 4
        first = await bench.lanes(bench.counties[:quarter], scoring_queries.score)
        rest = await bench.lanes(bench.counties[quarter:], scoring_queries.score)
        bench.compared("P10", "B4", Took(first.wall + rest.wall, first.cpu + rest.cpu), theirs)
        whole = (first.cpu + rest.cpu) / COUNTIES
        bench.note("P10 whole ÷ quarter, cpu", whole / (first.cpu / quarter))
        if not number:
            await compare(bench, duck, owner)
        await owner.execute("ANALYZE appraisal.score")
        froze = await bench.lanes(bench.counties, ranking.freeze)
        bench.note("P11c", froze.wall)
        bench.note("P11c cpu s", froze.cpu)
        await owner.execute("TRUNCATE appraisal.score")
        many = await bench.lanes(bench.counties, scoring_queries.score, CHUNK)
        bench.note(f"P10 {CHUNK} at once", many.wall / theirs.wall)
        bench.note(f"P10 {CHUNK} at once, cpu", many.cpu / theirs.cpu)
    duck.db.close()


async def compare(bench: Bench, duck: Duck, owner: asyncpg.Connection) -> None:
    """Both have the same scores and grades for everybody."""
    duck.db.execute("CREATE OR REPLACE TABLE ours AS SELECT * FROM score")
    duck.db.execute("ALTER TABLE ours RENAME TO theirs")
    await duck.load("score", owner)
    columns = ", ".join(name for name in await columns_of(owner, "score") if name != "calibrated")
    differing = duck.db.execute(
        f"SELECT count(*) FROM (SELECT {columns} FROM score EXCEPT SELECT {columns} FROM theirs)"
    ).fetchone()
    count = duck.db.execute("SELECT count(*) FROM theirs").fetchone()
    assert (differing, count) == ((0,), (len(bench.counties) * PEOPLE,)), (differing, count)
    duck.db.execute("DROP TABLE theirs")


async def columns_of(owner: asyncpg.Connection, name: str) -> dict[str, str]:
    """Column → DuckDB's type for it."""
    types = {"int4": "INTEGER", "text": "VARCHAR", "bool": "BOOLEAN", "uuid": "UUID",
             "jsonb": "VARCHAR", "timestamptz": "VARCHAR", "date": "DATE"}  # fmt: skip
    rows = await owner.fetch(
        "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        f" WHERE attrelid = 'appraisal.{name}'::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    )
    return {row["attname"]: types[row["typname"]] for row in rows}


async def big_county(bench: Bench, owner: asyncpg.Connection) -> UUID:
    """Everybody in one county as well, scored and ranked; the department's session token."""
    town = await factories.small_county(BIG)
    everybody = COUNTIES * PEOPLE
    await bench.runs(owner, [BIG], everybody)
    await owner.execute(INPUTS, [BIG], RUN, everybody)
    await owner.execute("ANALYZE appraisal.input")
    for work in (scoring_queries.score, ranking.freeze):
        async with DB.transaction():
            await scoring_queries.be_roomy()
            await work([BIG], [RUN])
    await owner.execute("ANALYZE")
    return town.department.person_id


def serve(bench: Bench, *command: str) -> tuple[subprocess.Popen[bytes], httpx.AsyncClient]:
    """A server process on a Unix socket given as its last argument, and who asks there."""
    address = bench.folder / f"{command[1]}.sock"
    environment = {
        **os.environ,
        "DATABASE_URL": bench.url,
        "REDIS_URL": bench.redis,
        "GRIDMERIT_SECRET_KEY": SECRET,
        "GRIDMERIT_SCHEDULER": "false",
        "GRIDMERIT_DATA_DIR": bench.home,
        "PICCOLO_CONF": "deploy.piccolo_conf",
    }
    log = address.with_suffix(".log").open("wb")
    process = subprocess.Popen(
        [sys.executable, *command, str(address)], env=environment, stdout=log, stderr=log
    )
    return process, httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(address)), base_url="http://bench", timeout=30
    )


async def p99(http: httpx.AsyncClient, path: str, expected: str) -> float:
    """Milliseconds of the slowest but one in a hundred, one request after another."""
    times = []
    for _ in range(REQUESTS):
        began = perf_counter()
        answer = await http.get(path)
        times.append((perf_counter() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        assert expected in answer.text
    return statistics.quantiles(times, n=100)[98]


async def wait_for(http: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await http.get("/health")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise RuntimeError("a server does not answer")


async def pages(bench: Bench, owner: asyncpg.Connection) -> None:
    """P11: first page and page 20,000 beside B5."""
    person_id = await big_county(bench, owner)
    account_id = await ensure_account(BIG, person_id)
    session = await sessions.begin(BIG, account_id, person_id, "desk", now())
    app, asking = serve(bench, "-m", "deploy", "serve", "--host")
    keyed, asking_keyed = serve(bench, "-m", "tests.load.keyed")
    last = COUNTIES * PEOPLE // PAGE
    base = f"/appraisal/desk/cycles/{CYCLE}/ranking?page="
    try:
        async with asking as http, asking_keyed as b5:
            await wait_for(http)
            await wait_for(b5)
            http.cookies = {"gm": session.token}
            for _ in range(ROUNDS):
                bench.note("B5 p99 ms", await p99(b5, f"/person/{person_id}", "周部长"))
                first = await p99(http, f"{base}1", "名次")
                deep = await p99(http, f"{base}{last}", "名次")
                bench.note("P11 page 1 p99 ms", first)
                bench.note("P11 last page p99 ms", deep)
                bench.note("P11", first / bench.figures["B5 p99 ms"][-1])
                bench.note("P11_deep", deep / first)
    finally:
        for process in (app, keyed):
            process.terminate()
            process.wait(30)


async def run(bench: Bench) -> None:
    """Everything, in order."""
    DB.configure(bench.url)
    await migrate()
    await DB.start_connection_pool(min_size=LANES, max_size=LANES + 2)
    phones.configure(SECRET)
    sealing.configure(SECRET)
    owner = await asyncpg.connect(bench.url)
    print(f"building {COUNTIES} counties of {PEOPLE} …", flush=True)
    await world(bench, owner)
    await rollups(bench, owner)
    await pages(bench, owner)
    await scoring_raw.measure(bench, owner, Duck.score, ROUNDS)
    await owner.close()
    await DB.close_connection_pool()


def main() -> None:
    """Start the engines, measure, clean up."""
    folder = Path(tempfile.mkdtemp(prefix="gridmerit-scoring-data-"))
    with Embedded(folder) as engines:
        bench = Bench(engines)
        try:
            asyncio.run(run(bench))
        finally:
            shutil.rmtree(bench.folder, ignore_errors=True)
        home = engines.home.path
    result = report.summary(bench.figures)
    report.show(result)
    report.add(
        result,
        scoring={
            "counties": COUNTIES,
            "workers": COUNTIES * PEOPLE,
            "workers from raw": [size * PEOPLE for size in scoring_raw.SIZES],
            "rounds": ROUNDS,
            "load": [round(load, 2) for load in os.getloadavg()],
        },
    )
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
