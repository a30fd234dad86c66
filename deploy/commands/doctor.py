"""``gridmerit doctor``: what is wrong with this installation, and what to do about it."""

import click

from deploy.checks import Finding, Level, everything
from deploy.runtime import Service, run
from shared.settings import Settings

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}


@click.command()
@click.option("--service", type=click.Choice(["points", "appraisal"]), help="只用这个服务的地址。")
def doctor(service: Service | None) -> None:
    """检查安装：数据库、权限、台账、时钟、磁盘、缓存、页面、日历。"""

    async def main(settings: Settings) -> list[Finding]:
        return await everything(settings)

    found = run(main, service or "app")
    for finding in found:
        mark = click.style(finding.level.value, fg=COLOURS[finding.level])
        click.echo(f"{mark} {finding.name}：{finding.sentence}")
    if any(finding.level is Level.FAULT for finding in found):
        raise SystemExit(2)
