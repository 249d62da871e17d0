"""Units leaving and reaching places: what the ledger books, and what that brings about (S1-S9)."""

from collections.abc import Iterable
from dataclasses import dataclass

from events.vocabulary import ExceptionCode
from handlers.state import Item, Order
from handlers.turn import Turn


@dataclass(frozen=True, slots=True)
class Leaving:
    """`qty` units that leave a place for another (None: outside), for an order or for none."""

    place: str
    target: str | None
    qty: int
    reason: str
    order: Order | None = None


def leave(turn: Turn, item: Item, leaving: Leaving) -> None:
    """Book units that leave a place; those the ledger did not know of were found there (S7)."""
    place, qty, order = leaving.place, leaving.qty, leaving.order
    refs = {} if order is None else {"shop": order.shop, "order_id": order.order_id}
    missing = qty - item.at(place).on_hand
    if missing > 0:
        turn.move(item, missing, None, place, "found")
        turn.raise_exception(
            ExceptionCode.STOCK_MISSING if order is None else ExceptionCode.OVER_SHIPMENT,
            f"{qty} of {item.sku} left {place}, {missing} more than were known there",
            sku=item.sku,
            place=place,
            **refs,
        )
    turn.move(item, qty, place, leaving.target, leaving.reason)
    stock = item.at(place)
    if stock.allocated > stock.on_hand:
        turn.raise_exception(
            ExceptionCode.OVER_ALLOCATED,
            f"{stock.allocated} of {item.sku} are released at {place}, where {stock.on_hand} are",
            sku=item.sku,
            place=place,
            **refs,
        )


def summed(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up the quantities of a sku that stands on several lines, in order of first mention."""
    total: dict[str, int] = {}
    for sku, qty in lines:
        total[sku] = total.get(sku, 0) + qty
    return total
