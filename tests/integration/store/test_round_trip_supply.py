"""Whatever is saved is loaded again as it was: replenishments, tasks and facts, on both engines."""

from datetime import UTC, datetime, timedelta

from events.envelope import Cause
from handlers.decision import Decision
from handlers.policy import Rules
from handlers.state import (
    Item,
    Keys,
    Part,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    State,
    Task,
    TaskKind,
)
from store import schema, tasks
from store.transaction import Database
from tests.support.keeping import NOW, rows, save_state, stored
from tests.support.rules import rule

AT = datetime(2026, 3, 1, 7, 30, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(days=9)
HUGE = 123456789012345678901234567890
ODD = 'O\'Hara "the\\ 2nd"\n\tÅ 名前 🎁 {x} %s :y NULL'


def _state() -> State:
    return State(Rules(), catalogue_locked=True)


def _replenishment(state: ReplenishmentState = ReplenishmentState.OPEN) -> Replenishment:
    row = Replenishment("R-1", "acme", "WH1", AT, state, automatic=False, complete=True)
    row.revision, row.told_revision, row.told_total = 4, 3, 55
    row.lines = {
        "A": ReplenishmentLine(
            "A", 50, 5, 3, 2, 10, (Part(30, LATER), Part(20, None)), {"ÆD": 2, "D": 1}
        ),
        "B": ReplenishmentLine("B", 5, received=5),
    }
    return row


def test_a_replenishment_comes_back_whole_with_its_slot(database: Database) -> None:
    state = _state()
    made = _replenishment()
    state.replenishments = {"R-1": made}
    before = stored(database, Keys(slots={("acme", "WH1")}))
    slot = before.slots["acme", "WH1"]
    assert slot.values() == ("acme", "WH1", None, 0)
    slot.open_id, slot.raised = "R-1", 1
    before.replenishments = state.replenishments
    save_state(database, before)
    again = stored(database, Keys(slots={("acme", "WH1")}))
    assert again.slots["acme", "WH1"].values() == ("acme", "WH1", "R-1", 1)
    found = again.replenishments["R-1"]
    assert found.complete
    assert found.values() == found.loaded == made.values()
    assert {sku: line.values() for sku, line in found.lines.items()} == {
        sku: line.values() for sku, line in made.lines.items()
    }


def test_supply_of_a_sku_is_what_may_still_arrive_of_it(database: Database) -> None:
    state = _state()
    state.items = {sku: Item(sku, base_status="backorder") for sku in "AB"}
    state.replenishments = {"R-1": _replenishment(ReplenishmentState.PARTIALLY_RECEIVED)}
    save_state(database, state)
    again = stored(database, Keys(skus={"A", "B"}))
    assert again.items["A"].supply == ["R-1"]
    assert again.items["B"].supply == []  # received in full
    found = again.replenishments["R-1"]
    assert not found.complete
    assert set(found.lines) == {"A"}
    assert found.outstanding("A") == 40
    whole = stored(database, Keys(replenishments={"R-1"}))
    assert whole.replenishments["R-1"].complete
    assert set(whole.items) == {"A", "B"}
    assert whole.slots.keys() == {("acme", "WH1")}


def test_a_closed_replenishment_brings_nothing_more(database: Database) -> None:
    state = _state()
    state.items = {"A": Item("A", base_status="backorder")}
    state.replenishments = {"R-1": _replenishment(ReplenishmentState.FINALIZED)}
    save_state(database, state)
    again = stored(database, Keys(replenishments={"R-1"}))
    closed = again.replenishments["R-1"]
    closed.state, closed.closed_at = ReplenishmentState.CLOSED, LATER
    save_state(database, again)
    assert rows(database, schema.replenishment_lines, "outstanding") == [0, 0]
    again = stored(database, Keys(skus={"A", "B"}))
    assert again.items["A"].supply == ["R-1"]  # for what of it lies at docks
    assert again.items["B"].supply == []
    again = stored(database, Keys(replenishments={"R-1"}))
    assert [again.items[sku].supply for sku in "AB"] == [["R-1"], ["R-1"]]  # it is named
    again.replenishments["R-1"].lines["A"].docked = {"D": 0}
    save_state(database, again)
    assert stored(database, Keys(skus={"A"})).items["A"].supply == []


@rule("R10")
def test_what_a_vendor_ships_to_a_customer_is_no_supply_of_the_sku(database: Database) -> None:
    state = _state()
    state.items = {"A": Item("A", base_status="in_stock")}
    row = _replenishment(ReplenishmentState.FINALIZED)
    row.destination = "customer:main/1"
    row.lines["A"].docked = {}
    state.replenishments = {"R-1": row}
    save_state(database, state)
    assert rows(database, schema.replenishment_lines, "outstanding") == [0, 0]
    again = stored(database, Keys(skus={"A"}))
    assert again.items["A"].supply == []
    assert again.replenishments == {}
    again = stored(database, Keys(replenishments={"R-1", "nobody's"}))
    assert again.items["A"].supply == ["R-1"]
    assert again.unknown_supply == {"nobody's"}


def test_a_replenishment_that_is_open_in_a_locked_slot_is_supply_of_its_skus_once(
    database: Database,
) -> None:
    before = stored(database, Keys(slots={("acme", "WH1"), ("acme", "customer:main/1")}))
    here, there = _replenishment(), _replenishment()
    there.replenishment_id, there.destination = "R-2", "customer:main/1"
    before.replenishments = {"R-1": here, "R-2": there}
    before.slots["acme", "WH1"].open_id = "R-1"
    before.slots["acme", "customer:main/1"].open_id = "R-2"
    save_state(database, before)
    again = stored(database, Keys(skus={"A"}, slots=set(before.slots)))
    assert again.items["A"].supply == ["R-1", "R-2"]
    assert set(again.replenishments["R-2"].lines) == {"A", "B"}


def test_tasks_come_back_in_the_order_they_were_left(database: Database) -> None:
    cause = Cause("/tests", "1", "ShopChanged")
    walk = Task("w", TaskKind.WALK, cause, AT, scope="vendor", name="acme", cursor="M")
    fill = Task("a", TaskKind.FILL, cause, AT, sku="A", place="WH1", arrived=9)
    save_state(database, _state(), Decision(tasks=[walk, fill]))
    later = Task("0", TaskKind.WALK, cause, LATER, scope="all")
    save_state(database, _state(), Decision(tasks=[later]), NOW + timedelta(seconds=1))
    walks = stored(database, Keys()).walks
    assert [task.values() for task in walks] == [walk.values(), later.values()]
    with database.begin() as tx:
        first = tasks.first(tx, 2, NOW)
    assert first is not None
    assert first.values() == walk.values()
    assert [task.ordinal for task in walks] == sorted(task.ordinal for task in walks)


def test_business_facts_are_known_by_kind_and_key(database: Database) -> None:
    cause = Cause("/tests", "1", "StockReceived")
    fact = ("receipt", "WH1\x1fR1")
    save_state(database, _state(), Decision(facts={fact: ("hash", cause)}))
    wanted = {fact, ("receipt", "other"), ("transfer", fact[1])}
    assert stored(database, Keys(facts=wanted)).facts == {fact: "hash"}
