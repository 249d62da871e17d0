"""What every event out carries: its cause, when that happened, and an id that makes it once."""

from datetime import timedelta

from events.envelope import Event
from handlers.batch import decide
from handlers.decision import Emission
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    stock_received,
    stock_transferred,
)
from tests.support.house import House
from tests.support.rules import rule
from tests.support.wire import T0

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOUR = timedelta(hours=1)


def _story(house: House) -> list[tuple[Event, list[Emission]]]:
    """A life with most messages in it; each event in a batch of its own, with what it emitted."""
    told = []
    for event in (
        place_changed("WH"),
        place_changed("D", kind="dock"),
        item_changed("A", vendor="V", policy={"lead_time_days": 3}),
        item_changed("B", policy={"backorder_policy": "none"}),
        stock_received("r1", "WH", [("A", 2)], received_at=T0 + HOUR),
        order_placed("1", [("A", 5), ("B", 1), ("C", 1)], time=T0 + 2 * HOUR, traceparent=TRACE),
        stock_transferred("t1", "D", "WH", [("A", 1)], transferred_at=T0 + 3 * HOUR),
        order_shipped("1", "s1", "WH", [("1", 1), ("9", 1)], shipped_at=T0 + 4 * HOUR),
        order_cancelled("1", time=T0 + 5 * HOUR),
        replenishment_closed("R-0", time=T0 + 6 * HOUR),
    ):
        for sku in ("A", "B", "C"):
            house.state.item(sku)
        decision = decide(house.state, [(event, house.now)], house.now)
        told.append((event, decision.emissions))
    return told


def test_every_event_out_names_the_event_in_its_time_and_its_trace() -> None:
    for event, emissions in _story(House()):
        for row in emissions:
            assert row.cause == event.cause
            assert row.traceparent == event.traceparent
            named = getattr(row.message, "caused_by", event.cause)
            assert named == event.cause


def test_the_time_of_an_event_out_is_when_its_cause_happened() -> None:
    times = [{row.at for row in emissions} for _event, emissions in _story(House())]
    assert times[-6:] == [set(), *({T0 + n * HOUR} for n in (2, 3, 4, 5)), set()]


@rule("L5")
def test_ids_derive_from_the_cause_and_never_repeat() -> None:
    first, second = (
        [row.id for _event, emissions in _story(House()) for row in emissions] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == len(first) > 10


def test_the_same_story_from_another_sender_has_other_ids() -> None:
    placed = [order_placed("1", [("A", 1)], source=name) for name in ("/shops/main", "/import")]
    ids = []
    for event in placed:
        house = House()
        house.hear(event)
        ids += house.emitted_ids
    assert len(set(ids)) == len(ids)


def test_the_subject_of_an_event_out_is_what_it_is_about() -> None:
    subjects = {
        (type(row.message).__name__, row.subject)
        for _event, emissions in _story(House())
        for row in emissions
        if not type(row.message).__name__.startswith("Replenishment")
    }
    assert subjects == {
        ("ReadyToShip", "main/1"),
        ("OrderRejected", "main/1"),
        ("OrderBackordered", "main/1"),
        ("BackToShip", "main/1"),
        ("ReleaseCancelled", "main/1"),
        ("ExceptionRaised", None),
        ("StockStatusChanged", "main/A"),
        ("StockStatusChanged", "main/B"),
    }
