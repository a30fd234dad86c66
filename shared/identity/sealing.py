"""Keys derived from the installation's secret: sealing of TOTP and terminal secrets, keyed hashes.

Emptying the table of short codes (8 digits) of their meaning needs a key: a plain hash of 10^8
values is a table look-up.
"""

import os
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
TOKEN_BYTES = 32

_keys: dict[str, bytes] = {}


def configure(secret: str) -> None:
    """Derive the keys from ``Settings.secret_key``; called once when a process starts."""
    if not secret:
        raise ValueError("the secret key is empty")
    for name in ("cipher", "mac"):
        info = f"gridmerit identity {name}".encode()
        _keys[name] = HKDF(SHA256(), 32, salt=None, info=info).derive(secret.encode())


def seal(plain: bytes) -> bytes:
    """Encrypted for storage: nonce and AES-256-GCM text."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_keys["cipher"]).encrypt(nonce, plain, None)


def open_(sealed: bytes) -> bytes:
    """The plain bytes again; InvalidTag means another secret sealed them."""
    return AESGCM(_keys["cipher"]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)


def keyed(*parts: str) -> bytes:
    """A keyed hash, for short secrets that a thief of the table must not be able to try."""
    return keyed_by(_keys["mac"], *parts)


def mac_key() -> bytes:
    """The key of ``keyed``: it goes on, sealed, with hashes when the secret is exchanged."""
    return _keys["mac"]


def keyed_by(key: bytes, *parts: str) -> bytes:
    """``keyed`` under the key of an earlier secret."""
    mac = HMAC(key, SHA256())
    mac.update("\x1f".join(parts).encode())
    return mac.finalize()


def digest(token: str) -> bytes:
    """The stored form of a 256-bit random token, which needs no key and no slow hash."""
    return sha256(token.encode()).digest()


def digits_hash(account_id: UUID, digits: str) -> bytes:
    """Eight digits of a slip are few: keyed, so that the table alone does not give them away."""
    return keyed("slip", str(account_id), digits)
