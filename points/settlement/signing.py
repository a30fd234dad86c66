"""Three signatures freeze a statement: the shop's, the accountant's, the supervision committee's.

The shop signs first, because its objections change the sum; then the village's two in any order.
Whoever signs signs exactly the file that was shown, by its hash. Three parts need three people:
where a post is vacant, or all its holders have signed another part, the township's instructor or
the department signs in its place, marked as such.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from points.errors import StatementChanged, StatementFrozen
from points.mall import service as mall
from points.settlement import queries, rules
from points.settlement.rules import Part
from points.settlement.schemas import SignatureRow, StatementRow
from shared.audit import service as audit
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, NotFound
from shared.identity.access import Action, Target, allowed, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.schemas import Holder

UPPER = frozenset({Role.INSTRUCTOR, Role.DEPARTMENT})
"""Who signs where no holder of a post can, and who decides disputes."""
SIGN = {
    Part.SHOP: Action.SIGN_SHOP,
    Part.ACCOUNTANT: Action.SIGN_ACCOUNTANT,
    Part.SUPERVISOR: Action.SIGN_SUPERVISOR,
}
POST = {
    Part.SHOP: Role.SHOPKEEPER,
    Part.ACCOUNTANT: Role.ACCOUNTANT,
    Part.SUPERVISOR: Role.SUPERVISOR,
}
TOWNSHIP, COUNTY = 9, 6
"""Digits of their codes."""


async def sign(
    actor: Actor, statement_id: UUID, part: Part, file_hash: str, *, now: datetime | None = None
) -> None:
    """Sign one part of exactly the file that was shown; the third signature freezes it.

    Raises NotFound, StatementFrozen, StatementChanged (the file has changed since), Forbidden (not
    this part's turn, or the same person twice).
    """
    async with DB.transaction():
        found = await queries.statement_locked(actor.county_id, statement_id)
        if found is None:
            raise NotFound
        require(actor, Action.STATEMENT_VIEW, target(found))
        if found.frozen:
            raise StatementFrozen
        if file_hash != found.file_hash:
            raise StatementChanged
        signed = await queries.signatures(actor.county_id, found.id)
        authority, stand_in = await _signer(actor, found, signed, part)
        row = SignatureRow(
            part=part,
            person_id=actor.person_id,
            name=actor.name,
            authority=authority,
            stand_in=stand_in,
            means="desk" if actor.desk else "phone",
            at=now or clock_now(),
        )
        await _add(actor, actor.county_id, found, signed, row)


async def sign_on_paper(
    county_id: int, statement_id: UUID, *, now: datetime | None = None
) -> list[SignatureRow]:
    """Enter from the console that the printed statement bears the signatures still missing.

    Each part is entered for whoever holds the post, or stands in for it, and marked as made on
    paper; from the first part that nobody can sign on, everything stays open.
    """
    at = now or clock_now()
    entered: list[SignatureRow] = []
    async with DB.transaction():
        found = await queries.statement_locked(county_id, statement_id)
        if found is None:
            raise NotFound
        signed = await queries.signatures(county_id, found.id)
        missing = [part for part in Part if part not in {row.part for row in signed}]
        for part in missing:
            row = await _on_paper(county_id, found, [*signed, *entered], part, at)
            if row is None:
                break
            await _add(None, county_id, found, [*signed, *entered], row)
            entered.append(row)
    return entered


async def may_sign(
    actor: Actor, statement: StatementRow, signed: Sequence[SignatureRow]
) -> list[Part]:
    """The parts whose turn it is and that this person may sign."""
    if statement.frozen or actor.person_id in {row.person_id for row in signed}:
        return []
    parts = []
    for part in sorted(rules.next_parts([row.part for row in signed])):
        where, _ = await _signing(actor.county_id, statement, signed, part)
        if allowed(actor, SIGN[part], where).allowed:
            parts.append(part)
    return parts


def ever_signs(actor: Actor, statement: StatementRow, signed: Sequence[Part]) -> bool:
    """Whether it is the turn of a part that this person has a right to, whoever holds the posts.

    Asks nothing of the database, so that a list does not ask for every line.
    """
    parts = rules.next_parts(list(signed))
    return any(allowed(actor, SIGN[part], target(statement)).allowed for part in parts)


def target(statement: StatementRow) -> Target:
    """A statement as the object of an action."""
    return Target(unit_code=statement.unit_code, shop_id=statement.shop_id)


def decider(statement: StatementRow) -> Target:
    """The same, for those above the village only."""
    return Target(unit_code=statement.unit_code, roles=UPPER)


async def record(
    actor: Actor | None, statement: StatementRow, action: str, county_id: int = 0, **fields: Any
) -> None:
    """Audit what happened to a statement."""
    await audit.record(
        actor,
        action,
        "statement",
        statement.id,
        county_id=actor.county_id if actor else county_id,
        unit_code=statement.unit_code,
        **fields,
    )


async def _signer(
    actor: Actor, statement: StatementRow, signed: Sequence[SignatureRow], part: Part
) -> tuple[str, bool]:
    """Under which authority, and whether as a stand-in. Raises NotFound, Forbidden."""
    if actor.person_id in {row.person_id for row in signed}:
        raise Forbidden("您已经签过一栏，三栏要由三个人分别签字。")
    where, stand_in = await _signing(actor.county_id, statement, signed, part)
    authority = require(actor, SIGN[part], where)
    if part not in rules.next_parts([row.part for row in signed]):
        raise Forbidden("还没有轮到这一栏，请店主先核对签字。")
    return authority, stand_in


async def _signing(
    county_id: int, statement: StatementRow, signed: Sequence[SignatureRow], part: Part
) -> tuple[Target, bool]:
    """Who may sign a part: the post's holders or, where none of them can, the level above."""
    free = await _free(county_id, statement, signed, part, today())
    roles = frozenset({POST[part]}) if free else UPPER
    shop_id = statement.shop_id if part is Part.SHOP and free else None
    return Target(unit_code=statement.unit_code, shop_id=shop_id, roles=roles), not free


async def _free(
    county_id: int,
    statement: StatementRow,
    signed: Sequence[SignatureRow],
    part: Part,
    on: date,
) -> list[Holder]:
    """Holders of a part's post who have signed no other part."""
    taken = {row.person_id for row in signed}
    found = await _holders(county_id, statement, part, on)
    return [holder for holder in found if holder.person_id not in taken]


async def _holders(county_id: int, statement: StatementRow, part: Part, on: date) -> list[Holder]:
    """Who holds a part's post: at the shop, or at the fund's owner."""
    if part is not Part.SHOP:
        return await roster.holders(county_id, POST[part], statement.unit_code, on)
    shop = await mall.shop(county_id, statement.shop_id, on)
    keepers = await roster.holders(county_id, POST[part], shop.unit_code, on) if shop else []
    return [holder for holder in keepers if holder.subject_id == statement.shop_id]


async def _on_paper(
    county_id: int,
    statement: StatementRow,
    signed: Sequence[SignatureRow],
    part: Part,
    at: datetime,
) -> SignatureRow | None:
    """The signature of the nearest person who may give it and has given no other."""
    taken = {row.person_id for row in signed}
    for holder, authority, stand_in in await _signers(county_id, statement, signed, part, at):
        if holder.person_id not in taken:
            return SignatureRow(
                part=part,
                person_id=holder.person_id,
                name=holder.name,
                authority=authority,
                stand_in=stand_in,
                means="paper",
                at=at,
            )
    return None


async def _signers(
    county_id: int,
    statement: StatementRow,
    signed: Sequence[SignatureRow],
    part: Part,
    at: datetime,
) -> list[tuple[Holder, str, bool]]:
    """Everybody who may sign a part, nearest first: (holder, authority, stand-in)."""
    on, code = today(at), statement.unit_code
    if own := await _free(county_id, statement, signed, part, on):
        authority = "shop" if part is Part.SHOP else f"{POST[part].value}@{code}"
        return [(item, authority, False) for item in own]
    found = []
    for role, length in ((Role.INSTRUCTOR, TOWNSHIP), (Role.DEPARTMENT, COUNTY)):
        unit = code[:length]
        if len(unit) == length:
            above = await roster.holders(county_id, role, unit, on)
            found += [(item, f"{role.value}@{unit}", True) for item in above]
    return found


async def _add(
    actor: Actor | None,
    county_id: int,
    statement: StatementRow,
    signed: Sequence[SignatureRow],
    row: SignatureRow,
) -> None:
    await queries.insert_signature(county_id, new_id(), statement, row)
    after = {"part": row.part, "name": row.name, "stand_in": row.stand_in, "means": row.means}
    after["file"] = statement.file_hash
    await record(actor, statement, "statement.sign", county_id, after=after)
    if not rules.next_parts([row.part, *(item.part for item in signed)]):
        await queries.freeze(county_id, statement.id, row.at)
        await record(actor, statement, "statement.freeze", county_id)
