"""Random small histories: two shops, two sources and a dock, three skus, two vendors.

Orders, shipments, cancellations, goods and changes come in any order, some of them before what they
are about, or about nothing. Every event is new: its own business name, an hour after the last.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from events.envelope import Event
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
    vendor_changed,
)
from tests.support.house import House
from tests.support.wire import T0, Fields

SHOPS = ("main", "other")
SKUS = ("A", "B", "C")
VENDORS = ("V", "W")
PLACES = ("DOCK", "WH1", "WH2")
SOURCES = ("WH1", "WH2")
HOLDS = ("payment", "fraud")

Draw = Callable[[st.SearchStrategy[Any]], Any]

_QTY = st.integers(1, 6)
_SKU = st.sampled_from(SKUS)
_SHOP = st.sampled_from(SHOPS)
_PLACE = st.sampled_from(PLACES)
_SOURCE = st.sampled_from(SOURCES)
_LINES = st.lists(st.tuples(_SKU, _QTY), min_size=1, max_size=3)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "backorder_policy": st.sampled_from(("none", "allow", "notify", None)),
        "backorder_limit": st.sampled_from((0, 3, 8, None)),
        "safety_stock": st.sampled_from((0, 2, 5, None)),
        "auto_replenish": st.sampled_from((True, False, None)),
        "manage_stock": st.sampled_from((True, True, False, None)),
        "lead_time_days": st.sampled_from((0, 7, None)),
        "pack_size": st.sampled_from((1, 4, None)),
        "min_order_qty": st.sampled_from((1, 6, None)),
        "sourcing": st.sampled_from(("stock", "buy_to_order", "drop_ship", None)),
        "min_sale_qty": st.sampled_from((1, 2, None)),
        "sale_increment": st.sampled_from((1, 2, None)),
    },
)


class _Storyteller:
    """Draws one event after another; `orders` counts those told so far.

    It tells them to a house of its own, so that it can name what there is by now.
    """

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.count = 0
        self.orders = 0
        self.house = House()

    def known(self, events: list[Event]) -> list[Event]:
        """Begin with these events."""
        self.house.hear_each(*events)
        return events

    def next(self) -> Event:
        """Draw the next event."""
        tell: Callable[[_Storyteller], Event] = self.draw(st.sampled_from(self.KINDS))
        self.count += 1
        event = tell(self)
        self.house.hear(event)
        return event

    def _replenishment(self) -> str:
        """The id of a replenishment in any state, or perhaps of none."""
        name: str = self.draw(st.sampled_from(["R-0", *reversed(self.house.state.replenishments)]))
        return name

    @property
    def _name(self) -> str:
        return f"n{self.count}"

    @property
    def _now(self) -> datetime:
        return T0 + timedelta(hours=self.count)

    def _order(self) -> tuple[str, str]:
        """Shop and id of an order, told or perhaps to come."""
        n = self.draw(st.integers(1, self.orders + 1))
        return SHOPS[n % len(SHOPS)], str(n)

    def placed(self) -> Event:
        self.orders += 1
        return order_placed(
            str(self.orders),
            self._order_lines(),
            shop=SHOPS[self.orders % len(SHOPS)],
            priority=self.draw(st.sampled_from((None, None, 1))),
            ship_mode=self.draw(st.sampled_from((None, None, "line", "complete"))),
            release=self.draw(st.sampled_from((None, None, None, "manual"))),
            holds=self.draw(st.sampled_from((None, None, None, ("payment",), ("fraud",), HOLDS))),
            placed_at=T0 + timedelta(days=self.draw(st.integers(-2, 2))),
            time=self._now,
        )

    def _order_lines(self) -> list[Fields]:
        groups = st.sampled_from((None, None, None, "g"))
        return [
            {"sku": sku, "qty": qty, **({} if group is None else {"group": group})}
            for (sku, qty), group in zip(
                self.draw(_LINES), self.draw(st.lists(groups, min_size=3, max_size=3)), strict=False
            )
        ]

    def changed(self) -> Event:
        shop, order_id = self._order()
        known = self.house.state.orders.get((shop, order_id))
        lines = self._order_lines()
        skus = [] if known is None else [line.sku for line in known.lines.values()]
        for n, sku in enumerate(skus[: len(lines)]):
            lines[n] = {**lines[n], "sku": sku}  # a line keeps its sku
        if self.draw(st.booleans()):
            lines = lines[:1]
        version = self.draw(st.integers(1, 4))
        return order_changed(order_id, lines, shop=shop, version=version, time=self._now)

    def cleared(self) -> Event:
        shop, order_id = self._order()
        hold = self.draw(st.sampled_from(HOLDS))
        return order_hold_cleared(order_id, hold, shop=shop, time=self._now)

    def requested(self) -> Event:
        shop, order_id = self._order()
        return back_to_ship_requested(order_id, shop=shop, time=self._now)

    def backordered(self) -> Event:
        shop, order_id = self._order()
        line_id, qty = self.draw(st.sampled_from(("1", "2"))), self.draw(_QTY)
        reason = self.draw(st.sampled_from(("short_pick", "hold")))
        source = self.draw(_SOURCE)
        row = {"reason": reason, "shop": shop, "time": self._now}
        return line_backordered(order_id, (line_id, qty), source, **row)

    def counted(self) -> Event:
        lines = [
            (sku, self.draw(st.integers(0, 6))) for sku in self.draw(st.sets(_SKU, min_size=1))
        ]
        at = self._now - timedelta(hours=self.draw(st.integers(0, 4)))
        return stock_counted(self._name, self.draw(_PLACE), lines, counted_at=at, time=self._now)

    def asked(self) -> Event:
        rows: list[Any] = []
        for _ in range(self.draw(st.integers(1, 2))):
            shop, order_id = self._order()
            known = self.house.state.orders.get((shop, order_id))
            line = self.draw(st.sampled_from(list(known.lines.values()))) if known else None
            if line is None or self.draw(st.booleans()):
                rows.append((self.draw(_SKU), self.draw(st.sampled_from((-2, 1, 3)))))
                continue
            row = {"sku": line.sku, "shop": shop, "order_id": order_id, "line_id": line.line_id}
            if row not in rows:
                rows.append(row)
        place = self.draw(st.sampled_from((None, None, *PLACES)))
        vendor = self.draw(st.sampled_from(("V", "V", "W")))
        return replenishment_requested(vendor, rows, destination=place, time=self._now)

    def cancelled(self) -> Event:
        shop, order_id = self._order()
        line_id = st.sampled_from(("1", "2", "3"))
        row = st.one_of(
            line_id,
            st.tuples(line_id, _QTY),
            st.fixed_dictionaries({"sku": _SKU, "qty": _QTY}),
        )
        rows = st.lists(row, min_size=1, max_size=2, unique_by=_line_id)
        lines = self.draw(st.one_of(st.none(), rows))
        return order_cancelled(order_id, lines, shop=shop, time=self._now)

    def shipped(self) -> Event:
        shop, order_id = self._order()
        lines = st.dictionaries(st.sampled_from(("1", "2", "3")), _QTY, min_size=1, max_size=2)
        place = self.draw(st.sampled_from((*SOURCES, *SOURCES, "vendor:V")))
        rows = sorted(self.draw(lines).items())
        return order_shipped(order_id, self._name, place, rows, shop=shop, time=self._now)

    def received(self) -> Event:
        name = self._replenishment() if self.draw(st.booleans()) else None
        return stock_received(
            self._name,
            self.draw(_PLACE),
            self.draw(_LINES),
            replenishment_id=name,
            transfer_to=self.draw(st.one_of(st.none(), st.none(), _SOURCE)),
            time=self._now,
        )

    def transferred(self) -> Event:
        origin, to = self.draw(_PLACE), self.draw(_PLACE)
        return stock_transferred(self._name, origin, to, self.draw(_LINES), time=self._now)

    def returned(self) -> Event:
        return stock_returned(self._name, self.draw(_PLACE), self.draw(_LINES), time=self._now)

    def closed(self) -> Event:
        part = st.tuples(st.integers(0, 6), st.sampled_from((None, T0, T0 + timedelta(days=9))))
        row = st.tuples(_SKU, st.lists(part, max_size=2))
        return replenishment_closed(
            self._replenishment(),
            outcome=self.draw(st.sampled_from((None, None, None, "short_closed", "cancelled"))),
            lines=self.draw(st.one_of(st.none(), st.lists(row, min_size=1, max_size=2))),
            time=self._now,
        )

    def item(self) -> Event:
        changes: dict[str, object] = {"vendor": self.draw(st.sampled_from((*VENDORS, "V", None)))}
        if self.draw(st.booleans()):
            changes = {"policy": self._settings()}
        return item_changed(self.draw(_SKU), time=self._now, **changes)

    def vendor(self) -> Event:
        name = self.draw(st.sampled_from(VENDORS))
        return vendor_changed(name, policy=self._settings(), time=self._now)

    def shop(self) -> Event:
        sources = self.draw(st.sampled_from((None, (), ("WH1",), ("WH2",), ("WH2", "WH1"))))
        place = self.draw(st.sampled_from((None, *PLACES)))
        return shop_changed(self.draw(_SHOP), sources=sources, destination=place, time=self._now)

    def place(self) -> Event:
        source = self.draw(_SOURCE)
        of_dock: tuple[Fields, ...] = ({"feeds": source}, {"kind": "source"}, {"kind": "dock"})
        of_source: tuple[Fields, ...] = ({"enabled": False}, {"enabled": True}, {"priority": 7})
        name = self.draw(st.sampled_from(("DOCK", source)))
        change = self.draw(st.sampled_from(of_dock if name == "DOCK" else of_source))
        return place_changed(name, time=self._now, **change)

    def _settings(self) -> Fields:
        settings: Fields = self.draw(_SETTINGS)
        return settings

    KINDS = (
        *(placed,) * 6,
        *(received,) * 4,
        *(transferred,) * 3,
        *(cancelled,) * 3,
        *(shipped,) * 3,
        *(closed,) * 3,
        *(item,) * 3,
        *(changed,) * 2,
        *(cleared,) * 2,
        *(requested,) * 2,
        *(backordered,) * 2,
        *(counted,) * 2,
        *(asked,) * 2,
        returned,
        vendor,
        shop,
        place,
    )


def _line_id(row: object) -> object:
    """A line id may stand once in a message; a sku as often as it likes."""
    if isinstance(row, tuple):
        return row[0]
    return row if isinstance(row, str) else repr(row)


@st.composite
def histories(draw: Draw, events_max: int = 24) -> list[Event]:
    """Draw a history, after the dock and the vendors of two skus."""
    storyteller = _Storyteller(draw)
    given = [
        place_changed("WH1"),
        place_changed("WH2"),
        place_changed("DOCK", kind="dock"),
        item_changed("A", vendor="V"),
        item_changed("B", vendor=draw(st.sampled_from(VENDORS))),
    ]
    known = storyteller.known(draw(st.permutations(given)))
    return known + [storyteller.next() for _ in range(draw(st.integers(1, events_max)))]


def starts_a_walk(event: Event) -> bool:
    """Is it a change that may concern many skus, which a walk reaches after its batch (S6)?"""
    return event.type in {"VendorChanged", "ShopChanged", "PlaceChanged"}


@st.composite
def cuts(draw: Draw, history: list[Event], *, after_walks: bool) -> list[list[Event]]:
    """Cut a history into batches; `after_walks`: always where a walk follows."""
    batches: list[list[Event]] = [[]]
    for event in history:
        batches[-1].append(event)
        if draw(st.booleans()) or (after_walks and starts_a_walk(event)):
            batches.append([])
    return [batch for batch in batches if batch]
