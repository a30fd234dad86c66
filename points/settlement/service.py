"""Statements as people handle them: look, download, object, decide.

A disputed line leaves the payable sum until it is decided. A dispute changes the file and so takes
the signatures back; one that is decided after the freeze is part of the next opening.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from points.errors import StatementChanged, StatementFrozen
from points.settlement import building, documents, files, queries, rules, signing
from points.settlement.rules import Part
from points.settlement.schemas import DisputeRow, LineRow, Listed, StatementRow, View
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.database import DB
from shared.documents.excel import file_name
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity import sessions
from shared.identity.access import Action, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id

PAGE = 50
MOST_OPEN = 10_000
"""Statements of a county that still want a signature: two or three months of a thousand funds."""
MAX_REASON = 200
UNDONE = "这一笔已经撤销，撤销那一行会把它抵掉，不用再提异议；提了反而少付一笔。"


async def list_statements(
    actor: Actor, *, month: str = "", state: str = "", text: str = "", page: int = 1
) -> tuple[list[Listed], int]:
    """Statements of the actor's units and shops, newest month first."""
    within = (actor.shops, reach(actor, Action.STATEMENT_VIEW))
    filters = (rules.checked_month(month) if month else "", state, text.strip())
    window = (PAGE, (max(page, 1) - 1) * PAGE)
    rows = await queries.statements(actor.county_id, filters, within, window)
    listed = await _listed(actor.county_id, rows)
    return listed, await queries.count_statements(actor.county_id, filters, within)


async def to_sign(actor: Actor) -> list[Listed]:
    """Statements whose next signature may be the actor's."""
    within = (actor.shops, reach(actor, Action.STATEMENT_VIEW))
    rows = await queries.statements(actor.county_id, ("", "built", ""), within, (MOST_OPEN, 0))
    found: list[Listed] = []
    for item in await _listed(actor.county_id, rows):
        if not signing.ever_signs(actor, item.statement, item.signed):
            continue
        signatures = await queries.signatures(actor.county_id, item.statement.id)
        if await signing.may_sign(actor, item.statement, signatures):
            found.append(item)
    return found


async def to_decide(actor: Actor) -> list[Listed]:
    """Statements with an objection that the actor may decide."""
    codes = reach(actor, Action.STATEMENT_DISPUTE, signing.UPPER)
    rows = await queries.disputed(actor.county_id, codes, actor.person_id)
    return await _listed(actor.county_id, rows)


async def view(actor: Actor, statement_id: UUID) -> View:
    """One statement with its lines, disputes and signatures. Raises NotFound."""
    county_id = actor.county_id
    found = await queries.statement(county_id, statement_id)
    if found is None:
        raise NotFound
    require(actor, Action.STATEMENT_VIEW, signing.target(found))
    disputes = await queries.disputes(county_id, found.id)
    excluded = {row.line_id for row in disputes if row.excludes(found.frozen_at)}
    signatures = await queries.signatures(county_id, found.id)
    lines = [
        msgspec.structs.replace(line, disputed=line.id in excluded)
        for line in await queries.lines(county_id, found.id)
    ]
    disputable: list[LineRow] = []
    if not found.frozen and allowed(actor, Action.STATEMENT_DISPUTE, signing.target(found)).allowed:
        taken = {row.line_id for row in disputes if row.state != "withdrawn"}
        taken |= await queries.undone(county_id, found.id)
        disputable = [line for line in lines if line.id not in taken]
    return View(
        statement=found,
        lines=tuple(lines),
        disputes=tuple(disputes),
        signatures=tuple(signatures),
        may_sign=tuple(await signing.may_sign(actor, found, signatures)),
        disputable=tuple(disputable),
        may_decide=allowed(actor, Action.STATEMENT_DISPUTE, signing.decider(found)).allowed,
    )


async def file(actor: Actor, statement_id: UUID) -> tuple[str, bytes, View]:
    """Its Excel file, name and content; the content hashes to what was signed.

    Raises StatementChanged when it does not: the rows are not those that were hashed.
    """
    found = await view(actor, statement_id)
    content = await files.content(actor.county_id, found.statement)
    name = documents.statement_name(found.statement)
    return file_name(name, found.statement.month, clock_now()), content, found


async def export(actor: Actor, statement_id: UUID) -> tuple[str, bytes]:
    """The file to take away: needs a recent password and is logged. Raises ConfirmFirst too."""
    sessions.require_confirmed(actor, clock_now())
    name, content, found = await file(actor, statement_id)
    rows, unit = found.statement.line_count, found.statement.unit_code
    await audit.log_export(actor, name, "对账", rows, clock_now(), unit_code=unit)
    return name, content


