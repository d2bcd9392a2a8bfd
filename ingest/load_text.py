"""Plain text (also reStructuredText and logs) in, a draft with its evident structure out. The text is kept verbatim."""

import re
from collections.abc import Iterator

from ingest.document import Block, BlockKind, Span
from ingest.load_draft import Draft, clean_text
from ingest.sentences import hard_lines

LARGE_CHARACTERS = 16_000_000  # some 8,000 dense pages
_PIECE_CHARACTERS = 4000
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_UNDERLINE = re.compile(r"([=\-~^\"'#*+_])\1{2,}\s*$")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,3}){0,4})\.?\s+(?=[^\W\d_])")
_CHAPTER = re.compile(
    r"(?:chapter|part|appendix|section)\s+[\dIVXLA-Z]{1,6}\b|第[一二三四五六七八九十百零〇\d]{1,5}([编部章节條条])",
    re.I,
)
_CHINESE_SECTION = re.compile(r"[一二三四五六七八九十]{1,3}、\S")
_ITEM = re.compile(
    r"\s*(?:[-*+•‣▪●○◦·]\s+|\(?\d{1,3}[.)、]\s*|\(?[a-zA-Z]\)\s+|[（(]?[一二三四五六七八九十]+[）)、])\S"
)
_TERMINATED = re.compile(r"[.。!！?？;；:：,，、]$")
_RST_MARKS = "=-~^\"'"
_CHINESE_LEVELS = {"编": 1, "部": 1, "章": 1, "节": 2, "條": 3, "条": 3}


def load_text(text: str) -> Draft:
    """Give the text with its headings (underlined, numbered, chapters), lists and paragraphs."""
    text = clean_text(text)
    blocks: list[Block] = []
    marks: list[str] = []
    for paragraph in _PARAGRAPH.finditer(text):
        blocks.extend(_blocks(text, paragraph.start(), paragraph.end(), marks))
    blocks = _without_numbered_lists(text, blocks)
    title = next((_title(text, block) for block in blocks[:1] if block.kind == "heading"), None)
    return Draft(text, tuple(blocks), title=title)


def load_large_text(text: str) -> Draft:
    """Give a text of hundreds of megabytes as plain pieces, cut at blank lines where there are any.

    Its headings and lists are not looked for: a block for each would take several times the text's memory.
    """
    text = clean_text(text)
    return Draft(text, tuple(_coarse_blocks(text)))


def _coarse_blocks(text: str) -> Iterator[Block]:
    start = 0
    while start < len(text):
        end = min(start + _PIECE_CHARACTERS, len(text))
        if end < len(text):
            edges = (text.rfind(edge, start + 1, end) for edge in ("\n\n", "\n", " "))
            end = next((edge for edge in edges if edge > start), end)
        if text[start:end].strip():
            yield Block("paragraph", _trimmed(text, start, end))
        start = end


def _blocks(text: str, start: int, end: int, marks: list[str]) -> Iterator[Block]:
    """Cut one run of non-blank lines into blocks. `marks` holds the underline characters seen so far, by level."""
    lines = _line_spans(text, start, end)
    index = 0
    while index < len(lines):
        if size := _underlined(text, lines, index):
            mark = text[lines[index + size - 1][0]] * (size - 1)
            if mark not in marks:
                marks.append(mark)
            yield Block("heading", Span(lines[index][0], lines[index + size - 1][1]), min(marks.index(mark) + 1, 6))
            index += size
            continue
        following = index + 1
        while following < len(lines) and not _underlined(text, lines, following):
            following += 1
        yield from _plain_blocks(text, lines[index][0], lines[following - 1][1])
        index = following


def _line_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    while start <= end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        spans.append((start, stop))
        start = stop + 1
    return spans


def _underlined(text: str, lines: list[tuple[int, int]], index: int) -> int:
    """Count the lines of an underlined (2) or over- and underlined (3) heading that begins here; else 0."""

    def mark(at: int) -> str:
        if at >= len(lines):
            return ""
        start, end = lines[at]
        return text[start] if end - start >= 3 and _UNDERLINE.match(text, start, end) else ""

    def fits(title: int, rule: int) -> bool:
        start, end = lines[title]
        line = text[start:end].strip()
        return 0 < len(line) <= 100 and (lines[rule][1] - lines[rule][0]) >= 0.6 * len(line)

    first = mark(index)
    if first and first == mark(index + 2) and not mark(index + 1) and fits(index + 1, index):
        return 3
    if not first and (second := mark(index + 1)) and second in _RST_MARKS + "#*+" and fits(index, index + 1):
        return 2
    return 0


def _plain_blocks(text: str, start: int, end: int) -> Iterator[Block]:
    kind: BlockKind = "paragraph"
    first = end  # of the block that is still growing; `end` when there is none
    for line in hard_lines(text[start:end]):
        span = Span(start + line.start, start + line.end)
        level = _heading_level(text, span.start, span.end)
        is_item = not level and bool(_ITEM.match(text, span.start, span.end))
        if is_item and kind == "list" and first < end:
            continue
        if first < span.start:
            yield Block(kind, _trimmed(text, first, span.start))
        kind, first = ("list" if is_item else "paragraph"), span.start
        if level:
            yield Block("heading", span, level)
            first = end
    if first < end:
        yield Block(kind, _trimmed(text, first, end))


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def _heading_level(text: str, start: int, end: int) -> int:
    """Give the level of a one-line heading that shows itself by number, chapter word or capitals; else 0."""
    if end - start > 90:
        return 0
    line = text[start:end].strip()
    if not line or "\n" in line or _TERMINATED.search(line):
        return 0
    if chapter := _CHAPTER.match(line):
        return _CHINESE_LEVELS.get(chapter.group(1) or "", 1) if len(line) <= 60 else 0
    if _CHINESE_SECTION.match(line):
        return 2 if len(line) <= 30 else 0
    if numbered := _NUMBERED.match(line):
        return min(numbered.group(1).count(".") + 1, 6) if len(line) <= 80 else 0
    letters = [character for character in line if character.isalpha()]
    if len(letters) >= 4 and len(line) <= 60 and line.isupper() and all(letter.isascii() for letter in letters):
        return 1 if len(line.split()) <= 8 else 0
    return 0


def _without_numbered_lists(text: str, blocks: list[Block]) -> list[Block]:
    """Make one list of "1. Apples" and "2. Pears" that follow each other without text between, and of contents."""
    result: list[Block] = []
    run: list[Block] = []
    for block in [*blocks, None]:
        if block is not None and block.kind == "heading" and _is_numbered(text, block):
            run.append(block)
            continue
        levels = [heading.level for heading in run]
        if (len(run) == 2 and levels[0] == levels[1]) or (len(run) > 2 and levels != sorted(set(levels))):
            result.append(Block("list", Span(run[0].span.start, run[-1].span.end)))
        else:
            result.extend(run)
        run = []
        if block is not None:
            result.append(block)
    return result


def _is_numbered(text: str, block: Block) -> bool:
    start, end = block.span.start, block.span.end
    return "\n" not in text[start:end] and bool(
        _NUMBERED.match(text, start, end) or _CHINESE_SECTION.match(text, start)
    )


def _title(text: str, block: Block) -> str | None:
    lines = [line.strip() for line in block.span.of(text).split("\n")]
    return next((line for line in lines if line and not _UNDERLINE.match(line)), None)
