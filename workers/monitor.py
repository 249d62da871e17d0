"""What watches a worker, put together: presence always, metrics and their port when asked for.

1. A worker on its own: `monitored` makes its meter and, with `METRICS_PORT`, serves it.
2. A worker of a fleet counts into the supervisor's folder (`Member`) and does not listen.
3. The supervisor: `fleet_served` has that folder, and answers for all on one port.

`prometheus_client` and the server are imported only where metrics are on: they take 0.1 s.
"""

# ruff: noqa: PLC0415 - see above

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from config.settings import Settings
from store.transaction import Database
from workers.chores import Chore
from workers.clock import Clock
from workers.health import Checks, FleetHealth, Health, health_file
from workers.meter import Meter
from workers.presence import TICK_SECONDS, Presence, Ticking
from workers.topology import Topology
from workers.transports.base import Transport

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Ends(Protocol):
    """What is open (`workers.wiring.House`)."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102 - as their types say
    @property
    def database(self) -> Database: ...  # noqa: D102
    @property
    def transport(self) -> Transport: ...  # noqa: D102
    @property
    def topology(self) -> Topology: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Member:
    """A worker's place in a fleet: the supervisor's folder and its number."""

    folder: Path
    number: int

    def arguments(self) -> list[str]:
        """Return how the supervisor tells it."""
        return ["--fleet-folder", str(self.folder), "--fleet-number", str(self.number)]


class Monitor:
    """What goes on beside a worker; `begin` when its tables are there."""

    def __init__(self, meter: Meter, presence: Presence, ticking: Ticking) -> None:
        self.meter = meter
        self._presence = presence
        self._ticking = ticking
        self._begun = False

    def begin(self) -> None:
        """Say that the worker is there, and go on saying so."""
        self._begun = True
        self._presence.begin()
        self._ticking.start()

    def end(self) -> None:
        """Say that it has ended."""
        if self._begun:
            self._ticking.stop()
            self._presence.end()


@contextmanager
def monitored(ends: Ends, member: Member | None = None) -> Iterator[Monitor]:
    """Watch the worker that is run within the block, and that tells the monitor's meter."""
    listens = ends.settings.metrics_port is not None and member is None
    registry = _registry(member) if listens or member is not None else None
    meter = Meter(ends.clock) if registry is None else _metrics(ends, registry)
    health = Health(meter)
    presence = Presence(ends.database, meter, health)
    chores = [Chore("presence", TICK_SECONDS, presence.tick)]
    if member is not None:
        file = health_file(member.folder, member.number)
        chores.append(Chore("health", TICK_SECONDS, lambda: health.write(file)))
    serving: AbstractContextManager[object] = nullcontext()
    if listens and registry is not None:
        serving = _served(ends, health, lambda: registry)
    with serving:
        monitor = Monitor(meter, presence, Ticking("presence", ends.clock, chores))
        try:
            yield monitor
        finally:
            monitor.end()


@contextmanager
def fleet_served(
    ends: Ends, running: Callable[[], Collection[int]]
) -> Iterator[Callable[[int], list[str]]]:
    """Serve a fleet's metrics within the block; yield what to start worker number n with."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    with tempfile.TemporaryDirectory(prefix="backship-metrics-") as name:
        folder = Path(name)

        def registry() -> CollectorRegistry:
            made = CollectorRegistry()
            MultiProcessCollector(made, str(folder))  # type: ignore[no-untyped-call]
            return made

        with _served(ends, FleetHealth(folder, running, ends.clock), registry):
            yield lambda number: Member(folder, number).arguments()


@contextmanager
def _served(
    ends: Ends, checks: Checks, registry: Callable[[], "CollectorRegistry"]
) -> Iterator[None]:
    """Listen within the block, and look at what the gauges show.

    That has a thread of its own: a broker that is away takes half a minute, and heartbeats go on.
    """
    from prometheus_client import CollectorRegistry, generate_latest

    from workers.gauges import LOOK_SECONDS, Gauges
    from workers.metrics_server import MetricsServer

    gauges = Gauges(ends.database, ends.transport, ends.topology, checks, ends.clock)
    shown = CollectorRegistry()
    shown.register(gauges)
    looking = Ticking("gauges", ends.clock, [Chore("gauges", LOOK_SECONDS, gauges.look)])
    server = MetricsServer(
        ends.settings.metrics_address,
        ends.settings.metrics_port or 0,
        lambda: generate_latest(registry()) + generate_latest(shown),
        checks,
    )
    looking.start()
    try:
        yield
    finally:
        server.close()
        looking.stop()


def _registry(member: Member | None) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    if member is not None:
        from workers.metrics import in_fleet

        in_fleet(member.folder, member.number)
    return CollectorRegistry()


def _metrics(ends: Ends, registry: "CollectorRegistry") -> Meter:
    from workers.metrics import Metrics

    topology = ends.topology
    return Metrics(
        ends.clock, ends.transport.name, topology.inbox_queue, topology.out_exchange, registry
    )
