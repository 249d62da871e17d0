"""The core against the reference of the whole rule book: random histories, nothing may differ.

Each event is a batch of its own. After each, its outcome, every message, every movement and the
whole state are the same, or the history so far is told with what is missing and unexpected.
`IN_PLAY` lists the parts of the rule book that are drawn.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from events.envelope import Event
from events.vocabulary import BackorderPolicy
from handlers.decision import Applied, Deferred, Outcome, Repeated, SetAside
from handlers.policy import Policy, Rules
from tests.reference import keeping
from tests.reference.model import Reference
from tests.reference.saying import Names
from tests.support import builders, rules
from tests.support.house import House
from tests.support.wire import T0, Fields, event

# What is drawn besides the plain events. Take a word out to leave a part of the rule book out.
IN_PLAY = frozenset(
    {
        "backordered",
        "changed",
        "counted",
        "early",
        "group",
        "hold_cleared",
        "holds",
        "keep_partial_allocations",
        "release",
        "requested",
        "requested_release",
        "sale_rules",
        "ship_mode",
        "sourcing",
        "vendor_shipment",
    }
)

SHOPS = ("main", "other")
SKUS = ("A", "B", "C")
VENDORS = ("V", "W")
SOURCES = ("WH1", "WH2")
PLACES = ("DOCK", *SOURCES)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_qty = st.integers(1, 6)
_sku = st.sampled_from(SKUS)
_shop = st.sampled_from(SHOPS)
_place = st.sampled_from(PLACES)
_source = st.sampled_from(SOURCES)
_pick = st.integers(0, 7)
_line_id = st.sampled_from(("1", "2", "3"))
_stock_lines = st.lists(st.tuples(_sku, _qty), min_size=1, max_size=3)
_late = st.sampled_from((None, None, None, None, 3, 9))  # hours after T0


def _when(feature: str, choices: Sequence[Any], otherwise: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401
    return st.sampled_from(choices if feature in IN_PLAY else (otherwise,))


_order_lines = st.lists(
    st.fixed_dictionaries(
        {"sku": _sku, "qty": _qty, "group": _when("group", (None, None, "g"), None)}
    ),
    min_size=1,
    max_size=3,
)
_cancelled_lines = st.lists(
    st.one_of(
        _line_id,
        st.tuples(_line_id, _qty),
        st.fixed_dictionaries({"sku": _sku, "qty": _qty}),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda row: row[0] if isinstance(row, tuple) else str(row),
)
_settings = st.fixed_dictionaries(
    {},
    optional={
        "backorder_policy": st.sampled_from(("none", "allow", "notify", None)),
        "backorder_limit": st.sampled_from((0, 3, 8, None)),
        "safety_stock": st.sampled_from((0, 2, 5, None)),
        "auto_replenish": st.sampled_from((True, False, None)),
        "manage_stock": st.sampled_from((True, True, False, None)),
        "lead_time_days": st.sampled_from((0, 7, None)),
        "pack_size": st.sampled_from((1, 4, None)),
        "min_order_qty": st.sampled_from((1, 6, None)),
        **(
            {"sourcing": st.sampled_from(("stock", "buy_to_order", "drop_ship", None))}
            if "sourcing" in IN_PLAY
            else {}
        ),
        **(
            {
                "min_sale_qty": st.sampled_from((1, 3, None)),
                "sale_increment": st.sampled_from((1, 2, None)),
            }
            if "sale_rules" in IN_PLAY
            else {}
        ),
    },
)
_confirmed = st.none() | st.lists(
    st.tuples(
        _sku,
        st.lists(
            st.tuples(st.integers(0, 6), st.sampled_from((None, T0, T0 + 9 * DAY))), max_size=2
        ),
    ),
    min_size=1,
    max_size=2,
)


def _knows(feature: str) -> Callable[[Any], bool]:
    return lambda _machine: feature in IN_PLAY


class TwoTellings(RuleBasedStateMachine):
    """One history, told to the core and to the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House()
        self.model = Reference()
        self.names = {"core": Names(), "model": Names()}
        self.history: list[Event] = []
        self.orders: list[tuple[str, str]] = []
        self.versions: Counter[tuple[str, str]] = Counter()

    @initialize(
        defaults=st.sampled_from(
            ({}, {}, {}, {"backorder_policy": BackorderPolicy.NONE}, {"pack_size": 2})
        ),
        automatic=st.sampled_from((True, True, True, False)),
        keep=_when("keep_partial_allocations", (True, False), True),  # noqa: FBT003
        vendors=st.sampled_from((("V", "V"), ("V", "W"), ())),
        place=st.sampled_from(("WH1", None)),
    )
    def open(
        self,
        defaults: dict[str, Any],
        automatic: bool,  # noqa: FBT001 - drawn by name
        keep: bool,  # noqa: FBT001 - drawn by name
        vendors: Sequence[str],
        place: str | None,
    ) -> None:
        more = {} if keep else {"keep_partial_allocations": False}
        self.house = House(Rules(Policy(**defaults), auto_replenish_enabled=automatic, **more))
        self.model = Reference(
            defaults, auto_replenish_enabled=automatic, keep_partial_allocations=keep
        )
        self.settings = {"defaults": defaults, "automatic": automatic, "keep": keep}
        for sku, vendor in zip(SKUS, vendors, strict=False):
            self.hear(builders.item_changed(sku, vendor=vendor, **self._envelope()))
        if place is not None:
            self.hear(builders.place_changed(place, **self._envelope()))

    # ------------------------------------------------------------ what happens

    @rule(
        shop=_shop,
        lines=_order_lines,
        priority=st.sampled_from((None, None, 1)),
        days=st.integers(-2, 2),
        mode=_when("ship_mode", (None, None, "line", "complete"), None),
        release=_when("release", (None, None, None, "manual"), None),
        holds=_when("holds", (None, None, ["payment"], ["fraud"], ["payment", "fraud"]), None),
        late=_late,
    )
    def placed(  # noqa: PLR0913, PLR0917 - what an order may say
        self,
        shop: str,
        lines: list[Fields],
        priority: int | None,
        days: int,
        mode: str | None,
        release: str | None,
        holds: list[str] | None,
        late: int | None,
    ) -> None:
        order_id = str(sum(known == shop for known, _id in self.orders) + 1)
        self.orders.append((shop, order_id))
        self.hear(
            builders.order_placed(
                order_id,
                lines,
                shop=shop,
                priority=priority,
                placed_at=T0 + days * DAY,
                ship_mode=mode,
                release=release,
                holds=holds,
                customer={"email": "ada@example.org"} if days > 0 else None,
                ship_to={"city": "Bern"} if days == 0 else None,
                **self._envelope(late),
            )
        )

    @precondition(_knows("changed"))
    @rule(pick=_pick, lines=_order_lines, older=st.integers(0, 1))
    def changed(self, pick: int, lines: list[Fields], older: int) -> None:
        shop, order_id = self._order(pick)
        self.versions[shop, order_id] += 1 - older
        known = self.model.world.orders.get((shop, order_id))
        skus = {line.line_id: line.sku for line in known.lines} if known is not None else {}
        told = [
            {**line, "line_id": str(n), "sku": skus.get(str(n), line["sku"])}
            for n, line in enumerate(lines, 1 if pick % 2 else 2)
        ]
        version = max(1, self.versions[shop, order_id])
        self.hear(
            builders.order_changed(order_id, told, shop=shop, version=version, **self._envelope())
        )

    @rule(pick=_pick, lines=st.none() | _cancelled_lines)
    def cancelled(self, pick: int, lines: list[Any] | None) -> None:
        shop, order_id = self._order(pick)
        self.hear(builders.order_cancelled(order_id, lines, shop=shop, **self._envelope()))

    @precondition(_knows("hold_cleared"))
    @rule(pick=_pick, hold=st.sampled_from(("payment", "payment", "fraud")))
    def hold_cleared(self, pick: int, hold: str) -> None:
        shop, order_id = self._order(pick)
        self.hear(builders.order_hold_cleared(order_id, hold, shop=shop, **self._envelope()))

    @rule(
        pick=_pick,
        place=_when("vendor_shipment", (*SOURCES, *SOURCES, "vendor:V", "vendor:W"), "WH1")
        | _source,
        lines=st.dictionaries(_line_id, _qty, min_size=1, max_size=2),
        late=_late,
    )
    def shipped(self, pick: int, place: str, lines: dict[str, int], late: int | None) -> None:
        shop, order_id = self._order(pick)
        if "early" not in IN_PLAY and (shop, order_id) not in self.orders:
            return
        rows, name = sorted(lines.items()), self._name
        self.hear(
            builders.order_shipped(order_id, name, place, rows, shop=shop, **self._envelope(late))
        )

    @precondition(_knows("requested_release"))
    @rule(pick=_pick)
    def requested_release(self, pick: int) -> None:
        shop, order_id = self._order(pick)
        self.hear(builders.back_to_ship_requested(order_id, shop=shop, **self._envelope()))

    @precondition(_knows("backordered"))
    @rule(
        pick=_pick,
        line=st.tuples(_line_id, _qty),
        place=_source,
        reason=st.sampled_from(("short_pick", "hold")),
        late=_late,
    )
    def backordered(
        self, pick: int, line: tuple[str, int], place: str, reason: str, late: int
    ) -> None:
        shop, order_id = self._order(pick)
        self.hear(
            builders.line_backordered(
                order_id, line, place, reason=reason, shop=shop, **self._envelope(late)
            )
        )

    @rule(
        place=_place,
        lines=_stock_lines,
        pick=st.none() | _pick,
        on=st.sampled_from((None, None, *SOURCES)),
        late=_late,
    )
    def received(
        self, place: str, lines: list[Any], pick: int | None, on: str | None, late: int
    ) -> None:
        name = None if pick is None else self._replenishment(pick)
        self.hear(
            builders.stock_received(
                self._name,
                place,
                lines,
                replenishment_id=name,
                transfer_to=on,
                **self._envelope(late),
            )
        )

    @rule(origin=_place, to=_place, lines=_stock_lines, late=_late)
    def transferred(self, origin: str, to: str, lines: list[Any], late: int | None) -> None:
        self.hear(builders.stock_transferred(self._name, origin, to, lines, **self._envelope(late)))

    @rule(place=_place, lines=_stock_lines, late=_late)
    def returned(self, place: str, lines: list[Any], late: int | None) -> None:
        self.hear(builders.stock_returned(self._name, place, lines, **self._envelope(late)))

    @precondition(_knows("counted"))
    @rule(
        place=_place,
        lines=st.lists(st.tuples(_sku, st.integers(0, 6)), min_size=1, max_size=2),
        late=_late,
    )
    def counted(self, place: str, lines: list[Any], late: int | None) -> None:
        envelope = self._envelope(late)
        at = envelope["time"]
        self.hear(builders.stock_counted(self._name, place, lines, counted_at=at, **envelope))

    @rule(
        pick=_pick,
        outcome=st.sampled_from((None, None, None, "short_closed", "cancelled")),
        lines=_confirmed,
    )
    def closed(self, pick: int, outcome: str | None, lines: list[Any] | None) -> None:
        name = self._replenishment(pick)
        if name is not None:
            self.hear(
                builders.replenishment_closed(
                    name, outcome=outcome, lines=lines, **self._envelope()
                )
            )

    @precondition(_knows("requested"))
    @rule(
        vendor=st.sampled_from(VENDORS),
        destination=st.sampled_from((None, None, *PLACES)),
        rows=st.lists(
            st.tuples(_sku, st.integers(-3, 6).filter(bool))
            | st.tuples(_pick, _line_id, st.none() | _qty),
            min_size=1,
            max_size=2,
            unique_by=lambda row: str(row[:2]) if len(row) == 3 else repr(row),
        ),
    )
    def requested(self, vendor: str, destination: str | None, rows: list[tuple[Any, ...]]) -> None:
        lines: list[Any] = []
        named = set()
        for row in rows:
            if isinstance(row[0], str):
                lines.append(row)
                continue
            pick, line_id, qty = row
            key = self._order(pick)
            order = self.model.world.orders.get(key)
            line = order.line(line_id) if order is not None else None
            if (key, line_id) in named:
                continue
            named.add((key, line_id))
            told = {"shop": key[0], "order_id": key[1], "line_id": line_id}
            told["sku"] = line.sku if line is not None else "A"
            lines.append(told if qty is None else {**told, "qty": qty})
        self.hear(
            builders.replenishment_requested(
                vendor, lines, destination=destination, **self._envelope()
            )
        )

    @rule(sku=_sku, vendor=st.sampled_from((*VENDORS, "V", None)))
    def item_given_to(self, sku: str, vendor: str | None) -> None:
        self.hear(builders.item_changed(sku, vendor=vendor, **self._envelope()))

    @rule(sku=_sku, policy=_settings, alternatives=st.sampled_from((None, ("X",))))
    def item(self, sku: str, policy: Fields, alternatives: Sequence[str] | None) -> None:
        more = {"alternatives": alternatives} if alternatives else {}
        self.hear(builders.item_changed(sku, policy=policy, **more, **self._envelope()))

    @rule(vendor=st.sampled_from(VENDORS), policy=_settings)
    def vendor(self, vendor: str, policy: Fields) -> None:
        self.hear(builders.vendor_changed(vendor, policy=policy, **self._envelope()))

    @rule(
        shop=_shop,
        sources=st.sampled_from((None, (), ("WH1",), ("WH2",), ("WH2", "WH1"))),
        destination=st.sampled_from((None, *PLACES)),
    )
    def shop(self, shop: str, sources: Sequence[str] | None, destination: str | None) -> None:
        self.hear(
            builders.shop_changed(
                shop, sources=sources, destination=destination, **self._envelope()
            )
        )

    @rule(
        change=st.sampled_from(
            (
                ("DOCK", {"feeds": "WH1"}),
                ("DOCK", {"feeds": "WH2"}),
                ("DOCK", {"feeds": None}),
                ("DOCK", {"kind": "source"}),
                ("DOCK", {"kind": "dock"}),
                ("DOCK", {"kind": "dock"}),
                ("WH1", {"enabled": False}),
                ("WH1", {"enabled": True}),
                ("WH1", {"priority": 101}),
                ("WH2", {"enabled": False}),
                ("WH2", {"enabled": True}),
                ("WH2", {"priority": 7}),
                ("WH2", {"priority": None}),
            )
        )
    )
    def place(self, change: tuple[str, Fields]) -> None:
        name, changes = change
        self.hear(builders.place_changed(name, **changes, **self._envelope()))

    @precondition(lambda machine: machine.history)
    @rule(pick=st.integers(0, 30), other=st.integers(0, 1))
    def told_again(self, pick: int, other: int) -> None:
        """Tell something again under another event id, perhaps with another content (C4)."""
        first = self.history[-1 - pick % len(self.history)]
        data = first.data.model_dump(mode="json", exclude_unset=True)
        if other and first.type.startswith(("OrderPlaced", "OrderShipped", "Stock")):
            data["lines"][0]["qty"] += 1
        envelope = self._envelope()
        self.hear(event(first.type, data, **{"source": first.source, **envelope}))

    @precondition(lambda machine: machine.history)
    @rule(pick=st.integers(0, 30))
    def same_event_again(self, pick: int) -> None:
        """An event under its own id is a repeat; only the inbox looks at that, not the core."""
        before = (self.model.kept(), len(self.model.told))
        first = self.history[-1 - pick % len(self.history)]
        assert self.model.hear(first, self.house.now) == "repeated"
        assert (self.model.kept(), len(self.model.told)) == before

    # ------------------------------------------------------------ how it is told and compared

    @property
    def _name(self) -> str:
        return f"n{len(self.history)}"

    def _envelope(self, late: int | None = None) -> dict[str, Any]:
        """Each event happens an hour after the last, or comes late."""
        n = len(self.history)
        return {"event_id": f"e{n}", "time": T0 + (n if late is None else late) * HOUR}

    def _order(self, pick: int) -> tuple[str, str]:
        """Return an order that was told, the latest with a low number, or one perhaps to come."""
        if pick == 7 or not self.orders:
            shop = SHOPS[pick == 1]
            return shop, str(sum(known == shop for known, _id in self.orders) + 1)
        return self.orders[-1 - pick % len(self.orders)]

    def _replenishment(self, pick: int) -> str | None:
        names = list(_names(self.house))
        return names[-1 - pick % len(names)] if names else None

    def hear(self, told: Event) -> None:
        """Tell both of an event and compare all there is to compare."""
        self.history.append(told)
        movements, messages = len(self.house.movements), len(self.model.told)
        booked = len(self.model.world.movements)
        try:
            emitted = self.house.hear(told)
        except Exception as failure:
            failure.add_note(self._history())
            raise
        translated = _translated(told, _names(self.house))
        outcome = self.model.hear(translated, self.house.now)
        core, model = self.names["core"], self.names["model"]
        core.replenishments = _names(self.house)
        self._compare(
            [
                f"outcome {_outcome(self.house.outcome(told))}",
                *map(core.text, emitted),
                *(_movement(row) for row in self.house.movements[movements:]),
                *core_kept(self.house),
            ],
            [
                f"outcome {outcome}",
                *map(model.text, self.model.told[messages:]),
                *(_movement(row) for row in self.model.world.movements[booked:]),
                *self.model.kept(),
            ],
        )

    def _compare(self, core: list[str], model: list[str]) -> None:
        missing, unexpected = Counter(model) - Counter(core), Counter(core) - Counter(model)
        if missing or unexpected:
            rows = [f"the rules say: {row}" for row in missing.elements()]
            rows += [f"the core says: {row}" for row in unexpected.elements()]
            raise AssertionError("\n".join(["", self._history(), *rows]))

    def _history(self) -> str:
        """Tell all that was heard, as lines of a test."""
        return "\n".join([f"with {self.settings}:", *(f"  {_retold(row)}" for row in self.history)])


