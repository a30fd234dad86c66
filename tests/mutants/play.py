"""Apply one mutant after another in a scratch copy and run only the tests that must notice.

``make mutants`` (``python -m tests.mutants.play [words of a name]``) plays them on engines of its
own; each run makes its database anew, so a changed SQL file is what it migrates to.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded import POSTGRES, VALKEY, Embedded
from deploy.engine_postgres import SUPERUSER
from tests.mutants.decisions import MUTANTS as DECISIONS
from tests.mutants.ledger import MUTANTS as LEDGER
from tests.mutants.ledger import Mutant

MUTANTS = (*LEDGER, *DECISIONS)
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "points", "appraisal", "deploy", "tests")
LONGEST = 900
"""Seconds of one run: a mutant that hangs is noticed as well."""
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
"""A test that failed; a mutant that does not even migrate gives errors, and proves nothing."""


def scratch(folder: Path) -> Path:
    """A copy of the sources that may be spoiled."""
    for package in PACKAGES:
        skipped = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / package, folder / package, ignore=skipped)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def spoil(folder: Path, mutant: Mutant) -> str:
    """Apply a mutant; answers the text before. Raises ValueError when it no longer fits."""
    path = folder / mutant.file
    before = path.read_text(encoding="utf-8")
    if before.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} has it {before.count(mutant.old)} times")
    path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
    return before


def killer(folder: Path, mutant: Mutant, servers: dict[str, str]) -> str:
    """What noticed the mutant: the test that fails, or that they do not end; else empty."""
    before = spoil(folder, mutant)
    try:
        _, said = run_tests(folder, mutant.tests, servers)
    except subprocess.TimeoutExpired:
        return f"no end in {LONGEST} s"
    else:
        found = FAILED.search(said)
        return found[1] if found else ""
    finally:
        (folder / mutant.file).write_text(before, encoding="utf-8")


def run_tests(folder: Path, tests: Sequence[str], servers: dict[str, str]) -> tuple[int, str]:
    """The exit code of pytest and what it said. Raises TimeoutExpired."""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **servers}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return done.returncode, done.stdout


def main() -> None:
    """Play those whose names have the given words; the exit code is 1 if one survives."""
    words = " ".join(sys.argv[1:])
    chosen = [mutant for mutant in MUTANTS if words in mutant.name]
    survivors: list[str] = []
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as copy:
        folder = scratch(Path(copy))
        with Embedded(Path(data)) as engines:
            servers = {
                "DATABASE_URL": engines.url(POSTGRES, SUPERUSER),
                "REDIS_URL": engines.url(VALKEY),
            }
            sound = sorted({test for mutant in chosen for test in mutant.tests})
            code, said = run_tests(folder, sound, servers)
            if code:
                sys.exit(f"the tests fail without a mutant:\n{said[-2000:]}")
            for number, mutant in enumerate(chosen, 1):
                by = killer(folder, mutant, servers)
                if not by:
                    survivors.append(mutant.name)
                word = f"killed by {by}" if by else "SURVIVED"
                print(f"{number}/{len(chosen)} {mutant.name}: {word}", flush=True)
        shutil.rmtree(engines.home.path, ignore_errors=True)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed")
    if survivors:
        sys.exit(f"survivors: {'; '.join(survivors)}")


if __name__ == "__main__":
    main()
