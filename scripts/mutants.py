"""Small changes of a program, each of which some test should notice.

Comparisons (`<` and `<=`, `==` and `!=`, `in`, `is`), `+` and `-`, `and` and `or`, a condition of
them left out, `not`, the constants 0, 1, True and False, `min` and `max`, conditions that are
always or never so, statements left out, `break` and `continue`, `return None`.
"""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# Functions inside others are walked by themselves; what is asserted is no rule; Python 3.11 does
# not say where the parts of an f-string are; a pattern is no expression.
_LEFT_ALONE = (ast.FunctionDef, ast.Assert, ast.JoinedStr, ast.pattern)
_EXTREME = {"min": "max", "max": "min"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change: `old` on `line` has become `new`."""

    path: str
    line: int
    old: str
    new: str
    source: str

    @property
    def key(self) -> str:
        """Name it by the module it makes: a module that has changed has other mutants."""
        return sha256(f"{self.path}\n{self.source}".encode()).hexdigest()[:24]

    def __str__(self) -> str:
        """Say where and what."""
        return f"{self.path}:{self.line}: {_short(self.old)}  ->  {_short(self.new)}"


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its lines."""
    found = []
    for node, new in _changes(ast.parse(source)):
        start, end = _span(source, node)
        changed = source[:start] + new + source[end:]
        ast.parse(changed)  # a change that is no program is a bug of ours
        found.append(Mutant(path, node.lineno, source[start:end], new, changed))
    yield from sorted(found, key=lambda mutant: mutant.line)


def _span(source: str, node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return where a node begins and ends; columns are counted in bytes."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    encoded = source.encode()
    start = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    return len(encoded[:start].decode()), len(encoded[:end].decode())


def _changes(tree: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Yield nodes inside functions, and what each becomes."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from _in(statement)


def _in(root: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    if isinstance(root, _LEFT_ALONE) or _is_docstring(root):
        return
    if isinstance(root, ast.stmt):
        yield from ((root, text) for text in _statement(root))
    if isinstance(root, ast.expr):
        yield from ((root, f"({text})") for text in _expression(root))
    if isinstance(root, ast.If) and isinstance(root.test, ast.Name | ast.Call | ast.Attribute):
        yield root.test, f"(not {ast.unparse(root.test)})"
    for node in ast.iter_child_nodes(root):
        if node is not getattr(root, "annotation", None):
            yield from _in(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _statement(node: ast.stmt) -> Iterator[str]:
    """Yield what may stand in the place of a statement."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "pass"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return None"
        case _:
            pass
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        other = deepcopy(node)
        other.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield ast.unparse(other)


def _expression(node: ast.expr) -> Iterator[str]:  # noqa: C901 - one case per kind
    """Yield what may stand in the place of an expression."""
    other = deepcopy(node)
    match other:
        case ast.Compare(ops=[op, *_]):
            other.ops[0] = _COMPARED[type(op)]()
            yield ast.unparse(other)
        case ast.BinOp(op=ast.Add() | ast.Sub() as op):
            other.op = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield ast.unparse(other)
        case ast.BoolOp(op=op, values=values):
            for value in values:
                kept = [row for row in values if row is not value]
                yield ast.unparse(ast.BoolOp(op=op, values=kept) if len(kept) > 1 else kept[0])
            other.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield ast.unparse(other)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.unparse(operand)
        case ast.Constant(value=bool() as value):
            yield str(not value)
        case ast.Constant(value=0 | 1 as value):
            yield str(1 - value)
        case ast.Call(func=ast.Name(id="min" | "max" as name)):
            other.func = ast.Name(id=_EXTREME[name])
            yield ast.unparse(other)
        case ast.IfExp(body=body, orelse=orelse):
            yield ast.unparse(body)
            yield ast.unparse(orelse)
        case _:
            pass


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else f"{line[:67]}…"  # noqa: PLR2004 - half a screen
