"""The proxy's configurations that we hand out."""

import asyncio
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

import deploy
from deploy.joined import HERE, Joined
from shared.retention.registry import SIGN_IN
from shared.web.security import TOKEN_PATHS
from tests.deploy.test_cli import free_port

VISITOR = "127.0.0.2"
HALF_A_YEAR = 183
FILES = sorted((Path(deploy.__file__).parent / "nginx").glob("*.conf"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_server_logs_the_address_of_a_ballot(file: Path) -> None:
    """Not even the one that sends plain http to https: it sees the same path and visitor."""
    servers = re.split(r"^server ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len(servers) == 2
    for server in servers:
        logs = re.findall(r"^    access_log (.+);", server, re.MULTILINE)
        assert len(logs) == 1, server
        assert logs[0] == "off" or logs[0].endswith(" if=$gridmerit_log")


@pytest.mark.parametrize("path", TOKEN_PATHS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_error_line_carries_a_token(file: Path, path: str) -> None:
    """While the service is down a slip's or a code's address is refused, and the token is good."""
    text = file.read_text(encoding="utf-8")
    found = re.findall(r"^    location (~ )?(\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)
    regexes = [body for kind, place, body in found if kind and re.match(place, f"{path}token")]
    exact = [body for kind, place, body in found if not kind and place == path]
    [body] = regexes or exact
    assert re.search(r"^ +error_log +/dev/null crit;", body, re.MULTILINE)
    assert re.search(r"^ +access_log off;", body, re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_nginx_of_debian_12_and_ubuntu_24_understands_it(file: Path) -> None:
    """They ship 1.22 and 1.24; the directive ``http2`` came with 1.25."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"^\s*http2\s", text, re.MULTILINE)
    assert "listen 443 ssl http2;" in text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_log_carries_what_was_searched_for(file: Path) -> None:
    """People are looked up by name and number: neither query nor referrer is written down."""
    text = file.read_text(encoding="utf-8")
    used = re.findall(r"^ +access_log +/\S+ (\S+)", text, re.MULTILINE)
    formats = dict(re.findall(r"^log_format (\S+) (.*?);$", text, re.MULTILINE | re.DOTALL))
    assert len(used) == 1
    written = set(re.findall(r"\$\w+", formats.get(used[0], "$request $http_referer")))
    assert not written & {"$request", "$request_uri", "$args", "$query_string", "$http_referer"}


def test_the_handbook_keeps_the_log_as_long_as_the_law_asks_for(tmp_path: Path) -> None:
    """Only here stands from which address somebody came; Debian turns it over every day."""
    (tmp_path / "nginx").write_text("/var/log/nginx/*.log {\n\tdaily\n\trotate 14\n}\n")
    text = (Path(deploy.__file__).parent / "README.md").read_text(encoding="utf-8")
    [command] = re.findall(r"`(sed -i .+ /etc/logrotate\.d/)nginx`", text)
    line = command.replace("/etc/logrotate.d/", str(tmp_path / "nginx"))
    subprocess.run(shlex.split(line), check=True)
    [kept] = re.findall(r"rotate (\d+)", (tmp_path / "nginx").read_text())
    assert int(kept) >= SIGN_IN.days >= HALF_A_YEAR


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_no_upload_is_too_large_for_the_proxy_alone(
    file: Path, application: Litestar, appraisal_application: Litestar
) -> None:
    """Who sends a file that we take gets our answer, and not the proxy's 413."""
    text = content(file)
    found = re.findall(r"^    location (~ )?(\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)
    [whole] = re.findall(r"^    client_max_body_size (\d+)m;", text, re.MULTILINE)
    asked = [
        (route.path_format, limit)
        for app in (application, appraisal_application)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
        and isinstance(limit := handler.resolve_request_max_body_size(), int)
    ]
    assert max(limit for _, limit in asked) > 20 * 1024 * 1024
    for path, limit in asked:
        bodies = [body for kind, place, body in found if kind and re.match(place, path)]
        own = re.findall(r"client_max_body_size (\d+)m;", bodies[0]) if bodies else []
        assert limit <= int((own or [whole])[0]) * 1024 * 1024, path


@pytest.fixture
def service() -> Iterator[Path]:
    """A Unix socket's path, short enough, where the proxy's account may go."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, "http.sock")


@asynccontextmanager
async def proxying(file: Path, tmp_path: Path, service: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The proxy in front of a service's Unix socket, without TLS, on a free port."""
    port = free_port()
    text = re.sub(r"^    ssl_.*\n", "", content(file), flags=re.MULTILINE)
    text, found = re.subn(r"unix:/run/gridmerit\S*/http\.sock", f"unix:{service}", text)
    assert found
    text = text.replace("listen 443 ssl http2", f"listen 127.0.0.1:{port}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = text.replace("/var/log/nginx", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; events {{}}\nhttp {{\n{text}\n}}\n", encoding="utf-8"
    )
    command = ("nginx", "-e", str(tmp_path / "error.log"), "-p", str(tmp_path), "-c", "nginx.conf")
    process = await asyncio.create_subprocess_exec(*command)
    try:
        visitor = httpx.AsyncHTTPTransport(local_address=VISITOR)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", transport=visitor
        ) as client:
            yield client
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_while_the_service_is_stopped_a_page_says_so_in_chinese(
    file: Path, tmp_path: Path
) -> None:
    """With the proxy's own status: the outcome is open; no log has a ballot or who was searched."""
    async with proxying(file, tmp_path, tmp_path / "nobody.sock") as client:
        for path in ("/sign-in", "/s/ballot-token", "/desk/roster", "/appraisal/me"):
            answer = await answered(client, path)
            assert answer.status_code == 502
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert "系统暂时不能用" in answer.text
        search = "/desk/roster?q=13800000001"
        assert {(await client.get(search)).status_code for _ in range(120)} == {502, 503}
    log = (tmp_path / "gridmerit.log").read_text(encoding="utf-8")
    assert "/sign-in" in log
    log += (tmp_path / "error.log").read_text(encoding="utf-8")
    assert "ballot-token" not in log
    assert "13800000001" not in log


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_too_large_a_file_is_refused_in_chinese(file: Path, tmp_path: Path) -> None:
    """A photo of a phone whose browser does not shrink it, a workbook with pictures in it."""
    async with proxying(file, tmp_path, tmp_path / "nobody.sock") as client:
        await answered(client, "/sign-in")
        for path, size in (("/work", 13), ("/desk/months/import", 42), ("/s/ballot-token", 13)):
            # It is answered by its head: the file need not be there.
            reader, writer = await asyncio.open_connection(
                client.base_url.host, client.base_url.port
            )
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size << 20}\r\n\r\n"
            writer.write(head.encode())
            said = (await reader.readuntil(b"</html>")).decode()
            writer.close()
            assert said.startswith("HTTP/1.1 413 "), path
            assert "Content-Type: text/html; charset=utf-8" in said
            assert "文件太大了" in said
    log = (tmp_path / "gridmerit.log").read_text(encoding="utf-8")
    log += (tmp_path / "error.log").read_text(encoding="utf-8")
    assert "ballot-token" not in log


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_the_service_knows_the_visitor_and_keeps_the_connection(
    file: Path, tmp_path: Path, service: Path
) -> None:
    """Through the Unix socket: the address is the proxy's word, and a ballot's is not passed on."""
    seen = []
    connections = []

    async def app(scope: Any, _: Any, send: Any) -> None:
        seen.append((scope["path"], scope["client"][0]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    class Counted(Joined):
        def connection_made(self, transport: Any) -> None:
            connections.append(transport)
            super().connection_made(transport)

    server = uvicorn.Server(
        uvicorn.Config(app, http=Counted, uds=str(service), log_config=None, lifespan="off")
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        async with proxying(file, tmp_path, service) as client:
            assert (await answered(client, "/sign-in")).status_code == 204
            for path in ("/desk/roster", "/s/ballot-token") * 3:
                answer = await client.get(path, headers={"x-forwarded-for": "203.0.113.9"})
                assert answer.status_code == 204
    finally:
        await server.shutdown()
    assert set(seen) == {
        ("/sign-in", VISITOR),
        ("/desk/roster", VISITOR),
        ("/s/ballot-token", HERE[0]),
    }
    assert len(connections) < len(seen)


async def answered(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer, once the proxy listens."""
    for _ in range(100):
        try:
            return await client.get(path)
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    pytest.fail("nginx did not come up")


def content(file: Path) -> str:
    return file.read_text(encoding="utf-8")