def _retold(told: Event) -> str:
    data = told.data.model_dump(mode="json", exclude_unset=True)
    time = None if told.time is None else told.time.isoformat()
    return f'event("{told.type}", {data}, event_id="{told.id}", time="{time}"),'


def _translated(told: Event, names: dict[str, str]) -> Event:
    """Name a replenishment as the model does."""
    name = getattr(told.data, "replenishment_id", None)
    if name not in names:
        return told
    data = told.data.model_copy(update={"replenishment_id": names[name]})
    fields = ("source", "id", "type", "time", "subject", "traceparent", "data_hash")
    return Event(**{field: getattr(told, field) for field in fields}, data=data, unknown_fields=())


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case Applied():
            return "applied"
        case Repeated():
            return "repeated"
        case Deferred():
            return "waiting"
        case SetAside(reason=reason):
            return f"set_aside:{reason}"


def _movement(row: Any) -> str:  # noqa: ANN401 - a movement of either
    origin, target = row.origin or row.outside, row.target or row.outside
    at = getattr(row, "happened_at", None) or row.at
    return f"booked {row.qty} {row.sku} {origin}>{target} {row.reason} {keeping.moment(at)}"


def _names(house: House) -> dict[str, str]:
    """Return the name of each replenishment by its id: the n-th raised for its pair."""
    counts: Counter[tuple[str, str]] = Counter()
    names = {}
    for row in house.state.replenishments.values():
        counts[row.vendor, row.destination] += 1
        number = counts[row.vendor, row.destination]
        names[row.replenishment_id] = f"{row.vendor}>{row.destination}#{number}"
    return names


