"""One process or two: the same story, and neither service can write what is the other's."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import asyncpg
import httpx
import pytest
from litestar import Litestar

from deploy.single import APPRAISAL, APPRAISAL_PATHS, OneProcess
from shared.database import DB
from tests.appraisal.cycle.test_web import post
from tests.conftest import APP_ROLE
from tests.factories import COUNTY, small_county
from tests.shared.identity.test_matrix import act_as

Shape = Literal["one", "two"]
ROLES = {"points": "gridmerit_points", "appraisal": "gridmerit_appraisal"}


class TwoProcesses:
    """What the proxy does in front of two processes: each app works with its own login role."""

    def __init__(self, points: Litestar, appraisal: Litestar) -> None:
        self.apps = {"points": points, "appraisal": appraisal}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        ours = path == APPRAISAL or path.startswith(APPRAISAL_PATHS)
        service = "appraisal" if ours else "points"
        await DB.execute(f"SET LOCAL ROLE {ROLES[service]}")
        try:
            await self.apps[service](scope, receive, send)
        finally:
            await DB.execute(f"SET LOCAL ROLE {APP_ROLE}")


@pytest.fixture(params=["one", "two"])
async def product(
    request: pytest.FixtureRequest,
    application: Litestar,
    appraisal_application: Litestar,
    rollback: None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of both services, in either shape."""
    shape: Shape = request.param
    kind: Any = OneProcess if shape == "one" else TwoProcesses
    transport = httpx.ASGITransport(kind(application, appraisal_application))
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        yield http


async def test_a_cycle_is_opened_scored_and_followed_to_the_ledger(
    product: httpx.AsyncClient,
) -> None:
    """Opening, scoring, ranking, a card, its months, and the points page that they lead to."""
    town = await small_county()
    await act_as(product, town.department)
    made = await post(product, "/appraisal/desk", kind="annual", year="2025")
    here = made.headers["location"]
    for target in ("collect", "score"):
        moved = await post(product, f"{here}/advance", target=target)
        assert moved.status_code == 303, moved.text
    refused = await post(product, f"{here}/scorecards")
    assert (refused.status_code, "没有在岗的网格员" in refused.text) == (409, True)
    again = await post(product, "/appraisal/desk", kind="half_year", year="2026")
    here = again.headers["location"]
    for target in ("collect", "score"):
        await post(product, f"{here}/advance", target=target)
    scored = await post(product, f"{here}/scorecards")
    assert scored.status_code == 303, scored.text
    listed = await product.get(f"{here}/ranking")
    assert town.worker.name in listed.text
    card = f"{here}/scorecards/{town.worker.person_id}"
    assert (await product.get(card)).status_code == 200
    assert (await product.get(f"{card}/merit")).status_code == 200
    rows = await product.get(f"/desk/workers/{town.worker.person_id}/202603")
    assert (rows.status_code, town.worker.name in rows.text) == (200, True)


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("appraisal", "UPDATE points.work_record SET posted = 0 WHERE county_id = $1"),
        ("appraisal", "DELETE FROM points.deduction WHERE county_id = $1"),
        ("appraisal", "SELECT points.account_id('worker', 'merit', NULL), $1::int"),
        ("appraisal", "SELECT count(*) FROM points.work_record WHERE county_id = $1"),
        ("points", "UPDATE appraisal.score SET final = 0 WHERE county_id = $1"),
        ("points", "INSERT INTO appraisal.scheme (county_id) VALUES ($1)"),
        ("points", "SELECT count(*) FROM appraisal.score WHERE county_id = $1"),
    ],
)
async def test_neither_service_touches_the_other_s_tables(
    rollback: None, service: str, statement: str
) -> None:
    """Contract views are all that crosses; the database refuses the rest."""
    await DB.execute(f"SET LOCAL ROLE {ROLES[service]}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with DB.transaction():
            await DB.execute(statement, COUNTY)
    other = "points.merit_month" if service == "appraisal" else "appraisal.award_due"
    assert await DB.fetchval(f"SELECT count(*) FROM {other} WHERE county_id = $1", COUNTY) == 0
