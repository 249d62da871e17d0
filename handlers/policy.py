"""The settings of domain.md §3 and how they are looked up: item, then vendor, then default."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from events.vocabulary import BackorderPolicy, Sourcing


@dataclass(frozen=True, slots=True)
class Policy:
    """Every setting of domain.md §3, resolved. Quantities are whole units, times calendar days."""

    manage_stock: bool = True
    backorder_policy: BackorderPolicy = BackorderPolicy.ALLOW
    backorder_limit: int | None = None
    safety_stock: int = 0
    sourcing: Sourcing = Sourcing.STOCK
    auto_replenish: bool = True
    lead_time_days: int | None = None
    min_order_qty: int = 1
    pack_size: int = 1
    min_sale_qty: int = 1
    sale_increment: int = 1


SETTINGS = tuple(field.name for field in fields(Policy))

# What an item or a vendor sets: only the names that are set stand in it.
Overrides = Mapping[str, Any]

_TYPES = {"backorder_policy": BackorderPolicy, "sourcing": Sourcing}


def resolve(item: Overrides, vendor: Overrides, default: Policy) -> Policy:
    """Return the policy of a sku: the first level that sets a name wins (domain.md §3)."""
    if not item and not vendor:
        return default
    values = {name: getattr(default, name) for name in SETTINGS}
    for overrides in (vendor, item):
        for name, value in overrides.items():
            values[name] = _TYPES[name](value) if name in _TYPES else value
    return Policy(**values)


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers and switches the core is run with; settings hand them in."""

    defaults: Policy = Policy()
    auto_replenish_enabled: bool = True
    keep_partial_allocations: bool = True
    fill_step_lines_max: int = 2000