# ---------------------------------------------------------------- the core in the same words


def core_kept(house: House) -> Iterator[str]:
    """Describe what the core keeps as `keeping.kept` describes the reference."""
    yield from _core_catalogue(house)
    for order in house.state.orders.values():
        yield from _core_order(order)
    yield from _core_stock(house)
    yield from _core_supply(house)
    yield from _core_waiting(house)


def _core_waiting(house: House) -> Iterator[str]:
    for key, rows in house.state.waiting.items():
        yield from (f"waiting {heard.id} for {'/'.join(key)}" for heard, _at in rows)
    for name, rows in house.state.early.items():
        yield from (f"waiting {heard.id} for {name}" for heard, _at in rows)


def _core_catalogue(house: House) -> Iterator[str]:
    state = house.state
    for place in state.places.values():
        feeds = f" feeds {place.feeds}," if place.kind == "dock" else ""
        enabled = "enabled" if place.enabled else "disabled"
        yield f"place {place.place}: {place.kind},{feeds} priority {place.priority}, {enabled}"
    for shop in state.shops.values():
        sources = "all" if shop.sources is None else list(shop.sources)
        yield f"shop {shop.shop}: sources {sources}, destination {shop.destination}"
    for item in state.items.values():
        if item.vendor or item.alternatives or item.overrides:
            policy = ", ".join(f"{name} {item.overrides[name]}" for name in sorted(item.overrides))
            yield f"item {item.sku}: vendor {item.vendor}, or {item.alternatives}: {policy}"
        for name in state.shops:
            now = item.statuses.get(name, item.base_status)
            if now is not None and now != _unseen(house):
                yield f"status {name} {item.sku}: {now}"
    for vendor in state.vendors.values():
        policy = ", ".join(f"{key} {value}" for key, value in sorted(vendor.policy.items()))
        yield f"vendor {vendor.vendor}: {policy}"


