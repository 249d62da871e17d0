"""The bookkeeping of pipelined confirms: every message gets one outcome, and the right one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.transports.base import BODY_BYTES_MAX, OutgoingMessage
from workers.transports.publish_window import BYTES_IN_FLIGHT_MAX, PublishWindow


def messages(count: int, body: bytes = b"{}") -> list[OutgoingMessage]:
    return [OutgoingMessage(str(number), "T", "k", body) for number in range(count)]


def send_all(window: PublishWindow, first_tag: int = 1) -> list[int]:
    """Send what the window lets through now; give the positions."""
    sent: list[int] = []
    while (position := window.take()) is not None:
        window.sent(first_tag + len(sent), position)
        sent.append(position)
    return sent


def test_no_more_than_the_window_is_in_flight() -> None:
    window = PublishWindow(messages(10), window_max=4)
    assert send_all(window) == [0, 1, 2, 3]
    window.settle(2, multiple=True, kept=True)
    assert send_all(window, first_tag=5) == [4, 5]
    assert not window.done


def test_large_bodies_narrow_the_window() -> None:
    size = BYTES_IN_FLIGHT_MAX // 2
    window = PublishWindow(messages(5, b"x" * size), window_max=1000)
    assert len(send_all(window)) == 2
    window.settle(1, multiple=False, kept=True)
    assert len(send_all(window, first_tag=3)) == 1


def test_confirms_may_come_in_any_order() -> None:
    window = PublishWindow(messages(4), window_max=10)
    send_all(window)
    window.settle(3, multiple=False, kept=True)
    window.settle(1, multiple=False, kept=False)
    window.settle(1, multiple=False, kept=True)  # nobody's any more
    window.settle(4, multiple=True, kept=True)
    assert window.done
    assert window.result().confirmed == {"1", "2", "3"}
    assert window.result().failed == {"0": "nacked"}
    assert not window.clean


def test_the_ack_of_a_returned_message_is_a_failure() -> None:
    window = PublishWindow(messages(3), window_max=10)
    send_all(window)
    window.returned("1")
    window.settle(3, multiple=True, kept=True)
    assert window.result().confirmed == {"0", "2"}
    assert window.result().failed == {"1": "unroutable"}


def test_what_is_too_large_is_never_sent_and_leaves_the_channel_clean() -> None:
    large = OutgoingMessage("large", "T", "k", b"x" * (BODY_BYTES_MAX + 1))
    window = PublishWindow([large, *messages(1)], window_max=10)
    assert send_all(window) == [1]
    window.settle(1, multiple=False, kept=True)
    assert window.result().failed == {"large": "too_large"}
    assert window.clean


def test_giving_up_keeps_what_was_confirmed() -> None:
    window = PublishWindow(messages(4), window_max=2)
    send_all(window)
    window.settle(1, multiple=False, kept=True)
    window.give_up("timeout")
    assert window.done
    assert window.result().confirmed == {"0"}
    assert window.result().failed == {"1": "timeout", "2": "timeout", "3": "timeout"}


@pytest.mark.parametrize("window_max", [1, 2, 7, 1000])
@given(count=st.integers(1, 60), culprits=st.sets(st.integers(0, 59)), data=st.data())
def test_the_refused_ones_are_found_and_all_others_confirmed(
    window_max: int, count: int, culprits: set[int], data: st.DataObject
) -> None:
    """A broker that takes in order and closes the channel at a message it refuses."""
    window = PublishWindow(messages(count), window_max)
    publishes = play(window, culprits, data)
    refused = {str(position) for position in culprits if position < count}
    assert set(window.result().failed) == refused
    assert set(window.result().failed.values()) <= {"refused"}
    assert window.result().confirmed == {str(number) for number in range(count)} - refused
    # Bounded: a file of nothing but refused messages costs one publish more than its length.
    assert publishes <= 3 * count * (len(refused) + 1)


def play(window: PublishWindow, culprits: set[int], data: st.DataObject) -> int:
    """Drive the window to its end; some confirms are on their way when the channel closes."""
    publishes = 0
    while not window.done:
        tag = 0
        waiting: list[int] = []
        while not window.done:
            position = window.take()
            if position is None:
                confirm(window, waiting, data)
                continue
            tag += 1
            publishes += 1
            window.sent(tag, position)
            if position in culprits:
                if waiting and data.draw(st.sampled_from([True, False])):
                    confirm(window, waiting, data)
                window.refused("refused")
                break
            waiting.append(tag)
    return publishes


def confirm(window: PublishWindow, waiting: list[int], data: st.DataObject) -> None:
    last = data.draw(st.integers(waiting[0], waiting[-1]))
    window.settle(last, multiple=True, kept=True)
    waiting[:] = [tag for tag in waiting if tag > last]