async def dispute(
    actor: Actor, statement_id: UUID, line_id: UUID, reason: str, now: datetime
) -> View:
    """有异议: the line leaves the payable sum, and signatures given so far are taken back."""
    text = _reason(reason, "reason")
    async with DB.transaction():
        found = await _locked(actor, statement_id)
        authority = require(actor, Action.STATEMENT_DISPUTE, signing.target(found))
        if found.frozen:
            raise StatementFrozen
        if line_id not in {line.id for line in await queries.lines(actor.county_id, found.id)}:
            raise NotFound
        if line_id in await queries.undone(actor.county_id, found.id):
            raise Invalid(UNDONE, {"reason": UNDONE})
        row = DisputeRow(
            id=new_id(),
            statement_id=found.id,
            line_id=line_id,
            part=authority.partition("@")[0],
            reason=text,
            raised_by=actor.person_id,
            raised_name=actor.name,
            raised_at=now,
            state="open",
        )
        try:
            async with DB.transaction():
                await queries.insert_dispute(actor.county_id, row)
        except UniqueViolationError as error:
            raise StatementChanged("这一笔已经有异议了，请刷新页面查看。") from error
        await _refile(actor, found, row.raised_at)
        await signing.record(
            actor, found, "statement.dispute", reason=text, after={"line": line_id}
        )
    return await view(actor, statement_id)


async def withdraw(actor: Actor, dispute_id: UUID, now: datetime) -> View:
    """Whoever objected takes it back, before the freeze."""
    async with DB.transaction():
        row, found = await _disputed(actor, dispute_id)
        if found.frozen:
            raise StatementFrozen
        if row.raised_by != actor.person_id:
            raise Forbidden("只有提出异议的人可以撤回；其他人可请乡镇或县里裁定。")
        await _settle(actor, found, row, "withdrawn", "", now)
    return await view(actor, found.id)


async def decide(actor: Actor, dispute_id: UUID, note: str, *, pay: bool, now: datetime) -> View:
    """The township or the department decides a disputed line: pay it or not.

    After the freeze a line to be paid becomes part of the next statement's opening.
    """
    text = _reason(note, "note")
    async with DB.transaction():
        row, found = await _disputed(actor, dispute_id)
        require(actor, Action.STATEMENT_DISPUTE, signing.decider(found))
        if row.raised_by == actor.person_id:
            raise Forbidden("这条异议是您提出的，请换一个人来裁定。")
        state = "payable" if pay else "refused"
        await _settle(actor, found, row, state, text, now)
    return await view(actor, found.id)


async def _listed(county_id: int, rows: Sequence[StatementRow]) -> list[Listed]:
    signed = await queries.signed(county_id, [row.id for row in rows])
    return [
        Listed(row, tuple(part for part in Part if part in signed.get(row.id, ()))) for row in rows
    ]


async def _locked(actor: Actor, statement_id: UUID) -> StatementRow:
    """A statement the actor may see, locked until the transaction ends."""
    found = await queries.statement_locked(actor.county_id, statement_id)
    if found is None:
        raise NotFound
    require(actor, Action.STATEMENT_VIEW, signing.target(found))
    return found


def _reason(text: str, field: str) -> str:
    found = text.strip()
    if not 1 <= len(found) <= MAX_REASON:
        sentence = f"请写明理由，最多 {MAX_REASON} 个字。"
        raise Invalid(sentence, {field: sentence})
    return found


async def _disputed(actor: Actor, dispute_id: UUID) -> tuple[DisputeRow, StatementRow]:
    row = await queries.dispute(actor.county_id, dispute_id)
    if row is None:
        raise NotFound
    return row, await _locked(actor, row.statement_id)


async def _settle(
    actor: Actor, statement: StatementRow, row: DisputeRow, state: str, note: str, at: datetime
) -> None:
    """End a dispute; while the statement is open its sum changes, later the next opening does."""
    if not await queries.decide_dispute(actor.county_id, row.id, state, actor.person_id, at, note):
        raise StatementChanged("这条异议已经处理过了，请刷新页面查看。")
    if not statement.frozen:
        await _refile(actor, statement, at)
    await signing.record(
        actor,
        statement,
        f"statement.dispute_{state}",
        reason=note,
        before={"dispute": row.id, "state": row.state},
        after={"dispute": row.id, "state": state},
    )


async def _refile(actor: Actor, statement: StatementRow, at: datetime) -> None:
    """New sums, a new file; whoever signed the old one signs again."""
    new = await building.refile(actor.county_id, statement)
    taken_back = await queries.void_signatures(actor.county_id, statement.id, at)
    await signing.record(
        actor,
        statement,
        "statement.refile",
        before={"payable_fen": statement.payable_fen, "file": statement.file_hash},
        after={"payable_fen": new.payable_fen, "file": new.file_hash, "voided": taken_back},
    )
