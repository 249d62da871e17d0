"""What to buy: the wanted state of open replenishments, and what vendors and buyers are told.

A quantity is a function of the present state (R2), so that running it again changes nothing.
"""

from datetime import datetime

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
from handlers.rules.identity import spoken
from handlers.state import (
    Item,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    State,
)
from handlers.turn import Books, Turn


def need(state: State, item: Item, destination: str) -> int:
    """Return the units automation should have on order for a destination (R2); ≤ 0: none."""
    if not (item.policy.auto_replenish and state.rules.auto_replenish_enabled):
        return 0
    return item.shortage_at(destination) - supply(state, item, destination)


def supply(state: State, item: Item, destination: str) -> int:
    """Return the units on their way to a destination or unpromised at and before it (R2)."""
    coming = sum(
        line.short_of
        for replenishment, line in state.incoming(item)
        if replenishment.destination == destination
    )
    return coming + at_docks(state, item, destination) + _at_destination(state, item, destination)


def at_docks(state: State, item: Item, destination: str) -> int:
    """Return the units at docks that feed a destination, or at the dock it is."""
    return sum(
        stock.available
        for stock in item.stock.values()
        if stock.available > 0
        and (place := state.places.get(stock.place)) is not None
        and place.kind is PlaceKind.DOCK
        and destination in {place.feeds, place.place}
    )


def _at_destination(state: State, item: Item, destination: str) -> int:
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
    """Bring the open replenishments of a sku to what its present state needs (R1-R3).

    Automation orders from the present vendor only; on any other the automatic quantity is 0 (R2).
    While a fill is unfinished its step that finishes it does this: before, what waits is not known.
    """
    state = turn.state
    if item.busy and item.sku not in state.exempt:
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
    for (vendor, destination), automatic in wanted.items():
        if automatic or (vendor, destination) in open_lines:
            _bring_to(turn, item, state.slot(vendor, destination), automatic)


def _bring_to(turn: Turn, item: Item, slot: Slot, automatic: int) -> None:
    state = turn.state
    replenishment = state.replenishments[slot.open_id] if slot.open_id is not None else None
    line = replenishment.lines.get(item.sku) if replenishment is not None else None
    by_hand = line.manual + line.linked if line is not None else 0
    qty = lot(item.policy, by_hand + automatic)
    if qty == (line.qty if line is not None else 0):
        return
    if replenishment is None:
        replenishment = _raise(turn, slot)
    if line is None:
        line = replenishment.lines[item.sku] = ReplenishmentLine(item.sku)
    if replenishment.replenishment_id not in item.supply:
        item.supply.append(replenishment.replenishment_id)
    line.qty = qty
    revise(turn, replenishment)
    if not any(row.qty for row in replenishment.lines.values()):
        end(turn, replenishment, ReplenishmentState.CANCELLED)


def _raise(turn: Turn, slot: Slot) -> Replenishment:
    slot.raised += 1
    replenishment_id = spoken("R", slot.vendor, slot.destination, str(slot.raised))
    slot.open_id = replenishment_id
    replenishment = turn.state.replenishments[replenishment_id] = Replenishment(
        replenishment_id, slot.vendor, slot.destination, turn.at, complete=True
    )
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
    message = _message(replenishment, total)
    Turn(books, origin).emit(message, replenishment.replenishment_id, *_revision(replenishment))
    replenishment.told_revision = replenishment.revision
    replenishment.told_total = total


def tell_changed(books: Books) -> None:
    """Emit every replenishment this batch changed and has not told yet."""
    for replenishment_id in sorted(books.changed):
        tell(books, books.state.replenishments[replenishment_id])


def _revision(replenishment: Replenishment) -> tuple[str, str]:
    return (replenishment.replenishment_id, str(replenishment.revision))


def _message(replenishment: Replenishment, total: int) -> Outbound:
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
    )
