"""本村细则: a village's own points for an item, proposed by its chief, approved by the township.

Only what the village's own money pays may differ, within the range that the county's rule gives:
merit is compared between villages, so it stays the county's; a village that a fund above it pays
for has no variant. What counts for a record is the variant of its village on its work date. Where
the county narrows the range later, a variant outside it no longer counts, and the county's points
do, until the villagers' meeting resolves anew.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.errors import RuleRefused
from points.rulebook import service as rulebook
from points.rulebook.rules import Rule, Variant, check_variant, variant_on
from points.rulebook.variants import queries
from points.rulebook.variants.schemas import Item, VariantForm, VariantRow
from points.settlement.funds import service as funds
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.schemas import UnitRow

MAX_NUMBER = 60
VILLAGE_DIGITS = 12
Variants = dict[tuple[str, str], list[Variant]]
"""Approved ones by village and item, the latest first."""


async def approved(county_id: int, villages: Iterable[str]) -> Variants:
    """What villages have resolved, whether it fits the county's range or not."""
    found: Variants = {}
    for variant in await queries.approved(county_id, sorted(set(villages))):
        found.setdefault((variant.village_code, variant.code), []).append(variant)
    return found


async def paying(
    county_id: int, village_code: str, rules: Iterable[Rule], on: date
) -> dict[str, Variant]:
    """By item, what counts in a village on a day instead of the county's points."""
    found = await approved(county_id, [village_code])
    counting = {
        rule.code: variant_on(found.get((village_code, rule.code), []), rule, on) for rule in rules
    }
    return {code: variant for code, variant in counting.items() if variant}


async def villages(actor: Actor) -> list[UnitRow]:
    """For which villages the actor may propose."""
    codes = reach(actor, Action.VARIANT_PROPOSE)
    own = await roster.units(actor.county_id, [c for c in codes if len(c) == VILLAGE_DIGITS])
    below = [
        unit
        for code in codes
        if len(code) < VILLAGE_DIGITS
        for unit in await roster.units_below(actor.county_id, code, UnitKind.VILLAGE)
    ]
    return [*own.values(), *below]


async def items(county_id: int, village_code: str, on: date) -> list[Item]:
    """What a village may set on a day, and what it has set."""
    found = await approved(county_id, [village_code])
    result = []
    for rule in await rulebook.rules_at(county_id, on):
        own = found.get((village_code, rule.code), [])
        latest = next((variant for variant in own if variant.effective_from <= on), None)
        if rule.village_least is not None:
            counts = variant_on(own, rule, on)
            result.append(Item(rule=rule, latest=latest, counts=counts))
    return result


async def of_village(actor: Actor, village_code: str) -> list[VariantRow]:
    """Everything that a village has asked for. Raises NotFound."""
    require(actor, Action.VARIANT_PROPOSE, Target(unit_code=village_code))
    return await queries.of_village(actor.county_id, village_code)


async def of_item(actor: Actor, code: str) -> list[VariantRow]:
    """What the villages of the county have for an item."""
    return await queries.of_item(actor.county_id, code)


async def waiting(actor: Actor) -> list[VariantRow]:
    """Those of the actor's units that somebody has yet to decide."""
    codes = reach(actor, Action.VARIANT_DECIDE)
    return await queries.waiting(actor.county_id, codes) if codes else []


