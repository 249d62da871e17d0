"""A house that sees only the heads of its queues, and so fills in steps (S6).

1. Before each decision every queue is cut to `lines_max` lines; what is behind them is `more`.
2. What a batch leaves over is kept: tasks, and events that wait for a busy sku.
3. `step` does the next of it, as a worker does between batches: tasks in their order, a fill on its
   one sku, a walk on its next `skus_max` skus; then what waited for a sku, in the order it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from events.envelope import Event
from events.outbound import Outbound
from handlers import steps
from handlers.batch import concerns, decide
from handlers.decision import Decision, Deferred
from handlers.keys import keys_of
from handlers.rules.sellable import home_of
from handlers.state import Item, Linked, Queue, QueueKey, Rank, Some, Task, TaskKind
from tests.support.builders import item_changed, order_placed, place_changed
from tests.support.house import House
from tests.support.scene import Scene

ORDERS = [order_placed(str(n), [("A", 2)], shop="b" if n % 2 else "a") for n in range(5)]


@dataclass
class StepwiseHouse(House):
    """A house whose fills serve at most `lines_max` lines of a queue in one transaction."""

    lines_max: int = 1
    skus_max: int = 1
    waiting: dict[tuple[str, str], tuple[Event, str]] = field(default_factory=dict)
    _after: dict[str, tuple[str, Rank]] = field(default_factory=dict)
    _at: tuple[str, tuple[bool, Rank] | None] = ("", None)

    def hear(self, *events: Event) -> list[Outbound]:
        """Decide the events as one batch; what it leaves over is for `step`."""
        for sku in sorted(keys_of(events).skus):
            self._see(sku)
        return self._decide(events, exempt=None)

    def step(self) -> list[Outbound] | None:
        """Do one step of what is left over; None: nothing is."""
        if self.tasks:
            task = self.tasks[0]
            return self._walk(task) if task.kind is TaskKind.WALK else self._sku(task)
        if self.waiting:
            sku = next(iter(self.waiting.values()))[1]
            return self._decide([event for event, at in self.waiting.values() if at == sku], sku)
        return None

    def work(self) -> list[Outbound]:
        """Do all that is left over."""
        out: list[Outbound] = []
        while (told := self.step()) is not None:
            out += told
        return out

    def _sku(self, task: Task) -> list[Outbound]:
        sku = task.sku or ""
        keys = steps.keys_of_sku(task)
        self._after = {name: after for name, after in keys.dated.items() if after is not None}
        passed = keys.fill_after.get(sku)
        self._at = ("", None) if passed is None else (passed[0], passed[1:])
        waited_for = {at for _event, at in self.waiting.values()}
        resting = sum(row.sku == sku for row in self.tasks) == 1 and sku not in waited_for
        self._load(exempt=sku)
        self._after, self._at = {}, ("", None)
        return self._settle(steps.step_sku(self.state, task, self.now, resting=resting))

    def _walk(self, task: Task) -> list[Outbound]:
        items = self.state.items
        skus = [sku for sku in sorted(items) if sku > task.cursor and concerns(task, items[sku])]
        self._load(exempt=None)
        decision = steps.step_walk(self.state, task, skus[: self.skus_max], self.now)
        return self._settle(decision)

    def _decide(self, events: Sequence[Event], exempt: str | None) -> list[Outbound]:
        self._load(exempt)
        resting = () if exempt is None else (exempt,)
        heard = [(event, self.now) for event in events]
        decision = decide(self.state, heard, self.now, resting=resting)
        self.outcomes += decision.outcomes
        for event, outcome in decision.outcomes:
            key = (event.source, event.id)
            if isinstance(outcome, Deferred) and outcome.sku is not None:
                self.waiting[key] = (event, outcome.sku)  # again: it keeps its place
            else:
                self.waiting.pop(key, None)
        return self._settle(decision)

    def _settle(self, decision: Decision) -> list[Outbound]:
        rows = {task.task_id: task for task in self.tasks}
        out = self._keep(decision)
        for task in decision.tasks:
            known = rows.setdefault(task.task_id, task)
            assert known is task, "two tasks have one name"
        self.tasks = [task for task in rows.values() if not task.done]
        return out

    def _load(self, exempt: str | None) -> None:
        """Look anew: the walks under way, the heads of all queues, the sku this step may change."""
        self.look()
        self.state.exempt = frozenset() if exempt is None else frozenset({exempt})
        self.state.walks = [replace(task) for task in self.tasks if task.kind is TaskKind.WALK]
        for item in self.state.items.values():
            item.queues = self._heads(item)
            held = [line for line in self.lines_of(item.sku) if line.shortage]
            held.sort(key=lambda line: (line.order.destination, line.rank))
            after = self._after.get(item.sku)
            if after is not None:
                held = [line for line in held if (line.order.destination, line.rank) > after]
            item.held = Some(held[: self.lines_max], more=len(held) > self.lines_max)
            item.reserved = self._reserved(item)
            item.links = self._links(item)

    def _reserved(self, item: Item) -> dict[str, Some]:
        """The last lines in rank with unreleased units at each source."""
        found: dict[str, Some] = {}
        for line in reversed(self.lines_of(item.sku)):
            there = {row.source for row in line.allocations if row.qty and not row.release_id}
            for source in there:
                if source is not None:
                    some = found.setdefault(source, Some())
                    if len(some.lines) < self.lines_max:
                        some.lines.append(line)
                    else:
                        some.more = True
        return found

    def _links(self, item: Item) -> dict[str, Linked]:
        """The first and the last links of each replenishment, in rank order."""
        found: dict[str, Linked] = {}
        for line in self.lines_of(item.sku):
            for link in line.links:
                if link.qty:
                    found.setdefault(link.replenishment_id, Linked()).links.append(link)
        for some in found.values():
            if len(some.links) > 2 * self.lines_max:
                some.links = [*some.links[: self.lines_max], *some.links[-self.lines_max :]]
                some.gap = self.lines_max
        return found

    def _heads(self, item: Item) -> dict[QueueKey, Queue]:
        queues: dict[QueueKey, Queue] = {}
        held = [
            line
            for order in self.state.orders.values()
            for line in order.lines.values()
            if line.sku == item.sku and line.fillable
        ]
        for line in sorted(held, key=lambda row: row.rank):
            place = (home_of(self.state, line.order.destination) != self._at[0], line.rank)
            if self._at[1] is not None and self._at[0] and place <= self._at[1]:
                continue
            queue = queues.setdefault((line.order.destination, line.order.shop), Queue())
            if len(queue.lines) < self.lines_max:
                queue.lines.append(line)
            else:
                queue.more = True
        return queues


class Stepwise:
    """A scene in such a house; what is given is finished before the next begins."""

    def __init__(self, *given: Event, lines_max: int = 1, skus_max: int = 1) -> None:
        self.house = StepwiseHouse(lines_max=lines_max, skus_max=skus_max)
        self.scene = Scene(house=self.house)
        for event in given:
            self.scene.when(event)
            self.finish()

    @classmethod
    def with_a_queue(cls, *changes: Event, **policy: int) -> "Stepwise":
        """After `changes` five orders of 2 A wait for WH: 0, 2, 4 of shop a, 1 and 3 of shop b."""
        vendor = item_changed("A", vendor="V", policy=policy)
        return cls(place_changed("WH"), vendor, *changes, *ORDERS)

    @property
    def held(self) -> int:
        """Units of A that wait."""
        return self.house.state.items["A"].shortage

    def step(self) -> bool:
        """Do the next step; False: nothing was left."""
        return self.scene.follow(self.house.step()) is not None

    def finish(self) -> int:
        """Do all steps; return how many."""
        count = 0
        while self.step():
            count += 1
        return count
