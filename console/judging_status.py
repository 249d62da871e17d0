"""The verdict of `backship status`: which figures are no longer well, and what to do about each.

`trouble`: something stands still, or will be lost sight of; a person should act now. `attention`:
something waits for a person, everything else goes on. The alerts of `deploy/prometheus` watch the
same figures; docs/operations.md says what to do at length.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.screen import counted
from store.views.shapes import StatusView

TROUBLE = "trouble"
ATTENTION = "attention"

Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a figure is not well. Ages in seconds."""

    outbox_seconds: float = 60.0
    queue_seconds: float = 300.0
    wait_hours: int = 24

    @property
    def waiting_seconds(self) -> float:
        """Half of the time after which an event that waits is set aside."""
        return self.wait_hours * 1_800.0


def judge(view: StatusView, thresholds: Thresholds) -> StatusView:
    """Return the view with its verdict and reasons, the worst first."""
    found = [reason for check in _CHECKS for reason in check(view, thresholds)]
    found.sort(key=lambda reason: reason[0] != TROUBLE)
    view["reasons"] = [
        {"verdict": "trouble" if verdict == TROUBLE else "attention", "text": text}
        for verdict, text in found
    ]
    if found:
        view["verdict"] = "trouble" if found[0][0] == TROUBLE else "attention"
    return view


def _attention(text: str) -> Reason:
    return ATTENTION, text


def _trouble(text: str) -> Reason:
    return TROUBLE, text


def _servers(view: StatusView, _: Thresholds) -> Iterator[Reason]:
    for field, name in (("outbox", "database"), ("queue", "broker")):
        if field in view["unknown"]:
            yield _trouble(f"the {name} does not answer: {view['unknown'][field]}")


def _workers(view: StatusView, _: Thresholds) -> Iterator[Reason]:
    if view["workers"] is None:
        return
    alive = [worker for worker in view["workers"] if worker["alive"]]
    if not alive:
        left = _left_to_do(view)
        text = "no worker is alive: start one (backship worker)"
        yield _trouble(f"{text}; {left} to be done") if left else _attention(text)
    waiting = sum(worker["state"] == "waiting" for worker in alive)
    if waiting:
        tell = _trouble if waiting == len(alive) else _attention
        yield tell(
            f"{counted(waiting, 'worker')} of {len(alive)} waits for the database or the broker: "
            "its log says for which",
        )
    lost = len(view["workers"]) - len(alive)
    if lost and alive:
        yield _attention(
            f"{counted(lost, 'worker')} ended without a word in the last day: see its log",
        )
    versions = sorted({worker["version"] for worker in alive})
    if len(versions) > 1:
        yield _attention(f"versions {' and '.join(versions)} run together: finish the upgrade")


def _left_to_do(view: StatusView) -> str:
    queue, outbox = view["queue"], view["outbox"]
    parts = [
        (0 if queue is None else queue["ready"], "message"),
        (0 if outbox is None else outbox["count"], "event to publish"),
        (view["tasks"] or 0, "unfinished step"),
    ]
    said = [
        f"{count:,} events to publish"
        if what == "event to publish" and count > 1
        else counted(count, what)
        for count, what in parts
        if count
    ]
    return ", ".join(said)


def _queue(view: StatusView, thresholds: Thresholds) -> Iterator[Reason]:
    queue = view["queue"]
    if queue is not None and (queue["oldest_age_seconds"] or 0) > thresholds.queue_seconds:
        yield _attention(
            f"the oldest message has waited for over {thresholds.queue_seconds / 60:.0f} minutes: "
            "start more workers, or see what holds them up",
        )
    if view["dead_queue"]:
        yield _attention(
            f"{counted(view['dead_queue'], 'message')} in the dead queue: "
            "a worker moves them to backship dead list within 15 s",
        )
    if view["unrouted"]:
        yield _attention(
            f"{counted(view['unrouted'], 'event')} nobody listens to: "
            "bind a queue to the out exchange (backship topology), then fetch them from there",
        )


def _outbox(view: StatusView, thresholds: Thresholds) -> Iterator[Reason]:
    outbox = view["outbox"]
    if outbox is None:
        return
    if (outbox["oldest_age_seconds"] or 0) > thresholds.outbox_seconds:
        yield _trouble(
            f"{counted(outbox['count'], 'event')} not published for over "
            f"{thresholds.outbox_seconds:.0f} s: see relay_waits and "
            "publish_unconfirmed in the logs",
        )
    if outbox["held_back"]:
        yield _attention(
            f"{counted(outbox['held_back'], 'event')} held back, which the broker does not take: "
            "see publish_unconfirmed in the logs",
        )


def _people(view: StatusView, thresholds: Thresholds) -> Iterator[Reason]:
    aside, waiting, exceptions = view["set_aside"], view["waiting"], view["exceptions"]
    if aside is not None and aside["total"]:
        yield _attention(f"{counted(aside['total'], 'event')} set aside: backship dead list")
    if waiting is not None and (waiting["oldest_age_seconds"] or 0) > thresholds.waiting_seconds:
        yield _attention(
            "an event has waited for its order or replenishment for over "
            f"{thresholds.waiting_seconds / 3_600:.0f} hours: after {thresholds.wait_hours} it is "
            "set aside; was its order never sent?",
        )
    if exceptions is not None and exceptions["last_24h"]:
        yield _attention(
            f"{counted(exceptions['last_24h'], 'exception')} in the last 24 hours: "
            "backship exceptions",
        )


_CHECKS: tuple[Callable[[StatusView, Thresholds], Iterator[Reason]], ...] = (
    _servers,
    _workers,
    _queue,
    _outbox,
    _people,
)
