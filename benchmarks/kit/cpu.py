"""Who used the processors: seconds of CPU by component, of the whole of each.

The broker and the database are told by the names of their processes, so nothing else may use them
meanwhile. PostgreSQL's sessions end: what ended ones have used is with their parent.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_COMPONENTS = {"beam.smp": "rabbitmq", "postgres": "postgresql"}


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of CPU by component."""

    seconds: dict[str, float]

    def since(self, before: "Used") -> dict[str, float]:
        """Return what was used since."""
        return {
            name: round(seconds - before.seconds.get(name, 0.0), 3)
            for name, seconds in self.seconds.items()
        }


def used(workers: Iterable[int] = ()) -> Used:
    """Return what was used so far by the servers, and by these processes as `workers`."""
    own = set(workers)
    seconds = dict.fromkeys((*_COMPONENTS.values(), "workers"), 0.0)
    for process in psutil.process_iter(["name"]):
        component = "workers" if process.pid in own else _COMPONENTS.get(process.info["name"])
        if component is None:
            continue
        try:
            spent = process.cpu_times()
        except psutil.Error:
            continue
        seconds[component] += spent.user + spent.system
        if component == "postgresql":
            seconds[component] += spent.children_user + spent.children_system
    return Used(seconds)
