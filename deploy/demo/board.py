"""The table that ``gridmerit serve --demo`` prints: where to go and who to be."""

from rich.console import Console
from rich.table import Table

from deploy.demo.county import COUNTY_NAME
from deploy.demo.seed import Demo, totp
from shared.clock import now

WIDTH = 120
"""Columns: a narrower terminal wraps lines, but no phone number is ever cut short."""

WIDTH = 130
"""Columns that the table needs; a narrower terminal wraps it, which is better than cutting."""


def show(demo: Demo, address: str, console: Console | None = None) -> None:
    """Print addresses and sign-ins; the authenticator's digits are those of this moment."""
    out = console or Console(width=max(Console().width, WIDTH))
    made = "已建好" if demo.made else "沿用上次的数据"
    table = Table(title=f"{COUNTY_NAME}（演示，{made}）", title_justify="left")
    for head in ("岗位", "姓名", "单位", "手机号", "密码", "从这里登录"):
        table.add_column(head, no_wrap=head != "单位")
    for line in demo.sign_ins:
        table.add_row(
            line.role, line.name, line.place, line.phone, line.secret, f"{address}{line.path}"
        )
    out.print(table)
    out.print(f"网址：{address}　手机页面在浏览器里缩窄窗口即可。")
    out.print(
        f"电脑端动态码：现在是 {totp(now())}，半分钟一换；密钥 {demo.totp_key} 可加进验证器。"
    )
    out.print("故事：网格员记工作 → 网格长核实 → 网格员出示兑换码 → 店主扫码兑换 → 对账单。")
