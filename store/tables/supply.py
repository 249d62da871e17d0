"""Supply: buying documents, their lines, and the one place for an open one (R1).

Columns stand in the order in which the rows of handlers.state give their `values()`.
"""

from sqlalchemy import ForeignKeyConstraint, Index

from store.tables.base import (
    clock,
    flag,
    instant,
    json,
    key,
    one_of,
    partial_index,
    table,
    units,
    words,
)

replenishments = table(
    "replenishments",
    "replenishment_id",
    key("replenishment_id"),
    key("vendor"),
    key("destination"),
    instant("raised_at"),
    words("state"),
    flag("automatic"),
    units("revision"),
    units("told_revision"),
    units("told_total"),
    instant("finalized_at", null=True),
    instant("closed_at", null=True),
    clock(),
    one_of("state", "open", "finalized", "partially_received", "received", "closed", "cancelled"),
    partial_index("uq_replenishments_open", "vendor destination", "state = 'open'", unique=True),
    Index("ix_replenishments_raised_at", "raised_at", "replenishment_id"),
    # Those in one state, among ten times as many that are history.
    Index("ix_replenishments_state", "state", "raised_at", "replenishment_id"),
)

replenishment_lines = table(
    "replenishment_lines",
    "replenishment_id sku",
    key("replenishment_id"),
    key("sku"),
    units("qty"),
    units("manual"),
    units("linked"),
    units("picked"),
    units("received"),
    json("parts"),  # [[qty, instant or null], …] as confirmed (R4)
    json("docked"),  # [[place, qty], …] of `linked` and `picked`, by place
    # What may still arrive at a place of ours: qty - received until it is closed, then 0. Always 0
    # where the vendor ships to a customer: of these a sku may have a hundred thousand.
    units("outstanding"),
    ForeignKeyConstraint(["replenishment_id"], ["replenishments.replenishment_id"]),
    partial_index(
        "ix_replenishment_lines_outstanding",
        "sku replenishment_id",
        "outstanding > 0 OR docked <> '[]'",
    ),
)

replenishment_slots = table(
    "replenishment_slots",
    "vendor destination",
    key("vendor"),
    key("destination"),
    key("open_id", null=True),
    units("raised"),
    clock(),
)
