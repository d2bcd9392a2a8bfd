"""A Document in, its Chunks out, cut along its structure. Knows nothing about embedders but where their tokens start.

Sections are packed one by one; inside a section the cuts are chosen together (shortest path over all allowed cuts), so
that a list stays whole where it can, no heading is left alone at a chunk's end and no chunk is a two-word rest.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from ingest.chunk_units import AFTER_HEADING, Unit, block_units
from ingest.document import Block, Chunk, Document, Span, chunk_id

TokenStarts = Callable[[str], Sequence[int]]
_WINDOW_CHARACTERS = 20_000
_TOKEN_CHARACTERS = 64
_WINDOW_UNITS = 20_000  # sentences or rows, some thousand pages' worth of one section
_MARKUP = re.compile(r"^[#=*\-~\s]+|[#=*\-~\s]+$|[`*]+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_RULE = re.compile(r"^\W+$")
_KEYED = re.compile(r"[^:：|]{1,80}[:：] ")
_HEADER_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ChunkingConfig:
    """`size_tokens` is the most a chunk may hold; sections below `min_tokens` are merged with neighbours."""

    size_tokens: int = 150
    min_tokens: int = 45

    def __post_init__(self) -> None:
        if not 0 <= self.min_tokens <= self.size_tokens or self.size_tokens < 1:
            raise ValueError(f"wanted 0 <= min_tokens <= size_tokens, got {self.min_tokens} and {self.size_tokens}")


@dataclass(slots=True)
class _Section:
    """Blocks under one heading path: those numbered first..last (the last one excluded)."""

    path: tuple[str, ...]
    first: int
    last: int
    level: int


def chunk_document(document: Document, config: ChunkingConfig, token_starts: TokenStarts) -> list[Chunk]:
    """Give the chunks in text order: verbatim, disjoint, covering every word, none above `size_tokens` tokens.

    `token_starts(text)` gives the offset of the first character of each token, ascending. A chunk's page is that of its
    first character. Only a single token that is itself too long can exceed the size.
    """
    return list(iter_chunks(document, config, token_starts))


def iter_chunks(document: Document, config: ChunkingConfig, token_starts: TokenStarts) -> Iterator[Chunk]:
    """Give what `chunk_document` gives one by one, so that those of a huge document need not be held together."""
    blocks = _covering_blocks(document)
    starts = _all_token_starts(document.text, token_starts)
    page_starts = [page.span.start for page in document.pages]
    for section in _merged_sections(_sections(document, blocks), blocks, config, starts):
        for units in _windows(_units(document.text, blocks, section, config, starts)):
            for first, last in _pack(units, config, starts):
                headings = section.path + _table_header(document.text, blocks, units, first)
                span = Span(units[first].start, units[last].end)
                for piece in _within_size(document.text, span, config.size_tokens, token_starts):
                    page = document.pages[bisect_right(page_starts, piece.start) - 1].number if page_starts else None
                    text = piece.of(document.text)
                    yield Chunk(chunk_id(document.id, piece, text), document.id, piece, text, headings, page)


def _windows(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    """Give units in lists of bounded length: to choose the cuts of a section takes hundreds of bytes a unit."""
    while window := list(islice(units, _WINDOW_UNITS)):
        yield window


def _all_token_starts(text: str, token_starts: TokenStarts) -> "array[int]":
    """Tokenize window by window, cut at white space, so that memory stays bounded: four bytes a token."""
    starts = array("I")
    position = 0
    while position < len(text):
        end = min(position + _WINDOW_CHARACTERS, len(text))
        if end < len(text):
            cut = max(text.rfind("\n", position + 1, end), text.rfind(" ", position + 1, end))
            end = cut if cut > position else end
        starts.extend(position + start for start in _without_giants(token_starts(text[position:end]), end - position))
        position = end
    return starts


def _without_giants(starts: Sequence[int], length: int) -> Iterator[int]:
    """Count a token of many characters as several: to some embedders a megabyte of base64 is one unknown word."""
    for start, following in pairwise((*starts, length)):
        yield from range(start, following, _TOKEN_CHARACTERS) if following - start > _TOKEN_CHARACTERS else (start,)


def _covering_blocks(document: Document) -> list[Block]:
    """The document's blocks, with what stands between them as paragraphs of its own."""
    blocks: list[Block] = []
    position = 0
    end_of_text = Block("paragraph", Span(len(document.text), len(document.text)))
    for block in (*document.blocks, end_of_text):
        gap = document.text[position : block.span.start]
        if stripped := gap.strip():
            start = position + gap.index(stripped)
            blocks.append(Block("paragraph", Span(start, start + len(stripped))))
        if block.span.of(document.text).strip():
            blocks.append(block)
        position = block.span.end
    return blocks


