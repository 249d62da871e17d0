"""A window is sent again, what is missing of it, until it is confirmed; or it is said how far."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest

from config.settings import Settings
from console.publishing import Sending
from store.transaction import Database
from tests.support.wire import T0, body_of
from workers.clock import SettableClock
from workers.transports.base import OutgoingMessage, PublishFailure, PublishResult
from workers.transports.errors import ConnectionLost, TopologyMissing
from workers.wiring import House, open_broker


class Said:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def reached(self, done: int, total: int | None, what: str) -> None:
        """Not looked at here."""

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


class Moody:
    """A publisher whose broker fails as the test says: for each try, failures by message id."""

    def __init__(self, *tries: dict[str, PublishFailure]) -> None:
        self.tries = list(tries)
        self.sent: list[list[str]] = []

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Fail as said; after that all is confirmed."""
        assert (exchange, deadline_seconds) == ("backship.in", 10.0)
        ids = [message.id for message in messages]
        self.sent.append(ids)
        failed = self.tries.pop(0) if self.tries else {}
        return PublishResult(frozenset(ids) - failed.keys(), failed, "queue is full")

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        """Nothing is opened."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is closed."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house whose database and transport are never used."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}")
    database = Database(settings.database_url)
    clock = SettableClock(datetime(2026, 11, 21, tzinfo=UTC))
    return House(settings, database, open_broker(settings, database), clock)


def _send(house: House, publisher: Moody, *ids: str) -> tuple[Sending, Said]:
    said = Said()
    sending = Sending(house, publisher, said)
    for line, event_id in enumerate(ids, 1):
        data = {"shop": "main", "order_id": event_id, "placed_at": T0}
        lines = [{"line_id": "1", "sku": "A", "qty": 1}]
        body = body_of("OrderPlaced", {**data, "lines": lines}, event_id=event_id)
        sending.take("f", line, body)
    sending.flush()
    return sending, said


def test_only_what_was_not_confirmed_is_sent_again(house: House) -> None:
    publisher = Moody({"b": "nacked", "c": "timeout"}, {"c": "closed"})
    sending, said = _send(house, publisher, "a", "b", "c")
    assert publisher.sent == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert (sending.sent, sending.left_out, said.lines) == (3, 0, [])
    assert house.clock.monotonic() > 0  # it waited in between


def test_after_five_tries_it_gives_up_and_says_what_is_missing(house: House) -> None:
    nacked: dict[str, PublishFailure] = {"b": "nacked"}
    publisher = Moody(*[nacked] * 9)
    with pytest.raises(ConnectionLost, match="did not confirm 1 event, the first of them b"):
        _send(house, publisher, "a", "b")
    assert len(publisher.sent) == 5


def test_what_the_broker_will_never_take_is_named_and_left_out(house: House) -> None:
    publisher = Moody({"b": "refused", "c": "too_large"})
    sending, said = _send(house, publisher, "a", "b", "c")
    assert publisher.sent == [["a", "b", "c"]]
    assert (sending.sent, sending.left_out) == (1, 2)
    assert said.lines == [
        "OrderPlaced b: refused by the broker: queue is full",
        "OrderPlaced c: too_large by the broker: queue is full",
    ]


def test_what_no_queue_takes_is_a_missing_topology(house: House) -> None:
    with pytest.raises(TopologyMissing, match="A queue bound to backship"):
        _send(house, Moody({"a": "unroutable"}), "a")


def test_a_line_can_not_play_tricks_on_a_terminal(house: House) -> None:
    said = Said()
    Sending(house, Moody(), said).take("f\x1b[2J", 1, b"nothing")
    assert "\x1b" not in said.lines[0]


def test_a_message_is_stamped_with_when_it_is_sent_not_with_when_its_event_happened(
    house: House,
) -> None:
    sending = Sending(house, Moody(), Said())
    data = {"shop": "main", "order_id": "1", "placed_at": T0}
    lines = [{"line_id": "1", "sku": "A", "qty": 1}]
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    sending.take("f", 1, body_of("OrderPlaced", {**data, "lines": lines}, time=long_ago))
    (message,) = sending.window
    assert message.timestamp == int(house.clock.now().timestamp())
