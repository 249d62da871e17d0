"""Orders: what was asked for, what is promised from where, and why (`explain`).

Columns stand in the order in which the rows of handlers.state give their `values()`.
No foreign keys between the three: on the hot path each would cost a look-up per row, and lines and
allocations are only ever written by the one function that writes their order (`audit` looks).
"""

from sqlalchemy import CheckConstraint

from store.tables.base import (
    clock,
    flag,
    instant,
    json,
    key,
    number,
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
    flag("managed"),
    instant("held_since", null=True),
    flag("told"),
    instant("told_expected_at", null=True),
    words("name", null=True),
    json("unit_price", null=True),
    units("allocated"),  # Σ of the line's allocations: L3 can be checked in one row
    key("destination"),  # the order's, as the next two: the queue (S4) needs no join
    units("priority"),
    instant("placed_at"),
    CheckConstraint(
        "ordered = allocated + shortage + pending + drop_ship + shipped + cancelled + rejected",
        name="adds_up",
    ),
    # The head of one shop's queue, and who stands behind whom among all shops (R10).
    partial_index(
        "ix_order_lines_queue",
        "sku destination shop priority placed_at order_id position",
        "shortage > 0",
    ),
    partial_index(
        "ix_order_lines_rank",
        "sku destination priority placed_at shop order_id position",
        "shortage > 0",
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
