"""Backship's own tables as ORM classes: the rival keeps the same rows in the same columns.

Only the columns and relationships that the rival names are annotated; the mapping has all of them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, relationship

from store import schema


class Base(DeclarativeBase):
    metadata = schema.metadata


class Catalogue(Base):
    __table__ = schema.catalogue
    version: Mapped[int]


class Place(Base):
    __table__ = schema.places
    place: Mapped[str]
    kind: Mapped[str]
    priority: Mapped[int]
    feeds: Mapped[str | None]
    enabled: Mapped[bool]


class Shop(Base):
    __table__ = schema.shops
    shop: Mapped[str]
    sources: Mapped[list[str] | None]
    destination: Mapped[str | None]


class Vendor(Base):
    __table__ = schema.vendors
    vendor: Mapped[str]
    name: Mapped[str | None]
    email: Mapped[str | None]
    policy: Mapped[dict[str, Any]]


class Stock(Base):
    __table__ = schema.stock
    sku: Mapped[str]
    place: Mapped[str]
    on_hand: Mapped[int]
    allocated: Mapped[int]
    counted_at: Mapped[datetime | None]
    owed: Mapped[list[tuple[str, int]] | None]
    clock: Mapped[int]


class Demand(Base):
    __table__ = schema.demand
    sku: Mapped[str]
    destination: Mapped[str]
    shop: Mapped[str]
    shortage: Mapped[int]
    queued: Mapped[int]
    fillable: Mapped[int]
    clock: Mapped[int]


class ItemStatus(Base):
    __table__ = schema.item_statuses
    sku: Mapped[str]
    shop: Mapped[str]
    status: Mapped[str]


class Item(Base):
    __table__ = schema.items
    sku: Mapped[str]
    vendor: Mapped[str | None]
    name: Mapped[str | None]
    alternatives: Mapped[list[str]]
    policy: Mapped[dict[str, Any]]
    busy: Mapped[bool]
    base_status: Mapped[str | None]
    clock: Mapped[int]

    stock: Mapped[list[Stock]] = relationship(
        primaryjoin=lambda: Item.sku == foreign(Stock.sku), viewonly=True
    )
    demand: Mapped[list[Demand]] = relationship(
        primaryjoin=lambda: Item.sku == foreign(Demand.sku), viewonly=True
    )
    statuses: Mapped[list[ItemStatus]] = relationship(
        primaryjoin=lambda: Item.sku == foreign(ItemStatus.sku), viewonly=True
    )


class ReplenishmentLine(Base):
    __table__ = schema.replenishment_lines
    replenishment_id: Mapped[str]
    sku: Mapped[str]
    qty: Mapped[int]
    manual: Mapped[int]
    linked: Mapped[int]
    picked: Mapped[int]
    received: Mapped[int]
    parts: Mapped[list[tuple[int, str | None]]]
    docked: Mapped[list[tuple[str, int]]]
    outstanding: Mapped[int]

    replenishment: Mapped["Replenishment"] = relationship(back_populates="lines")


class Replenishment(Base):
    __table__ = schema.replenishments
    replenishment_id: Mapped[str]
    vendor: Mapped[str]
    destination: Mapped[str]
    raised_at: Mapped[datetime]
    state: Mapped[str]
    automatic: Mapped[bool]
    revision: Mapped[int]
    told_revision: Mapped[int]
    told_total: Mapped[int]
    finalized_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    clock: Mapped[int]

    lines: Mapped[list[ReplenishmentLine]] = relationship(back_populates="replenishment")


class Slot(Base):
    __table__ = schema.replenishment_slots
    vendor: Mapped[str]
    destination: Mapped[str]
    open_id: Mapped[str | None]
    raised: Mapped[int]
    clock: Mapped[int]


class Order(Base):
    __table__ = schema.orders
    shop: Mapped[str]
    order_id: Mapped[str]
    data_hash: Mapped[str]


class OrderLine(Base):
    __table__ = schema.order_lines
    shop: Mapped[str]
    order_id: Mapped[str]
    sku: Mapped[str]
    destination: Mapped[str]
    priority: Mapped[int]
    placed_at: Mapped[datetime]
    shortage: Mapped[int]
    queued: Mapped[int]


class Allocation(Base):
    __table__ = schema.allocations


class Link(Base):
    __table__ = schema.links


class Reasons(Base):
    __table__ = schema.reasons


class Inbox(Base):
    __table__ = schema.inbox
    source: Mapped[str]
    event_id: Mapped[str]
    data_hash: Mapped[str]
    outcome: Mapped[str]


class Outbox(Base):
    __table__ = schema.outbox
    clock: Mapped[int]
    n: Mapped[int]
    id: Mapped[str]
    routing_key: Mapped[str]
    type: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]


class Emitted(Base):
    __table__ = schema.emitted


class RaisedException(Base):
    __table__ = schema.exceptions
