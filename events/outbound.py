"""Every message out (contract.md §3), and the union `Outbound`.

A handler builds one → the store keeps `codec.encode` of it → the relay publishes it. Quantities
are whole units ≥ 1, instants UTC. A field with a default is left out of the JSON while it is None;
one without must be given and stands as null. Checked when built: a quantity of 0 is a bug in a
rule, and better found there than in a warehouse.
"""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field

from events.instants import Instant
from events.values import Cause, Customer, JsonObject, Message, Text
from events.vocabulary import ExceptionCode, RejectionReason, StockStatus

# Sums over orders: they may pass the 10^9 that one line in may hold.
Units = Annotated[int, Field(ge=1, description="whole units, ≥ 1")]
UnitsOrZero = Annotated[int, Field(ge=0, description="whole units, ≥ 0")]
Revision = Annotated[int, Field(ge=1, description="whole number, ≥ 1")]
Key = Annotated[str, Field(min_length=1, description="name")]


class ReleasedLine(Message):
    """`qty` units of an order line in one release."""

    line_id: Key
    sku: Key
    qty: Units


class ReadyToShip(Message):
    """Tell a warehouse to ship: all of it was there when the order was judged (O11).

    One per order and source (O11); `source` is null for unmanaged lines, whose picker chooses.
    `order_complete`: with this every unit of the order that is not cancelled, rejected or with a
    vendor has been released.
    """

    shop: Key
    order_id: Key
    source: Key | None
    release_id: Key
    lines: tuple[ReleasedLine, ...]
    order_complete: bool
    ship_to: JsonObject | None = None


class BackToShip(Message):
    """Tell a warehouse to ship what waited: some of it came after the order was judged (S5).

    `waited_since`: the earliest `placed_at`, or moment of becoming held, among its lines.
    """

    shop: Key
    order_id: Key
    source: Key | None
    release_id: Key
    lines: tuple[ReleasedLine, ...]
    order_complete: bool
    ship_to: JsonObject | None = None
    waited_since: Instant
    caused_by: Cause


class ReleaseCancelled(Message):
    """Tell a warehouse not to ship these units of an earlier release (O11)."""

    shop: Key
    order_id: Key
    source: Key | None
    release_id: Key
    lines: tuple[ReleasedLine, ...]
    caused_by: Cause


class BackorderedLine(Message):
    """`qty` units that wait, until when (null: unknown, R11), and what may be offered instead.

    `notify`: the policy asks the shop to tell the customer (O8).
    """

    line_id: Key
    sku: Key
    qty: Units
    expected_at: Instant | None
    alternatives: tuple[Key, ...]
    notify: bool


class OrderBackordered(Message):
    """Tell a shop which lines of an order wait (O8); its date is the latest of theirs (R11)."""

    shop: Key
    order_id: Key
    lines: tuple[BackorderedLine, ...]
    expected_at: Instant | None
    customer: Customer | None = None


class RejectedLine(Message):
    """`qty` units asked for and not accepted; `sellable`: what could have been had, null: no limit.

    `reason` names the rule (O4 to O6).
    """

    line_id: Key
    sku: Key
    qty: Units
    sellable: UnitsOrZero | None
    reason: RejectionReason


class OrderRejected(Message):
    """Tell a shop which lines of an order are not accepted; the others go on (O7)."""

    shop: Key
    order_id: Key
    lines: tuple[RejectedLine, ...]


class RedatedLine(Message):
    """The date last told (`was`) and the present one; null: unknown."""

    line_id: Key
    sku: Key
    was: Instant | None
    expected_at: Instant | None


class ExpectedDateChanged(Message):
    """Tell a shop that held lines are expected at another date; once per order (R12)."""

    shop: Key
    order_id: Key
    lines: tuple[RedatedLine, ...]
    customer: Customer | None = None


class ReplenishedLine(Message):
    """`qty` units of a sku on a replenishment."""

    sku: Key
    qty: Units


class _Replenishment(Message):
    """The whole new state of a replenishment; `revision` counts every event that changed it.

    `destination` is a place, or `customer:<shop>/<order>` with `ship_to` for drop-ship (R10).
    """

    replenishment_id: Key
    vendor: Key
    destination: Key
    revision: Revision
    automatic: bool
    lines: tuple[ReplenishedLine, ...]
    ship_to: JsonObject | None = None


class ReplenishmentRaised(_Replenishment):
    """Tell a buyer of a new open replenishment (R3)."""


class ReplenishmentExtended(_Replenishment):
    """Tell a buyer that an open replenishment asks for more in total than last told (R3)."""


class ReplenishmentReduced(_Replenishment):
    """Tell a buyer that an open replenishment asks for less in total than last told (R3)."""


class ReplenishmentCancelled(_Replenishment):
    """Tell a buyer that nothing is wanted on it any more, or that it was given up (R3, R5)."""


class StockStatusChanged(Message):
    """Tell a shop what it may say of a sku (S13). `sellable` is informative; null: unlimited."""

    shop: Key
    sku: Key
    status: StockStatus
    sellable: UnitsOrZero | None


class Refs(Message):
    """What an exception is about: each whenever known."""

    sku: Key | None = None
    place: Key | None = None
    shop: Key | None = None
    order_id: Key | None = None
    line_id: Key | None = None
    replenishment_id: Key | None = None
    vendor: Key | None = None


class ExceptionRaised(Message):
    """Tell a person that something must be looked at; the facts are booked all the same.

    `reason`: why a request was refused (S10, S11, R5, R9).
    """

    code: ExceptionCode
    reason: Text | None = None
    message: Text
    refs: Refs
    caused_by: Cause


Outbound = (
    ReadyToShip
    | BackToShip
    | ReleaseCancelled
    | OrderBackordered
    | OrderRejected
    | ExpectedDateChanged
    | ReplenishmentRaised
    | ReplenishmentExtended
    | ReplenishmentReduced
    | ReplenishmentCancelled
    | StockStatusChanged
    | ExceptionRaised
)

OUTBOUND: Mapping[str, type[Outbound]] = {model.__name__: model for model in get_args(Outbound)}
