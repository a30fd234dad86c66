"""The checker says what it said: the vectors that the page in the browser is held to as well."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import cli
from points.ledger.seal import rules

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text(encoding="utf-8")
)
CLOSED = next(vector for vector in VECTORS if vector["name"] == "the whole printed root")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    """Every line and the verdict, word for word."""
    lines = rules.check(vector["receipt"].encode(), vector["printed"])
    assert [[line.mark, line.text] for line in lines] == vector["lines"]
    last = rules.verdict(lines)
    assert [last.mark, last.text] == vector["verdict"]


@given(st.data())
def test_any_changed_digit_is_noticed(draw: st.DataObject) -> None:
    """One digit of any hash or of the row's ids, and something no longer fits."""
    text = CLOSED["receipt"]
    digits = re.compile(r"[0-9a-f]{64}|[0-9a-f]{4}-[0-9a-f]{12}")
    places = [place for found in digits.finditer(text) for place in range(*found.span())]
    place = draw.draw(st.sampled_from([place for place in places if text[place] != "-"]))
    changed = text[:place] + ("a" if text[place] != "a" else "b") + text[place + 1 :]
    marks = [line.mark for line in rules.check(changed.encode(), CLOSED["printed"])]
    assert rules.BAD in marks


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_never_raises(data: bytes) -> None:
    """Whatever the file is, the answer is a sentence."""
    assert rules.verdict(rules.check(data)).mark == rules.BAD


@given(st.sampled_from(["transfer", "batch", "day"]), JSON)
def test_never_raises_on_a_strange_part(part: str, value: object) -> None:
    """A receipt with one part replaced."""
    receipt = msgspec.json.decode(CLOSED["receipt"]) | {part: value}
    assert rules.check(json.dumps(receipt).encode(), CLOSED["printed"])


def run(tmp_path: Path, text: str, *options: str) -> Result:
    file = tmp_path / "receipt.json"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["check-receipt", str(file), *options])


def test_command_checks_without_a_database(tmp_path: Path) -> None:
    """Exit code 0 when all that can be checked is right, 1 when something is wrong."""
    root = CLOSED["printed"]
    right = run(tmp_path, CLOSED["receipt"], "--root", root)
    assert right.exit_code == 0
    assert [line.split(" ", 1)[0] for line in right.output.splitlines()] == list("·✓✓✓？✓")
    wrong = run(tmp_path, CLOSED["receipt"], "--root", "0" * 64)
    assert wrong.exit_code == 1
    assert "✗ 和您输入的当日封印不一致" in wrong.output
    assert run(tmp_path, "不是凭证").exit_code == 1
    assert CliRunner().invoke(cli, ["check-receipt", str(tmp_path / "none")]).exit_code == 2
