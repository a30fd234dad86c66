"""Ranks: ties, everybody once at each level, pages, the way down, the file (I16)."""

import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from operator import itemgetter
from random import Random
from typing import Any
from uuid import UUID

import httpx
import msgspec
import openpyxl
import pytest

from appraisal.cycle.rules import Stage
from appraisal.ranking import freezing, service
from appraisal.ranking.schemas import Wanted
from appraisal.scorecard import queries, scoring_queries
from shared.clock import now
from shared.database import DB
from shared.errors import NotFound
from shared.identity.actor import Actor
from shared.identity.errors import ConfirmFirst
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.scene import AFTER, scored_cycle
from tests.appraisal.scorecard.worlds import random_worker, stored_run
from tests.factories import COUNTY, acting, small_county
from tests.shared.identity.test_matrix import act_as

RANKS = "SELECT * FROM appraisal.ranking WHERE county_id = $1 AND run_id = $2"
LEVELS = {
    "county": "county_id",
    "type": "grid_type",
    "township": "township_code",
    "village": "village_code",
}
"""Level → the column that says within what."""


@pytest.fixture
async def department(rollback: None) -> Actor:
    """The department of the small county, its password just given."""
    actor = await acting((await small_county()).department, desk=True)
    return msgspec.structs.replace(actor, confirmed_at=now())


async def ranked_cycle(department: Actor, people: int, seed: int = 1) -> tuple[UUID, UUID]:
    """A cycle whose current run scores so many random workers; cycle and run."""
    random = Random(seed)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    run_id = await stored_run(cycle_id, [random_worker(random, even=True) for _ in range(people)])
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, people)
    return cycle_id, run_id


