"""Settings from the environment, decoded once into a frozen Struct.

This module is the only reader of ``os.environ``: everything else is handed what it needs, so that
a test can run two differently configured services in one process.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

PREFIX = "GRIDMERIT_"
BARE_NAMES = ("DATABASE_URL", "REDIS_URL")
SCHEMES = {"postgresql": {"postgresql", "postgres"}, "redis": {"redis", "rediss", "unix"}}


class SettingsError(Exception):
    """A variable of the environment cannot be used; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of an installation; field ``data_dir`` is ``GRIDMERIT_DATA_DIR`` and so on."""

    data_dir: Path = Path("var/gridmerit")
    """Embedded engines, uploaded files, exports and the generated secret live below it."""
    secret_key: str = ""
    """Keys of phone encryption and cookies derive from it; empty = made once in the data folder."""
    public_url: str = "http://127.0.0.1:8000"
    """What QR codes point to; https in production."""
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    """The owner's PostgreSQL; empty = embedded engine under the data folder."""
    redis_url: str = ""
    """Redis or Valkey; empty = embedded engine under the data folder."""
    points_url: str = ""
    """Overrides the database address of the points service (its own login role)."""
    appraisal_url: str = ""
    """Overrides the database address of the appraisal service (its own login role)."""
    pg_bin: str = ""
    """Folder with postgres, initdb and pg_ctl; empty = the packaged ones, then Debian's."""
    pool_size: int = 10
    log_format: str = "json"
    """``json`` or ``console``."""
    trusted_proxies: str = "127.0.0.1"
    """Comma-separated addresses whose X-Forwarded-For is believed."""
    metrics_from: str = "127.0.0.0/8, ::1/128"
    """Comma-separated networks that may read /metrics; for all others it does not exist."""
    filing_number: str = ""
    """ICP or app filing number (备案编号) for the footer of every page."""
    scheduler: bool = True
    """Whether ``gridmerit serve`` may also run the jobs (it still needs the leader's lock)."""
    api_docs: bool = False
    """Whether /schema shows the OpenAPI document; off in production."""

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError("port must be between 1 and 65535")
        if self.pool_size < 1:
            raise ValueError("pool_size must be at least 1")
        if self.log_format not in {"json", "console"}:
            raise ValueError("log_format must be json or console")
        for part in self.metrics_from.split(","):
            ip_network(part.strip())
        for name, url in (
            ("DATABASE_URL", self.database_url),
            ("GRIDMERIT_POINTS_URL", self.points_url),
            ("GRIDMERIT_APPRAISAL_URL", self.appraisal_url),
        ):
            _check_address(name, url, "postgresql://user:password@host:5432/database")
        _check_address("REDIS_URL", self.redis_url, "redis://host:6379/0")


def load() -> Settings:
    """Decode the environment.

    Raises SettingsError naming the variable that is unknown or malformed.
    """
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and value
    }
    values |= {name.lower(): os.environ[name] for name in BARE_NAMES if os.environ.get(name)}
    known = {field.name for field in msgspec.structs.fields(Settings)}
    if unknown := sorted(values.keys() - known):
        names = ", ".join(PREFIX + name.upper() for name in unknown)
        raise SettingsError(f"unknown setting: {names}")
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"bad setting: {error}") from error


def _check_address(name: str, url: str, example: str) -> None:
    """Its scheme and port. Raises ValueError without the address, which may hold a password."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme
        if "," not in parts.netloc:  # of several hosts asyncpg reads the ports itself
            _ = parts.port
    except ValueError:
        scheme = ""
    if url and scheme not in SCHEMES[example.partition(":")[0]]:
        raise ValueError(f"{name} must look like {example}; / # ? in a password as %2F %23 %3F")


def name_piccolo_conf(module: str) -> None:
    """Tell Piccolo which module names the apps; it looks for that in the environment only."""
    os.environ.setdefault("PICCOLO_CONF", module)


def _decode(kind: type[Any], value: Any) -> Any:
    """The types that msgspec does not know: paths."""
    return kind(value)
