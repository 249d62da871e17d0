"""What is told of items, vendors, shops and places (P1 to P4). Import these from `inbound`.

Here, and only here, null is more than absence: an absent field or setting stays as it is, null
clears it. `"vendor" in message.model_fields_set` says whether a field was sent at all.
"""

from typing import ClassVar

from events.names import Name, RoutedName
from events.values import LeadTimeDays, Message, Priority, Qty, QtyOrZero, Text
from events.vocabulary import BackorderPolicy, PlaceKind, Sourcing


class Change(Message):
    """The base of the messages in which null clears and an absent field keeps."""

    null_clears: ClassVar[bool] = True

    def told(self) -> dict[str, object]:
        """Return only the fields that were sent, by name; None clears."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class PolicyChange(Change):
    """Settings of domain.md §3 for an item or a vendor: a value sets, null clears (P1).

    What is cleared is looked up further on: item, vendor, global default. Limits and quantities
    are whole units.
    """

    manage_stock: bool | None = None
    backorder_policy: BackorderPolicy | None = None
    backorder_limit: QtyOrZero | None = None
    safety_stock: QtyOrZero | None = None
    sourcing: Sourcing | None = None
    auto_replenish: bool | None = None
    lead_time_days: LeadTimeDays | None = None
    min_order_qty: Qty | None = None
    pack_size: Qty | None = None
    min_sale_qty: Qty | None = None
    sale_increment: Qty | None = None


class ItemChanged(Change):
    """Who sells a sku to us, what may be offered instead while it waits, and its settings (P1).

    `policy` null clears every setting of the item. Waiting demand that becomes orderable is
    ordered at once, stock that becomes usable fills (P3).
    """

    sku: Name
    vendor: RoutedName | None = None
    name: Text | None = None
    alternatives: tuple[Name, ...] | None = None
    policy: PolicyChange | None = None


class VendorChanged(Change):
    """A vendor and the settings of all items it sells to us, where an item has none of its own.

    `policy` null clears every setting of the vendor (P1, P3).
    """

    vendor: RoutedName
    name: Text | None = None
    email: Text | None = None
    policy: PolicyChange | None = None


class ShopChanged(Change):
    """The sources a shop may ship from, in order, and where its replenishments go (P4).

    `sources` cleared: all sources by priority, then code; empty: none. `destination` cleared: the
    first of its sources, else `main`.
    """

    shop: RoutedName
    sources: tuple[RoutedName, ...] | None = None
    destination: RoutedName | None = None


class PlaceChanged(Change):
    """A source or a dock (P2, P4). A dock `feeds` one source; a disabled place serves nobody.

    Cleared: `kind` source, `priority` 100, `feeds` the first source by priority, `enabled` true.
    """

    place: RoutedName
    kind: PlaceKind | None = None
    priority: Priority | None = None
    feeds: RoutedName | None = None
    enabled: bool | None = None
