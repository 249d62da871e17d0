"""The commands that do something: init, worker, publish, demo; and what describes the program."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from console.trouble import Status

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def declare(app: typer.Typer) -> None:
    """Add the commands to the program, in the order in which `--help` lists them."""
    for command in (demo, init, worker, publish, housekeeping, topology, config, schema):
        app.command()(command)


def demo(
    *,
    full: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Replay the whole year from this file.")
    ] = None,
    on_servers: Annotated[
        bool, typer.Option("--on-servers", help="Use the servers of the settings; empty ones.")
    ] = False,
) -> int:
    """Replay real orders on the embedded default and show what happened."""
    from config import settings
    from console.demo import run

    return run(full=full, on_servers=on_servers, settings=settings.read())


def init() -> int:
    """Create or upgrade the tables and declare the topology; run again it changes nothing."""
    from config import settings
    from console.preparing import prepare

    for sentence in prepare(settings.read()):
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
    return Status.DONE


def worker(  # noqa: PLR0913 - one for each option
    *,
    burst: Annotated[
        bool, typer.Option("--burst", help="Stop when nothing is left to do.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, metavar="N", help="Supervise N workers.")
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_535, metavar="PORT", help="Serve /metrics, /healthz and /readyz on it."
        ),
    ] = None,
    metrics_address: Annotated[
        str | None, typer.Option(metavar="IP", help="Where to listen; else 127.0.0.1.")
    ] = None,
    fleet_folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
    fleet_number: Annotated[int, typer.Option(hidden=True)] = 0,
) -> int:
    """Consume, decide, publish; SIGTERM drains."""
    from config import logs, settings

    said = {"metrics_port": metrics_port, "metrics_address": metrics_address}
    given = settings.read(**{name: value for name, value in said.items() if value is not None})
    logs.configure(given.log_level)
    if processes is not None:
        from console.supervising import supervise

        return supervise(given, processes, burst=burst)

    from workers.monitor import Member
    from workers.wiring import run_worker

    member = None if fleet_folder is None else Member(fleet_folder, fleet_number)
    run_worker(given, burst=burst, member=member)
    return Status.DONE


def publish(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...|-", help="JSON lines or a JSON array; -: stdin.")
    ],
) -> int:
    """Send events to the inbox; malformed ones are named and left out."""
    from config import settings
    from console.publishing import publish_files

    return publish_files(settings.read(), files)


def housekeeping(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be removed; changes nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Remove what is kept for a time and is older; workers do so every hour."""
    from config import settings
    from console.housekeeping import keep_house

    return keep_house(settings.read(), dry_run=dry_run, as_json=as_json)


def topology(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with what the broker has; changes nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """List the exchanges and queues, or compare them with the broker's."""
    from config import settings
    from console import describing

    return describing.show_topology(settings.read(), check=check, as_json=as_json)


def config(*, as_json: Json = False) -> int:
    """Show the effective settings, secrets masked."""
    from config import settings
    from console import describing

    return describing.show_settings(settings.read(), as_json=as_json)


def schema(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to write; else AsyncAPI on standard output."),
    ] = None,
) -> int:
    """Write the JSON Schemas of all messages and the AsyncAPI document."""
    from console import describing

    return describing.write_schemas(directory)
