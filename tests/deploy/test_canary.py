"""A canary through every log: people's secrets pass the real proxy and service, and none is kept.

They are typed right and wrong, sent twice, sent astray, and sent while the service is away.
"""

import base64
import json
import shutil
from pathlib import Path

import asyncpg
import httpx
import pytest

from points.redemption import codes
from shared.clock import now
from shared.identity import accounts, slips, terminals
from shared.identity.rules import totp
from shared.ids import new_id
from tests.appraisal.survey.test_web import BALLOT
from tests.appraisal.survey.world import GRID, drawn, printed
from tests.conftest import SECRET, Servers
from tests.deploy.test_cli import data_dir, serving
from tests.deploy.test_nginx import FILES, answered, proxying, service
from tests.factories import COUNTY
from tests.points.redemption.scene import Scene, counter
from tests.points.redemption.test_api import body
from tests.shared.identity.test_terminals import signed
from tests.shared.identity.test_web import post
from tests.shared.identity.worlds import actor_of, with_pin

__all__ = ["data_dir", "service"]

PIN, WRONG_PIN, CARD_PIN = "739461", "806315", "917364"
PASSWORD, WRONG_PASSWORD = "canary in the village oak", "canary in the other oak"
WORDS = "路灯坏了的那一位"
Secrets = dict[str, str]


class Log:
    """What a file has got since now; another account may write it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begun = path.stat().st_size if path.exists() else 0

    def text(self) -> str:
        if not self.path.exists():  # an outside server's is its own
            return ""
        return self.path.read_bytes()[self.begun :].decode(errors="replace")


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
async def test_no_log_holds_a_secret(
    committed: None,
    database: str,
    servers: Servers,
    data_dir: Path,
    service: Path,
    tmp_path: Path,
) -> None:
    """Service, proxy, database server, metrics and audit know who came, not with what."""
    scene = await counter()
    ballot = (await printed(await drawn(county=scene.world)))[GRID][0]
    owner = await asyncpg.connect(database)
    cluster = Path(await owner.fetchval("SELECT current_setting('data_directory')"))
    engine = Log(cluster.parent / "postgres.log")
    settings = {
        "GRIDMERIT_DATA_DIR": str(data_dir),
        "GRIDMERIT_SECRET_KEY": SECRET,
        "GRIDMERIT_SCHEDULER": "off",
        "DATABASE_URL": database,
        "REDIS_URL": servers.redis,
    }
    async with proxying(FILES[0], tmp_path, service) as client:
        async with serving(data_dir, unix=service, **settings) as (direct, _, said):
            service.chmod(0o666)  # noqa: ASYNC240  the proxy's account is in no group here
            await answered(client, "/sign-in")
            secrets = await activation(client, scene)
            secrets |= await redemption(client, scene)
            secrets |= await desk(client, scene)
            secrets |= await survey(client, ballot)
            metrics = (await direct.get("/metrics")).text
        paths = [f"/a/{secrets['slip']}", f"/r/{secrets['code']}", f"/s/{secrets['ballot']}"]
        for path in (*paths, f"/desk/roster?q={secrets['phone']}"):
            assert (await client.get(path, headers={"referer": path})).status_code == 502
    out, err = await said
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "INSERT INTO shared.unit (county_id, id, kind, code, name)"
            " VALUES ($1, gen_random_uuid(), 'nothing', '421222', $2)",
            COUNTY,
            WORDS,
        )
    audit = await owner.fetch("SELECT e::text FROM shared.audit_event e")
    await owner.close()
    logs = {
        "service": (out + err).decode(),
        "proxy": (tmp_path / "gridmerit.log").read_text(encoding="utf-8"),
        "proxy's errors": (tmp_path / "error.log").read_text(encoding="utf-8"),
        "database server": engine.text(),
        "metrics": metrics,
        "audit": "\n".join(row[0] for row in audit),
    }
    for name in ("service", "proxy", "metrics"):
        assert "/desk/sign-in" in logs[name], name
    assert "identity.sign_in" in logs["audit"]
    found = [
        (what, where)
        for what, value in secrets.items()
        for where, text in logs.items()
        if value in text
    ]
    assert found == []


async def activation(client: httpx.AsyncClient, scene: Scene) -> Secrets:
    """A slip by its token and one by its digits, then signing in; session and device."""
    chief, first, second = scene.world.chief, scene.world.worker, scene.world.second_worker
    people = [first.person_id, second.person_id]
    issued = await slips.issue(await actor_of(chief), people, now(), "https://grid.example")
    token, digits = issued[0].url.rpartition("/")[2], issued[1].digits
    form = {"last4": first.phone[-4:], "pin": PIN, "again": PIN}
    await client.get(f"/a/{token}")
    assert (await post(client, f"/a/{token}", **form | {"again": WRONG_PIN})).status_code == 422
    assert (await post(client, f"/a/{token}", **form)).status_code == 303
    session, device = client.cookies["gm"], client.cookies["gm-device"]
    assert (await client.get(f"/a/{token}/more")).status_code == 404
    client.cookies.clear()
    form = {"phone": second.phone, "digits": digits, "pin": PIN, "again": PIN}
    assert (await post(client, "/activate", **form)).status_code == 303
    client.cookies.clear()
    wrong = await post(client, "/sign-in", phone=first.phone, pin=WRONG_PIN)
    assert wrong.status_code == 422
    assert (await post(client, "/sign-in", phone=first.phone, pin=PIN)).status_code == 303
    return {
        "PIN": PIN,
        "wrong PIN": WRONG_PIN,
        "phone": first.phone,
        "other phone": second.phone,
        "slip": token,
        "digits": digits,
        "device": device,
        "session": session,
        "second session": client.cookies["gm"],
    }


async def redemption(client: httpx.AsyncClient, scene: Scene) -> Secrets:
    """By a code, by a card with its PIN, and by a terminal's signed request."""
    keeper, person_id = scene.shop.keeper, scene.worker.person_id
    client.cookies.clear()
    await with_pin(keeper, PIN)
    assert (await post(client, "/sign-in", phone=keeper.phone, pin=PIN)).status_code == 303
    shown = await codes.issue(scene.worker, now())
    assert (await client.get(f"/r/{shown.token}")).status_code == 200
    form = {"id": str(new_id()), "code": shown.token, f"q-{scene.soap}": "1"}
    for _ in range(2):
        assert (await post(client, "/shop/redeem", **form)).status_code == 303
    assert (await client.get(f"/r/{shown.token}")).status_code == 409
    await post(client, "/shop/customer", code=shown.digits)
    card = await codes.issue_card(await actor_of(scene.world.chief), person_id, now())
    await accounts.set_card_pin(scene.worker, person_id, CARD_PIN, CARD_PIN)
    assert "请持卡人自己输入" in (await client.get(f"/r/{card.token}")).text
    await post(client, "/shop/customer", code=card.number, pin=WRONG_PIN)
    right = await post(client, "/shop/customer", code=card.number, pin=CARD_PIN)
    assert "确认兑换" in right.text
    made = await terminals.create(await actor_of(keeper), scene.shop_id, "前台", now())
    spent = await codes.issue(scene.worker, now())
    order = json.dumps(body(scene, spent.token)).encode()
    signature = ""
    for sent, status in ((order[:-1], 400), (order, 201)):
        headers = signed(made, "POST", "/api/redemptions", sent)
        signature = headers["gridmerit-signature"]
        headers["content-type"] = "application/json"
        answer = await client.post("/api/redemptions", content=sent, headers=headers)
        assert answer.status_code == status, answer.text
    return {
        "code": shown.token,
        "code's digits": shown.digits,
        "card": card.token,
        "card's PIN": CARD_PIN,
        "terminal's code": spent.token,
        "terminal's secret": made.secret,
        "terminal's signature": signature,
        "keeper's phone": keeper.phone,
    }


