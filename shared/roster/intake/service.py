"""Import of an office's roster: look first, write what was looked at, all or nothing.

The file of a preview is kept sealed until it is accepted or a day has passed. What is accepted is
what was shown: if the roster changed in between, the import is refused and shown again. Imports
of one county wait for each other.
"""

import asyncio
import hashlib
import time
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import ExclusionViolationError, UniqueViolationError

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.documents.faults import fault_report
from shared.documents.read import Table
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, reach, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service
from shared.roster.intake import queries
from shared.roster.intake.columns import (
    columns_note,
    county_name_of,
    read_divisions,
    read_entries,
    read_roster,
)
from shared.roster.intake.plan import Options, make_plan
from shared.roster.intake.schemas import Divisions, Entry, Plan, Preview
from shared.roster.intake.write import Progress, write_plan
from shared.roster.rules import county_code
from shared.uploads import queries as runs
from shared.uploads import service as uploads
from shared.uploads.queries import Run

KIND = "roster"
NO_PAPERS = "网格员调岗要有本人书面同意或决定文书。请逐人核对，勾选后再导入；没有的，从表里改回去。"
CHANGED = "名册刚刚有了变化，这次没有导入。请重新预览，核对后再导入。"


class RosterFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the user hands in."""

    name: str
    data: bytes
    divisions_name: str = ""
    divisions: bytes = b""
    end_missing: bool = False


class FaultyFile(Invalid):
    """Nothing was written: the file has faults, which ``report`` shows in red."""

    code = "faulty_file"

    def __init__(self, preview: Preview, report: bytes) -> None:
        super().__init__(
            f"文件有 {preview.fault_count} 处错误，没有导入任何内容。", {"file": preview.faults[0]}
        )
        self.preview = preview
        self.report = report


class Outcome(msgspec.Struct):
    """What an import would do, or did, and the workbook with its faults marked."""

    preview: Preview
    report: bytes
    plan: Plan


def _silent(_step: str) -> None:
    pass


async def dry_run(
    county_id: int,
    file: RosterFile,
    now: datetime,
    *,
    within: tuple[str, ...] = (),
    progress: Progress = _silent,
) -> Outcome:
    """What the file would do; nothing is written. Raises BadFile."""
    started = time.perf_counter()
    progress("读取文件")
    table, entries, divisions = await asyncio.to_thread(_read, county_id, file, now)
    outcome = await _compare(county_id, file, table, entries, divisions, now, within, progress)
    outcome.preview.seconds = time.perf_counter() - started
    return outcome


async def apply(
    county_id: int,
    file: RosterFile,
    now: datetime,
    *,
    actor: Actor | None = None,
    within: tuple[str, ...] = (),
    expected: str = "",
    run_id: UUID | None = None,
    progress: Progress = _silent,
) -> Outcome:
    """Write the difference in one transaction.

    ``expected`` is the digest of the accepted preview. Raises BadFile, FaultyFile, Conflict.
    """
    started = time.perf_counter()
    progress("读取文件")
    table, entries, divisions = await asyncio.to_thread(_read, county_id, file, now)
    try:
        async with DB.transaction():
            await service.add_county(county_id, _county_name(table, divisions, county_id))
            await queries.lock_county(county_id)
            run = await runs.run(county_id, run_id, KIND) if run_id else None
            if run and run.applied_at is not None:
                raise Conflict(uploads.DONE)
            outcome = await _compare(
                county_id, file, table, entries, divisions, now, within, progress
            )
            if table.faults:
                raise FaultyFile(outcome.preview, outcome.report)
            if expected and expected != outcome.preview.digest:
                raise Conflict(CHANGED)
            await write_plan(county_id, outcome.plan, now, actor, progress)
            await _record(county_id, file, outcome.preview, now, actor, run_id)
    except (UniqueViolationError, ExclusionViolationError) as error:
        raise Conflict(CHANGED) from error
    progress("完成")
    outcome.preview.seconds = time.perf_counter() - started
    return outcome


async def preview(actor: Actor, file: RosterFile, now: datetime) -> tuple[UUID, Outcome]:
    """A dry run whose file is kept, sealed, to be accepted. Raises BadFile."""
    within = _within(actor)
    outcome = await dry_run(actor.county_id, file, now, within=within)
    run = await uploads.sealed(
        actor, KIND, file.name, file.data, msgspec.msgpack.encode(file), outcome.preview, now
    )
    async with DB.transaction():
        await runs.insert(actor.county_id, run)
        await audit.record(
            actor,
            Action.ROSTER_IMPORT,
            "import_run",
            run.id,
            county_id=actor.county_id,
            unit_code=within[0],
            after=outcome.preview.counts,
            reason="预览",
        )
    return run.id, outcome


async def previewed(actor: Actor, run_id: UUID) -> tuple[Run, Preview]:
    """A preview made before by the same person."""
    _within(actor)
    run = await uploads.own(actor, run_id, KIND)
    return run, msgspec.json.decode(run.summary, type=Preview)


async def accept(
    actor: Actor, run_id: UUID, now: datetime, *, end_missing: bool = False, papers: bool = False
) -> Outcome:
    """Write an accepted preview; ``papers`` says that there is one for each gridworker moved.

    Raises NotFound, Conflict, FaultyFile.
    """
    run, shown = await previewed(actor, run_id)
    file = await _kept(run)
    if shown.transfers and not papers:
        raise Conflict(NO_PAPERS)
    return await apply(
        actor.county_id,
        msgspec.structs.replace(file, end_missing=end_missing),
        now,
        actor=actor,
        within=_within(actor),
        expected=shown.digest,
        run_id=run_id,
    )


async def report(actor: Actor, run_id: UUID, now: datetime) -> tuple[str, bytes]:
    """The workbook of a preview with its faults marked: file name and content."""
    run, _ = await previewed(actor, run_id)
    file = await _kept(run)
    outcome = await dry_run(actor.county_id, file, now, within=_within(actor))
    return uploads.report_name(run), outcome.report


async def give_up(actor: Actor, run_id: UUID) -> None:
    """Forget a previewed file."""
    run, _ = await previewed(actor, run_id)
    await runs.forget(actor.county_id, run.id)


def _within(actor: Actor) -> tuple[str, ...]:
    """The units the actor may import for. Raises NotFound when there are none."""
    codes = reach(actor, Action.ROSTER_IMPORT)
    if not codes:
        require(actor, Action.ROSTER_IMPORT, whole_county(actor.county_id))
    return codes


async def _kept(run: Run) -> RosterFile:
    return msgspec.msgpack.decode(await uploads.opened(run), type=RosterFile)


def _read(
    county_id: int, file: RosterFile, now: datetime
) -> tuple[Table, list[Entry], Divisions | None]:
    """Everything that needs only the file; runs in a thread."""
    divisions = None
    if file.divisions:
        divisions = read_divisions(file.divisions, file.divisions_name, county_id)
    table = read_roster(file.data, file.name)
    entries = read_entries(table, county_id, today(now))
    return table, entries, divisions


async def _compare(
    county_id: int,
    file: RosterFile,
    table: Table,
    entries: list[Entry],
    divisions: Divisions | None,
    now: datetime,
    within: tuple[str, ...],
    progress: Progress,
) -> Outcome:
    progress("与名册比对")
    known = await queries.known(county_id)
    name = _county_name(table, divisions, county_id)
    if county_code(county_id) not in known.units:
        root = service.county_unit(county_id, name)
        known = msgspec.structs.replace(known, units={root.code: root, **known.units})
    options = Options(
        county_id=county_id, today=today(now), end_missing=file.end_missing, within=within
    )
    plan = make_plan(table, entries, known, divisions, options, new_id)
    shown = _preview(table, plan)
    content = await asyncio.to_thread(fault_report, table)
    return Outcome(shown, content, plan)


def _county_name(table: Table, divisions: Divisions | None, county_id: int) -> str:
    found = (divisions.county if divisions else "") or county_name_of(table)
    return found or county_code(county_id)


def _preview(table: Table, plan: Plan) -> Preview:
    counts = {
        "新单位": len(plan.new_units),
        "单位变更": len(plan.changed_units),
        "新岗位": len(plan.new_posts),
        "新到岗": len(plan.joined),
        "调整岗位": len(plan.moved),
        "离任": len(plan.ends) - len(plan.moved),
        "信息更正": len(plan.changed),
        "没有变化": plan.unchanged,
        "不在新表": len(plan.missing),
    }
    shown = Preview(
        rows=len(table.rows),
        counts=counts,
        joined=plan.joined,
        moved=plan.moved,
        transfers=plan.transfers,
        left=plan.left,
        changed=plan.changed,
        renamed=plan.renamed,
        missing=plan.missing,
        staying=plan.staying,
        faults=table.sentences(uploads.SHOWN_FAULTS),
        fault_count=len(table.faults),
        notes=list(columns_note(table)),
    )
    lines = (plan.joined, plan.moved, plan.left, plan.changed, plan.renamed, plan.missing)
    shown.digest = hashlib.sha256(msgspec.json.encode(lines)).hexdigest()
    return shown


async def _record(
    county_id: int,
    file: RosterFile,
    shown: Preview,
    now: datetime,
    actor: Actor | None,
    run_id: UUID | None,
) -> None:
    """The run itself: what file, when, by whom, what came of it; names stay out."""
    summary = Preview(rows=shown.rows, counts=shown.counts, notes=shown.notes, digest=shown.digest)
    encoded = msgspec.json.encode(summary).decode()
    if run_id is not None:
        if not await runs.mark_applied(county_id, run_id, now, encoded):
            raise Conflict(uploads.DONE)
    else:
        run_id = new_id()
        run = Run(
            id=run_id,
            kind=KIND,
            file_name=file.name[:200],
            file_sha256=hashlib.sha256(file.data).digest(),
            created_at=now,
            created_by=actor.person_id if actor else None,
            applied_at=now,
            summary=encoded,
        )
        await runs.insert(county_id, run)
    await audit.record(
        actor,
        Action.ROSTER_IMPORT,
        "import_run",
        run_id,
        county_id=county_id,
        unit_code=_within(actor)[0] if actor else "",
        after=shown.counts,
        reason="导入",
    )
