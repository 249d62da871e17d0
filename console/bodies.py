"""Files of events as bodies with the line they begin on; a file of any size, held by one chunk.

What a file is shows its first line:

1. it begins with `[`: a JSON array;
2. it is `{` and nothing else: documents written over several lines;
3. anything else: JSON lines. A broken line is one body then, and its neighbours are theirs.

Bodies are cut out by counting brackets outside of strings; whether they are any good is for the
codec to say. What is longer than a body may be is cut short: it is refused for its length anyway.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from events.codec import BODY_BYTES_MAX

_CHUNK_BYTES = 1 << 18
_KEPT_BYTES_MAX = BODY_BYTES_MAX + 1  # one more than is allowed: the codec sees that it is too long
_BOM = b"\xef\xbb\xbf"

_IN_STRING = re.compile(rb'["\\\n]')
_OUTSIDE = re.compile(rb'["\[\]{},\n]')


@dataclass(frozen=True, slots=True)
class Body:
    """One event of a file. `line` is that of its first character; `end`: bytes read by then."""

    line: int
    text: bytes
    end: int


def bodies(stream: BinaryIO) -> Iterator[Body]:
    """Yield the bodies of a file in their order; blank lines are none."""
    line, read = 1, 0
    while True:
        first = stream.readline(_CHUNK_BYTES)
        read += len(first)
        text = first.removeprefix(_BOM) if line == 1 else first
        if text.strip() or not first:
            break
        line += 1
    if text.lstrip().startswith(b"["):
        yield from _Cutter(line, read, array=True).cut(text, stream)
    elif text.strip() == b"{":
        yield from _Cutter(line, read, array=False).cut(text, stream)
    else:
        yield from _lines(line, read, text, stream)


def _lines(line: int, read: int, first: bytes, stream: BinaryIO) -> Iterator[Body]:
    """Yield each line that is not blank; of one without an end no more is kept than is refused."""
    part = first
    while part:
        kept = part
        while part and not part.endswith(b"\n"):
            part = stream.readline(_CHUNK_BYTES)
            read += len(part)
            if len(kept) < _KEPT_BYTES_MAX:
                kept += part
        text = kept.strip()
        if text:
            yield Body(line, text[:_KEPT_BYTES_MAX], read)
        line += 1
        part = stream.readline(_CHUNK_BYTES)
        read += len(part)


class _Cutter:
    """Cuts documents out of an array, or out of what just follows one another."""

    def __init__(self, line: int, read: int, *, array: bool) -> None:
        self._line = line
        self._read = read
        self._level = 1 if array else 0  # the depth at which a document begins and ends
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._kept = bytearray()
        self._begins = line

    def cut(self, first: bytes, stream: BinaryIO) -> Iterator[Body]:
        """Yield the documents."""
        chunk = first
        while chunk:
            yield from self._cut(chunk)
            chunk = stream.read(_CHUNK_BYTES)
            self._read += len(chunk)
        yield from self._end()  # a document that the file breaks off, or what follows an array

    def _cut(self, chunk: bytes) -> Iterator[Body]:
        at = 0
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                self._keep(chunk[at : at + 1])
                at += 1
                continue
            found = (_IN_STRING if self._in_string else _OUTSIDE).search(chunk, at)
            end = len(chunk) if found is None else found.end()
            sign = b"" if found is None else found.group()
            self._keep(chunk[at : end - len(sign)])
            at = end
            if self._in_string:
                self._inside(sign)
            else:
                yield from self._outside(sign)

    def _inside(self, sign: bytes) -> None:
        self._keep(sign)
        if sign == b'"':
            self._in_string = False
        elif sign == b"\\":
            self._escaped = True
        elif sign == b"\n":
            self._line += 1

    def _outside(self, sign: bytes) -> Iterator[Body]:
        before = self._depth
        if sign in {b"[", b"{"}:
            self._depth += 1
            if before >= self._level:
                self._keep(sign)
        elif sign in {b"]", b"}"}:
            self._depth = max(0, before - 1)
            if before > self._level:
                self._keep(sign)
            if self._depth <= self._level and (self._level == 0 or before == 1):
                yield from self._end()
        elif sign == b"," and before == self._level == 1:
            yield from self._end()
        else:
            self._in_string = sign == b'"'
            self._line += sign == b"\n"
            self._keep(sign)

    def _keep(self, text: bytes) -> None:
        if not self._kept:
            text = text.lstrip()
            self._begins = self._line
        if len(self._kept) < _KEPT_BYTES_MAX:
            self._kept += text

    def _end(self) -> Iterator[Body]:
        text = bytes(self._kept).rstrip()
        self._kept.clear()
        if text:
            yield Body(self._begins, text[:_KEPT_BYTES_MAX], self._read)
