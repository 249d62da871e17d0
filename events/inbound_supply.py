"""What buyers tell of replenishments. Import these from `inbound`."""

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from events.instants import Instant
from events.lines import Lines, broken, either, first_repeat, way
from events.names import Name, RoutedName
from events.values import Message, QtyNotZero, QtyOrZero, Text
from events.vocabulary import ReplenishmentOutcome

_ORDER_LINE = ("shop", "order_id", "line_id")


class ConfirmedPart(Message):
    """`qty` whole units (0 included) that the vendor confirmed, all on one expected date."""

    qty: QtyOrZero
    expected_at: Instant | None = None


class ConfirmedLine(Message):
    """What the vendor confirmed of a sku: the line's total, units received included (R4)."""

    sku: Name
    parts: tuple[ConfirmedPart, ...]


class ReplenishmentClosed(Message):
    """A replenishment was sent to its vendor, confirmed anew, given up in part or cancelled.

    Absent `outcome`: finalized (R4); `short_closed` and `cancelled`: what has not arrived is need
    again (R5). Skus that no line names stay as they are. Happened at `closed_at`.
    """

    replenishment_id: Name
    outcome: ReplenishmentOutcome | None = None
    closed_at: Instant | None = None
    lines: Annotated[tuple[ConfirmedLine, ...], Lines] | None = None
    closed_by: Text | None = None


class RequestedLine(Message):
    """A quantity of a sku (not 0; negative takes back what was added by hand), or a held line.

    A held order line is named by shop, order and line id; `qty` is then whole units ≥ 1, absent:
    all of its shortage that is not linked yet (R9, R10).
    """

    model_config = either(
        way(present=("qty",), absent=_ORDER_LINE),
        way(present=_ORDER_LINE, absent=(), qty={"minimum": 1}),
    )

    sku: Name
    qty: QtyNotZero | None = None
    shop: RoutedName | None = None
    order_id: Name | None = None
    line_id: Name | None = None

    @property
    def order_line(self) -> tuple[str, str, str] | None:
        """Shop, order and line id of the held line; None for a bare quantity."""
        if self.shop is None or self.order_id is None or self.line_id is None:
            return None
        return self.shop, self.order_id, self.line_id

    @model_validator(mode="after")
    def _named_one_way(self) -> Self:
        names = {"shop": self.shop, "order_id": self.order_id, "line_id": self.line_id}
        absent = [field for field, name in names.items() if name is None]
        if 0 < len(absent) < len(names):
            raise broken((absent[0],), "is missing: a line is named by shop, order and line", None)
        if absent and self.qty is None:
            raise broken(("qty",), "is missing: no order line is named", None)
        if not absent and self.qty is not None and self.qty < 1:
            raise broken(("qty",), "must be at least 1 where an order line is named", self.qty)
        return self


def _each_order_line_once(lines: tuple[RequestedLine, ...]) -> tuple[RequestedLine, ...]:
    first_repeat(line.order_line for line in lines)
    return lines


class ReplenishmentRequested(Message):
    """A buyer adds to the open replenishment of a vendor, raising one where there is none (R9).

    Absent `destination`: the order line's; for a bare quantity the default of P4.
    """

    vendor: RoutedName
    destination: RoutedName | None = None
    requested_by: Text | None = None
    lines: Annotated[tuple[RequestedLine, ...], Lines, AfterValidator(_each_order_line_once)]
