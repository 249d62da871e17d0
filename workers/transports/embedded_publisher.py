"""Publishing into the SQLite file: one batch, one transaction; its commit is the confirm."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.clock import Clock
from workers.transports.base import (
    APP_ID,
    CONTENT_TYPE,
    OutgoingMessage,
    PublishFailure,
    PublishResult,
    TransportOptions,
)
from workers.transports.errors import ConnectionLost, TopologyMissing
from workers.transports.queue_file import QueueFile, queue_file_exists
from workers.transports.queue_messages import QueueMessages
from workers.transports.queued_message import QueuedMessage


class EmbeddedPublisher:
    """Publishes batches; opens the file at the first one."""

    def __init__(self, path: Path, options: TransportOptions, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lease_seconds = options.embedded_lease_seconds
        self._file: QueueFile | None = None
        self._messages: QueueMessages | None = None

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Write all in one transaction; see `base.Publisher`."""
        failed: dict[str, PublishFailure] = {
            message.id: reason for message in messages if (reason := message.unsendable)
        }
        sendable = [message for message in messages if not message.unsendable]
        queued = [
            QueuedMessage(message.routing_key, message.body, _properties(message))
            for message in sendable
        ]
        remark = ""
        try:
            unroutable = self._open(exchange).put(
                exchange, queued, busy_seconds_max=deadline_seconds
            )
        except ConnectionLost as error:
            reason = _failure_of(error)
            failed |= {message.id: reason for message in sendable}
            remark = str(error)
            self.close()
        else:
            failed |= {sendable[position].id: "unroutable" for position in unroutable}
        confirmed = frozenset(message.id for message in messages) - failed.keys()
        return PublishResult(confirmed=confirmed, failed=failed, remark=remark)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._messages = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, exchange: str) -> QueueMessages:
        if self._messages is None:
            if not queue_file_exists(self._path):
                raise TopologyMissing(exchange)
            self._file = QueueFile(self._path)
            self._messages = QueueMessages(self._file, self._clock, self._lease_seconds)
        return self._messages


def _properties(message: OutgoingMessage) -> dict[str, object]:
    return {
        "message_id": message.id,
        "type": message.type,
        "content_type": CONTENT_TYPE,
        "timestamp": message.timestamp,
        "app_id": APP_ID,
    }


def _failure_of(error: ConnectionLost) -> PublishFailure:
    """Nothing was kept: the file was locked for too long, the disk is full, or it failed."""
    cause = error.__cause__
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "nacked"
    return "timeout" if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) else "closed"
