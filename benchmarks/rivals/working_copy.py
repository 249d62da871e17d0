"""What one order touches, by ORM sessions: locked and loaded for `decide`, and kept afterwards.

The rules are Backship's own: `handlers.batch.decide`, asked for one message. What stands here is
the way such a worker gets at its rows: select the items FOR UPDATE in the order of their keys, read
what belongs to them under that lock, lock the slots of what is bought, set what changed on the
mapped objects, add what is new, flush.

Of orders only: places, skus, vendors and stock are there already, and so is the order's shop.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.rivals import models, new_rows, queries
from events.envelope import Event
from events.inbound import OrderPlaced
from events.vocabulary import PlaceKind
from handlers import state as core
from handlers.decision import Decision
from handlers.keys import slots_of
from handlers.policy import Rules
from handlers.rules.sellable import destination_of
from store.save_messages import Concerned

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass
class CatalogueCache:
    """Places, shops and vendors, read anew where their version has changed."""

    version: int | None = None
    places: dict[str, core.Place] = field(default_factory=dict)
    shops: dict[str, core.Shop] = field(default_factory=dict)
    vendors: dict[str, core.Vendor] = field(default_factory=dict)

    async def hold(self, session: AsyncSession) -> None:
        """Keep the catalogue as it is until the transaction ends, and know it."""
        version = (await session.execute(queries.CATALOGUE_VERSION)).scalar_one()
        if version == self.version:
            return
        self.places = {
            row.place: core.Place(
                row.place, PlaceKind(row.kind), row.priority, row.feeds, row.enabled
            )
            for row in await session.scalars(select(models.Place).order_by(models.Place.place))
        }
        self.shops = {
            row.shop: core.Shop(
                row.shop, None if row.sources is None else tuple(row.sources), row.destination
            )
            for row in await session.scalars(select(models.Shop).order_by(models.Shop.shop))
        }
        self.vendors = {
            row.vendor: core.Vendor(row.vendor, row.name, row.email, row.policy)
            for row in await session.scalars(select(models.Vendor))
        }
        self.version = version


class WorkingCopy:
    """The rows of one order, as mapped objects and as the state that `decide` changes."""

    def __init__(self, session: AsyncSession, catalogue: CatalogueCache, rules: Rules) -> None:
        self.session = session
        self.state = core.State(
            rules,
            places=catalogue.places,
            shops=catalogue.shops,
            vendors=catalogue.vendors,
        )
        self.items: dict[str, models.Item] = {}
        self.stock: dict[core.StockKey, models.Stock] = {}
        self.demand: dict[tuple[str, str, str], models.Demand] = {}
        self.statuses: dict[tuple[str, str], models.ItemStatus] = {}
        self.slots: dict[core.SlotKey, models.Slot] = {}
        self.replenishments: dict[str, models.Replenishment] = {}
        self.lines: dict[tuple[str, str], models.ReplenishmentLine] = {}
        self.clock = 0

    # ---------------------------------------------------------------- load

    async def load(self, event: Event, data: OrderPlaced) -> None:
        """Lock and read what the order may change."""
        await self._order(data)
        skus = sorted({line.sku for line in data.lines})
        for row in await self._locked_items(skus):
            self._item(row)
        await self._supply(skus)
        for item in self.state.items.values():
            self._settle_item(item)
        await self._behind(data)
        await self._slots(slots_of(self.state, [event]))

    async def _order(self, data: OrderPlaced) -> None:
        """Meet an order that was placed before, under another event id (C4)."""
        key = (data.shop, data.order_id)
        found = await self.session.execute(
            queries.ORDER, {"shop": data.shop, "order_id": data.order_id}
        )
        data_hash = found.scalar()
        if data_hash is None:
            self.state.unknown_orders.add(key)
            return
        at = data.placed_at
        order = core.Order(*key, at, at, 0, "", data_hash)
        order.loaded = order.values()
        self.state.orders[key] = order

    async def _locked_items(self, skus: Sequence[str]) -> Sequence[models.Item]:
        given = {"skus": skus}
        locked = (await self.session.scalars(queries.LOCK_ITEMS, given)).all()
        if len(locked) < len(skus):
            rows = [
                {"sku": sku, "alternatives": [], "policy": {}, "busy": False, "clock": 0}
                for sku in skus
                if sku not in locked
            ]
            await self.session.execute(insert(models.Item).on_conflict_do_nothing(), rows)
            await self.session.execute(queries.LOCK_ITEMS, given)
        return (await self.session.scalars(queries.ITEMS, given)).unique().all()

    def _item(self, row: models.Item) -> None:
        item = core.Item(
            row.sku,
            row.vendor,
            row.name,
            tuple(row.alternatives),
            row.policy,
            row.busy,
            row.base_status,
        )
        item.loaded = item.values() if row.base_status is not None else None
        self.items[row.sku] = row
        self.state.items[row.sku] = item
        for stock in row.stock:
            owed = tuple((datetime.fromisoformat(at), qty) for at, qty in stock.owed or ())
            there = core.Stock(
                row.sku, stock.place, stock.on_hand, stock.allocated, stock.counted_at, owed
            )
            there.loaded = there.values()
            item.stock[stock.place] = there
            self.stock[row.sku, stock.place] = stock
        for demand in row.demand:
            key = (demand.destination, demand.shop)
            waits = core.Demand(row.sku, *key, demand.shortage, demand.queued, demand.fillable)
            waits.loaded = waits.values()
            item.demand[key] = waits
            self.demand[row.sku, *key] = demand
        for status in row.statuses:
            item.statuses[status.shop] = item.statuses_loaded[status.shop] = status.status
            self.statuses[row.sku, status.shop] = status
        self._saw([row, *row.stock, *row.demand])

    def _settle_item(self, item: core.Item) -> None:
        """Resolve its policy; what nobody waits for or is bought for needs not be looked for."""
        self.state.refresh(item)
        if not any(row.fillable for row in item.demand.values()):
            item.queues = {}
        if not any(
            self.state.replenishments[name].lines[item.sku].for_lines for name in item.supply
        ):
            item.links = {}

    async def _supply(self, skus: Sequence[str]) -> None:
        """Read what may still arrive of the items."""
        for row in await self.session.scalars(queries.OUTSTANDING, {"skus": skus}):
            self._replenishment_line(self._replenishment(row.replenishment), row)

    async def _behind(self, data: OrderPlaced) -> None:
        """Sum what waits behind the new order for its items, at its destination (R11)."""
        place = destination_of(self.state, data.shop)
        waiting = [item.sku for item in self.state.items.values() if item.queued_at(place)]
        if not waiting:
            return
        rank = {
            "priority": 100 if data.priority is None else data.priority,
            "placed_at": data.placed_at,
            "shop": data.shop,
            "order_id": data.order_id,
        }
        given = {"skus": waiting, "destination": place, **rank}
        behind = dict.fromkeys(waiting, 0)
        for sku, units in await self.session.execute(queries.BEHIND, given):
            behind[sku] = int(units)
        for sku, units in behind.items():
            self.state.behind[sku, data.shop, data.order_id, place] = units

    async def _slots(self, wanted: set[core.SlotKey]) -> None:
        """Lock the slots of vendors, and read whole what is open in them."""
        if not wanted:
            return
        given = {"slots": sorted(wanted)}
        found = (await self.session.scalars(queries.LOCK_SLOTS, given)).all()
        if len(found) < len(wanted):
            known = {(row.vendor, row.destination) for row in found}
            rows = [
                {"vendor": vendor, "destination": destination, "raised": 0, "clock": 0}
                for vendor, destination in sorted(wanted - known)
            ]
            await self.session.execute(insert(models.Slot).on_conflict_do_nothing(), rows)
            found = (await self.session.scalars(queries.LOCK_SLOTS, given)).all()
        for row in found:
            there = core.Slot(row.vendor, row.destination, row.open_id, row.raised)
            there.loaded = there.values()
            self.slots[row.vendor, row.destination] = row
            self.state.slots[row.vendor, row.destination] = there
        self._saw(found)
        await self._open([row.open_id for row in found if row.open_id is not None])

    async def _open(self, names: Sequence[str]) -> None:
        if not names:
            return
        found = await self.session.scalars(queries.OPEN, {"names": names})
        for row in found.unique():
            there = self._replenishment(row)
            there.complete = True
            for line in row.lines:
                self._replenishment_line(there, line)

    def _replenishment(self, row: models.Replenishment) -> core.Replenishment:
        name = row.replenishment_id
        there = self.state.replenishments.get(name)
        if there is None:
            there = core.Replenishment(name, row.vendor, row.destination, row.raised_at)
            self.state.replenishments[name] = there
        there.state = core.ReplenishmentState(row.state)
        there.automatic = row.automatic
        there.revision = row.revision
        there.told_revision = row.told_revision
        there.told_total = row.told_total
        there.finalized_at = row.finalized_at
        there.closed_at = row.closed_at
        there.loaded = there.values()
        self.replenishments[name] = row
        self._saw([row])
        return there

    def _replenishment_line(
        self, replenishment: core.Replenishment, row: models.ReplenishmentLine
    ) -> None:
        parts = tuple(
            core.Part(qty, None if at is None else datetime.fromisoformat(at))
            for qty, at in row.parts
        )
        line = core.ReplenishmentLine(
            row.sku, row.qty, row.manual, row.linked, row.picked, row.received, parts
        )
        line.docked = dict(row.docked)
        line.loaded = line.values()
        replenishment.lines[row.sku] = line
        self.lines[replenishment.replenishment_id, row.sku] = row
        item = self.state.items.get(row.sku)
        if item is not None and replenishment.replenishment_id not in item.supply:
            item.supply.append(replenishment.replenishment_id)

    def _saw(
        self,
        rows: Iterable[
            models.Item | models.Stock | models.Demand | models.Slot | models.Replenishment
        ],
    ) -> None:
        self.clock = max(self.clock, *(row.clock for row in rows), 0)

    # ---------------------------------------------------------------- keep

    def keep(self, decision: Decision, now: datetime) -> None:
        """Bring the mapped objects to what was decided, and add the new ones."""
        self.clock = max((now - _EPOCH) // _MICROSECOND, self.clock + 1)
        concerned = Concerned.by(decision)
        for item in self.state.items.values():
            self._keep_item(item, told=item.sku in concerned.skus)
        for order in self.state.orders.values():
            if order.loaded is None:
                self.session.add_all(new_rows.of_order(order, self.clock))
        for name, replenishment in self.state.replenishments.items():
            self._keep_replenishment(replenishment, told=name in concerned.replenishments)
        for key, slot in self.state.slots.items():
            if slot.values() != slot.loaded:
                row = self.slots[key]
                row.open_id, row.raised, row.clock = slot.open_id, slot.raised, self.clock
        self.session.add_all(new_rows.of_reasons(decision, self.clock))
        self.session.add_all(new_rows.of_emissions(decision, self.clock))

    def _keep_item(self, item: core.Item, *, told: bool) -> None:
        noted = False
        for place, stock in item.stock.items():
            if stock.values() != stock.loaded:
                row = self.stock[item.sku, place]
                row.on_hand, row.allocated, row.clock = stock.on_hand, stock.allocated, self.clock
                noted = True
        for key, waits in item.demand.items():
            if waits.values() != waits.loaded:
                self._keep_demand(waits, self.demand.get((item.sku, *key)))
                noted = True
        for shop, status in item.statuses.items():
            kept = self.statuses.get((item.sku, shop))
            if kept is None:
                self.session.add(models.ItemStatus(sku=item.sku, shop=shop, status=status))
            else:
                kept.status = status
        if item.values() != item.loaded or (told and not noted):
            mine = self.items[item.sku]
            mine.busy, mine.base_status, mine.clock = item.busy, item.base_status, self.clock

    def _keep_demand(self, waits: core.Demand, row: models.Demand | None) -> None:
        if row is None:
            row = models.Demand(sku=waits.sku, destination=waits.destination, shop=waits.shop)
            self.session.add(row)
        row.shortage, row.queued, row.fillable = waits.shortage, waits.queued, waits.fillable
        row.clock = self.clock

    def _keep_replenishment(self, replenishment: core.Replenishment, *, told: bool) -> None:
        name = replenishment.replenishment_id
        changed = [row for row in replenishment.lines.values() if row.values() != row.loaded]
        if not (changed or told or replenishment.values() != replenishment.loaded):
            return
        row = self.replenishments.get(name)
        if row is None:
            row = models.Replenishment(
                replenishment_id=name,
                vendor=replenishment.vendor,
                destination=replenishment.destination,
                raised_at=replenishment.raised_at,
                automatic=replenishment.automatic,
            )
            self.session.add(row)
        row.state = str(replenishment.state)
        row.revision = replenishment.revision
        row.told_revision = replenishment.told_revision
        row.told_total = replenishment.told_total
        row.clock = self.clock
        for line in changed:
            mine = self.lines.get((name, line.sku))
            if mine is None:
                mine = models.ReplenishmentLine(
                    replenishment_id=name, sku=line.sku, parts=[], docked=[]
                )
                mine.replenishment = row
                self.session.add(mine)
            mine.qty, mine.manual, mine.received = line.qty, line.manual, line.received
            mine.linked, mine.picked = line.linked, line.picked
            mine.outstanding = 0 if replenishment.drop_ship else line.short_of
