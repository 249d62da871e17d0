"""Messages: what came in and what became of it, what waits, what goes out, what a person must see.

A row of `waiting` waits for its order or replenishment, or for the fill of its sku; a row of
`outbox` is published and deleted, its copy in `emitted` is history.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, LargeBinary

from store.tables.base import (
    clock,
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

# Rows come and go all day: dead ones are cleared away after a thousand, not after a fifth of all.
_QUEUE = {
    "postgresql_with": {
        "autovacuum_vacuum_scale_factor": 0.01,
        "autovacuum_vacuum_threshold": 1000,
        "autovacuum_vacuum_cost_delay": 0,
    }
}

inbox = table(
    "inbox",
    "source event_id",
    key("source"),
    key("event_id"),
    words("type"),
    words("data_hash"),
    words("body"),  # as received
    instant("received_at"),
    words("outcome"),
    words("traceparent", null=True),
    one_of("outcome", "applied", "repeated", "set_aside", "waiting"),
    Index("ix_inbox_received_at", "received_at"),
)

facts = table(
    "facts",
    "kind key",
    words("kind"),
    key("key"),
    words("data_hash"),
    key("event_source"),
    key("event_id"),
)

waiting = table(
    "waiting",
    "source event_id",
    key("source"),
    key("event_id"),
    key("shop", null=True),
    key("order_id", null=True),
    key("sku", null=True),
    key("replenishment_id", null=True),
    instant("received_at", null=True),  # null: it may wait for ever (C3)
    clock(),
    number("n"),
    ForeignKeyConstraint(["source", "event_id"], ["inbox.source", "inbox.event_id"]),
    CheckConstraint("(shop IS NULL) = (order_id IS NULL)", name="whole_order"),
    CheckConstraint(
        "(CASE WHEN order_id IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN sku IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN replenishment_id IS NULL THEN 0 ELSE 1 END) = 1",
        name="one_thing",
    ),
    partial_index("ix_waiting_order", "shop order_id", "order_id IS NOT NULL"),
    partial_index("ix_waiting_sku", "sku clock n", "sku IS NOT NULL"),
    partial_index("ix_waiting_replenishment", "replenishment_id", "replenishment_id IS NOT NULL"),
    partial_index("ix_waiting_received_at", "received_at", "received_at IS NOT NULL"),
)

tasks = table(
    "tasks",
    "task_id",
    key("task_id"),
    words("kind"),
    key("event_source"),
    key("event_id"),
    words("event_type"),
    instant("at"),
    key("sku", null=True),
    key("place", null=True),
    units("arrived"),
    words("scope", null=True),
    key("name", null=True),
    key("cursor"),
    clock(),
    number("n"),
    words("traceparent", null=True),  # of the event it belongs to
    one_of("kind", "fill", "trim", "link", "date", "walk"),
    one_of("scope", "vendor", "place", "shop", "all"),
    Index("ix_tasks_order", "clock", "n"),
    partial_index("ix_tasks_sku", "sku clock n", "sku IS NOT NULL"),
)

set_aside = table(
    "set_aside",
    "id",
    key("id"),
    key("source", null=True),
    key("event_id", null=True),
    words("type", null=True),
    words("reason"),
    words("field", null=True),
    words("message"),
    units("attempts", least=1),
    instant("first_seen"),
    instant("last_seen"),
    words("state"),
    Column("body", LargeBinary, nullable=False),
    json("headers"),
    json("detail", null=True),
    words("routing_key", null=True),
    instant("closed_at", null=True),  # resolved or discarded
    one_of("state", "set_aside", "retrying", "resolved", "discarded"),
    Index("ix_set_aside_state", "state", "first_seen", "id"),
    Index("ix_set_aside_event", "source", "event_id"),  # a corrected copy names what it corrects
    partial_index("ix_set_aside_closed_at", "closed_at", "closed_at IS NOT NULL"),
)

outbox = table(
    "outbox",
    "clock n id",  # an id is once in `emitted`; here the key is the order to publish in
    clock(),
    number("n"),
    key("id"),
    words("routing_key"),
    words("type"),
    words("body"),
    instant("at"),
    **_QUEUE,
)

emitted = table(
    "emitted",
    "id",
    key("id"),
    words("type"),
    words("body"),
    instant("time"),
    key("event_source"),
    key("event_id"),
    clock(),
    number("n"),
    Index("ix_emitted_order", "clock", "n", "id"),
)

exceptions = table(
    "exceptions",
    "id",
    key("id"),
    words("code"),
    words("reason", null=True),
    words("message"),
    json("refs"),
    instant("at"),
    clock(),
    number("n"),
    key("shop", null=True),  # of `refs`, as the next: `explain` asks by it
    key("order_id", null=True),
    Index("ix_exceptions_order", "clock", "n", "id"),
    partial_index("ix_exceptions_of_order", "shop order_id", "order_id IS NOT NULL"),
)

relay_lock = table(
    "relay_lock",
    "id",
    number("id"),
    words("owner", null=True),
    instant("lease_until", null=True),
    CheckConstraint("id = 1", name="one_row"),
)
