"""What the rules need to answer a question: rows read without locks, in the state they know."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from handlers.policy import Rules
from handlers.rules import promises
from handlers.rules.promises import Supply
from handlers.state import Item, State
from store import load_catalogue, load_items, load_supply
from store.transaction import Transaction


@dataclass(slots=True)
class Known:
    """Some skus as of `at`, with all places and shops."""

    state: State
    at: datetime
    _supplies: dict[tuple[str, str], list[Supply]] = field(default_factory=dict)

    def item(self, sku: str) -> Item | None:
        """Return a sku; None where nobody has heard of it."""
        return self.state.items.get(sku)

    def supplies(self, sku: str, destination: str) -> list[Supply]:
        """Return what reaches a destination, in the order it serves the queue there (R11)."""
        key = (sku, destination)
        found = self._supplies.get(key)
        if found is None:
            item = self.item(sku)
            found = [] if item is None else promises.supplies(self.state, item, *key[1:], self.at)
            self._supplies[key] = found
        return found

    def expected_at(self, sku: str, destination: str, through: int) -> datetime | None:
        """Return when unit number `through` of the queue there may be expected; None: unknown."""
        return promises.reach(self.supplies(sku, destination), through)


def known(tx: Transaction, rules: Rules, skus: Collection[str], at: datetime) -> Known:
    """Read skus: what there is of them, who waits, what may still arrive."""
    state = State(rules)
    load_catalogue.places_and_shops(tx, state)
    load_items.glance(tx, state, skus)
    load_catalogue.vendors(tx, state, ())
    load_supply.outstanding(tx, state)
    return Known(state, at)
