"""Sku by sku: what is there, who waits, what is bought; derived from what is never updated.

1. `on_hand` from movements (L2), `allocated` from allocations (L3), demand from held lines and what
   is bought for them (L4): each is compared with the counter that is kept of it.
2. On the derived numbers the rules are asked again (`needs`): not more is promised than is there
   (S8), nobody waits for stock that is free (S3), ordering once more changes nothing (R2, R10), and
   every shop was told what is so (S13).

The streams are read side by side in the order of skus, so that one sku is in memory at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.batch import concerns
from handlers.policy import Rules
from handlers.state import Demand, Item, Place, Shop, State, Stock, Task, Vendor
from store import load_catalogue, tasks
from store.audit import needs, streams
from store.audit.difference import different
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference

OVER_ALLOCATED = "stock.allocated, at most on_hand"

_EXCEPTIONS = Query("SELECT refs FROM exceptions WHERE code = 'over_allocated'")

_Where = tuple[str | None, str | None]  # sku, place


@dataclass(slots=True)
class _Catalogue:
    """What is the same for every sku. `sources` is what each shop may ship from, kept (P4)."""

    judged_by: Sequence[Rules]
    places: dict[str, Place]
    shops: dict[str, Shop]
    walks: Sequence[Task]
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)


def differences(tx: Transaction, judged_by: Sequence[Rules]) -> Iterator[list[Difference]]:
    """Yield what differs of each sku. What waits may be as any of these rules want it."""
    state = State(judged_by[0])
    load_catalogue.places_and_shops(tx, state)()
    catalogue = _Catalogue(judged_by, state.places, state.shops, tasks.walks(tx)())
    read = [streams.Stream(tx.stream(query)) for query in streams.ALL]
    while (sku := min((s.sku for s in read if s.sku is not None), default=None)) is not None:
        yield _of_one(tx, catalogue, sku, [stream.take(sku) for stream in read])


def explained(tx: Transaction, found: Sequence[Difference]) -> set[_Where]:
    """Return the skus and places of these differences that an exception speaks of (S8)."""
    keys = {(row["sku"], row["place"]) for row in found}
    told: set[_Where] = set()
    for (text,) in tx.stream(_EXCEPTIONS):
        refs = json_value(text)
        key = (refs.get("sku"), refs.get("place"))
        if key in keys:
            told.add(key)
    return told


def _of_one(
    tx: Transaction, catalogue: _Catalogue, sku: str, rows: Sequence[list[Any]]
) -> list[Difference]:
    items, promises, waiting, bought, sent, statuses = rows
    item = Item(sku, statuses={shop: status for _sku, shop, status in statuses})
    vendor_policy: dict[str, Any] = {}
    for _sku, item.vendor, policy, busy, item.base_status, of_vendor in items:
        item.overrides, item.busy = json_value(policy), bool(busy)
        vendor_policy = {} if of_vendor is None else json_value(of_vendor)
    found = [*_stock(item, promises), *_demand(item, waiting)]
    if item.busy or any(
        item.sku > walk.cursor and concerns(walk, item) for walk in catalogue.walks
    ):
        return found  # a fill is unfinished, or a policy change has yet to reach it (S6)
    asked = needs.Asked(
        bought=[needs.Bought.of(tx, row) for row in bought],
        sent={vendor: qty for _sku, vendor, qty in sent},
        in_parts={(row[1], row[2]): row[9] for row in waiting},
        unlinked=sum(row[10] for row in waiting),
    )
    broken: list[Difference] = []
    for rules in reversed(catalogue.judged_by):
        broken = list(
            needs.differences(_scratch(catalogue, rules, item, vendor_policy), item, asked)
        )
        if not broken:
            break
    return found + broken


def _scratch(
    catalogue: _Catalogue, rules: Rules, item: Item, vendor_policy: dict[str, Any]
) -> State:
    state = State(rules, catalogue.places, catalogue.shops, sources=catalogue.sources)
    state.items[item.sku] = item
    if item.vendor is not None:
        state.vendors[item.vendor] = Vendor(item.vendor, policy=vendor_policy)
    state.refresh(item)
    return state


def _stock(item: Item, rows: Sequence[Any]) -> Iterator[Difference]:
    for sku, place, on_hand, kept_on_hand, allocated, kept_allocated, unreleased in rows:
        item.stock[place] = Stock(sku, place, on_hand, allocated)
        where = (sku, place)
        if kept_on_hand != on_hand:
            yield different("L2", "stock.on_hand", where, (on_hand, kept_on_hand))
        if kept_allocated != allocated:
            yield different("L3", "stock.allocated", where, (allocated, kept_allocated))
        if allocated <= on_hand or item.busy:
            continue
        yield different("S8", OVER_ALLOCATED, where, (on_hand, allocated))
        may_stay = max(0, on_hand - (allocated - unreleased))  # what is released goes before
        if unreleased > may_stay:
            what = "allocations not released, at most what is there for them"
            yield different("S8", what, where, (may_stay, unreleased))


def _demand(item: Item, rows: Sequence[Any]) -> Iterator[Difference]:
    for sku, destination, shop, *numbers, _in_parts, _unlinked in rows:
        held, kept_held, queued, kept_queued, fillable, kept_fillable = numbers
        item.demand[destination, shop] = Demand(sku, destination, shop, held, queued, fillable)
        for name, expected, kept in (
            ("shortage", held, kept_held),
            ("queued", queued, kept_queued),
            ("fillable", fillable, kept_fillable),
        ):
            if kept != expected:
                where, counts = (sku, destination), (expected, kept)
                yield different("L4", f"demand.{name}", where, counts, shop=shop)
