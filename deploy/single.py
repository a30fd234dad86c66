"""Both services in one process: the default, and what ``uvicorn --factory`` may be given.

Split over two processes, a proxy does what :class:`OneProcess` does here: ``/appraisal/`` and
``/s/`` (ballots) go to appraisal, everything else to points.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog
from litestar import Litestar

import appraisal.app
import points.app
from deploy.runtime import Service, runtime
from deploy.watch import watched
from points.redemption.turnstile import Turnstile
from shared.settings import Settings, load
from shared.web.gate import Gate
from shared.web.observed import Observed

APPRAISAL = "/appraisal"
APPRAISAL_PATHS = (f"{APPRAISAL}/", "/s/")
LOG = structlog.get_logger(__name__)


class OneProcess:
    """An ASGI app that hands each request to the service that owns its path."""

    def __init__(self, points_app: Litestar, appraisal_app: Litestar) -> None:
        self.points = points_app
        self.appraisal = appraisal_app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live([self.points, self.appraisal], receive, send)
        elif scope["path"] == APPRAISAL or scope["path"].startswith(APPRAISAL_PATHS):
            await self.appraisal(scope, receive, send)
        else:
            await self.points(scope, receive, send)


class Standalone:
    """An ASGI app that brings its own engines, schema and pool: for servers other than ours."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        async with runtime(self.settings, serving=True) as settings:
            gate = Gate()
            self.app = service_app(settings, "app", gate)
            async with watched(settings, gate):
                await self.app(scope, receive, send)


def create() -> Standalone:
    """The factory: ``uvicorn --factory deploy.single:create``."""
    return Standalone(load())


def service_app(settings: Settings, service: Service, gate: Gate) -> Any:
    """The ASGI app of one service, or of both in one process, observed, behind one gate."""
    makers = {"points": points.app.create_app, "appraisal": appraisal.app.create_app}
    apps = [make(settings) for name, make in makers.items() if service in {name, "app"}]
    for one in apps:
        one.state.gate = gate
    whole = Observed(OneProcess(*apps) if len(apps) > 1 else apps[0], settings)
    return whole if service == "appraisal" else Turnstile(whole)


async def live(apps: Sequence[Litestar], receive: Any, send: Any) -> None:
    """Start the apps in order, stop them in reverse, within the one task that may do both."""
    await receive()
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.lifespan())
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
