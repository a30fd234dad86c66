"""``gridmerit create-admin``: the first people who sign in at a desk."""

import click
import segno

from deploy.checks import require_secret
from deploy.runtime import run
from shared.clock import now
from shared.identity.desk import create_on_console
from shared.identity.schemas import DeskAccount
from shared.roster.roles import DESK_ROLES, ROLE_NAMES, Role
from shared.settings import Settings
from shared.web.forms import HALF_WIDTH


@click.command("create-admin")
@click.option(
    "--county", type=click.IntRange(100_000, 999_999), required=True, help="县代码，6 位。"
)
@click.option("--county-name", default="", help="县名；还没有导入名册时要写。")
@click.option("--name", prompt="姓名", help="姓名。")
@click.option("--phone", prompt="手机号", help="手机号，登录时用。")
@click.option(
    "--role",
    type=click.Choice(sorted(role.value for role in DESK_ROLES)),
    default=Role.ADMIN.value,
    show_default=True,
    help="岗位。",
)
@click.option(
    "--password",
    prompt="密码（至少 12 个字符）",
    hide_input=True,
    confirmation_prompt="再输一次",
    help="不写则在终端里输入，不留在命令历史里。",
)
def create_admin(
    county: int, county_name: str, name: str, phone: str, role: str, password: str
) -> None:
    """建一个电脑端账号：人员、岗位、密码、动态码和备用码。"""

    async def work(settings: Settings) -> DeskAccount:
        await require_secret(settings)
        typed = password.translate(HALF_WIDTH).strip()  # what a form makes of it at sign-in
        return await create_on_console(
            county, name, phone, Role(role), typed, now(), county_name=county_name
        )

    show(run(work), ROLE_NAMES[Role(role)])


def show(made: DeskAccount, role_name: str) -> None:
    """Print what must be kept; it is shown this once."""
    click.echo(f"\n已建账号：{made.name}（{role_name}），手机号 {made.phone}")
    click.echo("1. 用手机验证器（任何支持 TOTP 的应用）扫下面的码：\n")
    click.echo(_drawn(made.totp_uri))
    click.echo(f"   扫不了就手工输入密钥：{made.totp_key}")
    click.echo("2. 把备用码抄下来锁好，每个只能用一次：\n")
    for code in made.recovery_codes:
        click.echo(f"   {code}")
    click.echo("\n3. 打开 /desk/sign-in 登录。以上内容只显示这一次。")


def _drawn(text: str) -> str:
    """A QR code of half blocks, dark on light and light on dark alike."""
    rows = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(blocks[bool(a), bool(b)] for a, b in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    )
