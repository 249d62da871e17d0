"""The rules asked again about one sku, on a scratch copy: would they do anything now?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from events.envelope import Cause
from handlers.rules.replenishment import replenish
from handlers.rules.sellable import available, sources_of
from handlers.state import (
    Item,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    State,
)
from handlers.turn import Books, Origin, Turn
from store.transaction import Transaction
from store.views.shapes import Difference

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ASKING = Origin(Cause("/backship/audit", "audit", "Audit"), _NEVER)
_RAISED = 1 << 60  # what the scratch copy raises must not get the id of a real one


@dataclass(frozen=True, slots=True)
class Bought:
    """A line of a replenishment that is open or on its way."""

    replenishment_id: str
    vendor: str
    destination: str
    state: str
    raised_at: datetime
    qty: int
    manual: int
    linked: int
    received: int

    @classmethod
    def of(cls, tx: Transaction, row: Sequence[Any]) -> "Bought":
        """Return the line in a row of the stream of supply."""
        _sku, name, vendor, destination, state, raised_at, *quantities = row
        return cls(name, vendor, destination, state, tx.instant(raised_at), *quantities)


def supply(state: State, item: Item, lines: Sequence[Bought]) -> None:
    """Put what is bought of a sku into a scratch state, with every slot it may be ordered at."""
    for row in lines:
        line = ReplenishmentLine(item.sku, row.qty, row.manual, row.linked, row.received)
        replenishment = state.replenishments[row.replenishment_id] = Replenishment(
            row.replenishment_id,
            row.vendor,
            row.destination,
            row.raised_at,
            ReplenishmentState(row.state),
            lines={item.sku: line},
        )
        item.supply.append(row.replenishment_id)
        if replenishment.is_open:
            slot = (row.vendor, row.destination)
            state.slots[slot] = Slot(*slot, row.replenishment_id, _RAISED)
    if item.vendor is not None:
        for destination, _shop in item.demand:
            slot = (item.vendor, destination)
            state.slots.setdefault(slot, Slot(*slot, None, _RAISED))


def idle_stock(state: State, item: Item) -> Iterator[Difference]:
    """Yield shops whose lines wait while stock above the safety stock is free for them (S3)."""
    for (_destination, shop), row in sorted(item.demand.items()):
        if not row.shortage:
            continue
        sources = sources_of(state, shop)
        free = available(item, sources) - item.policy.safety_stock
        best = max(
            (item.stock[name].available for name in sources if name in item.stock), default=0
        )
        if free > 0 and best > 0:
            yield {
                "rule": "S3",
                "what": "stock that is free while lines of the shop wait",
                "sku": item.sku,
                "place": None,
                "refs": {"shop": shop},
                "expected": 0,
                "found": min(free, row.shortage),
            }


def unmet(state: State, item: Item) -> Iterator[Difference]:
    """Yield what the open replenishments should hold of a sku and do not (R2)."""
    before = _open_quantities(state, item)
    replenish(Turn(Books(state, _NEVER), _ASKING), item)
    after = _open_quantities(state, item)
    for slot in sorted(before.keys() | after.keys()):
        expected, found = after.get(slot, 0), before.get(slot, 0)
        if expected != found:
            vendor, destination = slot
            yield {
                "rule": "R2",
                "what": "replenishment_lines.qty of the open one",
                "sku": item.sku,
                "place": destination,
                "refs": {"vendor": vendor},
                "expected": expected,
                "found": found,
            }


def _open_quantities(state: State, item: Item) -> dict[tuple[str, str], int]:
    return {
        (row.vendor, row.destination): row.lines[item.sku].qty
        for row in state.replenishments.values()
        if row.is_open
    }
