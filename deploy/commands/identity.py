"""``gridmerit create-admin``: the first people who sign in at a desk."""

import click

from deploy.checks import require_secret
from deploy.commands.county import COUNTY
from deploy.runtime import run
from shared.clock import now, today
from shared.identity.desk import create_on_console
from shared.identity.schemas import DeskAccount
from shared.roster.roles import DESK_ROLES, ROLE_NAMES, Role
from shared.settings import Settings
from shared.web.forms import HALF_WIDTH


@click.command("create-admin")
@COUNTY
@click.option("--county-name", default="", help="县名；还没有导入名册时要写。")
@click.option("--name", prompt="姓名", help="姓名。")
@click.option("--phone", prompt="手机号", help="手机号，登录时用。")
@click.option(
    "--role",
    type=click.Choice(sorted(role.value for role in DESK_ROLES)),
    default=Role.ADMIN.value,
    show_default=True,
    help=f"岗位：{'，'.join(f'{role} {ROLE_NAMES[role]}' for role in sorted(DESK_ROLES))}。",
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
    """建一个电脑端账号：人员、岗位、初始密码和首次登录码。"""

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
    click.echo(f"首次登录码：{made.code}")
    click.echo(f"请本人在 {today(made.until)} 以前打开 /desk/sign-in，")
    click.echo("输手机号、初始密码，动态码一栏填首次登录码；登录后设自己的密码、绑定手机验证器，")
    click.echo("并抄下备用码。以上内容只显示这一次。")
