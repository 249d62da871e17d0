"""`backship worker --processes N`: the supervisor, and what is served for its fleet."""

from config.settings import Settings
from workers.clock import SystemClock
from workers.supervisor import Supervisor, worker_command


def supervise(settings: Settings, processes: int, *, burst: bool) -> int:
    """Run N workers; with `METRICS_PORT` their metrics and health on one port."""
    command = worker_command(["--burst"] if burst else [])
    supervisor = Supervisor(command, processes, SystemClock(), settings.shutdown_seconds_max)
    if settings.metrics_port is None:
        return supervisor.run(burst=burst)

    from workers.monitor import fleet_served
    from workers.wiring import opened

    with opened(settings) as house, fleet_served(house, supervisor.running) as more:
        supervisor.more = more
        return supervisor.run(burst=burst)
