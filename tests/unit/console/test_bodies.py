"""Files of events are cut into bodies, each with the line it begins on; neighbours stay whole."""

from io import BytesIO
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import bodies as module
from console.bodies import bodies
from events.codec import BODY_BYTES_MAX, Malformed, decode


def _cut(text: bytes) -> list[tuple[int, bytes]]:
    return [(body.line, body.text) for body in bodies(BytesIO(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\n \n\t\n", [], id="blank"),
        pytest.param(b'{"a":1}', [(1, b'{"a":1}')], id="one-line"),
        pytest.param(b'{"a":1}\n\n{"b":2}\n', [(1, b'{"a":1}'), (3, b'{"b":2}')], id="json-lines"),
        pytest.param(b'{"a":1}\r\n{"b"\r\n', [(1, b'{"a":1}'), (2, b'{"b"')], id="crlf"),
        pytest.param(b'\xef\xbb\xbf{"a":1}\n', [(1, b'{"a":1}')], id="byte-order-mark"),
        pytest.param(b'\n\n{"a":1}\n', [(3, b'{"a":1}')], id="blank-lines-before"),
        pytest.param(
            b'{"a":\n{"b":2}\n}\n', [(1, b'{"a":'), (2, b'{"b":2}'), (3, b"}")], id="a-broken-line"
        ),
        pytest.param(b"[]", [], id="empty-array"),
        pytest.param(b'[{"a":1},{"b":2}]', [(1, b'{"a":1}'), (1, b'{"b":2}')], id="array"),
        pytest.param(
            b'\n[\n{"a":[1,{}]}\n,\n\n {"b":\n2}\n]\n',
            [(3, b'{"a":[1,{}]}'), (6, b'{"b":\n2}')],
            id="array-over-lines",
        ),
        pytest.param(
            b'[{"a":"],}{\\"["},{"b":"\\\\"}]',
            [(1, b'{"a":"],}{\\"["}'), (1, b'{"b":"\\\\"}')],
            id="brackets-in-strings",
        ),
        pytest.param(b'[1,"x",null]', [(1, b"1"), (1, b'"x"'), (1, b"null")], id="no-objects"),
        pytest.param(b'[{"a":1},{"b"', [(1, b'{"a":1}'), (1, b'{"b"')], id="array-broken-off"),
        pytest.param(b'[{"a":1}] more', [(1, b'{"a":1}'), (1, b"more")], id="more-after-the-array"),
        pytest.param(
            b'{\n "a": {"b": 1}\n}\n{\n"c":2}\n',
            [(1, b'{\n "a": {"b": 1}\n}'), (4, b'{\n"c":2}')],
            id="documents-over-lines",
        ),
        pytest.param(b'{\n "a": 1\n', [(1, b'{\n "a": 1')], id="document-broken-off"),
    ],
)
def test_a_file_is_cut_into_bodies(text: bytes, found: list[tuple[int, bytes]]) -> None:
    assert _cut(text) == found


JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('ab"\\{}[],\n é', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("k[{", max_size=2), inner),
    max_leaves=6,
)
EVENTS = st.lists(st.dictionaries(st.text("n]", min_size=1, max_size=2), JSON), max_size=5)


@given(events=EVENTS, chunk=st.integers(1, 40), indented=st.booleans())
def test_an_array_comes_back_as_its_elements_however_it_is_read(
    events: list[dict[str, object]], chunk: int, *, indented: bool
) -> None:
    text = orjson.dumps(events, option=orjson.OPT_INDENT_2 if indented else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_BYTES", chunk)
        found = list(bodies(BytesIO(text)))
    assert [orjson.loads(body.text) for body in found] == events
    lines = text.split(b"\n")
    assert all(lines[body.line - 1].strip().startswith((b"{", b"[")) for body in found)


@given(events=EVENTS, chunk=st.integers(1, 40))
def test_lines_come_back_as_they_were_however_they_are_read(
    events: list[dict[str, object]], chunk: int
) -> None:
    lines = [orjson.dumps(event) for event in events]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_BYTES", chunk)
        found = list(bodies(BytesIO(b"\n".join(lines))))
    assert [body.text for body in found] == lines
    assert [body.line for body in found] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize("form", ["line", "array"])
def test_a_body_that_is_too_large_is_cut_short_and_its_neighbours_are_whole(form: str) -> None:
    large = b'{"a":"' + b"x" * (3 * BODY_BYTES_MAX) + b'"}'
    parts = [b'{"b":1}', large, b'{"c":2}']
    text = b"\n".join(parts) if form == "line" else b"[" + b",\n".join(parts) + b"]"
    first, cut, last = bodies(BytesIO(text))
    assert (first.text, last.text, last.line) == (b'{"b":1}', b'{"c":2}', 3)
    assert len(cut.text) <= BODY_BYTES_MAX + 1 + module._CHUNK_BYTES  # noqa: SLF001 - its chunk
    refused = decode(cut.text)
    assert isinstance(refused, Malformed)
    assert refused.reason == "too_large"


def test_how_far_a_file_is_read_grows_to_its_end() -> None:
    text = b'{"a":1}\n{"b":2}\n{"c":3}\n'
    ends = [body.end for body in bodies(BytesIO(text))]
    assert all(one < other for one, other in pairwise(ends))
    assert ends[-1] == len(text)
