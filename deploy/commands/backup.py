"""``gridmerit backup``: the embedded database as one file, by the tools of the running version."""

import subprocess
from pathlib import Path

import click

from deploy.checks import own_server
from deploy.commands.target import FOLDER
from deploy.engine_home import EngineError
from deploy.engine_postgres import DATABASE, SUPERUSER, Postgres
from deploy.runtime import run
from shared.clock import LOCAL_ZONE, now
from shared.settings import Settings

OUTSIDE = "数据库在外部：请由数据库管理员用它自己的工具备份。"
KEEP = "密钥和照片不在里面，要另外备份；备份要存到别的机器上。"


@click.command("backup")
@click.argument("folder", type=FOLDER)
def backup(folder: Path) -> None:
    """把数据库备份成文件夹里的一个文件（服务照常运行）。"""

    async def work(settings: Settings) -> Path:
        server = own_server(settings)
        if server is None:
            raise EngineError(OUTSIDE)
        return dump(server, folder)

    path = run(work)
    click.echo(f"已备份：{path}（{max(1, path.stat().st_size >> 20)} MB）。{KEEP}")


def dump(server: Postgres, folder: Path) -> Path:
    """The whole database; under its name only once all of it is on the disk.

    Raises EngineError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"gridmerit-{now().astimezone(LOCAL_ZONE):%Y%m%d-%H%M%S}.dump"
    unfinished = path.with_suffix(".part")
    done = subprocess.run(
        [
            *(server.programs / "pg_dump", "-h", server.home.sockets, "-U", SUPERUSER),
            *("-Fc", "-f", unfinished, DATABASE),
        ],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        umask=0o077,
    )
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        said = done.stderr.strip().splitlines() or [str(done.returncode)]
        raise EngineError(f"备份失败，没有留下文件：{said[-1]}")
    unfinished.rename(path)
    return path
