"""What goes wrong with allocations and links, and what an audit says to each."""

from store import schema
from tests.support.corrupting import Corruptions, both, drop, line, more, put
from tests.support.full_story import TO_CUSTOMER
from tests.support.story import FIRST

OF_ALLOCATIONS: Corruptions = {
    "an allocation": (
        more(schema.allocations, line("2"), "qty"),
        {
            "L3 order_lines.allocated: 3 2",
            "L3 stock.allocated: 6 5",
            "S8 stock.allocated, at most on_hand: 5 6",
        },
    ),
    "an allocation that is gone": (
        drop(schema.allocations, line("2")),
        {
            "L3 order_lines.allocated: 0 2",
            "L3 stock.allocated: 3 5",
            "S13 item_statuses.status: in_stock backorder",
            "S3 stock that is free while lines of the shop wait: 0 2",
        },
    ),
    "an allocation of no line": (
        drop(schema.order_lines, line("post")),
        {"L3 allocations: the line they are of: 1 0"},
    ),
    "an allocation nowhere": (
        put(schema.allocations, line("2"), source=None),
        {
            "L3 allocations.source: one, unless nobody manages the stock: one none",
            "L3 stock.allocated: 3 5",
            "S13 item_statuses.status: in_stock backorder",
            "S3 stock that is free while lines of the shop wait: 0 2",
        },
    ),
    "not released": (
        put(schema.allocations, line("2"), release_id=None),
        {"L4 order_lines.unreleased: 2 0", "O9 allocations that may go, not released: 0 2"},
    ),
    "released too early": (
        put(schema.allocations, line("risk"), release_id="x"),
        {
            "L4 order_lines.unreleased: 0 1",
            "O10 allocations released while the order is on hold: 0 1",
        },
    ),
    "not released, and not there": (
        both(
            more(schema.allocations, line("manual"), "qty"),
            more(schema.order_lines, line("manual"), "allocated", "unreleased", "ordered"),
            more(schema.stock, {"sku": "M", "place": "WH1"}, "allocated"),
        ),
        {
            "S8 allocations not released, at most what is there for them: 1 2",
            "S8 stock.allocated, at most on_hand: 1 2",
        },
    ),
    "the group may go": (
        put(schema.order_lines, line("group", "1"), group_name="other"),
        {"O9 allocations that may go, not released: 0 1"},
    ),
}

OF_LINKS: Corruptions = {
    "a link": (
        more(schema.links, line("buy"), "qty"),
        {
            "L4 order_lines.linked: 4 3",
            "R10 links of a line, at most what it needs: 3 4",
            "R10 links to a replenishment, at most what comes: 3 4",
            "R10 replenishment_lines.linked: 4 3",
        },
    ),
    "a link that is gone": (
        drop(schema.links, line("later")),
        {
            "L4 order_lines.linked: 0 2",
            "L4 order_lines.unlinked: 2 0",
            "R10 replenishment_lines.linked: 0 2",
            "R10 units to be bought for single lines: 0 2",
            "R2 replenishment_lines.qty of the open one: 0 2",
        },
    ),
    "a link to a customer that is gone": (
        drop(schema.links, line("drop")),
        {
            "L4 order_lines.linked: 0 2",
            "L4 order_lines.unlinked: 2 0",
            "R10 replenishment_lines.linked: 0 2",
            "R10 replenishment_lines.qty, to a customer: 0 2",
            "R10 units to be bought for single lines: 0 2",
        },
    ),
    "a link by hand": (
        put(schema.links, line("buy"), by_hand=True),
        {"R10 replenishment_lines.linked: 0 3", "R10 replenishment_lines.picked: 3 0"},
    ),
    "a link by automation": (
        put(schema.links, line("pick"), by_hand=False),
        {
            "R10 links by automation, of lines it buys for: 0 2",
            "R10 replenishment_lines.linked: 2 0",
            "R10 replenishment_lines.picked: 0 2",
        },
    ),
    "rank of a link": (
        put(schema.links, line("buy"), priority=1),
        {"R10 links: sku, priority, placed_at, position: BUY 100 10:00 0 BUY 1 10:00 0"},
    ),
    "a link of no line": (
        lambda tx: tx.append(schema.links, [_link("nobody", FIRST, "A")]),
        {
            "R10 links: the line they are of: 1 0",
            "R10 replenishment_lines.picked: 1 0",
            "R2 replenishment_lines.qty of the open one: 10 5",
        },
    ),
    "a link to no replenishment": (
        put(schema.links, line("pick"), replenishment_id="R-nothing"),
        {
            "R10 links: the line of the replenishment they are to: 0 2",
            "R10 replenishment_lines.picked: 0 2",
        },
    ),
    "a link to somewhere else": (
        put(schema.links, line("later"), replenishment_id=TO_CUSTOMER),
        {
            "R10 links: the line of the replenishment they are to: 0 2",
            "R10 links: where they are delivered: WH1 customer:main/drop",
            "R10 replenishment_lines.linked: 0 2",
            "R2 replenishment_lines.qty of the open one: 0 2",
        },
    ),
    "links to another vendor": (
        put(schema.items, {"sku": "BUY"}, vendor="V"),
        {
            "R10 links by automation, to a vendor it may not ask: 0 2",
            "R2 replenishment_lines.qty of the open one: 0 2",
        },
    ),
    "links without automation": (
        put(
            schema.items, {"sku": "DROP"}, policy={"sourcing": "drop_ship", "auto_replenish": False}
        ),
        {"R10 links by automation, to a vendor it may not ask: 0 2"},
    ),
}


def _link(order_id: str, replenishment_id: str, sku: str) -> tuple[str | int | bool, ...]:
    moment = "2026-11-21T10:00:00.000000+00:00"
    return ("main", order_id, "1", replenishment_id, True, 1, sku, 100, moment, 0)
