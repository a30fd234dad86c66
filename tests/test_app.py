import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from shared.web.plugin import BODY_LIMIT

TAKES_MORE = {
    "/work",
    "/verify/proxy",
    "/desk/roster/import",
    "/desk/months/import",
    "/desk/shops/import",
    "/desk/products/import",
    "/desk/funds/import",
    "/appraisal/desk/households",
    "/appraisal/desk/intake/{name}",
    "/appraisal/desk/documents/{name}",
    "/appraisal/desk/duty",
    "/appraisal/desk/duty/random/{check_id}/results",
    "/appraisal/duty/random/{check_id}",
    "/appraisal/desk/training/{session_id}",
    "/appraisal/visits/{survey_id}/{village_code}",
}
"""Files, photos, and sheets of a whole unit."""


async def test_an_ordinary_request_is_small(
    application: Litestar, appraisal_application: Litestar
) -> None:
    """What takes more is named here; everybody may send anything, and it is read before asking."""
    found = {
        route.path_format
        for app in (application, appraisal_application)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
        and (handler.resolve_request_max_body_size() or BODY_LIMIT + 1) > BODY_LIMIT
    }
    assert found == TAKES_MORE


@pytest.mark.parametrize("path", ["/sign-in", "/preferences", "/activate"])
async def test_a_visitors_large_form_is_not_read(client: httpx.AsyncClient, path: str) -> None:
    """A form of three long texts passes, one of a hundred kilobytes does not."""
    await client.get("/sign-in")
    form = {"_csrf_token": client.cookies["csrftoken"], "county": "1", "theme": "x"}
    words = dict.fromkeys(("a", "b", "c"), "网" * 1000)
    assert (await client.post(path, data=form | words)).status_code == 422
    assert (await client.post(path, data=form | {"a": "x" * 100_000})).status_code == 413


async def test_health(client: httpx.AsyncClient) -> None:
    """The process answers, and so does its database."""
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert (await client.get("/ready")).json()["database"] == "ok"


async def test_absent_page_is_one_chinese_sentence(client: httpx.AsyncClient) -> None:
    """A wrong address shows a page, and a program gets a problem document."""
    page = await client.get("/nowhere", headers={"accept": "application/json"})
    assert (page.status_code, page.json()["code"]) == (404, "not_found")
