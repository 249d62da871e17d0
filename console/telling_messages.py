"""What was told of an order, and what of it waits or was set aside, one sentence each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.telling_words import apart, be, day, instant, listed, units_of, wait
from store.views.story import Happening

Data = Mapping[str, Any]


def told(kind: str, data: Data) -> str:
    """Return what an event out said to whom."""
    tell = TOLD.get(kind)
    return tell[1](data) if tell is not None else f"{kind} was told"


def rule_of(happening: Happening) -> str | None:
    """Return the rule by which something was decided, told, kept waiting or set aside."""
    name, kind = happening.name, happening.event["type"] or ""
    match happening.kind:
        case "decided":
            return name
        case "told" if name in TOLD:
            return "S11" if (name, kind) == ("BackToShip", "BackToShipRequested") else TOLD[name][0]
        case "raised":
            return _REFUSING.get(kind) if name == "refused" else _RAISED.get(name)
        case "waits":
            return "S6" if name == "sku" else "C3"
        case _:
            return _ASIDE.get((name, kind), _ASIDE.get((name, "")))


def raised(facts: Data) -> str:
    """Return what a person was asked to look at."""
    return f"a person has to look: {facts['message']}"


def waits(name: str, facts: Data, order: str) -> str:
    """Return what an event waits for."""
    if name == "sku":
        return f"{order} waits: sku {facts['sku']} is being served to others first"
    return f"{order} waits for the order it names"


_SINCE = {
    "retrying": "; it is to be tried again",
    "discarded": "; a person has discarded it",
}


def set_aside(reason: str, facts: Data, event: str) -> str:
    """Return why an event had no effect."""
    why = reason.replace("_", " ")
    since = _SINCE.get(facts.get("state", ""), "")
    return f"{event} had no effect and was set aside ({why}): {facts['message']}{since}"


def _lines(lines: Sequence[Data]) -> str:
    return listed(units_of(line["qty"], line["sku"]) for line in lines)


def _ready(data: Data) -> str:
    whole = "; that is all of it" if data["order_complete"] else ""
    return f"{_picker(data)} told to ship {_lines(data['lines'])}{whole}"


def _back(data: Data) -> str:
    since = instant(data.get("waited_since"))
    waited = f", which waited since {day(since)}" if since is not None else ""
    return f"{_ready({**data, 'order_complete': False})}{waited}" + (
        "; that is all of it" if data["order_complete"] else ""
    )


def _withdrawn(data: Data) -> str:
    return f"{_picker(data)} told not to ship {_lines(data['lines'])} after all"


def _picker(data: Data) -> str:
    return "the pickers were" if data["source"] is None else f"{data['source']} was"


def _backordered(data: Data) -> str:
    return f"the shop was told that {'; '.join(_held(line) for line in data['lines'])}"


def _held(line: Data) -> str:
    at = instant(line["expected_at"])
    when = "with no date" if at is None else f"expected {day(at)}"
    instead = f" ({listed(line['alternatives'])} instead)" if line["alternatives"] else ""
    return f"{units_of(line['qty'], line['sku'])} {wait(line['qty'])}, {when}{instead}"


def _rejected(data: Data) -> str:
    refused = sum(line["qty"] for line in data["lines"])
    return f"the shop was told that {_lines(data['lines'])} {be(refused)} refused"


def _redated(data: Data) -> str:
    return f"the shop was told the new date: {'; '.join(_redate(line) for line in data['lines'])}"


def _redate(line: Data) -> str:
    at, before = instant(line["expected_at"]), instant(line["was"])
    if at is not None and before is not None:
        new, old = apart(at, before)
    else:
        new, old = ("not known" if date is None else day(date) for date in (at, before))
    return f"{line['sku']} {new}, before {old}"


# The rule and the words of what is told of one order.
TOLD: Mapping[str, tuple[str, Callable[[Data], str]]] = {
    "ReadyToShip": ("O9", _ready),
    "BackToShip": ("S5", _back),
    "ReleaseCancelled": ("O11", _withdrawn),
    "OrderBackordered": ("O8", _backordered),
    "OrderRejected": ("O7", _rejected),
    "ExpectedDateChanged": ("R12", _redated),
}

_RAISED = {
    "no_vendor": "R7",
    "surplus": "R8",
    "supply_lost": "R5",
    "over_receipt": "S1",
    "late_receipt": "S1",
    "unknown_replenishment": "S1",
    "wrong_place": "S1",
    "bad_destination": "P4",
    "place_disabled": "P4",
    "over_shipment": "S9",
    "stock_missing": "S7",
    "over_allocated": "S8",
    "over_cancelled": "C1",
}
_REFUSING = {
    "BackToShipRequested": "S11",
    "LineBackordered": "S10",
    "ReplenishmentRequested": "R9",
    "ReplenishmentClosed": "R5",
}
# By reason and type; "" is any type.
_ASIDE = {
    ("conflict", "OrderChanged"): "C2",
    ("conflict", ""): "C4",
    ("not_found_in_time", ""): "C3",
}
