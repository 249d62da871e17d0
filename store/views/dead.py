"""`backship dead`: what was set aside, and one of them with its body."""

from base64 import b64encode
from typing import Any

from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import SetAsideView

_COLUMNS = """t.id, t.source, t.event_id, t.type, t.reason, t.field, t.message, t.attempts,
        t.first_seen, t.last_seen, t.state"""

_LIST = Query(
    f"""
    SELECT {_COLUMNS} FROM set_aside AS t
    WHERE t.state = :state AND (:reason = '' OR t.reason = :reason)
        AND (:type = '' OR t.type = :type)
    ORDER BY t.first_seen, t.id
    """  # noqa: S608 - a list of columns
)
_SHOW = Query(
    f"SELECT {_COLUMNS}, t.body, t.headers, t.detail FROM set_aside AS t WHERE t.id = :id"  # noqa: S608
)


def dead_list(
    tx: Transaction, *, state: str = "set_aside", reason: str = "", kind: str = ""
) -> list[SetAsideView]:
    """Return what was set aside, the oldest first; "" is any reason or type."""
    rows = tx.query(_LIST, state=state, reason=reason, type=kind)
    return [_row(tx, row) for row in rows]


def dead_show(tx: Transaction, key: str) -> SetAsideView | None:
    """Return one of them, with its body; None where there is none by that id."""
    for row in tx.query(_SHOW, id=key):
        view = _row(tx, row)
        body, headers, detail = row[11:]
        view["body"] = _text(bytes(body))
        view["headers"] = json_value(headers)
        view["detail"] = None if detail is None else json_value(detail)
        return view
    return None


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