def _sections(document: Document, blocks: Sequence[Block]) -> list[_Section]:
    path: list[tuple[int, str]] = []
    sections = [_Section((document.title,), 0, 0, 0)]
    for index, block in enumerate(blocks):
        if block.kind == "heading":
            level = max(block.level, 1)
            path = [entry for entry in path if entry[0] < level]
            path.append((level, block.name or _heading_text(block.span.of(document.text))))
            sections.append(_Section(_names(document.title, path), index, index, level))
        sections[-1].last = index + 1
    return [section for section in sections if section.last > section.first]


def _names(title: str, path: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """The title and the headings, without those that repeat the title or the heading above."""
    inner = [name for _, name in path if name and name.casefold() not in title.casefold()]
    return tuple(dict.fromkeys((title, *inner)))


def _heading_text(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip() and not _RULE.match(line)]
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", line)).strip() for line in lines)[:200]


def _merged_sections(
    sections: Sequence[_Section], blocks: Sequence[Block], config: ChunkingConfig, starts: Sequence[int]
) -> Iterator[_Section]:
    """Merge tiny sections with a sibling or with the parent before them, and a bare heading with what follows it."""

    def tokens(first: int, last: int) -> int:
        return _count(starts, blocks[first].span.start, blocks[last - 1].span.end)

    current: _Section | None = None
    for section in sections:
        if current is None:
            current = section
            continue
        bare = all(block.kind == "heading" for block in blocks[current.first : current.last])
        tiny = min(tokens(current.first, current.last), tokens(section.first, section.last)) < config.min_tokens
        joined = tokens(current.first, section.last)
        if bare and section.level > current.level:
            current = _Section(section.path, current.first, section.last, section.level)
        elif tiny and joined <= config.size_tokens and section.level >= current.level:
            path = tuple(name for name, other in zip(current.path, section.path, strict=False) if name == other)
            current = _Section(path, current.first, section.last, current.level)
        else:
            yield current
            current = section
    if current is not None:
        yield current


def _units(
    text: str, blocks: Sequence[Block], section: _Section, config: ChunkingConfig, starts: Sequence[int]
) -> Iterator[Unit]:
    before: Block | None = None
    for index in range(section.first, section.last):
        after_heading = before is not None and before.kind == "heading"
        for number, unit in enumerate(block_units(text, blocks[index], index, config.size_tokens, starts)):
            yield unit._replace(cost=AFTER_HEADING) if after_heading and number == 0 else unit
            before = blocks[index]


def _pack(units: Sequence[Unit], config: ChunkingConfig, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Choose the cuts with the least total cost; give each chunk's first and last unit.

    A chunk costs 1, so fewer are better, plus up to 2 as it falls below `min_tokens`, plus a little for being uneven.
    """
    size, least = config.size_tokens, max(config.min_tokens, 1)
    firsts = [bisect_left(starts, unit.start) for unit in units]
    lasts = [bisect_left(starts, unit.end) for unit in units]
    best = [0.0] + [float("inf")] * len(units)
    previous = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        for start in range(end - 1, -1, -1):
            tokens = lasts[end - 1] - firsts[start]
            if tokens > size and start < end - 1:
                break
            cost = best[start] + (units[start].cost if start else 0.0) + 1.0 + 0.3 * ((size - tokens) / size) ** 2
            if tokens < least:
                cost += 2.0 * (least - tokens) / least
            if cost < best[end]:
                best[end], previous[end] = cost, start
    packed = []
    end = len(units)
    while end > 0:
        packed.append((previous[end], end - 1))
        end = previous[end]
    return packed[::-1]


def _table_header(text: str, blocks: Sequence[Block], units: Sequence[Unit], first: int) -> tuple[str, ...]:
    """The header row of the table that a chunk starts inside of; rows that name their own columns need none."""
    unit = units[first]
    block = blocks[unit.block]
    if block.kind != "table" or unit.start == block.span.start:
        return ()
    header = block.span.of(text[: block.span.start + _HEADER_CHARACTERS]).split("\n", 1)[0].strip()
    return () if not header or _KEYED.match(header) else (header,)


def _within_size(text: str, span: Span, size: int, token_starts: TokenStarts) -> Iterator[Span]:
    """Cut a chunk again that has more tokens on its own than it had in its surroundings."""
    piece = span.of(text)
    all_starts = token_starts(piece)
    starts = [start for start in all_starts if 0 < start < len(piece)]
    if len(all_starts) <= size or not starts:
        yield span
        return
    middle = starts[len(starts) // 2]
    space = piece.rfind(" ", starts[len(starts) // 4], middle)
    cut = span.start + (space if space > 0 else middle)
    for start, end in ((span.start, cut), (cut, span.end)):
        part = text[start:end]
        left, right = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        if left < right:
            yield from _within_size(text, Span(left, right), size, token_starts)


def _count(starts: Sequence[int], start: int, end: int) -> int:
    return bisect_left(starts, end) - bisect_left(starts, start)
