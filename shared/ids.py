"""UUIDv7 made in the app (RFC 9562): time-ordered keys without a sequence.

Monotonic within a process even when the clock steps back, because the ledger's partitions and
keyset pages rely on a process never producing an older id after a newer one.
"""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, 12 bits of counter, 62 random bits."""
    global _last  # noqa: PLW0603  the last stamp is what makes ids monotonic
    with _lock:
        stamp = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        _last = stamp
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail)
