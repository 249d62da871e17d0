"""What to buy: the wanted state of open replenishments, and what vendors and buyers are told.

A quantity is a function of the present state (R2), so that running it again changes nothing.
"""

from datetime import datetime
from typing import Any

from events.outbound import (
    Outbound,
    ReplenishedLine,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
)
from events.vocabulary import PlaceKind
from handlers.policy import Policy
from handlers.rows.orders import customer_of
from handlers.rules import links
from handlers.rules.allocation import leave_over
from handlers.rules.identity import spoken
from handlers.state import (
    Item,
    Line,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    State,
    TaskKind,
    Unloaded,
)
from handlers.turn import Books, Turn


def need(state: State, item: Item, destination: str) -> int:
    """Return the units automation should have on order for a destination (R2); ≤ 0: none."""
    if not automatic(state, item):
        return 0
    return item.queued_at(destination) - supply(state, item, destination)


def automatic(state: State, item: Item) -> bool:
    """May automation put the sku on a replenishment (domain.md §3)?"""
    return item.policy.auto_replenish and state.rules.auto_replenish_enabled


def supply(state: State, item: Item, destination: str) -> int:
    """Return the units for the queue on their way to a destination or unpromised there (R2).

    What is bought for single lines (R10) is left out.
    """
    coming = sum(
        on_its_way(line)
        for replenishment, line in state.incoming(item)
        if replenishment.destination == destination
    )
    return coming + at_docks(state, item, destination) + at_destination(state, item, destination)


def on_its_way(line: ReplenishmentLine) -> int:
    """Return the units outstanding on a finalized line that are not bought for single lines."""
    return max(0, line.short_of - max(0, line.for_lines - line.at_docks))


def at_docks(state: State, item: Item, destination: str) -> int:
    """Return the units for the queue at docks that feed a destination, or at the dock it is."""
    docks = [
        stock
        for stock in item.stock.values()
        if stock.available > 0
        and (place := state.places.get(stock.place)) is not None
        and place.kind is PlaceKind.DOCK
        and destination in {place.feeds, place.place}
    ]
    if not docks:
        return 0
    linked = links.docked_at(state, item, [stock.place for stock in docks])
    return max(0, sum(stock.available for stock in docks) - linked)


def at_destination(state: State, item: Item, destination: str) -> int:
    """Return the units unpromised at a destination itself, above the safety stock (R2)."""
    stock = item.stock.get(destination)
    place = state.places.get(destination)
    if stock is None or (place is not None and place.kind is PlaceKind.DOCK):
        return 0  # what lies at a dock is counted by `at_docks`
    safety = item.policy.safety_stock if place is not None and place.picks else 0
    return max(0, stock.available - safety)


