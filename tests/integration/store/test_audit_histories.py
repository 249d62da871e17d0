"""Whatever has happened, what is stored adds up (domain.md §8): `audit` has nothing to say.

It is asked after every batch and after every step, so also while a fill is unfinished (S6).
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.policy import Policy, Rules
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.desk import hear
from tests.support.histories import cuts, histories
from tests.support.keeping import NOW, emptied
from tests.support.rules import rule
from workers.clock import SettableClock
from workers.process import Desk
from workers.unfinished import StepSize, step

RULES = st.builds(
    Rules,
    defaults=st.builds(Policy, safety_stock=st.sampled_from((0, 2))),
    fill_step_lines_max=st.sampled_from((1, 2, 1000)),
    keep_partial_allocations=st.booleans(),
)


def nothing_to_say(database: Database, rules: Rules) -> None:
    with database.read() as tx:
        assert inspect(tx, rules)["differences"] == []


def audited(database: Database, data: st.DataObject) -> None:
    """Tell one history, and audit what is stored after each transaction but the first few."""
    rules = data.draw(RULES)
    clock = SettableClock(NOW)
    desk = Desk(database, rules, clock)
    for batch in data.draw(cuts(data.draw(histories()), after_walks=False)):
        hear(desk, *batch)
        nothing_to_say(database, rules)
        clock.advance(1)
        while step(desk, StepSize(1, 2)) is not None:
            nothing_to_say(database, rules)
            clock.advance(1)


@rule("L2", "L3", "L4", "R2", "R10", "S3", "S8", "S13")
@settings(max_examples=8)
@given(data=st.data())
def test_any_history_audits_clean(kept: Database, data: st.DataObject) -> None:
    audited(emptied(kept), data)


@pytest.mark.long
@pytest.mark.timeout(1200)
@rule("L2", "L3", "L4", "R2", "R10", "S3", "S8", "S13")
@settings(max_examples=500)
@given(data=st.data())
def test_five_hundred_histories_audit_clean(kept: Database, data: st.DataObject) -> None:
    audited(emptied(kept), data)
