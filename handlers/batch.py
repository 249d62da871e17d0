"""The heart: `decide` takes a batch's working copy and its events, and returns every outcome.

1. Unseen skus get their first status, so that what changes is told against it (S13).
2. Each event has its turn, in order, and sees what those before it did. A policy change that has
   not reached its skus yet is applied first (S6); an event on a sku whose fill is unfinished waits.
3. At the end of its turn events that waited for what it brought take effect (C3); then shops and
   warehouses are told (`finish`). At the end of the batch, once each, the replenishments that
   changed (R3) and the statuses that changed (S13).

Nothing here waits, reads or writes: `store.load` comes before, `store.save` after.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from events.envelope import Event
from events.inbound import (
    BackToShipRequested,
    ItemChanged,
    LineBackordered,
    OrderCancelled,
    OrderChanged,
    OrderHoldCleared,
    OrderPlaced,
    OrderShipped,
    PlaceChanged,
    ReplenishmentClosed,
    ReplenishmentRequested,
    ShopChanged,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
    VendorChanged,
)
from events.outbound import StockStatusChanged
from handlers import (
    cancellations,
    catalogue,
    changes,
    orders,
    requests,
    shipments,
    stock,
    supply,
)
from handlers.acted_on import items_of
from handlers.decision import Applied, Decision, Deferred, Outcome, Repeated
from handlers.facts import heard_before
from handlers.keys import keys_of, slots_of
from handlers.refusals import not_found_in_time
from handlers.rules import release, replenishment, telling
from handlers.rules.filling import serve
from handlers.rules.sellable import sellable, status, unseen_status
from handlers.state import Heard, Item, OrderKey, State, Task, Unloaded
from handlers.turn import Books, Origin, Turn, turn_of

__all__ = [
    "HandlerFailed",
    "Heard",
    "books_of",
    "close",
    "decide",
    "expire",
    "finish",
    "keys_of",
    "slots_of",
]


class HandlerFailed(Exception):  # noqa: N818 - names what happened
    """A bug: an event's handler raised. The batch is decided again without that event."""

    def __init__(self, event: Event) -> None:
        """Name the event; the bug itself is the `__cause__`."""
        super().__init__(f"{event.type} {event.id}")
        self.event = event


def decide(
    state: State,
    heard: Sequence[Heard],
    now: datetime,
    *,
    resting: Collection[str] = (),
    given_up: Sequence[Heard] = (),
) -> Decision:
    """Decide a batch of events, each after those before it; `state` is changed in place.

    `resting`: busy skus nobody else waits for, to be served as usual after this batch (S6).
    `given_up`: events that waited for them and are set aside: in their name is told what changed.
    Raises Unloaded when rows are needed that were not loaded, HandlerFailed for a bug.
    """
    books = books_of(state, now)
    decision = books.decision
    for event, received_at in heard:
        outcome = _turn(books, event, received_at)
        decision.outcomes.append((event, outcome))
        if isinstance(outcome, Deferred):
            _let_wait(state, event, received_at, outcome)
    for event, received_at in given_up:
        turn = turn_of(books, event, received_at)
        for sku in resting:
            turn.touch(state.items[sku])
    if decision.taken:
        taken = {(event.source, event.id) for event in decision.taken}
        decision.outcomes = [
            (event, Applied() if (event.source, event.id) in taken else outcome)
            for event, outcome in decision.outcomes
        ]
    return close(books, resting)


def expire(state: State, heard: Sequence[Heard], now: datetime) -> Decision:
    """Give up on events that waited too long for what they name (C3)."""
    books = books_of(state, now)
    for event, received_at in heard:
        turn = turn_of(books, event, received_at)
        if isinstance(event.data, OrderShipped):
            shipments.not_found(turn, event.data)
        books.decision.outcomes.append((event, not_found_in_time()))
    return close(books)


def books_of(state: State, now: datetime) -> Books:
    """Open the books of a batch: every sku has a status from the start (S13)."""
    for item in state.items.values():
        if item.base_status is None:
            item.base_status = unseen_status(item)
    return Books(state, now)


