"""The whole story from the command line, on office files as a county hands them over."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from shared.clock import today
from shared.documents.excel import Column, Sheet, workbook
from tests.conftest import Servers
from tests.deploy.test_cli import say

COUNTY = "990202"
THIS_MONTH = str(today())[:7]
MONTH = str((today().replace(day=1) - timedelta(days=1)).replace(day=1) - timedelta(days=1))[:7]
"""The month before last: whatever day the tests run, its declaring is closed."""
DIVISIONS = (
    "county_code,county,township_code,township,village_code,village\n"
    "990202,江城县,990202100,临江镇,990202100201,石桥村\n"
    "990202,江城县,990202100,临江镇,990202100202,杏花村\n"
)
ROSTER = (
    ("乡镇", "村社区", "村代码", "网格名称", "网格编码", "户数", "姓名", "性别", "手机号", "岗位"),
    ("用工形式", "政治面貌", "到岗日期"),
)
SHOPS = ("乡镇", "店名", "店主", "手机号", "结算账户名", "协议起", "协议止")
PRODUCTS = ("品名", "单位", "兑换积分", "协议进价元", "初始库存")
FUNDS = ("村代码", "村社区", "资金来源", "决议文号", "决议日期", "预算金额元")


def office(name: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with title, unit row, 序号, 合计 and signatures, as offices make them."""
    kinds = {"到岗日期": "date", "决议日期": "date", "户数": "number"}
    kinds |= {"兑换积分": "number", "初始库存": "number", "预算金额元": "number"}
    return workbook(
        Sheet(
            name=name,
            title=f"江城县{name}",
            unit="中共江城县委组织部",
            on=today(),
            columns=tuple(
                Column(title, kinds.get(title, "text"))  # type: ignore[arg-type]
                for title in head
            ),
            rows=rows,
        )
    )


def person(
    name: str, phone: str, post: str, employment: str, village: str = "", grid: str = ""
) -> tuple[Any, ...]:
    """A line of the roster."""
    village_name = {"990202100201": "石桥村", "990202100202": "杏花村"}.get(village, "")
    grid_name = f"第{grid[-1]}网格" if grid else ""
    began = date(today().year - 1, 3, 1)
    return (
        *("临江镇", village_name, village, grid_name, grid, 60 if grid else None),
        *(name, "男", phone, post, employment, "中共党员", began),
    )


def files(folder: Path) -> None:
    """Everything the office hands over."""
    first, second = "990202100201", "990202100202"
    people = [
        person("尹玉梅", "13900000001", "网格指导员", "在编干部"),
        person("薛卫东", "13900000002", "网格指导员", "在编干部"),
        person("余伟", "13900000003", "总网格长", "村干部兼任", first),
        person("方芳", "13900000004", "网格长", "村干部兼任", first),
        person("苏建国", "13900000005", "网格员", "村付补贴", first, first + "001"),
        person("卢立新", "13900000006", "网格员", "村付补贴", first, first + "002"),
        person("马月娥", "13900000007", "总网格长", "村干部兼任", second),
        person("刘德明", "13900000008", "网格员", "村付补贴", second, second + "001"),
    ]
    (folder / "roster.xlsx").write_bytes(office("花名册", (*ROSTER[0], *ROSTER[1]), people))
    year = today().year
    shop = ("临江镇", "临江镇积分超市", "孟国平", "13900000009", "临江镇供销社")
    period = (f"{year - 1}/1/1", f"{year + 1}/12/31")
    (folder / "shops.xlsx").write_bytes(office("超市名录", SHOPS, [(*shop, *period)]))
    goods = [("肥皂", "块", 5, "4.5", 20), ("食盐400g", "袋", 3, "2.5", 50)]
    (folder / "products.xlsx").write_bytes(office("商品目录", PRODUCTS, goods))
    decided = date(year - 1, 11, 2)
    funds = [
        (first, "石桥村", "村集体", "石桥村决1号", decided, 4500),
        (second, "杏花村", "村集体", "杏花村决1号", decided, 3),
    ]
    (folder / "funds.xlsx").write_bytes(office("资金决议表", FUNDS, funds))
    (folder / "divisions.csv").write_bytes(DIVISIONS.encode("gb18030"))
    work = [
        (f"{MONTH}-03", first + "001", "苏建国", "ORG-02", "参加网格例会"),
        (f"{MONTH}-04", first + "001", "苏建国", "MED-01", "劝解邻里纠纷"),
        (f"{MONTH}-04", first + "001", "苏建国", "MED-01", "劝解邻里纠纷"),
        (f"{MONTH}-05", first + "001", "苏建国", "SVC-01", "代办医保缴费"),
        (f"{MONTH}-06", first + "002", "卢立新", "ORG-01", "参加主题党日"),
        (f"{MONTH}-07", first + "002", "卢立新", "XXX-9", "没有的规则"),
        (f"{MONTH}-08", second + "001", "刘德明", "ORG-04", "参加清洁行动"),
        (f"{MONTH}-09", second + "001", "刘德明", "ORG-02", "参加网格例会"),
        (f"{MONTH}-10", second + "001", "刘德明", "SVC-01", "帮办证件材料"),
    ]
    lines = ["日期,网格编码,姓名,规则编号,内容,备注", *(",".join((*row, "")) for row in work)]
    (folder / "work.csv").write_bytes("\r\n".join(lines).encode("gb18030"))


