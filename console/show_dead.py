"""What was set aside and what was done about it, for a person or a program."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console import screen
from console.trouble import Status
from events.names import IDENTITY_BYTES_MAX
from store.views.dead import Group
from store.views.shapes import SetAsideView

_DONE_WORDS = {"retry": "to be tried again", "discard": "discarded", "correct": "corrected"}


def listed(groups: Sequence[Group], views: Iterator[SetAsideView], *, as_json: bool) -> int:
    """List what was set aside: first how many of a kind, then each."""
    if as_json:
        screen.documents(screen.json_text(view) for view in views)
        return Status.DONE
    grouped(groups)
    if groups:
        screen.pages(
            screen.counted(sum(count for *_group, count in groups), "event"),
            ("id", "last seen (UTC)", "times", "source", "event", "type", "message"),
            (
                (
                    view["id"],
                    view["last_seen"],
                    view["attempts"],
                    view["source"],
                    view["event_id"],
                    view["type"],
                    view["message"],
                )
                for view in views
            ),
            nothing="",
        )
    return Status.DONE


def grouped(groups: Sequence[Group]) -> None:
    """Show how many there are of a kind."""
    screen.table(
        "By reason, type and field",
        ("reason", "type", "field", "events"),
        groups,
        nothing="Nothing is set aside.",
    )


def shown(key: str, view: SetAsideView | None, *, as_json: bool) -> int:
    """Show one of them whole: why, what was done about it, its body, and where a bug is."""
    if view is None:
        return screen.unknown(f"{key} among what was set aside", as_json=as_json)
    if as_json:
        screen.document(view)
        return Status.DONE
    stack, detail = _parted(view["detail"])
    screen.facts(
        f"Set aside: {key}",
        [
            ("reason", view["reason"]),
            ("field", view["field"]),
            ("message", view["message"]),
            ("source", view["source"]),
            ("event", view["event_id"]),
            ("type", view["type"]),
            ("state", view["state"].replace("_", " ")),
            ("times", view["attempts"]),
            ("first seen (UTC)", view["first_seen"]),
            ("last seen (UTC)", view["last_seen"]),
            *((f"header {name}", str(value)) for name, value in view["headers"].items()),
            *((name, str(value)) for name, value in detail.items()),
        ],
    )
    if view["operations"]:
        screen.table(
            "History",
            ("at (UTC)", "by", "what", "why"),
            [
                (row["at"], row["operator"], _DONE_WORDS[row["action"]], row["why"])
                for row in view["operations"]
            ],
        )
    if stack is not None:
        screen.say("Stack")
        screen.say(screen.printable(f"{stack.rstrip()}\n"))
    screen.say("Body")
    screen.say(screen.printable(view["body"]))
    return Status.DONE


def copy(key: str, view: SetAsideView | None, new_id: str) -> int:
    """Print the envelope with another id, naming what it corrects: to be edited and published."""
    if view is None:
        screen.complain(f"{key} among what was set aside is not known.")
        return Status.NOT_SO
    envelope = _envelope(view["body"])
    if envelope is None:
        screen.complain(f"The body of {key} is no JSON object: there is nothing to correct in it.")
        return Status.NOT_SO
    source, event_id = view["source"], view["event_id"]
    other: dict[str, Any] = {"id": new_id or _other_id(event_id, key)}
    if source is None or event_id is None or view["type"] is None:
        screen.complain(
            f"{key} has no readable source, id and type: "
            "the copy can not name it, and it is to be discarded by hand."
        )
    else:
        other["caused_by"] = {"source": source, "id": event_id, "type": view["type"]}
    first = {"specversion": envelope.get("specversion", "1.0")}
    screen.say(json.dumps({**first, **envelope, **other}, indent=2, ensure_ascii=True))
    return Status.DONE


def _envelope(body: str) -> dict[str, Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _other_id(event_id: str | None, key: str) -> str:
    """Return an id that says whose copy it is, if it can be read and there is room for it."""
    named = f"{event_id or key}-corrected"
    return named if len(named.encode()) <= IDENTITY_BYTES_MAX else f"{key}-corrected"


def _parted(detail: Any) -> tuple[str | None, Mapping[str, Any]]:  # noqa: ANN401 - a document
    """Return the stack of a bug, and what else is known."""
    if not isinstance(detail, dict):
        return None, {} if detail is None else {"detail": detail}
    stack = detail.get("stack")
    rest = {name: value for name, value in detail.items() if name != "stack"}
    return (None if stack is None else str(stack)), rest
