"""Looks at every statement that our code sends while the tests run.

Business tables are distributed by county: a statement that touches one without ``county_id``
would ask every shard, or mix counties.
"""

import re
import sys
from pathlib import Path
from types import FrameType

from asyncpg import Connection
from asyncpg.connection import LoggedQuery

ROOT = Path(__file__).resolve().parent.parent
OURS = tuple(f"{ROOT}/{package}/" for package in ("shared", "points", "appraisal", "deploy"))
TESTS = f"{ROOT}/tests/"
TABLE = re.compile(r'"?\b(?:shared|points|appraisal)\b"?\."?(?!county\b)[a-z_]+"?(?![a-z_"(])')
violations: list[str] = []


async def inspect_statements(connection: Connection) -> None:
    """Watch a connection of the pool."""
    connection.add_query_logger(_inspect)


def _inspect(query: LoggedQuery) -> None:
    sql = query.query
    if TABLE.search(sql) and "county_id" not in sql and _is_ours():
        violations.append(" ".join(sql.split())[:300])


def _is_ours() -> bool:
    """Whether the statement comes from our code rather than straight from a test."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(TESTS) and not name.startswith(__file__):
            return False
        if name.startswith(OURS) and not name.endswith("shared/database.py"):
            return True
        frame = frame.f_back
    return False
