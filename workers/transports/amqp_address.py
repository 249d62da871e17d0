"""Where a RabbitMQ is: `amqp://` and `amqps://` URLs read into connection parameters.

`amqp://user:password@host:port/vhost`, several of them parted by `;` for a cluster. After a `?`:

- `cafile`, `certfile`, `keyfile`: who signs the server's certificate; our own, if it asks for one;
- `server_name`: the name in the certificate where it is not the host's;
- `management`: the address of the management API where it is not port 15672 of the host.

A certificate is always checked, and that it is this host's. No text made here holds a password.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pika

from workers.transports.base import TransportOptions
from workers.transports.errors import BadAddress

PORTS = {"amqp": 5672, "amqps": 5671}
MANAGEMENT_PORTS = {"amqp": ("http", 15672), "amqps": ("https", 15671)}
QUERY_NAMES = frozenset({"cafile", "certfile", "keyfile", "server_name", "management"})

BLOCKED_SECONDS_MAX = 30
"""How long a broker out of memory or disk may hold a connection before it is given up."""

SEND_SECONDS_MAX = 20
"""How long sent bytes may stay unacknowledged: a cut cable is noticed though nothing comes back."""


@dataclass(frozen=True, slots=True)
class AmqpHost:
    """One server of the address. `shown` is the address without the password."""

    scheme: str
    host: str
    port: int
    vhost: str
    user: str
    password: str
    query: Mapping[str, str]
    context: ssl.SSLContext | None

    def __repr__(self) -> str:
        return f"AmqpHost({self.shown})"

    @property
    def shown(self) -> str:
        """Give the address without the password."""
        vhost = "" if self.vhost == "/" else self.vhost
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{vhost}"

    @property
    def management_url(self) -> str:
        """Give the address of the management API, without user and password."""
        scheme, port = MANAGEMENT_PORTS[self.scheme]
        return self.query.get("management", f"{scheme}://{self.host}:{port}").rstrip("/")

    def parameters(self, options: TransportOptions, purpose: str) -> pika.ConnectionParameters:
        """Make pika's parameters for one attempt at this host."""
        tls = None
        if self.context is not None:
            tls = pika.SSLOptions(self.context, self.query.get("server_name", self.host))
        return pika.ConnectionParameters(
            host=self.host,
            port=self.port,
            virtual_host=self.vhost,
            credentials=pika.PlainCredentials(self.user, self.password, erase_on_connect=False),
            heartbeat=options.heartbeat_seconds,
            blocked_connection_timeout=BLOCKED_SECONDS_MAX,
            socket_timeout=options.connect_seconds_max,
            stack_timeout=options.connect_seconds_max,
            connection_attempts=1,
            ssl_options=tls,
            client_properties={"connection_name": f"backship {purpose}"},
            tcp_options={"TCP_USER_TIMEOUT": SEND_SECONDS_MAX * 1000},
        )


def read_amqp_address(urls: str) -> tuple[AmqpHost, ...]:
    """Read BROKER_URL. Raises BadAddress with what is wrong, never with the URL itself."""
    return tuple(_read(url.strip(), place) for place, url in enumerate(urls.split(";"), start=1))


def shown(hosts: tuple[AmqpHost, ...]) -> str:
    """Give all addresses without passwords."""
    return ";".join(host.shown for host in hosts)


def _read(url: str, place: int) -> AmqpHost:
    where = f"BROKER_URL, address {place},"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadAddress(f"{where} cannot be read: its host or port is malformed.") from None
    if parts.scheme not in PORTS:
        raise BadAddress(f"{where} must begin with amqp:// or amqps://.")
    if "@" not in parts.netloc and "@" in parts.path + parts.query + parts.fragment:
        # What was read as path or query may be half a password: nothing of it is shown.
        raise BadAddress(f"{where} is cut short: write / ? # in a password as %2F %3F %23.")
    if parts.fragment:
        raise BadAddress(f"{where} holds a #: write it as %23.")
    query = _query(parts, where)
    return AmqpHost(
        scheme=parts.scheme,
        host=parts.hostname or "localhost",
        port=port or PORTS[parts.scheme],
        vhost=unquote(parts.path[1:]) or "/",
        user=unquote(parts.username or "guest"),
        password=unquote(parts.password if parts.password is not None else "guest"),
        query=query,
        context=_tls(query, where) if parts.scheme == "amqps" else None,
    )


def _query(parts: SplitResult, where: str) -> dict[str, str]:
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(query.keys() - QUERY_NAMES)
    if unknown:
        known = ", ".join(sorted(QUERY_NAMES))
        raise BadAddress(f"{where} has an unknown parameter {unknown[0]!r}; known are {known}.")
    if parts.scheme == "amqp" and query.keys() - {"management"}:
        raise BadAddress(f"{where} names a certificate, but only amqps:// uses one.")
    if not query.get("management", "http://").startswith(("http://", "https://")):
        raise BadAddress(f"{where} has a management address that is neither http nor https.")
    return query


def _tls(query: Mapping[str, str], where: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=query.get("cafile"))
        if "certfile" in query:
            context.load_cert_chain(query["certfile"], query.get("keyfile"))
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "it is no certificate"
        raise BadAddress(f"{where} names a certificate that cannot be used: {reason}.") from None
    return context
