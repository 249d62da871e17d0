"""Supply nobody waits for any more, since demand was cancelled (R8)."""

from tests.reference import buying
from tests.reference.rows import Order
from tests.reference.world import World

Spare = dict[tuple[str, str], int]


def spare(world: World) -> Spare:
    """Return by sku and destination what is on its way and nobody there waits for.

    What lies there already serves first.
    """
    found = {}
    for destination in {row.destination for row in world.replenishments if row.incoming}:
        for sku in world.items:
            waiting = sum(
                line.shortage - world.linked(line)
                for line in world.lines(sku)
                if line.order.destination == destination
                and line.way not in {"buy_to_order", "drop_ship"}
            )
            coming = buying.incoming(world, sku, destination)
            left = max(0, waiting - buying.lying(world, sku, destination))
            found[sku, destination] = max(0, coming - left)
    return found


def tell_more(world: World, order: Order, before: Spare) -> None:
    """Tell a person of what became spare by this cancellation."""
    for (sku, destination), qty in sorted(spare(world).items()):
        if qty > before.get((sku, destination), 0):
            rows = [
                row
                for row in world.replenishments
                if row.destination == destination and row.outstanding(sku)
            ]
            known = rows[0].refs if len(rows) == 1 else {}
            world.warn("surplus", **order.refs, sku=sku, place=destination, **known)
