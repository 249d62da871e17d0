"""`backship init`: tables, rule settings, topology; each may be there already.

The database comes first: when the broker is not to be reached, the next run finds it done.
"""

from collections.abc import Iterator

from config.settings import Settings
from store import migrations, rule_settings
from store.migrations import SchemaState
from workers.wiring import House, check_names, opened


def prepare(settings: Settings) -> Iterator[str]:
    """Do it, step by step; yield one sentence for each."""
    check_names()
    with opened(settings) as house:
        yield _tables(house.database.address, migrations.upgrade(house.database))
        yield from _rules(house)
        house.transport.declare(house.topology)
        yield (
            f"Exchanges and queues {settings.topology_prefix}.* are declared on "
            f"{house.transport.name} {house.transport.address}."
        )


def _tables(address: str, before: SchemaState) -> str:
    if before.is_current:
        return f"Tables of {address} are up to date (version {before.head})."
    if before.current is None:
        return f"Tables of {address} are created (version {before.head})."
    return f"Tables of {address} are upgraded from version {before.current} to {before.head}."


def _rules(house: House) -> Iterator[str]:
    with house.database.begin() as tx:
        kept = rule_settings.keep(tx, house.settings.rules(), house.clock.now())
    if kept == "changed":
        yield "Rule settings have changed: workers will apply them to what already waits."