async def check(actor: Actor, form: VariantForm, now: datetime) -> None:
    """Whether the village could have it. Raises RuleRefused with the field, NotFound."""
    require(actor, Action.VARIANT_PROPOSE, Target(unit_code=form.village_code))
    unit = await roster.unit_by_code(actor.county_id, form.village_code)
    if unit is None or unit.kind != UnitKind.VILLAGE:
        raise NotFound
    on = today(now)
    if form.effective_from <= on:
        raise RuleRefused("effective_from", "生效日期要在今天以后，已核实的记录才不会变。")
    if form.resolved_on > on:
        raise RuleRefused("resolved_on", "决议日期不能晚于今天。")
    if not 1 <= len(form.resolution) <= MAX_NUMBER:
        raise RuleRefused("resolution", f"请填写决议文号，最多 {MAX_NUMBER} 个字。")
    if not await funds.has_own(actor.county_id, form.village_code):
        raise RuleRefused(
            "code",
            "本村没有自己的集体资金，积分由上级资金支付，不能另定。请先由会计登记村集体资金的决议。",
        )
    await _fits(actor.county_id, form)
    own = (await approved(actor.county_id, [form.village_code])).get(
        (form.village_code, form.code), []
    )
    before = next((old for old in own if old.effective_from <= form.effective_from), None)
    stands = (before.points, before.cap_day, before.cap_month) if before else (None, None, None)
    if stands == (form.points, form.cap_day, form.cap_month):
        raise RuleRefused("points", "和本村现在的一样，没有改动，不用再报。")


async def propose(actor: Actor, form: VariantForm, now: datetime) -> UUID:
    """Ask for what the villagers' meeting has resolved.

    Raises RuleRefused with the field, NotFound, Conflict while another one of the item waits.
    """
    await check(actor, form, now)
    variant_id = new_id()
    async with DB.transaction():
        if not await queries.insert(actor.county_id, variant_id, form, now, actor.person_id):
            raise Conflict("这一项已有一份在等批准，请先等那一份办完。")
        await audit.record(
            actor,
            "variant.propose",
            "variant",
            variant_id,
            county_id=actor.county_id,
            unit_code=form.village_code,
            after=form,
        )
    return variant_id


async def decide(
    actor: Actor,
    variant_id: UUID,
    *,
    approve: bool,
    note: str = "",
    now: datetime,
) -> None:
    """Approve or refuse, by somebody other than who proposed it.

    Approved on its first day or later it counts from the day after: what is verified stays. Raises
    NotFound, Forbidden, Invalid, Conflict.
    """
    row = await queries.variant(actor.county_id, variant_id)
    if row is None:
        raise NotFound
    there = Target(unit_code=row.village_code, maker=row.proposed_by)
    require(actor, Action.VARIANT_DECIDE, there)
    if not approve and not note:
        raise Invalid("请写明不同意的原因。", {"note": "请写明不同意的原因。"})
    state = "approved" if approve else "refused"
    first = max(row.effective_from, today(now) + timedelta(days=1)) if approve else None
    dated = msgspec.structs.replace(row, effective_from=first or row.effective_from)
    async with DB.transaction():
        if approve:
            await _still_fits(actor.county_id, dated)
        if not await queries.decide(
            actor.county_id, row.id, state, dated.effective_from, (now, actor.person_id, note)
        ):
            raise Conflict("这一份已经有人办过了，请刷新查看结果。")
        await audit.record(
            actor,
            f"variant.{state}",
            "variant",
            row.id,
            county_id=actor.county_id,
            unit_code=row.village_code,
            before={"state": "proposed", "effective_from": row.effective_from},
            after={
                "state": state,
                "code": row.code,
                "points": row.points,
                "effective_from": dated.effective_from,
            },
            reason=note,
        )


async def _fits(county_id: int, form: VariantForm) -> None:
    rule = await rulebook.rule_at(county_id, form.code, form.effective_from)
    caps = await rulebook.caps_at(county_id, form.effective_from)
    check_variant(form, rule, caps)


async def _still_fits(county_id: int, row: VariantRow) -> None:
    """What it was held against may have changed since. Raises Invalid, Conflict."""
    try:
        await _fits(county_id, row)
    except RuleRefused as refused:
        sentence = f"不能同意：{'；'.join(refused.fields.values())}"
        raise Invalid(sentence, {"note": sentence}) from refused
    begins = (row.village_code, row.code, row.effective_from)
    if await queries.begins(county_id, *begins):
        raise Conflict("这一天起已有一份批准的细则，请不同意这一份，让村里换个日期再报。")
