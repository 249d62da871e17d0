"""Serving held lines when units become usable (S2-S5): linked lines, then the queue in its order.

What is bought for one line goes to it first (R10). Then the queue is walked (S4). A line that may
only leave together with others takes nothing unless all of them can be had, where the settings say
that units are not to be kept for the rest (O9).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.rules.allocation import allocate, leave_over, share, unhold
from handlers.rules.links import bought, cut, servable, undock
from handlers.rules.queue import Place, forget_served, in_order
from handlers.rules.release import together
from handlers.rules.sellable import available, free, sources_of
from handlers.state import Item, Line, Replenishment, TaskKind, Unloaded
from handlers.turn import Turn


@dataclass(frozen=True, slots=True)
class Rest:
    """What a fill left over: units that arrived, and the place in the queue it came to."""

    arrived: int
    after: Place | None = None

    @property
    def cursor(self) -> str:
        """The place as text, for a task."""
        if self.after is None:
            return ""
        far, (priority, placed_at, *names) = self.after
        return json.dumps([far, priority, placed_at.isoformat(), *names])


def place_of(cursor: str) -> Place | None:
    """Return the place in a task's cursor."""
    if not cursor:
        return None
    far, priority, placed_at, shop, order_id, position = json.loads(cursor)
    return far, (priority, datetime.fromisoformat(placed_at), shop, order_id, position)


def serve(turn: Turn, item: Item, arrived: Mapping[str, int]) -> None:
    """Fill from where units have just become usable, then from wherever else there are some (S3).

    Elsewhere: a source that had promised more than it had kept its shops from what others have;
    units that cover that make the others' usable. What is too much for one transaction is left to
    a task, and the sku is busy (S6).
    """
    others = sorted(item.stock.keys() - arrived.keys())
    for source, qty in (*arrived.items(), *((other, 0) for other in others)):
        left = max(0, qty - turn.taken.pop((item.sku, source), 0))
        rest = fill(turn, item, source, left)
        if rest is not None:
            leave_rest(turn, item, source, rest)


def leave_rest(turn: Turn, item: Item, source: str, rest: Rest) -> None:
    """Leave the rest of a fill to a task (S6)."""
    leave_over(turn, item, TaskKind.FILL, source, arrived=rest.arrived, cursor=rest.cursor)


def fill(
    turn: Turn, item: Item, source: str, arrived: int, after: Place | None = None
) -> Rest | None:
    """Serve linked lines, then held ones in queue order, from a source (S2-S5).

    `arrived` units have just become usable there: they may be given out whatever the safety stock;
    beyond them only what is above it (S4). Returns None when done, else what is left to be done by
    a step of a task, because the next lines were not loaded (S6).
    """
    state = turn.state
    place = state.places.get(source)
    if place is None or not place.picks:
        return None
    docked = [row for row, line in bought(state, item) if line.docked.get(source)]
    if not docked and not _has_to_do(turn, item, source, arrived):
        return None
    if item.busy and item.sku not in state.exempt:
        return Rest(arrived, after)
    for replenishment in docked:
        given = _give_linked(turn, item, source, replenishment)
        arrived = max(0, arrived - given)
        if replenishment.lines[item.sku].docked.get(source):
            return Rest(arrived)
    return _walk(turn, item, source, arrived, after)


def _has_to_do(turn: Turn, item: Item, source: str, arrived: int) -> bool:
    fillable = any(row.fillable for row in item.demand.values())
    return fillable and item.at(source).available > 0 and (arrived > 0 or _is_wanted(turn, item))


def _is_wanted(turn: Turn, item: Item) -> bool:
    """Does a shop that waits for the sku have units above the safety stock?"""
    return any(
        row.fillable and free(turn.state, item, shop) > 0
        for (_destination, shop), row in item.demand.items()
    )


def _give_linked(turn: Turn, item: Item, source: str, replenishment: Replenishment) -> int:
    """Give units that lie at a source to the lines they were bought for (S4); return how many.

    What no linked line can take there is ordinary stock from now on.
    """
    line = replenishment.lines[item.sku]
    given = 0
    for link in servable(turn.state, item, replenishment.replenishment_id, source):
        if link is None:
            return given
        qty = min(link.qty, line.docked.get(source, 0), item.at(source).available)
        if qty <= 0:
            break
        undock(line, source, qty)
        cut(turn.state, item, link, qty)
        unhold(turn, item, link.line, qty)
        allocate(turn, item, link.line, source, qty, by_fill=True)
        turn.because(
            link.line, "S4", source=source, qty=qty, replenishment=replenishment.replenishment_id
        )
        given += qty
    undock(line, source, line.docked.get(source, 0))
    return given


