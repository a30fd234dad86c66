"""What is left out of Litestar so that a process starts quickly, and that nothing is missed."""

import subprocess
import sys
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from shared.web.application import Application, Router

MADE = """
import sys
from deploy.single import service_app
from shared.settings import load
from shared.web.gate import Gate
service_app(load(), "app", Gate())
print("pydantic" in sys.modules)
"""


def test_no_app_brings_pydantic_along() -> None:
    """It is installed, by Piccolo, and would be a tenth of the start and of the memory."""
    done = subprocess.run(
        [sys.executable, "-c", MADE],
        env={"GRIDMERIT_SECRET_KEY": "s" * 40},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_each_app_makes_its_own_of_a_router() -> None:
    """Handlers know their app: two apps of one process must not share them."""

    @get("/name")
    async def name(request: Request[Any, Any, Any]) -> str:
        return str(request.app.state.name)

    inner = Router("/inner", route_handlers=[name], opt={"mark": True})
    outer = Router("/outer", route_handlers=[inner])
    apps = [Application([outer], state=State({"name": called})) for called in ("one", "two")]
    for made in apps:
        with TestClient(made) as client:
            assert client.get("/outer/inner/name").text == made.state.name
    handlers = [route.route_handlers[0] for made in apps for route in made.routes
                if isinstance(route, HTTPRoute) and route.path == "/outer/inner/name"]  # fmt: skip
    assert len({id(handler) for handler in handlers}) == len(apps)
    assert all(handler.opt["mark"] for handler in handlers)
