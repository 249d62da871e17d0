"""A store made by SQL, as the benchmark of growth makes it: is it one that the engine left?

And what the views ask of it, on PostgreSQL: the work they cause grows with what they show.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from benchmarks.kit.asked import Watched
from benchmarks.kit.grown import Size, grow, order_name
from benchmarks.kit.load import real_skew
from handlers.policy import Rules
from store import migrations
from store.audit.inspection import inspect
from store.transaction import Database
from store.views.backorders import Wanted, backorders
from store.views.orders import order
from store.views.stock import stock
from store.views.supply import Chosen, replenishments
from tests.support.services import own_database, postgres_url

SIZE = Size(skus=20_000, movements=300_000, orders=50_000, held=45_000)  # long queues
# Of what is kept by sku the planner may want all, so few there are here.
HISTORY = {"orders", "order_lines", "allocations", "movements", "inbox", "emitted", "reasons"}
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def grown() -> Iterator[Database]:
    """A store of fifty thousand orders, most of which wait, in a database of its own."""
    with own_database(postgres_url()) as url:
        database = Database(url)
        migrations.upgrade(database)
        grow(url, SIZE)
        yield database
        database.close()


def test_the_audit_finds_nothing_in_it_and_its_views_read_no_history_whole(grown: Database) -> None:
    with grown.read() as tx:
        found = inspect(tx, Rules())
    assert found["differences"] == []
    assert found["checked"]["orders"] == SIZE.orders
    assert found["checked"]["movements"] == SIZE.movements
    waited_for = real_skew().skus[1]
    held = order_name(SIZE.orders - 1)
    with grown.read() as tx:
        watched = Watched(plans=True)
        tx.dialect = watched
        assert stock(tx, Rules(), waited_for, NOW) is not None
        assert order(tx, Rules(), "main", held, NOW) is not None
        assert list(backorders(tx, Rules(), Wanted(sku=waited_for), NOW))
        assert list(replenishments(tx, Rules(), Chosen(state="open", vendor="V200"), NOW))
    scanned = {
        table: statement.sql
        for statement in watched.statements
        for table, looked_at in statement.scanned.items()
        if table in HISTORY and looked_at > 0
    }
    assert scanned == {}
    # A join that goes through all of one side for each row of the other looks at far more.
    assert [row.sql for row in watched.statements if row.compared > 100 * (row.rows + 100)] == []
