"""What only RabbitMQ's management API tells: bindings, and policies laid over our arguments.

It is a plugin, on another port and perhaps behind a firewall: where it does not answer, that is
part of the report and no error. Only ever read from.

Policies may tune (lengths, timeouts); reported are those that can lose messages or change what a
queue promises, because an operator's policy applies although our declaration says nothing of it.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import quote

from workers.topology import Difference, Topology, TopologyReport
from workers.transports.amqp_address import AmqpHost

RISKY_POLICY_KEYS = frozenset(
    {
        "alternate-exchange",
        "dead-letter-exchange",
        "dead-letter-routing-key",
        "dead-letter-strategy",
        "delivery-limit",
        "expires",
        "max-length",
        "max-length-bytes",
        "message-ttl",
        "overflow",
    }
)

Rows = list[dict[str, object]]


class _NoAnswer(Exception):  # noqa: N818 - not an error: it becomes a line of the report
    """The management API could not be asked; the reason in words."""


def look_through_management(
    hosts: tuple[AmqpHost, ...], topology: Topology, seconds_max: float
) -> TopologyReport:
    """Compare bindings and policies; ask each host until one answers."""
    reasons: list[str] = []
    for host in hosts:
        try:
            return TopologyReport(tuple(_differences(host, topology, seconds_max)))
        except _NoAnswer as error:
            reasons.append(f"{host.management_url} {error}")
    said = ", ".join(dict.fromkeys(reasons))
    return TopologyReport(
        unchecked=(f"Bindings and policies were not checked: the management API {said}.",)
    )


def _differences(host: AmqpHost, topology: Topology, seconds_max: float) -> Iterable[Difference]:
    bindings = _get(host, "bindings", seconds_max)
    queues = _get(host, "queues", seconds_max)
    exchanges = _get(host, "exchanges", seconds_max)
    ours = {each.name for each in topology.queues}
    own_exchanges = {each.name for each in topology.exchanges}
    yield from _binding_differences(topology, bindings)
    yield from _policy_differences("queue", queues, ours)
    yield from _policy_differences("exchange", exchanges, own_exchanges)


def _binding_differences(topology: Topology, bindings: Rows) -> Iterable[Difference]:
    present = {
        (each.get("source"), each.get("destination"), each.get("routing_key"))
        for each in bindings
        if each.get("destination_type") == "queue"
    }
    for binding in topology.bindings:
        if (binding.exchange, binding.queue, binding.pattern) not in present:
            yield Difference(
                kind="binding",
                name=f"{binding.exchange} → {binding.queue}",
                argument=binding.pattern,
                expected="bound",
                found="missing",
                mend="backship init",
            )
    # A foreign binding brings messages that no rule of ours admitted past the routing keys.
    expected = {(each.exchange, each.queue, each.pattern) for each in topology.bindings}
    ours = {each.name for each in topology.queues}
    for source, destination, key in sorted(present - expected, key=str):
        if destination in ours and source:
            yield Difference(
                kind="binding",
                name=f"{source} → {destination}",
                argument=str(key),
                expected="not bound",
                found="bound",
                mend="unbind it, unless it is meant to be there",
            )


def _policy_differences(what: str, rows: Rows, names: set[str]) -> Iterable[Difference]:
    for row in rows:
        definition = row.get("effective_policy_definition")
        if row.get("name") not in names or not isinstance(definition, Mapping):
            continue
        for key in sorted(RISKY_POLICY_KEYS & definition.keys()):
            policy = row.get("policy") or row.get("operator_policy") or "?"
            yield Difference(
                kind="policy",
                name=f"{policy} on {what} {row.get('name')}",
                argument=key,
                expected="not set",
                found=str(definition[key]),
                mend="take the key out of the policy, or let its pattern leave ours out",
            )


def _get(host: AmqpHost, what: str, seconds_max: float) -> Rows:
    url = f"{host.management_url}/api/{what}/{quote(host.vhost, safe='')}"
    token = base64.b64encode(f"{host.user}:{host.password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(  # noqa: S310 - http(s) only: checked where it is read
            request, timeout=seconds_max, context=host.context
        ) as response:
            return cast("Rows", json.load(response))
    except urllib.error.HTTPError as error:
        error.close()
        raise _NoAnswer(f"answered {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _NoAnswer(f"does not answer ({reason})") from None
