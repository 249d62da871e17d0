"""The catalogue of messages as documents: JSON Schemas, AsyncAPI, docs/events.md.

`backship schema DIR` writes `documents()`; the models are the only place a message is described.
"""

from collections.abc import Mapping
from pathlib import Path

import orjson

from events.asyncapi import asyncapi
from events.reference import markdown
from events.schemas import message_schemas

__all__ = ["asyncapi", "documents", "markdown", "message_schemas", "write"]


def documents() -> Mapping[str, bytes]:
    """Return every document by file name: `<Type>.schema.json` and `asyncapi.json`."""
    schemas = {f"{kind}.schema.json": schema for kind, schema in message_schemas().items()}
    return {
        name: orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        for name, document in {**schemas, "asyncapi.json": asyncapi()}.items()
    }


def write(directory: Path) -> list[Path]:
    """Write every document into `directory`, making it if need be; return what was written.

    The one place of this package that touches a disk, for a command that asks for it by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in documents().items():
        path = directory / name
        path.write_bytes(document)
        written.append(path)
    return written
