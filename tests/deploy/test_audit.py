"""``make audit``: a known weakness fails it, an advisory service that is away only on demand."""

import os
import subprocess
from pathlib import Path

import pytest

import deploy

SCRIPT = Path(deploy.__file__).parent / "audit.sh"
WEAK = "msgspec 0.22.0 PYSEC-2026-1"
CLEAN = "No known vulnerabilities found"
REFUSED = "Connection refused"


@pytest.mark.parametrize(
    ("tool", "strict", "code", "said"),
    [
        (f"echo '{CLEAN}' >&2", "1", 0, CLEAN),
        (f"echo '{WEAK}'; exit 1", "0", 1, WEAK),
        (f"echo '{REFUSED}' >&2; exit 1", "0", 0, REFUSED),
        (f"echo '{REFUSED}' >&2; exit 1", "1", 1, REFUSED),
        # So the tool takes a mirror of the registry that has no advisories, unless it is strict.
        ('case "$*" in *--strict*) exit 1;; esac', "0", 0, ""),
    ],
)
def test_only_what_is_known_fails(
    tmp_path: Path, tool: str, strict: str, code: int, said: str
) -> None:
    """Silence is said to be silence: nobody takes it for a clean list."""
    done = run(tmp_path, f'case "$*" in *--dry-run*) exit 0;; esac\n{tool}', strict)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert ("Not audited" in done.stderr) is (said not in {CLEAN, WEAK})


def test_a_list_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """Ours to mend, whether or not the service answers."""
    done = run(tmp_path, "echo 'not a requirement' >&2; exit 1", "0")
    assert (done.returncode, "not a requirement" in done.stderr) == (1, True)


def run(folder: Path, tool: str, strict: str) -> subprocess.CompletedProcess[str]:
    """The script with a stand-in for pip-audit."""
    stand_in = folder / "pip-audit"
    stand_in.write_text(f"#!/bin/sh\n{tool}\n", encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [SCRIPT],
        env={"PATH": path, "STRICT": strict},
        capture_output=True,
        text=True,
        check=False,
    )
