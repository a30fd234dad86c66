"""The proxy's configurations that we hand out."""

import re
from pathlib import Path

import pytest

import deploy
from shared.web.security import TOKEN_PATHS

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
