"""How a benchmark ends: a table for people, one JSON object for programs, a file for RESULTS.md."""

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

from tests.support.services import postgres_url, rabbitmqctl

RESULTS = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).parent.parent / "results")
_PACKAGES = ("kombu", "orjson", "pika", "psycopg", "pydantic", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds gave: the median, and the range in which all lie."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return _short(self.median)
        return f"{_short(self.median)} [{_short(min(self.values))}-{_short(max(self.values))}]"

    def told(self) -> dict[str, float | int]:
        """Return it as JSON has it."""
        return {
            "median": _rounded(self.median),
            "low": _rounded(min(self.values)),
            "high": _rounded(max(self.values)),
            "rounds": len(self.values),
        }


def ratios(these: Sequence[float], those: Sequence[float]) -> Spread:
    """Return how many times each is the one of the same round."""
    return Spread([this / that for this, that in zip(these, those, strict=True)])


def show(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for position, header in enumerate(headers):
        table.add_column(header, justify="right" if position else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(_cell, row))
    Console(width=160 if not os.isatty(1) else None).print(table)


@dataclass(frozen=True, slots=True)
class Target:
    """What was to be reached, in words, what came, and whether that is enough."""

    what: str
    target: str
    measured: object
    met: bool


def conclude(
    name: str,
    ratio: float | None,
    figures: Mapping[str, Any],
    targets: Sequence[Target] = (),
) -> None:
    """Print the last line, one JSON object, and keep it in `benchmarks/results/NAME.json`.

    The variable BENCH_RESULTS names another folder. `ratio`: the one figure the benchmark is about,
    measured against its target or rival.
    """
    for one in targets:
        print(
            f"{'reached' if one.met else 'MISSED '}: {one.what}: "
            f"{_cell(one.measured)}, target {one.target}"
        )
    told = {
        "benchmark": name,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "ratio": None if ratio is None else _rounded(ratio),
        "targets": [
            {
                "what": one.what,
                "target": one.target,
                "measured": _told(one.measured),
                "met": bool(one.met),
            }
            for one in targets
        ],
        **{key: _told(value) for key, value in figures.items()},
        "versions": versions(),
        "machine": machine(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, separators=(",", ":")))


def versions() -> dict[str, str]:
    """Return what was measured with."""
    server = create_engine(postgres_url())
    with server.connect() as connection:
        postgresql = str(connection.execute(text("SHOW server_version")).scalar_one())
    server.dispose()
    return {
        "python": platform.python_version(),
        "postgresql": postgresql.split(maxsplit=1)[0],
        "rabbitmq": rabbitmqctl("version").strip(),
        **{name: version(name) for name in _PACKAGES},
    }


def machine() -> dict[str, str | int | float]:
    """Return on what it was measured, without a name."""
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "load_before": round(os.getloadavg()[2], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _told(value: object) -> object:
    if isinstance(value, Spread):
        return value.told()
    if isinstance(value, float):
        return _rounded(value)
    if isinstance(value, Mapping):
        return {key: _told(part) for key, part in value.items()}
    return value


def _rounded(value: float) -> float | int:
    return round(value, 3) if abs(value) < 100 else round(value)


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _cell(value: object) -> str:
    return _short(value) if isinstance(value, float) else str(value)
