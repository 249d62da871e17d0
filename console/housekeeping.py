"""`backship housekeeping`: removes all that is older than it is to be kept, and says what."""

from contextlib import closing

from config.settings import Settings
from console import screen
from console.progress import progress
from console.trouble import Status
from store import housekeeping
from store.housekeeping import Ages, Removed
from store.transaction import Database
from workers.clock import SystemClock
from workers.housekeeping import ages
from workers.wiring import open_database


def keep_house(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    """Do it, or with `dry_run` count; workers go on meanwhile."""
    clock = SystemClock()
    old = ages(settings, clock.now())
    with closing(open_database(settings)) as database:
        database.check_schema()
        if dry_run:
            with database.read() as tx:
                removed = housekeeping.count(tx, old)
        else:
            removed = _clear(database, old)
    found = {
        "inbox": removed.inbox,
        "emitted": removed.emitted,
        "set_aside": removed.set_aside,
    }
    if as_json:
        screen.document({"dry_run": dry_run, "removed": found})
    else:
        days = (settings.inbox_days, settings.emitted_days, settings.resolved_days)
        screen.table(
            f"{screen.counted(removed.rows, 'row')} {'would be removed' if dry_run else 'removed'}",
            ("table", "rows", "older than days"),
            [(name, rows, age) for (name, rows), age in zip(found.items(), days, strict=True)],
        )
    return Status.DONE


def _clear(database: Database, old: Ages) -> Removed:
    with database.read() as tx:
        total = housekeeping.count(tx, old).rows
    removed = Removed()
    with progress("housekeeping", SystemClock()) as told:
        for part in housekeeping.clear(database, old):
            removed = removed.plus(part)
            told.reached(removed.rows, total, f"{removed.rows} of {total} rows removed")
    return removed
