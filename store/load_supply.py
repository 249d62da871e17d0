"""Replenishments: what may still arrive of the loaded skus, and the slots where more is ordered.

A replenishment changes only under the lock of its slot (vendor, destination) and, line by line,
of the skus. Those that are open in a locked slot, named, or bought for a line that may change are
read whole under it; of the others only the lines of loaded skus are known, and their headers are
never written.

Headers and lines are read apart: beside each of its lines a header would come some twenty times.
"""

# ruff: noqa: S608 - what is put into SQL are lists of columns

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from handlers.state import (
    Part,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    SlotKey,
    State,
    Unloaded,
)
from store.columns import json_value
from store.statements import Columns, Query
from store.transaction import Transaction

_ID: Columns = (("replenishment_id", "text"),)
_SLOT: Columns = (("vendor", "text"), ("destination", "text"))

_HEADER = """t.replenishment_id, t.vendor, t.destination, t.raised_at, t.state, t.automatic,
        t.revision, t.told_revision, t.told_total, t.finalized_at, t.closed_at, t.clock"""
_LINE = """l.replenishment_id, l.sku, l.qty, l.manual, l.linked, l.picked, l.received, l.parts,
        l.docked"""

_CONCERNED = Query(
    """
    SELECT t.replenishment_id, t.vendor, t.destination, l.sku
    FROM {given} CROSS JOIN replenishments AS t
    LEFT JOIN replenishment_lines AS l ON l.replenishment_id = t.replenishment_id
    WHERE t.replenishment_id = given.replenishment_id
    """,
    _ID,
)
_OUTSTANDING = Query(
    f"""
    SELECT {_LINE} FROM {{given}} CROSS JOIN replenishment_lines AS l
    WHERE l.sku = given.sku AND (l.outstanding > 0 OR l.docked <> '[]')
    ORDER BY l.replenishment_id, l.sku
    """,
    (("sku", "text"),),
)
_SLOTS = Query(
    """
    SELECT t.vendor, t.destination
    FROM {given} CROSS JOIN replenishments AS t
    WHERE t.replenishment_id = given.replenishment_id
    """,
    _ID,
)
LOCK = Query(
    """
    SELECT t.vendor, t.destination, t.open_id, t.raised, t.clock
    FROM {given} CROSS JOIN replenishment_slots AS t
    WHERE t.vendor = given.vendor AND t.destination = given.destination
    ORDER BY t.vendor, t.destination {lock}
    """,
    _SLOT,
)
_ENTER = Query(
    """
    INSERT INTO replenishment_slots (vendor, destination, raised, clock)
    SELECT vendor, destination, 0, 0 FROM {given} WHERE true
    ON CONFLICT (vendor, destination) DO UPDATE SET clock = replenishment_slots.clock
    RETURNING vendor, destination, open_id, raised, clock
    """,
    _SLOT,
)
_HEADERS = Query(
    f"""
    SELECT {_HEADER} FROM {{given}} CROSS JOIN replenishments AS t
    WHERE t.replenishment_id = given.replenishment_id
    ORDER BY t.replenishment_id
    """,
    _ID,
)
_LINES = Query(
    f"""
    SELECT {_LINE} FROM {{given}} CROSS JOIN replenishment_lines AS l
    WHERE l.replenishment_id = given.replenishment_id
    ORDER BY l.replenishment_id, l.sku
    """,
    _ID,
)


def skus_and_slots(
    tx: Transaction, named: Collection[str]
) -> Callable[[], tuple[dict[str, set[str]], set[SlotKey]]]:
    """Ask for the skus and the slots of replenishments as they are now, without locking them."""
    asked = tx.ask(_CONCERNED, [(name,) for name in sorted(named)])

    def read() -> tuple[dict[str, set[str]], set[SlotKey]]:
        skus: dict[str, set[str]] = {}
        slots: set[SlotKey] = set()
        for name, vendor, destination, sku in asked():
            slots.add((vendor, destination))
            if sku is not None:
                skus.setdefault(name, set()).add(sku)
        return skus, slots

    return read


def outstanding(
    tx: Transaction, state: State, skus: Collection[str], named: Collection[str] = ()
) -> Callable[[], Callable[[], None]]:
    """Ask what may still arrive of these skus, or lies at a dock; of those named, anything.

    The lines are those that the locks of the skus protect; headers are read again under theirs.
    What is returned asks for the headers; what that returns reads both.
    """
    theirs = tx.ask(_OUTSTANDING, [(sku,) for sku in sorted(skus)])
    of_named = tx.ask(_LINES, [(name,) for name in sorted(named)])

    def ask_headers() -> Callable[[], None]:
        found = [*theirs(), *(row for row in of_named() if row[1] in state.items)]
        headers = tx.ask(_HEADERS, sorted({row[:1] for row in found}))

        def read() -> None:
            for row in headers():
                _replenishment(tx, state, row)
            for row in found:
                _line(state, row)

        return read

    return ask_headers


