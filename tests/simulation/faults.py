"""What goes wrong, how often, and how often it has: drawn anew for each seed.

Every seed has about half of the kinds, each at its own rate (a run in which everything fails all
the time tests little but failing), and a number of each that it does not exceed, so that a run
ends. `counts` tells what was really injected: a simulation that injects nothing proves nothing.
"""

from collections import Counter
from random import Random

from workers.crash import POINTS

# By kind: how likely at each chance, when the seed has it at all, and how often at most.
_KINDS: dict[str, tuple[float, int]] = {
    # a process
    "killed at a crash point": (0.04, 3),
    "killed at a statement": (0.004, 2),
    "killed at a broker call": (0.01, 2),
    "killed amid a publish": (0.05, 2),
    "stopped by SIGTERM": (0.15, 3),
    # the store
    "contention": (0.01, 12),
    "collision": (0.004, 4),
    "connection to the database lost": (0.006, 6),
    "commit refused": (0.03, 4),
    "commit done, answer lost": (0.05, 5),
    "database down": (0.1, 2),
    # the broker, to consumers
    "no connection for a consumer": (0.15, 4),
    "connection lost while receiving": (0.02, 2),
    "consumer cancelled": (0.02, 1),
    "ack lost": (0.06, 2),
    "ack half done": (0.06, 2),
    "ack late": (0.3, 50),
    "delivered twice": (0.05, 8),
    "reordered": (0.1, 20),
    "broker down": (0.15, 2),
    "queue missing": (0.1, 1),
    # the broker, to publishers
    "no connection for a publisher": (0.08, 5),
    "connection lost while publishing": (0.06, 5),
    "confirm lost": (0.03, 12),
    "nacked": (0.03, 12),
    "returned": (0.02, 6),
    "publishers blocked": (0.1, 2),
}

KINDS = (*_KINDS, "killed by a message", "row refused", "bug in a handler", "dead-lettered")
"""All, with those that a message brings with it and one that follows from the others."""


class Faults:
    """The faults of one seed."""

    def __init__(self, rng: Random, only: frozenset[str] | None = None) -> None:
        """Draw which kinds there are; `only`: these, all of them."""
        self._rng = rng
        self.on = True
        self.counts: Counter[str] = Counter()
        self.killed_at: Counter[str] = Counter()
        self._rates: dict[str, float] = {}
        for kind, (rate, _most) in _KINDS.items():
            wanted = rng.random() < 0.55 if only is None else kind in only
            self._rates[kind] = rate * rng.choice((0.5, 1.0, 2.5)) if wanted else 0.0
        self._left = {kind: most for kind, (_rate, most) in _KINDS.items()}
        # A place to die at that is named: rare ones would hardly be met by chance.
        self._appointment = (rng.choice(POINTS), rng.randint(1, 4))

    def hit(self, kind: str) -> bool:
        """Does it go wrong now?"""
        rate = self._rates[kind]
        if not self.on or not rate or not self._left[kind] or self._rng.random() >= rate:
            return False
        self._left[kind] -= 1
        self.counts[kind] += 1
        return True

    def dies_at(self, point: str) -> bool:
        """Does the process die at this crash point now?"""
        named, left = self._appointment
        if self.on and named == point and self._rates["killed at a crash point"]:
            self._appointment = (named, left - 1)
            if left == 1:
                self.counts["killed at a crash point"] += 1
                self.killed_at[point] += 1
                return True
        if self.hit("killed at a crash point"):
            self.killed_at[point] += 1
            return True
        return False

    def happened(self, kind: str) -> None:
        """Count one that was not drawn here."""
        self.counts[kind] += 1
