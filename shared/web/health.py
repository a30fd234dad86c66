"""Liveness and readiness: is the process up, and can it do its work."""

from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from shared.database import AWAY, DB
from shared.web.gate import Gate


@get("/health", include_in_schema=False)
async def live() -> dict[str, str]:
    """The process answers; says nothing of its database."""
    return {"status": "ok"}


@get("/ready", include_in_schema=False)
async def ready(request: Request[object, object, State]) -> dict[str, str]:
    """May write, and the database answers; the cache's loss changes nothing but speed.

    Raises ReadOnly, which does not tell strangers why.
    """
    gate: Gate = request.app.state.gate
    gate.check("POST")
    try:
        await DB.fetchval("SELECT 1")
    except AWAY as error:
        raise HTTPException(status_code=503, detail="database away") from error
    try:
        await request.app.state.valkey.ping()
        cache = "ok"
    except Exception:  # noqa: BLE001  whatever ails the cache, the answer is the same
        cache = "away"
    return {"status": "ok", "database": "ok", "cache": cache}
