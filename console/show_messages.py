"""What was told, for a person or a program."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from console import screen
from console.trouble import Status
from store.views.shapes import ExceptionView


def exceptions(views: Iterator[ExceptionView], *, as_json: bool) -> int:
    """List what a person must look at."""
    if as_json:
        screen.documents(screen.json_text(view) for view in views)
        return Status.DONE
    screen.pages(
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
    screen.pages(
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


def _refs(refs: Mapping[str, str]) -> str:
    """Return what something is about, in a few words."""
    about = dict(refs)
    order_id = about.pop("order_id", None)
    shop = about.pop("shop", None)
    parts = [f"{shop}/{order_id}"] if order_id else ([f"shop {shop}"] if shop else [])
    return ", ".join(
        [*parts, *(f"{name.removesuffix('_id')} {value}" for name, value in about.items())]
    )
