"""Every expected "no" by name: what this release sets aside, and what the rules refuse.

An event that asks for what is not built yet is set aside as `unknown_type` with the field that asks
for it: never half-applied, never dropped.
"""

from collections.abc import Iterator

from events.inbound import (
    BackToShipRequested,
    Inbound,
    ItemChanged,
    LineBackordered,
    OrderChanged,
    OrderHoldCleared,
    OrderPlaced,
    PolicyChange,
    ReplenishmentRequested,
    StockCounted,
    VendorChanged,
)
from events.vocabulary import Sourcing
from handlers.decision import SetAside

_LATER = (
    OrderChanged,
    OrderHoldCleared,
    BackToShipRequested,
    LineBackordered,
    StockCounted,
    ReplenishmentRequested,
)


def not_yet(data: Inbound) -> SetAside | None:
    """Return why an event can not be applied by this release, None where it can."""
    if isinstance(data, _LATER):
        return later("type", f"{type(data).__name__} events are not applied yet")
    for field, what in _asks(data):
        return later(field, f"{what} is not applied yet")
    return None


def later(field: str, message: str) -> SetAside:
    """Set an event aside for a later release."""
    return SetAside("unknown_type", field, message)


def conflict(message: str) -> SetAside:
    """Set aside a second version of something that has its effect already (C4)."""
    return SetAside("conflict", "data", message)


def _asks(data: Inbound) -> Iterator[tuple[str, str]]:
    if isinstance(data, OrderPlaced):
        if data.ship_mode not in {None, "partial"}:
            yield "data.ship_mode", f"ship mode {data.ship_mode}"
        if data.release not in {None, "auto"}:
            yield "data.release", f"release {data.release}"
        if data.holds:
            yield "data.holds", "a hold"
        for index, line in enumerate(data.lines):
            if line.group is not None:
                yield f"data.lines.{index}.group", "a group of lines"
    elif isinstance(data, ItemChanged | VendorChanged) and data.policy is not None:
        yield from _asks_of_policy(data.policy)


def _asks_of_policy(policy: PolicyChange) -> Iterator[tuple[str, str]]:
    if policy.sourcing not in {None, Sourcing.STOCK}:
        yield "data.policy.sourcing", f"sourcing {policy.sourcing}"
    if policy.min_sale_qty not in {None, 1}:
        yield "data.policy.min_sale_qty", "a minimum sale quantity"
    if policy.sale_increment not in {None, 1}:
        yield "data.policy.sale_increment", "a sale increment"
