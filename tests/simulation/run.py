"""A seed in, an account out: the world is made, run and checked in a folder of its own."""

import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from store import migrations
from store.transaction import Database
from tests.simulation.checker import Account, check
from tests.simulation.world import World

_MEMORY = Path("/dev/shm")  # noqa: S108 - a disk made of memory, where there is one


@dataclass(slots=True)
class Tally:
    """What many seeds came to."""

    seeds: int = 0
    turns: int = 0
    commits: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    killed_at: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)

    def add(self, world: World, account: Account) -> None:
        """Add one seed."""
        self.seeds += 1
        self.turns += world.scheduler.turns
        self.commits += len(world.history.deeds)
        self.faults += world.faults.counts
        self.killed_at += world.faults.killed_at
        for name in ("attempted", "acknowledged", "applied", "repeated", "waiting", "set_aside"):
            self.places[name] += getattr(account, name)


@contextmanager
def workshop() -> Iterator[Path]:
    """Give a folder with a file that has the tables and nothing in them."""
    where = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="backship-simulation-", dir=where) as name:
        folder = Path(name)
        made = Database(f"sqlite:///{folder / 'tables.db'}")
        migrations.upgrade(made)
        made.close()
        yield folder


def run(
    folder: Path,
    seed: int,
    *,
    faults: frozenset[str] | None = None,
    poison: bool = True,
) -> tuple[World, Account]:
    """Run one seed and check what is left; raises what is wrong."""
    files = [folder / "run.db", folder / "clean.db"]
    for file in files:
        for old in folder.glob(f"{file.name}*"):
            old.unlink()
        shutil.copy(folder / "tables.db", file)
    world = World(seed, f"sqlite:///{files[0]}", faults=faults, poison=poison)
    with _silence():
        world.run()
        return world, check(world, f"sqlite:///{files[1]}")


@contextmanager
def _silence() -> Iterator[None]:
    """Log nothing: a thousand lines a second tell nobody anything."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
