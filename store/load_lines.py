"""Lines of skus that a decision may have to change: each kind in its order, and bounded (S6).

- `wanting`: to be linked to what is bought for them (R10), or to something else than now.
- `held`: to be told another date (R12), by destination and rank.
- `reserved`: to give units back that are missing at a source (S8), the last in rank first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from events.envelope import Event
from events.inbound import ItemChanged
from handlers.state import Item, Keys, Line, OrderKey, Rank, SlotKey, Some, State
from store.columns import instant_text
from store.dialects.base import Answer
from store.found import Found, share, share_of_dated
from store.statements import Columns, Firsts, Row
from store.transaction import Transaction

_SKU: Columns = (("sku", "text"),)
_LINE = ("shop", "order_id", "line_id")
_RANK = "t.priority, t.placed_at, t.shop, t.order_id, t.position"

_UNLINKED = Firsts(
    _SKU, "order_lines", ("sku", *_LINE), "t.sku = given.sku AND t.unlinked > 0", _RANK
)
# No EXISTS in what follows: PostgreSQL would begin at the other table, and look at all of it.
#
# Links that are not to stay: what automation asks of another than `vendor`, the one to buy from if
# any; and what nothing can come of any more.
_MISPLACED = Firsts(
    (*_SKU, ("vendor", "text")),
    "links",
    ("sku", *_LINE),
    """t.sku = given.sku AND (
        SELECT CASE WHEN r.state = 'open'
            THEN NOT t.by_hand AND (given.vendor IS NULL OR r.vendor <> given.vendor)
            ELSE l.docked = '[]' AND (
                r.state NOT IN ('finalized', 'partially_received') OR l.qty <= l.received
            ) END
        FROM replenishments AS r
        JOIN replenishment_lines AS l ON l.replenishment_id = r.replenishment_id
        WHERE r.replenishment_id = t.replenishment_id AND l.sku = t.sku
    )""",
    _RANK,
)
_HELD = Firsts(
    (
        *_SKU,
        ("after_destination", "text"),
        ("after_priority", "bigint"),
        ("after_placed_at", "timestamptz"),
        ("after_shop", "text"),
        ("after_order", "text"),
        ("after_position", "bigint"),
    ),
    "order_lines",
    ("sku", *_LINE),
    """t.sku = given.sku AND t.shortage > 0
        AND (t.destination, t.priority, t.placed_at, t.shop, t.order_id, t.position)
            > (given.after_destination, given.after_priority, given.after_placed_at,
                given.after_shop, given.after_order, given.after_position)
    """,
    f"t.destination, {_RANK}",
)
_RESERVED = Firsts(
    (*_SKU, ("source", "text")),
    "order_lines",
    ("sku", "source", *_LINE),
    """t.sku = given.sku AND t.unreleased > 0 AND (
        SELECT COUNT(*) FROM allocations AS a
        WHERE a.shop = t.shop AND a.order_id = t.order_id AND a.line_id = t.line_id
            AND a.source = given.source AND a.release_id IS NULL
    ) > 0""",
    "t.priority DESC, t.placed_at DESC, t.shop DESC, t.order_id DESC, t.position DESC",
)

_BEFORE_ALL = ("", -1, instant_text(datetime.min.replace(tzinfo=UTC)), "", "", -1)


Sellers = Mapping[str, set[str | None]]  # by sku


@dataclass(slots=True)
class Asked:
    """What is asked of which sku, and the lines found: by sku, `reserved` by source as well."""

    orderable: list[Item]
    dated: list[Item]
    reserved_of: list[Item]
    changing: frozenset[str] = frozenset()
    unlinked: Found[str] = field(default_factory=Found)
    misplaced: Found[str] = field(default_factory=Found)
    held: Found[str] = field(default_factory=Found)
    reserved: Found[tuple[str, str]] = field(default_factory=Found)

    @property
    def orders_whole(self) -> set[OrderKey]:
        """The orders to be loaded with all their lines: all but those with another date."""
        return self.reserved.orders | self.unlinked.orders | self.misplaced.orders


def sellers(events: Iterable[Event]) -> Sellers:
    """Return the vendors these events give to skus; None: none, or automation may not order."""
    found: dict[str, set[str | None]] = {}
    for event in events:
        if isinstance(event.data, ItemChanged):
            told = event.data.told()
            vendors = found.setdefault(event.data.sku, set())
            if "vendor" in told:
                vendors.add(event.data.vendor)
            if "policy" in told:
                policy = event.data.policy
                vendors |= {None} if policy is None or "auto_replenish" in policy.told() else set()
    return found


def find(
    tx: Transaction,
    state: State,
    keys: Keys,
    dated: Mapping[str, tuple[str, Rank] | None],
    changing: Sellers,
) -> Asked:
    """Find the lines of the skus they are asked of; `dated`: see `Keys`, `changing`: `sellers`."""
    asked = Asked(
        _items(state, keys.orderable),
        _items(state, dated),
        _items(state, keys.reserved),
        frozenset(changing),
    )
    # Where that is about to change, any link may turn out to be misplaced.
    buying: list[Row] = [
        (item.sku, None if changing.get(item.sku, set()) - {item.vendor} else _seller(state, item))
        for item in asked.orderable
    ]
    after: list[Row] = [(item.sku, *_after(dated[item.sku])) for item in asked.dated]
    asked.unlinked.lines_max = asked.misplaced.lines_max = share(state.rules, len(buying))
    asked.held.lines_max = share_of_dated(state.rules, len(after))
    answers = [
        _ask(tx, asked.unlinked, _UNLINKED, [row[:1] for row in buying]),
        _ask(tx, asked.misplaced, _MISPLACED, buying),
        _ask(tx, asked.held, _HELD, after),
    ]
    given: list[Row] = [
        (item.sku, row.place)
        for item in asked.reserved_of
        for row in sorted(item.stock.values(), key=lambda row: row.place)
        if row.allocated
    ]
    asked.reserved.lines_max = share(state.rules, len(given))
    reserved = tx.ask_first(_RESERVED, given, asked.reserved.lines_max + 1)
    for found, answer in zip((asked.unlinked, asked.misplaced, asked.held), answers, strict=True):
        for sku, shop, order_id, line_id in answer():
            found.add(sku, (shop, order_id, line_id))
    for sku, source, shop, order_id, line_id in reserved():
        asked.reserved.add((sku, source), (shop, order_id, line_id))
    return asked


def join(state: State, asked: Asked) -> None:
    """Put the lines, whose orders are loaded by now, to their skus."""
    for item in asked.orderable:
        item.wanting = _wanting(state, asked, item)
    for item in asked.dated:
        item.held = asked.held.some(state, item.sku, _by_destination)
    for item in asked.reserved_of:
        item.reserved = {}
    for sku, source in asked.reserved.lines:
        found = asked.reserved.some(state, (sku, source), reverse=True)
        # Released in between: that takes the lock of the order, not of the sku.
        found.lines = [line for line in found.lines if _has_unreleased(line, source)]
        reserved = state.items[sku].reserved
        assert reserved is not None
        if found.lines or found.more:
            reserved[source] = found


def slots(state: State, changing: Sellers) -> set[SlotKey]:
    """Return where the lines that may have to be linked are ordered."""
    return {
        (vendor, line.destination)
        for item in state.items.values()
        for vendor in changing.get(item.sku, set()) | {item.vendor}
        if vendor is not None
        for line in item.wanting.lines
    }


def _items(state: State, skus: Iterable[str]) -> list[Item]:
    return [state.items[sku] for sku in sorted(skus) if sku in state.items]


def _seller(state: State, item: Item) -> str | None:
    """Return the vendor automation may order from now; None: it may not."""
    automatic = state.rules.auto_replenish_enabled and item.policy.auto_replenish
    return item.vendor if automatic else None


def _ask(tx: Transaction, found: Found[str], firsts: Firsts, given: list[Row]) -> Answer:
    return tx.ask_first(firsts, given, found.lines_max + 1)


def _after(passed: tuple[str, Rank] | None) -> Row:
    if passed is None:
        return _BEFORE_ALL
    destination, (priority, placed_at, shop, order_id, position) = passed
    return (destination, priority, instant_text(placed_at), shop, order_id, position)


def _wanting(state: State, asked: Asked, item: Item) -> Some:
    found = (asked.unlinked, asked.misplaced)
    unlinked, misplaced = (lines.some(state, item.sku) for lines in found)
    lines = {id(line): line for line in (*unlinked.lines, *misplaced.lines)}
    to_link = unlinked.more and (item.sku in asked.changing or _seller(state, item) is not None)
    return Some(sorted(lines.values(), key=lambda line: line.rank), to_link or misplaced.more)


def _by_destination(line: Line) -> tuple[object, ...]:
    return (line.order.destination, line.rank)


def _has_unreleased(line: Line, source: str) -> bool:
    return any(row.source == source and row.release_id is None for row in line.allocations)