def close(books: Books, resting: Collection[str] = ()) -> Decision:
    """Tell once what changed over the whole batch, and return the decision."""
    state = books.state
    unfinished = {task.sku for task in books.decision.tasks if not task.done}
    for sku in resting:
        if sku not in unfinished:
            state.items[sku].busy = False
    replenishment.tell_changed(books)
    _tell_statuses(books)
    return books.decision


def _turn(books: Books, event: Event, received_at: datetime) -> Outcome:
    turn = turn_of(books, event, received_at)
    state = books.state
    known = heard_before(state, event)
    if known is not None:
        return known
    try:
        items = sorted(items_of(state, event), key=lambda item: item.sku)
        if state.walks:
            _apply_walks(books, items, event)
        unfinished = _unfinished(turn, items)
        if unfinished is not None:
            return Deferred(sku=unfinished.sku)
        outcome = _dispatch(turn, event)
        finish(turn)
    except Unloaded:
        raise
    except Exception as bug:  # a bug of ours: it must cost this event alone
        raise HandlerFailed(event) from bug
    return outcome


def _unfinished(turn: Turn, items: Sequence[Item]) -> Item | None:
    """Return a sku whose fill is unfinished, so that the event waits; None: there is none (S6)."""
    for item in items:
        if item.busy and item.sku not in turn.state.exempt:
            return item
    for item in items:
        if item.busy:  # its fill has come to an end: what that changed is told now (S13)
            turn.touch(item)
    return None


def _let_wait(state: State, event: Event, received_at: datetime, outcome: Deferred) -> None:
    """Keep an event for what it names, should that come in this very batch (C3)."""
    if outcome.order is not None:
        state.waiting.setdefault(outcome.order, []).append((event, received_at))
    elif outcome.replenishment is not None:
        state.early.setdefault(outcome.replenishment, []).append((event, received_at))
        if state.asked_early is not None:
            state.asked_early.add(outcome.replenishment)


def finish(turn: Turn) -> None:
    """End a turn: what waited for it takes effect, what it stirred is served; then it is told."""
    telling.name_held_anew(turn)
    _take_early(turn)
    _serve_stirred(turn)
    _take_early(turn)  # of what was raised since
    replenishment.end_emptied(turn)
    cancellations.name_surplus(turn)
    telling.tell_judged(turn)
    telling.tell_held_anew(turn)
    telling.tell_redated(turn)
    release.tell(turn)


def _take_early(turn: Turn) -> None:
    """Let events take effect that came before what this turn brought, in their order (C3)."""
    state = turn.state
    while turn.placed or turn.raised:
        order = turn.placed.pop(0) if turn.placed else None
        early = (
            state.waiting.pop(order.key, [])
            if order is not None
            else state.early.pop(turn.raised.pop(0), [])
        )
        for event, received_at in early:
            sub = turn_of(turn.books, event, received_at)
            outcome = _dispatch(sub, event)
            turn.books.decision.outcomes.append((event, outcome))
            if isinstance(outcome, Deferred):
                _let_wait(state, event, received_at, outcome)
            elif isinstance(outcome, Applied | Repeated):
                turn.books.decision.taken.append(event)
            telling.name_held_anew(sub)
            _leave_to(turn, sub, None if order is None else order.key)
            finish(sub)


def _leave_to(turn: Turn, sub: Turn, key: OrderKey | None) -> None:
    """Leave what is told to the turn that brought it all: of each order it is told once.

    `key`: the order that came; what of it may go is told with the rest of it.
    """
    turn.judged += sub.judged
    turn.held_anew += sub.held_anew
    sub.judged, sub.held_anew = [], []
    if key is None:
        return
    order = sub.orders.pop(key, None)
    if order is not None:
        turn.orders[key] = order
    mine = [line for line in turn.held_anew if line.order.key == key]
    turn.held_anew = [line for line in turn.held_anew if line.order.key != key]
    turn.judged += mine
    sub.redated.pop(key, None)


