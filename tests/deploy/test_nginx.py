"""The proxy's configurations that we hand out."""

import re
from pathlib import Path

import pytest

import deploy

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
