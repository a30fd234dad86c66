"""The API does what its OpenAPI document says, whatever is sent: schemathesis with all checks.

The server runs on this loop with real commits; schemathesis runs as its own process, as a
stranger's integration would, once as a shop's keeper and once as a gridworker.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from shared.clock import now
from shared.identity import sessions
from shared.identity.accounts import ensure_account
from shared.identity.actor import Actor
from tests.conftest import serving
from tests.factories import COUNTY
from tests.points.redemption.scene import counter

CONFIG = """
[parameters]
"path.shop_id" = "{shop_id}"
"path.person_id" = "{person_id}"

[checks.positive_data_acceptance]
# Throttled is an answer too: guessing eight digits is what the fuzzer does.
expected-statuses = ["2xx", "401", "403", "404", "409", "429"]
"""


@pytest.fixture(scope="session")
async def served(application: Litestar) -> AsyncIterator[str]:
    """The app on a port of its own."""
    async with serving(application) as address:
        yield address


async def session_of(actor: Actor) -> str:
    """The cookie of a fresh session."""
    account_id = await ensure_account(COUNTY, actor.person_id)
    begun = await sessions.begin(COUNTY, account_id, actor.person_id, "phone", now())
    return f"gm={begun.token}"


@pytest.mark.parametrize("who", ["keeper", "worker"])
async def test_schemathesis_finds_nothing(
    committed: None, served: str, tmp_path: Path, who: str
) -> None:
    """No 5xx, nothing undocumented, nothing wrong accepted, nothing right refused."""
    scene = await counter()
    cookie = await session_of(scene.keeper if who == "keeper" else scene.worker)
    config = CONFIG.format(shop_id=scene.shop_id, person_id=scene.worker.person_id)
    (tmp_path / "schemathesis.toml").write_text(config)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(tmp_path / "schemathesis.toml")),
        *("run", f"{served}/schema/openapi.json", "--url", served),
        *("--checks", "all", "--max-examples", "8", "--seed", "1"),
        *("--header", f"Cookie: {cookie}", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-15_000:]


async def test_the_document_is_complete(client: httpx.AsyncClient) -> None:
    """Every operation of the API is there, with its refusals as problem documents."""
    document = (await client.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    paths = {path for path in document["paths"] if path.startswith("/api/")}
    assert paths == {
        "/api/redemptions",
        "/api/holds",
        "/api/holds/{hold_id}/post",
        "/api/holds/{hold_id}/void",
        "/api/wallets/me",
        "/api/wallets/{person_id}/transfers",
        "/api/shops/{shop_id}/redemptions",
    }
    answers = document["paths"]["/api/redemptions"]["post"]["responses"]
    assert {"200", "201", "400", "401", "403", "404", "409", "415", "429", "503"} <= set(answers)
    assert "application/problem+json" in answers["409"]["content"]
