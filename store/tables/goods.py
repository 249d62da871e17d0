"""Goods: who keeps and sells what, how much of it is where, who waits for it, and the ledger.

The one row of `catalogue` is the lock of places, shops and vendors. Columns stand in the order in
which the rows of handlers.state give their `values()`.
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
    table,
    units,
    words,
)

catalogue = table(
    "catalogue",
    "id",
    number("id"),
    number("version"),
    words("rules", null=True),  # the rule settings in force (store.rule_settings)
    CheckConstraint("id = 1", name="one_row"),
)

places = table(
    "places",
    "place",
    key("place"),
    words("kind"),
    units("priority"),
    key("feeds", null=True),
    flag("enabled"),
    one_of("kind", "source", "dock"),
)

shops = table(
    "shops",
    "shop",
    key("shop"),
    json("sources", null=True),  # a list of places; null: every source (P4)
    key("destination", null=True),
)

vendors = table(
    "vendors",
    "vendor",
    key("vendor"),
    words("name", null=True),
    words("email", null=True),
    json("policy"),
)

items = table(
    "items",
    "sku",
    key("sku"),
    key("vendor", null=True),
    words("name", null=True),
    json("alternatives"),
    json("policy"),
    flag("busy"),
    words("base_status", null=True),  # null: nothing on this sku has been decided yet (S13)
    clock(),
    one_of("base_status", "in_stock", "backorder", "out_of_stock"),
    Index("ix_items_vendor", "vendor", "sku"),
)

item_statuses = table(
    "item_statuses",
    "sku shop",
    key("sku"),
    key("shop"),
    words("status"),
    one_of("status", "in_stock", "backorder", "out_of_stock"),
)

# Half empty pages: a new version of a row fits beside the old one, and no index is touched.
_ROOM = {"postgresql_with": {"fillfactor": 50}}

stock = table(
    "stock",
    "sku place",
    key("sku"),
    key("place"),
    units("on_hand"),
    units("allocated"),
    instant("counted_at", null=True),  # of the last count: a checkpoint (S8)
    json("owed", null=True),  # [[instant, qty], …] booked as found, the earliest first (S7)
    clock(),
    **_ROOM,
)

demand = table(
    "demand",
    "sku destination shop",
    key("sku"),
    key("destination"),
    key("shop"),
    units("shortage"),
    units("queued"),
    units("fillable"),
    clock(),
    **_ROOM,
)

movements = table(
    "movements",
    "event_source event_id n",
    key("event_source"),
    key("event_id"),
    number("n"),
    words("event_type"),
    key("sku"),
    units("qty", least=1),
    key("origin", null=True),  # null: it came from outside
    key("target", null=True),  # null: it left for outside
    words("outside", null=True),
    instant("happened_at"),
    words("reason"),
    clock(),
    CheckConstraint("origin <> target", name="moves"),
    CheckConstraint("origin IS NOT NULL OR target IS NOT NULL", name="ours"),
    CheckConstraint(
        "(outside IS NULL) = (origin IS NOT NULL AND target IS NOT NULL)", name="one_outside"
    ),
    one_of("outside", "vendor", "customer", "adjustment"),
    # What moved after a count (S8), and when units last left a place (S7).
    Index("ix_movements_sku", "sku", "happened_at", "origin"),
)
