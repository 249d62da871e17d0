"""Where and with whom we deal: places, shops, vendors (P1-P4)."""

from dataclasses import dataclass, field
from typing import Any

from events.vocabulary import PlaceKind


@dataclass(slots=True, eq=False)
class Place:
    """A source or a dock (P2, P4). `feeds`: the source a dock's goods are transferred to."""

    place: str
    kind: PlaceKind = PlaceKind.SOURCE
    priority: int = 100
    feeds: str | None = None
    enabled: bool = True
    loaded: tuple[Any, ...] | None = None

    @property
    def picks(self) -> bool:
        """Can orders be served from here?"""
        return self.enabled and self.kind is PlaceKind.SOURCE

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.place, self.kind, self.priority, self.feeds, self.enabled)


@dataclass(slots=True, eq=False)
class Shop:
    """A sales channel (P4). `sources` None: every source; empty: none."""

    shop: str
    sources: tuple[str, ...] | None = None
    destination: str | None = None
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.shop, self.sources, self.destination)


@dataclass(slots=True, eq=False)
class Vendor:
    """Who sells to us, with the settings its items fall back to."""

    vendor: str
    name: str | None = None
    email: str | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.vendor, self.name, self.email, dict(self.policy))
