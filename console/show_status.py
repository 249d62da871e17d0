"""The screen of `backship status`: the verdict, the reasons, the figures, the workers."""

from collections.abc import Iterable

from console import screen
from console.screen import Cell
from store.views.shapes import StatusView


def lines(view: StatusView) -> Iterable[str]:
    """Return the whole screen, line by line."""
    yield f"{view['verdict'].upper()}  {screen.plain(view['at'])} UTC"
    for reason in view["reasons"]:
        yield f"  {reason['verdict']}: {screen.printable(reason['text'])}"
    yield ""
    pairs = list(_pairs(view))
    width = max(len(name) for name, _value in pairs)
    for name, value in pairs:
        yield f"{name:<{width}}  {screen.plain(value)}"
    yield ""
    for worker in view["workers"] or ():
        state = worker["state"] if worker["alive"] else "not seen since then"
        yield (
            f"worker {screen.printable(worker['worker_id'])}  {state}  "
            f"seen {worker['seen_at']:%Y-%m-%d %H:%M:%S}  settled {worker['settled']:,}  "
            f"version {screen.printable(worker['version'])}"
        )
    for name, why in view["unknown"].items():
        yield f"not known: {name}: {screen.printable(why)}"


def _pairs(view: StatusView) -> Iterable[tuple[str, Cell]]:
    queue, outbox, waiting = view["queue"], view["outbox"], view["waiting"]
    aside, exceptions = view["set_aside"], view["exceptions"]

    def counted(name: str, value: int | None) -> Cell:
        return f"{value:,}+" if value is not None and name in view["at_least"] else value

    yield "inbox, ready", None if queue is None else queue["ready"]
    yield "  with what workers hold", None if queue is None else queue["outstanding"]
    yield "  oldest message", None if queue is None else _age(queue["oldest_age_seconds"])
    yield "dead queue", view["dead_queue"]
    yield "unrouted", view["unrouted"]
    yield "held orders", counted("held_orders", view["held_orders"])
    yield "open replenishments", counted("open_replenishments", view["open_replenishments"])
    yield "outbox", None if outbox is None else counted("outbox.count", outbox["count"])
    yield "  oldest", None if outbox is None else _age(outbox["oldest_age_seconds"])
    yield (
        "  held back",
        None if outbox is None else counted("outbox.held_back", outbox["held_back"]),
    )
    for name in ("orders", "replenishments", "skus"):
        value = None if waiting is None else waiting[name]
        yield f"events waiting for {name}", counted(f"waiting.{name}", value)
    yield "  oldest", None if waiting is None else _age(waiting["oldest_age_seconds"])
    yield "unfinished steps", counted("tasks", view["tasks"])
    yield "set aside", None if aside is None else counted("set_aside.total", aside["total"])
    for reason, count in (aside["by_reason"] if aside is not None else {}).items():
        yield f"  {reason}", count
    yield "  being retried", counted("retrying", view["retrying"])
    total = None if exceptions is None else counted("exceptions.total", exceptions["total"])
    yield "exceptions", total
    last = None if exceptions is None else exceptions["last_24h"]
    yield "  in the last 24 hours", counted("exceptions.last_24h", last)
    yield "workers alive", view["workers_alive"]


def _age(seconds: float | None) -> str | None:
    """Return an age as a person says it; None: nothing is there, or it is not known."""
    if seconds is None:
        return None
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.1f} s"
    if seconds < 7_200:  # noqa: PLR2004 - two hours
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"