def _serve_stirred(turn: Turn) -> None:
    """Serve skus whose lines may be had whole now, because another line changed (O9)."""
    state = turn.state
    if not turn.keeps_parts:
        every = (line for order in turn.orders.values() for line in order.lines.values())
        lines = [line for line in every if line.fillable and release.together(line)]
        state.need(line.sku for line in lines)
        for line in lines:
            turn.stir(state.item(line.sku))
    unread = frozenset(sku for sku in turn.stirred if state.item(sku).queues is None)
    if unread:
        raise Unloaded("heads", unread)
    for sku in sorted(turn.stirred):
        item = turn.to_buy[sku] = state.item(sku)
        serve(turn, item, {})
    turn.stirred.clear()
    for sku in sorted(turn.to_buy):
        replenishment.replenish(turn, turn.to_buy[sku])
    turn.to_buy.clear()


def _dispatch(turn: Turn, event: Event) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - one case per event
    match event.data:
        case OrderPlaced() as data:
            return orders.placed(turn, event, data)
        case OrderChanged() as data:
            return changes.changed(turn, event, data)
        case OrderHoldCleared() as data:
            return orders.hold_cleared(turn, event, data)
        case BackToShipRequested() as data:
            return requests.back_to_ship(turn, event, data)
        case LineBackordered() as data:
            return requests.backordered(turn, event, data)
        case OrderCancelled() as data:
            return cancellations.cancelled(turn, event, data)
        case OrderShipped() as data:
            return shipments.shipped(turn, event, data)
        case StockReceived() as data:
            return stock.received(turn, event, data)
        case StockTransferred() as data:
            return stock.transferred(turn, event, data)
        case StockReturned() as data:
            return stock.returned(turn, event, data)
        case StockCounted() as data:
            return stock.counted(turn, event, data)
        case ReplenishmentRequested() as data:
            return supply.requested(turn, event, data)
        case ReplenishmentClosed() as data:
            return supply.closed(turn, event, data)
        case ItemChanged() as data:
            return catalogue.item_changed(turn, event, data)
        case VendorChanged() as data:
            return catalogue.vendor_changed(turn, event, data)
        case ShopChanged() as data:
            return catalogue.shop_changed(turn, event, data)
        case PlaceChanged() as data:
            return catalogue.place_changed(turn, event, data)


def _apply_walks(books: Books, items: Collection[Item], event: Event) -> None:
    """Let policy changes take effect on skus their walk has not reached yet, before it (S6, P3)."""
    for walk in books.state.walks:
        waiting = [
            item
            for item in items
            if item.sku > walk.cursor
            and concerns(walk, item)
            and (item.sku in books.state.exempt or not item.busy)  # else its event waits anyway
        ]
        if waiting:
            ahead = f"ahead of {event.source} {event.id}"
            step = Turn(books, Origin(walk.cause, walk.at, walk.traceparent, ahead))
            for item in waiting:
                catalogue.reached(step, walk, item)
            finish(step)
    for item in items:
        books.reached[item.sku] = len(books.state.walks)


def concerns(walk: Task, item: Item) -> bool:
    """Does a policy change touch this sku?"""
    match walk.scope:
        case "vendor":
            return item.vendor == walk.name
        case "place":
            return walk.name in item.stock
        case _:  # a shop, or everything
            return True


def _is_reached_later(books: Books, item: Item) -> bool:
    """Is a policy change on its way to the sku that none of this batch's events met on it (S6)?"""
    unmet = books.state.walks[books.reached.get(item.sku, 0) :]
    return any(item.sku > walk.cursor and concerns(walk, item) for walk in unmet)


def _tell_statuses(books: Books) -> None:
    """Emit the status of every touched sku in every shop that was last told another (S13)."""
    state = books.state
    shops = sorted(state.shops)
    for sku in sorted(books.touched):
        item = state.items[sku]
        if item.busy or _is_reached_later(books, item):
            continue  # told by the step that finishes it: after held lines were served
        origin = books.touched[sku]
        for shop in shops:
            present = status(state, item, shop)
            told = item.statuses.get(shop, item.base_status)
            if present == told:
                continue
            item.statuses[shop] = present
            Turn(books, origin).emit(
                StockStatusChanged(
                    shop=shop, sku=sku, status=present, sellable=sellable(state, item, shop)
                ),
                f"{shop}/{sku}",
                shop,
                sku,
                present,
                str(told),
                origin.part,
            )
