"""How a difference is told: which rule, what, where, what it should be and what it is."""

from store.views.shapes import Difference

Value = int | str | None


def different(
    rule: str,
    what: str,
    where: tuple[str | None, str | None],
    numbers: tuple[Value, Value],
    **refs: str,
) -> Difference:
    """Return a difference; `where` is a sku and a place, `numbers` the expected and the found."""
    sku, place = where
    expected, found = numbers
    return {
        "rule": rule,
        "what": what,
        "sku": sku,
        "place": place,
        "refs": refs,
        "expected": expected,
        "found": found,
    }
