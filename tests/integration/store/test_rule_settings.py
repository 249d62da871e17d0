"""A change of the rule settings reaches what already waits with `backship init` (P3, S3)."""

from dataclasses import replace

from handlers.policy import Policy, Rules
from store import rule_settings, schema
from store.transaction import Database
from tests.support.builders import item_changed, order_placed, stock_received
from tests.support.keeping import NOW, rows
from tests.support.telling import tell

OFF = Rules(auto_replenish_enabled=False)
CAREFUL = Rules(defaults=replace(Policy(), safety_stock=2))


def _keep(database: Database, rules: Rules) -> str:
    with database.begin() as tx:
        return rule_settings.keep(tx, rules, NOW)


def test_the_first_init_and_one_that_changes_nothing_leave_no_walk(database: Database) -> None:
    assert [_keep(database, Rules()), _keep(database, Rules())] == ["first", "same"]
    assert rows(database, schema.tasks) == []


def test_a_change_leaves_a_walk_over_all_skus(database: Database) -> None:
    _keep(database, Rules())
    assert _keep(database, CAREFUL) == "changed"
    ((kind, scope, name, cursor, source, event_type),) = rows(
        database, schema.tasks, "kind", "scope", "name", "cursor", "event_source", "event_type"
    )
    assert (kind, scope, name, cursor) == ("walk", "all", None, "")
    assert (source, event_type) == ("/backship/init", "SettingsChanged")


def test_what_is_no_rule_is_no_change(database: Database) -> None:
    _keep(database, Rules())
    assert _keep(database, Rules(fill_step_lines_max=7)) == "same"


def test_back_and_forth_are_changes_with_ids_of_their_own(database: Database) -> None:
    for rules in (Rules(), CAREFUL, Rules(), CAREFUL):
        _keep(database, rules)
    events = rows(database, schema.tasks, "event_id")
    assert len(events) == len(set(events)) == 3


def test_p3_what_waits_is_ordered_once_automation_is_turned_on(database: Database) -> None:
    _keep(database, OFF)
    tell(database, item_changed("A", vendor="V"), order_placed("1", [("A", 2)]), rules=OFF)
    assert rows(database, schema.replenishments) == []
    _keep(database, Rules())
    tell(database)
    assert rows(database, schema.replenishment_lines, "sku", "qty") == [("A", 2)]


def test_s3_a_lower_safety_stock_fills_who_waits(database: Database) -> None:
    _keep(database, CAREFUL)
    tell(
        database,
        stock_received("r1", "main", [("A", 2)]),
        order_placed("1", [("A", 1)]),
        rules=CAREFUL,
    )
    assert rows(database, schema.demand, "shortage") == [1]
    _keep(database, Rules())
    tell(database)
    assert rows(database, schema.demand, "shortage") == [0]


def test_the_settings_in_force_are_read_back(database: Database) -> None:
    with database.read() as tx:
        assert rule_settings.in_force(tx, Rules()) is None
    _keep(database, CAREFUL)
    with database.read() as tx:
        assert rule_settings.in_force(tx, Rules(fill_step_lines_max=7)) == replace(
            CAREFUL, fill_step_lines_max=7
        )


def test_settings_an_older_program_has_kept_are_those_it_worked_by(database: Database) -> None:
    _keep(database, CAREFUL)
    with database.begin() as tx:
        text = rule_settings.text_of(CAREFUL).replace('"keep_partial_allocations":true', "")
        tx.connection.execute(schema.catalogue.update().values(rules=text.replace(",}", "}")))
        assert rule_settings.in_force(tx, Rules(keep_partial_allocations=False)) == CAREFUL
    assert _keep(database, CAREFUL) == "same"
    changed = replace(CAREFUL, keep_partial_allocations=False)
    assert _keep(database, changed) == "changed"
    with database.read() as tx:
        assert rule_settings.in_force(tx, Rules()) == changed
