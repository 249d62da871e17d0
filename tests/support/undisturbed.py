"""A small history whose outcome is known, told while something breaks, and whether it came out.

Half of what is ordered is there. Whatever happens meanwhile, every event has its effect once, what
is emitted comes out under the one id it has, no event is blamed, and the audit finds nothing.
"""

from collections import Counter
from collections.abc import Sequence

from events.envelope import Event
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.running import Running, until
from tests.support.stack import Stack, outgoing

ORDERS = 120
SKU = "A"


def told_before() -> list[Event]:
    """What is known before the trouble: the row of the sku is there to be locked."""
    return [
        place_changed("WH1"),
        item_changed(SKU, vendor="V1"),
        stock_received("R1", "WH1", [(SKU, ORDERS // 2)]),
    ]


def told_meanwhile() -> list[Event]:
    """What is on its way while something breaks."""
    return [order_placed(f"{n}", [(SKU, 1)]) for n in range(ORDERS)]


def heard(stack: Stack) -> int:
    """How many events have had an effect."""
    return int(str(stack.value("SELECT COUNT(*) FROM inbox")))


def tell(stack: Stack, events: Sequence[Event]) -> None:
    """Publish events; every one is confirmed."""
    stack.publish([outgoing(event) for event in events])


def begin(stack: Stack, worker: Running) -> None:
    """Tell what is known before, and wait until it is."""
    tell(stack, told_before())
    until(lambda: heard(stack) == len(told_before()), "what is known before")
    assert not worker.ended()


def check_undisturbed(stack: Stack, worker: Running) -> None:
    """Wait until all is done, by the same process; then count everything."""
    story = [*told_before(), *told_meanwhile()]
    until(lambda: worker.ended() or heard(stack) == len(story), "the end of the story")
    assert not worker.ended(), worker.log.read_text()
    until(lambda: stack.value("SELECT COUNT(*) FROM outbox") == 0, "the end of the outbox")
    worker.stop()
    ids = Counter(str(id_) for (id_,) in stack.rows("SELECT event_id FROM inbox"))
    assert ids == Counter(event.id for event in story)
    assert stack.rows("SELECT DISTINCT outcome FROM inbox") == [("applied",)]
    for table in ("set_aside", "suspects", "held_back", "outbox", "tasks", "waiting"):
        assert stack.value(f"SELECT COUNT(*) FROM {table}") == 0, table
    assert stack.rows("SELECT SUM(ordered), SUM(allocated), SUM(shortage) FROM order_lines") == [
        (ORDERS, ORDERS // 2, ORDERS // 2)
    ]
    assert stack.rows("SELECT sku, on_hand, allocated FROM stock WHERE place = 'WH1'") == [
        (SKU, ORDERS // 2, ORDERS // 2)
    ]
    emitted = Counter(str(id_) for (id_,) in stack.rows("SELECT id FROM emitted"))
    assert set(emitted.values()) == {1}
    assert stack.published().keys() == emitted.keys()
    assert stack.differences() == []
    worker.check_one_line_a_pause()
