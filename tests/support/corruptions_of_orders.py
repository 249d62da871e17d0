"""What goes wrong with orders and lines, and what an audit says to each."""

from store import schema
from tests.support.corrupting import Corruptions, drop, line, more, put, unchecked

OF_LINES: Corruptions = {
    "allocated of a line": (
        more(schema.order_lines, line("4"), "allocated", "ordered"),
        {"L3 order_lines.allocated: 0 1"},
    ),
    "shortage of a line": (
        more(schema.order_lines, line("4"), "shortage", "ordered"),
        {
            "L4 demand.fillable: 16 15",
            "L4 demand.queued: 16 15",
            "L4 demand.shortage: 16 15",
            "L4 order_lines.fillable: 10 9",
            "L4 order_lines.queued: 10 9",
            "L4 order_lines.short, at least what is short now: 10 9",
            "R2 replenishment_lines.qty of the open one: 10 5",
        },
    ),
    "pending of a line": (
        more(schema.order_lines, line("1"), "pending", "ordered"),
        {"O10 order_lines.pending, while a payment is waited for: 0 1"},
    ),
    "drop-ship of a line": (
        more(schema.order_lines, line("1"), "drop_ship", "ordered"),
        {"O2 order_lines.drop_ship, of lines that vendors ship: 0 1"},
    ),
    "more with the vendor": (
        more(schema.order_lines, line("drop"), "drop_ship", "ordered"),
        {"L4 order_lines.unlinked: 1 0", "R10 units to be bought for single lines: 0 1"},
    ),
    "less to be bought": (
        unchecked(
            "ck_order_lines_bought",
            more(schema.order_lines, line("buy"), "shortage", "ordered", units=-1),
        ),
        {"L4 demand.shortage: 4 5", "R10 links of a line, at most what it needs: 2 3"},
    ),
    "shipped of a line": (
        more(schema.order_lines, line("gone"), "shipped", "ordered"),
        {"S9 order_lines.shipped, at most what was told: 2 3"},
    ),
    "shipped by a vendor": (
        more(schema.order_lines, line("dropped"), "shipped", "ordered"),
        {"S9 order_lines.shipped, at most what was told: 1 2"},
    ),
    "queued of a line": (
        more(schema.order_lines, line("pick"), "queued"),
        {"L4 order_lines.queued: 2 3"},
    ),
    "fillable of a line": (
        more(schema.order_lines, line("held"), "fillable"),
        {"L4 order_lines.fillable: 0 1"},
    ),
    "held by staff": (
        put(schema.order_lines, line("4"), staff_held=True),
        {"L4 demand.fillable: 6 15", "L4 order_lines.fillable: 0 9"},
    ),
    "linked of a line": (
        more(schema.order_lines, line("buy"), "linked", units=-1),
        {"L4 order_lines.linked: 3 2"},
    ),
    "unlinked of a line": (
        more(schema.order_lines, line("drop"), "unlinked"),
        {"L4 order_lines.unlinked: 0 1"},
    ),
    "unreleased of a line": (
        more(schema.order_lines, line("manual"), "unreleased"),
        {"L4 order_lines.unreleased: 1 2"},
    ),
    "short": (
        more(schema.order_lines, line("4"), "short", units=-1),
        {"L4 order_lines.short, at least what is short now: 9 8"},
    ),
    "not told": (
        put(schema.order_lines, line("4"), told=False),
        {"O8 order_lines.told, of lines that wait: 1 0"},
    ),
    "held since ever": (
        put(schema.order_lines, line("4"), held_since=None),
        {"O8 order_lines.held_since, of lines that wait: 1 0"},
    ),
    "judged otherwise": (
        put(schema.order_lines, line("pick"), sourced="buy_to_order"),
        {
            "L4 demand.fillable: 0 4",
            "L4 demand.queued: 0 2",
            "L4 order_lines.fillable: 0 4",
            "L4 order_lines.queued: 0 2",
            "L4 order_lines.unlinked: 2 0",
            "R10 units to be bought for single lines: 0 2",
        },
    ),
    "queue place of a line": (
        put(schema.order_lines, line("4"), priority=1),
        {"S4 order_lines: destination, priority, placed_at: WH1 100 10:09 WH1 1 10:09"},
    ),
    "destination of a line": (
        put(schema.order_lines, line("4"), destination="WH2"),
        {"S4 order_lines: destination, priority, placed_at: WH1 100 10:09 WH2 100 10:09"},
    ),
    "a line of no order": (
        drop(schema.orders, {"order_id": "post"}),
        {"L3 order_lines: the order they are of: 1 0"},
    ),
    "paid for already": (
        put(schema.orders, {"order_id": "pay"}, holds=["fraud"]),
        {"O10 order_lines.pending, while a payment is waited for: 0 2"},
    ),
    "not paid for yet": (
        put(schema.orders, {"order_id": "4"}, holds=["payment"]),
        {"O10 order_lines: what waits or is promised before its payment: 0 9"},
    ),
    "on hold": (
        put(schema.orders, {"order_id": "2"}, holds=["fraud"]),
        {"O10 allocations released while the order is on hold: 0 2"},
    ),
    "not on hold": (
        put(schema.orders, {"order_id": "risk"}, holds=[]),
        {"O9 allocations that may go, not released: 0 1"},
    ),
    "released by itself": (
        put(schema.orders, {"order_id": "manual"}, release="auto"),
        {"O9 allocations that may go, not released: 0 1"},
    ),
    "allocation count": (
        put(schema.orders, {"order_id": "2"}, allocation_count=0),
        {"C1 orders.allocation_count: 1 0"},
    ),
}

# The last one: SQLite keeps the constraints off for the rest of its connection.
LAST: Corruptions = {
    "sum of a line": (
        unchecked("ck_order_lines_adds_up", more(schema.order_lines, line("4"), "ordered")),
        {"L3 order_lines.ordered: 9 10"},
    ),
}
