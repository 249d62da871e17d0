"""A connection that sends statements ahead of the answers to those before.

Each answer that is waited for costs the way to the server and back, and that a sleeping process is
woken at both ends: 0.2 to 1.5 ms, some forty times in a batch. In libpq's pipeline mode the server
finds the next statement there when it has ended one, and the client makes the next one meanwhile.

Each statement is followed by a Sync at once. Else the server would not take the session for idle in
its transaction, and `idle_in_transaction_session_timeout` would not end one whose process was
frozen with locks in hand.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psycopg

from store.dialects.bounded import BoundedConnection


class PipelinedConnection(BoundedConnection):
    """Sends ahead within `together`; elsewhere it waits for each answer."""

    _flow: ExitStack | None = None

    @property
    def sends_ahead(self) -> bool:
        """Is this within `together`?"""
        return self._flow is not None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send ahead; at the end everything sent has ended. Raises what went wrong with any."""
        with ExitStack() as flow:
            self._flow = flow
            try:
                yield
            except BaseException:
                if self._pipeline is not None:
                    with suppress(psycopg.Error):  # of what was sent after what has failed
                        self._pipeline.sync()
                raise
            finally:
                self._flow = None

    def send(self, sql: Any, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:  # noqa: ANN401 - text
        """Send a statement; to fetch from the cursor is to wait for it."""
        if self._flow is None:
            return self.execute(sql, values)
        if self._pipeline is None:
            self._flow.enter_context(self.pipeline())
        cursor = self.execute(sql, values)
        pipeline = self._pipeline
        assert pipeline is not None
        pipeline.command_queue.append(self.pgconn.pipeline_sync)
        pipeline.result_queue.append(None)
        with self.lock:  # `Pipeline.sync` would wait for the answer as well
            self.wait(pipeline._communicate_gen())  # noqa: SLF001
        return cursor

    def catch_up(self) -> None:
        """Wait for all that was sent; what is executed next waits for its own answer."""
        if self._flow is not None:
            self._flow.close()
