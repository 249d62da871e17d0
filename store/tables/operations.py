"""What running the fleet takes: who works, what was tried and killed its worker, what people did.

Nothing here decides anything about orders or stock; lost, it would cost a few repeats and a
history of the operators' deeds.
"""

from sqlalchemy import CheckConstraint, Index

from store.tables.base import (
    clock,
    instant,
    key,
    number,
    one_of,
    table,
    units,
    words,
)

# Before a message that came before is tried again, the try is counted here; the same transaction
# that settles the message forgets it. What is left counts workers that ended over it.
suspects = table(
    "suspects",
    "body_hash",
    key("body_hash"),  # SHA-256 in hex: known before the body is read
    units("tries", least=1),
    instant("seen_at"),
    Index("ix_suspects_seen_at", "seen_at"),
)

# What of the outbox the broker did not take, and when to offer it again. In a table of its own,
# because hardly anything ever is: the outbox itself stays narrow.
held_back = table(
    "held_back",
    "clock n id",  # as in the outbox
    clock(),
    number("n"),
    key("id"),
    words("subject", null=True),  # what comes later under the same one waits behind it
    words("reason"),
    units("failures"),
    instant("retry_at"),
    Index("ix_held_back_retry_at", "retry_at", "clock", "n", "id"),
    Index("ix_held_back_subject", "subject", "clock", "n", "id"),
)

# What operators did with what was set aside: only ever added.
operations = table(
    "operations",
    "operation_id",
    key("operation_id"),
    instant("at"),
    words("operator"),
    words("action"),
    key("set_aside_id"),
    words("why", null=True),
    one_of("action", "retry", "discard", "correct"),
    Index("ix_operations_set_aside", "set_aside_id", "at"),
)

# Each running worker says every few seconds that it is there.
workers = table(
    "workers",
    "worker_id",
    key("worker_id"),
    words("host"),
    number("pid"),
    words("version"),
    words("state"),
    instant("started_at"),
    instant("seen_at"),
    units("settled"),
    units("message_age_ms", null=True),  # of the oldest message it took last; null: none yet
    one_of("state", "working", "waiting", "stopping"),
    Index("ix_workers_seen_at", "seen_at"),
)

# When what is kept for a time was last cleared away: whoever moves `due_at` on does it.
housekeeping = table(
    "housekeeping",
    "id",
    number("id"),
    instant("due_at", null=True),
    CheckConstraint("id = 1", name="one_row"),
)

# What events that are no longer kept have told of shipments and receipts, added up: the audit
# compares it with what was booked. One row per line, whatever the number of events.
told_before = table(
    "told_before",
    "type owner order_id name",
    words("type"),  # of the events
    key("owner"),  # shop or replenishment
    key("order_id"),  # "" of a replenishment
    key("name"),  # line or sku
    units("qty"),
)
