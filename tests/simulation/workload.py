"""What shops, warehouses and buyers say in one run, and what a broken one of them sends.

Three skus, two shops, two sources and a dock, as in `tests.support.histories`; names of orders and
replenishments are guessed, so that much comes early, late or for nothing. On top of the stories:
exact repeats, repeats written in another order, other data under a known id, bodies that are no
events, keys of another shop, orders the database refuses, events whose handler has a bug, and
(`poison`) events that kill the worker that decides them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson

from events.envelope import Event
from handlers.rules.identity import spoken
from tests.simulation.database import REFUSED
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
from tests.support.stack import outgoing
from tests.support.wire import T0
from workers.transports.base import OutgoingMessage

BUGGY = "bug"
POISON = "poison"

_SHOPS = ("main", "other")
_SKUS = ("A", "A", "A", "B", "C")
_VENDORS = ("V", "W")
_SOURCES = ("WH1", "WH2")
_PLACES = ("DOCK", *_SOURCES)
_HOLDS = ("payment", "fraud")
_POLICIES: tuple[dict[str, object], ...] = (
    {"backorder_policy": "none"},
    {"backorder_policy": "allow", "backorder_limit": 8},
    {"backorder_limit": None},
    {"safety_stock": 2},
    {"safety_stock": None},
    {"lead_time_days": 7},
    {"pack_size": 4, "min_order_qty": 6},
    {"sourcing": "buy_to_order"},
    {"sourcing": "drop_ship"},
    {"sourcing": None},
    {"auto_replenish": False},
    {"auto_replenish": None},
    {"manage_stock": False},
    {"manage_stock": None},
)
_NO_EVENTS = (
    b"",
    b"not JSON",
    b"\xff\xfe",
    b'{"specversion": "1.0"}',
    b'{"specversion": "1.0", "id": "m1", "source": "/s", "type": "OrderPlaced", "data": {}}',
    b'{"specversion": "1.0", "id": "m2", "source": "/s", "type": "Nonsense", "data": {}}',
    b'{"specversion": "1.0", "id": "m\\u00003", "source": "/s", "type": "X", "data": {}}',
    b'{"specversion": "1.0", "id": "m4", "id": "m5", "source": "/s", "type": "X", "data": {}}',
)


@dataclass(slots=True)
class Workload:
    """Everything that is sent, in this order."""

    messages: list[OutgoingMessage] = field(default_factory=list)


def workload(rng: Random, *, poison: bool) -> Workload:
    """Draw what is said in one run."""
    teller = _Teller(rng)
    events = teller.world()
    count = rng.choice((5, 10, 20, 35))
    events += [teller.next() for _ in range(count)]
    if rng.random() < 0.5:
        events += [
            order_placed(f"{REFUSED}-{n}", [("A", n)]) for n in range(1, 1 + rng.randint(1, 2))
        ]
    if rng.random() < 0.4:
        events.append(order_placed("in a bug's way", [("B", 2)], event_id=f"{BUGGY}-1"))
        events.append(stock_received("r-bug", "WH1", [("A", 1)], event_id=f"{BUGGY}-2"))
    if poison:
        kinds = rng.randint(1, 2)
        events += [
            order_placed(f"{POISON}-{n}", [("P", 1)], event_id=f"{POISON}-{n}")
            for n in range(kinds)
        ]
    body = events[5:]
    rng.shuffle(body[len(body) // 2 :])
    messages = [outgoing(event) for event in [*events[:5], *body]]
    for _ in range(rng.randint(0, 8)):
        at = rng.randrange(len(messages))
        messages.insert(rng.randint(at, len(messages)), _spoilt(rng, messages[at]))
    return Workload(messages)


def _spoilt(rng: Random, message: OutgoingMessage) -> OutgoingMessage:
    """Return a message again, exactly or not, or something that is none."""
    document: dict[str, Any] = orjson.loads(message.body) if message.body[:1] == b"{" else {}
    choice = rng.randrange(5)
    if choice == 0 or not document.get("data"):
        return message
    if choice == 1:
        again = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
        return _with(message, again)
    if choice == 2:
        lines = document["data"].get("lines")
        if lines and "qty" in lines[0]:
            lines[0]["qty"] = abs(lines[0]["qty"]) + rng.randint(1, 2)
        else:
            document["data"]["name"] = f"another {rng.randint(1, 3)}"
        return _with(message, orjson.dumps(document))
    if choice == 3 and "shop" in document["data"] and message.type == "OrderPlaced":
        document["id"] = f"pretender-{document['id']}"
        key = "OrderPlaced.nobody"
        return OutgoingMessage(document["id"], message.type, key, orjson.dumps(document), None)
    body = rng.choice(_NO_EVENTS)
    return OutgoingMessage(f"bad-{rng.randrange(10**6)}", "Bad", "Bad.main", body, None)


def _with(message: OutgoingMessage, body: bytes) -> OutgoingMessage:
    return OutgoingMessage(message.id, message.type, message.routing_key, body, message.timestamp)


class _Teller:
    """Draws one event after another; an hour passes between two."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._count = 0
        self._orders = 0
        self._placed: dict[tuple[str, str], list[tuple[str, int]]] = {}

    def world(self) -> list[Event]:
        """Tell what there is from the start."""
        return [
            place_changed("WH1"),
            place_changed("WH2"),
            place_changed("DOCK", kind="dock"),
            item_changed("A", vendor="V"),
            item_changed("B", vendor=self._rng.choice(_VENDORS)),
        ]

    def next(self) -> Event:
        """Draw the next event."""
        self._count += 1
        tell: Callable[[_Teller], Event] = self._rng.choice(_STORIES)
        return tell(self)

    # ----------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"n{self._count}"

    @property
    def _now(self) -> datetime:
        return T0 + timedelta(hours=self._count)

    def _qty(self, most: int = 6) -> int:
        return self._rng.randint(1, most)

    def _lines(self, most: int = 6) -> list[tuple[str, int]]:
        skus = {self._rng.choice(_SKUS) for _ in range(self._rng.randint(1, 3))}
        return [(sku, self._qty(most)) for sku in sorted(skus)]

    def _order(self) -> tuple[str, str]:
        """Shop and id of an order, told or perhaps to come."""
        n = self._rng.randint(1, self._orders + 1)
        return _SHOPS[n % 2], str(n)

    def _replenishment(self) -> str:
        vendor, place = self._rng.choice(_VENDORS), self._rng.choice((*_PLACES, "WH1", "WH1"))
        return spoken("R", vendor, place, str(self._rng.randint(1, 2)))

    def placed(self) -> Event:
        self._orders += 1
        name = str(self._orders)
        return order_placed(
            name,
            self._lines(),
            shop=_SHOPS[self._orders % 2],
            ship_mode=self._rng.choice((None, None, "line", "complete")),
            priority=self._rng.choice((None, None, 7)),
            release=self._rng.choice((None, None, None, "manual")),
            holds=self._rng.choice((None, None, None, ("payment",), ("fraud",))),
            placed_at=T0 + timedelta(days=self._rng.randint(-2, 2)),
            time=self._now,
        )

    def changed(self) -> Event:
        shop, name = self._order()
        version = self._rng.randint(1, 3)
        return order_changed(name, self._lines(), shop=shop, version=version, time=self._now)

    def cancelled(self) -> Event:
        shop, name = self._order()
        lines: Any = self._rng.choice((None, ["1"], [("1", 2)], [{"sku": "A", "qty": 2}]))
        return order_cancelled(name, lines, shop=shop, time=self._now)

    def cleared(self) -> Event:
        shop, name = self._order()
        return order_hold_cleared(name, self._rng.choice(_HOLDS), shop=shop, time=self._now)

    def requested(self) -> Event:
        shop, name = self._order()
        return back_to_ship_requested(name, shop=shop, time=self._now)

    def shipped(self) -> Event:
        shop, name = self._order()
        place = self._rng.choice((*_SOURCES, "vendor:V"))
        lines = [("1", self._qty(3))]
        return order_shipped(name, self._name, place, lines, shop=shop, time=self._now)

    def backordered(self) -> Event:
        shop, name = self._order()
        reason = self._rng.choice(("short_pick", "hold"))
        place = self._rng.choice(_SOURCES)
        row: dict[str, Any] = {"reason": reason, "shop": shop, "time": self._now}
        return line_backordered(name, ("1", self._qty(3)), place, **row)

    def received(self) -> Event:
        name = self._replenishment() if self._rng.random() < 0.5 else None
        place = self._rng.choice(_PLACES)
        to = self._rng.choice((None, None, "WH1"))
        return stock_received(
            self._name,
            place,
            self._lines(30),
            replenishment_id=name,
            transfer_to=to,
            time=self._now,
        )

    def transferred(self) -> Event:
        origin, to = self._rng.choice(_PLACES), self._rng.choice(_PLACES)
        return stock_transferred(self._name, origin, to, self._lines(20), time=self._now)

    def counted(self) -> Event:
        place, lines = self._rng.choice(_PLACES), self._lines(12)
        return stock_counted(self._name, place, lines, counted_at=self._now, time=self._now)

    def returned(self) -> Event:
        return stock_returned(self._name, self._rng.choice(_PLACES), self._lines(), time=self._now)

    def closed(self) -> Event:
        return replenishment_closed(
            self._replenishment(),
            outcome=self._rng.choice((None, None, "short_closed", "cancelled")),
            lines=self._rng.choice((None, None, [("A", [(5, None)])])),
            time=self._now,
        )

    def asked(self) -> Event:
        vendor, lines = self._rng.choice(_VENDORS), [("A", self._rng.choice((3, -2)))]
        return replenishment_requested(vendor, lines, time=self._now)

    def item(self) -> Event:
        sku = self._rng.choice(_SKUS)
        if self._rng.random() < 0.5:
            vendor = self._rng.choice((*_VENDORS, None))
            return item_changed(sku, vendor=vendor, time=self._now)
        return item_changed(sku, policy=self._rng.choice(_POLICIES), time=self._now)

    def vendor(self) -> Event:
        vendor, policy = self._rng.choice(_VENDORS), self._rng.choice(_POLICIES)
        return vendor_changed(vendor, policy=policy, time=self._now)

    def shop(self) -> Event:
        sources = self._rng.choice((None, (), ("WH1",), ("WH2", "WH1")))
        place = self._rng.choice((None, "WH1", "DOCK"))
        return shop_changed(
            self._rng.choice(_SHOPS), sources=sources, destination=place, time=self._now
        )

    def place(self) -> Event:
        change: Any = self._rng.choice(({"enabled": False}, {"enabled": True}, {"priority": 7}))
        return place_changed(self._rng.choice(_SOURCES), time=self._now, **change)


_STORIES = (
    *(_Teller.placed,) * 9,
    *(_Teller.received,) * 4,
    *(_Teller.transferred,) * 2,
    *(_Teller.cancelled,) * 2,
    *(_Teller.shipped,) * 2,
    *(_Teller.closed,) * 2,
    *(_Teller.item,) * 2,
    _Teller.changed,
    _Teller.cleared,
    _Teller.requested,
    _Teller.backordered,
    _Teller.counted,
    _Teller.returned,
    _Teller.asked,
    _Teller.vendor,
    _Teller.vendor,
    _Teller.shop,
    _Teller.place,
)
