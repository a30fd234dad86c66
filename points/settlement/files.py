"""The file of a statement, as it was hashed and signed."""

import asyncio

from points.errors import StatementChanged
from points.settlement import documents, queries
from points.settlement.schemas import StatementRow
from shared.documents.excel import digest


async def content(county_id: int, statement: StatementRow) -> bytes:
    """The stored file; of a statement from before files were stored it is made from its rows.

    Raises StatementChanged when it does not hash to what was signed.
    """
    found = await queries.file(county_id, statement.id)
    if found is None:
        lines = await queries.lines(county_id, statement.id)
        disputes = await queries.disputes(county_id, statement.id)
        disputed = frozenset(row.line_id for row in disputes if row.excludes(statement.frozen_at))
        found = await asyncio.to_thread(documents.statement_file, statement, lines, disputed)
    if digest(found) != statement.file_sha256:
        raise StatementChanged(
            f"{statement.shop_name}的对账单文件与生成时的指纹不一致，请联系系统管理员核查。"
        )
    return found
