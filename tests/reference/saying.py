"""Messages as text that two programs can be compared by: ids of one's own making by their order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from events.outbound import BackToShip, ExceptionRaised, Outbound, ReadyToShip
from tests.reference.keeping import moment


class Names:
    """Readable names of releases (`main/1@WH#2`) and of replenishments, by their ids."""

    def __init__(self) -> None:
        self.releases: dict[str, str] = {}
        self.replenishments: Mapping[str, str] = {}

    def text(self, told: Outbound) -> str:
        """Write one message; whose wording is for people only is left out."""
        if isinstance(told, ReadyToShip | BackToShip):
            about = f"{told.shop}/{told.order_id}@{told.source}"
            count = sum(name.startswith(f"{about}#") for name in self.releases.values())
            self.releases.setdefault(told.release_id, f"{about}#{count + 1}")
        fields = dict(told)
        if isinstance(told, ExceptionRaised):
            del fields["message"]
        return f"{type(told).__name__} " + " ".join(
            f"{name}={self._value(name, value)}" for name, value in fields.items()
        )

    def _value(self, name: str, value: Any) -> str:  # noqa: ANN401 - a field of any message
        if name == "release_id":
            return self.releases.get(value, str(value))
        if name == "replenishment_id":
            return self.replenishments.get(value, str(value))
        if isinstance(value, tuple):
            return "[" + ", ".join(self._value("", inner) for inner in value) + "]"
        if name in {"refs", ""} and hasattr(value, "model_dump"):
            told = ((key, inner) for key, inner in value if name == "" or inner is not None)
            return "{" + " ".join(f"{key}:{self._value(key, inner)}" for key, inner in told) + "}"
        return moment(value) if isinstance(value, datetime) else str(value)
