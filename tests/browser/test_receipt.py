"""A worker keeps a receipt and checks it on the page, which works from a disk as well."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from points.ledger import service as ledger
from points.ledger.items import Opening
from points.ledger.seal import service as seal
from shared.clock import now, today
from shared.ids import new_id
from tests.browser.checks import (
    assert_accessible,
    assert_head,
    assert_keeps_the_rules,
    assert_reflows,
    assert_targets,
    shoot,
)
from tests.browser.conftest import DESK, PHONE, ROOT, Look, SignIn, follow
from tests.browser.village import activate
from tests.factories import COUNTY, Member, SmallCounty, small_county
from tests.points.ledger.seal.test_rules import CLOSED, VECTORS

ON_DISK = (ROOT / "points" / "static" / "check-receipt.html").as_uri()
Open = Callable[..., Any]


async def opening(member: Member, at_days_ago: int) -> None:
    """Points of some days ago."""
    item = Opening(
        id=new_id(),
        person_id=member.person_id,
        code="opening",
        merit=120,
        wallet=0,
        fund_id=None,
        unit_code=member.unit_code[:12],
        day=today(),
        expires_on=None,
        memo="期初结转",
    )
    at = now() - timedelta(days=at_days_ago)
    assert (await ledger.post_one(COUNTY, item, at)).accepted


async def county_with_points() -> SmallCounty:
    """One worker's points of four days ago, in a closed day, and of today."""
    county = await small_county()
    await activate(county.worker)
    await opening(county.worker, 4)
    await seal.close_days(COUNTY, now())
    await opening(county.worker, 0)
    return county


async def from_file(page: Page, file: Path, printed: str) -> None:
    """Choose the file, type the root, press the button."""
    await page.get_by_label("选择下载的凭证文件").set_input_files(file)
    await expect(page.get_by_label("或者把凭证内容粘贴在这里")).not_to_have_value("")
    await page.get_by_label("照公示或对账单上那一天的封印输入").fill(printed)
    await page.get_by_role("button", name="核对").click()


async def test_a_receipt_is_kept_and_checked(
    committed: None, sign_in: SignIn, open_context: Open, tmp_path: Path
) -> None:
    """Download from the receipt page, check on the page of the site, then on the page on disk."""
    county = await county_with_points()
    page = await sign_in(county.worker)
    newest, sealed, *_ = await ledger.transfers(COUNTY, county.worker.person_id)
    await page.goto(f"/wallet/{newest.id}")
    await expect(page.get_by_text("明天再下载一次")).to_be_visible()
    await page.goto(f"/wallet/{sealed.id}")
    await assert_keeps_the_rules(page, "wallet-receipt")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="下载凭证").click()
    file = tmp_path / "receipt.json"
    await (await waiting.value).save_as(file)
    await follow(page.get_by_role("link", name="核对凭证"))
    [day, *_] = await seal.month(COUNTY, today(now() - timedelta(days=4)).replace(day=1))
    await from_file(page, file, day.root.hex().upper())
    await expect(page.get_by_text("能核对的都相符")).to_be_visible()
    await expect(page.get_by_text("比对了前 64 位")).to_be_visible()
    offline: BrowserContext = await open_context()
    await offline.set_offline(True)
    alone = await offline.new_page()
    await alone.goto(ON_DISK)
    await from_file(alone, file, "0" * 16)
    await expect(alone.get_by_text("和您输入的当日封印不一致")).to_be_visible()
    await expect(alone.get_by_text("不符：")).to_be_visible()


@pytest.mark.parametrize("address", ["/check-receipt", ON_DISK], ids=["served", "disk"])
async def test_the_page_and_the_command_agree(open_context: Open, address: str) -> None:
    """Every vector gives the same lines and the same verdict, word for word."""
    page: Page = await (await open_context()).new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    await page.goto(address)
    for vector in VECTORS:
        lines = await page.evaluate(
            "([text, printed]) => check(text, printed)", [vector["receipt"], vector["printed"]]
        )
        assert lines == vector["lines"], vector["name"]
        verdict = await page.evaluate("(lines) => verdict(lines)", lines)
        assert verdict == vector["verdict"], vector["name"]
    assert refused == []


@pytest.mark.parametrize("look", [Look(), Look("dark")], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_page_keeps_the_rules(
    open_context: Open, look: Look, viewport: dict[str, int]
) -> None:
    """Contrast, names, targets and reflow, with an answer on it; an empty form is told so."""
    page: Page = await (await open_context(look, viewport)).new_page()
    await page.goto("/check-receipt")
    await page.get_by_role("button", name="核对").click()
    await expect(page.get_by_text("还没有凭证")).to_be_visible()
    await page.get_by_label("或者把凭证内容粘贴在这里").fill(CLOSED["receipt"])
    await page.get_by_label("照公示或对账单上那一天的封印输入").fill("0" * 64)
    await page.get_by_role("button", name="核对").click()
    await expect(page.get_by_text("不符：")).to_be_visible()
    await shoot(page, f"check-receipt-{viewport['width']}-{look.theme}")
    await assert_head(page)
    await assert_accessible(page)
    await assert_targets(page, 44)
    await assert_reflows(page)


async def test_seals_at_the_desk_and_on_paper(committed: None, desk_sign_in: SignIn) -> None:
    """The department sees the month's seals; the village's notice has them below."""
    county = await county_with_points()
    first = today(now() - timedelta(days=4))
    [day, *_] = await seal.month(COUNTY, first.replace(day=1))
    groups = " ".join(day.root.hex()[at : at + 8] for at in range(0, 64, 8))
    page = await desk_sign_in(county.department)
    await page.goto(f"/desk/seals?month={first:%Y-%m}")
    await expect(page.get_by_text(groups)).to_be_visible()
    await shoot(page, "desk-seals")
    village = county.worker.unit_code[:12]
    await page.goto(f"/verify/months/{village}/{first:%Y%m}/notice")
    await expect(page.get_by_text(groups)).to_be_visible()
    await shoot(page, "notice-seals")
