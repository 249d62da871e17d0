"""Orders placed, and their holds lifted (O10)."""

from events.inbound import OrderHoldCleared, OrderPlaced
from tests.reference import judging
from tests.reference.rows import PAYMENT, Line, Order
from tests.reference.world import World


def placed(world: World, data: OrderPlaced, content: str) -> Order:
    """Register an order: all of it is pending until it is judged."""
    order = Order(
        shop=data.shop,
        order_id=data.order_id,
        placed_at=data.placed_at,
        priority=100 if data.priority is None else data.priority,
        ship_mode=str(data.ship_mode or "partial"),
        manual=data.release == "manual",
        holds=list(dict.fromkeys(data.holds or ())),
        customer=data.customer,
        ship_to=data.ship_to,
        content=content,
    )
    for position, row in enumerate(data.lines):
        world.item(row.sku)
        line = Line(order, row.line_id, position, row.sku, row.qty, row.group, pending=row.qty)
        order.lines.append(line)
    world.orders[order.key] = order
    return order


def hold_cleared(world: World, order: Order, data: OrderHoldCleared) -> None:
    """Lift a hold; without the one for payment the order is judged now (O10)."""
    if data.hold not in order.holds:
        return
    order.holds.remove(data.hold)
    if data.hold == PAYMENT:
        judging.judge_order(world, order)
