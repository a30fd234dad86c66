"""An office's file on its way in: read as a whole, written as a whole or not at all.

Nothing is written while a cell is wrong, and a dry run is the real path, rolled back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from shared.audit import service as audit
from shared.database import DB, Rollback
from shared.documents.faults import fault_report
from shared.documents.read import Column, Table, read_table
from shared.identity.actor import Actor


class Imported(msgspec.Struct):
    """What a file did or, in a dry run, would do; ``report`` is the marked workbook if faulty."""

    rows: int
    created: int = 0
    changed: int = 0
    same: int = 0
    shelved: int = 0
    """Shelves whose stock differs from the file's 初始库存, which only begins a shelf."""
    lines: list[str] = []
    """Every creation and change in words."""
    faults: list[str] = []
    report: bytes | None = None
    left_out: list[str] = []
    """Titles of columns that nobody reads."""
    hidden: str = ""
    """Says which hidden rows were read."""

    def add(self, line: str) -> None:
        self.created += 1
        self.lines.append(line)

    def change(self, line: str) -> None:
        self.changed += 1
        self.lines.append(line)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps of one import have in common; ``actor`` None is the console."""

    actor: Actor | None
    county_id: int
    now: datetime
    table: Table
    result: Imported


async def run(
    actor: Actor | None,
    county_id: int,
    kind: str,
    columns: Sequence[Column],
    file: tuple[str, bytes],
    write: Callable[[Run], Awaitable[None]],
    now: datetime,
    *,
    dry_run: bool,
) -> Imported:
    """Read a file (its name and content) and ``write`` it; wrong cells are faults of the result.

    Raises BadFile, and what ``write`` raises.
    """
    name, data = file
    table = await asyncio.to_thread(read_table, data, name, columns)
    result = Imported(rows=len(table.rows), left_out=table.unknown, hidden=table.hidden_note())
    async with DB.revocable():
        await write(
            Run(actor=actor, county_id=county_id, now=now, table=table, result=result),
        )
        if table.faults or dry_run:
            raise Rollback
        if result.created or result.changed:
            await audit.record(
                actor,
                f"import.{kind}",
                "import",
                county_id=county_id,
                after={"file": name, "created": result.created, "changed": result.changed},
            )
    if table.faults:
        result.faults = table.sentences()
        result.report = await asyncio.to_thread(fault_report, table)
        result.created = result.changed = result.same = 0
        result.lines = []
    return result
