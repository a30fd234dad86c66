"""Opening balances (期初积分): an office's list of what everybody has in the old books.

Nothing is written until every row is right; the same file again adds nothing, and another amount
for somebody who has an opening balance is a fault, because what was posted stays as it is.
"""

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points.ledger import queries, service
from points.ledger.items import Code, Opening, Outcome
from points.ledger.rules import expires_on
from points.settlement.funds import service as funds
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.documents.faults import fault_report
from shared.documents.read import Column, Row, Table, read_table
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster

COLUMNS = (
    Column("姓名", "name", required=True, aliases=("网格员", "网格员姓名")),
    Column("网格编码", "code", required=True, aliases=("网格代码", "所属网格编码")),
    Column("履职积分", "points", aliases=("累计积分",)),
    Column("可兑换积分", "points", aliases=("可用积分", "结余积分", "积分余额")),
    Column("有效期至", "date", aliases=("到期日", "到期日期")),
)
MADE_BEFORE = "此人的期初积分已入账，数额不同；入账后不能再改，请改回原来的数额或删去这一行。"
DROPPED = ("身份证号", "手机号", "联系电话", "备注")


class Brought(msgspec.Struct, kw_only=True):
    """What a file of opening balances did, or would do; amounts in 0.1 point."""

    rows: int
    posted: int = 0
    same: int = 0
    """Rows that an earlier import had posted already."""
    merit: int = 0
    wallet: int = 0
    waiting: int = 0
    """Of the wallet points: waits for a budget."""
    faults: list[str] = []
    report: bytes = b""
    """The workbook with the faults marked; empty if there are none."""
    left_out: list[str] = []


class _Undo(Exception):  # noqa: N818  ends a dry run
    """Rolls the dry run back."""


async def import_balances(
    actor: Actor | None, county_id: int, data: bytes, name: str, *, dry_run: bool = False
) -> Brought:
    """Read, check and post; a dry run is the same, rolled back. Raises BadFile.

    ``actor`` None is the console. With faults nothing is written.
    """
    if actor is not None:
        require(actor, Action.OPENING, Target(unit_code=str(county_id)))
    table = read_table(data, name, COLUMNS, dropped=DROPPED)
    result = Brought(rows=len(table.rows), left_out=[*table.dropped, *table.unknown])
    try:
        async with DB.transaction():
            items = await _items(county_id, table, actor)
            outcomes = await service.post(county_id, [item for _, item in items])
            _count(table, items, outcomes, result)
            if table.faults or dry_run:
                raise _Undo  # noqa: TRY301  leaves the transaction, not this function
            await audit.record(
                actor,
                Action.OPENING,
                "opening",
                county_id=county_id,
                unit_code=str(county_id),
                after={"rows": result.posted, "merit": result.merit, "wallet": result.wallet},
            )
    except _Undo:
        pass
    if table.faults:
        result.faults = table.sentences()
        result.report = fault_report(table)
    return result


async def _items(county_id: int, table: Table, actor: Actor | None) -> list[tuple[Row, Opening]]:
    """An item for every row that is right; faults of the others go into the table."""
    on = today()
    faulty = {(fault.sheet, fault.row) for fault in table.faults}
    spans = await roster.workers(county_id, str(county_id), on, on)
    people: dict[tuple[str, str], set[UUID]] = {}
    for span in spans:
        people.setdefault((span.grid_code, span.name), set()).add(span.person_id)
    paying = await funds.funds_for(county_id, {span.grid_code[:12] for span in spans})
    policy = (await settings_county.get(county_id)).expiry_policy
    ids = {one: _id_of(county_id, one) for named in people.values() for one in named}
    days = await queries.days_of_postings(county_id, list(ids.values()))
    found: dict[UUID, tuple[Row, Opening]] = {}
    for row in table.rows:
        if (row.sheet, row.number) in faulty:
            continue
        grid, merit, wallet = row["网格编码"], row["履职积分"] or 0, row["可兑换积分"] or 0
        named = people.get((grid, row["姓名"]), set())
        person_id = next(iter(named), None)
        if person_id is None:
            table.fault(row, "姓名", f"“{row['姓名']}”现在不是网格 {grid} 的网格员，请核对。")
        elif len(named) > 1:
            table.fault(
                row,
                "姓名",
                f"这个网格有 {len(named)} 位“{row['姓名']}”，分不清是谁，"
                "请先在花名册里改成不同的写法。",
            )
        elif person_id in found:
            table.fault(row, "姓名", f"“{row['姓名']}”在表里出现了两次，请合并成一行。")
        elif merit + wallet == 0:
            table.fault(row, "可兑换积分", "两种积分都是空的或 0，请填写或删去这一行。")
        elif ids[person_id] not in days and _ended(row["有效期至"], on):
            table.fault(row, "有效期至", "已经过期的积分不能作为期初积分。")
        else:
            found[person_id] = (
                row,
                Opening(
                    id=ids[person_id],
                    actor_id=actor.person_id if actor else None,
                    person_id=person_id,
                    code="opening",
                    merit=merit,
                    wallet=wallet,
                    fund_id=paying.get(grid[:12]),
                    unit_code=grid[:12],
                    day=days.get(ids[person_id], on),
                    expires_on=row["有效期至"] or expires_on(policy, on),
                    memo="期初积分",
                ),
            )
    return list(found.values())


def _id_of(county_id: int, person_id: UUID) -> UUID:
    """A person has one opening balance, whichever file brings it."""
    return uuid5(NAMESPACE_URL, f"gridmerit:opening:{county_id}:{person_id}")


def _ended(ends: date | None, on: date) -> bool:
    return ends is not None and ends < on


def _count(
    table: Table, items: list[tuple[Row, Opening]], outcomes: list[Outcome], result: Brought
) -> None:
    for (row, item), outcome in zip(items, outcomes, strict=True):
        if outcome.code == Code.ID_REUSED:
            table.fault(row, "姓名", MADE_BEFORE)
        elif outcome.repeated:
            result.same += 1
        else:
            result.posted += 1
            result.merit += item.merit
            result.wallet += item.wallet
            result.waiting += outcome.waiting
