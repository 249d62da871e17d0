"""What goes wrong with stock, demand, supply and messages, and what an audit says to each."""

from store import schema
from tests.support.corrupting import (
    ASKED,
    AT_WH1,
    BOUGHT,
    COMING,
    COUNTED_AT_WH2,
    DROPPED,
    LOST_AT_WH2,
    PICKED,
    SLOT,
    TO_BUY,
    TO_DROP,
    WAITS,
    Corruptions,
    drop,
    empty,
    more,
    put,
)
from tests.support.story import FIRST, SECOND

_MOMENT = "2026-11-21T10:00:00.000000+00:00"

OF_GOODS: Corruptions = {
    "on_hand": (more(schema.stock, AT_WH1, "on_hand"), {"L2 stock.on_hand: 5 6"}),
    "allocated": (more(schema.stock, AT_WH1, "allocated", units=-1), {"L3 stock.allocated: 5 4"}),
    "no stock row": (
        drop(schema.stock, AT_WH1),
        {"L2 stock.on_hand: 5 0", "L3 stock.allocated: 5 0"},
    ),
    "owed": (put(schema.stock, LOST_AT_WH2, owed=[[_MOMENT, 3]]), {"S7 stock.owed: 2 3"}),
    "nothing owed": (put(schema.stock, LOST_AT_WH2, owed=None), {"S7 stock.owed: 2 0"}),
    "owed in another order": (
        put(schema.stock, LOST_AT_WH2, owed=[["2026-11-22", 1], [_MOMENT, 1]]),
        {"S7 stock.owed, the earliest first: 1 0"},
    ),
    "owed after a count": (
        put(schema.stock, COUNTED_AT_WH2, owed=[["2026-11-21T12:00:00.000000+00:00", 6]]),
        {"S7 stock.owed, at most what was found: 5 6"},
    ),
    "owed from before a count": (
        put(schema.stock, COUNTED_AT_WH2, owed=[[_MOMENT, 2]]),
        {"S8 stock.owed, after the last count: 11:00 10:00"},
    ),
    "never counted": (
        put(schema.stock, COUNTED_AT_WH2, counted_at=None),
        {"S8 stock.counted_at, not before what it checked: 11:00 None"},
    ),
    "demand": (more(schema.demand, WAITS, "shortage"), {"L4 demand.shortage: 15 16"}),
    "queued": (more(schema.demand, WAITS, "queued"), {"L4 demand.queued: 15 16"}),
    "fillable": (more(schema.demand, WAITS, "fillable", units=-1), {"L4 demand.fillable: 15 14"}),
    "no demand row": (
        drop(schema.demand, WAITS),
        {"L4 demand.fillable: 15 0", "L4 demand.queued: 15 0", "L4 demand.shortage: 15 0"},
    ),
    "status": (
        put(schema.item_statuses, {"sku": "A", "shop": "main"}, status="in_stock"),
        {"S13 item_statuses.status: backorder in_stock"},
    ),
    "no status": (
        drop(schema.item_statuses, {"sku": "D", "shop": "main"}),
        {"S13 item_statuses.status: in_stock backorder"},
    ),
    "status of the others": (
        put(schema.items, {"sku": "C"}, base_status="in_stock"),
        {"S13 item_statuses.status: backorder in_stock"},
    ),
    "busy": (put(schema.items, {"sku": "C"}, busy=True), {"S6 items.busy: 0 1"}),
}