def _unseen(house: House) -> str:
    defaults = house.rules.defaults
    none_waits = defaults.backorder_policy == "none" or defaults.backorder_limit == 0
    return "out_of_stock" if none_waits else "backorder"


def _core_order(order: Any) -> Iterator[str]:  # noqa: ANN401 - the core's row
    holds = f", holds {list(order.holds)}" if order.holds else ""
    destination = None if order.pending else order.destination
    yield (f"order {order.shop}/{order.order_id}: version {order.version}, to {destination}{holds}")
    for line in order.lines.values():
        yield f"{order.shop}/{order.order_id} [{line.line_id}] {line.ordered} {line.sku}: " + (
            ", ".join(_core_terms(line)) or "nothing"
        )


def _core_terms(line: Any) -> Iterator[str]:  # noqa: ANN401 - the core's row
    promised: Counter[str] = Counter()
    for row in line.allocations:
        told = "not told" if row.release_id is None else "told"
        promised[f"at {row.source or 'any'} ({told})"] += row.qty
    yield from (f"{qty} {key}" for key, qty in sorted(promised.items()) if qty)
    if line.shortage:
        staff = " by staff" if line.staff_held else ""
        yield (
            f"{line.shortage} held{staff} since {keeping.moment(line.held_since)} "
            f"promised {keeping.moment(line.told_expected_at)} ({line.told_days})"
        )
    for name in ("pending", "drop_ship", "shipped", "cancelled", "rejected"):
        if getattr(line, name):
            yield f"{getattr(line, name)} {name}"
    if line.sourced != "stock" and (line.allocated or line.shortage or line.drop_ship):
        yield str(line.sourced)
    if line.group is not None:
        yield f"group {line.group}"


