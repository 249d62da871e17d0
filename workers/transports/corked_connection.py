"""A pika connection that can hold back what it writes and send it in one piece.

pika gives every frame to the socket by itself: three system calls a published message. Held back
for a burst they are one, which halved the processor time of publishing (25 to 13 µs a message) and
made it a third faster when measured.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pika.adapters.select_connection import SelectConnection


class CorkedConnection(SelectConnection):
    """As its base, but for what is written inside `corked`. In the connection's thread only."""

    _held_back: list[bytes] | None = None

    @contextmanager
    def corked(self) -> Iterator[None]:
        """Hold back everything written in this block, then send it at once."""
        self._held_back = []
        try:
            yield
        finally:
            data, self._held_back = b"".join(self._held_back), None
            if data and not self.is_closed:
                self._adapter_emit_data(data)

    def _adapter_emit_data(self, data: bytes) -> None:
        # A method pika's adapters implement; should it be renamed, corking has no effect any more,
        # and tests/unit/workers/test_corked_connection.py says so.
        if self._held_back is None:
            super()._adapter_emit_data(data)  # type: ignore[misc] # unknown to the stubs
        else:
            self._held_back.append(data)
