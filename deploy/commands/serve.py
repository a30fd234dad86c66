"""``gridmerit serve`` and ``gridmerit scheduler``: the processes that stay."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import msgspec
import structlog
import uvicorn

from deploy.doorstep import Doorstep
from deploy.engine_home import SOCKET_LIMIT, EngineError, listens, locked
from deploy.jobs import jobs
from deploy.joined import Joined
from deploy.lasting import lasting
from deploy.runtime import Service, run
from deploy.single import service_app
from deploy.watch import watched
from points.redemption.turnstile import Turnstile
from shared.settings import Settings, supervisor
from shared.web import logging
from shared.web.gate import Gate

GRACE = 20
"""Seconds that requests in flight may take after a stop signal."""
BACKLOG = 2048
FOR_THE_PROXY = 0o660
"""Mode of a Unix socket: who may enter is its folder's and its group's matter."""
REASONS = {
    errno.EADDRINUSE: "已有程序在用，也许服务已经在运行",
    errno.EADDRNOTAVAIL: "这台机器没有这个地址",
    errno.EACCES: "没有权限",
    errno.ENOENT: "没有这个文件夹",
}
NO_PORT = "Unix 套接字没有端口：请去掉 --port，或用 --host 写上监听的地址。"
LOG = structlog.get_logger("gridmerit.serve")


@click.command()
@click.option("--service", type=click.Choice(["points", "appraisal"]), help="只运行其中一个服务。")
@click.option("--host", help="监听地址，或以 / 开头的 Unix 套接字，默认 GRIDMERIT_HOST。")
@click.option("--port", type=click.IntRange(1, 65535), help="监听端口，默认 GRIDMERIT_PORT。")
@click.option("--demo", is_flag=True, help="先放入演示县，并打印登录表（只用于空的数据文件夹）。")
def serve(service: Service | None, host: str | None, port: int | None, *, demo: bool) -> None:
    """运行网站；不加 --service 时一个进程包含全部。"""
    changes = {"host": host, "port": port}

    async def main(settings: Settings) -> None:
        given = {name: value for name, value in changes.items() if value is not None}
        changed = msgspec.structs.replace(settings, **given)
        if changed.unix and port is not None:
            raise EngineError(NO_PORT)
        with _listen(changed) as listener:
            if demo:
                changed = await _with_demo(changed)
            await _serve(changed, service or "app", listener)

    run(main, service or "app", serving=True)


@click.command()
def scheduler() -> None:
    """只运行定时任务（同时只有一个进程在做）。"""

    async def main(settings: Settings) -> None:
        logging.configure(settings.log_format)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with watched(settings, Gate(), jobs=jobs(settings.data_dir)):
            tell_ready()
            await stopped.wait()

    run(main)


def tell_ready() -> None:
    """Let systemd's ``start`` return (sd_notify): what comes after it finds the service there."""
    if where := supervisor():
        # A terminal that a unit began passes the address on to whom nobody waits for.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.sendto(b"READY=1", where)


def _listen(settings: Settings) -> socket.socket:
    """The socket that requests come in by: of an address and port, or a Unix one."""
    where = settings.host if settings.unix else _address(settings)
    try:
        if settings.unix:
            return _unix_socket(Path(settings.host))
        return socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=BACKLOG,
        )
    except OSError as error:
        # A name that is not known has a number of its own, below zero.
        number = error.errno or 0
        why = REASONS.get(number) or (os.strerror(number) if number > 0 else error.strerror)
        raise EngineError(
            f"不能监听 {where}（{why}）：请检查 GRIDMERIT_HOST、GRIDMERIT_PORT，或换一个端口。"
        ) from error


def _address(settings: Settings) -> str:
    """Host and port, as in a URL: of IPv6 in brackets."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def _unix_socket(path: Path) -> socket.socket:
    """A Unix socket, instead of one that nobody answers at any more.

    It is left behind at the end: by then it may be that of a successor who waited for this one.
    Of two who come at once, the second finds the first's answering, and leaves it alone.
    """
    if len(os.fsencode(path)) > SOCKET_LIMIT:
        raise EngineError(f"套接字的路径太长（最多 {SOCKET_LIMIT} 字节）：{path}")
    if path.exists() and not path.is_socket():
        raise EngineError(f"{path} 不是套接字，请检查 GRIDMERIT_HOST。")
    listener = socket.socket(socket.AF_UNIX)
    try:
        with locked(path.parent):
            if path.exists() and not listens(path):
                path.unlink()
            listener.bind(str(path))
            path.chmod(FOR_THE_PROXY)
            listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def _with_demo(settings: Settings) -> Settings:
    """Imported here: the demo brings half of the product with it, which nobody else needs."""
    from deploy.demo.board import show  # noqa: PLC0415
    from deploy.demo.seed import seed_demo  # noqa: PLC0415

    address = settings.public_url
    if not settings.unix:
        address = f"http://{_address(settings)}"
    settings = msgspec.structs.replace(settings, public_url=address)
    show(await seed_demo(settings), address)
    return settings


async def _serve(settings: Settings, service: Service, listener: socket.socket) -> None:
    logging.configure(settings.log_format)
    gate = Gate()
    with lasting():
        app = service_app(settings, service, gate)
    config = uvicorn.Config(
        app,
        http=Doorstep if isinstance(app, Turnstile) else Joined,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE,
    )
    LOG.info("serving", service=service, host=settings.host, port=settings.port)
    # Jobs belong to both services, so only the process that is both may run them.
    due = jobs(settings.data_dir) if settings.scheduler and service == "app" else ()
    async with watched(settings, gate, jobs=due):
        await _Server(config).serve([listener])
    LOG.info("stopped", service=service)


class _Server(uvicorn.Server):
    """A stop by signal is a stop like any other: exit code 0, and what is ours is put away.

    The original raises the signal again after the last answer, which ends the process there.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()
