"""PostgreSQL's array literals, read by hand as the server's manual says they are read."""

from hypothesis import given
from hypothesis import strategies as st

from store.dialects.arrays import ABSENT, BETWEEN, joined, literal

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
awkward = st.sampled_from(['"', "\\", ",", "{", "}", "NULL", "null", "", " ", "a,b", '\\"', "\n"])


def read(text: str) -> list[str | None]:
    """Read a literal of one dimension: quoted elements, backslash escapes, NULL unquoted."""
    assert text[0] == "{"
    assert text[-1] == "}"
    found: list[str | None] = []
    rest = iter(text[1:-1])
    for sign in rest:
        if sign == '"':
            element = ""
            for inner in rest:
                if inner == '"':
                    break
                element += next(rest) if inner == "\\" else inner
            found.append(element)
        elif sign != ",":
            plain = sign
            for inner in rest:
                if inner == ",":
                    break
                plain += inner
            found.append(None if plain == "NULL" else plain)
    return found


@given(st.lists(st.none() | texts | awkward))
def test_texts_are_read_as_they_were_written(values: list[str | None]) -> None:
    assert read(literal("text", values)) == values


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_numbers_are_read_as_they_were_written(values: list[int | None]) -> None:
    written = [None if value is None else str(value) for value in values]
    assert read(literal("bigint", values)) == written


def test_flags_and_bytes_are_written_as_the_server_reads_them() -> None:
    assert literal("boolean", [True, None, False]) == "{t,NULL,f}"
    assert read(literal("bytea", [b"\x00\xff", None])) == ["\\x00ff", None]
    assert literal("text", []) == literal("bigint", []) == "{}"


def split(text: str) -> list[str | None]:
    r"""Split as `string_to_array(text, E'\\x1e', E'\\x1f')` does, which gives nothing for ''."""
    return [None if part == ABSENT else part for part in text.split(BETWEEN)] if text else []


@given(st.lists(st.none() | texts | awkward | st.sampled_from([BETWEEN, ABSENT]), min_size=1))
def test_texts_are_joined_only_where_they_can_be_split_again(values: list[str | None]) -> None:
    text = joined(values)
    if text is not None:
        assert split(text) == values


def test_ordinary_texts_are_joined() -> None:
    assert joined(["a", None, "", 'b"\\,{}']) == f'a{BETWEEN}{ABSENT}{BETWEEN}{BETWEEN}b"\\,{{}}'
    assert joined([""]) is None
    assert joined([f"a{BETWEEN}b", "c"]) is None
    assert joined([ABSENT, None]) is None
