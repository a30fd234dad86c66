"""Before its first day a version is put right; from then on only the next one changes anything."""

from datetime import date, timedelta

import httpx
import msgspec
import pytest

from points.errors import RuleRefused
from points.rulebook import service
from points.rulebook.rules import Rule, stamp
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, NotFound
from tests.factories import COUNTY, SmallCounty, acting, small_county
from tests.points.rulebook.test_own_items import DEDUCTION, DURING, FIRST, ITEM, NOW, added
from tests.shared.identity.test_web import enter_desk, post


async def correct(town: SmallCounty, new: Rule, *, seen: Rule = ITEM) -> None:
    """By the department."""
    desk = await acting(town.department, desk=True)
    await service.correct_rule(desk, new, NOW, seen=stamp(seen))


async def test_a_typo_is_put_right_before_the_first_day(rollback: None) -> None:
    """The version keeps its number and its day; the audit has both texts and says why."""
    town = await added()
    right = msgspec.structs.replace(
        ITEM, title="帮老人用手机", points=20, cap_day=None, effective_to=None
    )
    await correct(town, msgspec.structs.replace(right, effective_from=date(2026, 9, 20)))
    assert await service.history(COUNTY, "SVC-05") == [right]
    assert await service.rule_at(COUNTY, "SVC-05", FIRST - timedelta(days=1)) is None
    told = await DB.fetch(
        "SELECT before->>'points', after->>'points', reason FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'rules.edit' AND before IS NOT NULL",
        COUNTY,
    )
    assert [tuple(row) for row in told] == [("15", "20", "改正还没有生效的第 1 版")]


async def test_the_version_before_it_stays_as_it_is(rollback: None) -> None:
    """What is in force until then keeps its text and its end."""
    town = await added()
    desk = await acting(town.department, desk=True)
    [before] = await service.history(COUNTY, "SVC-01")
    wrong = msgspec.structs.replace(before, title="代办", points=11, effective_from=FIRST)
    wrong = await service.change_rule(desk, wrong, NOW)
    await correct(town, msgspec.structs.replace(wrong, title="代办帮办"), seen=wrong)
    was, new = await service.history(COUNTY, "SVC-01")
    assert was == msgspec.structs.replace(before, effective_to=FIRST)
    assert (new.version, new.title, new.points) == (2, "代办帮办", 11)
    await correct(town, msgspec.structs.replace(before, version=2, effective_from=FIRST), seen=new)
    assert (await service.history(COUNTY, "SVC-01"))[-1].title == before.title, "taken back"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": 0}, "points"),
        ({"points": 250, "cap_day": None, "cap_month": None}, "points"),
        ({"cap_day": 10}, "cap_day"),
        ({"title": "每日打卡"}, "title"),
        ({"effective_to": FIRST}, "last_day"),
        ({}, "version"),
    ],
)
async def test_no_correction_says_what_a_version_may_not(
    rollback: None, change: dict[str, object], field: str
) -> None:
    """It is held against the caps and the limits as a new version is."""
    town = await added()
    with pytest.raises(RuleRefused) as refused:
        await correct(town, msgspec.structs.replace(ITEM, **change))
    assert list(refused.value.fields) == [field]
    assert await service.history(COUNTY, "SVC-05") == [ITEM]


async def test_nothing_is_corrected_once_it_has_begun_nor_unseen(rollback: None) -> None:
    """From the first day on, with what somebody else has corrected meanwhile, by others."""
    town = await added()
    desk = await acting(town.department, desk=True)
    renamed = msgspec.structs.replace(ITEM, title="教用手机")
    with pytest.raises(Conflict, match="已经生效，请存成新版"):
        await service.correct_rule(desk, renamed, DURING, seen=stamp(ITEM))
    await correct(town, renamed)
    with pytest.raises(Conflict, match="别人刚改过第 1 版"):
        await correct(town, msgspec.structs.replace(ITEM, points=20))
    with pytest.raises(NotFound):
        await service.correct_rule(await acting(town.chief), ITEM, NOW, seen=stamp(renamed))


