"""What the rules need to answer a question: rows read without locks, in the state they know."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from handlers.policy import Rules
from handlers.rules import promises
from handlers.rules.promises import UNKNOWN, Promise, Supply
from handlers.state import Item, Line, Link, Order, State
from store import load_catalogue, load_items, load_supply
from store.transaction import Transaction

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = Order("", "", _EVER, _EVER, 0, "", "")
_ANY_LINE = Line(_ORDER, "", 0, "", 1)  # whose a link is says nothing once its place is known


@dataclass(frozen=True, slots=True)
class Bought:
    """Units bought for one line (R10); `ahead`: units of the same replenishment linked before."""

    replenishment_id: str
    qty: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Waits:
    """A held line: what of it waits in the queue of its destination, and what is bought for it.

    `queued`, `unlinked`: see handlers.state.Line. `through`: the number of its last queued unit.
    """

    sku: str
    destination: str
    queued: int
    unlinked: int
    through: int
    bought: Sequence[Bought] = ()


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

    def expected_at(self, line: Waits) -> datetime | None:
        """Return when the last unit of a held line may be expected; None: unknown (R11)."""
        found = [self._of_link(line.sku, bought) for bought in line.bought]
        if line.queued:
            found.append(promises.reach(self.supplies(line.sku, line.destination), line.through))
        if line.unlinked:
            found.append(UNKNOWN)
        return promises.later(found).at

    def _of_link(self, sku: str, bought: Bought) -> Promise:
        item = self.item(sku)
        replenishment = self.state.replenishments.get(bought.replenishment_id)
        if item is None or replenishment is None or sku not in replenishment.lines:
            return UNKNOWN
        link = Link(_ANY_LINE, bought.replenishment_id, by_hand=False, qty=bought.qty)
        return promises.of_link(self.state, item, link, bought.ahead, self.at)


def known(tx: Transaction, rules: Rules, skus: Collection[str], at: datetime) -> Known:
    """Read skus: what there is of them, who waits, what may still arrive."""
    state = State(rules)
    load_catalogue.places_and_shops(tx, state)()
    load_items.glance(tx, state, skus)
    load_catalogue.vendors(tx, state, ())()
    load_supply.outstanding(tx, state, state.items)()()
    return Known(state, at)
