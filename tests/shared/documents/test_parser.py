"""Parsers of uploaded files: few at a time."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Lock
from typing import Any

import pytest

from shared.documents import parser
from shared.documents.files import open_sheets
from shared.errors import Unavailable
from tests.shared.documents import books

GOOD = books.xlsx([["姓名", "岗位"], ["张三", "网格员"]])


def test_no_more_than_two_files_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six uploads at once: two parsers meet, three never do, and all are read."""
    real, lock, running, most = subprocess.run, Lock(), 0, 0
    three = Barrier(3)

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with suppress(BrokenBarrierError):
            three.wait(0.2)
        try:
            return real(*args, **options)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(subprocess, "run", counted)
    with ThreadPoolExecutor(6) as threads:
        read = list(threads.map(open_sheets, [GOOD] * 6, ["a.xlsx"] * 6))
    assert [grids[0].rows[1][0] for grids in read] == ["张三"] * 6
    assert most == parser.AT_ONCE == 2


def test_a_file_whose_turn_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence; and a parser that fails gives its place back."""
    monkeypatch.setattr(parser, "PATIENCE", 0.01)
    with parser._places, parser._places, pytest.raises(Unavailable, match="排不上队"):
        open_sheets(GOOD, "a.xlsx")
    for _ in range(parser.AT_ONCE + 1):
        with pytest.raises(subprocess.CalledProcessError):
            parser.parse(Path("/nowhere.py"), data=b"", seconds=5)
    assert open_sheets(GOOD, "a.xlsx")
