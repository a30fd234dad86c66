"""The department's pages of cycles."""

from uuid import UUID

import httpx
import pytest

from tests.factories import SmallCounty, small_county
from tests.shared.identity.test_matrix import act_as, token


@pytest.fixture
async def world(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as the page sends it."""
    return await client.post(path, data={"_csrf_token": await token(client), **fields})


async def test_the_department_opens_a_cycle_on_a_page(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """Opened, listed, moved on; a second one of the kind is refused in a sentence."""
    await act_as(client, world.department)
    made = await post(client, "/appraisal/desk", kind="half_year", year="2025")
    assert made.status_code == 303
    cycle = await client.get(made.headers["location"])
    assert (cycle.status_code, "开始采集数据" in cycle.text) == (200, True)
    cycle_id = UUID(made.headers["location"].rpartition("/")[2])
    moved = await post(
        client, f"/appraisal/desk/cycles/{cycle_id}/advance", target="collect", note=""
    )
    assert moved.status_code == 303
    listed = await client.get("/appraisal/desk")
    assert "2025年上半年网格员评比" in listed.text
    assert "采集数据" in listed.text
    again = await post(client, "/appraisal/desk", kind="half_year", year="2025")
    assert (again.status_code, "已经建立" in again.text) == (409, True)
    wrong = await post(client, "/appraisal/desk", kind="half_year", year="20X5")
    assert (wrong.status_code, "请填数字" in wrong.text) == (422, True)


async def test_menus_lead_from_one_service_to_the_other(
    client: httpx.AsyncClient, world: SmallCounty
) -> None:
    """The department's menu is whole on the pages of both; the index sends each role home."""
    await act_as(client, world.department)
    for path in ("/desk/rules", "/appraisal/desk"):
        text = (await client.get(path)).text
        assert 'href="/appraisal/desk"' in text, path
        assert 'href="/desk/rules"' in text, path
    assert (await client.get("/appraisal")).headers["location"] == "/appraisal/desk"
    await act_as(client, world.worker)
    assert (await client.get("/appraisal/")).headers["location"] == "/appraisal/me"
    mine = await client.get("/appraisal/me")
    assert (mine.status_code, 'href="/work"' in mine.text) == (200, True)
    assert 'href="/appraisal/me"' in (await client.get("/me")).text
