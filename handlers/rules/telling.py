"""What shops are told of lines that wait: that they do (O8), that their date is another (R12)."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from events.outbound import BackorderedLine, ExpectedDateChanged, OrderBackordered, RedatedLine
from events.values import Customer
from events.vocabulary import BackorderPolicy
from handlers.rules.allocation import leave_over
from handlers.rules.judging import name_unserved
from handlers.rules.promises import (
    Promise,
    Supply,
    expected,
    later,
    latest,
    of_link,
    reach,
    supplies,
)
from handlers.rules.release import subject
from handlers.state import Item, Line, Order, OrderKey, Rank, TaskKind, Unloaded
from handlers.turn import Turn

UNTOLD = "untold"  # the task tells only who waits again
Held = tuple[str, Rank]  # destination and rank of a held line: the order in which dates are asked


def tell_held(turn: Turn, order: Order, held: Sequence[Line]) -> None:
    """Tell that lines wait, until when, and what could be had instead (O8, R11)."""
    state = turn.state
    lines = []
    for line in held:
        item = state.item(line.sku)
        promise = expected(state, item, line, turn.at)
        _note(line, promise)
        turn.because(line, "R11", **_numbers(line, promise))
        lines.append(
            BackorderedLine(
                line_id=line.line_id,
                sku=line.sku,
                qty=line.shortage,
                expected_at=line.told_expected_at,
                alternatives=item.alternatives,
                notify=item.policy.backorder_policy is BackorderPolicy.NOTIFY,
            )
        )
    turn.emit(
        OrderBackordered(
            shop=order.shop,
            order_id=order.order_id,
            lines=tuple(lines),
            expected_at=latest(line.expected_at for line in lines),
            customer=_customer(order),
        ),
        subject(order),
        order.shop,
        order.order_id,
        *turn.apart,
    )


def tell_judged(turn: Turn) -> None:
    """Tell of the lines that wait since they were judged (O8)."""
    held = [line for line in turn.judged if line.shortage]
    turn.judged.clear()
    for lines in _by_order(held).values():
        tell_held(turn, lines[0].order, lines)


def name_held_anew(turn: Turn) -> None:
    """Name what nobody brings of the lines this turn made wait again (R7)."""
    if not turn.held_anew:
        return
    for lines in _by_order(_to_tell(turn)).values():
        name_unserved(turn, lines[0].order, lines)


def tell_held_anew(turn: Turn) -> None:
    """Tell of the lines that this turn made wait again and did not serve from elsewhere (O8).

    While something of their sku is unfinished it may still serve them: then a task tells (S6).
    """
    if not (turn.held_anew or turn.waiting_anew or turn.untold):
        return
    now = _to_tell(turn)
    turn.held_anew.clear()
    for lines in _by_order(turn.waiting_anew).values():
        name_unserved(turn, lines[0].order, lines)
    now += turn.waiting_anew
    turn.waiting_anew.clear()
    for item in turn.untold.values():
        leave_over(turn, item, TaskKind.DATE, name=UNTOLD)
    turn.untold.clear()
    for lines in _by_order(now).values():
        tell_held(turn, lines[0].order, lines)


def _to_tell(turn: Turn) -> list[Line]:
    """Return the lines made to wait again that no task will tell of."""
    if turn.step is not None and turn.step.kind is TaskKind.TRIM:
        return []
    lines = []
    for line in turn.held_anew:
        item = turn.state.item(line.sku)
        if item.busy and item.sku not in turn.state.exempt:
            turn.untold[item.sku] = item
        elif line.shortage and item.sku not in turn.untold:
            lines.append(line)
    return lines


def _by_order(lines: Iterable[Line]) -> dict[OrderKey, list[Line]]:
    """Return lines by order, each once and in the order of its order."""
    found: dict[OrderKey, dict[int, Line]] = {}
    for line in lines:
        found.setdefault(line.order.key, {})[line.position] = line
    return {key: [rows[at] for at in sorted(rows)] for key, rows in found.items()}


def redate(turn: Turn, item: Item, cursor: str = "", name: str | None = None) -> None:
    """Note which held lines of a sku have another date than they were told (R12).

    Those that wait again and were not told yet are noted too (O8); with the name UNTOLD they alone.

    Dates are asked line by line along the queue of each destination, so that each is one step from
    the one before. More lines than one transaction holds: a task goes on at `cursor` (S6).
    """
    state = turn.state
    if not any(row.shortage for row in item.demand.values()):
        return
    if item.busy and item.sku not in state.exempt:
        leave_over(turn, item, TaskKind.DATE, cursor=cursor, name=name)
        return
    if item.held is None:
        raise Unloaded("held", item.sku)
    walk = _Walk(turn, item, cursor, name)
    for line in sorted(
        _held(item, cursor_after(cursor)), key=lambda row: (row.order.destination, row.rank)
    ):
        walk.ask(line)
    if item.held.more:
        leave_over(turn, item, TaskKind.DATE, cursor=walk.cursor, name=name)


def cursor_after(cursor: str) -> Held | None:
    """Return the destination and rank after which a task's cursor wants held lines."""
    if not cursor:
        return None
    destination, rank, _queued, _linked = json.loads(cursor)
    priority, placed_at, shop, order_id, position = rank
    return destination, (priority, datetime.fromisoformat(placed_at), shop, order_id, position)


