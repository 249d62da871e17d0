"""A walk along a long queue (S4, S6): where it goes on, and who does not stand in the queue."""

import random
from datetime import timedelta

import pytest

from handlers.state import Keys, Rank, Sourced
from store.transaction import Database
from tests.support.hand_made import bought, empty, linked, waits
from tests.support.keeping import save_state, stored
from tests.support.rules import rule
from tests.support.wire import T0


@rule("S4", "S6")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_walk_along_the_queue_passes_every_line_once(database: Database, seed: int) -> None:
    draw = random.Random(seed)
    state = empty()
    near: list[Rank] = []
    far: list[Rank] = []
    for n in range(60):
        line = waits(
            state,
            str(n),
            shop=draw.choice(["a", "b", "c"]),
            destination=draw.choice(["WH1", "WH2"]),
            priority=draw.randint(1, 2),
            minutes=draw.randint(0, 2),
        )
        (near if line.order.destination == "WH1" else far).append(line.rank)
    save_state(database, state)
    passed: list[tuple[bool, Rank]] = []
    while True:
        after = {"A": ("WH1", *passed[-1])} if passed else {}
        queues = (
            stored(database, Keys(skus={"A"}, usable={"A"}, fill_after=after)).items["A"].queues
        )
        assert queues is not None
        found = sorted(
            (key[0] != "WH1", line.rank) for key, queue in queues.items() for line in queue.lines
        )
        if not found:
            break
        passed += found[: draw.randint(1, 9)]
    assert passed == [(False, rank) for rank in sorted(near)] + [
        (True, rank) for rank in sorted(far)
    ]


@rule("S10", "R10")
def test_staff_held_lines_and_those_bought_to_order_head_no_queue(database: Database) -> None:
    state = empty()
    waits(state, "kept", staff_held=True)
    waits(state, "bought", sourced=Sourced.BUY_TO_ORDER)
    waits(state, "waits", shop="other")
    save_state(database, state)
    queues = stored(database, Keys(skus={"A"}, usable={"A"})).items["A"].queues
    assert queues is not None
    assert {key: [line.order.order_id for line in row.lines] for key, row in queues.items()} == {
        ("WH1", "other"): ["waits"]
    }


@rule("R11")
def test_what_is_linked_does_not_stand_behind_anybody(database: Database) -> None:
    state = empty()
    supply = bought(state, "R", 9)
    linked(waits(state, "1", 5, destination="main"), supply, "R", 2, by_hand=True)
    waits(state, "2", 4, destination="main", sourced=Sourced.BUY_TO_ORDER)
    save_state(database, state)
    probe = ("A", "main", "0", 100, T0 - timedelta(days=1))
    rank = ("A", "main", "1", "main", 100, T0)
    found = stored(database, Keys(skus={"A"}, probes={probe}, ranks={rank})).behind
    assert found == {("A", "main", "0", "main"): 3, ("A", "main", "1", "main"): 0}
