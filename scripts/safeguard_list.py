"""The safeguards of the promise, each with the change of the source that switches it off.

A change names text that stands in its file exactly once; a test sees to that. `noticed_by` names
the tests that are run with the change: at least one of them must fail.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One safeguard: what it keeps from happening, how it is switched off, who must notice."""

    name: str
    keeps: str
    path: str
    old: str
    new: str
    noticed_by: tuple[str, ...]


_KILL = "tests/e2e/test_kill.py"
_POISON = "tests/e2e/test_poison.py"
_PUBLISHING = "tests/integration/transports/test_publishing.py"
_RECEIVING = "tests/integration/transports/test_receiving.py"

SAFEGUARDS = (
    Safeguard(
        "inbox",
        "an event that comes again has a second effect (C4)",
        "store/inbox.py",
        "            claimed.repeats.append(arrival)",
        "            claimed.fresh.append(arrival)",
        ("tests/integration/store/test_inbox.py", f"{_KILL}::test_a_worker_killed_at_any"),
    ),
    Safeguard(
        "conflict",
        "other content under a known id is taken for a repeat (F17)",
        "store/inbox.py",
        "elif arrival.event.data_hash == hashes.get(key, firsts[key].event.data_hash):",
        "elif firsts:",
        ("tests/integration/store/test_inbox.py",),
    ),
    Safeguard(
        "business facts",
        "a receipt told again under another id is booked twice (C4)",
        "handlers/facts.py",
        "    known = turn.state.facts.get(key)",
        "    known = None",
        ("tests/scenarios/test_repeats_and_conflicts.py",),
    ),
    Safeguard(
        "sorted claims",
        "two batches with the same events deadlock",
        "store/inbox.py",
        "for key in sorted(firsts)])",
        "for key in firsts])",
        ("tests/integration/store/test_inbox.py",),
    ),
    Safeguard(
        "sorted locks",
        "two batches with the same skus deadlock",
        "store/load_items.py",
        "ORDER BY t.sku {lock}",
        "ORDER BY t.sku DESC {lock}",
        ("tests/integration/store/test_locks.py",),
    ),
    Safeguard(
        "row locks",
        "two workers give the last unit away twice",
        "store/load_items.py",
        "ORDER BY t.sku {lock}",
        "ORDER BY t.sku",
        ("tests/integration/store/test_locks.py", "tests/integration/store/test_races.py"),
    ),
    Safeguard(
        "one writer",
        "a SQLite transaction that read first can not write any more",
        "store/dialects/sqlite.py",
        '"BEGIN" if reads else "BEGIN IMMEDIATE"',
        '"BEGIN" if reads else "BEGIN"',
        ("tests/integration/store/test_transactions.py",),
    ),
    Safeguard(
        "acknowledged after the commit",
        "a worker killed in its transaction loses the batch (F01, F02)",
        "workers/worker.py",
        "            if not self._settle_part(part):\n",
        "            consumer.ack(part)\n            if not self._settle_part(part):\n",
        (f"{_KILL}::test_a_worker_killed_at_any",),
    ),
    Safeguard(
        "one transaction",
        "what is emitted is lost when a worker is killed after its commit (L5)",
        "store/save.py",
        "    save_messages.save(tx, decision, clock, instants)",
        "",
        (f"{_KILL}::test_a_worker_killed_at_any",),
    ),
    Safeguard(
        "solo lane",
        "what kills its worker takes its neighbours along (F24)",
        "workers/solo.py",
        "    return delivery.redelivered or delivery.delivery_count > 0",
        "    return False",
        (_POISON,),
    ),
    Safeguard(
        "counted tries",
        "what kills its worker does so until the broker gives up, after twenty (F24)",
        "store/suspects.py",
        "SET tries = suspects.tries + 1,",
        "SET tries = 1,",
        (_POISON,),
    ),
    Safeguard(
        "tries forgotten",
        "what was only in hand when workers ended is set aside for it",
        "workers/process.py",
        "        suspects.forget(tx, intake.suspects)\n",
        "",
        (_POISON,),
    ),
    Safeguard(
        "blame",
        "a bug in one event's handler stops its batch (F22)",
        "workers/isolate.py",
        "                self._leave_out((event.source, event.id), blamed(trouble), trouble)\n",
        "                raise trouble\n",
        ("tests/integration/workers/test_isolation.py",),
    ),
    Safeguard(
        "halving",
        "a database error of one event stops its batch (F23)",
        "workers/isolate.py",
        "            if not case.mends(trouble):\n",
        "            if not case.mends(trouble):\n                raise\n"
        "            if case is None:\n",
        ("tests/integration/workers/test_isolation.py",),
    ),
    Safeguard(
        "transactions again",
        "a deadlock stops a worker (F40)",
        "workers/retry.py",
        "TRANSACTION_TRIES_MAX = 6",
        "TRANSACTION_TRIES_MAX = 1",
        ("tests/integration/store/test_races.py", "tests/unit/workers/test_retry.py"),
    ),
    Safeguard(
        "mandatory",
        "what no queue takes is taken for published (F30)",
        "workers/transports/publishing_session.py",
        "mandatory=True,",
        "mandatory=False,",
        (_PUBLISHING,),
    ),
    Safeguard(
        "channel discard",
        "a late confirm of a failed publish is taken for another's (F32)",
        "workers/transports/publishing_session.py",
        "if not job.window.clean and self._channel is not None:",
        "if job.window is None and self._channel is not None:",
        ("tests/integration/transports/test_rabbitmq.py",),
    ),
    Safeguard(
        "epoch",
        "a late acknowledgement acknowledges another's message (F37)",
        "workers/transports/rabbitmq_consumer.py",
        "for delivery in deliveries if delivery.epoch == self.epoch}",
        "for delivery in deliveries}",
        (_RECEIVING,),
    ),
    Safeguard(
        "lease token",
        "a late acknowledgement deletes what another has in hand",
        "workers/transports/queue_messages.py",
        'db.executemany("DELETE FROM queue_messages WHERE id = ? AND lease_token = ?", held)',
        "db.executemany(\"DELETE FROM queue_messages WHERE id = ? AND ? <> ''\", held)",
        ("tests/integration/transports/test_processes.py", _RECEIVING),
    ),
    Safeguard(
        "lease renewal",
        "a slow batch is worked on twice",
        "workers/transports/lease_keeper.py",
        "                QueueMessages(file, self._clock, self._lease_seconds).renew(due)\n",
        "                del due\n",
        ("tests/integration/transports/test_embedded.py",),
    ),
    Safeguard(
        "only what was confirmed",
        "what the broker did not keep is forgotten (F31)",
        "workers/transports/publish_window.py",
        '                self._failed[position] = "nacked"\n',
        "                self._confirmed_count += 1\n",
        ("tests/integration/transports/test_rabbitmq.py", "tests/unit/workers"),
    ),
    Safeguard(
        "one relay at a time",
        "what concerns one order leaves in another order (F38)",
        "store/outbox.py",
        'WHERE t.id = 1 {take}")',
        'WHERE t.id = 1")',
        ("tests/integration/store/test_outbox.py",),
    ),
    Safeguard(
        "derived ids",
        "the same decision made again has another id, and is two for its consumer",
        "handlers/rules/identity.py",
        "digest = sha256(_SEPARATOR.join(parts).encode()).hexdigest()",
        'digest = __import__("uuid").uuid4().hex',
        ("tests/property/test_core.py", "tests/scenarios/test_emissions.py"),
    ),
    Safeguard(
        "never inflated",
        "200 KB of compressed nothing fill the memory (F27)",
        "workers/transports/headers.py",
        "    return COMPRESSION in headers or",
        "    return bool(headers) and",
        (_RECEIVING, "tests/unit/workers/test_headers.py"),
    ),
    Safeguard(
        "delivery limit",
        "a limit of -1 means dead at the first redelivery on 3.10 (F34)",
        "workers/topology.py",
        "INBOX_DELIVERY_LIMIT = 20",
        "INBOX_DELIVERY_LIMIT = -1",
        (_RECEIVING, "tests/architecture/test_deploy_files.py"),
    ),
    Safeguard(
        "own origin",
        "one shop acts in another's name (contract.md §4)",
        "workers/intake.py",
        "        if has_wrong_origin(event, delivery.routing_key):",
        "        if False:",
        ("tests/integration/workers/test_isolation.py",),
    ),
    Safeguard(
        "connection dropped after a fail-over",
        "a server that has become a standby is asked again and again (F11)",
        "store/transaction.py",
        "                self._fresh.begin_anew()\n",
        "                pass\n",
        ("tests/faults/database/test_contention.py",),
    ),
    Safeguard(
        "held back",
        "one warehouse's full queue keeps all the others waiting (F31)",
        "workers/relay.py",
        "guard.settle(result.confirmed, self._refusals.of(rows, result))",
        "guard.settle(result.confirmed, {})",
        ("tests/integration/store/test_held_back.py", "tests/faults/broker/test_refusals.py"),
    ),
    Safeguard(
        "proof of what was cleared away",
        "an event that comes again after its inbox row is gone has a second effect (F47)",
        "store/housekeeping.py",
        "            tx.run(_PROVE, sorted(proofs))\n",
        "            proofs.sort()\n",
        ("tests/integration/store/test_heard_for_ever.py",),
    ),
    Safeguard(
        "retries once",
        "a retry that was killed has its effect twice (F46)",
        "store/inbox.py",
        "AND t.data_hash = given.of_hash AND t.outcome = 'set_aside'",
        "AND t.data_hash = given.of_hash",
        ("tests/integration/workers/test_retries.py",),
    ),
)
