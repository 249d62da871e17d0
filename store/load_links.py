"""What of a replenishment is bought for single order lines: the links of skus, in order (R10).

A replenishment may serve a hundred thousand lines. Units that arrive go to the first of them, units
that do not come are taken from the last: only these two ends are read (S6).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from handlers.state import Link, Linked, OrderKey, Replenishment, State
from store.found import share
from store.statements import Firsts
from store.transaction import Transaction

_FIRST = Firsts(
    (("replenishment_id", "text"), ("sku", "text")),
    "links",
    ("replenishment_id", "sku", "shop", "order_id", "line_id", "by_hand"),
    "t.replenishment_id = given.replenishment_id AND t.sku = given.sku",
    "t.priority, t.placed_at, t.shop, t.order_id, t.position, t.by_hand",
)
_LAST = replace(
    _FIRST,
    order="""t.priority DESC, t.placed_at DESC, t.shop DESC, t.order_id DESC, t.position DESC,
        t.by_hand DESC""",
)

_Pair = tuple[str, str]  # replenishment, sku
_Key = tuple[str, str, str, bool]  # shop, order id, line id, by hand


@dataclass(slots=True)
class Ends:
    """The links at both ends, by replenishment and sku; one more than `links_max` of each."""

    links_max: int = 0
    first: dict[_Pair, set[_Key]] = field(default_factory=dict)
    last: dict[_Pair, set[_Key]] = field(default_factory=dict)

    @property
    def orders(self) -> set[OrderKey]:
        """The orders to be loaded."""
        ends = (*self.first.values(), *self.last.values())
        return {(shop, order_id) for end in ends for shop, order_id, *_line in end}


def ends(tx: Transaction, state: State, usable: Collection[str]) -> Ends:
    """Find the first and the last links of the usable skus on all that is known to come of them."""
    pairs: list[_Pair] = []
    for item in state.items.values():
        serving = [
            name for name in item.supply if state.replenishments[name].lines[item.sku].for_lines
        ]
        if not serving:
            item.links = {}
        elif item.sku in usable:
            item.links = {}
            pairs += [(name, item.sku) for name in serving]
    found = Ends(share(state.rules, len({sku for _name, sku in pairs})))
    given = sorted(pairs)
    found.first = _read(tx, _FIRST, given, found.links_max)
    longer = [pair for pair in given if len(found.first.get(pair, ())) > found.links_max]
    found.last = _read(tx, _LAST, longer, found.links_max)
    return found


def join(state: State, found: Ends) -> None:
    """Put the links, whose orders are loaded by now, to their skus."""
    for (name, sku), keys in found.first.items():
        links = state.items[sku].links
        assert links is not None
        first = _in_order(state, name, keys)
        last = _in_order(state, name, found.last.get((name, sku), set()))
        links[name] = _linked(first, last, found.links_max)


def join_others(state: State) -> None:
    """Add the links of loaded lines on replenishments that were not looked for at both ends.

    Those on what is shipped to one customer all belong to one loaded order; those on what nothing
    can come of any more are cut, as many as were loaded (S6).
    """
    theirs = [row for row in state.replenishments.values() if row.complete]
    if not theirs or not state.orders:
        return
    links: dict[_Pair, list[Link]] = {}
    for order in state.orders.values():
        for line in order.lines.values():
            for link in line.links:
                links.setdefault((link.replenishment_id, line.sku), []).append(link)
    for row in theirs:
        _add(state, row, links)


def _add(state: State, row: Replenishment, links: dict[_Pair, list[Link]]) -> None:
    for sku in row.lines:
        item = state.items.get(sku)
        linked = links.get((row.replenishment_id, sku))
        if item is None or item.links is None or not linked:
            continue
        if row.drop_ship or row.replenishment_id not in item.links:
            item.links[row.replenishment_id] = Linked(sorted(linked, key=_rank))


def _read(
    tx: Transaction, firsts: Firsts, pairs: Sequence[_Pair], links_max: int
) -> dict[_Pair, set[_Key]]:
    found: dict[_Pair, set[_Key]] = {}
    for name, sku, shop, order_id, line_id, by_hand in tx.ask_first(firsts, pairs, links_max + 1)():
        found.setdefault((name, sku), set()).add((shop, order_id, line_id, bool(by_hand)))
    return found


def _in_order(state: State, name: str, keys: Collection[_Key]) -> list[Link]:
    links = [
        link
        for shop, order_id, line_id, by_hand in keys
        for link in state.orders[shop, order_id].lines[line_id].links
        if link.replenishment_id == name and link.by_hand is by_hand
    ]
    return sorted(links, key=_rank)


def _linked(first: list[Link], last: list[Link], links_max: int) -> Linked:
    """Return both ends as one list; where they do not meet, there is a gap between them."""
    if len(first) <= links_max:
        return Linked(first)
    seen = {id(link) for link in first[:links_max]}
    rest = [link for link in last if id(link) not in seen]
    if len(rest) < len(last):
        return Linked(first[:links_max] + rest)
    return Linked(first[:links_max] + rest[1:], gap=links_max)


def _rank(link: Link) -> Any:  # noqa: ANN401 - a tuple that orders
    return (link.line.rank, link.by_hand)
