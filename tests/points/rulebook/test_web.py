"""The department's rulebook pages."""

from datetime import timedelta

import httpx
import pytest

from points.rulebook import service
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from tests.conftest import as_owner
from tests.factories import COUNTY, small_county
from tests.points.work.test_photo_retention import record
from tests.shared.identity.test_web import enter, enter_desk, post


async def test_the_rules_are_listed_and_changed(client: httpx.AsyncClient) -> None:
    """The list, the form, a new version; a refused one comes back with what was typed."""
    town = await small_county()
    await enter_desk(client, town.department)
    listed = await client.get("/desk/rules")
    assert listed.status_code == 200
    assert "网格例会" in listed.text
    assert "每月上限 8 分" in listed.text
    emptied = await client.get("/desk/rules?on=")
    assert (emptied.status_code, "网格例会" in emptied.text) == (200, True)
    rule = await client.get("/desk/rules/SVC-01")
    assert "起草新版（第 2 版）" in rule.text
    form = {
        "_csrf_token": client.cookies["csrftoken"],
        "version": "1",
        "title": "代办帮办民生事项",
        "points": "1.5",
        "cap_day": "3",
        "cap_month": "12",
        "per": "1",
        "steps": "V1",
        "evidence": "optional",
        "effective_from": str(today() + timedelta(days=5)),
    }
    low = await client.post("/desk/rules/SVC-01", data=form | {"cap_day": "1"})
    assert low.status_code == 422
    assert "单日上限 1 分低于单次分值 1.5 分" in low.text
    wrong = await client.post("/desk/rules/SVC-01", data=form | {"points": "一分"})
    assert wrong.status_code == 422
    past = await client.post("/desk/rules/SVC-01", data=form | {"last_day": str(today())})
    assert (past.status_code, "最后一天早于生效日期" in past.text) == (422, True)
    last = today() + timedelta(days=20)
    saved = await client.post("/desk/rules/SVC-01", data=form | {"last_day": str(last)})
    assert saved.status_code == 303
    assert [r.points for r in await service.history(COUNTY, "SVC-01")] == [10, 15]
    then = await client.get(f"/desk/rules?on={last}")
    assert f"{chinese_date(last + timedelta(days=1))}起不再申报" in then.text
    gone = await client.get(f"/desk/rules?on={last + timedelta(days=1)}")
    assert "SVC-01" not in gone.text
    late = await client.post("/desk/rules/SVC-01", data=form)
    assert late.status_code == 409
    assert "别人刚存了第 2 版" in late.text


async def test_a_deduction_s_amounts_are_changed(client: httpx.AsyncClient) -> None:
    """From the list to the form; what happened before still has the old amounts to choose."""
    town = await small_county()
    await enter_desk(client, town.department)
    assert 'href="/desk/rules-penalties/PEN-05"' in (await client.get("/desk/rules")).text
    path = "/desk/rules-penalties/PEN-05"
    asked = (await client.get(path)).text
    assert "按名称里各情形的顺序填；每档不超过政策规定的 5 分" in asked
    tomorrow = today() + timedelta(days=1)
    form = {
        "_csrf_token": client.cookies["csrftoken"],
        "version": "1",
        "choices": "1、４",
        "effective_from": str(tomorrow),
    }
    for wrong in ("6", "一", "", "-1"):
        answer = await client.post(path, data=form | {"choices": wrong})
        assert answer.status_code == 422, wrong
        assert "有几处" in answer.text or "政策规定" in answer.text
    assert (await client.post(path, data=form)).status_code == 303
    assert (await client.post(path, data=form)).status_code == 409
    assert "1 / 4" in (await client.get(f"{path}?saved=1")).text
    audit = (await client.get("/desk/audit")).text
    assert "扣分档" in audit
    assert (await client.get("/desk/rules-penalties/SVC-01")).status_code == 404

    await enter(client, town.chief)
    offered = await client.get("/verify/deductions/new")
    assert "−2 分" in offered.text
    typed = {
        "worker_id": str(town.worker.person_id),
        "choice": "PEN-05:40",
        "facts": "",
        "evidence": "",
    }
    later = await post(client, "/verify/deductions", happened_on=str(tomorrow), **typed)
    assert "PEN-05:40" in later.text


async def test_a_false_claim_is_chosen_under_other_amounts_too(client: httpx.AsyncClient) -> None:
    """From a record the form has chosen the false claim, whatever it takes by now."""
    town = await small_county()
    claimed = await record(town, b"", work_date=today())
    await enter(client, town.chief)
    assert (await client.get("/verify/deductions/new")).status_code == 200, "rules are there"
    async with as_owner():
        await DB.execute(
            "UPDATE points.rule_version SET body = jsonb_set(body, '{choices}', '[50]')"
            " WHERE county_id = $1 AND code = 'PEN-07'",
            COUNTY,
        )
    offered = (await client.get(f"/verify/deductions/new?record={claimed}")).text
    assert '<option value="PEN-07:50" selected>' in offered


@pytest.mark.parametrize("person_month", ["10", "-1", ""])
async def test_senseless_caps_are_refused(client: httpx.AsyncClient, person_month: str) -> None:
    """A person's month below a category's, negative, missing."""
    town = await small_county()
    await enter_desk(client, town.department)
    await client.get("/desk/rules-caps")
    form = {
        "_csrf_token": client.cookies["csrftoken"],
        **dict.fromkeys(("ORG", "SVC", "OPN", "MED", "CARE", "LAW"), "20"),
        "person_month": person_month,
        "person_year": "600",
        "effective_from": str(today() + timedelta(days=5)),
    }
    answer = await client.post("/desk/rules-caps", data=form)
    assert answer.status_code == 422


async def test_a_chief_finds_no_such_page(client: httpx.AsyncClient) -> None:
    """Absent and forbidden look the same."""
    town = await small_county()
    await enter(client, town.chief)
    assert (await client.get("/desk/rules")).status_code == 404
