"""What was told and what was set aside, for a person or a program."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from console import screen
from console.trouble import Status
from store.views.shapes import ExceptionView, SetAsideView

_PAGE_ROWS = 500  # a table is laid out as a whole; of long lists, one page at a time


def exceptions(views: Iterator[ExceptionView], *, as_json: bool) -> int:
    """List what a person must look at."""
    if as_json:
        screen.documents(screen.json_text(view) for view in views)
        return Status.DONE
    _pages(
        "Exceptions",
        ("at (UTC)", "code", "reason", "message", "about"),
        (
            (view["at"], view["code"], view["reason"], view["message"], _refs(view["refs"]))
            for view in views
        ),
        nothing="Nothing has to be looked at.",
    )
    return Status.DONE


def emitted(bodies: Iterator[str], *, as_json: bool) -> int:
    """List what was emitted; to programs as it went out."""
    if as_json:
        screen.documents(bodies)
        return Status.DONE
    _pages(
        "Emitted",
        ("time (UTC)", "type", "about", "what"),
        (_envelope(orjson.loads(body)) for body in bodies),
        nothing="Nothing was emitted.",
    )
    return Status.DONE


def _envelope(envelope: Mapping[str, Any]) -> tuple[datetime, str, str, str]:
    data = envelope["data"]
    about = envelope.get("subject") or _refs(data.get("refs", {}))
    lines = data.get("lines")
    if lines:
        units = sum(line.get("qty", 0) for line in lines)
        what = screen.counted(len(lines), "line")
        what += f", {screen.counted(units, 'unit')}" if units else ""
    else:
        what = data.get("message") or data.get("status") or ""
    return datetime.fromisoformat(envelope["time"]), envelope["type"], about, what


def dead_list(views: Sequence[SetAsideView], *, as_json: bool) -> int:
    """List what was set aside: first how many of a kind, then each."""
    if as_json:
        screen.document(views)
        return Status.DONE
    groups = Counter((view["reason"], view["type"], view["field"]) for view in views)
    screen.table(
        "By reason, type and field",
        ("reason", "type", "field", "events"),
        [(*group, count) for group, count in groups.most_common()],
        nothing="Nothing is set aside.",
    )
    if views:
        screen.table(
            screen.counted(len(views), "event"),
            ("id", "last seen (UTC)", "times", "source", "event", "type", "message"),
            [
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
            ],
        )
    return Status.DONE


def dead_show(key: str, view: SetAsideView | None, *, as_json: bool) -> int:
    """Show one of them whole."""
    if view is None:
        return screen.unknown(f"{key} among what was set aside", as_json=as_json)
    if as_json:
        screen.document(view)
        return Status.DONE
    detail = view["detail"]
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
            *([] if detail is None else [("detail", str(detail))]),
        ],
    )
    screen.say("\nBody")
    screen.say(screen.printable(view["body"]))
    return Status.DONE


def _refs(refs: Mapping[str, str]) -> str:
    """Return what something is about, in a few words."""
    about = dict(refs)
    order_id = about.pop("order_id", None)
    shop = about.pop("shop", None)
    parts = [f"{shop}/{order_id}"] if order_id else ([f"shop {shop}"] if shop else [])
    return ", ".join(
        [*parts, *(f"{name.removesuffix('_id')} {value}" for name, value in about.items())]
    )


def _pages(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[screen.Cell]], *, nothing: str
) -> None:
    listed = iter(rows)
    page = list(islice(listed, _PAGE_ROWS))
    screen.table(title, columns, page, nothing=nothing)
    while page := list(islice(listed, _PAGE_ROWS)):
        screen.table("", columns, page)
