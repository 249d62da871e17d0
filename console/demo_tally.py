"""What happened in a demo, counted from what Backship said, as anybody could who listens to it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

_SECONDS_PER_HOUR = 3_600
_HOURS_PER_DAY = 24

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """A release by `BackToShip`: how long its order waited, and what brought the goods."""

    seconds: float
    order_id: str
    line_id: str
    sku: str
    replenishment_id: str | None


@dataclass(slots=True)
class Tally:
    """Counts of units unless said otherwise. Bounded: waits are counted by the hour.

    `brought_by`: the replenishment each sku came with last, as the warehouse knows it.
    """

    brought_by: Mapping[str, str] = field(default_factory=dict)
    at_once: int = 0
    back_ordered: int = 0
    back_ordered_lines: int = 0
    back_ordered_orders: int = 0
    rejected: int = 0
    rejected_lines: int = 0
    back_to_ship: int = 0
    withdrawn: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    """Events out, by type."""
    exceptions: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    """Lines released by `BackToShip`, by the full hours they waited."""
    longest: Wait | None = None
    held: dict[date, int] = field(default_factory=dict)
    """Units held at the end of each day on which anything happened."""

    def hear(self, kind: str, at: datetime, data: Fields) -> None:
        """Count one event out."""
        self.messages[kind] += 1
        units = sum(line.get("qty", 0) for line in data.get("lines", ()))
        match kind:
            case "ReadyToShip":
                self.at_once += units
            case "BackToShip":
                self.back_to_ship += units
                self._waited(at, data)
            case "ReleaseCancelled":
                self.withdrawn += units
            case "OrderBackordered":
                self.back_ordered += units
                self.back_ordered_lines += len(data["lines"])
                self.back_ordered_orders += 1
            case "OrderRejected":
                self.rejected += units
                self.rejected_lines += len(data["lines"])
            case "ExceptionRaised":
                self.exceptions[data["code"]] += 1
            case _:
                pass  # counted, and nothing more

    def _waited(self, at: datetime, data: Fields) -> None:
        seconds = (at - datetime.fromisoformat(data["waited_since"])).total_seconds()
        self.waits[int(seconds // _SECONDS_PER_HOUR)] += len(data["lines"])
        if self.longest is not None and seconds <= self.longest.seconds:
            return
        line = data["lines"][0]
        moved = data["caused_by"]["type"] == "StockTransferred"
        self.longest = Wait(
            seconds,
            data["order_id"],
            line["line_id"],
            line["sku"],
            self.brought_by.get(line["sku"]) if moved else None,
        )

    def median_wait_days(self) -> float:
        """Return the days half of the released lines waited at most; 0 where none waited."""
        half, seen = self.waits.total() / 2, 0
        for hours in sorted(self.waits):
            seen += self.waits[hours]
            if seen >= half:
                return hours / _HOURS_PER_DAY
        return 0.0

    def worst_wait_days(self) -> float:
        """Return the days the line waited that waited longest; 0 where none waited."""
        seconds = 0.0 if self.longest is None else self.longest.seconds
        return seconds / _SECONDS_PER_HOUR / _HOURS_PER_DAY
