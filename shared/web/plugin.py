"""The cross-cutting half of both services, in one plugin.

Routes stay visible in ``<service>/app.py``; this adds what every request needs: the pool and the
cache for the life of the app, authentication, the table of permissions, CSRF, templates, static
files, the error table, health and OpenAPI.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.plugins import InitPlugin
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.clock import now
from shared.database import DB
from shared.errors import NotFound, NotSignedIn
from shared.identity import sealing
from shared.identity.actor import Actor
from shared.identity.cookies import session_name
from shared.identity.errors import TakeOverFirst
from shared.identity.middleware import Authentication
from shared.identity.routes import BEFORE_TAKE_OVER, Routes, may_ask
from shared.identity.terminals import KEY_HEADER
from shared.memory import MEMORY
from shared.roster import phones
from shared.settings import Settings
from shared.valkey import client
from shared.web import assets, errors, health, preferences
from shared.web.application import Request
from shared.web.assets import STATIC_ROOT
from shared.web.gate import Gate, Gatekeeper
from shared.web.security import SameOrigin, security_headers
from shared.web.templating import compiled, environment

LOG = structlog.get_logger("gridmerit.access")
PACKED = ("^/static/", "^/api/", "/photo$", "/export")
"""Paths whose answers are small, or compressed already."""
BODY_LIMIT = 64 * 1024
"""Bytes of an ordinary request; upload routes state their own limit. Each app is given it when it
is made: Litestar does not look at what a plugin says of it."""


class PlatformPlugin(InitPlugin):
    """Everything that is the same in points and appraisal.

    ``routes`` is the service's table of permissions; a route that is missing there stops the
    start-up with its name.
    """

    __slots__ = ("clock", "constraints", "routes", "settings", "template_roots")

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        template_roots: Sequence[str],
        constraints: Mapping[str, str],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.settings = settings
        self.routes = routes
        self.template_roots = template_roots
        self.constraints = constraints
        self.clock = clock

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        phones.configure(self.settings.secret_key)
        sealing.configure(self.settings.secret_key)
        secure = self.settings.public_url.startswith("https://")
        made = environment(self.template_roots, compiled(self.settings.data_dir))
        engine = JinjaTemplateEngine(engine_instance=made)
        app_config.template_config = TemplateConfig(instance=engine)
        app_config.logging_config = None
        app_config.request_class = Request
        app_config.csrf_config = CSRFConfig(
            secret=self.settings.secret_key,
            cookie_name="csrftoken",
            cookie_secure=secure,
            exclude_from_csrf_key="exclude_from_csrf",
        )
        app_config.compression_config = CompressionConfig(
            backend="gzip", gzip_compress_level=6, minimum_size=1024, exclude=list(PACKED)
        )
        app_config.openapi_config = (
            OpenAPIConfig(
                title="Gridmerit",
                version="1",
                path="/schema",
                render_plugins=[JsonRenderPlugin()],
                components=Components(security_schemes=security_schemes(self.settings)),
            )
            if self.settings.api_docs
            else None
        )
        app_config.exception_handlers = errors.handlers(self.constraints)
        app_config.before_send.append(security_headers(self.settings))
        app_config.middleware.append(Gatekeeper())
        app_config.middleware.append(SameOrigin(self.settings))
        app_config.middleware.append(Authentication(self.settings, self.clock))
        app_config.middleware.append(Admission(self.routes))
        app_config.lifespan.append(self.lifespan)
        app_config.route_handlers.extend(
            [health.live, health.ready, preferences.save, assets.router()]
        )
        app_config.on_startup.append(self.check_table)
        app_config.state.settings = self.settings
        app_config.state.clock = self.clock
        app_config.state.gate = Gate()
        app_config.state.routes = self.routes
        return app_config

    @asynccontextmanager
    async def lifespan(self, app: Litestar) -> AsyncIterator[None]:
        """Open the pool (unless the process already has one) and the cache client."""
        owns_pool = DB.pool is None
        if owns_pool:
            await DB.start_connection_pool(
                min_size=self.settings.pool_size, max_size=self.settings.pool_size
            )
        app.state.valkey = client(self.settings)
        try:
            async with MEMORY.listening():
                yield
        finally:
            await app.state.valkey.aclose()
            if owns_pool:
                await DB.close_connection_pool()

    def check_table(self, app: Litestar) -> None:
        """Refuse to start when a route has no row in the table of permissions."""
        if missing := sorted(route_names(app) - self.routes.keys()):
            raise RuntimeError(f"routes without a row in the table: {', '.join(missing)}")


class Admission(ASGIMiddleware):
    """The first question to every route: may this role ask? Absent and forbidden look the same.

    A middleware, because a guard costs two copies, of the connection and of the route.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, routes: Routes) -> None:
        self.routes = routes

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        path, method = scope["path_template"], scope.get("method")
        if not (path.startswith((STATIC_ROOT, "/schema")) or method == "OPTIONS"):
            access = self.routes[f"{method} {path}"]
            if not access.public:
                actor: Actor | None = scope["user"]
                if actor is None:
                    raise NotSignedIn
                if actor.handed and f"{method} {path}" not in BEFORE_TAKE_OVER:
                    raise TakeOverFirst
                if not may_ask(actor, access):
                    who = str(actor.person_id)
                    LOG.warning("refused", route=f"{method} {path}", person=who, reason="role")
                    raise NotFound
        await next_app(scope, receive, send)


def security_schemes(settings: Settings) -> dict[str, SecurityScheme | Reference]:
    """The two ways of asking the API: a phone's session, a terminal's signature."""
    return {
        "session": SecurityScheme(
            type="apiKey", security_scheme_in="cookie", name=session_name(settings)
        ),
        "terminal": SecurityScheme(
            type="apiKey",
            security_scheme_in="header",
            name=KEY_HEADER,
            description="与 gridmerit-timestamp、gridmerit-nonce、gridmerit-signature 一起发送。",
        ),
    }


def route_names(app: Litestar) -> set[str]:
    """Every ``"METHOD /path/{name}"`` the app answers, but OPTIONS, HEAD, static and schema."""
    names = set()
    for route in app.routes:
        path = route.path_format
        if path.startswith((STATIC_ROOT, "/schema")):
            continue
        names |= {f"{method} {path}" for method in route.methods or () if method != "OPTIONS"}
    return {name for name in names if not name.startswith("HEAD ")}
