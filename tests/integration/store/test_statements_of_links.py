"""More links, dates and counts take no more statements either (architecture.md)."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.decision import Decision
from handlers.policy import Rules
from handlers.rows.supply import ReplenishmentState
from handlers.state import Keys, Link, Sourced, Stock
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.hand_made import allocated, bought, empty, item_of, linked, waits
from tests.support.keeping import NOW, emptied, save_state
from tests.support.wire import T0

SKUS = "ABC"
OPEN = ReplenishmentState.OPEN
STATEMENTS_MAX = 44


def fill(database: Database, count: int) -> None:
    """So many lines of each kind: linked, not yet, wrongly, allocated, with a vendor."""
    state = empty()
    for sku in SKUS:
        item = item_of(state, sku)
        item.vendor = "acme"
        item.stock["WH1"] = Stock(sku, "WH1", count, count)
        right = bought(state, f"R-{sku}", count, sku=sku)
        wrong = bought(state, f"W-{sku}", count, sku=sku, vendor=f"not {sku}'s", state=OPEN)
        for n in range(count):
            own: dict[str, Any] = {"sku": sku, "minutes": n, "sourced": Sourced.BUY_TO_ORDER}
            linked(waits(state, f"{sku}r{n}", **own), right, f"R-{sku}")
            linked(waits(state, f"{sku}w{n}", **own), wrong, f"W-{sku}")
            waits(state, f"{sku}u{n}", **own)
            allocated(waits(state, f"{sku}a{n}", sku=sku), "WH1")
            drop = waits(state, f"{sku}d{n}", sku=sku, sourced=Sourced.DROP_SHIP)
            name, there = f"D-{sku}{n}", drop.destination
            linked(drop, bought(state, name, sku=sku, destination=there, state=OPEN), name)
    save_state(database, state)


def trail(database: Database, count: int) -> list[str]:
    """The statements of a transaction that touches all of it."""
    fill(emptied(database), count)
    keys = Keys(
        skus=set(SKUS),
        usable=set(SKUS),
        orderable=set(SKUS),
        dated=dict.fromkeys(SKUS),
        reserved=set(SKUS),
        counts={(sku, "WH1", T0) for sku in SKUS},
        left=True,
        orders={("main", f"{sku}d{n}") for sku in SKUS for n in range(count)},
        replenishments={f"R-{sku}" for sku in SKUS},
        ranks={(sku, "main", "0", "WH1", 1, T0 - timedelta(days=1)) for sku in SKUS},
    )
    with database.begin() as tx:
        state = load(tx, keys, [], Rules(fill_step_lines_max=1))
        for order in state.orders.values():
            for line in order.lines.values():
                if line.links:
                    line.links[0].qty = 0
                    line.links.append(Link(line, "W-A", by_hand=True, qty=1))
                for allocation in line.allocations:
                    allocation.release_id = "r"
        save(tx, state, Decision(), NOW)
        return tx.trail


@pytest.mark.slow
def test_more_lines_take_no_more_statements(database: Database) -> None:
    small, large = (trail(database, count) for count in (18, 60))
    assert len(small) == len(large) <= STATEMENTS_MAX
    assert set(small) == set(large)
