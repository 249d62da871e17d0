"""The demo's warehouse: ships what it is told to, receives at its dock, fills its shelves.

- What is released one day is collected at 17:00 of the next; a release withdrawn before that stays.
- What arrives at the dock is transferred to the source the next morning at 7:00.
- What is found damaged or lost is written off: the shelf is counted, and that is left on it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.demo_agenda import Agenda, at_hour
from console.demo_data import Invoice, is_fee
from console.demo_events import DOCK, SHOP, SOURCE, Telling, of_place, present, stock_lines
from console.demo_shop import Shop

_COLLECTED_HOUR, _TRANSFERRED_HOUR = 17, 7


@dataclass(slots=True)
class Release:
    """Units of one order that are to leave together."""

    order_id: str
    units: Counter[str]  # by line
    skus: Mapping[str, str]  # of the lines


@dataclass(slots=True)
class Warehouse:
    """The source, its dock, and what is to be done there."""

    agenda: Agenda
    shop: Shop
    shipped_units: int = 0
    written_off_lines: int = 0
    written_off_units: int = 0
    on_shelf: Counter[str] = field(default_factory=Counter)
    """What lies at the source, by sku, as the warehouse itself knows it."""
    brought_by: dict[str, str] = field(default_factory=dict)
    """The replenishment each sku came with last."""
    _releases: dict[datetime, dict[str, Release]] = field(default_factory=dict)
    _collected_at: dict[str, datetime] = field(default_factory=dict)
    _at_dock: dict[datetime, Counter[str]] = field(default_factory=dict)

    def open(self, units: Mapping[str, int], at: datetime) -> list[Telling]:
        """Receive what lies there before the first order comes."""
        tellings = []
        for number, lines in enumerate(stock_lines(units), 1):
            name = f"opening-{number}"
            data = present(receipt_id=name, place=SOURCE, received_at=at, lines=lines)
            tellings.append(of_place("StockReceived", SOURCE, name, at, data))
        self.on_shelf.update(units)
        return tellings

    def hear_released(
        self, release_id: str, order_id: str, lines: Sequence[Mapping[str, Any]], at: datetime
    ) -> None:
        """Plan to ship lines as a release names them."""
        units: Counter[str] = Counter()
        for line in lines:
            units[line["line_id"]] += line["qty"]
        collected_at = at_hour(at, _COLLECTED_HOUR, days_later=1)
        if collected_at not in self._releases:
            self._releases[collected_at] = {}
            self.agenda.plan(collected_at, self._ship, informed=True)
        skus = {line["line_id"]: line["sku"] for line in lines}
        self._releases[collected_at][release_id] = Release(order_id, units, skus)
        self._collected_at[release_id] = collected_at

    def hear_withdrawn(self, release_id: str, units: Mapping[str, int]) -> None:
        """Leave units where they are."""
        collected_at = self._collected_at.get(release_id)
        if collected_at is not None:
            self._releases[collected_at][release_id].units.subtract(units)

    def _ship(self, at: datetime) -> Sequence[Telling]:
        by_order: dict[str, Counter[str]] = {}
        for release_id, release in self._releases.pop(at).items():
            del self._collected_at[release_id]
            by_order.setdefault(release.order_id, Counter()).update(release.units)
            for line_id, qty in release.units.items():
                self.on_shelf[release.skus[line_id]] -= qty
        tellings = []
        for order_id, units in by_order.items():
            lines = [{"line_id": line_id, "qty": qty} for line_id, qty in units.items() if qty > 0]
            if not lines:
                continue
            for line_id, qty in units.items():
                self.shop.note_shipped(order_id, line_id, qty)
            self.shipped_units += units.total()
            name = f"{order_id}-{at:%Y%m%d}"
            data = present(
                shop=SHOP,
                order_id=order_id,
                shipment_id=name,
                source=SOURCE,
                shipped_at=at,
                lines=lines,
            )
            tellings.append(of_place("OrderShipped", SOURCE, name, at, data))
        return tellings

    def receive(
        self, replenishment_id: str, part: int, units: Mapping[str, int], at: datetime
    ) -> Sequence[Telling]:
        """Receive goods of a replenishment at the dock."""
        tellings = []
        for number, lines in enumerate(stock_lines(units), 1):
            name = f"{replenishment_id}-{part}.{number}"
            data = present(
                receipt_id=name,
                place=DOCK,
                received_at=at,
                replenishment_id=replenishment_id,
                lines=lines,
            )
            tellings.append(of_place("StockReceived", DOCK, name, at, data))
        transferred_at = at_hour(at, _TRANSFERRED_HOUR, days_later=1)
        if tellings and transferred_at not in self._at_dock:
            self._at_dock[transferred_at] = Counter()
            self.agenda.plan(transferred_at, self._transfer)
        if tellings:
            self._at_dock[transferred_at].update(units)
            self.brought_by.update({sku: replenishment_id for sku, qty in units.items() if qty})
        return tellings

    def take_back(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Put what a customer sent back on the shelf again."""
        for line in lines:
            self.on_shelf[line["sku"]] += line["qty"]

    def write_off(self, invoice: Invoice) -> Sequence[Telling]:
        """Count the shelves where something is damaged or lost, without it."""
        lost: Counter[str] = Counter()
        for line in invoice.lines:
            self.written_off_lines += 1
            self.written_off_units -= line.qty
            if not is_fee(line.sku):
                lost[line.sku] -= line.qty
        lines = []
        for sku, qty in sorted(lost.items()):
            self.on_shelf[sku] = max(0, self.on_shelf[sku] - qty)
            lines.append({"sku": sku, "qty": self.on_shelf[sku]})
        if not lines:
            return []
        data = present(
            count_id=invoice.number,
            place=SOURCE,
            counted_at=invoice.at,
            reason=invoice.lines[0].name,
            lines=lines,
        )
        return [of_place("StockCounted", SOURCE, invoice.number, invoice.at, data)]

    def _transfer(self, at: datetime) -> Sequence[Telling]:
        tellings = []
        units = self._at_dock.pop(at)
        self.on_shelf.update(units)
        for number, lines in enumerate(stock_lines(units), 1):
            name = f"{at:%Y%m%d}.{number}"
            data = {
                "transfer_id": name,
                "from": DOCK,
                "to": SOURCE,
                **present(transferred_at=at, lines=lines),
            }
            tellings.append(of_place("StockTransferred", DOCK, name, at, data))
        return tellings
