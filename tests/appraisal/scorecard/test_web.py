"""Scoring, cards and rules on pages."""

import re
from datetime import date

import httpx
import pytest

from appraisal.cycle.rules import Stage
from appraisal.documents.service import MIME
from appraisal.notice import service as notice
from appraisal.scorecard import web, web_desk
from appraisal.scorecard.rules import Scheme
from appraisal.scorecard.web_desk import fields_of
from shared.clock import now
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to
from tests.appraisal.cycle.test_web import post
from tests.appraisal.scorecard.scene import AFTER, scored_cycle
from tests.factories import acting, member
from tests.shared.identity.test_matrix import act_as


async def test_the_department_follows_a_score_to_its_rows(client: httpx.AsyncClient) -> None:
    """Scoring page → card → months → the worker's records; calibration shows both scores."""
    scene = await scored_cycle(Stage.REVIEW)
    await act_as(client, scene.town.department)
    here = f"/appraisal/desk/cycles/{scene.cycle_id}/scorecards"
    board = await client.get(here)
    assert (board.status_code, "人，第 1 次评分" in board.text) == (200, True)
    path = f"{here}/{scene.town.worker.person_id}"
    assert (await client.get(f"{path}?run={2**63}")).status_code == 422
    card = await client.get(path)
    assert "欧阳金山的考核表" in card.text
    assert re.search(r"得分</dt><dd[^>]*>[\d.]+ 分<", card.text)
    assert f'href="{path}/merit"' in card.text
    merit = await client.get(f"{path}/merit")
    assert re.search(r"评分时取到积分 [\d.]+ 分、扣分 [\d.]+ 分；", merit.text)
    assert "评分之后有变动" in merit.text
    refused = await post(client, path, score="八十", reason="")
    assert (refused.status_code, "请填数字" in refused.text) == (422, True)
    for odd in ("NaN", "-Infinity"):
        assert (await post(client, path, score=odd, reason="核实")).status_code == 422
    done = await post(client, path, score="88.5", reason="核实考勤")
    assert done.status_code == 303
    text = (await client.get(path)).text
    assert "88.50" in text
    assert "核实考勤" in text
    changed = await client.get(f"{here}/changes/1")
    assert "两次评分完全一样" in changed.text


async def test_each_number_leads_to_its_days_and_its_grid(client: httpx.AsyncClient) -> None:
    """The cycle's days, and the grid's row in its village's survey; without one, the survey."""
    scene = await scored_cycle(Stage.REVIEW, second_worker={"satisfaction": None, "ballots": 0})
    await act_as(client, scene.town.department)
    here = f"/appraisal/desk/cycles/{scene.cycle_id}"
    worker, second = scene.town.worker, scene.town.second_worker
    card = (await client.get(f"{here}/scorecards/{worker.person_id}")).text
    duty = f"/appraisal/desk/duty/people/{worker.person_id}?since=2026-01-01&amp;until=2026-06-30"
    assert card.count(f'href="{duty}"') == 5
    assert f'href="{here}/survey/results?code=421222100001#unit-421222100001001"' in card
    days = await client.get(duty.replace("&amp;", "&"))
    assert (days.status_code, "只列 2026年1月1日 至 2026年6月30日" in days.text) == (200, True)
    card = (await client.get(f"{here}/scorecards/{second.person_id}")).text
    assert f'href="{here}/survey"' in card


async def test_a_worker_understands_every_number(client: httpx.AsyncClient) -> None:
    """The phone page says what each number came from; those above read it too."""
    scene = await scored_cycle(Stage.NOTICE)
    await act_as(client, scene.town.worker)
    mine = await client.get("/appraisal/me")
    assert "请签收" in mine.text
    own = f"/appraisal/me/{scene.cycle_id}"
    page = (await client.get(own)).text
    assert ("同类网格的中位数" in page, f'href="{own}/sheet.docx"' in page) == (True, True)
    assert "没有数据，不算零分" in page
    sheet = await client.get(f"{own}/sheet.docx")
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, MIME)
    assert f'href="{own}/sheet.docx"' in (await client.get(f"{own}/objection")).text
    await notice.receive(await acting(scene.town.worker), scene.cycle_id, now())
    assert "您已签收" in (await client.get(own)).text
    await act_as(client, scene.town.chief)
    team = await client.get(f"/appraisal/team/{scene.cycle_id}")
    assert "不排名" in team.text
    member = await client.get(f"/appraisal/team/{scene.cycle_id}/{scene.town.worker.person_id}")
    assert (member.status_code, "您已签收" in member.text) == (200, False)


