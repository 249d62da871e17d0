"""What went wrong, as one sentence and an exit status (contract.md §6). Never shows a stack."""

import sys
from enum import IntEnum


class Status(IntEnum):
    """How a command ends."""

    DONE = 0
    NOT_SO = 1  # what was asked about does not hold, or nobody knows it
    WRONG_USE = 2  # arguments, settings, an old schema, missing topology
    NO_SERVER = 3  # a server could not be reached, or refused us


class WrongUse(Exception):  # noqa: N818 - names what happened
    """What was typed can not be done; the message is one sentence."""


# The first that fits. By name: an exception can only be of a module that is loaded already, and
# loading the others, to say that an option is mistyped, would take a second.
ENDINGS: tuple[tuple[str, str, Status], ...] = (
    ("console.trouble", "WrongUse", Status.WRONG_USE),
    ("typer", "TyperException", Status.WRONG_USE),
    ("config.errors", "SettingsError", Status.WRONG_USE),
    ("workers.wiring", "NamesTaken", Status.WRONG_USE),
    ("workers.metrics_server", "PortTaken", Status.WRONG_USE),
    ("store.errors", "SchemaError", Status.WRONG_USE),
    ("store.errors", "StoreError", Status.NO_SERVER),
    ("workers.transports.errors", "TopologyMissing", Status.WRONG_USE),
    ("workers.transports.errors", "TopologyDiffers", Status.WRONG_USE),
    ("workers.transports.errors", "BadAddress", Status.WRONG_USE),
    ("workers.transports.errors", "TransportError", Status.NO_SERVER),
)

_BAD_URL = "url"  # the code of a database URL that names no engine: nothing was reached for


def explain(error: Exception) -> tuple[Status, str]:
    """Return how to end and what to say."""
    for module, name, status in ENDINGS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            wrong_url = getattr(error, "code", None) == _BAD_URL
            return Status.WRONG_USE if wrong_url else status, _sentence(error)
    said = " ".join(str(error).split())
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return Status.NOT_SO, f"this should not happen: {what} (--debug shows where)."


def _sentence(error: Exception) -> str:
    """Return its message on one line, ending with a full stop."""
    format_message = getattr(error, "format_message", None)  # typer's, with the option's name
    line = " ".join(str(format_message() if format_message else error).split())
    return line if line.endswith((".", "?", "!")) else f"{line}."
