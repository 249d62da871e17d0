"""What a message bears when it was given up: the headers RabbitMQ writes, written by us too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

DeathReason = Literal["delivery_limit", "rejected"]
DELIVERY_LIMIT: Final = "delivery_limit"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Death:
    """Where, when and why a message was given up."""

    queue: str
    exchange: str
    routing_key: str
    reason: DeathReason
    at: datetime

    def headers_after(self, headers: Mapping[str, object]) -> dict[str, object]:
        """Give the message's headers with this story added."""
        return {
            **headers,
            "x-first-death-exchange": self.exchange,
            "x-first-death-queue": self.queue,
            "x-first-death-reason": self.reason,
            "x-death": [
                {
                    "count": 1,
                    "exchange": self.exchange,
                    "queue": self.queue,
                    "reason": self.reason,
                    "routing-keys": [self.routing_key],
                    "time": self.at.isoformat(),
                }
            ],
        }
