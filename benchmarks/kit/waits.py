"""What the sessions of a database wait for, looked at ten times a second.

PostgreSQL says of each session whether it works and, if not, what for. A session that runs nothing
counts as idle; one between two statements of its transaction as `its worker`.
"""

import threading
from collections import Counter
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, text

LOOK_SECONDS = 0.1
_LOOK = text(
    """
    SELECT CASE
        WHEN state = 'active' AND wait_event_type = 'Lock' THEN 'locks of another'
        WHEN state = 'active' AND wait_event_type = 'IO' THEN 'disk'
        WHEN state = 'active' AND wait_event_type IS NOT NULL THEN 'other'
        WHEN state = 'active' THEN 'working'
        WHEN state LIKE 'idle in transaction%' THEN 'its worker'
        ELSE 'idle' END AS what, COUNT(*)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
    GROUP BY 1
    """
)


class Waits:
    """Looks while its block runs; `shares` afterwards: sessions in each state, on average."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
        self._seen: Counter[str] = Counter()
        self._looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def shares(self) -> dict[str, float]:
        """Return how many sessions were in each state, on average."""
        return {what: round(count / max(1, self._looks), 2) for what, count in self._seen.items()}

    def _look(self) -> None:
        with self._engine.connect() as connection:
            while not self._over.wait(LOOK_SECONDS):
                self._looks += 1
                for what, count in connection.execute(_LOOK):
                    self._seen[str(what)] += int(count)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._engine.dispose()
