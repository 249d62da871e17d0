"""The whole state, one short line a row, for comparing.

place D: dock, priority 100, feeds WH, enabled
main/1 [1] 5 A: 2 at WH (told), 3 held since 2026-…; promised until …
WH: 2 A, 2 promised
V>WH#1 open revision 1: 3 A
link main/1 [1] V>WH#1: 3
"""

from collections.abc import Iterator
from datetime import datetime

from tests.reference import ledger, selling
from tests.reference.rows import Line, Order, Replenishment, ReplenishmentLine
from tests.reference.world import World


def kept(world: World) -> list[str]:
    """Describe everything there is; what is 0 or as it was born is left out."""
    return [
        *_places(world),
        *_shops(world),
        *_items(world),
        *(row for order in world.orders.values() for row in _order(order)),
        *_stock(world),
        *(replenishment(row) for row in world.replenishments),
        *_links(world),
        *_statuses(world),
    ]


def moment(at: datetime | None) -> str:
    """Write an instant short; `?` for an unknown one."""
    return "?" if at is None else at.isoformat(timespec="seconds").removesuffix("+00:00")


def _places(world: World) -> Iterator[str]:
    for place in world.places.values():
        feeds = f" feeds {place.feeds}," if place.kind == "dock" else ""
        enabled = "enabled" if place.enabled else "disabled"
        yield f"place {place.name}: {place.kind},{feeds} priority {place.priority}, {enabled}"


def _shops(world: World) -> Iterator[str]:
    for shop in world.shops.values():
        sources = "all" if shop.sources is None else list(shop.sources)
        yield f"shop {shop.name}: sources {sources}, destination {shop.destination}"


def _items(world: World) -> Iterator[str]:
    for item in world.items.values():
        if item.vendor or item.alternatives or item.policy:
            policy = ", ".join(f"{name} {item.policy[name]}" for name in sorted(item.policy))
            yield f"item {item.sku}: vendor {item.vendor}, or {item.alternatives}: {policy}"
    for name in sorted(world.vendors):
        policy = ", ".join(f"{key} {value}" for key, value in sorted(world.vendors[name].items()))
        yield f"vendor {name}: {policy}"


def _order(order: Order) -> Iterator[str]:
    holds = f", holds {order.holds}" if order.holds else ""
    yield (
        f"order {order.shop}/{order.order_id}: version {order.version}, "
        f"to {order.destination}{holds}"
    )
    for line in order.lines:
        yield f"{order.shop}/{order.order_id} [{line.line_id}] {line.ordered} {line.sku}: " + (
            ", ".join(_terms(line)) or "nothing"
        )


def _terms(line: Line) -> Iterator[str]:
    promised: dict[str, int] = {}
    for row in line.allocations:
        told = "not told" if row.release is None else "told"
        key = f"at {row.source or 'any'} ({told})"
        promised[key] = promised.get(key, 0) + row.qty
    yield from (f"{qty} {key}" for key, qty in sorted(promised.items()))
    if line.shortage:
        staff = " by staff" if line.staff_held else ""
        day, days = line.told if line.told is not None else (None, None)
        yield (
            f"{line.shortage} held{staff} since {moment(line.held_since)} "
            f"promised {moment(day)} ({days})"
        )
    for name in ("pending", "drop_ship", "shipped", "cancelled", "rejected"):
        qty = getattr(line, name)
        if qty:
            yield f"{qty} {name}"
    if line.way != "stock" and (line.allocated or line.shortage or line.drop_ship):
        yield line.way
    if line.group is not None:
        yield f"group {line.group}"


def _stock(world: World) -> Iterator[str]:
    for sku in sorted(world.items):
        for place in sorted(world.places):
            there = ledger.on_hand(world, sku, place)
            promised = ledger.allocated(world, sku, place)
            counted = ledger.last_count(world, sku, place)
            owed = [row for row in world.owed if (row.sku, row.place) == (sku, place)]
            text = f"{place}: {there} {sku}"
            if promised:
                text += f", {promised} promised"
            if counted is not None:
                text += f", counted {moment(counted)}"
            for at in sorted({row.at for row in owed}):
                text += f", {sum(row.qty for row in owed if row.at == at)} owed {moment(at)}"
            if text != f"{place}: 0 {sku}":
                yield text


def replenishment(row: Replenishment) -> str:
    """Describe one replenishment."""
    lines = [_replenished(row.lines[sku]) for sku in sorted(row.lines)]
    by_hand = "" if row.automatic else " by hand"
    told = ", ".join(text for text in lines if text)
    return f"{row.name} {row.state}{by_hand} revision {row.revision}: {told or 'nothing'}"


def _replenished(line: ReplenishmentLine) -> str:
    if not (line.qty or line.received):
        return ""
    text = f"{line.qty} {line.sku}"
    if line.by_hand:
        text += f" ({line.by_hand} by hand)"
    if line.parts:
        text += f" ({' + '.join(f'{qty} on {moment(day)}' for qty, day in line.parts)})"
    return f"{text} {line.received} in" if line.received else text


def _links(world: World) -> Iterator[str]:
    for link in world.links:
        by_hand = " by hand" if link.by_hand else ""
        order, name = link.line.order, link.replenishment.name
        where = f"{order.shop}/{order.order_id} [{link.line.line_id}]"
        yield f"link {where} {name}: {link.qty}{by_hand}"
    totals: dict[str, int] = {}
    for row in world.docked:
        key = f"docked {row.sku} at {row.place} of {row.replenishment.name}"
        totals[key] = totals.get(key, 0) + row.qty
    yield from (f"{key}: {qty}" for key, qty in totals.items())


def _statuses(world: World) -> Iterator[str]:
    for shop in sorted(world.shops):
        for sku in sorted(world.items):
            now = world.statuses.get((shop, sku), selling.unseen(world))
            if now != selling.unseen(world):
                yield f"status {shop} {sku}: {now}"
