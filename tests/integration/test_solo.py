"""What came before runs alone: a try counts against it only where its worker ended over it."""

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from store import schema
from store.errors import Unavailable
from tests.support.builders import order_placed
from tests.support.desk import deliveries, open_desk
from tests.support.keeping import rows
from workers import solo
from workers.intake import take_in
from workers.process import Desk
from workers.transports.base import Delivery

AWAY = Unavailable("the database does not serve us now")


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url) as opened:
        yield opened


def settling_of(desk: Desk, delivery: Delivery) -> solo.Settling:
    return solo.Settling(desk, [delivery], lambda: take_in([delivery], desk.clock.now()))


def test_a_database_that_goes_away_again_and_again_makes_no_message_a_suspect(desk: Desk) -> None:
    """F10: nothing is counted against a message whose worker lives on."""
    (delivery,) = deliveries(order_placed("1", [("A", 1)]))
    settling = settling_of(desk, replace(delivery, redelivered=True, delivery_count=1))
    with patch.object(solo, "settle", side_effect=AWAY):
        for _ in range(solo.TRIES_MAX + 2):
            with pytest.raises(Unavailable):
                settling.settle()
    assert rows(desk.database, schema.suspects, "tries") == [1]
    assert settling.settle().counts == {"applied": 1}
    assert rows(desk.database, schema.suspects) == []
    assert rows(desk.database, schema.set_aside) == []


def test_a_message_whose_worker_ends_each_time_is_set_aside(desk: Desk) -> None:
    """F24: each worker that ends leaves its try behind."""
    (delivery,) = deliveries(order_placed("1", [("A", 1)]))
    again = replace(delivery, redelivered=True, delivery_count=1)
    with patch.object(solo, "settle", side_effect=KeyboardInterrupt):
        for _ in range(solo.TRIES_MAX):
            with pytest.raises(KeyboardInterrupt):
                settling_of(desk, again).settle()
    assert settling_of(desk, again).settle().counts == {"crashed_worker": 1}
    assert rows(desk.database, schema.set_aside, "reason") == ["crashed_worker"]
    assert rows(desk.database, schema.suspects) == []
