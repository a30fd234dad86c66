"""Where a command is to write a file."""

import os
from pathlib import Path
from typing import Any

import click


class Target(click.Path):
    """Refused, where it cannot be written, before anything else is done."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not os.access(path.parent, os.W_OK):
            self.fail(f"不能写到文件夹 {path.parent}：请换一个已有的、可写的文件夹。", param, ctx)
        return path


TARGET = Target()
