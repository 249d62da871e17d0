"""The story of one held order, read back from the database: what it waited for, and how long.

The demo knows which order waited longest; everything told of it comes from the views and the
history, as any later command would find it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from console.demo_events import SHOP
from console.demo_tally import Wait
from handlers.policy import Rules
from store.transaction import Transaction
from store.views.history import emitted
from store.views.orders import order
from store.views.supply import Chosen, replenishments

Step = tuple[datetime | None, str]  # when, and what


def story(tx: Transaction, rules: Rules, wait: Wait, name: str, now: datetime) -> list[Step]:
    """Tell it step by step; `name` is what the sku is called."""
    held = next(_of_line(tx, "OrderBackordered", wait), None)
    ships = deque(_of_line(tx, "BackToShip", wait), maxlen=1)
    view = order(tx, rules, SHOP, wait.order_id, now)
    if held is None or view is None or not ships:
        return []
    ship = ships.pop()
    line = next(line for line in held["data"]["lines"] if line["line_id"] == wait.line_id)
    ordered = next(row["ordered"] for row in view["lines"] if row["line_id"] == wait.line_id)
    what = f"{ordered:,} of {wait.sku} {name}".rstrip()
    there = ordered - line["qty"]
    steps: list[Step] = [
        (_moment(held["time"]), f"{what} ordered, {there:,} there"),
        (None, _promise(line["expected_at"])),
        *_supply(tx, rules, wait, now),
        *_other_dates(tx, wait),
    ]
    days = round(wait.seconds / 86_400)
    units = sum(row["qty"] for row in ship["data"]["lines"])
    told = f"BackToShip: {units:,} to ship from {ship['data']['source']}, after {days:,} days"
    steps.append((_moment(ship["time"]), told))
    steps.append((None, f"the order is {view['status']}"))
    return steps


def _promise(expected_at: str | None) -> str:
    if expected_at is None:
        return "when it comes is unknown"
    return f"told: expected {_moment(expected_at):%-d %b %Y}"


def _other_dates(tx: Transaction, wait: Wait) -> Iterable[Step]:
    """Tell when the shop was told another date (R12)."""
    for envelope in _of_line(tx, "ExpectedDateChanged", wait):
        for line in envelope["data"]["lines"]:
            if line["line_id"] == wait.line_id:
                yield _moment(envelope["time"]), _promise(line["expected_at"])


def _supply(tx: Transaction, rules: Rules, wait: Wait, now: datetime) -> Iterable[Step]:
    if wait.replenishment_id is None:
        return
    for view in replenishments(tx, rules, Chosen(wait.replenishment_id), now):
        for line in view["lines"]:
            if line["sku"] == wait.sku:
                yield None, f"it waits for {view['replenishment_id']} of {view['vendor']}:"
                yield None, f"{line['qty']:,} asked for, {line['received']:,} received"


def _of_line(tx: Transaction, kind: str, wait: Wait) -> Iterator[dict[str, Any]]:
    for body in emitted(tx, kind=kind):
        envelope = orjson.loads(body)
        data = envelope["data"]
        if data["order_id"] == wait.order_id and any(
            line["line_id"] == wait.line_id for line in data["lines"]
        ):
            yield envelope


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
