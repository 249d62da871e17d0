"""The rules asked again about one sku, on a scratch copy: would they do anything now?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from events.envelope import Cause
from handlers.rules.links import capacity, fit_docks
from handlers.rules.replenishment import automatic, replenish
from handlers.rules.sellable import available, sources_of, status
from handlers.state import (
    Item,
    QueueKey,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    State,
)
from handlers.turn import Books, Origin, Turn
from store.audit.difference import different
from store.columns import json_value
from store.transaction import Transaction
from store.views.shapes import Difference

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ASKING = Origin(Cause("/backship/audit", "audit", "Audit"), _NEVER)
_RAISED = 1 << 60  # what the scratch copy raises must not get the id of a real one


@dataclass(frozen=True, slots=True)
class Bought:
    """A line of a replenishment that is open, on its way, or at docks for single lines.

    `linked` and `picked` are the sums of its links (R10), not the counters kept of them.
    """

    replenishment_id: str
    vendor: str
    destination: str
    state: str
    raised_at: datetime
    qty: int
    manual: int
    linked: int
    picked: int
    received: int
    docked: Mapping[str, int]

    @classmethod
    def of(cls, tx: Transaction, row: Sequence[Any]) -> "Bought":
        """Return the line in a row of the stream of supply."""
        _sku, name, vendor, destination, state, raised_at, *quantities, docked = row
        qty, manual, linked, picked, received = quantities
        at = dict(json_value(docked))
        raised = tx.instant(raised_at)
        bought = (qty, manual, linked, picked, received, at)
        return cls(name, vendor, destination, state, raised, *bought)

    def line(self, sku: str) -> ReplenishmentLine:
        """Return it as the rules want it."""
        return ReplenishmentLine(
            sku,
            self.qty,
            self.manual,
            self.linked,
            self.picked,
            self.received,
            docked=dict(self.docked),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a sku besides its stock and demand.

    `sent`: by vendor, units automation asks it to ship to customers, not sent yet. `in_parts`: by
    queue, units a fill may serve without the rest of their order. `unlinked`: see `Line`.
    """

    bought: Sequence[Bought]
    sent: Mapping[str, int]
    in_parts: Mapping[QueueKey, int]
    unlinked: int


def differences(state: State, item: Item, asked: Asked) -> Iterator[Difference]:
    """Yield what the rules would do now, though they have done all there was to do."""
    yield from _idle_stock(state, item, asked)
    yield from _docked(asked.bought, item)
    yield from _unlinked(state, item, asked)
    _supply(state, item, asked.bought)
    yield from _unmet(state, item)
    yield from _statuses(state, item)


def _idle_stock(state: State, item: Item, asked: Asked) -> Iterator[Difference]:
    """Yield shops whose lines wait while stock above the safety stock is free for them (S3)."""
    for key, row in sorted(item.demand.items()):
        keeps_parts = state.rules.keep_partial_allocations
        waits = row.fillable if keeps_parts else asked.in_parts[key]  # the others wait for more
        if not waits:
            continue
        sources = sources_of(state, row.shop)
        free = available(item, sources) - item.policy.safety_stock
        best = max(
            (item.stock[name].available for name in sources if name in item.stock), default=0
        )
        if free > 0 and best > 0:
            what = "stock that is free while lines of the shop wait"
            yield different("S3", what, (item.sku, None), (0, min(free, waits)), shop=row.shop)


def _docked(bought: Sequence[Bought], item: Item) -> Iterator[Difference]:
    """Yield places where more is said to lie for single lines than lies there (R10)."""
    for place in sorted({name for row in bought for name in row.docked}):
        units = sum(row.docked.get(place, 0) for row in bought)
        stock = item.stock.get(place)
        there = 0 if stock is None else stock.on_hand
        if units > there:
            what = "replenishment_lines.docked, at most on_hand"
            yield different("R10", what, (item.sku, place), (there, units))


def _unlinked(state: State, item: Item, asked: Asked) -> Iterator[Difference]:
    """Yield what automation would link, or would take off again (R10)."""
    where = (item.sku, None)
    orders = item.vendor is not None and automatic(state, item)
    if orders and asked.unlinked > 0:
        yield different("R10", "units to be bought for single lines", where, (0, asked.unlinked))
    linked = dict(asked.sent)
    for row in asked.bought:
        if row.state == ReplenishmentState.OPEN:
            linked[row.vendor] = linked.get(row.vendor, 0) + row.linked
    for vendor, qty in sorted(linked.items()):
        if qty and not (orders and vendor == item.vendor):
            what = "links by automation, to a vendor it may not ask"
            yield different("R10", what, where, (0, qty), vendor=vendor)


def _supply(state: State, item: Item, bought: Sequence[Bought]) -> None:
    """Put what is bought of a sku into a scratch state, with every slot it may be ordered at.

    Links are as they should be: what is wrong with them is told elsewhere.
    """
    orders = item.vendor is not None and automatic(state, item)
    item.supply.clear()
    item.links = {}
    for row in bought:
        replenishment = state.replenishments[row.replenishment_id] = Replenishment(
            row.replenishment_id,
            row.vendor,
            row.destination,
            row.raised_at,
            ReplenishmentState(row.state),
            lines={item.sku: row.line(item.sku)},
        )
        item.supply.append(row.replenishment_id)
        if replenishment.is_open:
            slot = (row.vendor, row.destination)
            state.slots[slot] = Slot(*slot, row.replenishment_id, _RAISED)
            if not orders or row.vendor != item.vendor:
                replenishment.lines[item.sku].linked = 0
    fit_docks(state, item)
    for replenishment in state.replenishments.values():
        line = replenishment.lines[item.sku]
        most = capacity(replenishment, line)
        line.picked = min(line.picked, most)
        line.linked = min(line.linked, most - line.picked)
    if item.vendor is not None:
        for destination, _shop in item.demand:
            slot = (item.vendor, destination)
            state.slots.setdefault(slot, Slot(*slot, None, _RAISED))


def _unmet(state: State, item: Item) -> Iterator[Difference]:
    """Yield what the open replenishments should hold of a sku and do not (R2)."""
    before = _open_quantities(state, item)
    replenish(Turn(Books(state, _NEVER), _ASKING), item)
    after = _open_quantities(state, item)
    for slot in sorted(before.keys() | after.keys()):
        expected, found = after.get(slot, 0), before.get(slot, 0)
        if expected != found:
            vendor, place = slot
            what = "replenishment_lines.qty of the open one"
            yield different("R2", what, (item.sku, place), (expected, found), vendor=vendor)


def _open_quantities(state: State, item: Item) -> dict[tuple[str, str], int]:
    return {
        (row.vendor, row.destination): row.lines[item.sku].qty
        for row in state.replenishments.values()
        if row.is_open
    }


def _statuses(state: State, item: Item) -> Iterator[Difference]:
    """Yield shops that were last told another status than is so (S13)."""
    if item.base_status is None:
        return  # nothing of it has been decided yet
    for shop in sorted(state.shops):
        told, present = item.statuses.get(shop, item.base_status), status(state, item, shop)
        if told != present:
            where, words = (item.sku, None), (str(present), told)
            yield different("S13", "item_statuses.status", where, words, shop=shop)
