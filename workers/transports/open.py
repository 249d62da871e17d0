"""Which transport an address means. The only place that knows all of them.

- nothing, or `backship-sqlite:///PATH`: the embedded one, in a SQLite file;
- `amqp://`, `amqps://`: RabbitMQ;
- anything else: kombu, without the promise.

Imports are inside, because pika and kombu cost a tenth of a second each that `--help` does not owe.
"""

from pathlib import Path

from workers.topology import topology
from workers.transports.base import Transport, TransportOptions
from workers.transports.errors import BadAddress

RABBITMQ_SCHEMES = frozenset({"amqp", "amqps"})
EMBEDDED_SCHEME = "backship-sqlite"


def open_transport(
    broker_url: str | None, sqlite_path: Path, options: TransportOptions, *, prefix: str
) -> Transport:
    """Make the transport for BROKER_URL; connects to nothing yet. Raises BadAddress.

    `sqlite_path` is the embedded queue's file where no URL says otherwise; `prefix` is the topology
    prefix, which transports need that have to declare on every connection.
    """
    if broker_url is None:
        return _embedded(sqlite_path, options)
    scheme = broker_url.partition(":")[0].strip().lower()
    if scheme == EMBEDDED_SCHEME:
        return _embedded(_path_of(broker_url), options)
    if scheme in RABBITMQ_SCHEMES:
        from workers.transports.rabbitmq import RabbitTransport  # noqa: PLC0415 - lazy, see above

        return RabbitTransport(broker_url, options)
    from workers.transports.kombu import KombuTransport  # noqa: PLC0415 - lazy, see above

    return KombuTransport(broker_url, topology(prefix), options)


def _embedded(path: Path, options: TransportOptions) -> Transport:
    from workers.transports.embedded import EmbeddedTransport  # noqa: PLC0415 - lazy, see above

    return EmbeddedTransport(path, options)


def _path_of(url: str) -> Path:
    from workers.transports.sqlite_queue import path_of  # noqa: PLC0415 - lazy, see above

    try:
        return path_of(url)
    except ValueError as error:
        raise BadAddress(f"BROKER_URL: {error}") from None
