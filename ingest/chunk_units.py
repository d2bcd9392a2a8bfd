"""A block's text in, the smallest pieces a chunk may be made of out. Knows nothing about headings, sizes or chunks.

Each unit says what it costs to cut before it: nothing at a block, little between rows and items, more inside a
paragraph, most inside a sentence.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ingest.document import Block, Span
from ingest.sentences import split_sentences

AFTER_HEADING, AT_BLOCK, AT_PART, IN_PART = 3.0, 0.1, 0.35, 1.0
_WHOLE_STRUCTURE, _WHOLE_PARAGRAPH = 1.6, 0.5  # extra cost inside a table, list or paragraph that fits a chunk whole

_ITEM = re.compile(
    r"^[ \t]*(?:[-*+•‣▪●○◦·■□–]\s|\(?(?:\d{1,3}|[a-zA-Z])[.)、]\s|[（(]?[一二三四五六七八九十]+[）)、])", re.M
)
_CLAUSE = re.compile(r"[,，、;；:：)）](?=\s|[\u3400-\u9fff])|(?<=[\u3400-\u9fff])[，、；：]")
_SPACE = re.compile(r"\s+")


class Unit(NamedTuple):
    """A piece that is never cut. `cost` is that of a cut before it; `block` the index of its block."""

    start: int
    end: int
    cost: float
    block: int


def block_units(text: str, block: Block, index: int, size: int, starts: Sequence[int]) -> Iterator[Unit]:
    """Give the units of a block in order; none is longer than `size` tokens, whose offsets are `starts`."""
    span = block.span
    fits = _count(starts, span.start, span.end) <= size
    if block.kind == "heading" and fits:
        yield Unit(span.start, span.end, AT_BLOCK, index)
        return
    structure = block.kind in ("list", "table", "code")
    inner = AT_PART + (0.0 if not fits else _WHOLE_STRUCTURE if structure else _WHOLE_PARAGRAPH)
    for number, part in enumerate(_parts(text, block)):
        yield from _part_units(text, part, AT_BLOCK if number == 0 else inner, index, size, starts)


def _parts(text: str, block: Block) -> list[Span]:
    if block.kind == "list":
        return _items(text, block.span)
    if block.kind in ("table", "code"):
        return _lines(text, block.span)
    return _shifted(split_sentences(block.span.of(text)), block.span.start)


def _part_units(text: str, part: Span, cost: float, index: int, size: int, starts: Sequence[int]) -> Iterator[Unit]:
    if _count(starts, part.start, part.end) <= size:
        yield Unit(part.start, part.end, cost, index)
        return
    sentences = _shifted(split_sentences(part.of(text)), part.start)
    for sentence in sentences:
        for piece in _pieces(text, sentence, size, starts):
            yield Unit(piece.start, piece.end, cost, index)
            cost = IN_PART
        cost = AT_PART


def _pieces(text: str, sentence: Span, size: int, starts: Sequence[int]) -> Iterator[Span]:
    """Cut a sentence that is too long after a clause, else at a space, else between two tokens."""
    start = sentence.start
    while _count(starts, start, sentence.end) > size:
        first = bisect_left(starts, start)
        limit = starts[first + size]  # the first token that doesn't fit any more
        floor = starts[first + size // 2]
        end = _last(_CLAUSE, text, floor, limit) or _last(_SPACE, text, floor, limit) or max(limit, start + 1)
        if piece := _trim(text, start, end):
            yield piece
        start = end
    if piece := _trim(text, start, sentence.end):
        yield piece


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> int | None:
    last = None
    for match in pattern.finditer(text, start, end):
        last = match.end()
    return last if last is not None and last > start else None


def _items(text: str, span: Span) -> list[Span]:
    marks = [match.start() for match in _ITEM.finditer(text, span.start, span.end)]
    edges = sorted({span.start, *marks, span.end})
    return [piece for start, end in pairwise(edges) if (piece := _trim(text, start, end))]


def _lines(text: str, span: Span) -> list[Span]:
    lines = []
    start = span.start
    while start < span.end:
        end = text.find("\n", start, span.end)
        end = span.end if end < 0 else end
        if piece := _trim(text, start, end):
            lines.append(piece)
        start = end + 1
    return lines


def _shifted(spans: Sequence[Span], offset: int) -> list[Span]:
    return [Span(span.start + offset, span.end + offset) for span in spans]


def _trim(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return Span(start + left, start + right) if left < right else None


def _count(starts: Sequence[int], start: int, end: int) -> int:
    return bisect_left(starts, end) - bisect_left(starts, start)
