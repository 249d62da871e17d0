"""The demo's replay: invoices and what its people do, in order of time, told to the engine.

1. Take whatever comes next: an invoice, or an act from the agenda. It yields events.
2. Gather events, and tell them together: one batch of them costs little more than one of them. The
   engine catches up when a batch is full or half a day long, and before whoever acts on what it
   has said.
3. Pass on what the engine said: releases to the warehouse, replenishments to the buyer. They put
   what they will do on the agenda.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from console.demo_agenda import Act, Agenda
from console.demo_buyer import Buyer
from console.demo_data import Invoice, Kind, Survey, invoices
from console.demo_draw import Draw
from console.demo_engine import Heard
from console.demo_events import Telling
from console.demo_shop import Shop
from console.demo_tally import Tally
from console.demo_warehouse import Warehouse
from workers.transports.base import OutgoingMessage

_TOLD_TOGETHER = timedelta(hours=12)
_OPENED_BEFORE = timedelta(days=1)


class Told(Protocol):
    """What the replay needs of the engine."""

    def tell(self, messages: list[OutgoingMessage]) -> list[Heard]:
        """Publish events, let the worker come to rest, and return what it has said."""
        ...

    def held_units(self) -> int:
        """Return how many units wait, of all skus."""
        ...


class Watched(Protocol):
    """Whoever shows how far the replay is."""

    def moved(self, replay: "Replay") -> None:
        """Look at it; called after every batch."""
        ...


class Moved(Protocol):
    """The clock of the engine."""

    def set(self, moment: datetime) -> None:
        """Show `moment` from now on."""
        ...


@dataclass(slots=True)
class NotReplayed:
    """Lines that are nothing to a warehouse, by what they are."""

    bad_debt_lines: int = 0


@dataclass(slots=True)
class Replay:
    """One demo from the first invoice to the last arrival."""

    path: Path
    survey: Survey
    draw: Draw
    batch_size_max: int
    not_replayed: NotReplayed = field(default_factory=NotReplayed)
    agenda: Agenda = field(default_factory=Agenda)
    lines_read: int = 0
    events_told: int = 0
    now: datetime = field(init=False)
    tally: Tally = field(init=False)
    shop: Shop = field(init=False)
    warehouse: Warehouse = field(init=False)
    buyer: Buyer = field(init=False)
    _gathered: list[Telling] = field(default_factory=list)
    _untold_orders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Open shop, warehouse and purchasing the day before the first order."""
        self.now = (self.survey.first - _OPENED_BEFORE).replace(minute=0)
        self.shop = Shop(self.survey)
        self.warehouse = Warehouse(self.agenda, self.shop)
        self.buyer = Buyer(self.agenda, self.warehouse, self.draw)
        self.tally = Tally(self.warehouse.brought_by)

    def run(self, engine: Told, clock: Moved, watcher: Watched) -> None:
        """Replay everything."""
        for telling in self.buyer.introduce(self.survey, self.now):
            self._gather(telling)
            if len(self._gathered) >= self.batch_size_max:
                self._tell(engine, clock, watcher)
        self._tell(engine, clock, watcher)
        stream = invoices(self.path, self.survey)
        invoice = next(stream, None)
        while invoice is not None or self._gathered or self.agenda.next() is not None:
            act = self.agenda.next()
            acts_first = act is not None and (invoice is None or act.at <= invoice.at)
            if self._must_tell_before(act if acts_first else invoice):
                self._tell(engine, clock, watcher)  # which may have planned something earlier
            elif acts_first:
                self._act()
            elif invoice is not None:
                self._read(invoice)
                invoice = next(stream, None)

    def _must_tell_before(self, following: Act | Invoice | None) -> bool:
        if not self._gathered:
            return False
        if following is None or len(self._gathered) >= self.batch_size_max:
            return True
        if following.at - self._gathered[0].at >= _TOLD_TOGETHER:
            return True
        if isinstance(following, Act):
            return following.informed
        return following.kind is Kind.CANCELLATION and not self._untold_orders.isdisjoint(
            self.shop.concerned(following)
        )

    def _act(self) -> None:
        act = self.agenda.take()
        self.now = act.at
        for telling in act.do(act.at):
            self._gather(telling)

    def _read(self, invoice: Invoice) -> None:
        self.now = max(self.now, invoice.at)
        self.lines_read += len(invoice.lines)
        match invoice.kind:
            case Kind.ORDER:
                self._gather(self.shop.place(invoice))
                self._untold_orders.add(invoice.number)
            case Kind.CANCELLATION:
                for telling in self.shop.take_back(invoice):
                    self._gather(telling)
                    if telling.type == "StockReturned":
                        self.warehouse.take_back(telling.data["lines"])
            case Kind.WRITE_OFF:
                for telling in self.warehouse.write_off(invoice):
                    self._gather(telling)
            case Kind.BAD_DEBT:
                self.not_replayed.bad_debt_lines += len(invoice.lines)

    def _gather(self, telling: Telling) -> None:
        self._gathered.append(telling)

    def _tell(self, engine: Told, clock: Moved, watcher: Watched) -> None:
        if not self._gathered:
            return
        clock.set(self.now)
        for start in range(0, len(self._gathered), self.batch_size_max):
            part = self._gathered[start : start + self.batch_size_max]
            self._hear(engine.tell([telling.message() for telling in part]))
        self.events_told += len(self._gathered)
        self._gathered.clear()
        self._untold_orders.clear()
        if self.lines_read:
            self.tally.held[self.now.date()] = engine.held_units()
        watcher.moved(self)

    def _hear(self, messages: list[Heard]) -> None:
        for heard in messages:
            data = heard.data
            self.tally.hear(heard.type, heard.at, data)
            match heard.type:
                case "ReadyToShip" | "BackToShip":
                    self.warehouse.hear_released(
                        data["release_id"], data["order_id"], data["lines"], heard.at
                    )
                case "ReleaseCancelled":
                    self.warehouse.hear_withdrawn(data["release_id"], _by(data, "line_id"))
                case "OrderRejected":
                    for line in data["lines"]:
                        self.shop.hear_rejected(data["order_id"], line["line_id"], line["qty"])
                case (
                    "ReplenishmentRaised"
                    | "ReplenishmentExtended"
                    | "ReplenishmentReduced"
                    | "ReplenishmentCancelled"
                ):
                    self.buyer.hear_asked(data["replenishment_id"], _by(data, "sku"), self.now)
                case _:
                    pass  # nobody here acts on it


def _by(data: dict[str, object], name: str) -> dict[str, int]:
    """Return the units of a message's lines by one of their names."""
    lines = data["lines"]
    assert isinstance(lines, list)
    return {line[name]: line["qty"] for line in lines}
