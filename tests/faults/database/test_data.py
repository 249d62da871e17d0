"""One event the database or a handler does not take: found, set aside alone, named by its code.

The others of its batch are applied, in their order, in as few transactions as halving takes. What
is no event's fault, a statement that takes too long or a row that is in the way, blames none.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text

from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders
from handlers.decision import Outcome
from handlers.turn import Turn
from store.dialects.base import Limits
from store.errors import Locked, TooMuch
from store.transaction import Database
from tests.support.builders import order_placed
from tests.support.desk import deliveries, hear, open_desk, rows
from workers.clock import SettableClock
from workers.intake import take_in
from workers.isolate import settle
from workers.process import Desk

COUNT = 200
POISON = "137"
HALVINGS = 8  # of 200, until one is left


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url) as desk:
        yield desk


def refuse(desk: Desk, table: str, column: str, value: str) -> None:
    """Let the database itself refuse a value, by a rule our tables do not have."""
    with desk.database.begin() as tx:
        if desk.database.dialect.name == "sqlite":
            sql = (
                f"CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN NEW.{column} = '{value}' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            sql = f"ALTER TABLE {table} ADD CONSTRAINT refuse CHECK ({column} <> '{value}')"
        tx.connection.execute(text(sql))


def story() -> list[Event]:
    return [order_placed(f"{n:03}", [("A", 1)]) for n in range(COUNT)]


def ends_of_transactions(desk: Desk) -> Counter[str]:
    """Count commits and rollbacks from here on."""
    counted: Counter[str] = Counter()
    for name in ("commit", "rollback"):
        event.listen(desk.database.engine, name, lambda _c, name=name: counted.update([name]))
    return counted


def check_all_but_the_poison(desk: Desk) -> None:
    """199 are applied, in the order they came; one is set aside, and nothing else happened."""
    applied = [f"{n:03}" for n in range(COUNT) if f"{n:03}" != POISON]
    decided = rows(desk, "SELECT order_id FROM reasons ORDER BY clock, n")
    assert list(dict.fromkeys(row[0] for row in decided)) == applied
    lines = rows(desk, "SELECT order_id FROM order_lines WHERE shortage = 1 ORDER BY order_id")
    assert [row[0] for row in lines] == applied
    asked = rows(desk, "SELECT event_id, outcome FROM inbox")
    assert Counter(outcome for _id, outcome in asked) == {"applied": COUNT - 1, "set_aside": 1}
    assert rows(desk, "SELECT reason, attempts, state FROM set_aside") == [
        ("gave_up", 1, "set_aside")
    ]
    assert rows(desk, "SELECT shortage FROM demand") == [(COUNT - 1,)]


def test_f23_an_event_the_database_refuses_is_found_by_halving(desk: Desk) -> None:
    refuse(desk, "orders", "order_id", POISON)
    counted = ends_of_transactions(desk)
    report = hear(desk, *story())
    assert report.counts == {"applied": COUNT - 1, "gave_up": 1}
    # One of a batch, two for each halving; the last half is refused once more than it is halved.
    assert counted["rollback"] <= HALVINGS + 1
    assert counted["commit"] <= HALVINGS + 1
    check_all_but_the_poison(desk)
    ((message,),) = rows(desk, "SELECT message FROM set_aside")
    code = "SQLITE_CONSTRAINT" if desk.database.dialect.name == "sqlite" else "23514"
    assert f"refuses it ({code}" in str(message)


def test_f22_an_event_whose_handler_has_a_bug_costs_no_second_commit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = orders.placed

    def with_a_bug(turn: Turn, placed: Event, data: OrderPlaced) -> Outcome:
        if data.order_id == POISON:
            raise ZeroDivisionError
        return judge(turn, placed, data)

    monkeypatch.setattr(orders, "placed", with_a_bug)
    counted = ends_of_transactions(desk)
    report = hear(desk, *story())
    assert report.counts == {"applied": COUNT - 1, "gave_up": 1}
    assert counted["commit"] == 1
    check_all_but_the_poison(desk)


def slow(desk: Desk, events_max: int) -> None:
    """Let the claim of more events than this take longer than the database allows."""
    with desk.database.begin() as tx:
        for sql in (
            f"""CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF (SELECT COUNT(*) FROM fresh) > {events_max} THEN PERFORM pg_sleep(10); END IF;
                RETURN NULL; END $$""",
            """CREATE TRIGGER dawdle AFTER INSERT ON inbox
                REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION dawdle()""",
        ):
            tx.connection.execute(text(sql))


@pytest.fixture
def impatient(postgres_database_url: str) -> Iterator[Desk]:
    with open_desk(postgres_database_url) as patient:
        database = Database(
            postgres_database_url, Limits(statement_seconds_max=1, lock_seconds_max=1)
        )
        yield Desk(database, patient.rules, SettableClock(patient.clock.now()))
        database.close()


@pytest.mark.slow
def test_a_batch_that_takes_too_long_is_tried_again_and_then_halved(impatient: Desk) -> None:
    slow(impatient, events_max=15)
    counted = ends_of_transactions(impatient)
    report = hear(impatient, *story()[:40])
    assert report.counts == {"applied": 40}
    # The whole twice, each half of it once, and then the four quarters go through.
    assert counted == {"rollback": 4, "commit": 4}
    assert rows(impatient, "SELECT COUNT(*) FROM set_aside") == [(0,)]
    assert rows(impatient, "SELECT shortage FROM demand") == [(40,)]


@pytest.mark.slow
def test_one_event_that_takes_too_long_is_nobodys_fault_and_waits(impatient: Desk) -> None:
    slow(impatient, events_max=0)
    with pytest.raises(TooMuch, match="statement timeout"):
        hear(impatient, *story()[:2])
    assert rows(impatient, "SELECT COUNT(*) FROM inbox") == [(0,)]
    assert rows(impatient, "SELECT COUNT(*) FROM set_aside") == [(0,)]


@pytest.mark.slow
def test_a_lock_that_does_not_come_free_is_not_halved_and_not_tried_at_once(
    impatient: Desk,
) -> None:
    hear(impatient, order_placed("first", [("A", 1)]))
    counted = ends_of_transactions(impatient)
    other = Database(impatient.database.engine.url.render_as_string(hide_password=False))
    with other.begin() as tx:
        tx.connection.execute(text("SELECT 1 FROM items FOR UPDATE"))
        with pytest.raises(Locked):
            hear(impatient, *story()[:4])
    other.close()
    assert counted == {"rollback": 1}
    assert hear(impatient, *story()[:4]).counts == {"applied": 4}


@pytest.mark.slow
def test_a_worker_that_is_to_stop_tries_nothing_again(impatient: Desk) -> None:
    slow(impatient, events_max=15)
    counted = ends_of_transactions(impatient)
    with pytest.raises(TooMuch):
        settle(impatient, take_in(deliveries(*story()), impatient.clock.now()), lambda: True, 1)
    assert counted == {"rollback": 1}
