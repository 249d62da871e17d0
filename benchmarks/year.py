"""A whole year of a real shop, from its first order to its last parcel: embedded and on servers.

What: `backship demo --full FILE` with the complete "Online Retail" set (UCI 352, CC BY 4.0; 25,900
invoices, 541,909 lines, cancellations and write-offs among them) as a process of its own, from its
start to its end: reading the file, telling the events, deciding, publishing, hearing, the demo's
own warehouse and buyer, its audit and its report. Then `backship audit`, which derives every
counter again and must find no difference.

On: once the embedded default in an empty directory, once PostgreSQL and RabbitMQ, on a database and
virtual host of their own; the rules compiled, as in the image. Time and memory are what the
operating system says of the ended process, as /usr/bin/time does. The demo waits after every few
hundred events for all that came of them, as its people answer what they hear: it measures the whole
loop's turn-around, not a full pipeline.

    python -m benchmarks.year --full uci-online-retail.csv.gz [--only servers] [--rounds 1]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks.kit.cpu import used
from benchmarks.kit.report import Spread, Target, conclude, show
from benchmarks.kit.room import COMPILED
from console.demo_data import survey
from tests.support.services import amqp_url, own_database, own_vhost, postgres_url
from tests.support.stack import Stack

VARIABLE = "UCI"
WANTED = f"""\
The full data set is not part of this repository. It is "Online Retail", set 352 of the UCI Machine
Learning Repository (https://archive.ics.uci.edu/dataset/352/online+retail), as a CSV file with the
columns invoice, stock_code, description, quantity, invoiced_at, unit_price, customer_id, country,
sorted by time, plain or gzipped. Name it: --full FILE, or {VARIABLE}=FILE (also `make bench-year
{VARIABLE}=FILE`)."""
TARGET_SECONDS = {"embedded": 8 * 60, "servers": 5 * 60}
LINES = 541_909
SECONDS_MAX = 1_800
COUNTED = {
    "events_in": "inbox",
    "events_out": "emitted",
    "orders": "orders",
    "order_lines": "order_lines",
    "movements": "movements",
}


@dataclass
class Way:
    """One way to run it, and what its rounds gave."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    server_cpu_seconds: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    audit_seconds: list[float] = field(default_factory=list)
    differences: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def round(self, full: Path) -> None:
        """Replay the year once, then audit it."""
        with tempfile.TemporaryDirectory() as folder, self._place(Path(folder)) as stack:
            words = ["--on-servers"] if self.name == "servers" else []
            before = used()
            ended = run(["demo", "--full", str(full), *words], Path(folder), settings_of(stack))
            self.server_cpu_seconds.append(sum(used().since(before).values()))
            audit = run(["audit", "--json"], Path(folder), settings_of(stack))
            self.differences += len(orjson.loads(audit.printed)["differences"])
            self.rows = {
                name: int(str(stack.value(f"SELECT COUNT(*) FROM {table}")))
                for name, table in COUNTED.items()
            }
        self.seconds.append(ended.seconds)
        self.cpu_seconds.append(ended.cpu_seconds)
        self.memory_mib.append(ended.memory_mib)
        self.audit_seconds.append(audit.seconds)
        print(f"  {self.name}: {ended.seconds:,.0f} s, audit: {self.differences} differences")

    @contextmanager
    def _place(self, folder: Path) -> Iterator[Stack]:
        if self.name == "embedded":
            yield Stack(f"sqlite:///{folder / 'backship-demo.db'}", None, "backship")
            return
        with own_vhost(amqp_url()) as broker, own_database(postgres_url()) as database:
            yield Stack(database, broker, "backship")


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended well."""

    printed: bytes
    seconds: float
    cpu_seconds: float
    memory_mib: float


def settings_of(stack: Stack) -> dict[str, str]:
    """Return the settings of a stack as variables."""
    return {
        "BACKSHIP_DATABASE_URL": stack.database_url,
        "BACKSHIP_BROKER_URL": stack.broker_url or "",
    }


def run(words: list[str], folder: Path, settings: Mapping[str, str]) -> Ended:
    """Run `backship` to its end and return what it took; exit where it failed."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")}
    assert COMPILED.exists(), "make compiled"
    printed = folder / "printed.txt"
    begun = time.monotonic()
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "console", *words],
            cwd=folder,
            env={**plain, **settings, "PYTHONPATH": str(COMPILED), "PYTHONUTF8": "1"},
            stdout=out,
        )
        deadline = begun + SECONDS_MAX
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
    _pid, status, usage = ended
    seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    text = printed.read_bytes()
    if process.returncode != 0 and words[0] != "audit":
        sys.exit(f"backship {' '.join(words)} ended with {process.returncode}: {text.decode()}")
    return Ended(text, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--full", type=Path, default=os.environ.get(VARIABLE) or None)
    given.add_argument("--only", choices=["embedded", "servers"])
    given.add_argument("--rounds", type=int, default=1)
    wanted = given.parse_args()
    if wanted.full is None or not Path(wanted.full).is_file():
        sys.exit(f"bench-year: {wanted.full or 'no file'} is not there.\n{WANTED}")
    full = Path(wanted.full).absolute()
    lines = survey(full).lines
    is_whole = lines == LINES
    if not is_whole:
        print(f"{full.name} has {lines:,} lines, the whole set {LINES:,}: no target is compared.")
    ways = [Way(name) for name in TARGET_SECONDS if wanted.only in {None, name}]
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"))
        for way in ways:
            way.round(full)
    show(
        "A year of a shop",
        ("", "seconds", "events in", "out", "CPU s", "servers' CPU s", "MiB at most", "audit s"),
        [
            (
                way.name,
                Spread(way.seconds),
                f"{way.rows['events_in']:,}",
                f"{way.rows['events_out']:,}",
                Spread(way.cpu_seconds),
                Spread(way.server_cpu_seconds),
                Spread(way.memory_mib),
                Spread(way.audit_seconds),
            )
            for way in ways
        ],
    )
    reached = min(TARGET_SECONDS[way.name] / Spread(way.seconds).median for way in ways)
    conclude(
        "year",
        reached if is_whole else None,
        {"lines": lines}
        | {
            way.name: {
                "seconds": Spread(way.seconds),
                "cpu_seconds": Spread(way.cpu_seconds),
                "server_cpu_seconds": Spread(way.server_cpu_seconds),
                "memory_mib_max": Spread(way.memory_mib),
                "audit_seconds": Spread(way.audit_seconds),
                "audit_differences": way.differences,
                **way.rows,
            }
            for way in ways
        },
        [target for way in ways for target in targets(way)] if is_whole else (),
    )


def targets(way: Way) -> Iterator[Target]:
    """Compare a way with what was to be reached."""
    seconds, most = Spread(way.seconds), TARGET_SECONDS[way.name]
    yield Target(
        f"a whole year, {way.name}, seconds", f"< {most}", seconds, met=seconds.median < most
    )
    yield Target(
        f"differences the audit finds, {way.name}", "0", way.differences, met=way.differences == 0
    )


if __name__ == "__main__":
    main()
