"""``gridmerit serve`` and ``gridmerit scheduler``: the processes that stay."""

import asyncio
from contextlib import suppress

import click
import msgspec
import uvicorn

from deploy.demo.board import show
from deploy.demo.seed import seed_demo
from deploy.jobs import JOBS
from deploy.runtime import Service, run
from deploy.single import service_app
from shared.scheduling.leader import lead
from shared.settings import Settings
from shared.web import logging

GRACE = 20
"""Seconds that requests in flight may take after a stop signal."""


@click.command()
@click.option("--service", type=click.Choice(["points", "appraisal"]), help="只运行其中一个服务。")
@click.option("--host", help="监听地址，默认 GRIDMERIT_HOST。")
@click.option("--port", type=click.IntRange(1, 65535), help="监听端口，默认 GRIDMERIT_PORT。")
@click.option("--demo", is_flag=True, help="先放入演示县，并打印登录表（只用于空的数据文件夹）。")
def serve(service: Service | None, host: str | None, port: int | None, *, demo: bool) -> None:
    """运行网站；不加 --service 时一个进程包含全部。"""
    changes = {"host": host, "port": port}

    async def main(settings: Settings) -> None:
        given = {name: value for name, value in changes.items() if value is not None}
        settings = msgspec.structs.replace(settings, **given)
        if demo:
            address = f"http://{settings.host}:{settings.port}"
            show(await seed_demo(msgspec.structs.replace(settings, public_url=address)), address)
        await _serve(settings, service or "app")

    run(main, service or "app", serving=True)


@click.command()
def scheduler() -> None:
    """只运行定时任务（同时只有一个进程在做）。"""

    async def main(settings: Settings) -> None:
        logging.configure(settings.log_format)
        await lead(JOBS)

    run(main)


async def _serve(settings: Settings, service: Service) -> None:
    logging.configure(settings.log_format)
    config = uvicorn.Config(
        service_app(settings, service),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE,
    )
    jobs = asyncio.create_task(lead(JOBS)) if _runs_jobs(settings, service) else None
    try:
        await uvicorn.Server(config).serve()
    finally:
        if jobs:
            jobs.cancel()
            with suppress(asyncio.CancelledError):
                await jobs


def _runs_jobs(settings: Settings, service: Service) -> bool:
    """Jobs belong to both services, so only the process that is both may run them."""
    return settings.scheduler and service == "app"
