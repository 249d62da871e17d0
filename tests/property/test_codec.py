"""Whatever comes in: the codec answers, means one thing by it, and forgets nothing it knows."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from events import strict_json
from events.codec import Malformed, decode, envelope_of
from events.envelope import Event
from events.examples import example
from events.inbound import INBOUND
from events.routing import inbound_key, inbound_origin, origin_of
from tests.support.json_texts import Drawn, json_objects, json_texts
from tests.support.messages import data_of, events_in, names


def _check_answer(body: bytes) -> None:
    """The answer fits a row of the database, whatever the body was."""
    answer = decode(body)
    assert decode(body) == answer
    if isinstance(answer, Event):
        assert len(answer.data_hash) == 64
        return
    assert answer.reason in {"malformed", "too_large", "unknown_type"}
    assert len(answer.message) < 1_000
    assert answer.field is None or 0 < len(answer.field) <= 500
    for text in (answer.field, answer.message, answer.source, answer.event_id, answer.type):
        assert text is None or "\0" not in text.encode().decode()


@given(st.binary())
def test_any_bytes_get_an_answer(body: bytes) -> None:
    _check_answer(body)


@given(json_texts)
def test_any_json_gets_an_answer(drawn: Drawn) -> None:
    _check_answer(drawn.text.encode())


@given(st.sampled_from(sorted(INBOUND)), json_texts, st.data())
def test_any_json_anywhere_in_a_message_gets_an_answer(
    kind: str, drawn: Drawn, data: st.DataObject
) -> None:
    text = json.dumps(example(kind))
    values = [n for n, char in enumerate(text) if char == ":" and text[n + 1] == " "]
    start = data.draw(st.sampled_from(values)) + 2
    _, length = json.JSONDecoder().raw_decode(text[start:])
    _check_answer((text[:start] + drawn.text + text[start + length :]).encode())


@given(st.sampled_from(sorted(INBOUND)), st.data())
def test_a_message_cut_or_flipped_anywhere_gets_an_answer(kind: str, data: st.DataObject) -> None:
    body = bytearray(json.dumps(example(kind)).encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    _check_answer(bytes(body))
    _check_answer(bytes(body[:at]))


@given(json_objects)
def test_exactly_what_means_one_thing_to_everybody_is_read(drawn: Drawn) -> None:
    """Guards the proof by counted quotes: no spelling of a text may hide a duplicate key."""
    document, fault = strict_json.read(drawn.text.encode())
    assert (fault is None) == drawn.clean, fault
    if drawn.clean:
        assert document == json.loads(drawn.text)


@given(events_in, st.none() | names)
def test_what_a_schema_accepts_is_read_and_published_again_unchanged(
    drawn: tuple[str, dict[str, object]], subject: str | None
) -> None:
    kind, content = drawn
    body = envelope_of(content, id="1", source="/tests", type=kind, subject=subject)
    event = decode(body)
    assert isinstance(event, Event), event
    assert event.subject == subject
    assert event.unknown_fields == ()
    again = envelope_of(event.data, id="1", source="/tests", type=kind, subject=subject)
    assert decode(again) == event
    assert origin_of(inbound_key(event)) == inbound_origin(event.data)


@given(events_in, st.randoms(use_true_random=False))
def test_f18_a_message_written_anew_is_the_same(
    drawn: tuple[str, dict[str, object]], chance: random.Random
) -> None:
    kind, content = drawn
    envelope = {"specversion": "1.0", "id": "1", "source": "/tests", "type": kind, "data": content}
    bodies = (
        json.dumps(envelope, separators=(",", ":"), ensure_ascii=False),
        json.dumps(_shuffled(envelope, chance), indent=3),
    )
    one, other = (decode(body.encode()) for body in bodies)
    assert isinstance(one, Event), one
    assert one == other


@given(data_of("OrderPlaced"), data_of("OrderPlaced"))
def test_two_orders_have_one_hash_only_if_they_say_the_same(
    one: dict[str, object], other: dict[str, object]
) -> None:
    events = [
        decode(envelope_of(content, id="1", source="/tests", type="OrderPlaced"))
        for content in (one, other)
    ]
    first, second = events
    assert not isinstance(first, Malformed)
    assert not isinstance(second, Malformed)
    assert (first.data_hash == second.data_hash) == (first.data == second.data)


def _shuffled(value: object, chance: random.Random) -> object:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(item, chance) for item in value] if isinstance(value, list) else value
