"""Keeping a previewed file sealed, opening it when it is accepted, forgetting it after a day."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from shared.database import DB
from shared.errors import Conflict, NotFound
from shared.identity import sealing
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import UPLOAD
from shared.uploads import queries
from shared.uploads.queries import Run

KEPT_FOR = timedelta(days=UPLOAD.days)
"""How long a previewed file waits to be accepted."""
SHOWN_FAULTS = 200
DONE = "这份文件已经导入过了，不用再导一次。"
EXPIRED = "这份预览已过期，请重新选择文件。"


async def sealed(
    actor: Actor,
    kind: str,
    name: str,
    data: bytes,
    kept: bytes,
    summary: msgspec.Struct | Mapping[str, int],
    now: datetime,
) -> Run:
    """The run of a previewed file, to be inserted; ``kept`` is what :func:`opened` gives back."""
    return Run(
        id=new_id(),
        kind=kind,
        file_name=name[:200],
        file_sha256=hashlib.sha256(data).digest(),
        created_at=now,
        created_by=actor.person_id,
        summary=msgspec.json.encode(summary).decode(),
        payload=await asyncio.to_thread(sealing.seal, kept),
    )


async def own(actor: Actor, run_id: UUID, kind: str) -> Run:
    """A run that the actor has previewed. Raises NotFound."""
    run = await queries.run(actor.county_id, run_id, kind)
    if run is None or run.created_by != actor.person_id:
        raise NotFound
    return run


async def opened(run: Run) -> bytes:
    """What was kept of the file. Raises Conflict when it was accepted or is gone."""
    if run.applied_at is not None:
        raise Conflict(DONE)
    if run.payload is None:
        raise Conflict(EXPIRED)
    return await asyncio.to_thread(sealing.open_, run.payload)


def report_name(run: Run) -> str:
    """Of the workbook with the faults marked."""
    return f"错误说明_{run.file_name.rpartition('.')[0] or run.file_name}.xlsx"


async def forget_old(county_id: int, now: datetime) -> int:
    """Forget files that nobody accepted within a day, and after a day whom accepted ones named."""
    async with DB.transaction():
        gone = await queries.forget_before(county_id, now - KEPT_FOR)
        await retention.record(county_id, UPLOAD, gone)
    return gone
