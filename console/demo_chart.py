"""A column chart for a terminal: eighth blocks, so that a row of text shows eight heights."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = 8
_ROWS, _COLUMNS = 6, 64
_MONTH_WIDTH = len("Dec 2010")


def chart(values: Mapping[date, int], columns_max: int = _COLUMNS) -> list[str]:
    """Return the lines of a chart of values by day; a day without one keeps the last.

    Each column stands for as many days and shows the highest of them.
    """
    columns, days_per_column = _columns(values, columns_max)
    top = _round_up(max(columns))
    heights = [-(-value * _ROWS * _EIGHTHS // top) for value in columns]
    labels = {_ROWS - 1: f"{top:,}", _ROWS // 2 - 1: f"{top // 2:,}"}
    width = max(map(len, labels.values()))
    lines = []
    for row in reversed(range(_ROWS)):
        blocks = "".join(_block(height - row * _EIGHTHS) for height in heights)
        tick = "┤" if row in labels else "│"
        lines.append(f"{labels.get(row, ''):>{width}} {tick}{blocks}".rstrip())
    lines.append(f"{0:>{width}} └{'─' * len(columns)}")
    lines.append(f"{'':{width + 2}}{_months(min(values), len(columns), days_per_column)}")
    return lines


def _block(eighths: int) -> str:
    return _BLOCKS[min(max(eighths, 0), _EIGHTHS)]


def _columns(values: Mapping[date, int], columns_max: int) -> tuple[list[int], int]:
    first, last = min(values), max(values)
    days = (last - first).days + 1
    days_per_column = -(-days // columns_max)
    columns: list[int] = []
    value = 0
    for number in range(days):
        value = values.get(first + timedelta(days=number), value)
        if number % days_per_column == 0:
            columns.append(value)
        columns[-1] = max(columns[-1], value)
    return columns, days_per_column


def _round_up(value: int) -> int:
    """Return the next number a person likes to read on an axis."""
    power = 1
    while power * 10 < value:
        power *= 10
    steps: Sequence[int] = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
    return max(10, next(step * power // 10 for step in steps if step * power >= value * 10))


def _months(first: date, columns: int, days_per_column: int) -> str:
    """Return the names of months where they begin, as many as have room."""
    line = ""
    for column in range(columns):
        day = first + timedelta(days=column * days_per_column)
        before = day - timedelta(days=days_per_column)
        begins = column == 0 or day.month != before.month
        has_room = len(line) <= column <= columns - _MONTH_WIDTH or column == 0
        if begins and has_room:
            line = f"{line:<{column}}{day:%b %Y} "
    return line.rstrip()