def tell_redated(turn: Turn) -> None:
    """Tell each order once which of its lines have another date (R12)."""
    for key, changes in turn.redated.items():
        order = turn.state.orders[key]
        changes.sort(key=lambda change: change[0].position)
        turn.emit(
            ExpectedDateChanged(
                shop=order.shop,
                order_id=order.order_id,
                lines=tuple(
                    RedatedLine(
                        line_id=line.line_id,
                        sku=line.sku,
                        was=was,
                        expected_at=line.told_expected_at,
                    )
                    for line, was in changes
                ),
                customer=_customer(order),
            ),
            subject(order),
            order.shop,
            order.order_id,
            *turn.apart,
        )
    turn.redated.clear()


class _Walk:
    """Along the held lines of a sku: what is queued and linked before the next one."""

    def __init__(self, turn: Turn, item: Item, cursor: str, name: str | None) -> None:
        self.turn = turn
        self.name = name
        self.item = item
        self.destination = ""
        self.queued = 0
        self.linked: dict[str, int] = {}
        self.supplies: list[Supply] = []
        self.begun = cursor
        self.last: Line | None = None
        if cursor:
            self.destination, _rank, self.queued, self.linked = json.loads(cursor)
            self._look()

    def ask(self, line: Line) -> None:
        """Ask for the date of the next line, and note it where it is another."""
        state, at = self.turn.state, self.turn.at
        destination = line.order.destination
        if destination != self.destination:
            self.destination, self.queued = destination, 0
            self._look()
        self.queued += line.queued
        promises = [reach(self.supplies, self.queued)] if line.queued else []
        for link in line.links:
            if link.qty:
                ahead = self.linked.get(link.replenishment_id, 0)
                promises.append(of_link(state, self.item, link, ahead, at))
                self.linked[link.replenishment_id] = ahead + link.qty
        if line.unlinked > 0:
            promises.append(Promise(None))
        self._compare(line, later(promises))
        self.last = line

    @property
    def cursor(self) -> str:
        """Where it has come to, and what stands before, as text for a task."""
        if self.last is None:
            return self.begun
        priority, placed_at, *names = self.last.rank
        rank = [priority, placed_at.isoformat(), *names]
        return json.dumps([self.destination, rank, self.queued, self.linked])

    def _look(self) -> None:
        turn = self.turn
        self.supplies = supplies(turn.state, self.item, self.destination, turn.at)

    def _compare(self, line: Line, promise: Promise) -> None:
        if self.name == UNTOLD and not line.told:
            self.turn.waiting_anew.append(line)
        if self.name == UNTOLD or not line.told:
            return
        if promise.at == line.told_expected_at:
            line.told_days = promise.days  # the same date, perhaps kept by something else now
            return
        if promise.days is not None and promise.days == line.told_days:
            return
        was = line.told_expected_at
        _note(line, promise)
        self.turn.redated.setdefault(line.order.key, []).append((line, was))
        self.turn.because(line, "R12", was=was, **_numbers(line, promise))


def _held(item: Item, first: Held | None) -> list[Line]:
    """Return the held lines that were loaded, and those of this batch that stand among them.

    `first`: where the lines asked for begin; None: at the first of all.
    """
    assert item.held is not None
    lines = {id(line): line for line in item.held.lines if line.shortage}
    last = max(((row.order.destination, row.rank) for row in item.held.lines), default=None)
    for line in item.joined:
        place = (line.order.destination, line.rank)
        if not line.shortage or (first is not None and place <= first):
            continue
        if not item.held.more or (last is not None and place < last):
            lines[id(line)] = line
    return list(lines.values())


def _numbers(line: Line, promise: Promise) -> dict[str, object]:
    """Return what a date was told on: which supply, how many units, and which of them are its."""
    supply = promise.supply
    numbers: dict[str, object] = {"held": line.shortage, "expected_at": promise.at}
    if supply is not None:
        numbers |= {
            "replenishment": supply.replenishment_id,
            "units": supply.qty,
            "last": promise.through,
        }
    return numbers


def _note(line: Line, promise: Promise) -> None:
    line.told = True
    line.told_expected_at = promise.at
    line.told_days = promise.days


def _customer(order: Order) -> Customer | None:
    return None if order.customer is None else Customer(**order.customer)
