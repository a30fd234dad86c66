"""The service files that we hand out."""

import re
from pathlib import Path

import pytest

import deploy

UNITS = sorted((Path(deploy.__file__).parent / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_comes_up_however_late_its_database_does(unit: Path) -> None:
    """By default systemd gives up after five starts in ten seconds, and the counters stay shut."""
    sections = dict(
        re.findall(
            r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", unit.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    )
    assert "\nStartLimitIntervalSec=0\n" in sections["Unit"]
    assert "\nRestart=always\n" in sections["Service"]
    [after] = re.findall(r"^After=(.*)$", sections["Unit"], re.MULTILINE)
    assert {"postgresql.service", "valkey-server.service", "redis-server.service"} < {
        *after.split()
    }
