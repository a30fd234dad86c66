"""Nobody meets a dead end: every link on every page of the demo county leads somewhere."""

import re
from collections.abc import Iterable
from html import unescape

import httpx
import pytest

import appraisal.routes
import points.routes
from deploy.demo.seed import Demo, SignIn, seed_demo, totp
from shared.clock import now
from shared.settings import Settings
from tests.shared.identity.test_matrix import contents

LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
PARTS = re.compile(
    r"(?<!/cycles/)(?<!/team/)(?<!/cases/)[0-9a-f]{8}-[0-9a-f-]{27}"
    r"|(?<=/cases/)[0-9a-f]{8}-[0-9a-f-]{27}(?=/)"
    r"|(?<![-0-9a-f])\d{6,15}(?![-0-9a-f])|[A-Z]{3,4}-\d\d|=[^&]*"
)
"""What differs between pages of a kind; each cycle and case is its own: its stage decides much."""
PAGES = 250
"""Most pages looked at per person; one of each kind is enough."""
UNLINKED = {
    "open without a link": [
        "/a/{token}",
        "/activate",
        "/api/shops/{shop_id}/redemptions",
        "/api/wallets/me",
        "/api/wallets/{person_id}/transfers",
        "/appraisal",
        "/desk/alive",
        "/desk/sign-in",
        "/health",
        "/r/{token}",
        "/ready",
        "/s/{token}",
        "/sign-in",
        "/sign-in/wechat",
        "/wechat/back",
    ],
    "follow upon a form": [
        "/appraisal/desk/cases.xlsx",
        "/appraisal/desk/cycles/{cycle_id}/ranking.docx",
        "/appraisal/desk/cycles/{cycle_id}/ranking.xlsx",
        "/appraisal/desk/households/{run_id}/report.xlsx",
        "/appraisal/desk/intake/{name}/{run_id}/report.xlsx",
        "/code/state",
        "/confirm",
        "/desk/take-over",
        "/desk/audit.xlsx",
        "/desk/ledger.xlsx",
        "/desk/oversight.xlsx",
        "/desk/roster/import/{run_id}",
        "/desk/roster/import/{run_id}/report.xlsx",
        "/desk/summary.xlsx",
        "/records/{record_id}/done",
        "/shop/done/{redemption_id}",
        "/verify/proxy/{record_id}",
    ],
    "show what the demo county has none of": [
        "/me/wechat",
        "/me/wechat/bind",
        "/desk/rules-penalties/{code}/correct",
        "/desk/rules/{code}/correct",
        "/appraisal/desk/cycles/{cycle_id}/scorecards/changes/{number}",
        "/appraisal/desk/duty/entries/{entry_id}/correct",
        "/deductions/{deduction_id}",
        "/verify/deductions/{deduction_id}/letter",
        "/records/{record_id}/photo",
        "/shop/pickups/{pickup_id}",
        "/verify/objections",
        "/verify/redemptions/{redemption_id}",
    ],
}
"""Why nobody comes upon these by links alone."""
SKIPPED = ("/static/", "/sign-out", "/schema")


async def sign_in(client: httpx.AsyncClient, line: SignIn) -> None:
    """Through the door that the demo's table names."""
    await client.get(line.path)
    fields = {"_csrf_token": client.cookies["csrftoken"], "phone": line.phone}
    if line.path == "/sign-in":
        fields["pin"] = line.secret
    else:
        fields |= {"password": line.secret, "code": totp(now())}
    answer = await client.post(line.path, data=fields)
    assert answer.status_code == 303, answer.text


async def crawl(client: httpx.AsyncClient) -> dict[str, int]:
    """Address → status of one page of each kind that can be reached from the first page."""
    waiting = ["/"]
    kinds: set[str] = set()
    found: dict[str, int] = {}
    while waiting and len(found) < PAGES:
        path = waiting.pop(0)
        kind = PARTS.sub("*", path)
        if kind in kinds or path.startswith(SKIPPED):
            continue
        kinds.add(kind)
        answer = await client.get(path)
        found[path] = answer.status_code
        if answer.status_code == 303:
            waiting.append(answer.headers["location"])
        elif "text/html" in answer.headers.get("content-type", ""):
            waiting += [unescape(link) for link in LINK.findall(answer.text)]
    return found


@pytest.fixture
async def demo(client: httpx.AsyncClient, settings: Settings) -> Demo:
    """The demo county, in the test's transaction."""
    return await seed_demo(settings)


def unreached(paths: Iterable[str]) -> set[str]:
    """The pages of both services that are not among the paths."""
    seen = {path.partition("?")[0] for path in paths}
    rows = {**points.routes.ROUTES, **appraisal.routes.ROUTES}
    routes = {row for row in rows if row.startswith("GET ")}
    named = {row[4:]: re.compile(re.sub("{[^}]+}", "[^/]+", row[4:])) for row in routes}
    return {
        route for route, form in named.items() if not any(form.fullmatch(path) for path in seen)
    }


async def test_every_link_leads_somewhere(client: httpx.AsyncClient, demo: Demo) -> None:
    """Everybody clicks on everything they are shown: no page is left out, and none writes."""
    dead: dict[str, int] = {}
    seen: set[str] = set()
    # A colleague of the same office is shown the same pages.
    for line in {(line.role, line.place): line for line in reversed(demo.sign_ins)}.values():
        client.cookies.clear()
        await sign_in(client, line)
        before = await contents()
        statuses = await crawl(client)
        assert await contents() == before, line
        assert 5 < len(statuses) < PAGES, line
        seen |= statuses.keys()
        dead |= {
            f"{line.role} {path}": status
            for path, status in statuses.items()
            if status not in (200, 303)
        }
    assert dead == {}
    assert unreached(seen) == {path for paths in UNLINKED.values() for path in paths}
