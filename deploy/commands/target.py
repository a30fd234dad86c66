"""Where a command reads a file, and where it is to write one.

Refused before anything else is done, with the account: root's ``gridmerit`` is the service's.
"""

import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import Any

import click


def account() -> str:
    """Whose rights this process has."""
    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return str(os.geteuid())


class Source(click.Path):
    """A file that is there and may be read; below a closed folder, who can tell the two apart."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(value))
        if not os.access(path, os.R_OK):
            self.fail(
                f"账号 {account()} 读不到文件 {path}：请核对文件名；文件要放在这个账号能读的地方，"
                "比如 /srv，不能放在 /root 里。",
                param,
                ctx,
            )
        return Path(os.fsdecode(super().convert(value, param, ctx)))


class Target(click.Path):
    """A file in a folder that is there."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not os.access(path.parent, os.W_OK):
            self.fail(refusal(path.parent), param, ctx)
        return path


class Folder(click.Path):
    """A folder, which may have to be made."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        whole = path.absolute()
        there = next(one for one in (whole, *whole.parents) if os.access(one, os.F_OK))
        if not os.access(there, os.W_OK):
            self.fail(refusal(there), param, ctx)
        return path


def refusal(folder: Path) -> str:
    """Why nothing can be written there, and what to do."""
    return f"账号 {account()} 不能写到文件夹 {folder}：请换一个已有的、可写的文件夹。"


SOURCE = Source()
TARGET = Target()
FOLDER = Folder()
DRY_RUN = click.option("--dry-run", is_flag=True, help="只检查，说明会有什么变化，不写入。")
REPORT = click.option("--report", type=TARGET, help="把标出错误的工作簿写到这个文件。")
CHECKED = "只检查，没有写入。"
"""What every import says after a dry run."""