async def desk(client: httpx.AsyncClient, scene: Scene) -> Secrets:
    """Password and authenticator, right and wrong; a search by the whole number."""
    member = scene.world.department
    client.cookies.clear()
    made = await accounts.desk_secrets(PASSWORD, member.phone)
    await accounts.give_desk(COUNTY, member.person_id, made, now())
    assert made.totp_key is not None
    code = totp(made.totp_key, int(now().timestamp()) // 30)
    form = {"phone": member.phone, "password": PASSWORD, "code": code}
    wrong = await post(client, "/desk/sign-in", **form | {"password": WRONG_PASSWORD})
    assert wrong.status_code == 422
    done = await post(client, "/desk/sign-in", **form)
    assert done.status_code == 303, done.text
    await post(client, "/confirm", secret=PASSWORD)
    search = f"/desk/roster?q={scene.world.worker.phone}"
    assert (await client.get(search, headers={"referer": search})).status_code == 200
    key = base64.b32encode(made.totp_key).decode()
    return {
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "authenticator": key,
        "recovery code": made.recovery_codes[0],
        "desk's session": client.cookies["gm"],
        "desk's phone": member.phone,
    }


async def survey(client: httpx.AsyncClient, ballot: str) -> Secrets:
    """A ballot that is begun, cast, and cast again."""
    client.cookies.clear()
    assert (await client.get(f"/s/{ballot}")).status_code == 200
    for form, status in (({"v1": "80"}, 422), (BALLOT, 200), (BALLOT, 409)):
        answer = await client.post(f"/s/{ballot}", data={**form, "comment": WORDS})
        assert answer.status_code == status
    return {"ballot": ballot, "resident's words": WORDS}
