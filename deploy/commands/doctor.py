"""``gridmerit doctor``: what is wrong with this installation, and what to do about it."""

import click

from deploy.checks import Finding, Level, everything, recorded_ahead
from deploy.runtime import Service, run
from shared.audit import service as audit
from shared.roster import service as roster
from shared.roster.rules import county_code
from shared.scheduling.queries import counties
from shared.settings import Settings

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}


@click.command()
@click.option("--service", type=click.Choice(["points", "appraisal"]), help="只用这个服务的地址。")
@click.option(
    "--clock-is-right",
    is_flag=True,
    help="本机的时间没有错：比现在还晚的记录，是时钟快了的时候写的。",
)
def doctor(service: Service | None, *, clock_is_right: bool) -> None:
    """检查安装：数据库、权限、台账、时钟、磁盘、定时任务、缓存、页面、日历。"""

    async def main(settings: Settings) -> list[Finding]:
        if clock_is_right:
            await _confirm_clock()
        return await everything(settings)

    found = run(main, service or "app")
    for finding in found:
        mark = click.style(finding.level.value, fg=COLOURS[finding.level])
        click.echo(f"{mark} {finding.name}：{finding.sentence}")
    if any(finding.level is Level.FAULT for finding in found):
        raise SystemExit(2)


async def _confirm_clock() -> None:
    """Record which events were written by a clock that ran ahead, so that they count no more."""
    for county_id in await counties():
        latest = await recorded_ahead(county_id)
        unit = await roster.unit_by_code(county_id, county_code(county_id))
        if latest is None or unit is None:
            continue
        await audit.record(
            None,
            "clock.confirm",
            "unit",
            unit.id,
            county_id=county_id,
            unit_code=unit.code,
            after={"until": latest},
        )
