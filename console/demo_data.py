"""The demo's orders: the invoices of a real shop, as they stand in a file of the UCI data set.

1. `survey` reads the whole file once and keeps what the second reading needs: how much there is,
   what is sold how fast, which sales will be cancelled.
2. `invoices` reads it again and yields one invoice after the other, in the order of their first
   line. An invoice whose lines carry two timestamps, or stand apart in the file, is one invoice.

Both keep a few bytes per sku and invoice, never the lines: a year of them would fill the memory.
The file tells local UK time; here it is UTC.
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO

from console.trouble import WrongUse

SAMPLE = Path(__file__).with_name("data") / "uci-online-retail-sample.csv.gz"

COLUMNS = (
    "invoice",
    "stock_code",
    "description",
    "quantity",
    "invoiced_at",
    "unit_price",
    "customer_id",
    "country",
)

FEES = frozenset({"POST", "DOT", "C2", "M", "m", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK"})
"""Postage, carriage, discounts, corrections by hand, samples, fees: nothing that lies in stock."""

VOUCHERS = "gift_0001_"
"""How the codes of gift vouchers begin; what follows is their value in pounds."""

_GZIP = b"\x1f\x8b"
_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Kind(StrEnum):
    """What an invoice is, by its number and its quantities."""

    ORDER = "order"
    CANCELLATION = "cancellation"
    WRITE_OFF = "write-off"
    BAD_DEBT = "bad debt"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands in the file; `qty` is negative where goods or money come back."""

    sku: str
    name: str
    qty: int
    unit_price: str


@dataclass(slots=True)
class Invoice:
    """One invoice: all lines of one number, at the time of the first."""

    number: str
    at: datetime
    customer: str
    country: str
    lines: list[Line] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """Tell what it is."""
        if self.number.startswith("C"):
            return Kind.CANCELLATION
        if self.number.startswith("A"):
            return Kind.BAD_DEBT
        return Kind.WRITE_OFF if any(line.qty < 0 for line in self.lines) else Kind.ORDER


@dataclass(slots=True)
class Survey:
    """What is in a file: counts, and what the replay has to know before it begins."""

    lines: int = 0
    first: datetime = _NEVER
    last: datetime = _EVER
    days: set[date] = field(default_factory=set)
    invoice_lines: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    """What each sku is called, where it first is."""
    net_units: Counter[str] = field(default_factory=Counter)
    """Units sold of each sku, less those cancelled: a typing error of 80,995 is no demand."""
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    """Customer and sku of every cancelled line: of these, and only these, sales are remembered."""

    def daily_units(self, sku: str) -> float:
        """Return how many units of a sku are sold on a day on which anything is."""
        return max(0, self.net_units[sku]) / len(self.days)

    def add(self, invoice: str, line: Line, at: datetime, customer: str) -> None:
        """Count one line."""
        self.lines += 1
        self.first, self.last = min(self.first, at), max(self.last, at)
        self.days.add(at.date())
        self.invoice_lines[invoice] += 1
        if not self.names.get(line.sku):
            self.names[line.sku] = line.name
        if invoice.startswith("C"):
            self.net_units[line.sku] += line.qty
            if customer:
                self.cancelled.add((customer, line.sku))
        elif not invoice.startswith("A"):
            self.net_units[line.sku] += max(0, line.qty)


def survey(path: Path) -> Survey:
    """Read a whole file and say what is in it."""
    found = Survey()
    for invoice, at, line in _rows(path):
        found.add(invoice.number, line, at, invoice.customer)
    if not found.lines:
        raise WrongUse(f"{path} holds no invoice lines.")
    return found


def invoices(path: Path, found: Survey) -> Iterator[Invoice]:
    """Yield the invoices of a file, whole, in the order of their first line."""
    begun: dict[str, Invoice] = {}
    for head, _at, line in _rows(path):
        invoice = begun.setdefault(head.number, head)
        invoice.lines.append(line)
        # One that is complete waits for those that began before it.
        while begun:
            first = next(iter(begun.values()))
            if len(first.lines) < found.invoice_lines[first.number]:
                break
            yield begun.pop(first.number)


def is_fee(sku: str) -> bool:
    """Tell whether a code stands for postage, a fee or a voucher: an unmanaged item."""
    return sku in FEES or sku.startswith(VOUCHERS)


def uk_time(text: str) -> datetime:
    """Return local UK time (2011-06-16T14:20:00) in UTC.

    By the rule and not by a table of zones, which slim images do not have: summer time is from the
    last Sunday of March to that of October, at one o'clock UTC.
    """
    local = datetime.fromisoformat(text).replace(tzinfo=UTC)
    begin, end = (_last_sunday(local.year, month) for month in (3, 10))
    summer = begin + timedelta(hours=2) <= local < end + timedelta(hours=2)
    return local - timedelta(hours=1) if summer else local


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _rows(path: Path) -> Iterator[tuple[Invoice, datetime, Line]]:
    """Yield each line with its moment and an invoice that has its head but no lines."""
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise WrongUse(f"{path} does not begin with the columns {', '.join(COLUMNS)}.")
            for row in reader:
                try:
                    yield _read(row)
                except ValueError as error:
                    message = f"{path}, line {reader.line_num}, is no invoice line: {error}."
                    raise WrongUse(message) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise WrongUse(f"{path} can not be read: {reason}.") from None


def _read(row: list[str]) -> tuple[Invoice, datetime, Line]:
    invoice, sku, name, qty, invoiced_at, unit_price, customer, country = row
    if not invoice or not sku:
        raise ValueError("it names no invoice or no stock code")
    at = uk_time(invoiced_at)
    line = Line(sku, name.strip(), _units(qty), unit_price)
    return Invoice(invoice, at, customer, country), at, line


def _units(text: str) -> int:
    qty = int(text)
    if not qty:
        raise ValueError("its quantity is 0")
    return qty


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")
