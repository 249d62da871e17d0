"""Values of every kind, through every way of writing, on both engines."""

from hypothesis import given, settings
from hypothesis import strategies as st

from store import schema
from store.statements import Query, Row
from store.transaction import Database
from tests.support.keeping import emptied, rows

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10)


@settings(max_examples=40)
@given(
    found=st.dictionaries(
        names,
        st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        max_size=6,
    )
)
def test_text_of_any_kind_is_kept_by_every_way_of_writing(
    kept: Database, found: dict[str, str | None]
) -> None:
    emptied(kept)
    table = schema.vendors
    first: list[Row] = [(name, text, None, "{}") for name, text in found.items()]
    with kept.begin() as tx:
        tx.append(table, first)
    assert rows(kept, table, "vendor", "name") == sorted(found.items())
    with kept.begin() as tx:
        tx.update(table, [(name, None, text, "{}") for name, text in found.items()])
        tx.upsert(table, [(name, text, text, "{}") for name, text in found.items()])
    assert rows(kept, table, "vendor", "name", "email") == sorted(
        (name, text, text) for name, text in found.items()
    )
    with kept.begin() as tx:
        tx.delete(table, [(name,) for name in found])
    assert rows(kept, table) == []


@settings(max_examples=40)
@given(found=st.sets(names, min_size=2, max_size=8))
def test_text_orders_by_code_point_on_every_engine(kept: Database, found: set[str]) -> None:
    emptied(kept)
    with kept.begin() as tx:
        tx.append(schema.vendors, [(name, None, None, "{}") for name in found])
    assert rows(kept, schema.vendors, "vendor") == sorted(found)


def test_an_empty_bulk_statement_is_not_sent(database: Database) -> None:
    with database.begin() as tx:
        tx.append(schema.stock, [])
        tx.upsert(schema.stock, [])
        tx.update(schema.stock, [])
        tx.delete(schema.stock, [])
        assert tx.query(Query("SELECT sku FROM {given}", (("sku", "text"),)), []) == ()
        tx.run(Query("DELETE FROM stock", (("sku", "text"),)), [])
        assert tx.statements == 0
    assert rows(database, schema.stock) == []
