"""Opening balances (期初积分): an office's list of what everybody has in the old books.

Nothing is written until every row is right; the same file again adds nothing. What was posted stays
as it is: another amount for somebody who has an opening balance is a fault, unless the row says why
it is corrected; then the balance is reversed and brought over anew.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points.errors import LedgerRefused
from points.ledger import queries, service
from points.ledger.items import Code, Opening, OpeningRow, Outcome, Reverse
from points.ledger.rules import expires_on
from points.settlement.funds import service as funds
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB, Rollback
from shared.documents.faults import fault_report
from shared.documents.read import Column, Row, Table, read_table
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.rules import county_code
from shared.roster.schemas import WorkerSpan

COLUMNS = (
    Column("姓名", "name", required=True, aliases=("网格员", "网格员姓名")),
    Column("网格编码", "code", required=True, aliases=("网格代码", "所属网格编码")),
    Column("履职积分", "points", aliases=("累计积分",), alone=True),
    Column("可兑换积分", "points", aliases=("可用积分", "结余积分", "积分余额"), alone=True),
    Column("有效期至", "date", aliases=("到期日", "到期日期")),
    Column("更正原因", "text"),
)
MADE_BEFORE = (
    "此人的期初积分已入账，数额不同。原来的数额错了，请在“更正原因”一列写明原因；"
    "没有错，请改回原来的数额或删去这一行。"
)
DROPPED = ("身份证号", "手机号", "联系电话", "备注")


class Brought(msgspec.Struct, kw_only=True):
    """What a file of opening balances did, or would do; amounts in 0.1 point."""

    rows: int
    posted: int = 0
    same: int = 0
    """Rows that an earlier import had posted already."""
    corrected: int = 0
    """Rows whose balance was reversed and brought over anew; in no other figure."""
    merit: int = 0
    wallet: int = 0
    waiting: int = 0
    """Of the wallet points: waits for a budget."""
    faults: list[str] = []
    report: bytes = b""
    """The workbook with the faults marked; empty if there are none."""
    left_out: list[str] = []
    hidden: str = ""
    """Says which hidden rows were read."""


class _Wrong(msgspec.Struct, frozen=True):
    """A balance that is corrected: what was brought over, and what stands instead."""

    before: OpeningRow
    new_id: UUID
    merit: int
    wallet: int
    unit_code: str
    why: str

    @property
    def last_id(self) -> UUID:
        """Of what is posted last of it."""
        return self.new_id if self.merit + self.wallet else _back_id(self.before)


async def import_balances(
    actor: Actor | None, county_id: int, data: bytes, name: str, *, dry_run: bool = False
) -> Brought:
    """Read, check and post; a dry run is the same, rolled back. Raises BadFile.

    ``actor`` None is the console. With faults nothing is written.
    """
    if actor is not None:
        require(actor, Action.OPENING, whole_county(county_id))
    table = read_table(data, name, COLUMNS, dropped=DROPPED)
    left_out = [*table.dropped, *table.unknown]
    result = Brought(rows=len(table.rows), left_out=left_out, hidden=table.hidden_note())
    async with DB.revocable():
        items, wrong = await _items(county_id, table, actor)
        backs = await service.post(county_id, [_back(actor, one) for one in wrong])
        for outcome in backs:
            if not outcome.accepted:
                raise LedgerRefused(outcome.code)
        outcomes = await service.post(county_id, [item for _, item in items])
        # What the same file, run at the same moment, has corrected since is done.
        done = {outcome.id for outcome in (*backs, *outcomes) if outcome.repeated}
        wrong = [one for one in wrong if one.last_id not in done]
        _count(table, items, outcomes, {one.new_id for one in wrong}, result)
        result.corrected = len(wrong)
        if table.faults or dry_run:
            raise Rollback
        await audit.record(
            actor,
            Action.OPENING,
            "opening",
            county_id=county_id,
            unit_code=county_code(county_id),
            after={"rows": result.posted, "merit": result.merit, "wallet": result.wallet},
        )
        for one in wrong:
            await audit.record(
                actor,
                Action.OPENING,
                "opening",
                one.new_id,
                county_id=county_id,
                about_id=one.before.person_id,
                unit_code=one.unit_code,
                before={"merit": one.before.merit, "wallet": one.before.wallet},
                after={"merit": one.merit, "wallet": one.wallet},
                reason=one.why,
            )
    if table.faults:
        result.faults = table.sentences()
        result.report = fault_report(table)
    return result


async def _items(
    county_id: int, table: Table, actor: Actor | None
) -> tuple[list[tuple[Row, Opening]], list[_Wrong]]:
    """An item for every row that is right, and what is corrected; faults go into the table.

    Who has left a grid is known there by the balance that was brought over before.
    """
    on = today()
    faulty = {(fault.sheet, fault.row) for fault in table.faults}
    spans = await roster.workers(county_id, county_code(county_id), date.min, on)
    made = await queries.openings(county_id, list({span.person_id for span in spans}))
    people = _by_place(spans, made, on)
    paying = await funds.funds_for(county_id, {span.grid_code[:12] for span in spans})
    policy = (await settings_county.get(county_id)).expiry_policy
    found: dict[UUID, tuple[Row, Opening]] = {}
    wrong: list[_Wrong] = []
    for row in table.rows:
        if (row.sheet, row.number) in faulty:
            continue
        grid, merit, wallet = row["网格编码"], row["履职积分"] or 0, row["可兑换积分"] or 0
        named = people.get((grid, row["姓名"]), set())
        person_id = next(iter(named), None)
        before = made.get(person_id) if person_id else None
        same = before is not None and (merit, wallet) == (before.merit, before.wallet)
        if problem := _whose(row, named) or _amounts(row, before, on, same=same):
            table.fault(row, *problem)
        elif person_id in found:
            table.fault(row, "姓名", f"“{row['姓名']}”在表里出现了两次，请合并成一行。")
        elif person_id is not None:
            item_id = before.id if before else _id_of(county_id, person_id)
            if before and not same:
                item_id, why = _id_of(county_id, before.id), row["更正原因"][:100]
                wrong.append(_Wrong(before, item_id, merit, wallet, grid[:12], why))
            if merit + wallet == 0:
                continue  # taken back whole: it was somebody else's
            day = before.day if before else on
            ends = row["有效期至"] or expires_on(policy, day)
            found[person_id] = (
                row,
                Opening(
                    id=item_id,
                    actor_id=actor.person_id if actor else None,
                    person_id=person_id,
                    code="opening",
                    merit=merit,
                    wallet=wallet,
                    fund_id=paying.get(grid[:12]),
                    unit_code=grid[:12],
                    day=day,
                    expires_on=ends,
                    memo=_memo(ends) if wallet else "期初积分",
                ),
            )
    return list(found.values()), wrong


def _by_place(
    spans: Sequence[WorkerSpan], made: Mapping[UUID, OpeningRow], on: date
) -> dict[tuple[str, str], set[UUID]]:
    """By grid and name: who works there, and who did and has an opening balance."""
    people: dict[tuple[str, str], set[UUID]] = {}
    for span in spans:
        if span.valid_to is None or span.valid_to > on or span.person_id in made:
            people.setdefault((span.grid_code, span.name), set()).add(span.person_id)
    return people


def _whose(row: Row, named: set[UUID]) -> tuple[str, str] | None:
    """Why the row names nobody: the column and the sentence."""
    if not named:
        return "姓名", f"“{row['姓名']}”现在不是网格 {row['网格编码']} 的网格员，请核对。"
    if len(named) > 1:
        return (
            "姓名",
            (
                f"这个网格有 {len(named)} 位“{row['姓名']}”，分不清是谁，"
                "请先在花名册里改成不同的写法。"
            ),
        )
    return None


def _amounts(
    row: Row, before: OpeningRow | None, on: date, *, same: bool
) -> tuple[str, str] | None:
    """Why the row's amounts cannot be brought over: the column and the sentence."""
    if not before and not row["履职积分"] and not row["可兑换积分"]:
        return "可兑换积分", "两种积分都是空的或 0，请填写或删去这一行。"
    if before and not same and not row["更正原因"]:
        return "姓名", MADE_BEFORE
    if not same and _ended(row["有效期至"], on):
        return "有效期至", "已经过期的积分不能作为期初积分。"
    return None