async def test_the_story_on_office_files(
    tmp_path: Path, servers: Servers, empty_database: str
) -> None:
    """Import, verify, post, redeem, build and sign the statement, export, verify the ledger."""
    files(tmp_path)
    urls = {"DATABASE_URL": empty_database, "REDIS_URL": servers.redis}
    county = ("--county", COUNTY)

    async def gridmerit(*arguments: str, code: int = 0) -> str:
        got, out, err = await say(
            tmp_path, *arguments, GRIDMERIT_DATA_DIR=str(tmp_path / "data"), **urls
        )
        assert got == code, (arguments, out, err)
        return out + err

    roster = ("import", "roster", "roster.xlsx", *county, "--divisions", "divisions.csv")
    await gridmerit(*roster)
    assert "新增 1" in await gridmerit("import", "shops", "shops.xlsx", *county)
    assert "新增 2" in await gridmerit("import", "products", "products.xlsx", *county)
    assert "将新增 2" in await gridmerit("import", "funds", "funds.xlsx", *county, "--dry-run")
    assert "已新增 2" in await gridmerit("import", "funds", "funds.xlsx", *county)
    assert "已新增 0" in await gridmerit("import", "funds", "funds.xlsx", *county)

    imported = await gridmerit("import", "work", "work.csv", *county)
    assert "重复" in imported
    assert "XXX-9" in imported
    verified = await gridmerit("work", "verify", "--month", MONTH, *county)
    assert "已核实 7 条" in verified
    posted = await gridmerit("work", "post", "--month", MONTH, *county)
    assert "入账 7 条：规则给 10 分，计 10 分，其中待拨付 1 分" in posted
    again = await gridmerit("import", "work", "work.csv", *county)
    assert "新记 0 条" in again
    assert "入账 0 条" in await gridmerit("work", "post", "--month", MONTH, *county)

    redeem = ("redeem", *county, "--shop", "临江镇积分超市", "--worker")
    refused = await gridmerit(*redeem, "13900000008", "--item", "肥皂=1", code=1)
    assert "可用积分不够" in refused
    done = await gridmerit(*redeem, "苏建国", "--item", "食盐400g=1")
    assert "合计 3 分，还剩 1 分" in done

    build = ("statement", "build", "--month", THIS_MONTH)
    assert "新入 1 笔，应付 2.50 元" in await gridmerit(*build)
    assert "新出对账单 0 张，续加 0 张，不变 1 张" in await gridmerit(*build)
    signed = await gridmerit("statement", "sign", "--month", THIS_MONTH)
    assert "登记签字 3 处（代签 2 处），已冻结 1 张" in signed
    for kind, month in (("statements", THIS_MONTH), ("ledger", THIS_MONTH), ("points", MONTH)):
        await gridmerit("export", kind, "--month", month, "--out", "out")
    assert "全部相符" in await gridmerit("verify", *county)
    check(tmp_path / "out")


def check(folder: Path) -> None:
    """Ledger, statement and summary agree with each other."""
    found = {re.split("[_2]", path.name)[0]: path for path in folder.iterdir()}
    pages = {name: openpyxl.load_workbook(path).active for name, path in found.items()}
    ledger = next(page for name, page in pages.items() if "兑换台账" in name)
    statement = next(page for name, page in pages.items() if name.startswith("对账单"))
    summary = next(page for name, page in pages.items() if "积分汇总" in name)
    assert [ledger.cell(4, column).value for column in (6, 8, 9)] == ["苏建国", "食盐400g×1", 3]
    assert [statement.cell(4, column).value for column in (8, 9)] == [3, 2.5]
    by_name = {row[4]: row for row in summary.iter_rows(min_row=4, values_only=True)}
    assert by_name["苏建国"][13] == 4
    assert by_name["刘德明"][13] == 4
    assert by_name["刘德明"][15] == 3
