"""The ledger looked back into: since a count (S8), and when units last left a place (S7)."""

from datetime import datetime, timedelta

from events.envelope import Cause
from handlers.decision import Decision, Movement
from handlers.state import Keys, Stock
from store.transaction import Database
from tests.support.hand_made import empty, item_of
from tests.support.keeping import save_state, stored
from tests.support.rules import rule
from tests.support.wire import T0


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def keep_ledger(database: Database, *moves: tuple[int, str, str | None, str | None, int]) -> None:
    """Movements of sku A: (minutes, reason, from, to, units); stock at three places."""
    cause = Cause("/tests", "1", "StockReceived")
    state = empty()
    for sku in ("A", "B"):
        item = item_of(state, sku)
        item.stock = {place: Stock(sku, place, 99) for place in ("WH1", "WH2", "new")}
    movements = [
        Movement(
            cause,
            n,
            "A",
            qty,
            origin,
            target,
            None if origin and target else "adjustment",
            at(minutes),
            reason,
        )
        for n, (minutes, reason, origin, target, qty) in enumerate(moves)
    ]
    save_state(database, state, Decision(movements=movements))


LEDGER = [
    (9, "received", None, "WH1", 5),
    (1, "received", None, "WH1", 100),
    (5, "shipped", "WH1", None, 2),
    (5, "transferred", "WH2", "WH1", 3),
    (7, "transferred", "WH1", "WH2", 4),
    (6, "found", None, "WH1", 50),
    (6, "taken_back", "WH1", None, 50),
    (6, "counted", None, "WH1", 50),
    (8, "offset", "WH1", None, 50),
    (8, "found", None, "WH1", 50),
    (8, "received", None, "WH2", 70),
]


@rule("S8")
def test_real_movements_after_a_count_are_netted_by_instant(database: Database) -> None:
    keep_ledger(database, *LEDGER)
    counts = {
        ("A", "WH1", at(3)),
        ("A", "WH1", at(8)),  # the earlier one is what is wanted
        ("A", "WH2", at(5)),
        ("A", "new", at(0)),
        ("B", "WH1", at(0)),
    }
    assert stored(database, Keys(skus={"A", "B"}, counts=counts)).since == {
        ("A", "WH1"): [(at(5), 1), (at(7), -4), (at(9), 5)],
        ("A", "WH2"): [(at(7), 4), (at(8), 70)],
        ("A", "new"): [],
        ("B", "WH1"): [],
    }


@rule("S7")
def test_when_units_last_left_is_known_of_every_loaded_sku(database: Database) -> None:
    keep_ledger(database, *LEDGER)
    assert stored(database, Keys(skus={"A", "B"}, left=True)).left == {
        ("A", "WH1"): at(7),
        ("A", "WH2"): at(5),
    }
    assert stored(database, Keys(skus={"A"})).left is None
