"""The main path: one batch of deliveries becomes one transaction (L5).

decode → claim in the inbox → load and lock → decide (pure) → save → commit. The acknowledgement
comes after, from the loop; what is emitted lies in the outbox, for the relay. `isolate` decides
what happens when this raises.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from config.logs import logger
from handlers.batch import HandlerFailed, decide, keys_of
from handlers.decision import Applied, Decision, Deferred, Repeated, SetAside
from handlers.policy import Rules
from handlers.state import Keys
from store import inbox, set_aside, suspects
from store.load import load
from store.save import save
from store.transaction import Database
from workers.clock import Clock
from workers.crash import crash_point
from workers.intake import Intake

EventKey = tuple[str, str]  # source, id


@dataclass(frozen=True, slots=True)
class Desk:
    """Where batches are decided: the database, the rules, what time it is.

    `wait`: how long an event may wait for the order or replenishment it names (C3).
    `young_until`: the worker has begun lately, until then (monotonic seconds; see `wary`).
    `trying`: hashes of bodies this process is trying again; it lives, so they have not ended it.
    """

    database: Database
    rules: Rules
    clock: Clock
    wait: timedelta = timedelta(hours=24)
    young_until: float = 0.0
    trying: set[str] = field(default_factory=set, compare=False)


@dataclass(slots=True)
class Report:
    """What became of a batch: counts of events by outcome, and what it left to do."""

    counts: dict[str, int] = field(default_factory=dict)
    emitted: int = 0
    tasks: int = 0

    def add(self, outcome: str, count: int = 1) -> None:
        """Count events that ended in one way."""
        if count:
            self.counts[outcome] = self.counts.get(outcome, 0) + count

    def merge(self, other: "Report") -> None:
        """Add up two parts of one batch."""
        for outcome, count in other.counts.items():
            self.add(outcome, count)
        self.emitted += other.emitted
        self.tasks += other.tasks


def process(desk: Desk, intake: Intake, failed: Mapping[EventKey, SetAside], more: Keys) -> Report:
    """Decide a batch in one transaction and return what became of it.

    `failed`: events that are set aside instead of decided. `more`: what to load besides.
    Raises Unloaded, HandlerFailed and the errors of the store; nothing is kept then.
    """
    now = desk.clock.now()
    with desk.database.begin() as tx:
        claim = inbox.claim(tx, intake.arrivals)
        crash_point("after_claim")
        set_aside.record(tx, [*intake.rejected, *map(conflict_row, claim.conflicts)], now)
        fresh = [row for row in claim.fresh if (row.event.source, row.event.id) not in failed]
        events = [row.event for row in fresh]
        state = load(tx, keys_of(events).join(more), events, desk.rules)
        crash_point("after_load")
        decision = decide(state, [(row.event, row.received_at) for row in fresh], now)
        crash_point("after_decide")
        decision.outcomes += [
            (row.event, why)
            for row in claim.fresh
            if (why := failed.get((row.event.source, row.event.id))) is not None
        ]
        save(tx, state, decision, now)
        suspects.forget(tx, intake.suspects)
        crash_point("after_save")
    crash_point("after_commit")
    return _report(intake, claim, decision)


def blamed(bug: HandlerFailed) -> SetAside:
    """Set the event of a bug aside, and tell the operator where the bug is."""
    event = bug.event
    stack = "".join(traceback.format_exception(bug.__cause__))
    logger().error("handler_failed", source=event.source, id=event.id, type=event.type, stack=stack)
    return SetAside("gave_up", None, f"a bug in its handler: {bug.__cause__!r}", stack)


def conflict_row(row: inbox.Arrival) -> set_aside.SetAsideRow:
    """Set aside what came under a known source and id with other content (C4)."""
    return set_aside.SetAsideRow.of_event(
        row.event,
        row.body,
        row.routing_key,
        row.headers,
        reason="conflict",
        field="data",
        message=f"event {row.event.id} of {row.event.source} came before with other content",
    )


def _report(intake: Intake, claim: inbox.Claim, decision: Decision) -> Report:
    report = Report(emitted=len(decision.emissions), tasks=len(decision.tasks))
    for row in intake.rejected:
        report.add(row.reason)
    report.add("duplicate", len(claim.repeats))
    report.add("conflict", len(claim.conflicts))
    names = {Applied: "applied", Repeated: "repeated", Deferred: "waiting"}
    for event, outcome in decision.outcomes:
        if isinstance(outcome, SetAside):
            report.add(outcome.reason)
            logger().warning(
                "event_set_aside",
                source=event.source,
                id=event.id,
                type=event.type,
                reason=outcome.reason,
                field=outcome.field,
            )
        else:
            report.add(names[type(outcome)])
    return report