async def test_equal_scores_share_a_rank_and_everybody_has_one_place(department: Actor) -> None:
    """1, 1, 3 at every level, counted by hand; no grade or a veto: last and without a rank.

    Within a rank satisfaction, then results say who is named first.
    """
    _, run_id = await ranked_cycle(department, 150)
    scores = {
        row["person_id"]: row
        for row in await DB.fetch(
            "SELECT s.person_id, s.final, s.grade <> 'undetermined' AND s.note <> 'veto' AS ranked,"
            " COALESCE(i.satisfaction, -1) AS liked,"
            " COALESCE(s.orders, 0) + COALESCE(s.data, 0) + COALESCE(s.settled, 0) AS results"
            " FROM appraisal.score s JOIN appraisal.input i"
            " ON i.county_id = $1 AND i.run_id = $2 AND i.person_id = s.person_id"
            " WHERE s.county_id = $1 AND s.run_id = $2",
            COUNTY,
            run_id,
        )
    }
    rows = await DB.fetch(RANKS, COUNTY, run_id)
    assert {row["person_id"] for row in rows} == scores.keys()
    ties = 0
    for level, column in LEVELS.items():
        groups: dict[object, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault(row[column], []).append(dict(row))
        place = f"{level}_place"
        for group in groups.values():
            finals = [
                scores[row["person_id"]]["final"]
                for row in group
                if scores[row["person_id"]]["ranked"]
            ]
            assert sorted(row[place] for row in group) == list(range(1, len(group) + 1))
            for row in group:
                own = scores[row["person_id"]]
                better = sum(final > own["final"] for final in finals)
                expected = better + 1 if own["ranked"] else None
                assert row[f"{level}_rank"] == expected
            ties += sum(count - 1 for count in Counter(finals).values())
            named = [scores[row["person_id"]] for row in sorted(group, key=itemgetter(place))]
            order = [
                (one["final"] + 1 if one["ranked"] else 0, one["liked"], one["results"])
                for one in named
            ]
            assert order == sorted(order, reverse=True)
    assert ties > 0


async def test_pages_hold_everybody_once_in_order(department: Actor) -> None:
    """By page numbers where every place is listed, by the last row where conditions leave some."""
    cycle_id, _ = await ranked_cycle(department, 130)
    seen: list[UUID] = []
    for start in (0, 50, 100):
        found = await service.listing(department, cycle_id, Wanted(after=start))
        assert found.total == 130
        seen += [row.person_id for row in found.rows]
    assert len(set(seen)) == 130
    for wanted in (
        Wanted(grade="good"),
        Wanted(grid_type="rural"),
        Wanted(unit="421222100"),
        Wanted(unit="421222100", grid_type="rural"),
        Wanted(unit="421222100001", grade="good"),
        Wanted(unit="421222100001001"),
        Wanted(text="不在"),
    ):
        found = await service.listing(department, cycle_id, wanted)
        places = [row.place for row in found.rows]
        assert places == sorted(places)
        for row in found.rows:
            assert row.grid_code.startswith(wanted.unit)
            assert wanted.grid_type in {"", row.grid_type}
            assert wanted.grade in {"", row.grade}
        everybody = await service.listing(
            department, cycle_id, msgspec.structs.replace(wanted, after=1000)
        )
        assert everybody.rows == []
        if wanted.dense:
            whole = await service.whole(department, cycle_id, wanted, "部务会", now())
            assert found.total == len(whole.rows) > 0


async def test_counts_match_the_units_figures(department: Actor) -> None:
    """County → township → village → grid: each level adds up to the one above."""
    cycle_id, _ = await ranked_cycle(department, 90)
    county = await service.units(department, cycle_id, "")
    assert sum(line.people for line in county.lines) == 90
    for township in county.lines:
        villages = await service.units(department, cycle_id, township.code)
        assert villages.whole == township, "its mean is that of its workers, not of its lines"
        assert sum(line.people for line in villages.lines) == township.people
        for village in villages.lines:
            grids = await service.units(department, cycle_id, village.code)
            assert sum(line.people for line in grids.lines) == village.people
        grades = sum(
            getattr(township, grade)
            for grade in ("excellent", "good", "basic", "fail", "undetermined")
        )
        assert grades == township.people
    with pytest.raises(NotFound):
        await service.units(department, cycle_id, "421222100001001")
    with pytest.raises(NotFound):
        await service.units(department, cycle_id, "421222999")


async def test_the_way_down_on_pages(client: httpx.AsyncClient) -> None:
    """From the county to a worker's card by links; columns are chosen; sample beside the score."""
    scene = await scored_cycle(Stage.REVIEW, second_worker={"satisfaction": None, "ballots": 12})
    await act_as(client, scene.town.department)
    base = f"/appraisal/desk/cycles/{scene.cycle_id}/ranking"
    path = f"{base}/units"
    text = (await client.get(path)).text
    lines = [int(count) for count in re.findall(r'</a></td><td class="num">(\d+)<', text)]
    assert f'合计</th><td class="num">{sum(lines)}<' in text
    for code in ("421222100", "421222100001", "421222100001001"):
        text = (await client.get(path)).text
        assert re.search(r"平均得分（满分 100）和人数.*?\d\d\.\d\d（\d 人）", text, re.DOTALL), path
        links = re.findall(rf'href="({re.escape(base)}[^"]*unit={code})"', text)
        assert links, (path, code)
        path = links[0]
    workers = await client.get(path)
    assert "欧阳金山" in workers.text
    assert "苏建国" not in workers.text
    whole = await client.get(f"{base}?cols=employment_type&cols=training")
    assert "村付补贴" in whole.text
    assert "样本不足" in whole.text
    assert "25 票，±5.0" in whole.text
    card = re.search(r'href="(/appraisal/desk/cycles/[^"]*/scorecards/[^"]*)"', workers.text)
    assert card is not None
    assert (await client.get(card[1])).status_code == 200
    await act_as(client, scene.town.chief, desk=True)
    assert (await client.get(base)).status_code == 404


async def test_an_address_with_digits_too_many_shows_no_more_than_one_s_own(
    rollback: None,
) -> None:
    """A township's code and a digit is no unit: the county's list does not stand behind it.

    Nor is it read by that list's own code, nor another township's.
    """
    scene = await scored_cycle(Stage.NOTICE)
    instructor = msgspec.structs.replace(await acting(scene.town.instructor), confirmed_at=now())
    own = await service.listing(instructor, scene.cycle_id, Wanted(unit="421222100"))
    assert {row.grid_code[:9] for row in own.rows} == {"421222100"}
    for code in ("4212221000", "42122210000", "", "421222", "421222101"):
        wanted = Wanted(unit=code)
        with pytest.raises(NotFound):
            await service.listing(instructor, scene.cycle_id, wanted)
        with pytest.raises(NotFound):
            await service.units(instructor, scene.cycle_id, code)
        with pytest.raises(NotFound):
            await service.export(instructor, scene.cycle_id, wanted, "部务会", now())


async def test_the_file_sums_up_each_township(department: Actor) -> None:
    """People, mean, best, worst and survey of its rows, in fractions; a township by villages."""
    cycle_id, _ = await ranked_cycle(department, 60)
    for wanted, length in ((Wanted(), 9), (Wanted(unit="421222100", grade="good"), 12)):
        _, content = await service.export(department, cycle_id, wanted, "部务会", now())
        found = await service.whole(department, cycle_id, wanted, "部务会", now())
        sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[1]
        lines = [row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], int)]
        codes = sorted({row.grid_code[:length] for row in found.rows})
        assert len(lines) == len(codes) > 0
        for code, line in zip(codes, lines, strict=True):
            own = [row for row in found.rows if row.grid_code.startswith(code)]
            finals = [row.final for row in own if row.grade != "undetermined" and row.final]
            liked = [row.liked for row in own if row.liked is not None]
            assert line[2] == len(own)
            assert line[3] == half_up(finals, 100)
            assert line[4:6] == (max(finals) / 100, min(finals) / 100)
            assert sum(line[6:11]) == len(own)
            assert line[11:13] == (len(liked), half_up(liked, 10))
            assert line[13] == sum(row.ballots for row in own)


