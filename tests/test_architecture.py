"""Who may import whom, and where SQL, the environment and the clock may stand."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shared", "points", "appraisal", "deploy")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "piccolo_migrations" not in path.parts and "node_modules" not in path.parts
)
BEFORE = {
    "shared": ("points", "appraisal", "deploy", "tests"),
    "points": ("appraisal", "deploy", "tests"),
    "appraisal": ("points", "deploy", "tests"),
    "deploy": ("tests",),
}
"""Package → what it must not import: imports point to the right, the services never meet."""
HTTP = ("litestar", "jinja2", "jinja2_fragments", "uvicorn", "shared.web")
DATABASE = ("asyncpg", "piccolo", "shared.database")
FORBIDDEN = {
    "rules.py": (*HTTP, *DATABASE, "os", "random", "secrets", "shared.clock", "redis"),
    "queries.py": HTTP,
    "service.py": HTTP,
    "schemas.py": (*HTTP, *DATABASE),
    "jobs.py": (*HTTP, *DATABASE),
    "api.py": DATABASE,
    "web.py": DATABASE,
    "tables.py": HTTP,
}
"""File name → modules it must not import, so that each layer knows only its own business."""
ALLOWED = {
    "rules.py": ("shared.clock.LOCAL_ZONE", "shared.clock.today"),
    "service.py": ("shared.web.ratelimit",),
}
LOWER = {
    "rules": ("queries", "service", "api", "web", "jobs"),
    "queries": ("service", "api", "web", "jobs"),
    "service": ("api", "web", "jobs"),
    "schemas": ("queries", "service", "api", "web", "jobs"),
    "api": ("queries",),
    "web": ("queries",),
}
"""Layer → layers it does not call, in any feature."""
SQL = re.compile(
    r"\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\S+\s+SET\s|DELETE FROM\s|WITH\s+\w+\s+AS\s)"
)
SQL_ELSEWHERE = {"shared/web/health.py"}
"""One question whether the database answers."""
ENVIRONMENT = {"shared/settings.py", "deploy/hatch_build.py"}
"""The build hook runs before there is a package to import."""
ENVIRONMENT_CALLS = {"os.environ", "os.environb", "os.getenv"}
CLOCK = {"shared/clock.py", "shared/ids.py"}
CLOCK_CALLS = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "time.time"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Full names of what a module imports (``from a import b`` → ``a`` and ``a.b``)."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def offenders(find: Callable[[Path], object], paths: Iterable[Path] = MODULES) -> dict[str, object]:
    """File → what is wrong with it."""
    return {name_of(path): found for path in paths if (found := find(path))}


def test_imports_point_to_the_right() -> None:
    """Deploy → points, appraisal → shared; the two services never import each other."""

    def wrong(path: Path) -> list[str]:
        package = path.relative_to(ROOT).parts[0]
        return [name for name in imports(path) if is_below(name, BEFORE[package])]

    assert offenders(wrong) == {}


def test_each_layer_knows_its_own_business() -> None:
    """Rules are pure, queries and services know no HTTP, handlers no database."""

    def wrong(path: Path) -> list[str]:
        allowed = ALLOWED.get(path.name, ())
        return [
            name
            for name in imports(path)
            if is_below(name, FORBIDDEN[path.name])
            and not is_below(name, allowed)
            and not any(permitted.startswith(f"{name}.") for permitted in allowed)
        ]

    assert offenders(wrong, (path for path in MODULES if path.name in FORBIDDEN)) == {}


def test_layers_call_downwards() -> None:
    """Web and API → service → rules and queries, across features too."""

    def wrong(path: Path) -> list[str]:
        parts = [name.split(".") for name in imports(path)]
        lower = set(LOWER[path.stem])
        return [".".join(name) for name in parts if name[0] in PACKAGES and set(name[2:4]) & lower]

    assert offenders(wrong, (path for path in MODULES if path.stem in LOWER)) == {}


def test_sql_stands_in_queries() -> None:
    """Statements stand in queries.py (or x_queries.py) and sql/; deploy administers the server."""

    def wrong(path: Path) -> list[str]:
        tree = ast.walk(ast.parse(path.read_bytes()))
        texts = (node.value for node in tree if isinstance(node, ast.Constant))
        return [text[:80] for text in texts if isinstance(text, str) and SQL.match(text)]

    elsewhere = (
        path
        for path in MODULES
        if not path.name.endswith("queries.py")
        and path.relative_to(ROOT).parts[0] != "deploy"
        and name_of(path) not in SQL_ELSEWHERE
    )
    assert offenders(wrong, elsewhere) == {}


def test_environment_and_clock_have_one_reader() -> None:
    """``os.environ`` in settings.py, ``datetime.now`` and ``date.today`` in clock.py."""

    def wrong(path: Path) -> set[str]:
        tree = ast.walk(ast.parse(path.read_bytes()))
        used = {ast.unparse(node) for node in tree if isinstance(node, ast.Attribute)}
        environment = set() if name_of(path) in ENVIRONMENT else ENVIRONMENT_CALLS
        clock = set() if name_of(path) in CLOCK else CLOCK_CALLS
        return used & (environment | clock)

    assert offenders(wrong) == {}


def test_packages_do_nothing_when_imported() -> None:
    """An ``__init__.py`` is one docstring."""

    def wrong(path: Path) -> list[str]:
        body = ast.parse(path.read_bytes()).body
        return [] if len(body) == 1 and ast.get_docstring(ast.Module(body, [])) else ["more"]

    assert offenders(wrong, (path for path in MODULES if path.name == "__init__.py")) == {}
