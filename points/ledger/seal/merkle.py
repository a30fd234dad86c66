"""The Merkle tree of RFC 6962, section 2.1, over SHA-256.

The two prefixes keep a row from passing for a node. The tree is built level by level: a last node
without a partner moves up as it is, which gives the RFC's shape (left side = largest power of two
below the size). Complete subtrees of equal size can therefore stand in for their leaves: ``root``
and ``proof`` take either.
"""

from collections.abc import Sequence
from hashlib import sha256

BLOCK = 256
"""Leaves of one kept subtree; a power of two."""


def leaf(data: bytes) -> bytes:
    """The hash of a row."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of nothing, the hash of nothing."""
    if not hashes:
        return sha256(b"").digest()
    level = hashes
    while len(level) > 1:
        level = _above(level)
    return level[0]


def proof(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """The neighbours on the way from one leaf hash up to the root, lowest first."""
    path: list[bytes] = []
    level = hashes
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level, index = _above(level), index >> 1
    return path


def climb(start: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf hash and its proof give; None when the proof cannot be of that place."""
    if not 0 <= index < size:
        return None
    found, rest = start, list(path)
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                return None
            sibling = rest.pop(0)
            found = node(sibling, found) if index & 1 else node(found, sibling)
        index, size = index >> 1, (size + 1) >> 1
    return None if rest else found


def _above(level: Sequence[bytes]) -> list[bytes]:
    paired = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return [*paired, level[-1]] if len(level) % 2 else paired
