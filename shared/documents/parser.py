"""Runs the parsers of office files, and what else may take long: each in a process of its own.

One may take a gigabyte and a minute. Several uploads at once would take the machine's memory, so
all but two wait for their turn, and not for ever.
"""

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

from shared.errors import Unavailable

AT_ONCE = 2
PATIENCE = 20.0
"""Seconds that a file waits for its turn."""
BUSY = "正在处理别人传的文件，排不上队。请过一两分钟再试。"

_places = BoundedSemaphore(AT_ONCE)


def parse(script: Path, *arguments: str, data: bytes, seconds: int) -> bytes:
    """What our own script answers to the bytes; blocks, so call it in a thread.

    Raises Unavailable when others were not done in time, SubprocessError when it died or was slow.
    """
    if not _places.acquire(timeout=PATIENCE):
        raise Unavailable(BUSY, retry_after=60)
    try:
        return subprocess.run(  # noqa: S603  our own script, no shell, no input in the arguments
            [sys.executable, "-I", str(script), *arguments],
            input=data,
            capture_output=True,
            timeout=seconds,
            env={},
            check=True,
        ).stdout
    finally:
        _places.release()
