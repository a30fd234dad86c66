"""The units that we hand out, and the secrets that they hand over."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import deploy
from shared.settings import load

FILES = sorted((Path(deploy.__file__).parent / "systemd").glob("*.service"))
MOST_EXPOSED = 2.0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_unit_bounds_memory_and_hands_over_secrets(file: Path) -> None:
    """A missing file is no failure, and a killed parser does not stop the service."""
    text = file.read_text(encoding="utf-8")
    assert re.search(r"^MemoryMax=[1-8]0%$", text, re.MULTILINE)
    assert "\nOOMPolicy=continue\n" in text
    for name in ("secret-key", "database-url"):
        assert f"\nLoadCredential={name}:/etc/gridmerit/{name}\n" in text
        assert f"\nSetCredential={name}:\\n\n" in text


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_systemd_understands_a_unit_and_finds_it_closed(file: Path) -> None:
    """Every line is known, and the exposure is at most 2.0."""
    read = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert not [line for line in read.stderr.splitlines() if "ignoring" in line]
    asked = ["systemd-analyze", "security", "--offline=yes", str(file)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    level = re.search(r"exposure level for .*: ([0-9.]+)", said)
    assert level, said
    assert float(level[1]) <= MOST_EXPOSED


def test_settings_come_from_credentials_unless_a_variable_is_set(tmp_path: Path) -> None:
    """An empty file, which stands for a missing one, says nothing."""
    (tmp_path / "secret-key").write_text("from a file of root's, 0600 and short\n")
    (tmp_path / "database-url").write_text("\n")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    settings = load(given)
    assert settings.secret_key == "from a file of root's, 0600 and short"
    assert settings.database_url == ""
    assert load(given | {"GRIDMERIT_SECRET_KEY": "x" * 40}).secret_key == "x" * 40
    assert load({}).secret_key == ""
