"""The simulation notices when what it watches over is switched off; else it would prove nothing.

Each test takes one safeguard out of the production code and must see a seed fail soon.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Table

from store import inbox, outbox, schema
from store.statements import Query, Row
from store.transaction import Transaction
from tests.simulation.run import run, workshop
from workers import worker
from workers.transports.base import Consumer, Delivery

SEEDS_MAX = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def noticed() -> Iterator[Callable[[], str]]:
    """Run seeds until one fails; return what it says."""
    with workshop() as folder:
        yield lambda: _first_failure(folder)


def _first_failure(folder: Path) -> str:
    for seed in range(1, SEEDS_MAX + 1):
        try:
            run(folder, seed)
        except Exception as failure:  # noqa: BLE001 - whichever way it shows
            return f"{type(failure).__name__}: {failure}"
    pytest.fail(f"{SEEDS_MAX} seeds noticed nothing")


def test_it_notices_when_the_inbox_takes_every_event_for_a_new_one(
    noticed: Callable[[], str],
) -> None:
    every = inbox._CLAIM.sql.replace("DO NOTHING", "DO UPDATE SET type = excluded.type")  # noqa: SLF001 - the clause
    with patch.object(inbox, "_CLAIM", Query(every, inbox._CLAIM.given)):  # noqa: SLF001 - as above
        assert noticed()


def test_it_notices_when_messages_are_acknowledged_before_they_are_settled(
    noticed: Callable[[], str],
) -> None:
    real = worker.Worker._settle  # noqa: SLF001 - where the order of the two is

    def too_early(self: worker.Worker, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        consumer.ack(deliveries)
        real(self, consumer, deliveries)

    with patch.object(worker.Worker, "_settle", too_early):
        assert noticed()


def test_it_notices_when_the_relay_deletes_what_was_not_confirmed(
    noticed: Callable[[], str],
) -> None:
    real = outbox.Guard.settle

    def all_of_it(self: outbox.Guard, _confirmed: object, _refused: object) -> None:
        real(self, list(self._taken), {})

    with patch.object(outbox.Guard, "settle", all_of_it):
        assert "emitted and never published" in noticed()


def test_it_notices_when_a_batch_is_not_one_transaction(noticed: Callable[[], str]) -> None:
    real = inbox.claim

    def and_commit(tx: Transaction, arrivals: Sequence[inbox.Arrival]) -> inbox.Claim:
        claimed = real(tx, arrivals)
        tx.driver.execute("COMMIT")
        tx.driver.execute("BEGIN IMMEDIATE")
        return claimed

    with patch.object(inbox, "claim", and_commit):
        assert noticed()


def test_it_notices_when_what_is_emitted_is_not_kept_in_the_outbox(
    noticed: Callable[[], str],
) -> None:
    real = Transaction.append

    def but_one(self: Transaction, table: Table, rows: Iterable[Row]) -> None:
        kept = list(rows)
        real(self, table, kept[:-1] if table is schema.outbox else kept)

    with patch.object(Transaction, "append", but_one):
        assert "emitted and never published" in noticed()
