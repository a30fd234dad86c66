"""The tree is the RFC's, and a proof convinces only of what is in it."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.ledger.seal import merkle

# The leaves and roots that Certificate Transparency's reference implementation publishes.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
hashes = st.integers(1, 700).map(
    lambda size: [merkle.leaf(place.to_bytes(2, "big")) for place in range(size)]
)


def tree_hash(data: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it, by recursion."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    half = 1
    while half * 2 < len(data):
        half *= 2
    return sha256(b"\x01" + tree_hash(data[:half]) + tree_hash(data[half:])).digest()


def audit_path(place: int, data: list[bytes]) -> list[bytes]:
    """PATH as RFC 6962 defines it, by recursion."""
    if len(data) == 1:
        return []
    half = 1
    while half * 2 < len(data):
        half *= 2
    if place < half:
        return [*audit_path(place, data[:half]), tree_hash(data[half:])]
    return [*audit_path(place - half, data[half:]), tree_hash(data[:half])]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_published_roots(size: int) -> None:
    """The published vectors, of no leaf to eight."""
    found = merkle.root([merkle.leaf(data) for data in LEAVES[:size]])
    assert ROOTS[size] == found.hex()


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
def test_same_as_the_definition(data: list[bytes], draw: st.DataObject) -> None:
    """Root and proofs are those of the RFC's recursive definitions."""
    leaves = [merkle.leaf(one) for one in data]
    place = draw.draw(st.integers(0, len(data) - 1))
    assert tree_hash(data) == merkle.root(leaves)
    assert audit_path(place, data) == merkle.proof(place, leaves)


@given(hashes, st.data())
def test_proofs_verify(leaves: list[bytes], draw: st.DataObject) -> None:
    """Every leaf's proof gives the root, in its place and in no other tree."""
    place = draw.draw(st.integers(0, len(leaves) - 1))
    path = merkle.proof(place, leaves)
    root = merkle.root(leaves)
    assert root == merkle.climb(leaves[place], place, len(leaves), path)
    for wrong in ((place, len(leaves), [*path, root]), (len(leaves), len(leaves), path)):
        assert merkle.climb(leaves[place], *wrong) is None
    if path:
        assert merkle.climb(leaves[place], place, len(leaves), path[:-1]) is None
        assert root != merkle.climb(leaves[place], place ^ 1, len(leaves), path)


@given(hashes, st.data())
def test_any_changed_byte_fails(leaves: list[bytes], draw: st.DataObject) -> None:
    """One bit of the leaf or of any neighbour changed, and the root is another."""
    place = draw.draw(st.integers(0, len(leaves) - 1))
    whole = [leaves[place], *merkle.proof(place, leaves)]
    which = draw.draw(st.integers(0, len(whole) - 1))
    byte, bit = draw.draw(st.integers(0, 31)), draw.draw(st.integers(0, 7))
    changed = bytearray(whole[which])
    changed[byte] ^= 1 << bit
    whole[which] = bytes(changed)
    assert merkle.root(leaves) != merkle.climb(whole[0], place, len(leaves), whole[1:])


@given(hashes, st.data())
def test_kept_subtrees_stand_in_for_their_leaves(leaves: list[bytes], draw: st.DataObject) -> None:
    """The root of the blocks is the root, and a proof is one in the block and one above it."""
    place = draw.draw(st.integers(0, len(leaves) - 1))
    block, first = place // merkle.BLOCK, place // merkle.BLOCK * merkle.BLOCK
    starts = range(0, len(leaves), merkle.BLOCK)
    kept = [merkle.root(leaves[start : start + merkle.BLOCK]) for start in starts]
    inside = merkle.proof(place - first, leaves[first : first + merkle.BLOCK])
    assert merkle.root(leaves) == merkle.root(kept)
    assert merkle.proof(place, leaves) == inside + merkle.proof(block, kept)
