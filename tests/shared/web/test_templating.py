"""Compiled templates are kept, by us alone, and never at the price of a page."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from jinja2.bccache import Bucket

from shared.web.templating import COMPILED, Compiled, compiled, environment


def test_a_second_start_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The macros of every page come from the folder."""
    first = environment([], compiled(tmp_path))
    assert any((tmp_path / COMPILED).iterdir())
    monkeypatch.setattr(Environment, "compile", None)
    again = environment([], compiled(tmp_path))
    assert shown(again) == shown(first)


def shown(made: Environment) -> str:
    ui: Any = made.globals["ui"]
    return str(ui.button("好"))


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    """What is in it is run."""
    assert compiled(tmp_path) is not None
    assert (tmp_path / COMPILED).stat().st_mode & 0o777 == 0o700
    (tmp_path / COMPILED).chmod(0o777)
    assert compiled(tmp_path) is None


def test_no_folder_no_matter(tmp_path: Path) -> None:
    """A read-only data directory, or a file in its place."""
    (tmp_path / "file").touch()
    assert compiled(tmp_path / "file") is None


def test_a_full_disk_costs_time_only(tmp_path: Path) -> None:
    """A template that cannot be kept is shown all the same."""
    kept = Compiled(str(tmp_path / "gone"))
    bucket = Bucket(environment([]), "key", "checksum")
    bucket.code = compile("1", "page", "eval")
    kept.dump_bytecode(bucket)
    assert not (tmp_path / "gone").exists()
