"""Three signatures freeze a statement: the shop's, the accountant's, the supervision committee's.

The shop signs first, because its objections change the sum; then the village's two in any order.
Whoever signs signs exactly the file that was shown, by its hash. Three parts need three people:
where a post is vacant, or all its holders have signed another part, the township's instructor or
the department signs in its place, marked as such.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from points.errors import StatementChanged, StatementFrozen
from points.mall import service as mall
from points.settlement import queries, rules
from points.settlement.rules import Part
from points.settlement.schemas import SignatureRow, StatementRow
from shared.audit import service as audit
from shared.audit.service import Entry
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


async def sign(actor: Actor, statement_id: UUID, part: Part, file_hash: str, now: datetime) -> None:
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
            at=now,
        )
        await _add(actor, actor.county_id, [(found, row)], {found.id: signed})


async def sign_on_paper(county_id: int, ids: Sequence[UUID], now: datetime) -> list[SignatureRow]:
    """Enter from the console that printed statements bear the signatures still missing.

    Each part is entered for whoever holds the post, or stands in for it, and marked as made on
    paper; from the first part that nobody can sign on, a statement stays open. All statements are
    one transaction; builds, which lock them one by one, wait for it.
    """
    posts = _Posts(county_id, today(now))
    entered: list[tuple[StatementRow, SignatureRow]] = []
    async with DB.transaction():
        await queries.lock_builds(county_id)
        found = await queries.statements_locked(county_id, ids)
        if len(found) < len(ids):
            raise NotFound
        signed = await queries.signatures_of(county_id, ids)
        for statement in found:
            rest = await _rest(posts, statement, signed.get(statement.id, ()), now)
            entered += [(statement, row) for row in rest]
        await _add(None, county_id, entered, signed)
    return [row for _, row in entered]


async def lacking(
    county_id: int, statement: StatementRow, signed: Sequence[SignatureRow]
) -> Part | None:
    """The first part that nobody would be left to sign, as the posts are held today."""
    rest = await _rest(_Posts(county_id, today()), statement, signed, clock_now())
    given = {row.part for row in (*signed, *rest)}
    return next((part for part in Part if part not in given), None)


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
    free = await _free(_Posts(county_id, today()), statement, signed, part)
    roles = frozenset({POST[part]}) if free else UPPER
    shop_id = statement.shop_id if part is Part.SHOP and free else None
    return Target(unit_code=statement.unit_code, shop_id=shop_id, roles=roles), not free


class _Posts:
    """Who holds which post on a day, each asked for once."""

    def __init__(self, county_id: int, on: date) -> None:
        self.county_id, self.on = county_id, on
        self.known: dict[tuple[Role, str], list[Holder]] = {}
        self.shops: dict[UUID, list[Holder]] = {}

    async def at(self, role: Role, unit_code: str) -> list[Holder]:
        if (role, unit_code) not in self.known:
            found = await roster.holders(self.county_id, role, unit_code, self.on)
            self.known[role, unit_code] = found
        return self.known[role, unit_code]

    async def of_part(self, statement: StatementRow, part: Part) -> list[Holder]:
        """At the shop, or at the fund's owner."""
        if part is not Part.SHOP:
            return await self.at(POST[part], statement.unit_code)
        shop_id = statement.shop_id
        if shop_id not in self.shops:
            shop = await mall.shop(self.county_id, shop_id, self.on)
            keepers = await self.at(POST[part], shop.unit_code) if shop else []
            self.shops[shop_id] = [holder for holder in keepers if holder.subject_id == shop_id]
        return self.shops[shop_id]


async def _free(
    posts: _Posts, statement: StatementRow, signed: Sequence[SignatureRow], part: Part
) -> list[Holder]:
    """Holders of a part's post who have signed no other part."""
    taken = {row.person_id for row in signed}
    found = await posts.of_part(statement, part)
    return [holder for holder in found if holder.person_id not in taken]


async def _rest(
    posts: _Posts, statement: StatementRow, signed: Sequence[SignatureRow], at: datetime
) -> list[SignatureRow]:
    """The signatures still missing, each by the nearest, up to the first that nobody can give."""
    found: list[SignatureRow] = []
    for part in [part for part in Part if part not in {row.part for row in signed}]:
        row = await _on_paper(posts, statement, (*signed, *found), part, at)
        if row is None:
            break
        found.append(row)
    return found


async def _on_paper(
    posts: _Posts,
    statement: StatementRow,
    signed: Sequence[SignatureRow],
    part: Part,
    at: datetime,
) -> SignatureRow | None:
    """The signature of the nearest person who may give it and has given no other."""
    taken = {row.person_id for row in signed}
    for holder, authority, stand_in in await _signers(posts, statement, signed, part):
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
    posts: _Posts, statement: StatementRow, signed: Sequence[SignatureRow], part: Part
) -> list[tuple[Holder, str, bool]]:
    """Everybody who may sign a part, nearest first: (holder, authority, stand-in)."""
    code = statement.unit_code
    if own := await _free(posts, statement, signed, part):
        authority = "shop" if part is Part.SHOP else f"{POST[part].value}@{code}"
        return [(item, authority, False) for item in own]
    found = []
    for role, length in ((Role.INSTRUCTOR, TOWNSHIP), (Role.DEPARTMENT, COUNTY)):
        unit = code[:length]
        if len(unit) == length:
            above = await posts.at(role, unit)
            found += [(item, f"{role.value}@{unit}", True) for item in above]
    return found


async def _add(
    actor: Actor | None,
    county_id: int,
    entered: Sequence[tuple[StatementRow, SignatureRow]],
    signed: Mapping[UUID, Sequence[SignatureRow]],
) -> None:
    """Store signatures beside those that were ``signed``; a third one freezes its statement."""
    entries, complete = [], []
    parts = {found: {row.part for row in rows} for found, rows in signed.items()}
    for statement, row in entered:
        after = {"part": row.part, "name": row.name, "stand_in": row.stand_in, "means": row.means}
        after["file"] = statement.file_hash
        entries.append(_entry(statement, "statement.sign", after))
        have = parts.setdefault(statement.id, set())
        have.add(row.part)
        if not rules.next_parts(have):
            complete.append(statement.id)
            entries.append(_entry(statement, "statement.freeze"))
    given = [(new_id(), statement, row) for statement, row in entered]
    await queries.insert_signatures(county_id, given)
    if complete:
        await queries.freeze(county_id, complete, entered[-1][1].at)
    await audit.record_all(actor, entries, county_id=county_id)


def _entry(statement: StatementRow, action: str, after: object = None) -> Entry:
    return Entry(action, "statement", statement.id, statement.unit_code, None, after)