async def test_a_deduction_is_put_right_too(rollback: None) -> None:
    """Its title and its amounts, within the policy; the shipped ones have long begun."""
    town = await added()
    desk = await acting(town.department, desk=True)
    seen = stamp(DEDUCTION)
    with pytest.raises(RuleRefused):
        await service.correct_penalty(desk, "PEN-09", "值班脱岗", (250,), NOW, seen=seen)
    await service.correct_penalty(desk, "PEN-09", "值班脱岗", (30,), NOW, seen=seen)
    [item] = await service.penalty_history(COUNTY, "PEN-09")
    assert item == msgspec.structs.replace(DEDUCTION, title="值班脱岗", choices=(30,))
    [shipped] = await service.penalty_history(COUNTY, "PEN-07")
    with pytest.raises(Conflict):
        await service.correct_penalty(desk, "PEN-07", "假", (10,), NOW, seen=stamp(shipped))


async def test_the_department_corrects_on_the_page(client: httpx.AsyncClient) -> None:
    """From the version's line to its form; begun, the same address asks for a new version."""
    town = await small_county()
    await enter_desk(client, town.department)
    first = today() + timedelta(days=5)
    form = {"code": "SVC-05", "title": "教用手饥", "points": "15", "per": "1", "steps": "V1"}
    form |= {"evidence": "none", "effective_from": str(first)}
    assert (await post(client, "/desk/rules", **form)).status_code == 303
    path = "/desk/rules/SVC-05/correct"
    assert f'href="{path}"' in (await client.get("/desk/rules/SVC-05")).text
    asked = (await client.get(path)).text
    assert 'value="教用手饥"' in asked
    assert 'type="date" name="effective_from"' not in asked
    [item] = await service.history(COUNTY, "SVC-05")
    right = form | {"title": "教用手机", "points": "1.5", "seen": stamp(item)}
    wrong = await post(client, path, **right | {"cap_day": "1"})
    assert (wrong.status_code, "单日上限 1 分低于" in wrong.text) == (422, True)
    assert (await post(client, path, **right)).status_code == 303
    assert [(rule.title, rule.points) for rule in await service.history(COUNTY, "SVC-05")] == [
        ("教用手机", 15)
    ]
    late = await post(client, path, **right | {"points": "2"})
    assert (late.status_code, "别人刚改过第 1 版" in late.text) == (409, True)
    begun = await client.get("/desk/rules/SVC-01/correct")
    assert (begun.status_code, "起草新版（第 2 版）" in begun.text) == (200, True)
    assert 'href="/desk/rules/SVC-01/correct"' not in begun.text


async def test_the_department_corrects_a_deduction_on_the_page(client: httpx.AsyncClient) -> None:
    """Title, amounts and last day."""
    town = await small_county()
    await enter_desk(client, town.department)
    first = today() + timedelta(days=5)
    form = {"code": "PEN-09", "title": "值班脱港", "choices": "1、2", "effective_from": str(first)}
    assert (await post(client, "/desk/rules-penalties", **form)).status_code == 303
    path = "/desk/rules-penalties/PEN-09/correct"
    assert f'href="{path}"' in (await client.get("/desk/rules-penalties/PEN-09")).text
    assert 'value="值班脱港"' in (await client.get(path)).text
    [item] = await service.penalty_history(COUNTY, "PEN-09")
    right = {"title": "值班脱岗", "choices": "3", "last_day": str(first), "seen": stamp(item)}
    wrong = await post(client, path, **right | {"choices": "三"})
    assert (wrong.status_code, "field__error" in wrong.text) == (422, True)
    assert (await post(client, path, **right)).status_code == 303
    [item] = await service.penalty_history(COUNTY, "PEN-09")
    assert (item.title, item.choices) == ("值班脱岗", (30,))
    assert item.effective_to == first + timedelta(days=1)
    late = await post(client, path, **right)
    assert (late.status_code, "别人刚改过第 1 版" in late.text) == (409, True)
    begun = await client.get("/desk/rules-penalties/PEN-05/correct")
    assert (begun.status_code, "改扣分档（第 2 版）" in begun.text) == (200, True)
