"""What pika says, in our words: one sentence, no secret, and whether another try can help."""

import socket
import ssl

from pika.adapters.utils.connection_workflow import (
    AMQPConnectionWorkflowFailed,
    AMQPConnectorPhaseErrorBase,
    AMQPConnectorStackTimeout,
)
from pika.exceptions import (
    AMQPHeartbeatTimeout,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionBlockedTimeout,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from workers.transports.errors import ConnectionLost, Refused, TopologyMissing, TransportError

NOT_FOUND = 404
REFUSING_CODES = frozenset({402, 403, 530})
"""Invalid path, access refused, not allowed: the connection is not for us."""


def connect_error(error: BaseException, address: str) -> TransportError:
    """Say why no connection to `address` (written without its password) could be made."""
    while isinstance(error, AMQPConnectionWorkflowFailed | AMQPConnectorPhaseErrorBase):
        error = (
            error.exceptions[-1]
            if isinstance(error, AMQPConnectionWorkflowFailed)
            else error.exception
        )
    if isinstance(error, ProbableAuthenticationError | AuthenticationError):
        return Refused(f"{address} refused the user name or password.")
    if isinstance(error, ProbableAccessDeniedError):
        return Refused(f"{address} refused the virtual host: it is missing or not ours to use.")
    if isinstance(error, ConnectionClosedByBroker):
        return _closed_by_broker(error, address)
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or "no common TLS version"
        return Refused(f"{address} could not be trusted: {reason}.")
    return ConnectionLost(f"{address} does not answer: {_reason(error)}.")


def connection_error(error: BaseException, address: str) -> TransportError:
    """Say why an open connection ended."""
    if isinstance(error, ConnectionClosedByBroker):
        return _closed_by_broker(error, address)
    return ConnectionLost(f"The connection to {address} was lost: {_reason(error)}.")


def channel_error(error: BaseException, name: str) -> TransportError:
    """Say why a channel ended on which only the queue or exchange `name` was used."""
    if isinstance(error, ChannelClosedByBroker):
        if error.reply_code == NOT_FOUND:
            return TopologyMissing(name)
        if error.reply_code in REFUSING_CODES:
            return Refused(f"The broker refused {name}: {error.reply_text}.")
        return ConnectionLost(f"The broker closed the channel of {name}: {error.reply_text}.")
    if isinstance(error, ConnectionClosedByBroker):
        return _closed_by_broker(error, "The broker")
    return ConnectionLost(f"The channel of {name} was lost: {_reason(error)}.")


def _closed_by_broker(error: ConnectionClosedByBroker, address: str) -> TransportError:
    kind = Refused if error.reply_code in REFUSING_CODES else ConnectionLost
    return kind(f"{address} closed the connection: {error.reply_text}.")


def _reason(error: BaseException) -> str:
    if isinstance(error, AMQPHeartbeatTimeout):
        return "no heartbeat came"
    if isinstance(error, ConnectionBlockedTimeout):
        return "the broker is out of memory or disk and blocked it"
    if isinstance(error, TimeoutError | AMQPConnectorStackTimeout):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the host name is unknown"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
