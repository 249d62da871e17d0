"""New rows as mapped objects: orders with all that is theirs, reasons, what is emitted."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from benchmarks.rivals import models
from events.codec import encode
from events.outbound import ExceptionRaised
from events.routing import outbound_key
from handlers import state as core
from handlers.decision import Decision


def of_order(order: core.Order, clock: int) -> Iterator[models.Base]:
    """Yield a new order with its lines, what is promised to them and what is bought for them."""
    yield models.Order(
        shop=order.shop,
        order_id=order.order_id,
        placed_at=order.placed_at,
        judged_at=order.judged_at,
        priority=order.priority,
        destination=order.destination,
        data_hash=order.data_hash,
        ship_mode=order.ship_mode,
        release=order.release,
        holds=list(order.holds),
        version=order.version,
        version_hash=order.version_hash,
        customer=order.customer,
        ship_to=order.ship_to,
        allocation_count=order.allocation_count,
        clock=clock,
    )
    for line in order.lines.values():
        yield from _of_line(order, line)


def _of_line(order: core.Order, line: core.Line) -> Iterator[models.Base]:
    key = {"shop": order.shop, "order_id": order.order_id, "line_id": line.line_id}
    rank = {"priority": order.priority, "placed_at": order.placed_at}
    yield models.OrderLine(
        **key,
        **rank,
        position=line.position,
        sku=line.sku,
        ordered=line.ordered,
        shortage=line.shortage,
        pending=line.pending,
        drop_ship=line.drop_ship,
        shipped=line.shipped,
        cancelled=line.cancelled,
        rejected=line.rejected,
        short=line.short,
        sourced=str(line.sourced),
        group_name=line.group,
        staff_held=line.staff_held,
        held_since=line.held_since,
        told=line.told,
        told_expected_at=line.told_expected_at,
        told_days=line.told_days,
        name=line.name,
        unit_price=line.unit_price,
        allocated=line.allocated,
        queued=line.queued,
        fillable=line.fillable,
        linked=line.linked,
        unlinked=line.unlinked,
        unreleased=line.unreleased,
        destination=order.destination,
    )
    yield from (
        models.Allocation(
            **key,
            seq=allocation.seq,
            source=allocation.source,
            qty=allocation.qty,
            by_fill=allocation.by_fill,
            release_id=allocation.release_id,
        )
        for allocation in line.allocations
        if allocation.qty
    )
    yield from (
        models.Link(
            **key,
            **rank,
            replenishment_id=link.replenishment_id,
            by_hand=link.by_hand,
            qty=link.qty,
            sku=line.sku,
            position=line.position,
        )
        for link in line.links
        if link.qty
    )


def of_reasons(decision: Decision, clock: int) -> Iterator[models.Base]:
    """Yield why each line was decided as it was."""
    one_event = attrgetter("shop", "order_id", "cause", "at")
    for n, (key, reasons) in enumerate(groupby(decision.reasons, key=one_event)):
        shop, order_id, cause, at = key
        yield models.Reasons(
            shop=shop,
            order_id=order_id,
            clock=clock,
            n=n,
            at=at,
            decided=[(why.line_id, why.rule, why.numbers) for why in reasons],
            event_source=cause.source,
            event_id=cause.id,
            event_type=cause.type,
        )


def of_emissions(decision: Decision, clock: int) -> Iterator[models.Base]:
    """Yield what is emitted: once to be published and deleted, once to be kept."""
    for n, emission in enumerate(decision.emissions):
        message, at = emission.message, emission.at
        kind = type(message).__name__
        body = encode(
            message,
            id=emission.id,
            cause_time=at,
            subject=emission.subject,
            traceparent=emission.traceparent,
        ).decode()
        place = {"id": emission.id, "clock": clock, "n": n}
        key = outbound_key(message)
        yield models.Outbox(**place, routing_key=key, type=kind, body=body, at=at)
        yield models.Emitted(
            **place,
            type=kind,
            body=body,
            time=at,
            event_source=emission.cause.source,
            event_id=emission.cause.id,
        )
        if isinstance(message, ExceptionRaised):
            yield models.RaisedException(
                **place,
                code=str(message.code),
                reason=message.reason,
                message=message.message,
                refs=message.refs.model_dump(exclude_none=True),
                shop=message.refs.shop,
                order_id=message.refs.order_id,
                at=at,
            )
