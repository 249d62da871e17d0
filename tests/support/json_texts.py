"""JSON drawn as text, the way real senders and hostile ones write it, with what is wrong known.

`json_texts` draws a value together with its spelling: each character of a text plain or escaped,
keys that may repeat, numbers in odd forms. A `Drawn` says whether a strict reader must refuse it.
"""

import json
from dataclasses import dataclass

from hypothesis import strategies as st

_PLAIN = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"\\')
_ESCAPED = st.sampled_from(
    ["\\u0022", "\\u005c", '\\"', "\\\\", "\\/", "\\n", "\\u00fc", "\\u0041"]
)
_BAD = st.sampled_from(["\\u0000", "\\ud800", "\\uDFFF"])
_PIECES = st.lists(st.one_of(_PLAIN, _ESCAPED), max_size=4)


@dataclass(frozen=True)
class Drawn:
    """A JSON text and whether it means one thing to everybody."""

    text: str
    clean: bool = True


def _spelled(pieces: list[str]) -> Drawn:
    clean = not any(piece.startswith(("\\u0000", "\\ud8", "\\uDF")) for piece in pieces)
    return Drawn('"' + "".join(pieces) + '"', clean)


_texts = _PIECES.map(_spelled)
_bad_texts = st.tuples(_PIECES, _BAD, _PIECES).map(lambda at: _spelled([*at[0], at[1], *at[2]]))
_numbers = st.sampled_from(["0", "-0", "1.0", "1e5", "1E-400", str(2**80), "true", "null"])
_no_numbers = st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400"])
_keys = st.sampled_from(["a", "b", "\\u0061"]).map(lambda key: Drawn(f'"{key}"')) | _texts

_clean = _texts | _numbers.map(Drawn)
_hostile = _clean | _bad_texts | _no_numbers.map(lambda text: Drawn(text, clean=False))


def _array(items: list[Drawn]) -> Drawn:
    inner = ",".join(item.text for item in items)
    return Drawn(f"[{inner}]", all(item.clean for item in items))


def _object(pairs: list[tuple[Drawn, Drawn]]) -> Drawn:
    inner = ", ".join(f"{key.text}: {value.text}" for key, value in pairs)
    names = [json.loads(key.text) for key, _ in pairs]
    clean = all(key.clean and value.clean for key, value in pairs)
    return Drawn(f"{{{inner}}}", clean and len(set(names)) == len(names))


def _values(
    leaves: st.SearchStrategy[Drawn], keys: st.SearchStrategy[Drawn]
) -> st.SearchStrategy[Drawn]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(_array),
            st.lists(st.tuples(keys, inner), max_size=4).map(_object),
        ),
        max_leaves=12,
    )


json_texts = _values(_hostile, _keys | _bad_texts)
# In the first kind only keys can be wrong: worse faults would nearly always hide a repeated one.
json_objects = st.one_of(
    st.lists(st.tuples(_keys, _values(_clean, _keys)), max_size=4).map(_object),
    st.lists(st.tuples(_keys, json_texts), max_size=4).map(_object),
)
