"""What a person or a program sees on standard output: one JSON document, or aligned tables.

Tables come without lines and colours where the output is no terminal, so that they can be cut and
searched; no line is cut there, however long. On a screen too narrow for a table each row becomes a
block of lines. Moments are shown in UTC, to the minute.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from shutil import get_terminal_size
from typing import Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.trouble import Status

SHOWN_MAX = 100  # of a list that may be endless, where nobody asked for more
_PLAIN_WIDTH = 1_000  # of a line that nobody's screen limits
_PAGE_ROWS = 500  # a table is laid out as a whole; of long lists, one page at a time
_FOLDED_WIDTH_MIN = 20  # a column folded narrower than this is not read but deciphered

Cell = str | int | datetime | None


def document(value: Any) -> None:  # noqa: ANN401 - any JSON document
    """Print one JSON document."""
    sys.stdout.write(f"{json_text(value)}\n")


def documents(values: Iterable[bytes | str]) -> None:
    """Print one JSON array of documents that are text already, one a line, as they come."""
    before = "["
    for value in values:
        text = value if isinstance(value, str) else value.decode()
        sys.stdout.write(f"{before}{text}")
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[" else "]\n")


def json_text(value: Any) -> str:  # noqa: ANN401 - any JSON document
    """Return a document as text; moments in UTC with a Z, indented for a person's eyes."""
    option = orjson.OPT_UTC_Z
    if sys.stdout.isatty():
        option |= orjson.OPT_INDENT_2
    return orjson.dumps(value, option=option).decode()


def say(text: str) -> None:
    """Print a sentence."""
    sys.stdout.write(f"{text}\n")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, nothing: str = "Nothing."
) -> None:
    """Print a table; numbers to the right. `nothing` is said where it would be empty."""
    listed = list(rows)
    if not listed:
        say(nothing)
        return
    cells = [[plain(cell) for cell in row] for row in listed]
    if not _fits(columns, cells):
        _records(title, columns, cells)
        return
    grid = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for index, name in enumerate(columns):
        kinds = {type(row[index]) for row in listed}
        numbers = int in kinds and kinds <= {int, type(None)}
        grid.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for line in cells:
        grid.add_row(*(Text(cell) for cell in line))
    _show(title, grid)


def pages(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, nothing: str
) -> None:
    """Print a table of any length, one page after another."""
    listed = iter(rows)
    page = list(islice(listed, _PAGE_ROWS))
    table(title, columns, page, nothing=nothing)
    while page := list(islice(listed, _PAGE_ROWS)):
        table("", columns, page)


def first(  # noqa: PLR0913 - as of a table, and how many of what
    title: str,
    noun: str,
    columns: Sequence[str],
    found: Iterator[Sequence[Sequence[Cell]]],
    count_max: int,
    *,
    nothing: str,
) -> None:
    """Print a table of the first things found, of some rows each; say where there are more.

    `title` with `%s` for how many things they are; `count_max` 0: all of them.
    """
    if count_max == 0:
        every = chain.from_iterable(found)
        pages(title.replace("%s", f"all {noun}s"), columns, every, nothing=nothing)
        return
    shown = list(islice(found, count_max))
    more = next(found, None) is not None
    told = ("the first " if more else "") + counted(len(shown), noun)
    table(title.replace("%s", told), columns, list(chain(*shown)), nothing=nothing)
    if more:
        complain("There are more; --limit 0 lists all of them, and so does --json.")


def _fits(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Is there room for all columns, if the widest is folded?"""
    widths = [
        max(len(name), *(len(row[index]) for row in cells)) + 2
        for index, name in enumerate(columns)
    ]
    widest = max(widths)
    return sum(widths) - widest + min(widest, _FOLDED_WIDTH_MIN) <= _width()


def _records(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Print a table that is too wide for the screen as one block of lines for each row."""
    for count, row in enumerate(cells, 1):
        facts(f"{title} ({count} of {len(cells)})", zip(columns, row, strict=True))


def facts(title: str, pairs: Iterable[tuple[str, Cell]]) -> None:
    """Print names and values of one thing, one a line."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, Text(plain(value)))
    _show(title, grid)


def plain(value: object) -> str:
    """Return a value as a person reads it: `-` for nothing, a moment to the minute."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return printable(str(value))


def counted(count: int, what: str) -> str:
    """Return a number with its noun, `1 order`, `2,000 orders`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def printable(text: str) -> str:
    """Return text that can not play tricks on a terminal: control characters are shown."""
    return "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1]
        for character in text
    )


def _width() -> int:
    return get_terminal_size().columns if sys.stdout.isatty() else _PLAIN_WIDTH


def _show(title: str, grid: Table) -> None:
    console = Console(width=_width(), highlight=False, emoji=False)
    with console.capture() as laid_out:
        console.print(Text(title, style="bold"), grid, "", sep="\n")
    for line in laid_out.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")


def unknown(what: str, *, as_json: bool) -> int:
    """Say that nobody knows a thing by that name; return the exit status of that."""
    if as_json:
        document(None)
    complain(f"{what} is not known.")
    return Status.NOT_SO


def complain(text: str) -> None:
    """Print a sentence on standard error."""
    sys.stderr.write(f"{printable(text)}\n")
