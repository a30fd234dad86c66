"""Structured logs: one JSON line an event, with the request's id and without phone numbers.

What a line never holds: a raw path (it may carry a token), a body, a cookie, a full phone number,
the row that PostgreSQL names when it refuses one.
"""

import asyncio
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import Processor

from shared.clock import now

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
MASK = r"\1****\2"
ROW = re.compile(
    r"\n[ |]*DETAIL: .*?(?=\n[ |]*HINT: |\n\n(?:The above|During handling)|\Z)", re.DOTALL
)
"""Names, addresses, words: "Failing row contains (…)", to the end of the error's own text."""
QUIET = ("uvicorn.error", "apscheduler", "asyncio", "httpx", "httpcore")
"""Libraries whose chatter at INFO helps no administrator, or names whole addresses."""


REQUESTS = "gridmerit.request"
_stream: TextIO | None = None
"""Where request lines go as JSON; None before ``configure`` and on a console."""
_lines: list[str] = []
"""Those of this turn of the loop."""


def request(*, method: str, path: str, status: int, ms: float, request_id: str) -> None:
    """The line of one answered request.

    It is one of every request's dearest parts, so it is written without the processors: its fields
    hold nothing to mask but an id that the proxy may have given. The lines of one turn of the loop
    go out together at its end.
    """
    if _stream is None:
        structlog.get_logger(REQUESTS).info(
            "request", method=method, path=path, status=status, ms=ms
        )
        return
    line = {
        "method": method,
        "path": path,
        "status": status,
        "ms": ms,
        "event": "request",
        "request_id": PHONE.sub(MASK, request_id),
        "level": "info",
        "logger": REQUESTS,
        "timestamp": now(),
    }
    if not _lines:
        asyncio.get_running_loop().call_soon(_write_out, _stream)
    _lines.append(msgspec.json.encode(line).decode() + "\n")


def _write_out(stream: TextIO) -> None:
    """In one write, also where Python was told not to buffer."""
    lines = "".join(_lines)
    _lines.clear()
    stream.write(lines)
    stream.flush()


def configure(log_format: str, stream: TextIO = sys.stdout) -> None:
    """Send everything, the libraries' standard logging too, to one stream in one shape."""
    global _stream  # noqa: PLW0603  one process logs to one stream
    _stream = None if log_format == "console" else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_people,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    console = log_format == "console"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(colors=stream.isatty())
                if console
                else structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A job that failed is told by the leader, by its name.
    logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)


def mask_people(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask phone numbers, and leave rows out, in every value, whatever wrote it."""
    return {key: _masked(value) for key, value in event.items()}


def clean(text: str) -> str:
    """A text as it may be logged or written down."""
    return ROW.sub("", PHONE.sub(MASK, text))


def _masked(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {key: _masked(item) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case int() if not isinstance(value, bool) and value >= 10**10:
            masked = _masked(str(value))
            return masked if masked != str(value) else value
        case _:
            return value
