"""A file handed out: its Chinese name in a header that every browser reads."""

from urllib.parse import quote


def attachment(name: str) -> dict[str, str]:
    """Headers that make a browser save the answer under ``name`` (RFC 6266)."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