def lot(policy: Policy, qty: int) -> int:
    """Raise a quantity to the vendor's minimum and round it up to whole packs (R2)."""
    if qty <= 0:
        return 0
    packs = -(-max(qty, policy.min_order_qty) // policy.pack_size)
    return packs * policy.pack_size


def replenish(turn: Turn, item: Item) -> None:
    """Bring the open replenishments of a sku to what its present state needs (R1-R3, R10).

    Automation orders from the present vendor only; on any other the automatic quantity is 0 (R2).
    While a task of the sku is unfinished its last step does this: before, what waits is not known.
    """
    state = turn.state
    if item.busy and item.sku not in state.exempt:
        return
    if not _link(turn, item):
        _bring_drop_ship(turn, item)
        leave_over(turn, item, TaskKind.LINK)
        return
    open_lines = {
        (replenishment.vendor, replenishment.destination)
        for replenishment_id in item.supply
        if (replenishment := state.replenishments[replenishment_id]).is_open
    }
    wanted: dict[tuple[str, str], int] = dict.fromkeys(sorted(open_lines), 0)
    if item.vendor is not None:
        destinations = {key[0] for key in item.demand} | {slot[1] for slot in open_lines}
        for destination in sorted(destinations):
            wanted[item.vendor, destination] = max(0, need(state, item, destination))
    for (vendor, destination), units in wanted.items():
        if units or (vendor, destination) in open_lines:
            _bring_to(turn, item, state.slot(vendor, destination), units)


def _bring_drop_ship(turn: Turn, item: Item) -> None:
    """Bring what vendors ship to customers up to its links: the next step has others in hand."""
    for replenishment, _line in list(links.bought(turn.state, item)):
        if replenishment.is_open and replenishment.drop_ship:
            slot = turn.state.slot(replenishment.vendor, replenishment.destination)
            _bring_to(turn, item, slot, 0)


def _link(turn: Turn, item: Item) -> bool:
    """Let every link be to what can still come, and every need of single lines be linked (R10).

    Returns False where there are too many lines for one transaction (S6).
    """
    state = turn.state
    if not item.wanting.lines and not item.wanting.more and not links.has_some(state, item):
        return True  # as nearly always
    links.fit_docks(state, item)
    orders = item.vendor is not None and automatic(state, item)
    if not _cut_links(state, item, item.vendor if orders else None):
        return False
    if orders:  # else they go on wanting: a vendor may be set later in this batch
        waiting, item.wanting.lines = item.wanting.lines, []
        for row in waiting:
            if row.unlinked > 0:
                _link_to_open(turn, item, row)
    return not item.wanting.more


def _cut_links(state: State, item: Item, vendor: str | None) -> bool:
    """Cut links to what will not come, and to what is asked of another vendor now (R2, R10).

    `vendor`: with whom automation orders, if it may. Returns False where there are too many.
    """
    for replenishment, line in list(links.bought(state, item)):
        name = replenishment.replenishment_id
        excess = line.for_lines - links.capacity(replenishment, line)
        if excess > 0 and links.cut_last(state, item, name, excess, automatic=False):
            return False
        elsewhere = replenishment.is_open and replenishment.vendor != vendor
        if elsewhere and links.cut_last(state, item, name, line.linked, automatic=True):
            return False
    return True


def _link_to_open(turn: Turn, item: Item, line: Line) -> None:
    assert item.vendor is not None
    slot = turn.state.slot(item.vendor, line.destination)
    replenishment = at_slot(turn, slot, by_hand=False)
    qty = line.unlinked
    links.add(item, line, replenishment, qty, by_hand=False)
    turn.because(line, "R10", qty=qty, replenishment=replenishment.replenishment_id)


def at_slot(turn: Turn, slot: Slot, *, by_hand: bool) -> Replenishment:
    """Return the open replenishment of a slot, raised where there is none (R1)."""
    if slot.open_id is not None:
        return turn.state.replenishments[slot.open_id]
    return _raise(turn, slot, by_hand=by_hand)


def _bring_to(turn: Turn, item: Item, slot: Slot, units: int) -> None:
    state = turn.state
    replenishment = state.replenishments[slot.open_id] if slot.open_id is not None else None
    line = replenishment.lines.get(item.sku) if replenishment is not None else None
    qty = units if line is None else line.manual + line.for_lines + units
    if replenishment is None or not replenishment.drop_ship:
        qty = lot(item.policy, qty)
    if qty == (line.qty if line is not None else 0):
        if qty == 0 and replenishment is not None:
            turn.emptied.add(replenishment.replenishment_id)
        return
    if replenishment is None:
        replenishment = _raise(turn, slot, by_hand=False)
    if line is None:
        line = replenishment.lines[item.sku] = ReplenishmentLine(item.sku)
    if replenishment.replenishment_id not in item.supply:
        item.supply.append(replenishment.replenishment_id)
    line.qty = qty
    revise(turn, replenishment)
    if qty == 0:
        turn.emptied.add(replenishment.replenishment_id)


def end_emptied(turn: Turn) -> None:
    """Cancel the replenishments whose last line has gone with this event (R3)."""
    for name in sorted(turn.emptied):
        replenishment = turn.state.replenishments[name]
        if replenishment.is_open and not any(row.qty for row in replenishment.lines.values()):
            revise(turn, replenishment)
            end(turn, replenishment, ReplenishmentState.CANCELLED)
    turn.emptied.clear()


def _raise(turn: Turn, slot: Slot, *, by_hand: bool) -> Replenishment:
    """Raise a replenishment; what came for it before it was raised takes effect after (C3)."""
    state = turn.state
    replenishment_id = spoken("R", slot.vendor, slot.destination, str(slot.raised + 1))
    if state.asked_early is not None and replenishment_id not in state.asked_early:
        raise Unloaded("early", replenishment_id)
    slot.raised += 1
    slot.open_id = replenishment_id
    replenishment = state.replenishments[replenishment_id] = Replenishment(
        replenishment_id,
        slot.vendor,
        slot.destination,
        turn.at,
        automatic=not by_hand,
        complete=True,
    )
    turn.raised.append(replenishment_id)
    return replenishment


def revise(turn: Turn, replenishment: Replenishment) -> None:
    """Count one event that changed a replenishment, however many lines it changed (R3)."""
    if replenishment.replenishment_id not in turn.revised:
        turn.revised.add(replenishment.replenishment_id)
        replenishment.revision += 1
    turn.books.changed[replenishment.replenishment_id] = turn.origin


def end(turn: Turn, replenishment: Replenishment, state: ReplenishmentState) -> None:
    """Take an open replenishment out of its slot, or close one that was on its way."""
    if replenishment.is_open:
        turn.state.slot(replenishment.vendor, replenishment.destination).open_id = None
    replenishment.state = state
    if state is not ReplenishmentState.FINALIZED:
        replenishment.closed_at = turn.at


def advance(turn: Turn, replenishment: Replenishment) -> None:
    """Let the state follow what has been received (S1)."""
    if not replenishment.incoming:
        return
    if not any(line.short_of for line in replenishment.lines.values()):
        end(turn, replenishment, ReplenishmentState.RECEIVED)
    elif any(line.received for line in replenishment.lines.values()):
        replenishment.state = ReplenishmentState.PARTIALLY_RECEIVED


def finalize(turn: Turn, replenishment: Replenishment, at: datetime) -> None:
    """Send an open replenishment to its vendor: from now on it is incoming (R4)."""
    tell(turn.books, replenishment)
    end(turn, replenishment, ReplenishmentState.FINALIZED)
    replenishment.finalized_at = at


def tell(books: Books, replenishment: Replenishment) -> None:
    """Emit the state of a replenishment where it differs from the one last told (R3).

    At most once per transaction; before it is finalized, so that the last open state is told.
    """
    origin = books.changed.get(replenishment.replenishment_id)
    if origin is None or replenishment.revision == replenishment.told_revision:
        return
    total = sum(line.qty for line in replenishment.lines.values())
    message = _message(books.state, replenishment, total)
    Turn(books, origin).emit(message, replenishment.replenishment_id, *_revision(replenishment))
    replenishment.told_revision = replenishment.revision
    replenishment.told_total = total


def tell_changed(books: Books) -> None:
    """Emit every replenishment this batch changed and has not told yet."""
    for replenishment_id in sorted(books.changed):
        tell(books, books.state.replenishments[replenishment_id])


def _revision(replenishment: Replenishment) -> tuple[str, str]:
    return (replenishment.replenishment_id, str(replenishment.revision))


def _message(state: State, replenishment: Replenishment, total: int) -> Outbound:
    kind: type[
        ReplenishmentRaised | ReplenishmentExtended | ReplenishmentReduced | ReplenishmentCancelled
    ]
    if replenishment.state is ReplenishmentState.CANCELLED:
        kind = ReplenishmentCancelled
    elif replenishment.told_revision == 0:
        kind = ReplenishmentRaised
    elif total < replenishment.told_total:
        kind = ReplenishmentReduced
    else:
        kind = ReplenishmentExtended
    return kind(
        replenishment_id=replenishment.replenishment_id,
        vendor=replenishment.vendor,
        destination=replenishment.destination,
        revision=replenishment.revision,
        automatic=replenishment.automatic,
        lines=tuple(
            ReplenishedLine(sku=line.sku, qty=line.qty)
            for line in sorted(replenishment.lines.values(), key=lambda row: row.sku)
            if line.qty and kind is not ReplenishmentCancelled
        ),
        ship_to=_ship_to(state, replenishment),
    )


def _ship_to(state: State, replenishment: Replenishment) -> dict[str, Any] | None:
    """Return where the vendor sends it: to the customer, for drop-ship (R10)."""
    if not replenishment.drop_ship:
        return None
    order = state.order(customer_of(replenishment.destination))
    return None if order is None else order.ship_to
