"""The service files that we hand out."""

import re
from pathlib import Path

import pytest

import deploy

FOLDER = Path(deploy.__file__).parent / "systemd"
UNITS = sorted(set(FOLDER.glob("*.service")) - {FOLDER / "gridmerit-backup.service"})
"""Those that stay."""


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
    assert "\nType=notify\nTimeoutStartSec=infinity\n" in sections["Service"]
    [after] = re.findall(r"^After=(.*)$", sections["Unit"], re.MULTILINE)
    assert {"postgresql.service", "valkey-server.service", "redis-server.service"} < {
        *after.split()
    }


def test_the_backup_has_the_settings_of_roots_commands() -> None:
    """With fewer it would take an outside database for an embedded one, and keep that: empty."""
    unit = (FOLDER / "gridmerit-backup.service").read_text(encoding="utf-8")
    script = (FOLDER.parent / "gridmerit.sh").read_text(encoding="utf-8")
    [files] = re.findall(r"^for file in (.+); do$", script, re.MULTILINE)
    assert (
        re.findall(r"^EnvironmentFile=-/etc/gridmerit/(\w+)$", unit, re.MULTILINE) == files.split()
    )


def test_what_root_installs_the_service_may_read() -> None:
    """A hardened machine's umask (027) kept the account out of its own program."""
    text = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .+\n)+", text, re.MULTILINE)
    installs = [block for block in blocks if "/opt/gridmerit/.venv/bin/pip install" in block]
    assert len(installs) == 2
    assert all(block.startswith("    umask 022\n") for block in installs)
