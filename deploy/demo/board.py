"""The table that ``gridmerit serve --demo`` prints: where to go and who to be."""

from rich.console import Console
from rich.table import Table

from deploy.demo.county import COUNTY_NAME, PASSWORD, PIN
from deploy.demo.seed import DESK, Demo, totp
from shared.clock import now

WIDTH = 130
"""Columns that the table needs; a narrower terminal wraps it, which is better than cutting."""


def show(demo: Demo, address: str) -> None:
    """Print addresses and sign-ins; the authenticator's digits are those of this moment."""
    out = Console(width=max(Console().width, WIDTH), highlight=False)
    made = "已建好" if demo.made else "沿用上次的数据"
    table = Table(title=f"{COUNTY_NAME}（演示，{made}）", title_justify="left")
    for head in ("岗位", "姓名", "单位", "手机号", "登录"):
        table.add_column(head)
    for line in demo.sign_ins:
        place = "电脑" if line.path == DESK else "手机"
        table.add_row(line.role, line.name, line.place, line.phone, place)
    out.print(table)
    out.print(f"手机登录：{address}/sign-in　密码都是 {PIN}（窄窗口即手机页面）")
    out.print(f"电脑登录：{address}{DESK}　密码都是 {PASSWORD}")
    out.print(f"　动态码：现在 {totp(now())}，半分钟一换；验证器密钥：")
    out.print(f"　{demo.totp_key}")
    out.print("故事：网格员记工作 → 网格长核实 → 网格员出示兑换码 → 店主兑换 → 对账单")
    out.print("考核：上一期已办结（排名 → 考核表 → 台账），本期正在采集（群众测评 → 打印测评票）")
