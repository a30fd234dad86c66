"""No key, token or password of anybody's lies in the repository, whatever kind of file it is.

Code, handbooks, units, scripts, vectors: ruff's rules on passwords look at Python alone.
"""

import re
import subprocess

import pytest

from tests.test_architecture import ROOT

FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    # What this product, its tools and clouds make: a long run of capitals, small letters, digits.
    r"|(?<![\w+=-])(?=[\w+-]*[A-Z])(?=[\w+-]*[a-z])(?=[\w+-]*\d[\w+-]*\d)[\w+-]{20,}"
    # The key of an authenticator, or of a cloud.
    r"|\b(?=[A-Z2-7]*\d)[A-Z2-7]{16,}\b|\bAKIA[A-Z0-9]{16}\b"
    # Hexadecimal, where its name says what it is for.
    r"|(?i:secret|key|token|password)\W.{0,20}\b[0-9a-f]{32,}\b"
    # The password in an address.
    r"|://[^\s/:@]+:[^\s/:@…]{8,}@"
)
HASHES = re.compile(r"--hash=sha256:[0-9a-f]{64}|\"integrity\": \"sha512-[A-Za-z0-9+/=]+\"")
"""The locks' own, which are public."""
KNOWN = {"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE", "://user:password@"}
"""Examples that open nothing: docs/terminals.md, and how an address is written."""


def found(text: str) -> set[str]:
    return set(FORMS.findall(HASHES.sub("", text))) - KNOWN


def test_no_secret_is_in_the_repository() -> None:
    """In no text file that git keeps, nor in one that is about to be added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]
    assert len(paths) > 500
    wrong = {
        path.relative_to(ROOT).as_posix(): secrets
        for path in paths
        if b"\0" not in (content := path.read_bytes())
        and (secrets := found(content.decode(errors="replace")))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "planted",
    [
        "-----BEGIN OPENSSH PRIVATE" + " KEY-----",
        "GRIDMERIT_SECRET_KEY='" + "q7Rk0vXyZ1tB" * 3 + "'",
        "AKIA" + "IOSFODNN" + "7EXAMPLE",
        "ghp_" + "16C7e42F292c" * 3,
        "secret = " + "0f1e2d3c" * 8,
        "totp: " + "JBSWY3DP" * 4,
        "postgresql://gridmerit_owner:" + "tongcheng-2026@10.1.2.3/gridmerit",
    ],
)
def test_a_planted_secret_is_found(planted: str) -> None:
    """Each kind that an administrator or a tool would leave behind."""
    assert found(f"some words\n{planted}\nand more")
