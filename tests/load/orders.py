"""Requests of terminals, signed and ready to send, and the live codes that they spend."""

import hmac
import os
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from points.redemption.rules import CodeKind, make_token
from shared.clock import now
from shared.database import DB
from shared.identity import sealing
from shared.ids import new_id
from tests.factories import COUNTY
from tests.load.world import SECRET, Terminal, World

PATH = "/api/redemptions"
LIFE = timedelta(hours=1)
"""Longer than a round, so that no code ends before its turn."""
CHUNK = 20_000
INSERT_CODES = """
INSERT INTO points.code
    (county_id, id, person_id, token_hash, digits_hash, created_at, expires_at)
SELECT $1, i, p, t, sha256(t), $5, $6
FROM unnest($2::uuid[], $3::uuid[], $4::bytea[]) AS c (i, p, t)
"""


async def make(
    world: World, terminals: list[Terminal], count: int, *, hot: bool
) -> list[tuple[str, bytes]]:
    """Ids and requests, each with a code of its own; terminals, people and goods take turns."""
    at = now()
    stamp = str(int(at.timestamp()))
    made = []
    for n, token in enumerate(await codes(world.people, count, at)):
        terminal = terminals[n % len(terminals)]
        product = world.products[0 if hot else n % len(world.products)]
        order_id = str(new_id())
        body = (
            f'{{"id":"{order_id}","shop_id":"{terminal.shop_id}","code":"{token}",'
            f'"lines":[{{"product_id":"{product}","quantity":1}}]}}'
        ).encode()
        made.append((order_id, signed(terminal, body, stamp, order_id)))
    return made


async def codes(people: list[UUID], count: int, at: datetime) -> list[str]:
    """Live one-time codes, people in turn; answers their tokens."""
    tokens = [make_token(CodeKind.ONCE, os.urandom(16)) for _ in range(count)]
    for first in range(0, count, CHUNK):
        part = tokens[first : first + CHUNK]
        await DB.execute(
            INSERT_CODES,
            COUNTY,
            [new_id() for _ in part],
            [people[(first + n) * 7919 % len(people)] for n in range(len(part))],
            [sealing.digest(token) for token in part],
            at,
            at + LIFE,
        )
    return tokens


def signed(terminal: Terminal, body: bytes, stamp: str, nonce: str) -> bytes:
    """A terminal's request as it goes over the wire."""
    text = "\n".join(("POST", PATH, stamp, nonce, sha256(body).hexdigest()))
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\ngridmerit-key: {terminal.key}\r\n"
        f"gridmerit-timestamp: {stamp}\r\ngridmerit-nonce: {nonce}\r\n"
        f"gridmerit-signature: {hmac.digest(SECRET, text.encode(), 'sha256').hex()}\r\n\r\n"
    )
    return head.encode() + body
