"""The story of an order, for a person who reads it to a customer, or for a program."""

from collections.abc import Iterator
from itertools import groupby

from console import screen, telling_decisions, telling_messages
from console.telling_decisions import Decided
from console.telling_events import spoken
from console.telling_words import be, listed, minute, units, wait
from console.trouble import Status
from store.views.shapes import StoryEntry
from store.views.story import Happening, Story


def explain(name: str, story: Story | None, *, as_json: bool) -> int:
    """Tell what was decided of an order, by which event and rule, in the order of decision."""
    if story is None:
        return screen.unknown(f"Order {name}", as_json=as_json)
    entries = list(_entries(story))
    if as_json:
        screen.document([entry for entry, _event in entries])
        return Status.DONE
    screen.say(screen.printable(f"Order {name}"))
    many = len(story.skus) > 1
    for (at, event), group in groupby(entries, key=lambda pair: (pair[0]["at"], pair[1])):
        screen.say(screen.printable(f"\n{minute(at)} UTC, {event}"))
        for entry, _event in group:
            line = f"line {entry['line_id']}: " if many and entry["line_id"] is not None else ""
            rule = f" ({entry['rule']})" if entry["rule"] is not None else ""
            screen.say(screen.printable(f"  {line}{entry['text']}{rule}"))
    if story.kept:
        what = f"{units(story.kept)} {be(story.kept)} kept for it and {wait(story.kept)}"
        screen.say(screen.printable(f"\nNow: {what} {_for_what(story)}"))
    return Status.DONE


def _for_what(story: Story) -> str:
    """Return what units that are promised to an order wait for."""
    if story.holds:
        return f"until {listed(f'hold {hold}' for hold in story.holds)} is lifted (O10)"
    return "for a person to send it (O10)" if story.manual else "for the rest of it (O9)"


def _entries(story: Story) -> Iterator[tuple[StoryEntry, str]]:
    """Yield each happening as an entry, with the name of its event."""
    bought: dict[tuple[str | None, str], int] = {}
    for row in story.happenings:
        event = spoken(row.event, row.said)
        text = _text(row, event, bought)
        entry: StoryEntry = {
            "at": row.at,
            "event": row.event,
            "rule": telling_messages.rule_of(row),
            "text": text,
            "line_id": row.line_id,
        }
        yield entry, event


def _text(row: Happening, event: str, bought: dict[tuple[str | None, str], int]) -> str:
    match row.kind:
        case "decided":
            mine = (row.line_id, str(row.facts.get("replenishment")))
            if row.name in {"R9", "R10"}:
                bought[mine] = bought.get(mine, 0) + int(row.facts.get("qty", 0))
            decided = Decided(row.sku, event, row.facts, bought.get(mine, 0))
            return telling_decisions.sentence(row.name, decided)
        case "told":
            return telling_messages.told(row.name, row.facts)
        case "raised":
            return telling_messages.raised(row.facts)
        case "waits":
            return telling_messages.waits(row.name, row.facts, event)
        case "set_aside":
            return telling_messages.set_aside(row.name, row.facts, event)
