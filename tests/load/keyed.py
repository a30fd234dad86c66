"""B5: one keyed SELECT over HTTP, with as little around it as the same framework allows.

``python -m tests.load.keyed SOCKET`` serves ``/person/{id}`` of the county of the bench.
"""

import os
import sys
from uuid import UUID

import uvicorn
from litestar import Litestar, get
from litestar.params import FromPath

from shared.database import DB
from tests.factories import COUNTY

SELECT = "SELECT name FROM shared.person WHERE county_id = $1 AND id = $2"


@get("/person/{person_id:uuid}")
async def person(person_id: FromPath[UUID]) -> dict[str, str]:
    return {"id": str(person_id), "name": await DB.fetchval(SELECT, COUNTY, person_id)}


@get("/health")
async def health() -> None:
    """Up."""


async def connect() -> None:
    DB.configure(os.environ["DATABASE_URL"])
    await DB.start_connection_pool(min_size=4, max_size=4)


def main() -> None:
    """Serve until stopped."""
    app = Litestar([person, health], on_startup=[connect], openapi_config=None)
    uvicorn.run(app, uds=sys.argv[1], log_level="error", access_log=False)


if __name__ == "__main__":
    main()
