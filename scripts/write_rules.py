"""Write docs/rules.md: where each rule lives and what proves it: `python -m scripts.write_rules`.

The code names a rule where it keeps it, in a docstring, a comment or the reason it gives; a test
names it in its id (`tests/support/rules.py`). Both are read without running anything, so that the
page is made in a second. It holds names and no line numbers: moving code does not change it.
"""

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.rules import rules_of

ROOT = Path(__file__).parent.parent
RULES_PAGE = ROOT / "docs" / "rules.md"
PACKAGES = ("events", "handlers", "store", "workers")
AUDIT = "store/audit/"
AFTER_ANY_HISTORY = "§8"  # the rule without a number of its own

# Our own short titles: the rule book says the whole.
TITLES: dict[str, dict[str, str]] = {
    "The ledger": {
        "L1": "Stock changes by movements only",
        "L2": "On hand is what movements add up to",
        "L3": "A line's quantities always add up",
        "L4": "Counters are caches that an audit derives again",
        "L5": "One event, one transaction, one effect",
        "L6": "Decisions under locks, in one order",
    },
    "Policy": {
        "P1": "Policies apply from when they are told",
        "P2": "What nobody described works with defaults",
        "P3": "A change that frees or orders, does",
        "P4": "Where shops ship from and are delivered",
    },
    "Placing an order": {
        "O1": "Lines of one sku are judged together",
        "O2": "Unmanaged, drop-ship and buy-to-order lines",
        "O3": "Take what is free, the rest waits",
        "O4": "Policy none rejects the whole sku",
        "O5": "A back-order limit rejects the whole sku",
        "O6": "Least and steps of what is sold",
        "O7": "One rejection names its lines, others go on",
        "O8": "Held lines are told, once per event",
        "O9": "Ship modes and groups leave together",
        "O10": "Manual release and holds",
        "O11": "One release per order and source",
    },
    "Replenishing": {
        "R1": "One open replenishment per vendor and destination",
        "R2": "The quantity follows from the present state",
        "R3": "Raised, extended, reduced, cancelled: told by revision",
        "R4": "Finalized is incoming, with confirmed parts",
        "R5": "Closed or cancelled supply is needed again",
        "R6": "A shortage lands in exactly one replenishment",
        "R7": "No vendor: held, with an exception",
        "R8": "Surplus is used first",
        "R9": "Buyers add quantities or order lines",
        "R10": "Supply linked to single order lines",
        "R11": "Expected dates in queue order",
        "R12": "A date that changed is told once",
    },
    "Stock arrives, moves, is counted": {
        "S1": "A receipt is always booked",
        "S2": "Docks fill nobody, sources fill first",
        "S3": "Whatever makes stock usable fills",
        "S4": "The order of the queue",
        "S5": "A fill releases what may go, once",
        "S6": "Long consequences go in steps",
        "S7": "More leaves than is known: found, owed",
        "S8": "Counts are checkpoints; too much promised",
        "S9": "What a shipment takes of a line",
        "S10": "Not found, or held by staff",
        "S11": "A person's word to ship",
        "S12": "Customers' returns are receipts",
        "S13": "Status told when it changes",
    },
    "Changing and cancelling": {
        "C1": "What a cancellation takes first",
        "C2": "An order changed, by version",
        "C3": "Events come in any order",
        "C4": "One business fact, one effect",
    },
    "After any history": {
        AFTER_ANY_HISTORY: "What must hold, whatever has happened",
    },
}
RULES = {number: title for of_section in TITLES.values() for number, title in of_section.items()}

_HEAD = """\
# Rules

Written by `scripts/write_rules.py` from the code and the tests; a test compares the two. The rules
are those of the rule book, the titles are ours. A rule lives where code names it; a test proves it
when its id carries its number (for §8: when its file says so).
"""
_NAMED = re.compile(r"(?<![\w§-])([LPORSC])([1-9][0-9]?)(?:(?:-| to )\1([1-9][0-9]?))?(?!\w)")


