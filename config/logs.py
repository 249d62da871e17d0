"""Logs: structlog, readable on a terminal, JSON elsewhere.

Event names are static, ids are fields; bodies never appear at INFO. Loggers are made in one place
and bound where a batch or a process starts; handlers do not log at all.
"""

import logging
import sys
from typing import Any

import structlog


def configure(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send every log line to standard error: for people on a terminal, else one JSON object."""
    plain = sys.stderr.isatty() if as_json is None else not as_json
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=True)]
        if plain
        else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard library: only their warnings matter to an operator.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    for name in ("pika", "kombu", "amqp", "sqlalchemy", "alembic", "psycopg"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def logger(**fields: Any) -> structlog.typing.FilteringBoundLogger:  # noqa: ANN401 - log fields
    """Return a logger with these fields on every line."""
    return structlog.get_logger().bind(**fields)  # type: ignore[no-any-return]