def _walk(turn: Turn, item: Item, source: str, arrived: int, after: Place | None) -> Rest | None:
    """Serve the queue in its order; a shop that may take no more is passed over (S4)."""
    state = turn.state
    if not _has_to_do(turn, item, source, arrived):
        return None
    if item.queues is None:
        raise Unloaded("heads", item.sku)
    stock = item.at(source)
    offer = _Offer(source, arrived, arrived)
    passed = after
    for (_destination, shop), place, line in in_order(state, item, source, after):
        usable = available(item, sources_of(state, shop)) - item.policy.safety_stock
        offer.most = max(min(offer.left, stock.available), usable)
        offer.here = min(stock.available, offer.most)
        if stock.available <= 0:
            break
        if offer.here <= 0:
            continue  # another shop with other sources may have some
        if line is None:
            return Rest(offer.left, passed)
        if line.fillable and not _serve(turn, item, line, offer):
            passed = place  # nothing of it may be had alone
    forget_served(item)
    return None


@dataclass(slots=True)
class _Offer:
    """What a fill may give to the next line: `here` from its source, `most` from all of its shop's.

    `left`: units of those that `arrived` which nobody has taken; `before`: lines served so far.
    """

    source: str
    arrived: int
    left: int
    here: int = 0
    most: int = 0
    before: int = 0


def _serve(turn: Turn, item: Item, line: Line, offer: _Offer) -> bool:
    """Fill a line, with those it may only leave together with; False: they can not be had whole."""
    stock = item.at(offer.source)
    before = stock.available
    if turn.keeps_parts or not together(line):
        _take(turn, item, [line], [(offer.source, min(line.shortage, offer.here))], offer)
    else:
        lines = _whole(turn, item, line, offer.most)
        if lines is None:
            return False
        _take_whole(turn, item, lines, offer)
    offer.left = max(0, offer.left - (before - stock.available))
    offer.before += 1
    return True


def _take_whole(turn: Turn, item: Item, lines: Sequence[Line], offer: _Offer) -> None:
    """Fill all these lines, sku by sku: what has come here first, the others as when ordered."""
    by_sku: dict[str, list[Line]] = {}
    for line in lines:
        by_sku.setdefault(line.sku, []).append(line)
    shop = lines[0].order.shop
    for sku, rows in by_sku.items():
        wanted = sum(row.shortage for row in rows)
        if sku == item.sku:
            _take(turn, item, rows, _from_everywhere(turn, item, shop, wanted, offer), offer)
            continue
        other = turn.state.item(sku)
        turn.stir(other)
        shares = share(turn.state, other, shop, wanted)
        for place, qty in shares:  # if it has just arrived, it is given out already
            turn.taken[sku, place] = turn.taken.get((sku, place), 0) + qty
        _take(turn, other, rows, shares, offer)


def _take(
    turn: Turn, item: Item, lines: Sequence[Line], shares: list[tuple[str, int]], offer: _Offer
) -> None:
    """Deal units of one sku out to lines, one after the other."""
    rest = list(shares)
    why = {"arrived": offer.arrived, "before": offer.before}
    for line in lines:
        while line.shortage and rest:
            place, units = rest[0]
            qty = min(units, line.shortage)
            unhold(turn, item, line, qty)
            allocate(turn, item, line, place, qty, by_fill=True)
            turn.because(line, "S4", source=place, qty=qty, **why)
            rest[0] = (place, units - qty)
            if units == qty:
                rest.pop(0)


def _from_everywhere(
    turn: Turn, item: Item, shop: str, wanted: int, offer: _Offer
) -> list[tuple[str, int]]:
    """Return where a whole comes from: this source first, then the shop's others in order."""
    shares = []
    others = (name for name in sources_of(turn.state, shop) if name != offer.source)
    for name in (offer.source, *others):
        stock = item.stock.get(name)
        qty = min(wanted, stock.available) if stock is not None else 0
        if qty > 0:
            shares.append((name, qty))
            wanted -= qty
    return shares


def _whole(turn: Turn, item: Item, line: Line, allowed: int) -> Sequence[Line] | None:
    """Return the lines that leave together with this one; None: not all can be had (O9)."""
    wanted: dict[str, int] = {}
    waiting = [peer for peer in together(line) if peer.shortage]
    for peer in waiting:
        if peer.fillable < peer.shortage:
            return None
        wanted[peer.sku] = wanted.get(peer.sku, 0) + peer.shortage
    turn.state.need(wanted)
    for sku, qty in wanted.items():
        other = turn.state.item(sku)
        if other is not item and other.busy:
            return None
        if qty > (allowed if other is item else free(turn.state, other, line.order.shop)):
            return None
    return waiting
