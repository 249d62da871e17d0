"""Answers of any length are read as they come: an audit needs memory for one sku at a time."""

from itertools import islice

from store.audit.streams import Stream
from store.statements import Query
from store.transaction import Database

ENDLESS = Query(
    """
    WITH RECURSIVE numbers (n) AS (
        SELECT CAST(:first AS bigint) UNION ALL SELECT n + 1 FROM numbers
    )
    SELECT n FROM numbers
    """
)


def test_a_stream_yields_rows_before_there_is_an_end(database: Database) -> None:
    with database.read() as tx:
        assert [n for (n,) in islice(tx.stream(ENDLESS, first=7), 3000)] == list(range(7, 3007))


def test_two_streams_can_be_read_side_by_side(database: Database) -> None:
    with database.read() as tx:
        pairs = zip(tx.stream(ENDLESS, first=0), tx.stream(ENDLESS, first=5), strict=False)
        assert all(other - one == 5 for (one,), (other,) in islice(pairs, 2500))
        assert tx.statements == 2


def test_rows_are_taken_group_by_group() -> None:
    rows = Stream(iter([("A", 1), ("A", 2), ("C", 3)]))
    assert rows.take("A") == [("A", 1), ("A", 2)]
    assert rows.take("B") == []
    assert rows.sku == "C"
    assert rows.take("C") == [("C", 3)]
    assert rows.sku is None
