"""``gridmerit migrate``."""

import click

from deploy.runtime import run
from shared.settings import Settings


@click.command()
def migrate() -> None:
    """把数据库升级到本版本（建立模式、角色、授权）。"""

    async def nothing_more(settings: Settings) -> None:
        """The runtime has migrated by the time it yields."""

    run(nothing_more)
    click.echo("数据库已是本版本。")
