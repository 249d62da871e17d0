"""`backship dead`: what was set aside, how much of each kind, and one of them with its history."""

# ruff: noqa: S608 - what is put into SQL is a list of columns

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import OperationView, SetAsideView

Group = tuple[str, str | None, str | None, int]  # reason, type, field, how many

_COLUMNS = """t.id, t.source, t.event_id, t.type, t.reason, t.field, t.message, t.attempts,
        t.first_seen, t.last_seen, t.state"""
_CHOSEN = """t.state = :state AND (:reason = '' OR t.reason = :reason)
        AND (:type = '' OR t.type = :type)"""

_LIST = Query(f"SELECT {_COLUMNS} FROM set_aside AS t WHERE {_CHOSEN} ORDER BY t.first_seen, t.id")
_GROUPS = Query(
    f"""
    SELECT t.reason, t.type, t.field, COUNT(*) AS events FROM set_aside AS t WHERE {_CHOSEN}
    GROUP BY t.reason, t.type, t.field
    ORDER BY events DESC, t.reason, t.type, t.field
    """
)
_SHOW = Query(
    f"SELECT {_COLUMNS}, t.body, t.headers, t.detail FROM set_aside AS t WHERE t.id = :id"
)
_HISTORY = Query(
    """
    SELECT t.at, t.operator, t.action, t.why FROM operations AS t
    WHERE t.set_aside_id = :id
    ORDER BY t.at, t.operation_id
    """
)
_STATES = Query(
    """
    SELECT t.id, t.state, t.reason, t.message, i.outcome
    FROM {given} CROSS JOIN set_aside AS t
    LEFT JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.id = given.id
    ORDER BY t.first_seen, t.id
    """,
    (("id", "text"),),
)


def dead_list(
    tx: Transaction, *, state: str = "set_aside", reason: str = "", kind: str = ""
) -> Iterator[SetAsideView]:
    """Yield what was set aside, the oldest first; "" is any reason or type."""
    for row in tx.stream(_LIST, state=state, reason=reason, type=kind):
        yield _row(tx, row)


def dead_groups(
    tx: Transaction, *, state: str = "set_aside", reason: str = "", kind: str = ""
) -> list[Group]:
    """Return how many there are by reason, type and field, the most first."""
    rows = tx.query(_GROUPS, (), state=state, reason=reason, type=kind)
    return [(*group, int(count)) for *group, count in rows]


def dead_show(tx: Transaction, key: str) -> SetAsideView | None:
    """Return one of them, with its body and history; None where there is none by that id."""
    for row in tx.query(_SHOW, id=key):
        view = _row(tx, row)
        body, headers, detail = row[11:]
        view["body"] = _text(bytes(body))
        view["headers"] = json_value(headers)
        view["detail"] = None if detail is None else json_value(detail)
        view["operations"] = [
            OperationView(at=tx.instant(at), operator=operator, action=action, why=why)
            for at, operator, action, why in tx.query(_HISTORY, id=key)
        ]
        return view
    return None


def dead_ends(tx: Transaction, ids: Sequence[str]) -> list[tuple[str, str, str, str, str | None]]:
    """Return id, state, reason, message and the event's outcome in the inbox of each."""
    return [tuple(row) for row in tx.query(_STATES, [(name,) for name in sorted(ids)])]


def _row(tx: Transaction, row: tuple[Any, ...]) -> SetAsideView:
    return {
        "id": row[0],
        "source": row[1],
        "event_id": row[2],
        "type": row[3],
        "reason": row[4],
        "field": row[5],
        "message": row[6],
        "attempts": row[7],
        "first_seen": tx.instant(row[8]),
        "last_seen": tx.instant(row[9]),
        "state": row[10],
    }


def _text(body: bytes) -> str:
    """Return a body as text, in base64 where it is none."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return b64encode(body).decode("ascii")
