"""Statements from the command line: a month at once, without a person signed in."""

import asyncio
from datetime import datetime

import msgspec

from points.errors import StatementChanged
from points.settlement import documents, queries, signing
from points.settlement.reports.service import File
from shared.audit import service as audit
from shared.documents.excel import digest, file_name
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
    files: list[File] = []
    for statement in await queries.statements_of_month(county_id, month):
        lines = await queries.lines(county_id, statement.id)
        disputes = await queries.disputes(county_id, statement.id)
        disputed = frozenset(d.line_id for d in disputes if d.excludes(statement.frozen_at))
        content = await asyncio.to_thread(documents.statement_file, statement, lines, disputed)
        if digest(content) != statement.file_sha256:
            raise StatementChanged(
                f"{statement.shop_name}的对账单与生成时的指纹不一致，请核查后再导出。"
            )
        name = file_name(documents.statement_name(statement), month, now)
        files.append((name, content))
    if files:
        await audit.record(
            None,
            "export",
            "export",
            county_id=county_id,
            unit_code=county_code(county_id),
            after={"month": month, "n": len(files)},
        )
    return files
