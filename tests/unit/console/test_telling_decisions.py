"""The decisions of `backship explain`: a plain sentence each, read aloud as it is."""

from typing import Any

import pytest

from console.telling_decisions import RULES, Decided, sentence

MARCH = "2027-03-01T10:00:00+00:00"
JULY = "2027-07-01T10:00:00+00:00"


def _say(rule: str, by: str = "transfer T1", bought: int = 0, **numbers: object) -> str:
    return sentence(rule, Decided("A", by, numbers, bought))


OF_SIX = {"replenishment": "R-1", "units": 6, "last": 5}
SIXTH = "replenishment R-1, 6 units, you are units 3\N{EN DASH}5"
SENTENCES: list[tuple[str, dict[str, Any], str]] = [
    (
        "O2",
        {"qty": 2},
        "2 units of A can ship at once: no stock is kept of it, the picker finds it",
    ),
    ("O2", {"drop_ship": 1}, "1 unit of A left to the vendor, who ships to you"),
    (
        "O2",
        {"held": 2, "asked": 2, "usable": 9, "waiting": 0},
        "2 units of A are bought for you, not from stock",
    ),
    (
        "O3",
        {"source": "WH1", "qty": 3, "asked": 5, "usable": 3, "waiting": 0},
        "3 of 5 units of A allocated at WH1: 3 available, 0 held before you",
    ),
    (
        "O3",
        {"held": 2, "asked": 5, "usable": 3, "waiting": 4},
        "2 of 5 units of A wait: 3 available, 4 held before you",
    ),
    (
        "O3",
        {"held": 1, "asked": 1, "usable": 0, "waiting": 0},
        "1 unit of A waits: 0 available, 0 held before you",
    ),
    (
        "O4",
        {"qty": 5, "sellable": 3, "reason": "out_of_stock"},
        "5 units of A refused: it is not there and may not wait; 3 could be had",
    ),
    (
        "O5",
        {"qty": 5, "sellable": 3, "reason": "backorder_limit"},
        "5 units of A refused: more of it would wait than may; 3 could be had",
    ),
    (
        "O6",
        {"qty": 1, "sellable": None, "reason": "min_sale_qty"},
        "1 unit of A refused: so few of it are not sold",
    ),
    (
        "O6",
        {"qty": 1, "sellable": None, "reason": "sale_increment"},
        "1 unit of A refused: it is sold in other multiples only",
    ),
    (
        "O10",
        {"pending": 5},
        "5 units of A wait for the payment; nothing is kept or bought for it before",
    ),
    ("O10", {"cleared": "fraud"}, "hold fraud lifted"),
    (
        "S4",
        {"source": "WH1", "qty": 2, "arrived": 5, "before": 0},
        "filled with 2 units of A at WH1 by transfer T1",
    ),
    (
        "S4",
        {"source": "WH1", "qty": 2, "arrived": 5, "before": 2},
        "filled with 2 units of A at WH1 by transfer T1; just before you in the queue: 2 lines",
    ),
    (
        "S4",
        {"source": "WH1", "qty": 2, "replenishment": "R-1"},
        "filled with 2 units of A at WH1 by transfer T1; bought for you with replenishment R-1",
    ),
    (
        "S8",
        {"source": "WH1", "qty": 2, "on_hand": 3},
        "2 units of A at WH1 wait again after transfer T1: only 3 are there",
    ),
    ("S9", {"source": "WH1", "qty": 4}, "4 units of A shipped from WH1 with transfer T1"),
    (
        "S10",
        {"qty": 2, "source": "WH1", "reason": "short_pick"},
        "2 units of A not found at WH1 and written off there; you wait for others",
    ),
    (
        "S10",
        {"qty": 2, "source": "WH1", "reason": "hold"},
        "2 units of A at WH1 held back by a person, and free for others",
    ),
    ("S11", {"lifted": 2}, "the hold a person had put on 2 units of A is lifted"),
    ("S11", {"qty": 2}, "2 units of A may go at once: a person asked for it"),
    (
        "R9",
        {"qty": 2, "replenishment": "R-1"},
        "2 units of A put on replenishment R-1 for you by transfer T1",
    ),
    (
        "R10",
        {"qty": 2, "replenishment": "R-1"},
        "2 units of A bought for you with replenishment R-1",
    ),
    (
        "R11",
        {"held": 3, "expected_at": MARCH, **OF_SIX},
        f"3 units of A expected 1 March 2027: {SIXTH}",
    ),
    (
        "R11",
        {"held": 1, "expected_at": MARCH, "replenishment": "R-1", "units": 6, "last": 5},
        "1 unit of A expected 1 March 2027: replenishment R-1, 6 units, you are unit 5",
    ),
    ("R11", {"held": 3, "expected_at": None}, "no date is known yet for 3 units of A"),
    (
        "R11",
        {
            "held": 3,
            "expected_at": MARCH,
            "replenishment": None,
            "units": 4,
            "last": 3,
        },
        "3 units of A expected any day now: 4 units lie there already, you are units 1\N{EN DASH}3",
    ),
    (
        "R12",
        {"held": 3, "was": MARCH, "expected_at": JULY, **OF_SIX},
        f"3 units of A expected 1 July 2027, before: 1 March 2027: {SIXTH}",
    ),
    (
        "R12",
        {"held": 3, "was": MARCH, "expected_at": "2027-03-01T15:00:00+00:00"},
        "3 units of A expected 1 March 2027, 15:00, before: 1 March 2027, 10:00",
    ),
    (
        "R12",
        {"held": 3, "was": MARCH, "expected_at": None},
        "no date is known yet for 3 units of A, before: 1 March 2027",
    ),
    (
        "R12",
        {"held": 3, "was": None, "expected_at": JULY},
        "3 units of A expected 1 July 2027, with no date before",
    ),
    ("C1", {"qty": 2, "waiting": 2}, "2 units of A cancelled, 2 of them were waiting"),
    ("C1", {"qty": 2, "waiting": 1}, "2 units of A cancelled, 1 of them was waiting"),
    ("C2", {"more": 2, "version": 3}, "2 more units of A ordered by transfer T1"),
    ("C3", {"qty": 1}, "1 unit of A cancelled before the order came"),
]


@pytest.mark.parametrize(
    ("rule", "numbers", "said"), SENTENCES, ids=[str(n) for n in range(len(SENTENCES))]
)
def test_a_decision_is_said_with_its_numbers(rule: str, numbers: dict[str, Any], said: str) -> None:
    assert _say(rule, **numbers) == said


def test_every_rule_is_said_above() -> None:
    assert {rule for rule, _numbers, _said in SENTENCES} == RULES.keys()


def test_units_bought_for_one_line_are_not_counted_along_the_queue() -> None:
    numbers: dict[str, Any] = {**OF_SIX, "held": 3, "expected_at": MARCH, "last": 2}
    assert _say("R11", bought=2, **numbers).endswith("6 units, 2 of them for you alone")


@pytest.mark.parametrize("rule", [*RULES, "X9"], ids="of {}".format)
def test_a_decision_without_its_numbers_is_said_all_the_same(rule: str) -> None:
    assert _say(rule)


def test_a_rule_without_a_sentence_shows_its_numbers() -> None:
    assert _say("X9", qty=3) == "decided by rule X9: qty 3"
