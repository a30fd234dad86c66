"""Whether this process may write, decided by the checks of the installation (``deploy.watch``).

While the gate is shut people can still look, and the desk's pages say why; every change is
refused, before anybody is asked who they are. Where the schema itself is not this release's,
nothing is shown.
"""

import msgspec
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.errors import ReadOnly
from shared.web.assets import STATIC_ROOT
from shared.web.security import SAFE_METHODS

ALWAYS = ("/health", "/ready", STATIC_ROOT)


class Gate(msgspec.Struct):
    """Open without reasons; one for all apps of a process."""

    reasons: tuple[str, ...] = ()
    blind: bool = False
    """Reading is no use either."""

    def check(self, method: str) -> None:
        """Raises ReadOnly."""
        if self.reasons and (self.blind or method not in SAFE_METHODS):
            raise ReadOnly


class Gatekeeper(ASGIMiddleware):
    """Asks the app's gate before anything else is done for a request."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if not scope["path"].startswith(ALWAYS):
            scope["litestar_app"].state.gate.check(str(scope.get("method")))
        await next_app(scope, receive, send)
