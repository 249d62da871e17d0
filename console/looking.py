"""What every query begins with: settings, the database as it is now, and what time it is."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from config import settings
from console.trouble import WrongUse
from handlers.policy import Rules
from store.transaction import Transaction
from workers.clock import SystemClock
from workers.wiring import open_database

_AUDIT_SECONDS_MAX = 3_600  # of one statement: it may have to sum up the whole ledger


@contextmanager
def looking(*, audit: bool = False) -> Iterator[tuple[Transaction, Rules, datetime]]:
    """Yield a transaction that sees one state of everything, and what it is judged by.

    `audit`: its statements may take as long as they need.
    """
    given = settings.read()
    if audit:
        given = given.model_copy(update={"statement_seconds_max": _AUDIT_SECONDS_MAX})
    with closing(open_database(given)) as database:
        database.check_schema()
        with database.read() as tx:
            yield tx, given.rules(), SystemClock().now()


def moment(text: str) -> datetime:
    """Return the moment in what was typed; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text} is no time; it takes 2026-11-21 or 2026-11-21T10:00:00Z.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
