"""Authentication of every request: the session cookie becomes ``request.user``."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.identity.actor import Actor
from shared.settings import Settings


class Authentication(ASGIMiddleware):
    """Sets ``scope["user"]`` to an Actor or None; decides nothing."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        scope["user"] = await self.actor(connection)
        scope["auth"] = None
        await next_app(scope, receive, send)

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor | None:
        """The person of the session cookie, with the duties of this moment."""
        del connection
        return None