def half_up(values: list[int], scale: int) -> float | None:
    """The mean, said again in decimals."""
    if not values:
        return None
    mean = Decimal(sum(values)) / len(values)
    return float(mean.quantize(Decimal(1), ROUND_HALF_UP) / scale)


async def test_the_file_asks_why_and_is_logged(department: Actor) -> None:
    """A fresh password and a purpose; the workbook has every worker with rank and scores."""
    cycle_id, _ = await ranked_cycle(department, 60)
    stale = msgspec.structs.replace(department, confirmed_at=None)
    with pytest.raises(ConfirmFirst):
        await service.export(stale, cycle_id, Wanted(), "部务会", now())
    name, content = await service.export(department, cycle_id, Wanted(), "部务会", now())
    assert name.startswith("通城县网格员考核排名")
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    rows = [row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], int)]
    assert len(rows) == 60
    header = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "序号")
    found = await service.listing(department, cycle_id, Wanted())
    first = dict(zip(header, rows[0], strict=True))
    assert first["名次"] == found.rows[0].rank
    assert first["最终得分"] == pytest.approx((found.rows[0].final or 0) / 100)
    logged = await DB.fetchrow(
        "SELECT name, row_count FROM shared.export_log WHERE county_id = $1", COUNTY
    )
    assert logged is not None
    assert (logged["row_count"], "考核排名" in logged["name"]) == (60, True)
    township = found.rows[0].grid_code[:9]
    await service.export(department, cycle_id, Wanted(unit=township), "乡镇", now())
    units = await DB.fetch(
        "SELECT unit_code FROM shared.audit_event WHERE county_id = $1 AND action = 'export'"
        " ORDER BY at",
        COUNTY,
    )
    assert [row[0] for row in units] == [f"{COUNTY}", township]
