"""Bodies too large to be handed on: cut to their head the moment they come.

No event is larger than `INBOUND_BYTES_MAX` (events.codec); a broker takes 16 MiB and more. A full
prefetch of those would fill any memory, and they are only set aside: with their head, their length
and their SHA-256, by which a repeat is known.
"""

from dataclasses import dataclass
from hashlib import sha256

INBOUND_BYTES_MAX = 1_048_576
HEAD_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Cut:
    """What a body was before it was cut: its length, and its SHA-256 in hex."""

    bytes: int
    sha256: str


def head_of(body: bytes) -> tuple[bytes, Cut | None]:
    """Return a body that may be handed on whole, or its head and what it was."""
    if len(body) <= INBOUND_BYTES_MAX:
        return body, None
    return body[:HEAD_BYTES], Cut(len(body), sha256(body).hexdigest())
