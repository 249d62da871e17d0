"""What was told and what is kept, in one short line each, so that a test can name all of it.

    ReadyToShip main/1 from WH [1: 2 A, 2: 1 B] complete
    BackToShip main/1 from WH [1: 3 A] waited since T0
    OrderBackordered main/1 [1: 3 A until T0+7d] until T0+7d
    ReplenishmentExtended V>WH#1 rev 2 [5 A, 1 B]
    ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1
    ExpectedDateChanged main/1 [1: A T0+7d>T0+9d]

    main/1 [1] 5 A: 2 at WH, 3 held
    WH: 2 A, 2 promised
    V>WH#1 open: 3 A

Times are told from T0, `?` is an unknown one. `V>WH#1` is the first replenishment ever raised with
vendor V for destination WH. In brackets stand line ids. What is 0 is left out.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from events.outbound import (
    BackorderedLine,
    BackToShip,
    ExceptionRaised,
    ExpectedDateChanged,
    OrderBackordered,
    OrderRejected,
    Outbound,
    ReadyToShip,
    ReleaseCancelled,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
    StockStatusChanged,
)
from handlers.decision import Movement
from handlers.state import Line, Replenishment, ReplenishmentLine, State, Stock
from tests.support.wire import T0

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def moment(at: datetime | None) -> str:
    """`T0+1d12h`; `?` for an unknown one."""
    if at is None:
        return "?"
    left = int(abs(at - T0) / timedelta(seconds=1))
    text = ""
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        text += f"{count}{unit}" if count else ""
    return f"T0{'+' if at > T0 else '-'}{text}" if text else "T0"


def names_of(state: State) -> dict[str, str]:
    """Return the readable name of every replenishment by its id."""
    counts: dict[tuple[str, str], int] = {}
    names = {}
    for row in state.replenishments.values():
        key = (row.vendor, row.destination)
        counts[key] = counts.get(key, 0) + 1
        names[row.replenishment_id] = f"{row.vendor}>{row.destination}#{counts[key]}"
    return names


def message(  # noqa: C901, PLR0911 - one case per event out
    told: Outbound, names: Mapping[str, str]
) -> str:
    """One event out."""
    kind = type(told).__name__
    match told:
        case ReadyToShip() | BackToShip() | ReleaseCancelled():
            return f"{kind} {_release(told)}"
        case OrderBackordered():
            lines = ", ".join(map(_waiting, told.lines))
            buyer = f" for {told.customer.email}" if told.customer else ""
            until = moment(told.expected_at)
            return f"{kind} {told.shop}/{told.order_id} [{lines}] until {until}{buyer}"
        case ExpectedDateChanged():
            lines = ", ".join(
                f"{row.line_id}: {row.sku} {moment(row.was)}>{moment(row.expected_at)}"
                for row in told.lines
            )
            buyer = f" for {told.customer.email}" if told.customer else ""
            return f"{kind} {told.shop}/{told.order_id} [{lines}]{buyer}"
        case OrderRejected():
            lines = ", ".join(
                f"{row.line_id}: {row.qty} {row.sku} {row.reason}, sellable {row.sellable}"
                for row in told.lines
            )
            return f"{kind} {told.shop}/{told.order_id} [{lines}]"
        case (
            ReplenishmentRaised()
            | ReplenishmentExtended()
            | ReplenishmentReduced()
            | ReplenishmentCancelled()
        ):
            lines = ", ".join(f"{row.qty} {row.sku}" for row in told.lines)
            by_hand = "" if told.automatic else " by hand"
            name = names[told.replenishment_id]
            assert name.startswith(f"{told.vendor}>{told.destination}#")
            text = f"{kind} {name} rev {told.revision} [{lines}]{by_hand}"
            return f"{text} to {told.ship_to}" if told.ship_to else text
        case StockStatusChanged():
            units = "unlimited" if told.sellable is None else told.sellable
            return f"{kind} {told.shop} {told.sku} {told.status}, sellable {units}"
        case ExceptionRaised():
            refs = told.refs.model_dump(exclude_none=True)
            if told.refs.replenishment_id in names:
                refs["replenishment_id"] = names[told.refs.replenishment_id or ""]
            reason = f" {told.reason}" if told.reason else ""
            about = " ".join(f"{name}={value}" for name, value in refs.items())
            return f"{kind} {told.code}{reason}: {about}"


def _release(told: ReadyToShip | BackToShip | ReleaseCancelled) -> str:
    lines = ", ".join(f"{row.line_id}: {row.qty} {row.sku}" for row in told.lines)
    text = f"{told.shop}/{told.order_id} from {told.source or 'anywhere'} [{lines}]"
    if isinstance(told, ReleaseCancelled):
        return text
    if isinstance(told, BackToShip):
        text += f" waited since {moment(told.waited_since)}"
    if told.ship_to:
        text += f" to {told.ship_to}"
    return f"{text} complete" if told.order_complete else text


def _waiting(row: BackorderedLine) -> str:
    text = f"{row.line_id}: {row.qty} {row.sku} until {moment(row.expected_at)}"
    if row.alternatives:
        text += f" or {' '.join(row.alternatives)}"
    return f"{text} notify" if row.notify else text


def kept(state: State) -> list[str]:
    """All order lines, all stock and all replenishments there are."""
    return [*_lines(state), *_stock(state), *_replenishments(state), *_links(state)]


def _lines(state: State) -> Iterator[str]:
    for order in state.orders.values():
        for line in order.lines.values():
            quantities = ", ".join(_quantities(line))
            yield (
                f"{order.shop}/{order.order_id} [{line.line_id}] "
                f"{line.ordered} {line.sku}: {quantities}"
            )


def _quantities(line: Line) -> Iterator[str]:
    allocated: dict[str | None, int] = {}
    for row in line.allocations:
        if row.qty:
            allocated[row.source] = allocated.get(row.source, 0) + row.qty
    for source in sorted(allocated, key=lambda name: name or ""):
        yield f"{allocated[source]} at {source}" if source else f"{allocated[source]} anywhere"
    for name, qty in (
        ("held", line.shortage),
        ("pending", line.pending),
        ("drop-shipped", line.drop_ship),
        ("shipped", line.shipped),
        ("cancelled", line.cancelled),
        ("rejected", line.rejected),
    ):
        if qty:
            yield f"{qty} {name}"


def _links(state: State) -> Iterator[str]:
    names = names_of(state)
    for order in state.orders.values():
        for line in order.lines.values():
            for link in line.links:
                if link.qty:
                    by_hand = " by hand" if link.by_hand else ""
                    where = names[link.replenishment_id]
                    who = f"{order.shop}/{order.order_id} [{line.line_id}]"
                    yield f"{where} brings {who} {link.qty}{by_hand}"


def _stock(state: State) -> Iterator[str]:
    for item in state.items.values():
        for row in item.stock.values():
            if row.on_hand or row.allocated:
                yield _units(row)


def _units(row: Stock) -> str:
    promised = f", {row.allocated} promised" if row.allocated else ""
    return f"{row.place}: {row.on_hand} {row.sku}{promised}"


def _replenishments(state: State) -> Iterator[str]:
    names = names_of(state)
    for row in state.replenishments.values():
        yield f"{names[row.replenishment_id]} {row.state}: {_contents(row)}"


def _contents(row: Replenishment) -> str:
    lines = sorted(row.lines.values(), key=lambda line: line.sku)
    told = [_replenished(line) for line in lines if line.qty or line.received]
    return ", ".join(told) or "nothing"


def _replenished(line: ReplenishmentLine) -> str:
    text = f"{line.qty} {line.sku}"
    if line.parts:
        parts = (f"{part.qty} until {moment(part.expected_at)}" for part in line.parts)
        text += f" ({' + '.join(parts)})"
    if line.received:
        text += f", {line.received} in"
    for place, qty in sorted(line.docked.items()):
        text += f", {qty} for lines at {place}"
    return text


def movement(row: Movement) -> str:
    """`3 A vendor>WH received`."""
    origin = row.origin or row.outside
    target = row.target or row.outside
    return f"{row.qty} {row.sku} {origin}>{target} {row.reason}"
