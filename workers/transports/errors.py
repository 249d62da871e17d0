"""What can go wrong between us and a broker. Each message is one sentence without secrets.

TransportError
├── ConnectionLost        the server does not answer, or stopped answering: try again later
├── Refused               it answers and says no (user, password, virtual host, permission, TLS)
├── TopologyMissing       a named queue or exchange does not exist: `backship init`
├── TopologyDiffers       it exists with other arguments than ours
└── BadAddress            BROKER_URL cannot be read
"""

# ruff: noqa: N818 - each name says what happened; raising it says that it is an error


class TransportError(Exception):
    """Base of everything the transports raise."""


class ConnectionLost(TransportError):
    """The server does not answer or stopped answering; the same call may succeed later."""


class Refused(TransportError):
    """The server answered and said no; trying again without a change is of no use."""


class TopologyMissing(TransportError):
    """A queue or exchange that must exist does not. `name` is its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} does not exist on the broker; run `backship init`.")


class TopologyDiffers(TransportError):
    """A queue or exchange exists with other arguments than ours. `name` is its name."""

    def __init__(self, name: str, detail: str) -> None:
        self.name = name
        self.detail = detail
        super().__init__(
            f"{name} exists with other arguments ({detail}); "
            "empty and delete it, then run `backship init`."
        )


class BadAddress(TransportError):
    """BROKER_URL cannot be read."""
