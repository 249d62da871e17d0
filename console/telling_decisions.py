"""What the rules decided of a line, one sentence each, with the numbers it was decided on.

A number that is missing (another version decided it) leaves its part of the sentence out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from console.telling_words import apart, be, day, instant, units, units_of, wait, was


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: `by` names the event.

    `bought`: units of the replenishment it names that were bought for this very line until then.
    """

    sku: str | None
    by: str
    numbers: Mapping[str, Any]
    bought: int = 0

    def has(self, name: str) -> bool:
        """Is this number known?"""
        return self.numbers.get(name) is not None

    def count(self, name: str) -> int:
        """Return a number of units; 0 where it is not known."""
        return int(self.numbers.get(name) or 0)

    def text(self, name: str) -> str:
        """Return a name."""
        return str(self.numbers.get(name) or "")

    def units(self, name: str) -> str:
        """Return `2 units of A`."""
        return units_of(self.count(name), self.sku)


def sentence(rule: str, decided: Decided) -> str:
    """Return what a rule decided, as a sentence without its full stop."""
    tell = RULES.get(rule)
    if tell is not None:
        return tell(decided)
    numbers = ", ".join(f"{name} {value}" for name, value in decided.numbers.items())
    return f"decided by rule {rule}: {numbers or 'no numbers are kept'}"


def _way(decided: Decided) -> str:
    if decided.has("drop_ship"):
        return f"{decided.units('drop_ship')} left to the vendor, who ships to you"
    if decided.has("held"):
        return f"{decided.units('held')} {be(decided.count('held'))} bought for you, not from stock"
    return f"{decided.units('qty')} can ship at once: no stock is kept of it, the picker finds it"


def _from_stock(decided: Decided) -> str:
    asked = decided.count("asked")
    held = decided.has("held")
    mine = decided.count("held" if held else "qty")
    part = mine < asked
    what = f"{mine:,} of {decided.units('asked')}" if part else units_of(mine, decided.sku)
    done = wait(mine) if held else f"allocated at {decided.text('source')}"
    if not decided.has("usable"):
        return f"{what} {done}"
    before = f"{decided.count('waiting'):,} held before you"
    return f"{what} {done}: {decided.count('usable'):,} available, {before}"


def _refused(decided: Decided) -> str:
    whys = {
        "out_of_stock": "it is not there and may not wait",
        "backorder_limit": "more of it would wait than may",
        "min_sale_qty": "so few of it are not sold",
        "sale_increment": "it is sold in other multiples only",
    }
    why = whys.get(decided.text("reason"), decided.text("reason").replace("_", " "))
    could = f"; {decided.count('sellable'):,} could be had" if decided.has("sellable") else ""
    return f"{decided.units('qty')} refused: {why}{could}"


def _hold(decided: Decided) -> str:
    if decided.has("cleared"):
        return f"hold {decided.text('cleared')} lifted"
    waits = f"{decided.units('pending')} {wait(decided.count('pending'))} for the payment"
    return f"{waits}; nothing is kept or bought for it before"


def _filled(decided: Decided) -> str:
    what = f"filled with {decided.units('qty')} at {decided.text('source')} by {decided.by}"
    if decided.has("replenishment"):
        return f"{what}; bought for you with replenishment {decided.text('replenishment')}"
    before = decided.count("before")
    if not before:
        return what
    return f"{what}; just before you in the queue: {before:,} line{'s' if before > 1 else ''}"


def _taken(decided: Decided) -> str:
    there = f": only {decided.count('on_hand'):,} are there" if decided.has("on_hand") else ""
    return (
        f"{decided.units('qty')} at {decided.text('source')} wait again after {decided.by}{there}"
    )


def _not_sent(decided: Decided) -> str:
    what, place = decided.units("qty"), decided.text("source")
    if decided.text("reason") == "short_pick":
        return f"{what} not found at {place} and written off there; you wait for others"
    return f"{what} at {place} held back by a person, and free for others"


def _asked(decided: Decided) -> str:
    if decided.has("lifted"):
        return f"the hold a person had put on {decided.units('lifted')} is lifted"
    return f"{decided.units('qty')} may go at once: a person asked for it"


def _shipped(decided: Decided) -> str:
    return f"{decided.units('qty')} shipped from {decided.text('source')} with {decided.by}"


def _cancelled(decided: Decided) -> str:
    waiting = decided.count("waiting")
    some = f", {waiting:,} of them {was(waiting)} waiting" if decided.has("waiting") else ""
    return f"{decided.units('qty')} cancelled{some}"


def _more(decided: Decided) -> str:
    return f"{decided.count('more'):,} more {_unit(decided, 'more')} ordered by {decided.by}"


def _early(decided: Decided) -> str:
    return f"{decided.units('qty')} cancelled before the order came"


def _bought(decided: Decided) -> str:
    return (
        f"{decided.units('qty')} bought for you with replenishment {decided.text('replenishment')}"
    )


def _picked(decided: Decided) -> str:
    where = f"put on replenishment {decided.text('replenishment')} for you"
    return f"{decided.units('qty')} {where} by {decided.by}"


def _expected(decided: Decided) -> str:
    at = instant(decided.numbers.get("expected_at"))
    return f"{_when(decided, None if at is None else day(at))}{_supply(decided)}"


def _expected_anew(decided: Decided) -> str:
    at, was_at = (instant(decided.numbers.get(name)) for name in ("expected_at", "was"))
    if at is None or was_at is None:
        new, old = (None if date is None else day(date) for date in (at, was_at))
    else:
        new, old = apart(at, was_at)
    told = "with no date before" if old is None else f"before: {old}"
    return f"{_when(decided, new)}, {told}{_supply(decided)}"


def _when(decided: Decided, date: str | None) -> str:
    if date is None:
        return f"no date is known yet for {decided.units('held')}"
    there = decided.has("units") and not decided.has("replenishment")
    return f"{decided.units('held')} expected {'any day now' if there else date}"


def _supply(decided: Decided) -> str:
    """Return which units a date stands on, and which of them are the line's."""
    if not decided.has("units"):
        return ""
    held, last, there = (decided.count(name) for name in ("held", "last", "units"))
    name = decided.text("replenishment")
    what = f"replenishment {name}, {units(there)}" if name else f"{units(there)} lie there already"
    if decided.bought:
        return f": {what}, {min(held, there, decided.bought):,} of them for you alone"
    if not last:
        return f": {what}"
    first = max(1, last - held + 1)
    mine = f"unit {last:,}" if first == last else f"units {first:,}\N{EN DASH}{last:,}"
    return f": {what}, you are {mine}"


def _unit(decided: Decided, name: str) -> str:
    return units_of(decided.count(name), decided.sku).split(" ", 1)[1]


RULES: Mapping[str, Callable[[Decided], str]] = {
    "C1": _cancelled,
    "C2": _more,
    "C3": _early,
    "O2": _way,
    "O3": _from_stock,
    "O4": _refused,
    "O5": _refused,
    "O6": _refused,
    "O10": _hold,
    "R9": _picked,
    "R10": _bought,
    "R11": _expected,
    "R12": _expected_anew,
    "S4": _filled,
    "S8": _taken,
    "S9": _shipped,
    "S10": _not_sent,
    "S11": _asked,
}
