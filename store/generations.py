"""Which connections of a pool are from before a trouble that concerned all of them.

A pool pings a connection before it hands it out, and that finds the dead ones. It does not find
one to a server that became a standby in a fail-over: it answers, and refuses every write. So each
connection knows its generation, and none of an earlier one is used again.
"""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_MADE_IN = "backship_generation"


class Generations:
    """Counts the generations of one engine's connections. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._current = 0
        event.listen(engine, "connect", self._made)
        event.listen(engine, "checkout", self._handed_out)

    def begin_anew(self) -> None:
        """Use no connection again that was made before now."""
        self._current += 1

    def _made(self, _connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - any driver's
        entry.info[_MADE_IN] = self._current

    def _handed_out(
        self,
        _connection: Any,  # noqa: ANN401 - any driver's
        entry: ConnectionPoolEntry,
        _proxy: PoolProxiedConnection,
    ) -> None:
        if entry.info.get(_MADE_IN) != self._current:
            raise DisconnectionError  # the pool closes it and makes another
