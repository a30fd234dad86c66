"""Versions of rules on a real database."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from points.errors import RuleRefused
from points.rulebook import service
from points.rulebook.defaults import CAPS, RULES
from points.rulebook.rules import Category
from shared.database import DB
from shared.errors import Conflict, NotFound
from tests.factories import COUNTY, acting, small_county

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


async def test_a_county_begins_with_the_default_rulebook(rollback: None) -> None:
    """Every default rule is in force, byte for byte, and seeding twice adds nothing."""
    await small_county()
    first = await service.rules_at(COUNTY, date(2026, 10, 1))
    assert first == sorted(RULES, key=lambda rule: rule.code)
    await service.ensure_seeded(COUNTY)
    assert await service.rules_at(COUNTY, date(2026, 10, 1)) == first
    assert await service.caps_at(COUNTY, date(2026, 10, 1)) == CAPS


async def test_a_new_version_counts_from_its_day(rollback: None) -> None:
    """The old version keeps its days; the change is audited with before and after."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    old = (await service.history(COUNTY, "SVC-01"))[-1]
    new = msgspec.structs.replace(old, points=15, effective_from=date(2027, 1, 1))
    made = await service.change_rule(desk, new, NOW)
    assert made.version == 2
    before = await service.rule_at(COUNTY, "SVC-01", date(2026, 12, 31))
    after = await service.rule_at(COUNTY, "SVC-01", date(2027, 1, 1))
    assert (before and before.points, after and after.points) == (10, 15)
    assert before is not None
    assert before.effective_to == date(2027, 1, 1)
    actions = await DB.fetch(
        "SELECT before->>'points' AS b, after->>'points' AS a FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'rules.edit'",
        COUNTY,
    )
    assert [(row["b"], row["a"]) for row in actions] == [("10", "15")]


async def test_a_temporary_item_has_a_last_day(rollback: None) -> None:
    """Work after it is not declared under the rule, until a later version takes it up again."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    old = (await service.history(COUNTY, "LAW-04"))[-1]
    first, end = date(2027, 1, 1), date(2027, 4, 1)
    backwards = msgspec.structs.replace(old, effective_from=first, effective_to=first)
    with pytest.raises(RuleRefused, match="最后一天"):
        await service.change_rule(desk, backwards, NOW)
    await service.change_rule(desk, msgspec.structs.replace(backwards, effective_to=end), NOW)
    last = await service.rule_at(COUNTY, "LAW-04", date(2027, 3, 31))
    assert last is not None
    assert (last.version, last.effective_to) == (2, end)
    assert await service.rule_at(COUNTY, "LAW-04", end) is None
    for version, again in ((3, date(2027, 6, 1)), (4, date(2027, 7, 1))):
        new = msgspec.structs.replace(
            old, points=version * 10, effective_from=again, effective_to=None
        )
        assert (await service.change_rule(desk, new, NOW)).version == version
    assert await service.rule_at(COUNTY, "LAW-04", date(2027, 5, 31)) is None
    limited = msgspec.structs.replace(
        old, effective_from=date(2027, 8, 1), effective_to=date(2028, 1, 1)
    )
    await service.change_rule(desk, limited, NOW)
    sooner = msgspec.structs.replace(old, effective_from=date(2027, 9, 1), effective_to=None)
    await service.change_rule(desk, sooner, NOW)
    ends = [rule.effective_to for rule in await service.history(COUNTY, "LAW-04")]
    assert ends[-2:] == [date(2027, 9, 1), None]


async def test_an_overlapping_version_is_refused(rollback: None) -> None:
    """A second version for the same day names the first."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    old = (await service.history(COUNTY, "SVC-01"))[-1]
    new = msgspec.structs.replace(old, points=15, effective_from=date(2027, 1, 1))
    await service.change_rule(desk, new, NOW)
    with pytest.raises(RuleRefused, match="2027年1月1日起已有第 2 版"):
        await service.change_rule(desk, new, NOW)


