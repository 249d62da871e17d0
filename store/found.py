"""Lines found before their orders are locked and loaded: what is kept of them in between.

Of each question one line more than wanted is looked for: it shows whether there are more.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from handlers.policy import Rules
from handlers.state import Line, OrderKey, Some, State

_LINES_MIN = 16
_DATED_MAX = 128
_DATED_COST = 16  # lines that may get another date cost as much as one that is filled

LineKey = tuple[str, str, str]  # shop, order id, line id
Question = TypeVar("Question", bound=Hashable)


@dataclass(slots=True)
class Found(Generic[Question]):
    """Which lines were found, by the question they answer."""

    lines_max: int = 0
    lines: dict[Question, list[LineKey]] = field(default_factory=dict)

    def add(self, question: Question, line: LineKey) -> None:
        """Note a line."""
        self.lines.setdefault(question, []).append(line)

    @property
    def orders(self) -> set[OrderKey]:
        """The orders to be loaded."""
        return {(shop, order_id) for lines in self.lines.values() for shop, order_id, _ in lines}

    def some(
        self,
        state: State,
        question: Question,
        order: "Callable[[Line], Any] | None" = None,
        *,
        reverse: bool = False,
    ) -> Some:
        """Return the lines, loaded by now, in the order they were asked for (else by rank)."""
        lines = [line_of(state, key) for key in self.lines.get(question, ())]
        lines.sort(key=order or _rank, reverse=reverse)
        return Some(lines[: self.lines_max], len(lines) > self.lines_max)


def line_of(state: State, key: LineKey) -> Line:
    """Return a line of a loaded order."""
    shop, order_id, line_id = key
    return state.orders[shop, order_id].lines[line_id]


def share(rules: Rules, count: int) -> int:
    """Return how many lines of each of so many skus one step may take up (S6)."""
    return max(_LINES_MIN, rules.fill_step_lines_max // max(1, count))


def share_of_dated(rules: Rules, count: int) -> int:
    """Return the same of lines that may only get another date: of many skus more than of few.

    Of each of them a row is read and hardly one is written. What is left to a task lets the events
    on its sku wait: of the thousand skus a wholesaler orders on Mondays every fifth had more than
    sixteen lines, and the steps and those events took two thirds of all time.
    """
    together = min(_DATED_MAX, _DATED_COST * rules.fill_step_lines_max // max(1, count))
    return max(share(rules, count), together)


def _rank(line: Line) -> Any:  # noqa: ANN401 - a tuple that orders
    return line.rank
