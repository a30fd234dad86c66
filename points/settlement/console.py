"""Statements from the command line: a month at once, without a person signed in."""

from datetime import datetime

import msgspec

from points.settlement import documents, files, queries, signing
from points.settlement.reports.service import File
from shared.audit import service as audit
from shared.documents.excel import file_name
from shared.errors import NotFound
from shared.roster.rules import county_code


class PaperSigned(msgspec.Struct):
    """What was entered from paper."""

    statements: int = 0
    signatures: int = 0
    stand_ins: int = 0
    frozen: int = 0
    stuck: list[str] = []
    """Statements for which somebody is still missing."""


async def sign_month(county_id: int, month: str, now: datetime, shop: str = "") -> PaperSigned:
    """Enter the paper signatures of every statement of a month, or of one shop's.

    Raises NotFound for a shop that has none.
    """
    found = await queries.statements_of_month(county_id, month)
    ids = [row.id for row in found if not shop or row.shop_name == shop]
    if shop and not ids:
        raise NotFound(f"这个月没有“{shop}”的对账单，请核对店名和月份。")
    entered = await signing.sign_on_paper(county_id, ids, now)
    after = [row for row in await queries.statements_of_month(county_id, month) if row.id in ids]
    return PaperSigned(
        statements=len(ids),
        signatures=len(entered),
        stand_ins=sum(row.stand_in for row in entered),
        frozen=sum(row.frozen for row in after),
        stuck=[f"{row.shop_name}／{row.fund_name}" for row in after if not row.frozen],
    )


async def statement_files(county_id: int, month: str, now: datetime) -> list[File]:
    """Every statement of a month as its file. Raises StatementChanged if one does not hash."""
    found: list[File] = []
    for statement in await queries.statements_of_month(county_id, month):
        content = await files.content(county_id, statement)
        name = file_name(documents.statement_name(statement), month, now)
        found.append((name, content))
    if found:
        await audit.record(
            None,
            "export",
            "export",
            county_id=county_id,
            unit_code=county_code(county_id),
            after={"month": month, "n": len(found)},
        )
    return found
