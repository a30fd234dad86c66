"""What is made at the start of a process stays to its end: do not look through it for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 10_000
"""How many objects more there must be before the young are looked through. The requests of a full
counter make half as many, and take them along when they end: a look would only hold it up."""


@contextmanager
def lasting() -> Iterator[None]:
    """No garbage collection while modules and apps are made, nor ever of them.

    A fifth of the time to the first answer, and pauses of the counter later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(YOUNG)
        gc.enable()