def _core_stock(house: House) -> Iterator[str]:
    for item in house.state.items.values():
        for row in item.stock.values():
            text = f"{row.place}: {row.on_hand} {row.sku}"
            if row.allocated:
                text += f", {row.allocated} promised"
            if row.counted_at is not None:
                text += f", counted {keeping.moment(row.counted_at)}"
            for at in sorted({at for at, _qty in row.owed}):
                qty = sum(units for when, units in row.owed if when == at)
                text += f", {qty} owed {keeping.moment(at)}"
            if text != f"{row.place}: 0 {row.sku}":
                yield text


def _core_supply(house: House) -> Iterator[str]:
    names = _names(house)
    for row in house.state.replenishments.values():
        lines = [_core_replenished(row.lines[sku]) for sku in sorted(row.lines)]
        by_hand = "" if row.automatic else " by hand"
        told = ", ".join(text for text in lines if text) or "nothing"
        name = names[row.replenishment_id]
        yield f"{name} {row.state}{by_hand} revision {row.revision}: {told}"
        for line in row.lines.values():
            for place, qty in line.docked.items():
                if qty:
                    yield f"docked {line.sku} at {place} of {name}: {qty}"
    held = (line for order in house.state.orders.values() for line in order.lines.values())
    for owner in held:
        for link in owner.links:
            if link.qty:
                hand = " by hand" if link.by_hand else ""
                where = f"{owner.order.shop}/{owner.order.order_id} [{owner.line_id}]"
                yield f"link {where} {names[link.replenishment_id]}: {link.qty}{hand}"


def _core_replenished(line: Any) -> str:  # noqa: ANN401 - the core's row
    if not (line.qty or line.received):
        return ""
    text = f"{line.qty} {line.sku}"
    if line.manual:
        text += f" ({line.manual} by hand)"
    if line.parts:
        parts = (f"{part.qty} on {keeping.moment(part.expected_at)}" for part in line.parts)
        text += f" ({' + '.join(parts)})"
    return f"{text} {line.received} in" if line.received else text


@rules.rule("O3", "O9", "O10", "R2", "R10", "R12", "S3", "S4", "S8", "S9", "S10", "C2", "C3", "C4")
def test_the_core_and_the_reference_never_differ() -> None:
    run_state_machine_as_test(
        TwoTellings,
        settings=settings(
            stateful_step_count=25,
            report_multiple_bugs=False,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
