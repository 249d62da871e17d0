"""The demo's buyer: knows vendors and items, sends replenishments, gives up what comes short.

1. Before the first order: who sells what, in which packs, from how many, in how many days.
2. Every Monday at 8:00: each open replenishment goes to its vendor. Some vendors confirm dates.
3. After its lead time each sku arrives at the dock, at 13:00, now and then short.
4. On the day after the last arrival what is still missing is given up: it becomes need again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from console.demo_agenda import Agenda, at_hour
from console.demo_data import Survey, is_fee
from console.demo_draw import TRADING_DAYS_PER_WEEK, Draw, Item
from console.demo_events import DOCK, SHOP, SOURCE, Telling, of_buyer, of_place, of_shop, present
from console.demo_warehouse import Warehouse

_SENT_HOUR, _ARRIVES_HOUR, _GIVEN_UP_HOUR = 8, 13, 9
_DAYS_PER_WEEK = 7


@dataclass(slots=True)
class Buyer:
    """Purchasing: the items, and the replenishments that are open or on their way."""

    agenda: Agenda
    warehouse: Warehouse
    draw: Draw
    items: dict[str, Item] = field(default_factory=dict)
    sent: int = 0
    given_up: int = 0
    _open: dict[str, dict[str, int]] = field(default_factory=dict)
    _monday: datetime | None = None

    def introduce(self, survey: Survey, at: datetime) -> Iterable[Telling]:
        """Tell places, shop, vendors and items, and what lies in stock, before the first order."""
        yield from _places(at)
        for vendor in self.draw.vendors():
            data = {"vendor": vendor.code, "name": vendor.name}
            yield of_buyer("VendorChanged", vendor.code, at, data)
        for sku in sorted(survey.names):
            yield self._item(sku, survey, at)
        opening = {sku: item.opening_units for sku, item in self.items.items()}
        yield from self.warehouse.open(opening, at)

    def _item(self, sku: str, survey: Survey, at: datetime) -> Telling:
        data: dict[str, object] = {"sku": sku, **present(name=survey.names[sku])}
        if is_fee(sku):
            data["policy"] = {"manage_stock": False}
            return of_buyer("ItemChanged", sku, at, data)
        weekly_units = survey.daily_units(sku) * TRADING_DAYS_PER_WEEK
        item = self.items[sku] = self.draw.item(sku, weekly_units)
        data["policy"] = present(
            backorder_policy=item.backorder_policy,
            backorder_limit=item.backorder_limit,
            lead_time_days=item.lead_time_days,
            min_order_qty=item.min_order_qty,
            pack_size=item.pack_size,
        )
        if item.vendor is not None:
            data["vendor"] = item.vendor.code
        return of_buyer("ItemChanged", sku, at, data)

    def hear_asked(self, replenishment_id: str, units: Mapping[str, int], at: datetime) -> None:
        """Note what an open replenishment asks for now; nothing: it is cancelled."""
        if not units:
            self._open.pop(replenishment_id, None)
            return
        self._open[replenishment_id] = dict(units)
        if self._monday is None:
            self._monday = _monday_after(at)
            self.agenda.plan(self._monday, self._send, informed=True)

    def _send(self, at: datetime) -> Sequence[Telling]:
        """Send every open replenishment to its vendor."""
        self._monday = None
        sent, self._open = self._open, {}
        return [self._finalize(key, units, at) for key, units in sorted(sent.items())]

    def _finalize(self, replenishment_id: str, units: Mapping[str, int], at: datetime) -> Telling:
        slip_days = self.draw.slip_days(replenishment_id)
        arrivals: dict[int, dict[str, int]] = {}
        for sku, qty in sorted(units.items()):
            days = self.items[sku].lead_time_days + (slip_days or 0)
            arrivals.setdefault(days, {})[sku] = qty
        missing: Counter[str] = Counter()
        for part, days in enumerate(sorted(arrivals), 1):
            coming = {
                sku: self.draw.arriving(replenishment_id, sku, qty)
                for sku, qty in arrivals[days].items()
            }
            missing.update({sku: arrivals[days][sku] - qty for sku, qty in coming.items()})
            receive = partial(self.warehouse.receive, replenishment_id, part, coming)
            self.agenda.plan(at_hour(at, _ARRIVES_HOUR, days_later=days), receive)
        if missing.total():
            given_up_at = at_hour(at, _GIVEN_UP_HOUR, days_later=max(arrivals) + 1)
            self.agenda.plan(given_up_at, partial(self._give_up, replenishment_id))
        self.sent += 1
        lines = None if slip_days is None else _confirmed(arrivals, at)
        return _closed(replenishment_id, "finalized", at, lines)

    def _give_up(self, replenishment_id: str, at: datetime) -> Sequence[Telling]:
        self.given_up += 1
        return [_closed(replenishment_id, "short_closed", at)]


def _places(at: datetime) -> Iterable[Telling]:
    yield of_place("PlaceChanged", SOURCE, SOURCE, at, {"place": SOURCE, "kind": "source"})
    dock = {"place": DOCK, "kind": "dock", "feeds": SOURCE}
    yield of_place("PlaceChanged", DOCK, DOCK, at, dock)
    yield of_shop("ShopChanged", SHOP, at, {"sources": [SOURCE], "destination": SOURCE})


def _closed(replenishment_id: str, outcome: str, at: datetime, lines: object = None) -> Telling:
    data = present(replenishment_id=replenishment_id, outcome=outcome, closed_at=at, lines=lines)
    return of_buyer("ReplenishmentClosed", f"{replenishment_id}-{outcome}", at, data)


def _confirmed(arrivals: Mapping[int, Mapping[str, int]], at: datetime) -> list[object]:
    """Return the lines a vendor confirms: all that was asked for, at dates of its own."""
    return [
        {"sku": sku, "parts": [present(qty=qty, expected_at=at + timedelta(days=days))]}
        for days, units in sorted(arrivals.items())
        for sku, qty in units.items()
    ]


def _monday_after(at: datetime) -> datetime:
    monday = at_hour(at, _SENT_HOUR, days_later=-at.weekday())
    return monday if monday > at else monday + timedelta(days=_DAYS_PER_WEEK)
