"""Evidence photos: re-encoded, without EXIF, kept as files named by their hash.

A photo waits as ``<hash>.<id>.part`` until its declaration is committed. A process that dies in
between leaves that file: it is shown like any other, and the nightly job puts it in its place.
"""

import asyncio
import functools
import hashlib
import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from points.errors import PhotosElsewhere, WorkRefused
from points.work import photo_queries
from shared.clock import today
from shared.database import DB
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import PHOTO

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
LONGEST = 1600
"""Pixels of the longer side of what is kept."""
PHOTOS = "photos"
FORMATS = ("JPEG", "PNG", "WEBP")
ONE = asyncio.Semaphore(1)
"""One picture is unpacked at a time: a small file may need 300 MB for it."""
PARTIAL_FOR = timedelta(days=1)
"""No declaration takes so long: what still waits then was left by a process that died."""
CHUNK = 500
"""Records whose photos are erased at a time."""
TOO_LARGE = "照片尺寸太大，请用手机普通拍照模式。"


@asynccontextmanager
async def keep(folder: Path, data: bytes) -> AsyncIterator[bytes]:
    """The SHA-256 under which a picture is stored if the block ends well, and not at all if not.

    So a declaration that is refused leaves no picture of anybody behind. Re-encoding is the
    defence against files that only pretend to be pictures. Raises WorkRefused.
    """
    if len(data) > MAX_BYTES:
        raise WorkRefused("photo", f"照片超过 {MAX_BYTES // 1024 // 1024} MB，请换一张小的。")
    async with ONE:
        clean = await asyncio.to_thread(_reencoded, data)
    name = hashlib.sha256(clean).digest()
    path = path_of(folder, name)
    # A name of its own: the same picture may be sent twice at once, and one of them be refused.
    partial = path.with_suffix(f".{new_id()}.part")
    await asyncio.to_thread(_write, partial, clean)
    try:
        yield name
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


async def load(folder: Path, name: bytes) -> bytes | None:
    """A stored picture (JPEG) of a record, or None when the file is gone."""
    path = path_of(folder, name)
    if not path.exists():
        path = next(path.parent.glob(f"{path.stem}.*.part"), path)
    return await asyncio.to_thread(path.read_bytes) if path.exists() else None


async def put_right(folder: Path, now: datetime) -> None:
    """Move what a process that died left to its place, or erase it where no record has it."""
    before = (now - PARTIAL_FOR).timestamp()
    for left in await asyncio.to_thread(_left, folder, before):
        name = bytes.fromhex(left.name.partition(".")[0])
        with suppress(FileNotFoundError):  # another county's job is at it, too
            if await photo_queries.used(name):
                left.replace(path_of(folder, name))
            else:
                left.unlink()


async def erase_over(folder: Path, county_id: int, now: datetime) -> int:
    """Delete the photos whose time is over, files first, so that none stays unknown; how many.

    Raises PhotosElsewhere.
    """
    await put_right(folder, now)
    on = today(now) - timedelta(days=PHOTO.days)
    before = (on.replace(month=1, day=1), now - timedelta(days=PHOTO.days), on)
    done = 0
    while found := await photo_queries.over(county_id, before, CHUNK):
        if not (folder / PHOTOS).exists():
            raise PhotosElsewhere(folder / PHOTOS)
        records = [record_id for record_id, _ in found]
        for name in dict.fromkeys(name for _, name in found):
            used = functools.partial(photo_queries.used, name, county_id, records)
            await _erase(folder, name, used)
        async with DB.transaction():
            done += (count := await photo_queries.forget(county_id, records))
            await retention.record(county_id, PHOTO, count)
    return done


async def _erase(folder: Path, name: bytes, used: Callable[[], Awaitable[bool]]) -> None:
    """Delete a picture, unless it is ``used``.

    It is put aside before that is asked again: a declaration that brings the same picture
    meanwhile is stored first and writes its file afterwards, so it is seen here or has its own.
    """
    if await used():
        return
    path = path_of(folder, name)
    aside = path.with_suffix(".gone")
    with suppress(FileNotFoundError):
        path.replace(aside)
    if await used() and aside.exists() and not path.exists():
        aside.replace(path)
    aside.unlink(missing_ok=True)


def path_of(folder: Path, name: bytes) -> Path:
    """Where a picture lies: two hex digits a folder, so that none grows too long."""
    text = name.hex()
    return folder / PHOTOS / text[:2] / f"{text}.jpg"


def _reencoded(data: bytes) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415  with the first photo

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise WorkRefused("photo", TOO_LARGE)
            # Turning would write the EXIF again, which fails where a phone wrote it wrongly.
            picture.getexif()
            picture.info.pop("exif", None)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except Image.DecompressionBombError as error:
        raise WorkRefused("photo", TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise WorkRefused("photo", "这不是能打开的照片，请重新拍一张。") from error
    upright.thumbnail((LONGEST, LONGEST))
    out = io.BytesIO()
    upright.info.clear()  # what a phone's app wrote into the file, a comment say, is written again
    upright.save(out, "JPEG", quality=80)
    return out.getvalue()


def _left(folder: Path, before: float) -> list[Path]:
    found = []
    for left in (folder / PHOTOS).glob("*/*.part"):
        with suppress(FileNotFoundError):  # its declaration has just ended
            if left.stat().st_mtime < before:
                found.append(left)
    return found


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
