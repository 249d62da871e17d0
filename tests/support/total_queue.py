"""The total-queue check, after Jepsen's: where did every message end that was ever sent?

1. The sender keeps two sets of ids: those it tried to send (`attempted`) and those of them that the
   broker confirmed (`acknowledged`). What was tried and never confirmed may have arrived or not.
2. `found(stack)` asks the database in SQL what came in, and takes what came out from the broker.
3. `tally` compares: a `Total` of counts. `Total.faults` is empty where nothing is lost, nothing is
   doubled and nothing came from nowhere, in and out.

A message is known by its event's id; one whose id can not be read by its bytes (`known_by_bytes`).
Ids are taken to be unique among all sources.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from hashlib import sha256

from tests.support.stack import Stack

_EFFECT = frozenset({"applied", "repeated"})
_SHOWN_MAX = 5  # ids named in a fault: enough to begin to look


@dataclass(frozen=True)
class Found:
    """What database and broker hold when all is quiet.

    `inbox` and `aside` are (id, outcome) and (id, reason), a row each. `published` counts the
    copies of each id that came out. `unfinished` names tables that should be empty and are not.
    """

    inbox: tuple[tuple[str, str], ...]
    aside: tuple[tuple[str, str], ...]
    emitted: tuple[str, ...]
    published: Counter[str]
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True)
class Total:
    """How many messages ended where.

    In: `applied` had their effect; `waiting` for another event; `set_aside` for a person;
    `recovered` arrived though never confirmed; `conflict` are other contents under a known id;
    `duplicate` came again and were known. `lost`, `unexpected` and `doubled` must be 0.
    Out: `duplicate_out` are copies beyond the first; `unpublished` and `strange` must be 0.
    """

    attempted: int
    acknowledged: int
    applied: int
    waiting: int
    set_aside: int
    conflict: int
    duplicate: int
    recovered: int
    lost: int
    unexpected: int
    doubled: int
    emitted: int
    published: int
    duplicate_out: int
    unpublished: int
    strange: int
    faults: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """Give all counts in one line."""
        names = [each.name for each in fields(self) if each.name != "faults"]
        return " ".join(f"{name}={getattr(self, name)}" for name in names)


def known_by_bytes(body: bytes) -> str:
    """Return what a message is known by whose id can not be read."""
    return f"sha256:{sha256(body).hexdigest()}"


def found(stack: Stack) -> Found:
    """Ask a stack in which nothing moves any more; empties the queue of what came out."""
    return Found(
        inbox=tuple(
            (str(id_), str(outcome))
            for id_, outcome in stack.rows("SELECT event_id, outcome FROM inbox")
        ),
        aside=tuple(_aside(stack)),
        emitted=tuple(str(id_) for (id_,) in stack.rows("SELECT id FROM emitted")),
        published=stack.published(),
        unfinished=tuple(
            table
            for table in ("outbox", "tasks")
            if stack.value(f"SELECT COUNT(*) FROM {table}") != 0
        ),
    )


def tally(
    attempted: Collection[str], acknowledged: Collection[str], ends: Found, duplicate: int = 0
) -> Total:
    """Compare what was sent with what was found. `duplicate`: repeats the workers told of."""
    tried, confirmed = set(attempted), set(acknowledged)
    conflicts = [id_ for id_, reason in ends.aside if reason == "conflict"]
    aside = [id_ for id_, reason in ends.aside if reason != "conflict"]
    # An event set aside by a decision has a row in both tables, and that is one place.
    decided = {id_ for id_, outcome in ends.inbox if outcome == "set_aside"}
    places = Counter(id_ for id_, _outcome in ends.inbox)
    places.update(id_ for id_ in aside if id_ not in decided)
    emitted, copies = Counter(ends.emitted), ends.published
    bad = {
        "confirmed but never sent": confirmed - tried,
        "lost": confirmed - places.keys(),
        "unexpected": places.keys() - tried,
        "doubled": _more_than_once(places),
        "set aside by a decision and not to be found": decided - set(aside),
        "emitted twice": _more_than_once(emitted),
        "unpublished": emitted.keys() - copies.keys(),
        "published and not emitted": copies.keys() - emitted.keys(),
        "not empty": ends.unfinished,
    }
    return Total(
        attempted=len(tried),
        acknowledged=len(confirmed),
        applied=sum(outcome in _EFFECT for _id, outcome in ends.inbox),
        waiting=sum(outcome == "waiting" for _id, outcome in ends.inbox),
        set_aside=len(aside),
        conflict=len(conflicts),
        duplicate=duplicate,
        recovered=len(places.keys() & (tried - confirmed)),
        lost=len(bad["lost"]),
        unexpected=len(bad["unexpected"]),
        doubled=len(bad["doubled"]),
        emitted=len(emitted),
        published=len(copies),
        duplicate_out=copies.total() - len(copies),
        unpublished=len(bad["unpublished"]),
        strange=len(bad["published and not emitted"]),
        faults=tuple(_fault(what, ids) for what, ids in bad.items() if ids),
    )


def _aside(stack: Stack) -> Iterable[tuple[str, str]]:
    for id_, reason, body in stack.rows("SELECT event_id, reason, body FROM set_aside"):
        assert isinstance(body, bytes)
        yield (known_by_bytes(body) if id_ is None else str(id_), str(reason))


def _more_than_once(counts: Counter[str]) -> set[str]:
    return {id_ for id_, count in counts.items() if count > 1}


def _fault(what: str, ids: Collection[str]) -> str:
    some = sorted(ids)[:_SHOWN_MAX]
    return f"{what}: {len(ids)}, such as {', '.join(some)}"
