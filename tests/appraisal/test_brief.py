"""The sheet of a cycle: figures that its reader finds on other pages too, and nobody else's."""

from datetime import date
from typing import Any

import httpx

from appraisal.cycle.rules import Stage
from points.settlement.publication import queries as publication
from points.settlement.publication.schemas import Figures
from shared.ids import new_id
from tests.appraisal.scorecard.scene import scored_cycle
from tests.appraisal.survey.world import GRID, closed, drawn, printed, vote
from tests.factories import COUNTY
from tests.points.redemption import scene
from tests.shared.identity.test_matrix import act_as

NOTHING: dict[str, Any] = {
    "budget_fen": 0,
    "left_fen": 0,
    "reversed": 0,
    "expired": 0,
    "undone": 0,
    "outstanding": 0,
    "awaiting": 0,
    "workers": 0,
    "payable_fen": 0,
}


async def sheet(fund: str, month: str, issued: int, redeemed: int) -> None:
    """A fund's public sheet of a month."""
    figures = Figures(issued=issued, redeemed=redeemed, **NOTHING)
    row = (await scene.fund(fund), month, date(2026, 7, 1), fund, "积分资金")
    assert await publication.insert(COUNTY, new_id(), row, figures)


async def test_a_cycle_on_one_sheet(client: httpx.AsyncClient) -> None:
    """Workers, grades by township, points of the period; what is not out yet says so."""
    made = await scored_cycle(Stage.REVIEW, second_worker={"satisfaction": None, "ballots": 12})
    for fund, month, issued, redeemed in (
        ("421222100001", "2026-06", 1000, 250),
        ("421222100002", "2026-06", 500, 0),
        ("421222101001", "2026-07", 7777, 7777),
    ):
        await sheet(fund, month, issued, redeemed)
    await act_as(client, made.town.department)
    here = f"/appraisal/desk/cycles/{made.cycle_id}"
    assert f'href="{here}/brief"' in (await client.get(here)).text
    text = (await client.get(f"{here}/brief")).text
    assert "参加考核 3 人" in text
    assert "评分还没有审核通过" in text
    assert text.index("隽水镇") < text.index("合计")
    assert "测评还没有结束" in text
    assert "发放 150 分，兑换 25 分（全县各笔集体资金的每月公开表，到2026年6月）" in text
    assert "777" not in text
    assert "没有异议申诉" in text
    await act_as(client, made.town.instructor)
    assert (await client.get(f"{here}/brief")).status_code == 404


async def test_the_survey_s_result_is_on_it_once_it_is_out(client: httpx.AsyncClient) -> None:
    """Score with its error and ballots; while it runs, nothing."""
    made = await drawn()
    tokens = await printed(made)
    for slip in tokens[GRID][:6]:
        await vote(slip)
    path = f"/appraisal/desk/cycles/{made.cycle_id}/brief"
    await act_as(client, made.county.department)
    running = (await client.get(path)).text
    assert "测评还没有结束" in running
    assert "还没有评分" in running
    await closed(made)
    text = (await client.get(path)).text
    assert "有效票 6 张" in text
    assert "工作态度" in text
