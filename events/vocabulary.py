"""The closed lists of the contract: every word a field may hold when it may not hold any other."""

from enum import StrEnum


class ShipMode(StrEnum):
    """What of an order may leave alone (O9): whatever is there, whole lines, or only all of it."""

    PARTIAL = "partial"
    LINE = "line"
    COMPLETE = "complete"


class ReleaseMode(StrEnum):
    """Who releases (O10): the engine, or a person by `BackToShipRequested`."""

    AUTO = "auto"
    MANUAL = "manual"


class BackorderReason(StrEnum):
    """Why units go back to shortage (S10): a picker did not find them, or staff hold the line."""

    SHORT_PICK = "short_pick"
    HOLD = "hold"


class ReplenishmentOutcome(StrEnum):
    """How a replenishment was closed (R4, R5)."""

    FINALIZED = "finalized"
    SHORT_CLOSED = "short_closed"
    CANCELLED = "cancelled"


class BackorderPolicy(StrEnum):
    """May a line wait for stock, and is the customer told of it (O4, O8)?"""

    NONE = "none"
    ALLOW = "allow"
    NOTIFY = "notify"


class Sourcing(StrEnum):
    """Where the units of an order line come from (O2)."""

    STOCK = "stock"
    BUY_TO_ORDER = "buy_to_order"
    DROP_SHIP = "drop_ship"


class PlaceKind(StrEnum):
    """A source can be picked from; at a dock goods have been received but can not be yet."""

    SOURCE = "source"
    DOCK = "dock"


class RejectionReason(StrEnum):
    """The rule that rejected a line (O4, O5, O6)."""

    OUT_OF_STOCK = "out_of_stock"
    BACKORDER_LIMIT = "backorder_limit"
    MIN_SALE_QTY = "min_sale_qty"
    SALE_INCREMENT = "sale_increment"


class StockStatus(StrEnum):
    """What a shop may say of a sku (S13)."""

    IN_STOCK = "in_stock"
    BACKORDER = "backorder"
    OUT_OF_STOCK = "out_of_stock"


class ExceptionCode(StrEnum):
    """Something a person must look at; never a reason to lose or refuse a physical fact."""

    NO_VENDOR = "no_vendor"
    SURPLUS = "surplus"
    SUPPLY_LOST = "supply_lost"
    OVER_RECEIPT = "over_receipt"
    LATE_RECEIPT = "late_receipt"
    UNKNOWN_REPLENISHMENT = "unknown_replenishment"
    WRONG_PLACE = "wrong_place"
    BAD_DESTINATION = "bad_destination"
    PLACE_DISABLED = "place_disabled"
    OVER_SHIPMENT = "over_shipment"
    STOCK_MISSING = "stock_missing"
    OVER_ALLOCATED = "over_allocated"
    OVER_CANCELLED = "over_cancelled"
    REFUSED = "refused"
