"""Opens an office file without trusting it.

The type is decided by content, sizes are counted while unpacking, the parser runs in a process of
its own.

Returns the sheets as rows of raw cells with merged cells filled downwards. Every refusal is one
sentence (BadFile).
"""

import codecs
import csv
import io
import re
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

from shared.documents.errors import BadFile
from shared.documents.parser import parse

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_STREAMED = 20_000_000
"""Rows of a .csv that is read from disk row by row."""
CHUNK = 256 * 1024
OVERLAP = 512
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
FOREIGN = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"{\\rtf": "RTF 文档",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"PK\x05\x06": "空的压缩包",
}
MARKUP = re.compile(rb"\s*<(\?xml|!doctype|html|table|meta|head)", re.IGNORECASE)
FAR_CELL = re.compile(
    rb"<c\b[^<>]{0,200}?\br\s{0,9}=\s{0,9}[\"']"
    rb"(?:[A-Z]{1,3}0{0,9}[1-9]\d{5,9}|(?:[A-Z]{3}|[D-Z][A-Z])\d{1,9})"
    rb"[\"'][^<>]{0,200}(?<!/)>(?:[^<]|<[^/])"
)
"""A filled cell beyond row 99,999 or column CZ: the reader would allocate up to it.

Every part is bounded: a search without end over a forged sheet would hold up the whole server.
"""
ADVICE = "请用 Excel 或 WPS 另存为 .xlsx 后再传。"
SANDBOX = Path(__file__).with_name("sandbox.py")
TIMEOUT = 60
"""Seconds for the parser; a normal county's file takes less than one."""
DATE = 1
"""The sandbox's extension code of a date; the other one is a date with a time."""
DELIMITERS = ",\t;"
ENCODINGS = ("utf-8-sig", "gb18030")
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    OSError,
)
"""What zipfile raises on a damaged or forged archive."""
PASSWORD = "文件设了打开密码。请在 Excel 里取消密码，另存后再传。"  # noqa: S105  a sentence
TOO_FAR = "表格超出 10 万行或 104 列的上限。请删掉远处的多余内容，或拆成几个文件再传。"
BROKEN_FILE = "文件不完整或已损坏，打不开。请在电脑上确认能打开，另存一份后再传。"
SENTENCES = {"password": PASSWORD, "too_large": TOO_FAR}
"""The sandbox's word → the sentence; any other word means a broken file."""
UNPACKED = f"文件解开后太大（超过 200 MB），不像正常的表格。{ADVICE}"


class Grid(msgspec.Struct):
    """One sheet: raw cells by row, and the merged ranges as (top, left, bottom, right), 0-based."""

    name: str
    rows: list[list[Any]]
    merges: list[tuple[int, int, int, int]] = []
    hidden: bool = False
    """Then nothing but its name is known."""
    hidden_rows: list[int] = []
    """0-based: by a filter or by hand. They are read like others."""


class Answer(msgspec.Struct):
    """What the sandbox says."""

    sheets: list[Grid] = []
    error: str = ""


def open_sheets(data: bytes, name: str, rows: int = MAX_ROWS) -> list[Grid]:
    """The sheets of a workbook, or the one table of a .csv of at most ``rows`` lines."""
    if len(data) > MAX_BYTES:
        size = len(data) / 1024 / 1024
        raise BadFile(f"文件有 {size:.1f} MB，超过 20 MB 的上限。请拆成几个文件再传。")
    if _is_csv(data, name):
        return [Grid(name="", rows=list(_csv(io.StringIO(_decoded(data), newline=""), rows)))]
    if data.startswith(ZIP):
        _check_package(data)
    elif ENCRYPTED in data:
        raise BadFile(PASSWORD)
    return _workbook(data)


