"""How many lines the next step takes: as many as leave in one go, whatever an order's size."""

import pytest

from workers.unfinished import StepSize

WANTED = StepSize(lines_max=2_000)


def test_the_first_step_takes_every_line_for_an_order_of_its_own() -> None:
    assert WANTED.first().lines_max == 500
    assert StepSize(lines_max=16).first().lines_max == 16


@pytest.mark.parametrize(
    ("lines_per_message", "lines"), [(1, 500), (2, 1_000), (10, 2_000), (0.5, 250)]
)
def test_steps_come_to_emit_some_500_messages(lines_per_message: float, lines: int) -> None:
    size = WANTED.first()
    for _ in range(10):
        size = size.after(int(size.lines_max / lines_per_message), WANTED.lines_max)

    assert size.lines_max == lines


def test_one_step_too_large_is_followed_by_a_fitting_one() -> None:
    assert WANTED.after(2_000, WANTED.lines_max).lines_max == 500
    assert StepSize(lines_max=1).after(5_000, WANTED.lines_max).lines_max == 1


def test_the_half_of_a_step_is_at_least_one_of_each() -> None:
    assert StepSize(3, 500, 1).halved() == StepSize(1, 250, 1)
