"""The total-queue check finds what it is there to find; else it would prove nothing."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.support.total_queue import Found, known_by_bytes, tally

SENT = frozenset({"a", "b", "c", "d"})
WHOLE = Found(
    inbox=(("a", "applied"), ("b", "repeated"), ("c", "waiting")),
    aside=(("d", "malformed"),),
    emitted=("x", "y"),
    published=Counter({"x": 1, "y": 3}),
)


def test_everything_in_its_place_is_counted_and_is_no_fault() -> None:
    total = tally(SENT, SENT, WHOLE, duplicate=7)
    assert total.faults == ()
    assert str(total) == (
        "attempted=4 acknowledged=4 applied=2 waiting=1 set_aside=1 conflict=0 duplicate=7 "
        "recovered=0 lost=0 unexpected=0 doubled=0 "
        "emitted=2 published=2 duplicate_out=2 unpublished=0 strange=0"
    )


def test_what_was_never_confirmed_may_have_arrived_or_not() -> None:
    total = tally(SENT | {"e"}, SENT - {"a"}, WHOLE)
    assert (total.recovered, total.lost, total.faults) == (1, 0, ())


def test_an_event_set_aside_by_a_decision_is_in_one_place() -> None:
    ends = replace(WHOLE, inbox=(*WHOLE.inbox, ("d", "set_aside")))
    assert tally(SENT, SENT, ends).faults == ()


def test_another_content_under_a_known_id_is_a_conflict_and_no_second_effect() -> None:
    ends = replace(WHOLE, aside=(*WHOLE.aside, ("a", "conflict")))
    total = tally(SENT, SENT, ends)
    assert (total.conflict, total.doubled, total.faults) == (1, 0, ())


def test_a_body_without_an_id_is_known_by_its_bytes() -> None:
    ends = replace(WHOLE, aside=((known_by_bytes(b"{"), "malformed"),))
    sent = (SENT - {"d"}) | {known_by_bytes(b"{")}
    assert tally(sent, sent, ends).faults == ()
    assert tally(sent, sent, replace(ends, aside=())).lost == 1


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        pytest.param(replace(WHOLE, inbox=WHOLE.inbox[1:]), "lost: 1, such as a", id="lost"),
        pytest.param(
            replace(WHOLE, inbox=(*WHOLE.inbox, ("z", "applied"))),
            "unexpected: 1, such as z",
            id="from nowhere",
        ),
        pytest.param(
            replace(WHOLE, inbox=(*WHOLE.inbox, ("a", "applied"))),
            "doubled: 1, such as a",
            id="two rows of the inbox",
        ),
        pytest.param(
            replace(WHOLE, aside=(*WHOLE.aside, ("a", "gave_up"))),
            "doubled: 1, such as a",
            id="applied and set aside",
        ),
        pytest.param(
            replace(WHOLE, inbox=(*WHOLE.inbox, ("d", "set_aside")), aside=()),
            "set aside by a decision and not to be found: 1, such as d",
            id="set aside nowhere",
        ),
        pytest.param(
            replace(WHOLE, emitted=("x", "x", "y")), "emitted twice: 1, such as x", id="emitted"
        ),
        pytest.param(
            replace(WHOLE, published=Counter("x")), "unpublished: 1, such as y", id="kept back"
        ),
        pytest.param(
            replace(WHOLE, published=Counter("xyz")),
            "published and not emitted: 1, such as z",
            id="published from nowhere",
        ),
        pytest.param(
            replace(WHOLE, unfinished=("outbox",)), "not empty: 1, such as outbox", id="not done"
        ),
    ],
)
def test_each_kind_of_fault_is_found(ends: Found, said: str) -> None:
    assert tally(SENT, SENT, ends).faults == (said,)


def test_a_confirmed_message_that_nobody_sent_is_a_fault_of_the_count() -> None:
    assert tally(SENT - {"a"}, SENT, WHOLE).faults == (
        "confirmed but never sent: 1, such as a",
        "unexpected: 1, such as a",
    )
