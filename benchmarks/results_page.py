"""`benchmarks/RESULTS.md` and its plots anew, from what the benchmarks left in `results/`.

    python -m benchmarks.results_page          # make bench-report

What stands between the two markers in RESULTS.md is written here and nowhere else; what stands
around them is written by hand and stays. Nothing is made up: of a benchmark that left no result the
page says "not measured", and no plot is drawn of it.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from benchmarks import plots
from benchmarks.kit.report import RESULTS

PAGE = Path(__file__).parent / "RESULTS.md"
BEGIN, END = "<!-- figures: written by make bench-report -->", "<!-- end of the figures -->"
NOT_MEASURED = "not measured"

WHAT = {
    "throughput": "Orders until confirmed, against a worker per message and against the floor",
    "year": "A whole year of a real shop",
    "growth": "An empty store and a grown one",
    "release": "One receipt for a million lines that wait",
    "hot": "One sku in every order, four workers",
    "latency": "From an order until the warehouse hears of it",
    "soak": "Half an hour at full load",
    "scale": "More workers on one queue",
}

Told = Mapping[str, Any]


def read(folder: Path = RESULTS) -> dict[str, Told]:
    """Return the results there are, by benchmark."""
    return {
        path.stem: cast("Told", orjson.loads(path.read_bytes()))
        for path in sorted(folder.glob("*.json"))
    }


def page(results: Mapping[str, Told], drawn: Sequence[str]) -> Iterator[str]:
    """Yield the lines between the markers."""
    yield "## Targets"
    yield ""
    yield from _targets(results)
    others = [name for name in results if name not in WHAT]
    for name in (*WHAT, *others):
        told = results.get(name)
        yield ""
        yield f"## {WHAT.get(name, name)}"
        yield ""
        yield f"`make bench-{name}`" + ("" if told is None else f", {_circumstances(told)}")
        yield ""
        if told is None:
            yield f"{NOT_MEASURED}."
            continue
        if name in drawn:
            yield f"![{WHAT.get(name, name)}](plots/{name}.svg)"
            yield ""
        yield from _figures(told)


def _targets(results: Mapping[str, Told]) -> Iterator[str]:
    yield "| benchmark | what | target | measured: median [range] | reached |"
    yield "|---|---|---|---|---|"
    for name in (*WHAT, *(name for name in results if name not in WHAT)):
        listed = results.get(name, {}).get("targets", [])
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        for row in rows:
            reached = "yes" if row["met"] else "**no**"
            figure = shown(row["measured"])
            yield f"| {name} | {row['what']} | {row['target']} | {figure} | {reached} |"
        if not rows:
            said = "names no targets" if name in results else NOT_MEASURED
            yield f"| {name} | {WHAT.get(name, name)} | | {said} | |"


def _circumstances(told: Told) -> str:
    machine, versions = told.get("machine", {}), told.get("versions", {})
    parts = [
        *([str(told["at"])] if "at" in told else []),
        f"{machine.get('cores', '?')} cores of {machine.get('processor', '?')}",
        f"{machine.get('memory_gib', '?')} GiB, {machine.get('system', '?')}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    return "; ".join(parts)


_NOT_FIGURES = frozenset(
    {"benchmark", "at", "targets", "versions", "machine", "curve", "histogram"}
)


def _figures(told: Told) -> Iterator[str]:
    yield "| figure | median [range] (rounds) |"
    yield "|---|---|"
    for path, value in _leaves(told):
        yield f"| {' · '.join(part.replace('_', ' ') for part in path)} | {shown(value)} |"


def _leaves(told: Told, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in told.items():
        if key in _NOT_FIGURES or value is None:
            continue
        if isinstance(value, Mapping) and "median" not in value:
            yield from _leaves(value, (*path, key))
        elif not isinstance(value, list):
            yield (*path, key), value


def shown(value: object) -> str:
    """Return a figure as the page has it."""
    if isinstance(value, Mapping) and "median" in value:
        middle = _number(value["median"])
        if value.get("rounds", 1) == 1:
            return f"{middle} (1)"
        return f"{middle} [{_number(value['low'])}-{_number(value['high'])}] ({value['rounds']})"
    return _number(value)


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("|", "\\|")
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def written(before: str, lines: Iterator[str]) -> str:
    """Return the page with new lines between its markers. Raises ValueError without markers."""
    head, begin, rest = before.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its markers, {BEGIN} and {END}")
    return "\n".join([head + begin, "", *lines, "", end + tail])


def main() -> None:
    """Draw and write."""
    results = read()
    drawn = plots.draw(results)
    try:
        text = written(PAGE.read_text(), page(results, drawn))
    except ValueError as trouble:
        sys.exit(f"bench-report: {trouble}")
    PAGE.write_text(text)
    print(f"{PAGE.name}: {len(results)} results, {len(drawn)} plots")


if __name__ == "__main__":
    main()
