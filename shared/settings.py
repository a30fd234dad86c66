"""Settings from the environment, decoded once into a frozen Struct.

This module is the only reader of ``os.environ``: everything else is handed what it needs, so that
a test can run two differently configured services in one process.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

PREFIX = "GRIDMERIT_"
BARE_NAMES = ("DATABASE_URL", "REDIS_URL")
SWITCHES = {"on": "true", "off": "false"}
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
    """An address, or the absolute path of a Unix socket, which has no port."""
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
    wechat_app_id: str = ""
    """AppID of the county's official account (服务号); empty = nobody signs in by WeChat."""
    wechat_app_secret: str = ""
    """Its AppSecret."""
    wechat_api_url: str = "https://api.weixin.qq.com"
    """Where WeChat is asked; another address where the machine gets out by a gateway only."""
    scheduler: bool = True
    """Whether ``gridmerit serve`` may also run the jobs (it still needs the leader's lock)."""
    api_docs: bool = False
    """Whether /schema shows the OpenAPI document; off in production."""

    def __post_init__(self) -> None:
        public = urlsplit(self.public_url)
        if public.scheme not in {"http", "https"} or not public.netloc or any(public[2:]):
            raise ValueError("GRIDMERIT_PUBLIC_URL 应写成 https://主机名，后面不写路径")
        if not 1 <= self.port <= 65535:
            raise ValueError("GRIDMERIT_PORT 应在 1 到 65535 之间")
        if self.pool_size < 1:
            raise ValueError("GRIDMERIT_POOL_SIZE 至少是 1")
        if self.log_format not in {"json", "console"}:
            raise ValueError("GRIDMERIT_LOG_FORMAT 应写 json 或 console")
        for part in self.metrics_from.split(","):
            try:
                ip_network(part.strip())
            except ValueError:
                raise ValueError(
                    f"GRIDMERIT_METRICS_FROM 里的“{part.strip()}”不是网段，应像 127.0.0.0/8"
                ) from None
        if bool(self.wechat_app_id) != bool(self.wechat_app_secret):
            raise ValueError(
                "GRIDMERIT_WECHAT_APP_ID 和 GRIDMERIT_WECHAT_APP_SECRET 要么都写，要么都不写"
            )
        if urlsplit(self.wechat_api_url).scheme not in {"http", "https"}:
            raise ValueError("GRIDMERIT_WECHAT_API_URL 应写成 https://主机名")
        for name, url in (
            ("DATABASE_URL", self.database_url),
            ("GRIDMERIT_POINTS_URL", self.points_url),
            ("GRIDMERIT_APPRAISAL_URL", self.appraisal_url),
        ):
            _check_address(name, url, "postgresql://user:password@host:5432/database")
        _check_address("REDIS_URL", self.redis_url, "redis://host:6379/0")

    @property
    def unix(self) -> bool:
        """Whether ``host`` is a Unix socket."""
        return self.host.startswith("/")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Decode the environment, the process's unless given.

    Raises SettingsError naming the variable that is unknown or malformed.
    """
    given = os.environ if environ is None else environ
    # A file that Windows has written: a shell that reads it leaves the \r in, systemd does not.
    source = {name: value.rstrip("\r\n") for name, value in given.items()}
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in source.items()
        if name.startswith(PREFIX) and value
    }
    values |= {name.lower(): source[name] for name in BARE_NAMES if source.get(name)}
    values = _credentials(source.get("CREDENTIALS_DIRECTORY", "")) | values
    if "public_url" in values:  # what is printed into QR codes goes on with a slash of its own
        values["public_url"] = values["public_url"].rstrip("/")
    known = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    if unknown := sorted(values.keys() - known.keys()):
        names = "、".join(PREFIX + name.upper() for name in unknown)
        raise SettingsError(
            f"没有这个设置：{names}。请对照 deploy/README.md 的 Settings 表核对拼写。"
        )
    for name in values:
        if known[name] is bool:
            values[name] = SWITCHES.get(values[name].lower(), values[name])
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        # A number or a switch: msgspec knows the field, its own checks name the variable.
        if found := re.search(r"\$\.(\w+)$", str(error).rstrip("`")):
            name, wanted = found[1], " on 或 off" if known[found[1]] is bool else "整数"
            raise SettingsError(f"设置有误：{PREFIX}{name.upper()} 应写{wanted}。") from error
        raise SettingsError(f"设置有误：{error}。") from error


def _credentials(folder: str) -> dict[str, str]:
    """What systemd hands over as files (``secret-key``, ``database-url``), where there is any.

    Children inherit the environment, but not these; a variable that is set all the same counts.
    """
    found = {}
    for field in msgspec.structs.fields(Settings):
        path = Path(folder, field.name.replace("_", "-"))
        if folder and path.is_file() and (text := path.read_text(encoding="utf-8").strip()):
            found[field.name] = text
    return found


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
        raise ValueError(f"{name} 应写成 {example}，密码里的 / # ? 写成 %2F %23 %3F")


def supervisor() -> str:
    """The socket at which systemd waits to hear that a service is up; empty without systemd."""
    return os.environ.get("NOTIFY_SOCKET", "")


def name_piccolo_conf(module: str) -> None:
    """Tell Piccolo which module names the apps; it looks for that in the environment only."""
    os.environ.setdefault("PICCOLO_CONF", module)


def _decode(kind: type[Any], value: Any) -> Any:
    """The types that msgspec does not know: paths."""
    return kind(value)
