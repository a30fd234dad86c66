"""Building statements: which redemptions, and undoings, each fund owes each shop for a month.

A build takes up what happened before the end of its month and stands in no statement yet, so that
each redemption is in exactly one and a straggler lands in the next. Until its month is over or
somebody signs, a statement still grows with each build; afterwards it never changes: a later
undoing is a negative line of the next month.

An objection to a line ends with the line's undoing: the one would leave the line out and the other
deduct it, and the shop would be short until somebody decided.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from points.errors import StatementChanged
from points.mall import service as mall
from points.settlement import documents, queries, rules
from points.settlement.funds import service as funds
from points.settlement.rules import Figure
from points.settlement.schemas import Built, Event, LineRow, StatementRow, View
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.documents.excel import digest
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.months import month_cn
from shared.roster.names import mask

Pair = tuple[UUID, UUID]
"""Shop and fund."""
Carry = tuple[UUID, int]
"""What the opening is made of: an earlier statement or dispute, and its fen."""
UNDONE = "这一笔后来撤销了，撤销那一行会把它抵掉，异议随之了结。"


async def build(actor: Actor | None, county_id: int, month: str, now: datetime) -> Built:
    """Build or extend the statements of a month; a month that is over is closed by it.

    Raises Invalid for a month that has not begun, StatementChanged when somebody else is building.
    """
    if actor:
        require(actor, Action.STATEMENT_BUILD, whole_county(county_id))
    if rules.month_start(rules.checked_month(month)) > now:
        raise Invalid(f"{month_cn(month)}还没有到，不能出对账单。")
    through = min(now, rules.month_end(month))
    for dispute_id, statement_id in await queries.moot(county_id, through):
        await _settle(actor, county_id, dispute_id, statement_id, now)
    carries = await queries.carries(county_id, month)
    drafts, closed = await _stored(county_id, month, through)
    groups = _by_pair(await queries.events(county_id, through))
    for pair in sorted({*groups, *carries} - closed - drafts.keys()):
        drafts[pair] = await _new(county_id, month, pair, through)
    for pair, draft in drafts.items():
        _add(draft, groups.get(pair, ()))
        await _complete(draft, carries.get(pair, ()), through, now)
    changed = [draft for draft in drafts.values() if draft.changed]
    try:
        async with DB.transaction():
            await queries.lock_builds(county_id)
            if await queries.carries(county_id, month) != carries:
                raise StatementChanged
            for draft in changed:
                await _store(actor, county_id, draft)
    except UniqueViolationError as error:
        raise StatementChanged from error
    return Built(
        month=month,
        made=sum(draft.was is None for draft in changed),
        extended=sum(draft.was is not None for draft in changed),
        unchanged=len(closed) + len(drafts) - len(changed),
        line_count=sum(len(draft.fresh) for draft in changed),
        payable_fen=sum(draft.statement.payable_fen for draft in changed),
    )


async def _settle(
    actor: Actor | None, county_id: int, dispute_id: UUID, statement_id: UUID, at: datetime
) -> None:
    """End an objection to an undone line: the line counts, and so will its undoing."""
    async with DB.transaction():
        found = await queries.statement_locked(county_id, statement_id)
        if found is None or (found.frozen_at and found.frozen_at >= at):
            return
        if not await queries.decide_dispute(county_id, dispute_id, "payable", None, at, UNDONE):
            return
        if not found.frozen:
            await refile(county_id, found)
            await queries.void_signatures(county_id, found.id, at)
        await audit.record(
            actor,
            "statement.dispute_payable",
            "statement",
            statement_id,
            county_id=county_id,
            unit_code=found.unit_code,
            reason=UNDONE,
            before={"dispute": dispute_id, "state": "open"},
            after={"dispute": dispute_id, "state": "payable"},
        )


async def preview(actor: Actor, shop_id: UUID) -> list[View]:
    """What of one shop stands in no statement yet, by fund, as if it were built now; no file."""
    shop = await mall.view_shop(actor, shop_id)
    at = clock_now()
    month = str(today(at))[:7]
    groups = _by_pair(await queries.events(actor.county_id, at, shop.id))
    found = []
    for pair in sorted(groups):
        draft = await _new(actor.county_id, month, pair, at)
        _add(draft, groups[pair])
        _sum_up(draft)
        found.append(
            View(statement=draft.statement, lines=tuple(draft.lines), disputes=(), signatures=())
        )
    return found


async def refile(county_id: int, statement: StatementRow) -> StatementRow:
    """Add up and hash again after a dispute. Raises StatementChanged if somebody was quicker."""
    lines = await queries.lines(county_id, statement.id)
    draft = _Draft(
        statement=statement,
        lines=lines,
        disputed=await _disputed(county_id, statement),
        was=statement.file_sha256,
    )
    _sum_up(draft)
    await _hash(draft)
    stored = (draft.statement, draft.file, statement.file_sha256)
    if not await queries.update_statement(county_id, *stored):
        raise StatementChanged
    return draft.statement


class _Draft(msgspec.Struct, kw_only=True):
    """A statement in the making; ``was`` is the hash of the stored file it extends."""

    statement: StatementRow
    file: bytes = b""
    lines: list[LineRow] = []
    fresh: list[LineRow] = []
    disputed: frozenset[UUID] = frozenset()
    was: bytes | None = None
    closing: bool = False
    """Its month is over: this build is the last."""
    opened: bool = False
    """Something more was carried over into its opening."""

    @property
    def changed(self) -> bool:
        return self.was is None or bool(self.fresh) or self.closing or self.opened


class _Share(msgspec.Struct, frozen=True):
    """An event as far as one fund pays for it."""

    event: Event
    sign: int
    """-1 for an undoing."""
    points: int
    fen: int


async def _stored(
    county_id: int, month: str, through: datetime
) -> tuple[dict[Pair, _Draft], set[Pair]]:
    """Statements of the month that still grow, and the pairs whose statement is closed."""
    rows = await queries.statements_of_month(county_id, month)
    signed = await queries.signed(county_id, [row.id for row in rows])
    drafts: dict[Pair, _Draft] = {}
    closed: set[Pair] = set()
    for row in rows:
        pair = (row.shop_id, row.fund_id)
        if rules.closed(month, row.through, signed=row.frozen or row.id in signed):
            closed.add(pair)
            continue
        drafts[pair] = _Draft(
            statement=row,
            lines=await queries.lines(county_id, row.id),
            disputed=await _disputed(county_id, row),
            was=row.file_sha256,
            closing=through >= rules.month_end(month),
        )
    return drafts, closed


async def _disputed(county_id: int, statement: StatementRow) -> frozenset[UUID]:
    return frozenset(
        row.line_id
        for row in await queries.disputes(county_id, statement.id)
        if row.excludes(statement.frozen_at)
    )


def _by_pair(events: Iterable[Event]) -> dict[Pair, list[_Share]]:
    """Divide each event among the funds it drew on; an undoing counts below zero.

    What a fund was decided not to pay it does not get back either: such an undoing is a line of 0.
    """
    groups: dict[Pair, list[_Share]] = {}
    for event in events:
        sign = 1 if event.kind == "redeem" else -1
        fens = rules.split(event.whole_fen, event.shares)
        for fund_id, points, fen in zip(event.funds, event.shares, fens, strict=True):
            owed = 0 if fund_id in event.unpaid else sign * fen
            share = _Share(event, sign, sign * points, owed)
            groups.setdefault((event.shop_id, fund_id), []).append(share)
    return groups


async def _new(county_id: int, month: str, pair: Pair, through: datetime) -> _Draft:
    """An empty statement with the names as they are today."""
    shop = await mall.shop(county_id, pair[0])
    fund = await funds.fund(county_id, pair[1])
    if shop is None or fund is None:
        raise NotFound
    return _Draft(
        statement=StatementRow(
            id=new_id(),
            shop_id=shop.id,
            fund_id=fund.id,
            month=month,
            through=through,
            state="built",
            shop_name=shop.name,
            settlement_name=shop.settlement_name,
            fund_name=fund.name,
            unit_code=fund.unit_code,
            built_on=today(through),
            line_count=0,
            points=0,
            carried=[],
            opening_fen=0,
            amount_fen=0,
            disputed_fen=0,
            payable_fen=0,
            carry_fen=0,
            file_sha256=b"",
        )
    )


def _add(draft: _Draft, shares: Sequence[_Share]) -> None:
    """Append what has happened since."""
    draft.fresh = [
        LineRow(
            id=new_id(),
            position=position,
            kind=share.event.kind,
            redemption_id=share.event.redemption_id,
            at=share.event.at,
            worker=mask(share.event.worker),
            place=share.event.place,
            goods=share.event.goods,
            points=share.points,
            whole_points=share.sign * share.event.whole_points,
            amount_fen=share.fen,
        )
        for position, share in enumerate(shares, start=len(draft.lines) + 1)
    ]
    draft.lines = [*draft.lines, *draft.fresh]


async def _complete(
    draft: _Draft, carries: Sequence[Carry], through: datetime, at: datetime
) -> None:
    """Open with what was carried over, add up, hash the file."""
    draft.opened = bool(carries)
    if not draft.changed:
        return
    statement = draft.statement
    draft.statement = msgspec.structs.replace(
        statement,
        through=through,
        built_on=today(at),
        carried=[*statement.carried, *(found for found, _ in carries)],
        opening_fen=statement.opening_fen + sum(fen for _, fen in carries),
    )
    _sum_up(draft)
    await _hash(draft)


def _sum_up(draft: _Draft) -> None:
    figures = [
        Figure(line.points, line.amount_fen, line.id in draft.disputed) for line in draft.lines
    ]
    sums = rules.sums(draft.statement.opening_fen, figures)
    draft.statement = msgspec.structs.replace(draft.statement, **msgspec.structs.asdict(sums))


async def _hash(draft: _Draft) -> None:
    draft.file = await asyncio.to_thread(
        documents.statement_file, draft.statement, draft.lines, draft.disputed
    )
    draft.statement = msgspec.structs.replace(draft.statement, file_sha256=digest(draft.file))


async def _store(actor: Actor | None, county_id: int, draft: _Draft) -> None:
    statement = draft.statement
    if draft.was is None:
        await queries.insert_statement(county_id, statement, draft.file)
    elif not await _still_grows(county_id, statement.id) or not await queries.update_statement(
        county_id, statement, draft.file, draft.was
    ):
        raise StatementChanged
    await queries.insert_lines(county_id, statement, draft.fresh)
    await audit.record(
        actor,
        "statement.build" if draft.was is None else "statement.extend",
        "statement",
        statement.id,
        county_id=county_id,
        unit_code=statement.unit_code,
        after={
            "month": statement.month,
            "shop": statement.shop_name,
            "lines": len(draft.fresh),
            "payable_fen": statement.payable_fen,
            "file": statement.file_hash,
        },
    )


async def _still_grows(county_id: int, statement_id: UUID) -> bool:
    """Whether nobody has signed since the draft was begun; from now on nobody can."""
    await queries.statement_locked(county_id, statement_id)
    return not await queries.signed(county_id, [statement_id])
