"""Ids derived from their cause, never drawn: the same input gives the same id (contract.md §1)."""

from hashlib import sha256

_SEPARATOR = "\x1f"  # a control character: no name can hold it


def derived(*parts: str) -> str:
    """Return a UUID-shaped id of the parts (the first 128 bits of their SHA-256)."""
    digest = sha256(_SEPARATOR.join(parts).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing to misread aloud


def spoken(prefix: str, *parts: str) -> str:
    """Return a short id a buyer can read out: `R-` and twelve characters (60 bits)."""
    number = int.from_bytes(sha256(_SEPARATOR.join(parts).encode()).digest()[:8])
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(59, -1, -5)]
    return f"{prefix}-{''.join(letters)}"


def joined(*parts: str) -> str:
    """Return one key of several names, without collisions."""
    return _SEPARATOR.join(parts)
