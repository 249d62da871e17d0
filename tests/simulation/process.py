"""One worker process of the simulation: the production worker, wired by the production wiring.

It runs until it is stopped, killed, or ends by itself; only what waiting does not mend may end it.
"""

from datetime import datetime, timedelta

from config.settings import Settings
from store.errors import StoreError
from tests.simulation.broker import Broker
from tests.simulation.database import Disk, SimulatedDatabase
from tests.simulation.history import History
from tests.simulation.scheduler import Life, Scheduler
from tests.simulation.transport import ModelTransport
from workers.transports.errors import TopologyMissing, TransportError
from workers.wiring import House
from workers.worker import Worker


class ProcessClock:
    """A machine's clock: the world's, a little off; what it tells is noted."""

    def __init__(self, scheduler: Scheduler, skew: timedelta) -> None:
        self._scheduler = scheduler
        self._skew = skew

    def now(self) -> datetime:
        """Tell the time of day as this machine has it."""
        told = self._scheduler.clock.now() + self._skew
        if self._scheduler.current is not None:
            self._scheduler.current.told_now = told
        return told

    def monotonic(self) -> float:
        """Tell seconds that never go back."""
        return self._scheduler.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        if seconds > 0:
            self._scheduler.wait(None, seconds)


class Process:
    """One life of one worker."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything there is in a world
        self,
        name: str,
        scheduler: Scheduler,
        broker: Broker,
        disk: Disk,
        history: History,
        settings: Settings,
        skew: timedelta,
    ) -> None:
        self.life = Life(name)
        self._scheduler = scheduler
        self.database = SimulatedDatabase(disk, self.life, history)
        prefetch = settings.batch_size_max * settings.prefetch_batches
        transport = ModelTransport(broker, self.life, prefetch)
        clock = ProcessClock(scheduler, skew)
        self._house = House(settings, self.database, transport, clock)
        self._worker: Worker | None = None
        self.returned = False

    def start(self, *, burst: bool = False) -> None:
        """Begin to work."""
        self._scheduler.spawn(self.life.name, self.life, lambda: self._work(burst=burst))

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does; one that does not listen yet ends at once."""
        if self._worker is not None:
            self._worker.stop()
        else:
            self._scheduler.kill(self.life)

    @property
    def ended(self) -> bool:
        """Is nothing of it left?"""
        return not any(task.life is self.life for task in self._scheduler.tasks)

    def join(self) -> None:
        """Wait until it has ended."""
        self._scheduler.wait(lambda: self.ended, None)

    def _work(self, *, burst: bool) -> None:
        try:
            self._house.ready()
        except (TransportError, StoreError):
            self._exit()  # whoever keeps it running starts it again
            return
        self._worker = self._house.worker()
        try:
            self._worker.run(burst=burst)
        except TopologyMissing:
            pass  # it says which and how to mend it, and is started again when somebody has
        else:
            self.returned = True
        self._exit()

    def _exit(self) -> None:
        """End with all threads that are still there, as a process does."""
        self.life.alive = False
        for last in self.life.last_words:
            last()
