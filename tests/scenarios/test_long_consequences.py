"""Losing, linking and dating a million lines in steps ends as in one transaction (S6)."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from events.envelope import Event
from events.outbound import (
    ExpectedDateChanged,
    OrderBackordered,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
    StockStatusChanged,
)
from handlers.decision import Applied
from tests.support import retelling
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    stock_transferred,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.stepwise import Stepwise
from tests.support.wire import T0, Moment

DAY = timedelta(days=1)
R1 = "V>WH#1"
LINES_MAX = pytest.mark.parametrize("lines_max", [1, 2, 3, 100])

Story = Callable[[Scene], Sequence[Event]]

_PER_TRANSACTION = (
    ReplenishmentRaised
    | ReplenishmentExtended
    | ReplenishmentReduced
    | ReplenishmentCancelled
    | StockStatusChanged
)


def _orders(qty: int = 2, **rest: object) -> list[Event]:
    """Five orders of A in the order 4, 0, 1, 2, 3, those of shop b among them."""
    return [
        order_placed(
            str(n),
            [("A", qty), ("B", 1)],
            shop="b" if n % 2 else "a",
            placed_at=T0 + n * timedelta(minutes=1),
            priority=1 if n == 4 else None,
            **rest,
        )
        for n in range(5)
    ]


WORLD = (
    place_changed("WH", priority=1),
    place_changed("FAR"),
    place_changed("DOCK", kind="dock", feeds="WH"),
    vendor_changed("V", policy={"lead_time_days": 7}),
    vendor_changed("W", policy={"lead_time_days": 3}),
    item_changed("A", vendor="V"),
    item_changed("B", vendor="V"),
)


def _policy(**policy: object) -> Event:
    return item_changed("A", policy=policy)


def _closed(outcome: str | None = None, *parts: tuple[int, Moment | None]) -> Story:
    lines = [("A", list(parts))] if parts else None
    return lambda scene: [
        replenishment_closed(
            scene.replenishment_id(R1), outcome=outcome, lines=lines, time=T0 + DAY
        )
    ]


def _arrives(place: str, qty: int, **rest: object) -> Story:
    return lambda scene: [
        stock_received(
            "r1", place, [("A", qty)], replenishment_id=scene.replenishment_id(R1), **rest
        )
    ]


def _events(*events: Event) -> Story:
    return lambda _scene: events


def _picked(scene: Scene) -> Sequence[Event]:
    del scene
    rows = [
        {"sku": "A", "shop": "b" if n % 2 else "a", "order_id": str(n), "line_id": "1", "qty": 1}
        for n in range(5)
    ]
    return [replenishment_requested("V", rows), item_changed("A", vendor="W")]


PROMISED = (stock_received("r0", "WH", [("A", 10), ("B", 5)]), *_orders(holds=["fraud"]))
RELEASED = (stock_received("r0", "WH", [("A", 10), ("B", 5)]), *_orders())
LINKED = (_policy(sourcing="buy_to_order"), *_orders())
DROPPED = (_policy(sourcing="drop_ship"), *_orders())
WAITING = tuple(_orders())

STORIES: dict[str, tuple[tuple[Event, ...], Story]] = {
    "counted-less": (PROMISED, _events(stock_counted("c1", "WH", [("A", 3)], counted_at=T0 + DAY))),
    "counted-nothing": (
        PROMISED,
        _events(stock_counted("c1", "WH", [("A", 0), ("B", 2)], counted_at=T0 + DAY)),
    ),
    "counted-less-and-more-elsewhere": (
        (*PROMISED, stock_received("r2", "FAR", [("A", 3)])),
        _events(stock_counted("c1", "WH", [("A", 3)], counted_at=T0 + DAY)),
    ),
    "moved-away": (PROMISED, _events(stock_transferred("t1", "WH", "DOCK", [("A", 7)]))),
    "moved-to-another-source": (
        PROMISED,
        _events(stock_transferred("t1", "WH", "FAR", [("A", 7)])),
    ),
    "counted-less-than-released": (
        RELEASED,
        _events(stock_counted("c1", "WH", [("A", 3)], counted_at=T0 + DAY)),
    ),
    "arrives-for-linked-lines": (LINKED, _arrives("WH", 7)),
    "arrives-at-a-dock-and-goes-on": (LINKED, _arrives("DOCK", 7, transfer_to="WH")),
    "arrives-where-only-some-may-ship-from": (
        (shop_changed("b", sources=["FAR"], destination="DOCK"), shop_changed("a"), *LINKED),
        _events(stock_received("r1", "WH", [("A", 7)])),
    ),
    "lies-at-a-dock-and-is-moved": (
        LINKED,
        lambda scene: [
            *_arrives("DOCK", 7)(scene),
            stock_transferred("t1", "DOCK", "WH", [("A", 5)]),
            stock_transferred("t2", "DOCK", "FAR", [("A", 2)]),
        ],
    ),
    "another-vendor": (LINKED, _events(item_changed("A", vendor="W"))),
    "another-vendor-of-drop-shipped": (DROPPED, _events(item_changed("A", vendor="W"))),
    "automation-off-and-on": (
        LINKED,
        _events(_policy(auto_replenish=False), _policy(auto_replenish=True)),
    ),
    "automation-of-the-vendor-off": (
        LINKED,
        _events(vendor_changed("V", policy={"auto_replenish": False})),
    ),
    "picked-and-another-vendor": (WAITING, _picked),
    "confirmed-less": (LINKED, _closed(None, (3, T0 + 5 * DAY))),
    "given-up": (LINKED, _closed("cancelled")),
    "given-up-after-it-was-sent": (
        LINKED,
        lambda scene: [*_closed()(scene), *_closed("short_closed")(scene)],
    ),
    "dated-in-parts": (WAITING, _closed(None, (3, T0 + 9 * DAY), (5, T0 + 2 * DAY), (2, None))),
    "sent-a-day-later": (WAITING, _closed()),
    "another-lead-time": (WAITING, _events(_policy(lead_time_days=2))),
    "another-lead-time-of-the-vendor": (
        WAITING,
        _events(vendor_changed("V", policy={"lead_time_days": 5})),
    ),
}


def _lasting(scene: Scene) -> list[str]:
    """All that was told, but what is told once per transaction; what waits line by line.

    Skus are served in steps of their own, so an order may hear of its lines one by one.
    """
    names = retelling.names_of(scene.house.state)
    told = []
    for row in scene.house.emitted:
        if isinstance(row, ExpectedDateChanged | OrderBackordered):
            kind = type(row).__name__
            told += [f"{kind} {row.shop}/{row.order_id} {line}" for line in row.lines]
        elif not isinstance(row, _PER_TRANSACTION):
            told.append(retelling.message(row, names))
    return sorted(told)


def _last_of_each(scene: Scene) -> dict[str, str]:
    """What was told last of every replenishment, but for how often it had changed by then."""
    last = {}
    for text in scene.all_lines():
        if text.startswith("Replenishment"):
            kind, name, _rev, _number, state = text.split(" ", 4)
            last[name] = state if kind != "ReplenishmentCancelled" else f"cancelled {state}"
    return last


def _finish(stepwise: Stepwise) -> int:
    """Do all steps, which are few; return how many."""
    for count in range(200):
        if not stepwise.step():
            return count
    raise AssertionError("the steps never end")


@rule("S6")
@LINES_MAX
@pytest.mark.parametrize(("given", "story"), STORIES.values(), ids=STORIES)
def test_in_steps_it_ends_as_in_one_transaction(
    given: tuple[Event, ...], story: Story, lines_max: int
) -> None:
    whole, stepwise = Scene(*WORLD, *given), Stepwise(*WORLD, *given, lines_max=lines_max)
    for event in story(whole):
        whole.when(event)
        assert isinstance(whole.house.outcome(event), Applied)
        stepwise.scene.when(event)
        _finish(stepwise)
        assert sorted(stepwise.scene.rows()) == sorted(whole.rows())
    assert stepwise.scene.house.movements == whole.house.movements
    assert _last_of_each(stepwise.scene) == _last_of_each(whole)


@rule("S6", "O8", "R12")
@LINES_MAX
@pytest.mark.parametrize(("given", "story"), STORIES.values(), ids=STORIES)
def test_in_steps_customers_are_told_what_they_are_told_in_one_transaction(
    given: tuple[Event, ...], story: Story, lines_max: int
) -> None:
    whole, stepwise = Scene(*WORLD, *given), Stepwise(*WORLD, *given, lines_max=lines_max)
    for event in story(whole):
        whole.when(event)
        stepwise.scene.when(event)
        _finish(stepwise)
    assert _lasting(stepwise.scene) == _lasting(whole)