OF_SUPPLY: Corruptions = {
    "asked of the vendor": (
        more(schema.replenishment_lines, ASKED, "qty", "outstanding", units=5),
        {"R2 replenishment_lines.qty of the open one: 5 10", "R3 replenishments.told_total: 10 5"},
    ),
    "added by hand": (
        more(schema.replenishment_lines, ASKED, "manual", units=5),
        {"R2 replenishment_lines.qty of the open one: 10 5"},
    ),
    "linked": (
        more(schema.replenishment_lines, BOUGHT, "linked"),
        {"R10 replenishment_lines.linked: 3 4"},
    ),
    "picked": (
        more(schema.replenishment_lines, PICKED, "picked", units=-1),
        {"R10 replenishment_lines.picked: 2 1"},
    ),
    "outstanding": (
        more(schema.replenishment_lines, COMING, "outstanding", units=-1),
        {"R4 replenishment_lines.outstanding: 9 8"},
    ),
    "outstanding, to a customer": (
        more(schema.replenishment_lines, TO_DROP, "outstanding"),
        {"R4 replenishment_lines.outstanding: 0 1"},
    ),
    "asked to ship to a customer": (
        more(schema.replenishment_lines, TO_DROP, "qty"),
        {"R10 replenishment_lines.qty, to a customer: 2 3", "R3 replenishments.told_total: 3 2"},
    ),
    "less asked than linked": (
        more(schema.replenishment_lines, TO_BUY, "qty", "outstanding", units=-1),
        {
            "R10 links to a replenishment, at most what comes: 1 2",
            "R2 replenishment_lines.qty of the open one: 2 1",
            "R3 replenishments.told_total: 1 2",
        },
    ),
    "less coming than linked": (
        put(schema.replenishment_lines, BOUGHT, received=2, outstanding=1),
        {
            "R10 links to a replenishment, at most what comes: 2 3",
            "S1 replenishment_lines.received, at most what arrived: 1 2",
            "S1 replenishment_lines.received, at most what was told: 1 2",
        },
    ),
    "nothing received": (
        put(schema.replenishment_lines, COMING, received=0, outstanding=10),
        {"R4 replenishments.state: finalized partially_received"},
    ),
    "more received": (
        put(schema.replenishment_lines, COMING, received=3, outstanding=7),
        {
            "R2 replenishment_lines.qty of the open one: 10 5",
            "S1 replenishment_lines.received, at most what was told: 1 3",
        },
    ),
    "more received than arrived": (
        put(schema.replenishment_lines, COMING, received=8, outstanding=2),
        {
            "R2 replenishment_lines.qty of the open one: 15 5",
            "S1 replenishment_lines.received, at most what arrived: 6 8",
            "S1 replenishment_lines.received, at most what was told: 1 8",
        },
    ),
    "less shipped by a vendor": (
        put(schema.replenishment_lines, DROPPED, received=0),
        {"R4 replenishments.state: finalized received"},
    ),
    "parts": (
        put(schema.replenishment_lines, COMING, parts=[[9, None]]),
        {"R4 replenishment_lines.qty: 9 10"},
    ),
    "at the dock": (
        put(schema.replenishment_lines, BOUGHT, docked=[["DOCK", 2]]),
        {"R10 replenishment_lines.docked, at most on_hand: 1 2"},
    ),
    "not at the dock": (
        put(schema.replenishment_lines, BOUGHT, docked=[]),
        {"R10 links to a replenishment, at most what comes: 2 3"},
    ),
    "at a source": (
        put(schema.replenishment_lines, BOUGHT, docked=[["WH1", 1]]),
        {
            "R10 replenishment_lines.docked, at most on_hand: 0 1",
            "R10 replenishment_lines.docked, where orders are served from: 0 1",
        },
    ),
    "state": (
        put(schema.replenishments, {"replenishment_id": FIRST}, state="received"),
        {
            "R2 replenishment_lines.qty of the open one: 15 5",
            "R2 replenishment_lines.qty of the open one: 1 0",
            "R4 replenishment_lines.outstanding: 0 9",
            "R4 replenishment_lines.outstanding: 0 1",
            "R4 replenishments.state: partially_received received",
        },
    ),
    "nothing asked": (
        put(schema.replenishment_lines, ASKED, qty=0, outstanding=0),
        {
            "R2 replenishment_lines.qty of the open one: 5 0",
            "R3 replenishments.state, of an open one that asks for nothing: cancelled open",
            "R3 replenishments.told_total: 0 5",
        },
    ),
    "told total": (
        put(schema.replenishments, {"replenishment_id": SECOND}, told_total=6),
        {"R3 replenishments.told_total: 5 6"},
    ),
    "told revision": (
        put(schema.replenishments, {"replenishment_id": SECOND}, told_revision=0),
        {"R3 replenishments.told_revision: 1 0"},
    ),
    "an empty slot": (
        put(schema.replenishment_slots, SLOT, open_id=None),
        {f"R1 replenishment_slots.open_id: {SECOND} None"},
    ),
    "a slot of another": (
        put(schema.replenishment_slots, SLOT, open_id=FIRST),
        {f"R1 replenishment_slots.open_id: {SECOND} {FIRST}"},
    ),
    "a slot that is not empty": (
        lambda tx: tx.append(schema.replenishment_slots, [("U", "WH1", FIRST, 0, 0)]),
        {f"R1 replenishment_slots.open_id: None {FIRST}"},
    ),
    "raised": (
        more(schema.replenishment_slots, SLOT, "raised"),
        {"R1 replenishment_slots.raised: 2 3"},
    ),
}

OF_MESSAGES: Corruptions = {
    "an event that no longer waits": (
        put(schema.inbox, {"event_id": "early"}, outcome="applied"),
        {"L5 inbox.outcome of what waits: waiting applied"},
    ),
    "a waiting event that is gone": (
        drop(schema.waiting, {"order_id": "unknown"}),
        {"L5 inbox.outcome of what waits: applied waiting"},
    ),
    "waiting for an order that is there": (
        put(schema.waiting, {"order_id": "unknown"}, order_id="1"),
        {"C3 waiting: for what nobody knows: unknown known"},
    ),
    "waiting for a replenishment that is there": (
        put(schema.waiting, {"replenishment_id": "R-unknown"}, replenishment_id=FIRST),
        {"C3 waiting: for what nobody knows: unknown known"},
    ),
    "history": (empty(schema.emitted), {"L5 outbox: kept in what was emitted: 1 0"}),
}
