"""What describes the program itself: `topology`, `config`, `schema`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from config.settings import PREFIX, Settings
from console import screen
from console.trouble import Status
from workers.topology import Topology, TopologyReport
from workers.topology import topology as topology_of


def show_topology(settings: Settings, *, check: bool, as_json: bool) -> int:
    """List what must exist on the broker; with `check`, what is different there."""
    wanted = topology_of(settings.topology_prefix)
    report = _checked(settings) if check else None
    if as_json:
        screen.document(_topology_document(wanted, report))
    elif report is None:
        _topology_tables(wanted)
    else:
        _report_tables(report)
    return Status.NOT_SO if report is not None and report.differences else Status.DONE


def _checked(settings: Settings) -> TopologyReport:
    from workers.wiring import opened

    with opened(settings) as house:
        return house.transport.check(house.topology)


def _topology_document(wanted: Topology, report: TopologyReport | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "exchanges": [
            {"name": row.name, "type": row.kind, "arguments": row.arguments}
            for row in wanted.exchanges
        ],
        "queues": [{"name": row.name, "arguments": row.arguments} for row in wanted.queues],
        "bindings": [
            {"exchange": row.exchange, "queue": row.queue, "routing_key": row.pattern}
            for row in wanted.bindings
        ],
    }
    if report is not None:
        document["differences"] = [asdict(row) for row in report.differences]
        document["unchecked"] = list(report.unchecked)
    return document


def _topology_tables(wanted: Topology) -> None:
    screen.table(
        "Exchanges",
        ("exchange", "type", "arguments"),
        [(row.name, row.kind, _arguments(row.arguments)) for row in wanted.exchanges],
    )
    screen.table(
        "Queues",
        ("queue", "arguments"),
        [(row.name, _arguments(row.arguments)) for row in wanted.queues],
    )
    screen.table(
        "Bindings",
        ("exchange", "routing key", "queue"),
        [(row.exchange, row.pattern, row.queue) for row in wanted.bindings],
    )


def _report_tables(report: TopologyReport) -> None:
    screen.table(
        "Differences",
        ("what", "name", "argument", "expected", "found", "how to mend it"),
        [
            (row.kind, row.name, row.argument, row.expected, row.found, row.mend)
            for row in report.differences
        ],
        nothing="Everything on the broker is as it should be.",
    )
    for sentence in report.unchecked:
        screen.say(f"Not looked at: {sentence}")


def _arguments(arguments: dict[str, str | int]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in arguments.items())


def show_settings(settings: Settings, *, as_json: bool) -> int:
    """Show the effective settings."""
    shown = settings.shown()
    if as_json:
        screen.document(shown)
        return Status.DONE
    rows: list[tuple[str, object]] = []
    for name, value in shown.items():
        inner = value.items() if isinstance(value, dict) else None
        if inner is None:
            rows.append((f"{PREFIX}{name.upper()}", value))
        else:
            rows += [(f"{PREFIX}{name.upper()}__{key.upper()}", part) for key, part in inner]
    screen.table(
        "Settings",
        ("variable", "value"),
        [(name, screen.plain(value)) for name, value in rows],
    )
    return Status.DONE


def write_schemas(directory: Path | None) -> int:
    """Write the documents of all messages; without a directory, AsyncAPI to standard output."""
    from events import catalogue

    if directory is None:
        sys.stdout.write(catalogue.documents()["asyncapi.json"].decode())
        return Status.DONE
    written = catalogue.write(directory)
    screen.say(f"{len(written)} documents are written to {directory}.")
    return Status.DONE
