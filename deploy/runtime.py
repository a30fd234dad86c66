"""What every command needs around it: the secret, the engines, the schema, the pool.

An installation with an owner's address (the embedded default has one) brings its schema to this
release itself; a process that was given only a service's address leaves that to
``gridmerit migrate``. A process works with the rights of its service, never the owner's.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Literal, TypeVar

import click
import msgspec
import uvloop
from asyncpg import CannotConnectNowError

from deploy.embedded import POSTGRES, VALKEY, Embedded
from deploy.engine_home import EngineError, locked
from deploy.migrate import OWNER, ensure
from shared.database import DB
from shared.identity import sealing
from shared.roster import phones
from shared.settings import Settings, load

T = TypeVar("T")
Service = Literal["app", "points", "appraisal", "report"]
SECRET_LENGTH = 32
"""Fewest characters of GRIDMERIT_SECRET_KEY; the generated one has 256 bits."""
PAGE_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
}
COMMAND_LIMITS = {"statement_timeout": "30min", "lock_timeout": "30s"}
RECOVERY_SECONDS, RECOVERY_BEAT = 60.0, 0.5
"""How long a database that recovers is waited for, and between two questions."""
RECOVERING = "数据库正在启动或恢复，稍等……"
STILL_RECOVERING = "数据库还在启动或恢复，请过几分钟再试；如果一直这样，请看数据库的日志。"
MIGRATING = "正在把数据库建立或升级到本版本……"
NO_ADDRESS = {
    "points": "没有积分服务的数据库地址：请设置 GRIDMERIT_POINTS_URL。",
    "appraisal": "没有考核服务的数据库地址：请设置 GRIDMERIT_APPRAISAL_URL。",
}
NO_COMMON_ADDRESS = (
    "这个命令要用两个服务的数据，只有单个服务的地址不够：请把 DATABASE_URL"
    " 设为账号 gridmerit_app 的地址（见 deploy/README.md “Two services”）。"
)


@asynccontextmanager
async def runtime(
    settings: Settings, service: Service = "app", *, serving: bool = False
) -> AsyncIterator[Settings]:
    """Everything up while the block runs; yields the settings with the real addresses in them.

    ``serving`` sets the short limits of pages instead of the long ones of commands. Raises
    EngineError, MigrationError.
    """
    settings = with_secret(settings)
    phones.configure(settings.secret_key)
    sealing.configure(settings.secret_key)
    with ExitStack() as stack:
        settings = stack.enter_context(_Engines(settings))
        limits = PAGE_LIMITS if serving else COMMAND_LIMITS
        if settings.database_url:
            DB.configure(settings.database_url)
            await awake()
            await ensure(begin=lambda: click.echo(MIGRATING, err=True))
        configure(settings, service, **limits)
        if not settings.database_url:
            await awake()
        await DB.start_connection_pool(min_size=1, max_size=settings.pool_size)
        try:
            yield settings
        finally:
            await DB.close_connection_pool()


async def awake() -> None:
    """Return when the database takes connections: after a crash or a boot it first recovers.

    Raises EngineError when that takes too long.
    """
    until = monotonic() + RECOVERY_SECONDS
    told = False
    while True:
        try:
            await DB.fetchval("SELECT 1")
        except CannotConnectNowError as error:
            if monotonic() > until:
                raise EngineError(STILL_RECOVERING) from error
            if not told:
                click.echo(RECOVERING, err=True)
                told = True
            await asyncio.sleep(RECOVERY_BEAT)
        else:
            return


def run(
    main: Callable[[Settings], Coroutine[Any, Any, T]],
    service: Service = "app",
    *,
    serving: bool = False,
) -> T:
    """Run a command's ``main(settings)`` inside the runtime, on the environment's settings."""

    async def whole() -> T:
        async with runtime(load(), service, serving=serving) as settings:
            return await main(settings)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def configure(settings: Settings, service: Service, **server_settings: str) -> None:
    """Point DB at the service's own address, or step down from the owner's into its role.

    Raises EngineError where neither is known: one service's login cannot do the other's work.
    """
    role = f"gridmerit_{service}"
    addresses = {"points": settings.points_url, "appraisal": settings.appraisal_url}
    options: dict[str, Any] = {"application_name": f"gridmerit {service}", **server_settings}
    address = addresses.get(service, "")
    if not address:
        address, options["role"] = settings.database_url, role
    if not address:  # asyncpg would try whatever listens on this machine
        raise EngineError(NO_ADDRESS.get(service, NO_COMMON_ADDRESS))
    DB.configure(address, server_settings=options)


class _Engines(ExitStack):
    """The embedded engines for whatever no address is set for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def __enter__(self) -> Settings:  # type: ignore[override]  # what the block needs
        settings = self.settings
        addresses = (settings.database_url, settings.points_url, settings.appraisal_url)
        needs_database = not any(addresses)
        if not needs_database and settings.redis_url:
            return settings
        engines = self.enter_context(
            Embedded(
                settings.data_dir,
                postgres=needs_database,
                valkey=not settings.redis_url,
                pg_bin=settings.pg_bin,
            )
        )
        return msgspec.structs.replace(
            settings,
            database_url=settings.database_url or engines.url(POSTGRES, OWNER),
            redis_url=settings.redis_url or engines.url(VALKEY),
        )


def with_secret(settings: Settings) -> Settings:
    """The configured secret, else the one in the data directory, made at first use.

    Raises EngineError for a secret that is too short to protect anything.
    """
    secret = settings.secret_key or _kept_secret(settings.data_dir)
    if len(secret) < SECRET_LENGTH and settings.secret_key:
        raise EngineError(f"GRIDMERIT_SECRET_KEY 太短：至少 {SECRET_LENGTH} 个字符。")
    if len(secret) < SECRET_LENGTH:
        path = settings.data_dir / "secret"
        raise EngineError(f"密钥文件 {path} 不完整：请放回备份里原来的那一份。")
    return msgspec.structs.replace(settings, secret_key=secret)


def _kept_secret(data_dir: Path) -> str:
    if not data_dir.exists():
        data_dir.mkdir(parents=True, mode=0o700)
    path = data_dir / "secret"
    with locked(data_dir):
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_urlsafe(32), encoding="ascii")
            unfinished.rename(path)
        return path.read_text(encoding="ascii").strip()
