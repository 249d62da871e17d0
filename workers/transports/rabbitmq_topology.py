"""Declaring the topology on RabbitMQ, and comparing what is there with what should be.

- `declare` creates what is missing; what exists with other arguments is an error that names them.
- `missing` declares passively: that tells whether a thing exists and looks at no argument, so the
  rights of a worker are enough.
- `differences` declares once more what exists. The broker answers 406 with the first argument that
  differs; asking again with its value brings out the next one, until it agrees. Nothing changes.

Each question has a throw-away channel, because the answer "no" closes it.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from pika.adapters.blocking_connection import BlockingConnection
from pika.exceptions import ChannelClosedByBroker

from workers.topology import Difference, Topology
from workers.transports.amqp_errors import NOT_FOUND, channel_error
from workers.transports.errors import TopologyDiffers

PRECONDITION_FAILED = 406
ARGUMENTS_MAX = 30
"""How many differing arguments of one object are looked for; more are not worth a line each."""

INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)' for .*: "
    r"received (?P<ours>.*) but current is (?P<theirs>.*)"
)
VALUE = re.compile(r"(?:the value )?'(?P<value>.*?)'(?: of type '(?P<type>\w+)')?")

NONE = "none"


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A queue or an exchange as it is declared."""

    what: Literal["queue", "exchange"]
    name: str
    arguments: dict[str, str | int]
    kind: str = ""
    durable: bool = True
    auto_delete: bool = False

    def send(self, connection: BlockingConnection, *, passive: bool = False) -> None:
        channel = connection.channel()
        if self.what == "queue":
            channel.queue_declare(
                self.name,
                passive=passive,
                durable=self.durable,
                auto_delete=self.auto_delete,
                arguments=self.arguments,
            )
        else:
            channel.exchange_declare(
                self.name,
                self.kind,
                passive=passive,
                durable=self.durable,
                auto_delete=self.auto_delete,
                arguments=self.arguments,
            )
        channel.close()

    def as_found(self, argument: str, theirs: str) -> "_Declaration":
        """Give the same declaration with one argument as the broker has it."""
        if argument == "durable":
            return replace(self, durable=_text(theirs) == "true")
        if argument == "auto_delete":
            return replace(self, auto_delete=_text(theirs) == "true")
        if argument == "type":
            return replace(self, kind=_text(theirs))
        arguments = {name: value for name, value in self.arguments.items() if name != argument}
        if theirs != NONE:
            arguments[argument] = _value(theirs)
        return replace(self, arguments=arguments)


def declare(connection: BlockingConnection, topology: Topology) -> None:
    """Create what is missing, in the topology's order. Raises TopologyDiffers."""
    for declaration in _declarations(topology):
        try:
            declaration.send(connection)
        except ChannelClosedByBroker as error:
            if error.reply_code == PRECONDITION_FAILED:
                raise TopologyDiffers(declaration.name, _in_words(error.reply_text)) from None
            raise channel_error(error, declaration.name) from None
    channel = connection.channel()
    for binding in topology.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.pattern)


def missing(connection: BlockingConnection, topology: Topology) -> list[str]:
    """Name the exchanges and queues that do not exist."""
    names = [each.name for each in _declarations(topology) if not _exists(connection, each)]
    return list(dict.fromkeys(names))


def differences(connection: BlockingConnection, topology: Topology) -> list[Difference]:
    """Find what does not exist and every argument that differs."""
    found: list[Difference] = []
    for declaration in _declarations(topology):
        if _exists(connection, declaration):
            found += _differing_arguments(connection, declaration)
        else:
            found.append(
                Difference(
                    kind=declaration.what,
                    name=declaration.name,
                    argument=None,
                    expected="exists",
                    found="missing",
                    mend="backship init",
                )
            )
    return found


def _declarations(topology: Topology) -> list[_Declaration]:
    return [
        *(
            _Declaration("exchange", each.name, each.arguments, each.kind)
            for each in topology.exchanges
        ),
        *(_Declaration("queue", each.name, each.arguments) for each in topology.queues),
    ]


def _exists(connection: BlockingConnection, declaration: _Declaration) -> bool:
    try:
        declaration.send(connection, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code == NOT_FOUND:
            return False
        raise channel_error(error, declaration.name) from None
    return True


def _differing_arguments(
    connection: BlockingConnection, declaration: _Declaration
) -> list[Difference]:
    found: list[Difference] = []
    for _ in range(ARGUMENTS_MAX):
        try:
            declaration.send(connection)
        except ChannelClosedByBroker as error:
            said = INEQUIVALENT.search(error.reply_text)
            if error.reply_code != PRECONDITION_FAILED or said is None:
                raise channel_error(error, declaration.name) from None
        else:
            return found
        found.append(
            Difference(
                kind=declaration.what,
                name=declaration.name,
                argument=said["argument"],
                expected=_text(said["ours"]),
                found=_text(said["theirs"]),
                mend=f"empty and delete the {declaration.what}, then `backship init`",
            )
        )
        declaration = declaration.as_found(said["argument"], said["theirs"])
    return found


def _in_words(reply_text: str) -> str:
    said = INEQUIVALENT.search(reply_text)
    if said is None:
        return reply_text
    return f"{said['argument']} is {_text(said['theirs'])} instead of {_text(said['ours'])}"


def _text(value: str) -> str:
    """Read `none`, `'5'` or `the value '5' of type 'signedint'` as the bare value."""
    said = VALUE.fullmatch(value.strip())
    return said["value"] if said else value.strip()


def _value(value: str) -> str | int:
    said = VALUE.fullmatch(value.strip())
    text = said["value"] if said else value
    is_text = said is not None and said["type"] == "longstr"
    return text if is_text or not text.lstrip("-").isdigit() else int(text)
