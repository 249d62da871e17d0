"""What must hold after any history (domain.md §8), asked of a house between two batches.

Every question is asked of rows re-derived here, never of the counter it is about.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from events.envelope import Cause
from events.outbound import ExceptionRaised
from events.vocabulary import ExceptionCode
from handlers.batch import concerns
from handlers.rules.release import together
from handlers.rules.replenishment import replenish
from handlers.rules.sellable import sources_of, status
from handlers.state import INCOMING, Item, Line, Sourced, State, TaskKind
from handlers.turn import Books, Origin, Turn
from tests.support.house import House, balanced
from tests.support.wire import T0


def check(house: House) -> None:
    """Ask everything."""
    state = house.state
    _ledger(house)
    for item in state.items.values():
        lines = _lines_of(state, item)
        _lines(lines)
        _allocated(item, lines)
        _demand(item, lines)
        _links(state, item, lines)
        if _settled(house, item):
            _nobody_waits_for_free_stock(state, item, lines)
            _no_more_is_promised_than_is_there(house, item)
            _statuses(state, item)
    _releases(state)
    _one_open_replenishment(state)
    _needs_are_met(house)
    twice = [
        row
        for told_id, row in zip(house.emitted_ids, house.emitted, strict=True)
        if house.emitted_ids.count(told_id) > 1
    ]
    assert not twice, f"told under one id: {twice}"


def _settled(house: House, item: Item) -> bool:
    """Is no fill of it unfinished, and no policy change on its way to it (S6)?"""
    walks = (task for task in house.tasks if task.kind is TaskKind.WALK)
    return not item.busy and not any(
        item.sku > walk.cursor and concerns(walk, item) for walk in walks
    )


def _lines_of(state: State, item: Item) -> list[Line]:
    every = (line for order in state.orders.values() for line in order.lines.values())
    return [line for line in every if line.sku == item.sku]


def _ledger(house: House) -> None:
    """L1, L2: what movements add up to is there, and it is never less than nothing."""
    sums: dict[tuple[str, str], int] = {}
    for row in house.movements:
        assert row.qty > 0
        assert (row.origin is None or row.target is None) == (row.outside is not None)
        if row.target is not None:
            sums[row.sku, row.target] = sums.get((row.sku, row.target), 0) + row.qty
        if row.origin is not None:
            sums[row.sku, row.origin] = sums.get((row.sku, row.origin), 0) - row.qty
    on_hand = {
        (item.sku, place): row.on_hand
        for item in house.state.items.values()
        for place, row in item.stock.items()
    }
    assert {key: qty for key, qty in on_hand.items() if qty} == {
        key: qty for key, qty in sums.items() if qty
    }
    assert all(qty >= 0 for qty in on_hand.values())
    names = [(row.cause, row.n) for row in house.movements]
    assert len(set(names)) == len(names), "two movements have one name"


def _lines(lines: Iterable[Line]) -> None:
    """L3: the quantities of a line add up, and none is negative."""
    for line in lines:
        assert balanced(line), line.line_id
        terms = (line.shortage, line.pending, line.drop_ship)
        ends = (line.shipped, line.cancelled, line.rejected)
        assert min(*terms, *ends, *(row.qty for row in line.allocations), 0) == 0
        assert line.pending == 0 or line.order.pending, "only a payment is waited for so (O10)"
        assert line.drop_ship == 0 or line.sourced is Sourced.DROP_SHIP
        for row in line.allocations:
            assert not row.qty or (row.source is not None) == (
                line.sourced is not Sourced.UNMANAGED
            )


def _allocated(item: Item, lines: Iterable[Line]) -> None:
    """L3: what is promised at a source is what lines were promised there."""
    sums: dict[str, int] = {}
    for line in lines:
        for row in line.allocations:
            if row.source is not None:
                sums[row.source] = sums.get(row.source, 0) + row.qty
    assert {place: row.allocated for place, row in item.stock.items() if row.allocated} == {
        place: qty for place, qty in sums.items() if qty
    }


def _demand(item: Item, lines: Iterable[Line]) -> None:
    """L4: what waits by destination and shop is what lines are short of."""
    for name in ("shortage", "queued", "fillable"):
        sums: dict[tuple[str, str], int] = {}
        for line in lines:
            key = (line.order.destination, line.order.shop)
            sums[key] = sums.get(key, 0) + getattr(line, name)
        kept = {key: getattr(row, name) for key, row in item.demand.items()}
        assert _some(kept) == _some(sums), name


def _links(state: State, item: Item, lines: Iterable[Line]) -> None:
    """R10: what is bought for single lines is what they need at most, and what can still come."""
    linked: dict[tuple[str, bool], int] = {}
    for line in lines:
        needed = line.drop_ship if line.sourced is Sourced.DROP_SHIP else line.shortage
        assert line.linked <= needed, f"{line.order.key} is linked to more than it needs"
        for link in line.links:
            assert link.qty >= 0
            key = (link.replenishment_id, link.by_hand)
            linked[key] = linked.get(key, 0) + link.qty
    docked: dict[str, int] = {}
    kept: dict[tuple[str, bool], int] = {}
    for name, row in state.replenishments.items():
        bought = row.lines.get(item.sku)
        if bought is None:
            continue
        kept |= {(name, False): bought.linked, (name, True): bought.picked}
        for place, qty in bought.docked.items():
            assert qty > 0
            assert item.busy or not state.places[place].picks, (
                "at a source they fill or are ordinary stock"
            )
            docked[place] = docked.get(place, 0) + qty
        assert bought.at_docks <= bought.for_lines
        if not item.busy and not row.is_open:
            coming = bought.short_of if row.incoming else 0
            assert bought.for_lines <= coming + bought.at_docks, f"{name} brings less"
    assert _some(kept) == _some(linked)
    for place, qty in docked.items():
        assert item.busy or qty <= item.stock[place].on_hand, f"more is linked than lies at {place}"


def _some(sums: Mapping[Any, int]) -> dict[Any, int]:
    return {key: qty for key, qty in sums.items() if qty}


def _nobody_waits_for_free_stock(state: State, item: Item, lines: Iterable[Line]) -> None:
    """§8: no held line while there are units above the safety stock that its shop may use."""
    for line in lines:
        if not line.fillable:
            continue
        if not state.rules.keep_partial_allocations and together(line):
            continue  # it waits for what it may not leave without (O9)
        here = [
            item.stock[name] for name in sources_of(state, line.order.shop) if name in item.stock
        ]
        free = sum(row.on_hand - row.allocated for row in here) - item.policy.safety_stock
        best = max((row.on_hand - row.allocated for row in here), default=0)
        assert free <= 0 or best <= 0, f"{line.order.key} waits for {item.sku}"


def _no_more_is_promised_than_is_there(house: House, item: Item) -> None:
    """S8: what is promised and not there is released, and an exception has said so."""
    told = {
        (row.refs.sku, row.refs.place)
        for row in house.emitted
        if isinstance(row, ExceptionRaised) and row.code is ExceptionCode.OVER_ALLOCATED
    }
    for place, row in item.stock.items():
        if row.allocated <= row.on_hand:
            continue
        assert (item.sku, place) in told
        lines = house.lines_of(item.sku)
        there = [part for line in lines for part in line.allocations if part.source == place]
        over = row.allocated - row.on_hand
        assert over <= sum(part.qty for part in there if part.release_id), "unreleased goes first"


def _releases(state: State) -> None:
    """O9, O10: what may go was told to go, and nothing of an order that waits for its payment."""
    for order in state.orders.values():
        for line in order.lines.values():
            if order.holds or order.release == "manual" or not line.unreleased:
                continue
            peers = together(line)
            assert any(peer.shortage or peer.pending for peer in peers), f"{order.key} may go"


def _statuses(state: State, item: Item) -> None:
    """S13: every shop was last told what is so."""
    for shop in state.shops:
        assert item.statuses.get(shop, item.base_status) == status(state, item, shop)


def _one_open_replenishment(state: State) -> None:
    """R1, and that slots and skus know the replenishments they belong to."""
    opened = [row for row in state.replenishments.values() if row.is_open]
    slots = [(row.vendor, row.destination) for row in opened]
    assert len(set(slots)) == len(slots)
    named = {key: slot.open_id for key, slot in state.slots.items() if slot.open_id is not None}
    assert named == {(row.vendor, row.destination): row.replenishment_id for row in opened}
    for row in opened:
        assert any(line.qty for line in row.lines.values()), "an empty one is cancelled (R3)"
    for row in state.replenishments.values():
        for line in row.lines.values():
            assert line.received <= line.qty or not row.is_open
            if row.is_open or (row.state in INCOMING and line.short_of):
                assert row.replenishment_id in state.items[line.sku].supply


def _needs_are_met(house: House) -> None:
    """R2: every open replenishment is what the function says; asking again changes nothing."""
    books = Books(house.state, house.now)
    turn = Turn(books, Origin(Cause("/tests", "again", "Again"), T0))
    before = _open_quantities(house.state)
    house.look()
    for item in house.state.items.values():
        if _settled(house, item):
            replenish(turn, item)
    assert (after := _open_quantities(house.state)) == before, f"needed: {after}, open: {before}"
    assert not books.changed
    assert not books.decision.emissions


def _open_quantities(state: State) -> dict[tuple[str, str, str], int]:
    return {
        (row.vendor, row.destination, line.sku): line.qty
        for row in state.replenishments.values()
        if row.is_open
        for line in row.lines.values()
    }
