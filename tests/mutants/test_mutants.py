"""The lists fit the sources, and the tests notice a few of it; ``make mutants`` plays all."""

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.mutants.ledger import SHORT, Mutant
from tests.mutants.play import MUTANTS, ROOT, killer, scratch

NAMES = [mutant.name for mutant in MUTANTS]


def test_every_mutant_fits() -> None:
    """What a mutant changes stands exactly once in its file, and it does change it."""
    wrong = [
        mutant.name
        for mutant in MUTANTS
        if (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) != 1
        or mutant.old == mutant.new
    ]
    assert wrong == []
    assert len(set(NAMES)) == len(NAMES)
    assert set(SHORT) <= set(NAMES)


def test_every_test_of_a_mutant_exists() -> None:
    """Named tests are there: a run that finds none would prove nothing."""
    for mutant in MUTANTS:
        for name in mutant.tests:
            path, _, test = name.partition("::")
            assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8"), name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, to spoil."""
    return scratch(tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("name", SHORT)
def test_mutant_is_killed(folder: Path, servers: Servers, name: str) -> None:
    """A test of its own fails."""
    mutant: Mutant = next(one for one in MUTANTS if one.name == name)
    urls = {"DATABASE_URL": servers.database, "REDIS_URL": servers.redis}
    assert killer(folder, mutant, urls).startswith(tuple(mutant.tests))