@dataclass(slots=True)
class Found:
    """Where one rule is named: names by code file ("" is the module), test counts by file."""

    code: dict[str, list[str]] = field(default_factory=dict)
    tests: dict[str, int] = field(default_factory=dict)


def numbers_in(text: str) -> set[str]:
    """Return the rules a text names; a range names all in it."""
    found = {AFTER_ANY_HISTORY} if AFTER_ANY_HISTORY in text else set()
    for letter, first, last in _NAMED.findall(text):
        found |= {f"{letter}{number}" for number in range(int(first), int(last or first) + 1)}
    return found & RULES.keys()


def collect(root: Path = ROOT) -> dict[str, Found]:
    """Return where each rule lives and what proves it."""
    found = {number: Found() for number in RULES}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            for number, owner in named_in(path.read_text(encoding="utf-8")):
                names = found[number].code.setdefault(name, [])
                if owner not in names:
                    names.append(owner)
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        for _test, number in proved_in(path.read_text(encoding="utf-8")):
            found[number].tests[name] = found[number].tests.get(name, 0) + 1
    return found


def named_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield each rule named in a module and the function or class that names it ("": neither)."""
    owners = list(_owners(ast.parse(source).body))
    for at, line in enumerate(source.splitlines(), start=1):
        numbers = numbers_in(line)
        if numbers:
            owner = next((name for name, first, last in owners if first <= at <= last), "")
            for number in sorted(numbers):
                yield number, owner


def _owners(body: Iterable[ast.stmt], prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield functions, methods and classes with their lines, what is inside before its class."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _owners(node.body, f"{node.name}.")
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(row.lineno for row in node.decorator_list)])
            yield prefix + node.name, first, node.end_lineno or first


def proved_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield the names of the tests in a file, each with every rule it proves."""
    tree = ast.parse(source)
    names = _ours(tree)
    after_any_history = AFTER_ANY_HISTORY in (ast.get_docstring(tree) or "")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            if after_any_history:
                yield node.name, AFTER_ANY_HISTORY
            for number in sorted(rules_of(f"{node.name}[{'-'.join(_ids(node, names))}]")):
                yield node.name, number


def _ours(tree: ast.Module) -> set[str]:
    """Return by which names a file calls the decorator `rule`; Hypothesis has one as well."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules = {node.module: {row.name for row in node.names} for node in imports}
    names = {"rule"} & modules.get("tests.support.rules", set())
    return names | ({"rules.rule"} if "rules" in modules.get("tests.support", ()) else set())


def _ids(node: ast.FunctionDef, names: Collection[str]) -> Iterator[str]:
    """Yield what the decorator writes into the id of a test."""
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and ast.unparse(call.func) in names:
            yield ",".join(ast.literal_eval(row) for row in call.args)


def page(found: Mapping[str, Found]) -> str:
    """Return docs/rules.md."""
    parts = [_HEAD]
    for section, titles in TITLES.items():
        parts.append(f"## {section}\n")
        for number, title in titles.items():
            rows = [f"- {_code(path, names)}" for path, names in found[number].code.items()]
            rows.sort(key=lambda row: AUDIT in row)  # last, where it is only looked after
            tests = found[number].tests
            proofs = ", ".join(f"{_link(path)} ({count})" for path, count in tests.items())
            rows.append(f"- proved by {sum(tests.values())} tests: {proofs or 'none'}")
            parts.append(f"### {number}. {title}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _code(path: str, names: Iterable[str]) -> str:
    told = ", ".join(f"`{name}`" for name in names if name)
    return f"{_link(path)}: {told}" if told else _link(path)


def _link(path: str) -> str:
    return f"[`{path}`](../{path})"


def main() -> int:
    """Write the page; with `--check` only say whether it is up to date."""
    text = page(collect())
    if "--check" not in sys.argv[1:]:
        RULES_PAGE.write_text(text, encoding="utf-8")
    elif not RULES_PAGE.exists() or RULES_PAGE.read_text(encoding="utf-8") != text:
        print("docs/rules.md is not what the code and the tests say: make rules")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