def stream_csv(path: Path, name: str) -> Iterator[list[Any]] | None:
    """The rows of a .csv on disk, one after the other; None if it is a workbook.

    A file in UTF-16 is none of the large ones, and read as a whole too. Raises BadFile.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if not _is_csv(head, name) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    return _streamed(path)


def _streamed(path: Path) -> Iterator[list[Any]]:
    with path.open(encoding=_encoding(path), newline="") as file:
        yield from _csv(file, MAX_STREAMED)


def _encoding(path: Path) -> str:
    """The encoding in which the whole file makes sense."""
    for encoding in ENCODINGS:
        with path.open("rb") as file:
            blocks = iter(lambda: file.read(CHUNK), b"")
            try:
                if not any("\0" in text for text in codecs.iterdecode(blocks, encoding)):
                    return encoding
            except UnicodeDecodeError:
                continue
        break
    raise _no_text()


def _is_csv(head: bytes, name: str) -> bool:
    """Whether a file is a table in plain text; False for a workbook. Raises BadFile for others."""
    if not head:
        raise BadFile("文件是空的，请检查后重新选择。")
    for magic, kind in FOREIGN.items():
        if head.startswith(magic):
            raise BadFile(f"这是{kind}，不是表格。{ADVICE}")
    if head.startswith((ZIP, OLE)):
        return False
    if MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise BadFile(f"这其实是网页格式的文件，不是表格。{ADVICE}")
    if name.lower().endswith((".xlsx", ".xls", ".xlsm", ".et")):
        raise BadFile(f"文件内容不是 Excel 工作簿，可能已损坏或改过后缀。{ADVICE}")
    return True


def _check_package(data: bytes) -> None:
    """Unpack every member once, counting: a header may lie about its size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check_members(package)
    except BROKEN as error:
        raise _broken() from error


def _check_members(package: zipfile.ZipFile) -> None:
    members = package.infolist()
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise BadFile(f"这个文件不是 Excel 工作簿。{ADVICE}")
    if len(members) > MAX_MEMBERS:
        raise BadFile(f"文件里的部件太多，不像正常的表格。{ADVICE}")
    if any(member.flag_bits & 1 for member in members):
        raise BadFile(PASSWORD)
    left = MAX_UNPACKED
    for member in members:
        left -= _check_member(package, member, left)


def _check_member(package: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> int:
    if member.file_size > left:
        raise BadFile(UNPACKED)
    is_sheet = member.filename.startswith("xl/worksheets/")
    size = 0
    tail = b""
    with package.open(member) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > left:
                raise BadFile(UNPACKED)
            if is_sheet:
                if FAR_CELL.search(tail + chunk):
                    raise BadFile(TOO_FAR)
                tail = chunk[-OVERLAP:]
    return size


def _workbook(data: bytes) -> list[Grid]:
    """Parse in a process of its own (see sandbox.py) and take over what it says."""
    limits = str(MAX_ROWS), str(MAX_COLUMNS)
    try:
        answer = DECODER.decode(parse(SANDBOX, *limits, data=data, seconds=TIMEOUT))
    except (subprocess.SubprocessError, msgspec.MsgspecError, ValueError) as error:
        raise _broken() from error
    if answer.error:
        raise BadFile(SENTENCES.get(answer.error, BROKEN_FILE))
    for grid in answer.sheets:
        _fill(grid)
    return answer.sheets


def _fill(grid: Grid) -> None:
    """Merged cells say for every row they cover what their first cell says.

    No cell lies in two ranges, or a forged sheet could ask for all rows a million times.
    """
    cells = sum(map(len, grid.rows))
    for top, left, bottom, _ in grid.merges:
        if top >= len(grid.rows) or left >= len(grid.rows[top]):
            continue
        covered = grid.rows[top + 1 : bottom + 1]
        cells -= len(covered)
        if cells < 0:
            raise BadFile(BROKEN_FILE)
        for row in covered:
            if row[left] == "":
                row[left] = grid.rows[top][left]


def _moment(code: int, text: memoryview) -> date | datetime:
    """A date or time as the sandbox packs it."""
    kind = date if code == DATE else datetime
    return kind.fromisoformat(bytes(text).decode())


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ENCODINGS
    for encoding in encodings:
        try:
            found = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in found:
            return found
        break
    raise _no_text()


def _csv(file: TextIO, most: int) -> Iterator[list[Any]]:
    head = file.read(10_000)
    file.seek(0)
    delimiter = max(DELIMITERS, key=head.count)
    # Strict: a quote that nobody closes would swallow the rows behind it.
    lines = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(lines, 1):
            if number > most or len(row) > MAX_COLUMNS:
                raise _too_large(number > most, most)
            yield row
    except csv.Error as error:
        sentence = f"第 {lines.line_num} 行或它上面有一个引号没有配对，后面的行分不开。{ADVICE}"
        raise BadFile(sentence) from error


def _too_large(rows: bool, most: int) -> BadFile:  # noqa: FBT001  which of the two limits
    if rows:
        return BadFile(f"表格超过 {most} 行的上限。请拆成几个文件再传。")
    return BadFile(f"表格超过 {MAX_COLUMNS} 列的上限。请删掉右边多余的列再传。")


def _no_text() -> BadFile:
    return BadFile(f"文件不是表格，或文字编码认不出来。{ADVICE}")


def _broken() -> BadFile:
    return BadFile(BROKEN_FILE)


DECODER = msgspec.msgpack.Decoder(Answer, ext_hook=_moment)
