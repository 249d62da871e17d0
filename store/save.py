"""Write all: the second half of a batch. A handful of bulk statements keep every outcome (L5).

1. Who waits and who no longer does; what is set aside; what became of each event.
2. The rows that changed: those whose values are not the ones they were loaded with.
3. What is only ever added: the ledger, what is emitted, reasons, business facts, tasks.

Everything written here carries one logical clock, later than that of every row it was decided on
(see store.schema). A sku, order or replenishment of which something is told gets it too, even where
nothing else of it changed: what is decided on it next is told after this.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handlers.decision import Applied, Decision, Outcome, SetAside
from handlers.state import State
from store import (
    inbox,
    operations,
    save_goods,
    save_messages,
    save_orders,
    save_supply,
    set_aside,
    tasks,
    unknown,
    waiting,
)
from store.columns import InstantTexts
from store.inbox import EventKey
from store.save_messages import Concerned
from store.transaction import Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def save(tx: Transaction, state: State, decision: Decision, now: datetime) -> None:
    """Write what a batch decided, within the transaction it was loaded in."""
    clock = max((now - _EPOCH) // _MICROSECOND, tx.clock + 1)
    outcomes = {(event.source, event.id): outcome for event, outcome in decision.outcomes}
    taken = [(event.source, event.id) for event in decision.taken]
    concerned = Concerned.by(decision)
    save_goods.save(tx, state, concerned.skus, clock)
    instants = InstantTexts()
    placed, raised = unknown.new_ones(state)
    save_orders.save(tx, state, concerned.orders, clock, instants)
    save_supply.save(tx, state, concerned.replenishments, clock)
    unknown.look_again(tx, placed, raised)
    save_messages.save(tx, decision, clock, instants)
    tasks.save(tx, decision.tasks, clock)
    unknown.await_unknown(tx, state, outcomes.values())
    waiting.settle(tx, decision.outcomes, taken, clock)
    _set_aside(tx, decision, now)
    inbox.mark(tx, _unlike_claimed(tx, outcomes, taken))
    corrections = {
        (event.source, event.id): event
        for event, outcome in decision.outcomes
        if event.caused_by is not None and isinstance(outcome, Applied)
    }
    if corrections:
        operations.correct(tx, list(corrections.values()), now)


def _unlike_claimed(
    tx: Transaction, outcomes: Mapping[EventKey, Outcome], taken: list[EventKey]
) -> dict[EventKey, Outcome]:
    """Return the outcomes the inbox does not hold yet: it has every new event as applied."""
    others = {
        key: outcome
        for key, outcome in outcomes.items()
        if key in tx.woken or not isinstance(outcome, Applied)
    }
    return {**dict.fromkeys(taken, Applied()), **others}


def _set_aside(tx: Transaction, decision: Decision, now: datetime) -> None:
    refused = [
        (event, outcome) for event, outcome in decision.outcomes if isinstance(outcome, SetAside)
    ]
    bodies = inbox.bodies(tx, [(event.source, event.id) for event, _outcome in refused])
    rows = [
        set_aside.SetAsideRow.of_event(
            event,
            bodies[event.source, event.id],
            reason=outcome.reason,
            field=outcome.field,
            message=outcome.message,
            detail=outcome.detail,
        )
        for event, outcome in refused
    ]
    set_aside.record(tx, rows, now)
