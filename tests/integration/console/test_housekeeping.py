"""`backship housekeeping`: removes what is old, says what, and with `--dry-run` only counts."""

from datetime import UTC, datetime, timedelta

from store import schema
from store.transaction import Database
from tests.support.builders import item_changed, order_placed, vendor_changed
from tests.support.clearing import published
from tests.support.command import Inside
from tests.support.keeping import rows
from tests.support.telling import tell

YOUNG = datetime.now(UTC).replace(microsecond=0)
OLD = YOUNG - timedelta(days=40)


def told(database: Database) -> int:
    """Two old events, a young one; return how much was emitted long ago."""
    tell(database, vendor_changed("V"), item_changed("A", vendor="V"), now=OLD)
    tell(database, order_placed("old", [("A", 1)]), now=OLD)
    emitted = len(rows(database, schema.emitted))
    tell(database, order_placed("young", [("A", 1)]), now=YOUNG)
    published(database)
    return emitted


def test_it_says_what_it_would_remove_and_removes_that(
    database: Database, backship: Inside
) -> None:
    emitted = told(database)
    expected = {"inbox": 3, "emitted": emitted, "set_aside": 0}
    assert backship.json("housekeeping", "--dry-run") == {"dry_run": True, "removed": expected}
    assert len(rows(database, schema.inbox)) == 4
    assert backship.json("housekeeping") == {"dry_run": False, "removed": expected}
    assert rows(database, schema.inbox, "type", "outcome") == [("OrderPlaced", "applied")]
    none = {"inbox": 0, "emitted": 0, "set_aside": 0}
    assert backship.json("housekeeping") == {"dry_run": False, "removed": none}
    assert backship.done("audit").endswith("Everything adds up.\n")


def test_for_people_it_names_tables_rows_and_days(database: Database, backship: Inside) -> None:
    emitted = told(database)
    backship.settings.update(inbox_days="39", emitted_days="41", resolved_days="7")
    shown = backship.done("housekeeping", "--dry-run")
    assert "3 rows would be removed" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["inbox", "3", "39"] in lines
    assert ["emitted", "0", "41"] in lines
    assert ["set_aside", "0", "7"] in lines
    assert "3 rows removed" in backship.done("housekeeping")
    assert len(rows(database, schema.emitted)) >= emitted


def test_an_age_of_no_days_is_refused(database: Database, backship: Inside) -> None:
    del database
    backship.settings.update(inbox_days="0")
    ended = backship.run("housekeeping")
    assert ended.status == 2
    assert "BACKSHIP_INBOX_DAYS" in ended.err
