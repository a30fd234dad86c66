"""SQL of document templates. ``$1`` is the county everywhere."""

from datetime import datetime
from uuid import UUID

from appraisal.documents.schemas import TemplateRow
from shared.database import DB

HISTORY = """
SELECT t.kind, t.version, t.current, t.file_name, t.content IS NOT NULL AS own, t.reason,
       p.name AS uploaded_by_name, t.uploaded_at
FROM appraisal.document_template t
JOIN shared.person p ON p.county_id = t.county_id AND p.id = t.uploaded_by
WHERE t.county_id = $1
ORDER BY t.kind, t.version DESC LIMIT 200
"""
CURRENT = """
SELECT content FROM appraisal.document_template WHERE county_id = $1 AND kind = $2 AND current
"""
LAST = """
SELECT version FROM appraisal.document_template
WHERE county_id = $1 AND kind = $2 ORDER BY version DESC LIMIT 1
"""
RETIRE = """
UPDATE appraisal.document_template SET current = false
WHERE county_id = $1 AND kind = $2 AND current
"""
INSERT = """
INSERT INTO appraisal.document_template (county_id, id, kind, version, current, file_name, content,
    sha256, reason, uploaded_by, uploaded_at)
VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8, $9, $10)
"""


async def history(county_id: int) -> list[TemplateRow]:
    return await DB.all(TemplateRow, HISTORY, county_id)


async def current(county_id: int, kind: str) -> bytes | None:
    """The county's own template, or None for the product's."""
    found: bytes | None = await DB.fetchval(CURRENT, county_id, kind)
    return found


async def last_version(county_id: int, kind: str) -> int:
    return int(await DB.fetchval(LAST, county_id, kind) or 0)


async def replace(
    county_id: int,
    template_id: UUID,
    kind: str,
    version: int,
    file: tuple[str, bytes | None, bytes | None],
    stamp: tuple[str, UUID, datetime],
) -> None:
    """``file``: name, content, SHA-256; ``stamp``: reason, who, when."""
    await DB.execute(RETIRE, county_id, kind)
    await DB.execute(INSERT, county_id, template_id, kind, version, *file, *stamp)
