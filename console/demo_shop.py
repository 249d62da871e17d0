"""The demo's shop: its invoices are the data. It places orders, cancels them, takes goods back.

A `C…` invoice names no order. It takes back that customer's newest earlier lines of the sku: what
is still open is cancelled, what was shipped comes back as a return. What finds no such sale in the
data (it was made before the data begins, or the customer is not named) is counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from console.demo_data import Invoice, Line, Survey, is_fee
from console.demo_events import SHOP, SOURCE, Telling, of_place, of_shop, present

OrderLine = tuple[str, str]  # order_id, line_id


@dataclass(slots=True)
class Sale:
    """A line sold that will be asked for again: its units, and what became of them."""

    order_id: str
    line_id: str
    sku: str
    open: int
    shipped: int = 0


@dataclass(slots=True)
class TakenBack:
    """What `C…` invoices came to, in units; `lines_unknown` found no sale at all."""

    invoices: int = 0
    lines: int = 0
    cancelled: int = 0
    returned: int = 0
    fees: int = 0
    unknown: int = 0
    lines_unknown: int = 0
    largest: tuple[int, str] | None = None
    """Most units cancelled of one order at once, and the order."""


@dataclass(slots=True)
class Placed:
    """What was ordered."""

    orders: int = 0
    lines: int = 0
    units: int = 0


@dataclass(slots=True)
class Shop:
    """The shop, and what it remembers: only sales the data will ask for again."""

    survey: Survey
    placed: Placed = field(default_factory=Placed)
    taken_back: TakenBack = field(default_factory=TakenBack)
    _by_customer: dict[tuple[str, str], list[Sale]] = field(default_factory=dict)
    _by_line: dict[OrderLine, Sale] = field(default_factory=dict)

    def place(self, invoice: Invoice) -> Telling:
        """Place an order; repeated skus are lines of their own."""
        lines = []
        for position, line in enumerate(invoice.lines, 1):
            line_id = str(position)
            lines.append(
                present(
                    line_id=line_id,
                    sku=line.sku,
                    qty=line.qty,
                    name=line.name,
                    unit_price=line.unit_price,
                )
            )
            self._remember(invoice, line, line_id)
        self.placed.orders += 1
        self.placed.lines += len(lines)
        self.placed.units += sum(line.qty for line in invoice.lines)
        data = present(
            order_id=invoice.number,
            placed_at=invoice.at,
            lines=lines,
            ship_to=present(customer_id=invoice.customer, country=invoice.country),
        )
        return of_shop("OrderPlaced", invoice.number, invoice.at, data)

    def _remember(self, invoice: Invoice, line: Line, line_id: str) -> None:
        key = (invoice.customer, line.sku)
        if key in self.survey.cancelled:
            sale = Sale(invoice.number, line_id, line.sku, line.qty)
            self._by_customer.setdefault(key, []).append(sale)
            self._by_line[sale.order_id, sale.line_id] = sale

    def concerned(self, invoice: Invoice) -> set[str]:
        """Name the orders a `C…` invoice may take something from."""
        return {
            sale.order_id
            for line in invoice.lines
            for sale in self._by_customer.get((invoice.customer, line.sku), ())
        }

    def take_back(self, invoice: Invoice) -> Sequence[Telling]:
        """Cancel what is open of what a `C…` invoice names, take back what was shipped."""
        counts = self.taken_back
        counts.invoices += 1
        cancelled: dict[str, Counter[str]] = {}
        returned: dict[str, Counter[str]] = {}
        for line in invoice.lines:
            counts.lines += 1
            wanted = left = -line.qty
            for sale in reversed(self._by_customer.get((invoice.customer, line.sku), ())):
                if units := min(left, sale.open):
                    sale.open -= units
                    left -= units
                    cancelled.setdefault(sale.order_id, Counter())[sale.line_id] += units
                if units := min(left, sale.shipped):
                    sale.shipped -= units
                    left -= units
                    returned.setdefault(sale.order_id, Counter())[sale.sku] += units
            counts.unknown += left
            counts.lines_unknown += left == wanted
        return [
            *self._cancellations(invoice, cancelled),
            *self._returns(invoice, returned),
        ]

    def _cancellations(
        self, invoice: Invoice, cancelled: dict[str, Counter[str]]
    ) -> Iterable[Telling]:
        for order_id, units in cancelled.items():
            self.taken_back.cancelled += units.total()
            largest = self.taken_back.largest or (0, "")
            self.taken_back.largest = max(largest, (units.total(), order_id))
            lines = [{"line_id": line_id, "qty": qty} for line_id, qty in units.items()]
            data = {"order_id": order_id, "lines": lines, "reason": invoice.number}
            yield of_shop("OrderCancelled", f"{invoice.number}-{order_id}", invoice.at, data)

    def _returns(self, invoice: Invoice, returned: dict[str, Counter[str]]) -> Iterable[Telling]:
        for order_id, units in returned.items():
            lines = [{"sku": sku, "qty": qty} for sku, qty in units.items() if not is_fee(sku)]
            goods = sum(qty for sku, qty in units.items() if not is_fee(sku))
            self.taken_back.returned += goods
            self.taken_back.fees += units.total() - goods  # money comes back, nothing to store
            if not lines:
                continue
            name = f"{invoice.number}-{order_id}"
            data = present(
                return_id=name,
                place=SOURCE,
                returned_at=invoice.at,
                shop=SHOP,
                order_id=order_id,
                lines=lines,
            )
            yield of_place("StockReturned", SOURCE, name, invoice.at, data)

    def hear_rejected(self, order_id: str, line_id: str, qty: int) -> None:
        """Note that units of a line will not come."""
        sale = self._by_line.get((order_id, line_id))
        if sale is not None:
            sale.open -= min(qty, sale.open)

    def note_shipped(self, order_id: str, line_id: str, qty: int) -> None:
        """Note that units of a line have left."""
        sale = self._by_line.get((order_id, line_id))
        if sale is not None:
            sale.open -= qty
            sale.shipped += qty
