"""What buyers and vendors say of replenishments (R4, R5, R9)."""

from events.inbound import ConfirmedLine, ReplenishmentClosed, ReplenishmentRequested, RequestedLine
from tests.reference import buying, links, places, stock
from tests.reference.documents import raise_replenishment
from tests.reference.rows import Replenishment, ReplenishmentLine
from tests.reference.world import World


def closed(world: World, row: Replenishment, data: ReplenishmentClosed) -> set[str]:
    """Send a replenishment, confirm it anew, or give it up (R4, R5); return the skus concerned."""
    refs: dict[str, str | None] = {"place": row.destination, **row.refs}
    if not (row.is_open or row.incoming):
        world.warn("refused", f"already_{row.state}", **refs)
        return set()
    if data.outcome in {None, "finalized"}:
        if row.is_open:
            buying.tell_one(world, row)
            stock.finalize(world, row)
        for told in data.lines or ():
            if told.sku not in row.lines:
                world.warn("refused", "not_on_replenishment", sku=told.sku, **refs)
        if not _confirms_nothing(row, data):
            for confirmed in _by_sku(data.lines or ()):
                _confirm(row, confirmed)
            stock.after_receipt(row)
            return set(row.lines)
    given_up_in_part = row.incoming and data.outcome == "short_closed"
    row.state = "closed" if given_up_in_part else "cancelled"
    world.warn("supply_lost", **refs)
    return set(row.lines)


def _confirms_nothing(row: Replenishment, data: ReplenishmentClosed) -> bool:
    """Does the vendor send nothing at all of what was asked (R4)?"""
    confirmed = {line.sku: _quantity(line) for line in _by_sku(data.lines or ())}
    return not any(confirmed.get(line.sku, line.qty) for line in row.lines.values())


def _quantity(confirmed: ConfirmedLine) -> int:
    return sum(part.qty for part in confirmed.parts)


def _by_sku(lines: tuple[ConfirmedLine, ...]) -> list[ConfirmedLine]:
    """Put the rows of one sku together (R4)."""
    skus = list(dict.fromkeys(line.sku for line in lines))
    return [
        ConfirmedLine(
            sku=sku, parts=tuple(part for line in lines if line.sku == sku for part in line.parts)
        )
        for sku in skus
    ]


def _confirm(row: Replenishment, confirmed: ConfirmedLine) -> None:
    line = row.lines.get(confirmed.sku)
    if line is None:
        return
    line.parts = [(part.qty, part.expected_at) for part in confirmed.parts if part.qty]
    line.qty = _quantity(confirmed)


def unknown_order(world: World, data: ReplenishmentRequested) -> tuple[str, str] | None:
    """Return an order the buyer names and nobody has heard of: the request waits for it (C3)."""
    for row in data.lines:
        if row.order_line is not None and row.order_line[:2] not in world.orders:
            return row.order_line[:2]
    return None


def requested(world: World, data: ReplenishmentRequested) -> set[str]:
    """Add what a buyer wants to the open replenishment of a vendor, line by line (R9).

    Return the skus concerned.
    """
    for row in data.lines:
        reason = _refusal(world, data, row)
        if reason is None:
            continue
        refs = {"sku": row.sku, "vendor": data.vendor, "place": data.destination}
        if row.order_line is not None:
            refs |= {"shop": row.shop, "order_id": row.order_id, "line_id": row.line_id}
        world.warn("refused", reason, **refs)
    return {row.sku for row in data.lines}


def _refusal(world: World, data: ReplenishmentRequested, row: RequestedLine) -> str | None:
    """Add one line, or return why not (B1)."""
    if world.item(row.sku).vendor not in {None, data.vendor}:
        return "other_vendor"
    if row.order_line is not None:
        return _link(world, data, row)
    assert row.qty is not None
    destination = data.destination or _default(world)
    document = world.open_replenishment(data.vendor, destination)
    line = document.lines.get(row.sku) if document is not None else None
    if (line.by_hand if line is not None else 0) + row.qty < 0:
        return "more_than_by_hand"
    document = raise_replenishment(world, data.vendor, destination, automatic=False)
    document.lines.setdefault(row.sku, ReplenishmentLine(row.sku)).by_hand += row.qty
    return None


def _link(world: World, data: ReplenishmentRequested, row: RequestedLine) -> str | None:
    assert row.order_line is not None
    shop, order_id, line_id = row.order_line
    line = world.orders[shop, order_id].line(line_id)
    if line is None or line.sku != row.sku:
        return "unknown_line"
    there = line.need - world.linked(line)
    qty = row.qty or there
    if qty > there or there <= 0:
        return "more_than_shortage"
    destination = links.destination_of(line)
    if line.way != "drop_ship":
        destination = data.destination or destination
    document = raise_replenishment(world, data.vendor, destination, automatic=False)
    links.add_link(world, line, document, qty, by_hand=True)
    return None


def _default(world: World) -> str:
    """Return where a bare quantity goes: the first source that serves, as for any shop (P4)."""
    return places.default_destination(world, [place.name for place in places.by_priority(world)])
