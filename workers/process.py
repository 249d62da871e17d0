"""The main path: one batch of deliveries becomes one transaction (L5).

decode → claim in the inbox → load and lock → decide (pure) → save → commit. The acknowledgement
comes after, from the loop; what is emitted lies in the outbox, for the relay. `isolate` decides
what happens when this raises.
"""

import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from config.logs import logger
from handlers.batch import HandlerFailed, decide, keys_of
from handlers.decision import Applied, Decision, Deferred, Outcome, Repeated, SetAside
from handlers.policy import Rules
from handlers.state import Keys
from store import inbox, set_aside, suspects
from store.load import load
from store.save import save
from store.transaction import Database
from workers.clock import Clock, Stopwatch
from workers.crash import crash_point
from workers.intake import Intake
from workers.meter import Meter

EventKey = tuple[str, str]  # source, id
Kinds = dict[tuple[str, str], int]  # events by type ("": it could not be read) and outcome

_WORDS: Mapping[type[Outcome], str] = {
    Applied: "applied",
    Repeated: "repeated",
    Deferred: "waiting",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where batches are decided: the database, the rules, what time it is.

    `wait`: how long an event may wait for the order or replenishment it names (C3).
    `young_until`: the worker has begun lately, until then (monotonic seconds; see `wary`).
    `trying`: hashes of bodies this process is trying again; it lives, so they have not ended it.
    `meter` notes how it goes.
    """

    database: Database
    rules: Rules
    clock: Clock
    wait: timedelta = timedelta(hours=24)
    young_until: float = 0.0
    trying: set[str] = field(default_factory=set, compare=False)
    meter: Meter = field(default_factory=Meter)


@dataclass(slots=True)
class Report:
    """What became of a batch: counts of events by type and outcome, and what it left to do.

    `kinds` are those of what was delivered, `late` those of events that had waited and were decided
    along with it. `seconds` is where the time of the transaction went, by stage; `skus` and
    `orders` how many it loaded; `repeats` how often it was begun again.
    """

    kinds: Kinds = field(default_factory=dict)
    late: Kinds = field(default_factory=dict)
    emitted: int = 0
    tasks: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    skus: int = 0
    orders: int = 0
    repeats: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Count what was delivered by outcome alone."""
        counts: dict[str, int] = {}
        for (_kind, outcome), count in self.kinds.items():
            counts[outcome] = counts.get(outcome, 0) + count
        return counts

    def add(self, kind: str | None, outcome: str) -> None:
        """Count an event of a type (None: it could not be read) that ended in one way."""
        key = (kind or "", outcome)
        self.kinds[key] = self.kinds.get(key, 0) + 1

    def decided(self, decision: Decision, delivered: Collection[EventKey]) -> None:
        """Count what was decided, each event by its last outcome: it may have waited in between.

        One that had waited and waits again is not counted.
        """
        last = {
            (event.source, event.id): (event.type, word_of(o)) for event, o in decision.outcomes
        }
        for event in decision.taken:
            last.setdefault((event.source, event.id), (event.type, _WORDS[Applied]))
        for key, kind in last.items():
            if key in delivered:
                self.kinds[kind] = self.kinds.get(kind, 0) + 1
            elif kind[1] != _WORDS[Deferred]:
                self.late[kind] = self.late.get(kind, 0) + 1

    def merge(self, other: "Report") -> None:
        """Add up two parts of one batch."""
        _add_up(self.kinds, other.kinds)
        _add_up(self.late, other.late)
        for stage, seconds in other.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        self.emitted += other.emitted
        self.tasks += other.tasks
        self.skus += other.skus
        self.orders += other.orders
        self.repeats += other.repeats


def process(desk: Desk, intake: Intake, failed: Mapping[EventKey, SetAside], more: Keys) -> Report:
    """Decide a batch in one transaction and return what became of it.

    `failed`: events that are set aside instead of decided. `more`: what to load besides.
    Raises Unloaded, HandlerFailed and the errors of the store; nothing is kept then.
    """
    now = desk.clock.now()
    watch = Stopwatch(desk.clock)
    with desk.database.begin() as tx, tx.together():
        claim = inbox.claim(tx, intake.arrivals)
        crash_point("after_claim")
        set_aside.record(tx, [*intake.rejected, *map(conflict_row, claim.conflicts)], now)
        fresh = [row for row in claim.fresh if (row.event.source, row.event.id) not in failed]
        events = [row.event for row in fresh]
        state = load(tx, keys_of(events).join(more), events, _of_batches(desk.rules))
        crash_point("after_load")
        watch.lap("load")
        decision = decide(state, [(row.event, row.received_at) for row in fresh], now)
        crash_point("after_decide")
        watch.lap("decide")
        decision.outcomes += [
            (row.event, why)
            for row in claim.fresh
            if (why := failed.get((row.event.source, row.event.id))) is not None
        ]
        save(tx, state, decision, now)
        suspects.forget(tx, intake.suspects)
        crash_point("after_save")
    crash_point("after_commit")
    watch.lap("save")
    report = _report(intake, claim, decision)
    report.seconds = watch.laps
    report.skus, report.orders = len(state.items), len(state.orders)
    state.dissolve()
    return report


def _of_batches(rules: Rules) -> Rules:
    """Let a batch fill half of what a step may: it has other events to decide."""
    return replace(rules, fill_step_lines_max=max(1, rules.fill_step_lines_max // 2))


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
        report.add(row.type, row.reason)
    for arrival in claim.repeats:
        report.add(arrival.event.type, "duplicate")
    for arrival in claim.conflicts:
        report.add(arrival.event.type, "conflict")
    report.decided(decision, {row.key for row in claim.fresh})
    for event, outcome in decision.outcomes:
        if isinstance(outcome, SetAside):
            logger().warning(
                "event_set_aside",
                source=event.source,
                id=event.id,
                type=event.type,
                reason=outcome.reason,
                field=outcome.field,
            )
    return report


def word_of(outcome: Outcome) -> str:
    """Return an outcome in a word; of what was set aside, the reason."""
    return outcome.reason if isinstance(outcome, SetAside) else _WORDS[type(outcome)]


def _add_up(counts: Kinds, by: Kinds) -> None:
    for key, count in by.items():
        counts[key] = counts.get(key, 0) + count
