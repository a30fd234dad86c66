"""The registry names what the schema has: no table with somebody in it is forgotten."""

from shared.database import DB
from shared.retention.registry import REGISTRY

SOMEBODY = """
SELECT DISTINCT a.attrelid::regclass::text AS name
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND NOT c.relispartition
WHERE c.relnamespace::regnamespace::text IN ('shared', 'points', 'appraisal')
  AND a.attname IN ('person_id', 'worker_id', 'account_id', 'phone_cipher', 'photo', 'collector',
                    'worker', 'actor_name', 'server_name', 'made_name', 'payload', 'household')
"""
TABLES = """
SELECT c.oid::regclass::text AS name FROM pg_class c
WHERE c.relkind IN ('r', 'p')
  AND c.relnamespace::regnamespace::text IN ('shared', 'points', 'appraisal')
"""


async def test_every_table_with_somebody_in_it_is_listed(rollback: None) -> None:
    """And every listed one exists."""
    listed = {table for kept in REGISTRY for table in kept.tables}
    assert sorted({row["name"] for row in await DB.fetch(SOMEBODY)} - listed) == []
    assert sorted(listed - {row["name"] for row in await DB.fetch(TABLES)}) == []
