"""Small things that keep the code readable, and a few calls that are traps (see the README)."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

import appraisal.app
import appraisal.routes
import points.app
import points.routes
from shared.settings import BARE_NAMES, PREFIX, Settings
from shared.web.plugin import route_names
from tests.test_architecture import MODULES, ROOT, offenders

LONGEST_FUNCTION = 70
LONGEST_LINE = 100
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SQL_FILES = sorted(path for package in ROOT.glob("*/sql") for path in package.glob("*.sql"))
TEMPLATES = sorted(
    path
    for package in ("shared/web", "points", "appraisal")
    for path in (ROOT / package / "templates").rglob("*.html")
)
BANNED = {
    r"\.batch\(": "swallows exceptions and opens a connection of its own",
    r"\bDB\.pool\.": "takes a second connection, outside the transaction",
    r"\.get_related\(": "filters by id alone",
    r"\brun_sync\(": "a loop inside a loop",
    r"(?<!['\"])(?<!shapes\[name\])\|\s*safe\b": "turns escaping off for more than a literal",
}
STRAY = {"店铺": "积分超市", "积分回执": "积分凭证"}
"""Second words for one thing, and the glossary's word (README)."""
SETTINGS = Settings(secret_key="k" * 43)


def test_functions_fit_on_a_page() -> None:
    """No function is longer than 70 lines."""

    def wrong(path: Path) -> list[str]:
        tree = ast.walk(ast.parse(path.read_bytes()))
        functions = (n for n in tree if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        return [
            f"{node.name}: {length} lines"
            for node in functions
            if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
        ]

    assert offenders(wrong, [*MODULES, *TESTS]) == {}


def test_lines_of_sql_fit_side_by_side() -> None:
    """No line is longer than 100 characters (ruff sees to Python)."""

    def wrong(path: Path) -> list[int]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]

    assert offenders(wrong, SQL_FILES) == {}


def test_no_traps() -> None:
    """Calls that look harmless and are not."""

    def wrong(path: Path) -> list[str]:
        text = path.read_text(encoding="utf-8")
        return [why for pattern, why in BANNED.items() if re.search(pattern, text)]

    assert offenders(wrong, [*MODULES, *TEMPLATES]) == {}


def test_one_word_for_one_thing() -> None:
    """Phones call it 激活; what the administrator does for a desk account is 开通."""

    def wrong(path: Path) -> list[str]:
        phone = path.suffix == ".html" and path.name.startswith("m_")
        words = STRAY | ({"开通": "激活"} if phone else {})
        text = path.read_text(encoding="utf-8")
        return [f"{word}: {better}" for word, better in words.items() if word in text]

    assert offenders(wrong, [*MODULES, *TEMPLATES]) == {}


@pytest.mark.parametrize("service", [points, appraisal], ids=["points", "appraisal"])
def test_table_of_permissions_is_the_routes(service: object) -> None:
    """Every route has a row; a row without a route is a leftover."""
    app = service.app.create_app(SETTINGS)  # type: ignore[attr-defined]  # both packages have it
    rows = set(service.routes.ROUTES)  # type: ignore[attr-defined]
    assert route_names(app) == rows


def test_every_setting_is_documented() -> None:
    """The table in deploy/README.md names each variable of the environment."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    names = {field.name for field in msgspec.structs.fields(Settings)}
    bare = {name.lower() for name in BARE_NAMES}
    variables = {name.upper() if name in bare else PREFIX + name.upper() for name in names}
    assert {name for name in variables if f"`{name}`" not in text} == set()


def test_no_template_is_dead() -> None:
    """Every template is named by a handler or by another template.

    Handlers that serve phone and desk alike put the name together, so the last part of a name,
    quoted or after a placeholder, counts as well.
    """
    sources = {path: path.read_text(encoding="utf-8") for path in [*MODULES, *TEMPLATES]}

    def wrong(path: Path) -> list[str]:
        last = path.stem.partition("_")[2] or path.stem
        names = (path.stem, f'"{last}"', f"}}_{last}", f'_{last}"')
        texts = (text for other, text in sources.items() if other != path)
        return [] if any(name in text for text in texts for name in names) else ["unused"]

    assert offenders(wrong, TEMPLATES) == {}
