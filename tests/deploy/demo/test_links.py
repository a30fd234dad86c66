"""Nobody meets a dead end: every link on every page of the demo county leads somewhere."""

import re
from html import unescape

import httpx
import pytest

from deploy.demo.seed import Demo, SignIn, seed_demo, totp
from shared.clock import now
from shared.settings import Settings

LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
PARTS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,15}|[A-Z]{3,4}-\d\d|=[^&]*")
PAGES = 120
"""Most pages looked at per person; one of each kind is enough."""
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


async def test_every_link_leads_somewhere(client: httpx.AsyncClient, demo: Demo) -> None:
    """Everybody of the demo's table clicks on everything they are shown."""
    dead: dict[str, int] = {}
    for line in demo.sign_ins:
        client.cookies.clear()
        await sign_in(client, line)
        statuses = await crawl(client)
        assert len(statuses) > 5, line
        dead |= {
            f"{line.role} {path}": status
            for path, status in statuses.items()
            if status not in (200, 303)
        }
    assert dead == {}
