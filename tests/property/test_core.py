"""What holds after any history, however it is cut into batches, steps or repeats (domain.md §8)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Event
from events.outbound import (
    ExceptionRaised,
    Outbound,
    ReplenishedLine,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
    StockStatusChanged,
)
from events.vocabulary import ExceptionCode
from handlers.decision import Deferred
from tests.support import invariants, retelling
from tests.support.histories import cuts, histories
from tests.support.house import House
from tests.support.rules import rule
from tests.support.stepwise import StepwiseHouse

_REPLENISHMENT = (
    ReplenishmentRaised | ReplenishmentExtended | ReplenishmentReduced | ReplenishmentCancelled
)
# Told at most once per transaction: only the last state is the same for every cut (§8).
_PER_TRANSACTION = _REPLENISHMENT | StockStatusChanged


@rule("L2", "L3", "L4", "R1", "R2", "S3", "S13")
@given(st.data())
def test_what_must_hold_holds_after_every_batch(data: st.DataObject) -> None:
    history = data.draw(histories())
    house = House()
    for batch in data.draw(cuts(history, after_walks=False)):
        house.hear(*batch)
        invariants.check(house)


@rule("L6", "R3", "S13")
@given(st.data())
def test_any_cut_into_batches_ends_the_same_and_tells_the_same(data: st.DataObject) -> None:
    history = data.draw(histories())
    one_by_one, cut = House(), House()
    for event in history:
        one_by_one.hear(event)
    for batch in data.draw(cuts(history, after_walks=True)):
        cut.hear(*batch)
    assert _kept(cut) == _kept(one_by_one)
    assert cut.movements == one_by_one.movements
    assert _told(cut) == _told(one_by_one)
    assert _last_told(cut) == _last_told(one_by_one)


@rule("S6")
@given(st.data())
def test_steps_that_are_finished_before_the_next_batch_end_as_one_transaction(
    data: st.DataObject,
) -> None:
    history = data.draw(histories())
    whole, stepwise = House(), StepwiseHouse(lines_max=data.draw(st.integers(1, 2)))
    for event in history:
        whole.hear(event)
        stepwise.hear(event)
        stepwise.work()
    assert _quantities(stepwise) == _quantities(whole)
    assert stepwise.movements == whole.movements


@rule("S6", "L4")
@given(st.data())
def test_what_must_hold_holds_between_the_steps_of_anything(data: st.DataObject) -> None:
    history = data.draw(histories())
    house = StepwiseHouse(lines_max=1, skus_max=data.draw(st.integers(1, 2)))
    for batch in data.draw(cuts(history, after_walks=False)):
        house.hear(*batch)
        invariants.check(house)
        for _ in range(data.draw(st.integers(0, 3))):
            house.step()
            invariants.check(house)
    house.work()
    invariants.check(house)
    assert not house.waiting
    assert not any(item.busy for item in house.state.items.values())
    last = {(event.source, event.id): outcome for event, outcome in house.outcomes}
    assert not any(isinstance(row, Deferred) and row.sku for row in last.values())


@rule("C4", "S5")
@given(histories())
def test_hearing_every_fact_again_under_another_id_changes_nothing(history: list[Event]) -> None:
    house = House()
    for event in history:
        house.hear(event)
        if not _has_a_name(event) or isinstance(house.outcome(event), Deferred):
            continue  # what waits has had no effect yet
        before = _kept(house)
        assert [row for row in house.hear(_again(event)) if not _is_a_reminder(row)] == []
        assert _kept(house) == before


def _has_a_name(event: Event) -> bool:
    """Is it known by a business name, or a change that says how things are from now on?"""
    return event.type not in {
        "BackToShipRequested",
        "LineBackordered",
        "OrderCancelled",
        "OrderHoldCleared",
        "ReplenishmentClosed",
        "ReplenishmentRequested",
    }


def _again(event: Event) -> Event:
    return Event(
        source=event.source,
        id=f"{event.id} again",
        type=event.type,
        time=event.time,
        data=event.data,
        subject=event.subject,
        traceparent=event.traceparent,
        data_hash=event.data_hash,
        unknown_fields=event.unknown_fields,
    )


def _is_a_reminder(told: Outbound) -> bool:
    """Does it name what is still so: a destination that is not used, units where nobody picks?"""
    codes = {ExceptionCode.BAD_DESTINATION, ExceptionCode.PLACE_DISABLED}
    return isinstance(told, ExceptionRaised) and told.code in codes


def _kept(house: House) -> dict[str, Any]:
    """Everything the store keeps, as values."""
    state = house.state
    lines = [line for order in state.orders.values() for line in order.lines.values()]
    items = state.items.values()
    return {
        "orders": {key: order.values() for key, order in state.orders.items()},
        "lines": {(*line.order.key, line.line_id): line.values() for line in lines},
        "allocations": {
            (*line.order.key, line.line_id): [row.values() for row in line.allocations if row.qty]
            for line in lines
        },
        "items": {item.sku: item.values() for item in items},
        "statuses": {
            (item.sku, shop): item.statuses.get(shop, item.base_status)
            for item in items
            for shop in state.shops
        },
        "stock": {
            (item.sku, place): row.values()
            for item in items
            for place, row in item.stock.items()
            if row.on_hand or row.allocated or row.counted_at or row.owed
        },
        "replenishments": {key: row.values() for key, row in state.replenishments.items()},
        "contents": {
            (key, sku): line.values()
            for key, row in state.replenishments.items()
            for sku, line in row.lines.items()
        },
        "slots": {key: slot.values() for key, slot in state.slots.items() if slot.raised},
        "facts": dict(state.facts),
        "places": {name: place.values() for name, place in state.places.items()},
        "shops": {name: shop.values() for name, shop in state.shops.items()},
        "links": {
            (*line.order.key, line.line_id, link.replenishment_id, link.by_hand): link.qty
            for line in lines
            for link in line.links
            if link.qty
        },
        "waiting": {
            key: [event.id for event, _received_at in rows]
            for key, rows in (state.waiting | state.early).items()
            if rows
        },
    }


def _quantities(house: House) -> list[str]:
    """What is kept, but for who was released by which message."""
    return sorted(retelling.kept(house.state))


def _told(house: House) -> dict[str, Outbound]:
    """All that is told as often as it is decided, by id."""
    every = zip(house.emitted_ids, house.emitted, strict=True)
    return {told_id: row for told_id, row in every if not isinstance(row, _PER_TRANSACTION)}


def _last_told(house: House) -> dict[str, tuple[int, bool, tuple[ReplenishedLine, ...]]]:
    """The last state told of every replenishment."""
    return {
        row.replenishment_id: (row.revision, isinstance(row, ReplenishmentCancelled), row.lines)
        for row in house.emitted
        if isinstance(row, _REPLENISHMENT)
    }