async def test_what_changes_nothing_makes_no_version(rollback: None) -> None:
    """A form saved as it was is told so; another last day alone is a change."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    first = date(2027, 1, 1)
    old = (await service.history(COUNTY, "SVC-01"))[-1]
    same = msgspec.structs.replace(old, effective_from=first)
    with pytest.raises(RuleRefused, match="没有改动"):
        await service.change_rule(desk, same, NOW)
    with pytest.raises(RuleRefused, match="没有改动"):
        await service.change_caps(desk, msgspec.structs.replace(CAPS, effective_from=first), NOW)
    ending = msgspec.structs.replace(same, effective_to=date(2027, 7, 1))
    assert (await service.change_rule(desk, ending, NOW)).version == 2


async def test_a_deduction_gets_other_amounts_up_to_the_policys(rollback: None) -> None:
    """For what happens from that day on; more than the first version's highest is refused."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    first = date(2027, 1, 1)
    for wrong in ((), (0,), (20, 60)):
        with pytest.raises(RuleRefused, match="不超过政策规定的 5 分"):
            await service.change_penalty(desk, "PEN-05", wrong, first, NOW)
    with pytest.raises(RuleRefused, match="没有改动"):
        await service.change_penalty(desk, "PEN-05", (20, 50), first, NOW)
    with pytest.raises(RuleRefused, match="今天以后"):
        await service.change_penalty(desk, "PEN-05", (10,), date(2026, 11, 24), NOW)
    await service.change_penalty(desk, "PEN-05", (10, 30), first, NOW, based_on=1)
    with pytest.raises(Conflict, match="第 2 版"):
        await service.change_penalty(desk, "PEN-05", (10,), date(2027, 2, 1), NOW, based_on=1)
    await service.change_penalty(desk, "PEN-05", (10, 50), date(2027, 2, 1), NOW, based_on=2)

    async def amounts(on: date) -> list[tuple[int, ...]]:
        found = await service.penalties_at(COUNTY, on)
        return [penalty.choices for penalty in found if penalty.code == "PEN-05"]

    assert await amounts(date(2026, 12, 31)) == [(20, 50)]
    assert await amounts(first) == [(10, 30)]
    assert await amounts(date(2027, 2, 1)) == [(10, 50)]
    with pytest.raises(NotFound):
        await service.change_penalty(desk, "SVC-01", (10,), first, NOW)
    with pytest.raises(NotFound):
        await service.change_penalty(await acting(town.chief), "PEN-05", (10,), first, NOW)


async def test_an_unknown_code_is_not_found(rollback: None) -> None:
    """Rules are changed, not invented."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    new = msgspec.structs.replace(RULES[0], code="ORG-99", effective_from=date(2027, 1, 1))
    with pytest.raises(NotFound):
        await service.change_rule(desk, new, NOW)


async def test_only_the_department_changes_rules(rollback: None) -> None:
    """A chief does not even see that there is something to change."""
    town = await small_county()
    chief = await acting(town.chief)
    with pytest.raises(NotFound):
        await service.change_rule(chief, RULES[0], NOW)


async def test_caps_below_a_rule_are_refused(rollback: None) -> None:
    """A category's month must leave room for each of its rules; caps begin ahead, once a day."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    low = dict(CAPS.category_month) | {Category.OPN: 50}
    new = msgspec.structs.replace(CAPS, category_month=low, effective_from=date(2027, 1, 1))
    with pytest.raises(RuleRefused, match="OPN-03"):
        await service.change_caps(desk, new, NOW)
    low[Category.OPN] = 100
    new = msgspec.structs.replace(new, category_month=low)
    early = msgspec.structs.replace(new, effective_from=NOW.date())
    with pytest.raises(RuleRefused, match="今天以后"):
        await service.change_caps(desk, early, NOW)
    await service.change_caps(desk, new, NOW)
    with pytest.raises(RuleRefused, match="已有一版上限"):
        await service.change_caps(desk, msgspec.structs.replace(new, person_month=500), NOW)
    caps = await service.caps_at(COUNTY, date(2027, 1, 1))
    assert caps.category_month[Category.OPN] == 100
    assert (await service.caps_at(COUNTY, date(2026, 12, 31))).category_month == CAPS.category_month
    told = await DB.fetchval(
        "SELECT after->>'category_month' FROM shared.audit_event"
        " WHERE county_id = $1 AND object_kind = 'caps'",
        COUNTY,
    )
    assert "社情民意收集 10 分" in told, "an auditor reads points"


async def test_rules_and_caps_are_held_against_what_is_planned(rollback: None) -> None:
    """Whichever is entered first: from its day on the category still has room for the rule."""
    town = await small_county()
    desk = await acting(town.department, desk=True)
    low = dict(CAPS.category_month) | {Category.OPN: 100}
    caps = msgspec.structs.replace(CAPS, category_month=low, effective_from=date(2027, 2, 1))
    old = (await service.history(COUNTY, "OPN-03"))[-1]
    dear = msgspec.structs.replace(old, points=150, effective_from=date(2027, 3, 1))
    await service.change_rule(desk, dear, NOW)
    with pytest.raises(RuleRefused, match="OPN-03"):
        await service.change_caps(desk, caps, NOW)
    low[Category.OPN] = 160
    later = msgspec.structs.replace(caps, category_month=low, effective_from=date(2027, 6, 1))
    await service.change_caps(desk, later, NOW)
    other = (await service.history(COUNTY, "OPN-02"))[-1]
    dearer = msgspec.structs.replace(
        other, points=170, cap_month=None, effective_from=date(2027, 4, 1)
    )
    with pytest.raises(RuleRefused, match="每月上限"):
        await service.change_rule(desk, dearer, NOW)
