"""Replenishments, their lines, and their slots: what is new and what changed."""

from collections.abc import Collection

from handlers.state import Replenishment, ReplenishmentLine, State
from store import schema
from store.columns import instant_text, json_text
from store.statements import Row
from store.transaction import Transaction

_STATE = 4  # where `Replenishment.values` has the state


def save(tx: Transaction, state: State, concerned: Collection[str], clock: int) -> None:
    """Write what changed; `concerned`: replenishments of which something is told."""
    new: list[Row] = []
    changed: list[Row] = []
    lines: list[Row] = []
    for name, replenishment in state.replenishments.items():
        loaded = replenishment.loaded
        values = replenishment.values()
        differs = values != loaded
        # Another state makes other units outstanding on every line; a revision alone on none.
        moved = loaded is None or values[_STATE] != loaded[_STATE]
        touched = [
            line for line in replenishment.lines.values() if moved or line.values() != line.loaded
        ]
        lines += [_line(replenishment, line) for line in touched]
        if loaded is None:
            new.append(_header(replenishment, clock))
        elif differs or touched or (name in concerned and replenishment.complete):
            assert replenishment.complete, f"{name} was changed without the lock of its slot"
            changed.append(_header(replenishment, clock))
    # First out of the slot, then into it: there is never a second open one (R1).
    tx.update(schema.replenishments, changed)
    tx.append(schema.replenishments, new)
    tx.upsert(schema.replenishment_lines, lines)
    slots: list[Row] = [
        (*slot.values(), clock) for slot in state.slots.values() if slot.values() != slot.loaded
    ]
    tx.update(schema.replenishment_slots, slots)


def _header(replenishment: Replenishment, clock: int) -> Row:
    finalized_at, closed_at = replenishment.finalized_at, replenishment.closed_at
    return (
        replenishment.replenishment_id,
        replenishment.vendor,
        replenishment.destination,
        instant_text(replenishment.raised_at),
        str(replenishment.state),
        replenishment.automatic,
        replenishment.revision,
        replenishment.told_revision,
        replenishment.told_total,
        None if finalized_at is None else instant_text(finalized_at),
        None if closed_at is None else instant_text(closed_at),
        clock,
    )


def _line(replenishment: Replenishment, line: ReplenishmentLine) -> Row:
    parts = [
        (part.qty, None if part.expected_at is None else instant_text(part.expected_at))
        for part in line.parts
    ]
    docked = [(place, qty) for place, qty in sorted(line.docked.items()) if qty]
    # What a vendor ships to a customer arrives at no place of ours.
    may_arrive = replenishment.is_open or replenishment.incoming
    comes_here = may_arrive and not replenishment.drop_ship
    return (
        replenishment.replenishment_id,
        line.sku,
        line.qty,
        line.manual,
        line.linked,
        line.picked,
        line.received,
        json_text(parts),
        json_text(docked),
        line.short_of if comes_here else 0,
    )
