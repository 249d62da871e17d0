"""Orders: what was asked for, promised from where and bought for it, and why (`explain`).

Columns stand in the order in which the rows of handlers.state give their `values()`.
No foreign keys between the four: on the hot path each would cost a look-up per row, and lines,
allocations and links are only ever written by the one function that writes their order (`audit`
looks).
"""

from sqlalchemy import CheckConstraint, Index

from store.tables.base import (
    clock,
    flag,
    instant,
    json,
    key,
    number,
    one_of,
    partial_index,
    table,
    units,
    words,
)

orders = table(
    "orders",
    "shop order_id",
    key("shop"),
    key("order_id"),
    instant("placed_at"),
    instant("judged_at"),
    units("priority"),
    key("destination"),
    words("data_hash"),
    words("ship_mode"),
    words("release"),
    json("holds"),
    units("version"),
    words("version_hash"),
    json("customer", null=True),
    json("ship_to", null=True),
    units("allocation_count"),
    clock(),
)

order_lines = table(
    "order_lines",
    "shop order_id line_id",
    key("shop"),
    key("order_id"),
    key("line_id"),
    units("position"),
    key("sku"),
    units("ordered", least=1),
    units("shortage"),
    units("pending"),
    units("drop_ship"),
    units("shipped"),
    units("cancelled"),
    units("rejected"),
    units("short"),
    words("sourced"),
    words("group_name", null=True),
    flag("staff_held"),
    instant("held_since", null=True),
    flag("told"),
    instant("told_expected_at", null=True),
    units("told_days", null=True),
    words("name", null=True),
    json("unit_price", null=True),
    units("allocated"),  # Σ of the line's allocations: L3 can be checked in one row
    units("queued"),  # this and the next four: see handlers.rows.orders.Line
    units("fillable"),
    units("linked"),
    units("unlinked"),
    units("unreleased"),
    key("destination"),  # the order's, as the next two: the queue (S4) needs no join
    units("priority"),
    instant("placed_at"),
    CheckConstraint(
        "ordered = allocated + shortage + pending + drop_ship + shipped + cancelled + rejected",
        name="adds_up",
    ),
    CheckConstraint("linked <= shortage + drop_ship", name="bought"),
    one_of("sourced", "unjudged", "unmanaged", "stock", "buy_to_order", "drop_ship"),
    # The head of one shop's queue (S4), and who stands behind whom among all shops (R11).
    partial_index(
        "ix_order_lines_queue",
        "sku destination shop priority placed_at order_id position",
        "fillable > 0",
    ),
    partial_index(
        "ix_order_lines_rank",
        "sku destination priority placed_at shop order_id position",
        "shortage > 0",
    ),
    # What must be bought for a line (R10), and what may be taken from one again (S8).
    partial_index(
        "ix_order_lines_unlinked",
        "sku priority placed_at shop order_id position",
        "unlinked > 0",
    ),
    partial_index(
        "ix_order_lines_unreleased",
        "sku priority placed_at shop order_id position",
        "unreleased > 0",
    ),
)

allocations = table(
    "allocations",
    "shop order_id line_id seq",
    key("shop"),
    key("order_id"),
    key("line_id"),
    units("seq"),
    key("source", null=True),  # null: unmanaged, the picker chooses
    units("qty", least=1),
    flag("by_fill"),
    key("release_id", null=True),
)

links = table(
    "links",
    "shop order_id line_id replenishment_id by_hand",
    key("shop"),
    key("order_id"),
    key("line_id"),
    key("replenishment_id"),
    flag("by_hand"),
    units("qty", least=1),
    key("sku"),  # the line's, as the next three: their order (R10) needs no join
    units("priority"),
    instant("placed_at"),
    units("position"),
    Index(
        "ix_links_replenishment",
        "replenishment_id",
        "sku",
        "priority",
        "placed_at",
        "shop",
        "order_id",
        "position",
        "by_hand",
    ),
    Index("ix_links_sku", "sku", "priority", "placed_at", "shop", "order_id", "position"),
)

reasons = table(
    "reasons",
    "shop order_id clock n",
    key("shop"),
    key("order_id"),
    clock(),
    number("n"),
    instant("at"),
    json("decided"),  # [[line id, rule, {number: …}], …]: a row each would be a third of a batch
    key("event_source"),
    key("event_id"),
    words("event_type"),
)
