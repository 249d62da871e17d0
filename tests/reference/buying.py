"""What is bought, from whom, and what the buyer is told of it (R1-R3)."""

from pydantic import JsonValue

from events.outbound import (
    ReplenishedLine,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
)
from tests.reference import ledger, links, places
from tests.reference.documents import may_order, raise_replenishment
from tests.reference.rows import Replenishment, ReplenishmentLine
from tests.reference.world import World

Contents = dict[str, tuple[str, dict[str, int]]]


def need(world: World, sku: str, destination: str) -> int:
    """Return what must be bought of a sku for everybody at a destination (R2); may be negative."""
    if destination.startswith("customer:") or not may_order(world, sku):
        return 0
    waiting = sum(
        line.shortage - world.linked(line)
        for line in world.lines(sku)
        if line.order.destination == destination and line.way not in {"buy_to_order", "drop_ship"}
    )
    return waiting - incoming(world, sku, destination) - lying(world, sku, destination)


def incoming(world: World, sku: str, destination: str) -> int:
    """Return what is on its way to a destination for everybody."""
    total = 0
    for row in world.replenishments:
        if row.destination == destination:
            linked = links.linked_on(world, row, sku) - links.docked_of(world, row, sku)
            total += max(0, row.outstanding(sku) - linked)
    return total


def lying(world: World, sku: str, destination: str) -> int:
    """Return what lies unpromised where it serves a destination: its docks, and itself (R2)."""
    total = 0
    for name in {destination, *places.docks_of(world, destination)}:
        units = ledger.unpromised(world, sku, name) - links.docked_at(world, sku, name)
        place = world.places.get(name)
        if place is not None and place.picks:
            units -= world.setting(sku, "safety_stock")
        total += max(0, units)
    return total


def lot(world: World, sku: str, qty: int) -> int:
    """Raise a quantity to the minimum and round it up to packs (R2)."""
    if qty <= 0:
        return 0
    qty = max(qty, int(world.setting(sku, "min_order_qty")))
    pack = int(world.setting(sku, "pack_size"))
    return -(-qty // pack) * pack


def replenish(world: World) -> None:
    """Make every open replenishment what R2 says, raising and cancelling them (R3)."""
    for sku in sorted(world.items):
        _raise_for(world, sku)
    for row in world.replenishments:
        if row.is_open:
            for sku in sorted(world.items):
                _ask(world, row, sku)
            if not row.asks:
                row.state = "cancelled"


def _raise_for(world: World, sku: str) -> None:
    vendor = world.item(sku).vendor
    destinations = {line.order.destination for line in world.lines(sku)} - {None}
    for destination in sorted(name for name in destinations if name is not None):
        if vendor is not None and need(world, sku, destination) > 0:
            raise_replenishment(world, vendor, destination, automatic=True)


def _ask(world: World, row: Replenishment, sku: str) -> None:
    line = row.lines.get(sku)
    qty = links.linked_on(world, row, sku) + (line.by_hand if line is not None else 0)
    if row.vendor == world.item(sku).vendor:
        qty += max(0, need(world, sku, row.destination))
    if not row.for_customer:
        qty = lot(world, sku, qty)
    if qty or line is not None:
        row.lines.setdefault(sku, ReplenishmentLine(sku)).qty = qty


def contents(world: World) -> Contents:
    """Return what every replenishment asks for now."""
    return {row.name: (row.state, row.asks) for row in world.replenishments}


def count_revisions(world: World, before: Contents) -> None:
    """Count the event in the revision of every replenishment it changed (R3)."""
    for row in world.replenishments:
        state, lines = before.get(row.name, ("", {}))
        now = row.asks
        if row.is_open or state in {"open", ""}:
            changed = lines != now and (row.is_open or row.state == "cancelled")
        else:
            changed = False
        if changed or (row.state == "cancelled" != state):
            row.revision += 1


def tell(world: World) -> None:
    """Tell buyers of what is open, or was given up, as it is now (R3)."""
    for row in world.replenishments:
        if row.state in {"open", "cancelled"}:
            tell_one(world, row)


def tell_one(world: World, row: Replenishment) -> None:
    """Tell a buyer of one replenishment, unless its last revision was told."""
    if row.revision == row.told_revision:
        return
    total = sum(row.asks.values())
    kind: type[
        ReplenishmentRaised | ReplenishmentExtended | ReplenishmentReduced | ReplenishmentCancelled
    ] = ReplenishmentExtended
    if row.state == "cancelled":
        kind = ReplenishmentCancelled
    elif row.told_revision == 0:
        kind = ReplenishmentRaised
    elif total < row.told_total:
        kind = ReplenishmentReduced
    row.told_revision, row.told_total = row.revision, total
    world.tell(
        kind(
            replenishment_id=row.name,
            vendor=row.vendor,
            destination=row.destination,
            revision=row.revision,
            automatic=row.automatic,
            lines=() if row.state == "cancelled" else _asked(row),
            ship_to=_ship_to(world, row),
        )
    )


def _asked(row: Replenishment) -> tuple[ReplenishedLine, ...]:
    return tuple(ReplenishedLine(sku=sku, qty=qty) for sku, qty in sorted(row.asks.items()))


def _ship_to(world: World, row: Replenishment) -> dict[str, JsonValue] | None:
    """Return the address of the customer whom a vendor ships to (R10)."""
    for order in world.orders.values():
        if row.destination == f"customer:{order.shop}/{order.order_id}":
            return order.ship_to
    return None