def _id_of(county_id: int, whose: UUID) -> UUID:
    """A person has one opening balance, whichever file brings it; a wrong one has one successor."""
    return uuid5(NAMESPACE_URL, f"gridmerit:opening:{county_id}:{whose}")


def _back_id(before: OpeningRow) -> UUID:
    return uuid5(NAMESPACE_URL, f"gridmerit:opening:back:{before.id}")


def _back(actor: Actor | None, one: _Wrong) -> Reverse:
    """Takes a wrong balance back."""
    return Reverse(
        id=_back_id(one.before),
        actor_id=actor.person_id if actor else None,
        award_id=one.before.id,
        day=one.before.day,
        memo=f"更正期初积分：{one.why}",
    )


def _memo(ends: date | None) -> str:
    """The lot's last day in the sealed row: a file may name its own, which no policy gives."""
    return f"期初积分，可兑换积分{f'有效期至 {ends}' if ends else '永久有效'}"


def _ended(ends: date | None, on: date) -> bool:
    return ends is not None and ends < on


def _count(
    table: Table,
    items: list[tuple[Row, Opening]],
    outcomes: list[Outcome],
    anew: set[UUID],
    result: Brought,
) -> None:
    for (row, item), outcome in zip(items, outcomes, strict=True):
        if outcome.code == Code.ID_REUSED:
            table.fault(row, "姓名", MADE_BEFORE)
        elif outcome.repeated:
            result.same += 1
        elif item.id not in anew:
            result.posted += 1
            result.merit += item.merit
            result.wallet += item.wallet
            result.waiting += outcome.waiting
