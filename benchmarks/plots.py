"""The plots of RESULTS.md, each from one benchmark's result, as small SVGs in `plots/`.

A plot is drawn only of figures that are there; a result of another shape than is looked for here is
left out rather than guessed at.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PLOTS = Path(__file__).parent / "plots"
OURS, THEIRS, EDGE = "#1f6f8b", "#b0b7bd", "#c0392b"
_SIZE = (6.4, 3.2)
_TOO_LONG = re.compile(r"(\d+\.\d{2})\d+")

Told = Mapping[str, Any]
Spreads = dict[tuple[str, ...], Told]

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text: small files, and they can be searched
        "svg.hashsalt": "backship",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 9,
    }
)


def draw(results: Mapping[str, Told], folder: Path = PLOTS) -> list[str]:
    """Draw what can be drawn; return of which benchmarks. Plots of others are removed."""
    folder.mkdir(exist_ok=True)
    drawn = []
    for name, plot in _PLOTS.items():
        path = folder / f"{name}.svg"
        path.unlink(missing_ok=True)
        told = results.get(name)
        if told is None:
            continue
        figure = Figure(figsize=_SIZE, layout="constrained")
        if plot(figure, told):
            figure.savefig(path, metadata={"Date": None, "Creator": None})
            path.write_text(_TOO_LONG.sub(r"\1", path.read_text()))
            drawn.append(name)
    return drawn


def spreads(told: object, path: tuple[str, ...] = ()) -> Spreads:
    """Return every median with its range in a result, by where it stands."""
    found: Spreads = {}
    if not isinstance(told, Mapping):
        return found
    if {"median", "low", "high"} <= told.keys():
        return {path: told}
    for key, value in told.items():
        found |= spreads(value, (*path, str(key)))
    return found


def _bars(axes: Axes, named: Mapping[str, Told], *, ours: str = "backship") -> None:
    """Draw medians as bars, their ranges as lines."""
    for place, (name, figure) in enumerate(named.items()):
        middle = figure["median"]
        around = [[middle - figure["low"]], [figure["high"] - middle]]
        color = OURS if ours in name.lower() else THEIRS
        axes.barh(place, middle, color=color, height=0.6)
        axes.errorbar(middle, place, xerr=around, color="black", capsize=3, linewidth=1)
        axes.annotate(f" {middle:,.4g}", (figure["high"], place), va="center", xytext=(3, 0),
                      textcoords="offset points")  # fmt: skip
    axes.set_yticks(range(len(named)), list(named))
    axes.invert_yaxis()
    axes.margins(x=0.15)


def _throughput(figure: Figure, told: Told) -> bool:
    every = spreads(told)
    rates = {
        " ".join(path[:-1]): found
        for path, found in every.items()
        if path[-1] in {"orders_per_second", "rate", "rates"}
    }
    if not rates:
        return False
    axes = figure.subplots()
    _bars(axes, rates)
    axes.set_xscale("log")
    axes.set_xlabel("orders a second until confirmed (logarithmic)")
    return True


def _growth(figure: Figure, told: Told) -> bool:
    stores = {
        path[-1]: found for path, found in spreads(told).items() if path[0] == "orders_per_second"
    }
    if len(stores) < 2:
        return False
    axes = figure.subplots()
    names = list(stores)
    middle = [stores[name]["median"] for name in names]
    around = [
        [stores[name]["median"] - stores[name]["low"] for name in names],
        [stores[name]["high"] - stores[name]["median"] for name in names],
    ]
    axes.errorbar(range(len(names)), middle, yerr=around, color=OURS, marker="o", capsize=4)
    axes.axhline(0.8 * middle[0], color=EDGE, linestyle="--", linewidth=1)
    axes.annotate("0.8 of the empty store's", (0, 0.8 * middle[0]), va="bottom", color=EDGE)
    axes.set_xticks(range(len(names)), [f"{name} store" for name in names])
    axes.set_ylabel("orders a second")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.2)
    return True


def _latency(figure: Figure, told: Told) -> bool:
    loads = {
        name: part
        for name, part in told.items()
        if isinstance(part, Mapping) and isinstance(part.get("histogram"), Mapping)
    }
    if not loads:
        return False
    axes = figure.subplots()
    for color, (name, part) in zip((OURS, EDGE, THEIRS), loads.items(), strict=False):
        edges, shares = part["histogram"]["below_ms"], part["histogram"]["share"]
        low = [edges[0] / (edges[1] / edges[0]) if len(edges) > 1 else 0.0, *edges]
        label = f"{name}: p50 {part['p50_ms']['median']:.0f}, p99 {part['p99_ms']['median']:.0f} ms"
        axes.stairs(shares, low, color=color, fill=True, alpha=0.45, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds from sent to delivered (logarithmic)")
    axes.set_ylabel("share of orders")
    axes.xaxis.set_major_formatter(lambda value, _position: f"{value:g}")
    axes.legend(frameon=False)
    return True


def _scale(figure: Figure, told: Told) -> bool:
    fleets = told.get("workers")
    if not isinstance(fleets, Mapping) or len(fleets) < 2:
        return False
    rates, costs = figure.subplots(1, 2)
    sizes = [int(size) for size in fleets]
    found = [fleet["orders_per_second"] for fleet in fleets.values()]
    middle = [one["median"] for one in found]
    around = [
        [one["median"] - one["low"] for one in found],
        [one["high"] - one["median"] for one in found],
    ]
    rates.errorbar(sizes, middle, yerr=around, color=OURS, marker="o", capsize=4)
    rates.set_xticks(sizes)
    rates.set_ylim(bottom=0)
    rates.set_xlabel("workers")
    rates.set_ylabel("orders a second")
    below = [0.0] * len(sizes)
    colors = iter((THEIRS, "#e0a458", OURS))
    for component in next(iter(fleets.values()))["cpu_us_per_order"]:
        spent = [fleet["cpu_us_per_order"][component]["median"] for fleet in fleets.values()]
        names = [str(size) for size in sizes]
        costs.bar(names, spent, bottom=below, label=component, color=next(colors, OURS))
        below = [low + more for low, more in zip(below, spent, strict=True)]
    costs.set_xlabel("workers")
    costs.set_ylabel("processor time, µs an order")
    costs.legend(frameon=False)
    return True


def _soak(figure: Figure, told: Told) -> bool:
    curve = told.get("curve")
    if not isinstance(curve, Mapping) or "memory_mib" not in curve:
        return False
    axes = figure.subplots()
    minutes, memory = curve["minutes"], curve["memory_mib"]
    axes.plot(minutes, memory, color=OURS)
    middle = told["memory_mib"]["median"]
    axes.axhspan(0.95 * middle, 1.05 * middle, color=OURS, alpha=0.15, linewidth=0)
    axes.annotate("± 5 %", (minutes[-1], 1.05 * middle), va="bottom", ha="right", color=OURS)
    axes.set_ylim(0, 1.25 * max(memory))
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident memory of a worker, MiB")
    return True


def _hot(figure: Figure, told: Told) -> bool:
    return _rates_of(figure, told, {"hot": "one sku in every order", "uniform": "all skus alike"})


def _rates_of(figure: Figure, told: Told, names: Mapping[str, str]) -> bool:
    rates = dict(_found(told, names))
    if len(rates) < len(names):
        return False
    axes = figure.subplots()
    _bars(axes, rates, ours="sku")
    axes.set_xlabel("orders a second")
    return True


def _found(told: Told, names: Mapping[str, str]) -> Iterator[tuple[str, Told]]:
    for key, name in names.items():
        part = told.get(key)
        rates = part.get("rates") if isinstance(part, Mapping) else None
        if isinstance(rates, Mapping) and "median" in rates:
            yield name, rates


_PLOTS: Mapping[str, Callable[[Figure, Told], bool]] = {
    "throughput": _throughput,
    "growth": _growth,
    "latency": _latency,
    "scale": _scale,
    "soak": _soak,
    "hot": _hot,
}
