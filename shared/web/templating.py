"""The Jinja environment of both services: one, strict, with our filters.

Compiled templates are kept in the data directory: compiling them was half of a start.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
)
from jinja2.bccache import Bucket

from shared.web import assets, filters

SHARED_TEMPLATES = Path(__file__).parent / "templates"
COMPILED = "templates"
"""Folder in the data directory; what is in it may be deleted at any time."""


class Compiled(FileSystemBytecodeCache):
    """Compiled templates in a folder; a full disk costs time, not pages."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def environment(roots: Sequence[str], kept: BytecodeCache | None = None) -> Environment:
    """An environment over the service's template folder and the shared one."""
    made = Environment(
        loader=FileSystemLoader([*roots, str(SHARED_TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=kept,
    )
    filters.install(made, assets.DIST)
    return made


def compiled(data_dir: Path) -> BytecodeCache | None:
    """The folder of compiled templates, ours alone, because its files are run; None without one."""
    folder = data_dir / COMPILED
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = folder.stat()
    except OSError:
        return None
    alone = ours.st_uid == os.geteuid() and not ours.st_mode & 0o022
    return Compiled(str(folder)) if alone else None