def load(
    tx: Transaction, state: State, slots: Collection[SlotKey], named: Collection[str]
) -> Callable[[], None]:
    """Lock the slots; ask for the whole of what is open there, named, or linked.

    What is returned reads it, and raises Unloaded where a named one has a line of a sku that is not
    locked, or has just come.
    """
    linked = _linked(state)
    given = sorted({*slots, *_slots_of(tx, state, linked)})
    found = list(tx.query(LOCK, given))
    if len(found) < len(given):
        known = {(vendor, destination) for vendor, destination, *_rest in found}
        found += tx.query(_ENTER, [key for key in given if key not in known])
    for vendor, destination, open_id, raised, clock in found:
        slot = Slot(vendor, destination, open_id, raised)
        slot.loaded = slot.values()
        state.slots[vendor, destination] = slot
        tx.saw(clock)
    wanted = {slot.open_id for slot in state.slots.values() if slot.open_id is not None}
    names = [(name,) for name in sorted(wanted.union(linked, named))]
    headers, lines = tx.ask(_HEADERS, names), tx.ask(_LINES, names)

    def read() -> None:
        for row in headers():
            whole = _replenishment(tx, state, row)
            if (whole.vendor, whole.destination) not in state.slots:
                raise Unloaded("supply", whole.replenishment_id)
            whole.complete = True
        for row in lines():
            if row[0] in state.replenishments:  # else raised since the headers were read
                _line(state, row)
        _check(state, named)

    return read


def _check(state: State, named: Collection[str]) -> None:
    """Make sure that all skus of the named replenishments are locked; note which there are not."""
    state.unknown_supply = {name for name in named if name not in state.replenishments}
    missing = {
        sku
        for name in named
        if (replenishment := state.replenishments.get(name)) is not None
        for sku in replenishment.lines
        if sku not in state.items
    }
    if missing:
        raise Unloaded("skus", missing)


def _replenishment(tx: Transaction, state: State, row: tuple[Any, ...]) -> Replenishment:
    """Return the one object of a replenishment, with the header as it was read last."""
    (
        name,
        vendor,
        destination,
        raised_at,
        kind,
        automatic,
        revision,
        told_revision,
        told_total,
        finalized_at,
        closed_at,
        clock,
    ) = row
    if name not in state.replenishments:
        raised = tx.instant(raised_at)
        state.replenishments[name] = Replenishment(name, vendor, destination, raised)
    replenishment = state.replenishments[name]
    replenishment.state = ReplenishmentState(kind)
    replenishment.automatic = bool(automatic)
    replenishment.revision = revision
    replenishment.told_revision = told_revision
    replenishment.told_total = told_total
    replenishment.finalized_at = tx.instant(finalized_at)
    replenishment.closed_at = tx.instant(closed_at)
    replenishment.loaded = replenishment.values()
    tx.saw(clock)
    return replenishment


def _line(state: State, row: tuple[Any, ...]) -> None:
    """Take in a line; a loaded sku has its replenishment among its supply, once."""
    name, sku, qty, manual, linked, picked, received, parts, docked = row
    line = ReplenishmentLine(sku, qty, manual, linked, picked, received, parts_of(parts))
    if docked != "[]":
        line.docked = dict(json_value(docked))
    line.loaded = line.values()
    state.replenishments[name].lines[sku] = line
    item = state.items.get(sku)
    if item is not None and name not in item.supply:
        item.supply.append(name)


def _linked(state: State) -> set[str]:
    """Return what is bought for the lines that may change: those of locked skus (R10)."""
    return {
        link.replenishment_id
        for order in state.orders.values()
        for line in order.lines.values()
        if line.links and line.sku in state.items
        for link in line.links
    }


def _slots_of(tx: Transaction, state: State, linked: Collection[str]) -> set[SlotKey]:
    """Return the slots of replenishments; neither vendor nor destination of one ever changes."""
    known = {name: row for name, row in state.replenishments.items() if name in linked}
    slots = {(row.vendor, row.destination) for row in known.values()}
    others = [(name,) for name in sorted(linked) if name not in known]
    return slots.union(tx.query(_SLOTS, others))


def parts_of(text: str) -> tuple[Part, ...]:
    """Return the confirmed parts of a line (R4) from the column that keeps them."""
    return tuple(
        Part(qty, None if at is None else datetime.fromisoformat(at))
        for qty, at in (json_value(text) if text != "[]" else ())
    )