async def test_a_large_team_is_read_in_parts(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A township's list was one page, and ended at five hundred."""
    monkeypatch.setattr(web, "LINES", 1)
    scene = await scored_cycle(Stage.NOTICE, second_worker={"satisfaction": 700})
    await act_as(client, scene.town.instructor)
    path = f"/appraisal/team/{scene.cycle_id}"
    first = (await client.get(path)).text
    assert "共 2 人" in first
    assert ("第 1 名　欧阳金山" in first, "苏建国" in first) == (True, False)
    assert f'hx-get="{path}?page=2"' in first
    more = (await client.get(f"{path}?page=2", headers={"hx-request": "true"})).text
    assert ("<html" in more, "第 2 名　苏建国" in more, "加载更多" in more) == (False, True, False)


async def test_what_is_not_scored_has_no_unit(client: httpx.AsyncClient) -> None:
    """Nothing known of a worker: a dash on the phones and at the desk, not “— 分”."""
    nothing = {
        "rostered": None, "on_duty": None, "on_leave": None, "data_total": None, "data_good": None,
        "satisfaction": None, "half_width": None, "ballots": 0, "awarded": 0, "hours": None,
        "hours_required": None, "test": None,
    }  # fmt: skip
    scene = await scored_cycle(
        Stage.NOTICE, worker=nothing, second_worker=nothing, cousin_worker=nothing
    )
    person_id = scene.town.worker.person_id
    for someone, path in (
        (scene.town.worker, "/appraisal/me"),
        (scene.town.worker, f"/appraisal/me/{scene.cycle_id}"),
        (scene.town.chief, f"/appraisal/team/{scene.cycle_id}"),
        (
            scene.town.department,
            f"/appraisal/desk/cycles/{scene.cycle_id}/scorecards/{person_id}",
        ),
    ):
        await act_as(client, someone)
        text = re.sub(r"<[^>]*>", " ", (await client.get(path)).text)
        assert ("不定等次" in text, re.findall(r"—\s*分", text)) == (True, []), path


async def test_rules_are_changed_on_a_page(client: httpx.AsyncClient) -> None:
    """What does not add up is said; what does holds from its day."""
    scene = await scored_cycle(Stage.SCORE)
    await act_as(client, scene.town.department)
    values = {name: str(value) for name, value in fields_of(Scheme()).items()}
    given = values | {"effective_on": "2026-01-01", "reason": "县方案", "merit": "15"}
    refused = await post(client, "/appraisal/desk/scheme", **given)
    assert (refused.status_code, "合计是 105" in refused.text) == (422, True)
    gap = given | {"merit": "10", "good_low": "75"}
    assert "缺了 70 到 75 分" in (await post(client, "/appraisal/desk/scheme", **gap)).text
    odd = await post(client, "/appraisal/desk/scheme", **(given | {"merit": "--10"}))
    assert (odd.status_code, "请填整数" in odd.text) == (422, True)
    done = await post(client, "/appraisal/desk/scheme", **(given | {"training": "0"}))
    assert done.status_code == 303
    assert "县方案" in (await client.get("/appraisal/desk/scheme")).text


async def test_who_would_be_left_out_is_named_while_it_can_be_mended(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone before the last day, or put right in the roster since; not who was never there."""
    scene = await scored_cycle(Stage.REVIEW)
    grid = scene.town.units["421222101002001"]
    spans = {
        "甘早走": (date(2026, 2, 1), date(2026, 6, 30)),
        "甘补录": (date(2026, 2, 1), None),
        "甘去年": (date(2025, 2, 1), date(2026, 1, 1)),
        "甘后来": (date(2026, 7, 1), None),
    }
    for name, (since, past) in spans.items():
        await member(Role.GRIDWORKER, grid, name, valid_from=since, valid_to=past)
    await act_as(client, scene.town.department)
    here = f"/appraisal/desk/cycles/{scene.cycle_id}/scorecards"
    page = (await client.get(here)).text
    for name in spans:
        assert (name in page) == (name in {"甘早走", "甘补录"}), name
    assert ("2026年6月29日" in page, "名册上那天在岗，请重新评分" in page) == (True, True)
    assert ("退回重新评分" in page, "欧阳金山" in page) == (True, False)
    monkeypatch.setattr(web_desk, "UNAPPRAISED", 1)
    pages = [(await client.get(f"{here}?page={number}")).text for number in (1, 2)]
    assert [[name for name in spans if name in page] for page in pages] == [["甘补录"], ["甘早走"]]
    assert "共 2 条，第 2 / 2 页" in pages[1]
    await bring_to(scene.department, scene.cycle_id, Stage.NOTICE, AFTER)
    assert "甘早走" not in (await client.get(here)).text


async def test_the_card_says_what_long_leave_took_out(client: httpx.AsyncClient) -> None:
    """Under the shipped rules, in the words of both components; the whole period is no zero."""
    scene = await scored_cycle(
        Stage.REVIEW,
        worker={"awarded": 500, "on_duty": 400, "on_leave": 800, "hours": 400},
        second_worker={"on_duty": 0, "on_leave": 1200, "hours": 0, "test": None},
    )
    await act_as(client, scene.town.department)
    here = f"/appraisal/desk/cycles/{scene.cycle_id}/scorecards"
    card = (await client.get(f"{here}/{scene.town.worker.person_id}")).text
    assert "应在岗 120 天中批准的长假 80 天不计，折合全期 150 分" in card
    assert "学时 4，要求 12（应在岗 120 天中批准的长假 80 天，按比例折减）" in card
    card = (await client.get(f"{here}/{scene.town.second_worker.person_id}")).text
    assert "考核期内都在请假，没有可比的天数" in card
    assert "考核期内都在请假，不要求学时" in card
