"""Phone numbers: kept encrypted, found by a keyed fingerprint, shown masked.

Both keys derive from the installation's secret. The fingerprint includes the county, so that the
same number in two counties cannot be joined by whoever reads the table.
"""

import os
import re
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MOBILE = re.compile(r"1[3-9]\d{9}")
NONCE_BYTES = 12

_keys: dict[str, bytes] = {}


def configure(secret: str) -> None:
    """Derive the keys from ``Settings.secret_key``; called once when a process starts."""
    if not secret:
        raise ValueError("the secret key is empty")
    for name in ("cipher", "fingerprint"):
        info = f"gridmerit phone {name}".encode()
        _keys[name] = HKDF(SHA256(), 32, salt=None, info=info).derive(secret.encode())


def clean(text: str) -> str | None:
    """The eleven digits of a mobile number as typed or pasted, or None if it is not one.

    Full-width digits, spaces, hyphens and a leading +86 are what people type; a telephone's
    contacts put marks of the writing direction around it.
    """
    digits = re.sub(
        r"[\s\-—–()\u202a-\u202e\u2066-\u2069]", "", unicodedata.normalize("NFKC", text)
    )
    digits = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", digits)
    return digits if MOBILE.fullmatch(digits) else None


def seal(phone: str) -> bytes:
    """Encrypted for storage: nonce and AES-256-GCM text."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_keys["cipher"]).encrypt(nonce, phone.encode(), None)


def open_(cipher: bytes) -> str:
    """The number again; InvalidTag means another secret sealed it."""
    plain = AESGCM(_keys["cipher"]).decrypt(cipher[:NONCE_BYTES], cipher[NONCE_BYTES:], None)
    return plain.decode()


def fingerprint(county_id: int, phone: str) -> bytes:
    """What sign-in and exact search look up; unique per county."""
    mac = HMAC(_keys["fingerprint"], SHA256())
    mac.update(f"{county_id}:{phone}".encode())
    return mac.finalize()


def mask(phone: str) -> str:
    """13812345678 → 138****5678."""
    return f"{phone[:3]}****{phone[-4:]}"
