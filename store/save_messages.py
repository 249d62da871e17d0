"""What is only ever added: the ledger, what is emitted, exceptions, reasons and business facts.

An emitted event is written twice, once to be published and deleted, once to be kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Self

from events.codec import encode
from events.envelope import Cause
from events.outbound import (
    ExceptionRaised,
    Outbound,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
    StockStatusChanged,
)
from events.routing import outbound_key
from handlers.decision import Decision, Deferred, Reason
from handlers.state import OrderKey
from store import schema
from store.columns import InstantTexts, json_text
from store.statements import Row
from store.transaction import Transaction


@dataclass(slots=True)
class Concerned:
    """Of what something is told, or put to wait: it must carry the clock of this transaction."""

    skus: set[str] = field(default_factory=set)
    orders: set[OrderKey] = field(default_factory=set)
    replenishments: set[str] = field(default_factory=set)

    @classmethod
    def by(cls, decision: Decision) -> Self:
        """Return all that a decision speaks of."""
        concerned = cls()
        for emission in decision.emissions:
            concerned.add(emission.message)
        concerned.orders.update((reason.shop, reason.order_id) for reason in decision.reasons)
        concerned.skus.update(task.sku for task in decision.tasks if task.sku is not None)
        concerned.skus.update(
            outcome.sku
            for _event, outcome in decision.outcomes
            if isinstance(outcome, Deferred) and outcome.sku is not None
        )
        return concerned

    def add(self, message: Outbound) -> None:
        """Note what one message is about."""
        match message:
            case ExceptionRaised(refs=refs):
                if refs.sku is not None:
                    self.skus.add(refs.sku)
                if refs.shop is not None and refs.order_id is not None:
                    self.orders.add((refs.shop, refs.order_id))
                if refs.replenishment_id is not None:
                    self.replenishments.add(refs.replenishment_id)
            case StockStatusChanged():
                self.skus.add(message.sku)
            case (
                ReplenishmentRaised()
                | ReplenishmentExtended()
                | ReplenishmentReduced()
                | ReplenishmentCancelled()
            ):
                self.replenishments.add(message.replenishment_id)
            case _:
                self.orders.add((message.shop, message.order_id))


def save(tx: Transaction, decision: Decision, clock: int, instants: InstantTexts) -> None:
    """Add what a batch decided, in the order it was decided."""
    tx.append(
        schema.movements,
        [
            (
                move.cause.source,
                move.cause.id,
                move.n,
                move.cause.type,
                move.sku,
                move.qty,
                move.origin,
                move.target,
                move.outside,
                instants.of(move.happened_at),
                move.reason,
                clock,
            )
            for move in decision.movements
        ],
    )
    _emissions(tx, decision, clock, instants)
    tx.append(
        schema.reasons,
        (
            (shop, order_id, clock, n, instants.of(at), _decided(why), *_named(cause))
            for n, ((shop, order_id, cause, at), why) in enumerate(
                groupby(decision.reasons, key=attrgetter("shop", "order_id", "cause", "at"))
            )
        ),
    )
    tx.append(
        schema.facts,
        [
            (kind, key, data_hash, cause.source, cause.id)
            for (kind, key), (data_hash, cause) in sorted(decision.facts.items())
        ],
    )


def _emissions(tx: Transaction, decision: Decision, clock: int, instants: InstantTexts) -> None:
    emitted: list[Row] = []
    exceptions: list[Row] = []
    tx.append(schema.outbox, _outgoing(decision, clock, instants, emitted, exceptions))
    tx.append(schema.emitted, emitted)
    tx.append(schema.exceptions, exceptions)


def _outgoing(
    decision: Decision,
    clock: int,
    instants: InstantTexts,
    emitted: list[Row],
    exceptions: list[Row],
) -> Iterator[Row]:
    """Yield the rows of the outbox; what is kept of them for ever is added on the way."""
    for n, emission in enumerate(decision.emissions):
        message = emission.message
        kind = type(message).__name__
        at = instants.of(emission.at)
        body = encode(
            message,
            id=emission.id,
            cause_time=emission.at,
            subject=emission.subject,
            traceparent=emission.traceparent,
        ).decode()
        cause = emission.cause
        emitted.append((emission.id, kind, body, at, cause.source, cause.id, clock, n))
        if isinstance(message, ExceptionRaised):
            refs = message.refs.model_dump(exclude_none=True)
            told = (str(message.code), message.reason, message.message, json_text(refs))
            order = (refs.get("shop"), refs.get("order_id"))
            exceptions.append((emission.id, *told, at, clock, n, *order))
        yield (clock, n, emission.id, outbound_key(message), kind, body, at)


def _decided(reasons: Iterable[Reason]) -> str:
    """Return what one event decided of the lines of one order, in that order."""
    return json_text([(why.line_id, why.rule, why.numbers) for why in reasons])


def _named(cause: Cause) -> tuple[str, str, str]:
    return (cause.source, cause.id, cause.type)
