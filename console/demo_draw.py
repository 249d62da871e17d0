"""What the orders do not tell, drawn with a seed: who sells what, what lay in stock, what is late.

Each draw has a generator of its own, seeded by the seed and by what is drawn for: the same seed
gives the same sku the same vendor, whatever else is in the file, and one more draw moves no other.
Vendors, lead times, least quantities and units are those of AdventureWorks (console/data).
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

SUPPLY = Path(__file__).with_name("data") / "adventureworks-supply.csv"
SEED = 20101201

TRADING_DAYS_PER_WEEK = 5

# Of all skus: how many had run out when the data begins, and the weeks of sales the others had.
_RUN_OUT_SHARE = 0.2
_STOCK_WEEKS = (1.0, 8.0)

# Of all skus: not reordered and so never back-ordered; at most a week of sales may wait; the shop
# is asked to tell the customer.
_NO_BACKORDER_SHARE, _LIMITED_SHARE, _NOTIFY_SHARE = 0.02, 0.02, 0.1

_CONFIRMED_SHARE = 0.3  # of all replenishments: those the vendor answers with dates
_SLIP_DAYS_MAX = 5

# 4 % of what arrives is short: 380 of AdventureWorks' own 8,845 receipts were.
_SHORT_SHARE = 0.04
_ARRIVES_OF_SHORT = (0.5, 0.95)

_PACKS = {"EA": (1,), "PAK": (6,), "DZ": (12,), "CAN": (6, 12)}
_PACKS_OTHERWISE = (6, 12, 24)  # cartons, cases, gallons


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who sells to us. One that is not active any more sells nothing."""

    code: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A row of AdventureWorks: a vendor sells in a unit, from so many, and takes so many days."""

    vendor: Vendor
    lead_time_days: int
    min_order_qty: int
    unit: str


@dataclass(frozen=True, slots=True)
class Item:
    """How a sku is bought and sold. `vendor` None: nobody sells it any more."""

    vendor: Vendor | None
    lead_time_days: int
    min_order_qty: int
    pack_size: int
    opening_units: int
    backorder_policy: str | None
    backorder_limit: int | None


@cache
def offers() -> tuple[Offer, ...]:
    """Return the rows that skus are drawn from."""
    with SUPPLY.open(encoding="utf-8", newline="") as file:
        return tuple(
            Offer(
                Vendor(row["vendor"], row["name"], row["active"] == "1"),
                int(row["lead_time_days"]),
                int(row["min_order_qty"]),
                row["unit"],
            )
            for row in csv.DictReader(file)
        )


class Draw:
    """Everything that is drawn, by one seed."""

    def __init__(self, seed: int = SEED) -> None:
        self.seed = seed

    def vendors(self) -> list[Vendor]:
        """List the vendors that sell anything, by code."""
        active = {offer.vendor.code: offer.vendor for offer in offers() if offer.vendor.active}
        return [active[code] for code in sorted(active)]

    def item(self, sku: str, weekly_units: float) -> Item:
        """Draw how a sku is bought and how much of it lay in stock; `weekly_units` are sold."""
        draw = self._generator("item", sku)
        offer = offers()[int(draw.random() * len(offers()))]
        packs = _PACKS.get(offer.unit, _PACKS_OTHERWISE)
        pack_size = packs[int(draw.random() * len(packs))]
        run_out = draw.random() < _RUN_OUT_SHARE
        opening = 0.0 if run_out else _between(draw, _STOCK_WEEKS) * weekly_units
        policy, limit = _selling(draw.random(), weekly_units)
        return Item(
            vendor=offer.vendor if offer.vendor.active else None,
            lead_time_days=offer.lead_time_days,
            min_order_qty=offer.min_order_qty,
            pack_size=pack_size,
            opening_units=max(0, round(opening)),
            backorder_policy=policy,
            backorder_limit=limit,
        )

    def slip_days(self, replenishment_id: str) -> int | None:
        """Draw by how many days a vendor's confirmed date is late; None: it confirms none."""
        draw = self._generator("confirmed", replenishment_id)
        if draw.random() >= _CONFIRMED_SHARE:
            return None
        return int(draw.random() * (_SLIP_DAYS_MAX + 1))

    def arriving(self, replenishment_id: str, sku: str, qty: int) -> int:
        """Draw how many of `qty` units arrive: all, or in 4 of 100 cases fewer."""
        draw = self._generator("arriving", f"{replenishment_id}/{sku}")
        if draw.random() >= _SHORT_SHARE:
            return qty
        return min(qty - 1, int(_between(draw, _ARRIVES_OF_SHORT) * qty))

    def _generator(self, purpose: str, name: str) -> Random:
        return Random(f"{self.seed}/{purpose}/{name}")


def _between(draw: Random, limits: tuple[float, float]) -> float:
    low, high = limits
    return low + draw.random() * (high - low)


def _selling(drawn: float, weekly_units: float) -> tuple[str | None, int | None]:
    """Return backorder policy and limit; None: the default."""
    if drawn < _NO_BACKORDER_SHARE:
        return "none", None
    if drawn < _NO_BACKORDER_SHARE + _LIMITED_SHARE:
        return None, max(1, round(weekly_units))
    if drawn < _NO_BACKORDER_SHARE + _LIMITED_SHARE + _NOTIFY_SHARE:
        return "notify", None
    return None, None
