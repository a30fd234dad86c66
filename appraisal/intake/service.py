"""A workbook is looked at first (the real path, rolled back), then accepted as it was shown.

Nothing is written while a cell is wrong: the same workbook comes back with red cells and a column
错误说明. The file waits sealed for a day; if the data changed in between, it is shown again.
"""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.intake.rules import Kind, Outcome
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB, Rollback
from shared.documents import excel
from shared.documents.faults import fault_report
from shared.documents.read import Table, read_table
from shared.errors import Conflict, Invalid
from shared.identity.access import reach, require, whole_county
from shared.identity.actor import Actor
from shared.uploads import queries
from shared.uploads import service as uploads
from shared.uploads.queries import Run

SHOWN_LINES = 500
CHANGED = "数据刚刚有了变化，这次没有导入。请重新选择文件，核对后再导入。"


class File(msgspec.Struct, frozen=True):
    """What the user hands in."""

    name: str
    data: bytes


class Faulty(Invalid):
    """Nothing was written: the file has faults."""

    code = "faulty_file"

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"文件有 {outcome.fault_count} 处错误，没有导入任何内容。")


async def preview(actor: Actor, kind: Kind, file: File, now: datetime) -> tuple[UUID, Outcome]:
    """What the file would do; it is kept to be accepted. Raises NotFound, BadFile."""
    expect_right(actor, kind)
    outcome, _ = await _tried(actor, kind, file, now)
    run = await uploads.sealed(
        actor, kind.name, file.name, file.data, msgspec.msgpack.encode(file), outcome, now
    )
    await queries.insert(actor.county_id, run)
    return run.id, outcome


async def previewed(actor: Actor, kind: Kind, run_id: UUID) -> tuple[Run, Outcome]:
    """A preview made before by the same person. Raises NotFound."""
    expect_right(actor, kind)
    run = await uploads.own(actor, run_id, kind.name)
    return run, msgspec.json.decode(run.summary, type=Outcome)


async def accept(actor: Actor, kind: Kind, run_id: UUID, now: datetime) -> Outcome:
    """Write what was shown. Raises NotFound, Conflict, Faulty, Frozen."""
    run, shown = await previewed(actor, kind, run_id)
    file = await _kept(run)
    table = await asyncio.to_thread(
        read_table, file.data, file.name, kind.columns, dropped=kind.dropped
    )
    async with DB.transaction():
        if await queries.lock_applied(actor.county_id, run_id):
            raise Conflict(uploads.DONE)
        outcome = await _stored(actor, kind, file, table, now)
        if outcome.fault_count:
            raise Faulty(outcome)
        if outcome.digest != shown.digest:
            raise Conflict(CHANGED)
        encoded = msgspec.json.encode(outcome).decode()
        if not await queries.mark_applied(actor.county_id, run_id, now, encoded):
            raise Conflict(uploads.DONE)
        await audit.record(
            actor,
            kind.action,
            "import_run",
            run_id,
            county_id=actor.county_id,
            after={
                "kind": kind.name,
                "rows": outcome.rows,
                "created": outcome.created,
                "corrected": outcome.corrected,
                "same": outcome.same,
            },
            reason=f"导入文件 {run.file_name}",
        )
    return outcome


async def report(actor: Actor, kind: Kind, run_id: UUID, now: datetime) -> tuple[str, bytes]:
    """The workbook of a preview with its faults marked: file name and content."""
    run, _ = await previewed(actor, kind, run_id)
    _, table = await _tried(actor, kind, await _kept(run), now)
    content = await asyncio.to_thread(fault_report, table)
    return uploads.report_name(run), content


async def give_up(actor: Actor, kind: Kind, run_id: UUID) -> None:
    """Forget a previewed file. Raises NotFound."""
    run, _ = await previewed(actor, kind, run_id)
    await queries.forget(actor.county_id, run.id)


async def template(actor: Actor, kind: Kind, now: datetime) -> tuple[str, bytes]:
    """The sheet to fill in. Raises NotFound."""
    expect_right(actor, kind)
    sheet = await kind.template(actor, today(now))
    content = await asyncio.to_thread(excel.workbook, sheet)
    return f"{kind.title}导入模板.xlsx", content


def expect_right(actor: Actor, kind: Kind) -> None:
    """Raises NotFound unless there is some unit the actor may import for."""
    if not reach(actor, kind.action):
        require(actor, kind.action, whole_county(actor.county_id))


async def _tried(actor: Actor, kind: Kind, file: File, now: datetime) -> tuple[Outcome, Table]:
    table = await asyncio.to_thread(
        read_table, file.data, file.name, kind.columns, dropped=kind.dropped
    )
    outcome = Outcome()
    async with DB.revocable():
        outcome = await _stored(actor, kind, file, table, now)
        raise Rollback
    return outcome, table


async def _stored(actor: Actor, kind: Kind, file: File, table: Table, now: datetime) -> Outcome:
    outcome = await kind.store(actor, table, now, f"导入文件 {file.name[:100]}")
    outcome.rows = len(table.rows)
    outcome.faults = table.sentences(uploads.SHOWN_FAULTS)
    outcome.fault_count = len(table.faults)
    outcome.left_out = table.unknown
    if note := table.hidden_note():
        outcome.notes.append(note)
    lines = msgspec.json.encode([outcome.lines, outcome.created, outcome.same])
    outcome.digest = hashlib.sha256(lines).hexdigest()
    if len(outcome.lines) > SHOWN_LINES:
        outcome.notes.append(f"只列出前 {SHOWN_LINES} 行变化。")
        outcome.lines = outcome.lines[:SHOWN_LINES]
    return outcome


async def _kept(run: Run) -> File:
    return msgspec.msgpack.decode(await uploads.opened(run), type=File)
