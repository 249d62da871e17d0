"""`deploy/rabbitmq/definitions.json` in a real broker: what a deployed virtual host is like.

The file is imported as it stands, but into a virtual host and with user names of one test run:
nothing else on the broker is touched. Names of exchanges and queues, and the rights on them, are
the file's own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from tests.support import services

DEFINITIONS_FILE = Path(__file__).parent.parent.parent / "deploy" / "rabbitmq" / "definitions.json"


def definitions() -> dict[str, Any]:
    """The file, parsed."""
    parsed: dict[str, Any] = json.loads(DEFINITIONS_FILE.read_text())
    return parsed


@dataclass(frozen=True)
class Deployment:
    """A virtual host that holds the imported definitions."""

    url: str
    prefix: str

    def url_of(self, user: str) -> str:
        """Where that user of the definitions logs in, with its documented password."""
        return services.with_user(self.url, f"{self.prefix}{user}", f"{user}-dev")

    @contextmanager
    def channel(self, user: str) -> Iterator[BlockingChannel]:
        """A channel with confirms, as that user."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url_of(user)))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            connection.close()

    def take_all(self, user: str, queue: str) -> list[bytes]:
        """Everything in that queue, taken out as that user."""
        taken: list[bytes] = []
        with self.channel(user) as channel:
            while True:
                method, _, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return taken
                taken.append(body or b"")


@contextmanager
def imported_definitions() -> Iterator[Deployment]:
    """Import them for a while."""
    name = services.unique_name("backship_deploy")
    prefix = f"{name}-"
    renamed = definitions()
    users = [user["name"] for user in renamed["users"]]
    for user in renamed["users"]:
        user["name"] = prefix + user["name"]
    for kind in ("permissions", "topic_permissions"):
        for right in renamed[kind]:
            right["user"] = prefix + right["user"]
    for kind in ("permissions", "topic_permissions", "exchanges", "queues", "bindings"):
        for entry in renamed[kind]:
            entry["vhost"] = name
    renamed["vhosts"] = [{"name": name}]
    try:
        services.rabbitmqctl("import_definitions", given=json.dumps(renamed))
        yield Deployment(services.with_vhost(services.amqp_url(), name), prefix)
    finally:
        services.rabbitmqctl("delete_vhost", name)
        for user in users:
            services.rabbitmqctl("delete_user", prefix + user)
