"""Lines of a PDF's pages in, its headings, paragraphs, lists and tables out. Pure; knows nothing about pdfium.

A line break is taken for wrapping when the next word would not have fitted into the column, and a wider gap than the
usual one between lines ends a paragraph. Nothing here is right for every PDF; no word is ever dropped but the running
heads and feet that repeat from page to page.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ingest.document import BlockKind
from ingest.load_pdf_columns import read_order
from ingest.load_pdf_page import SOFT_HYPHEN, Line
from ingest.load_pdf_table import Table, gather_tables
from ingest.load_pdf_words import WIDE, join, mend_hyphens

_ITEM = re.compile(
    r"(?:[•‣▪●○◦·■□➢✓\uf0b7\uf0a7\uf0d8]\s*|[-–*]\s|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)\s|\d{1,2}[.、]\s|[（(][一二三四五六七八九十]+[）)])\S"
)
_BULLET = re.compile(r"(?:[^\w\s(（“\"‘'【《〈§]|[-–*])\s*\S")
_NUMBER = re.compile(r"[(\[]?[-+–]?[$€£¥]?\(?\d[\d,.]*%?[)\]]?|[-–—]+|[$€£¥%)]")
_SECTION = re.compile(r"(\d{1,2}(?:\.\d{1,2})+)\.?\s+\S")
_ENDS_SENTENCE = re.compile(r"[.。!！?？:：;；][\"”’)）\]]*$")
_LONGEST_TITLE = 160  # characters
_TITLE_NUMBER = re.compile(
    r"^\s*(?:(?:chapter|appendix|part|section|annex|item|note)\s+[\divxlcA-Z]{1,5}(?:\.\d+)*"
    r"|\d{1,3}(?:\.\d+)*|[A-Z](?:\.\d+)+|第\s*[\d一二三四五六七八九十百]+\s*[章节篇部]|附录\s*[A-Z\d])"
    r"[.:：、—–\s-]*(?=\S)",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in this document: body size, the gap between lines by size, sizes of headings, words and links."""

    body: float
    leading: Mapping[float, float]
    heading_sizes: tuple[float, ...]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """One block on one page. `open_end` says that its last line was full and ends no sentence, or that it is a bold
    line that may be a lead-in: what follows in lower case goes on with it.
    """

    kind: BlockKind
    text: str
    level: int = 0
    open_end: bool = False


@dataclass(slots=True)
class _Run:
    """Lines that were joined into one logical line."""

    text: str
    lines: list[Line]
    gap_before: bool
    full: bool = False


def learn_style(pages: Sequence[Sequence[Line]]) -> Style:
    """Give what is usual in these pages."""
    characters: Counter[float] = Counter()
    drops: dict[float, Counter[float]] = {}
    words: set[str] = set()
    for lines in pages:
        for line in lines:
            characters[line.size] += len(line.text)
        words.update(_whole_words(lines))
        for above, below in pairwise(lines):
            drop = above.baseline - below.baseline
            if above.size == below.size and 0.8 * above.size < drop < 3 * above.size:
                drops.setdefault(above.size, Counter())[round(drop * 2) / 2] += 1
    body = max(characters, key=lambda size: characters[size], default=10.0)
    sizes = sorted({size for size in characters if size >= 1.12 * body}, reverse=True)
    return Style(body, {size: _usual(counts) for size, counts in drops.items()}, tuple(sizes), frozenset(words))


def _whole_words(lines: Sequence[Line]) -> Iterator[str]:
    """Give the words in lower case, without the halves of those that are hyphenated between lines."""
    is_cut = False
    for text in (cell.text for line in lines for cell in line.cells):
        found = _WORD.findall(text)
        was_cut, is_cut = is_cut, text[-1:] in ("-", "‐", SOFT_HYPHEN)
        yield from (word.lower() for word in found[was_cut : len(found) - is_cut])


def _usual(drops: Counter[float]) -> float:
    """The smallest gap that is common: rows of tables may outnumber lines of text, but stand further apart."""
    total = drops.total()
    return min(drop for drop, count in drops.items() if count >= 0.15 * total or count == max(drops.values()))


def lay_out(
    lines: Sequence[Line], style: Style, bookmarks: Mapping[str, int], gutters: Sequence[float] = ()
) -> list[Piece]:
    """Give the blocks of one page; `bookmarks` maps the normalised titles of outline entries to heading levels, and
    `gutters` are where columns may begin.
    """
    return [piece for region in read_order(lines, gutters) for piece in _lay_out_region(region, style, bookmarks)]


def _lay_out_region(lines: Sequence[Line], style: Style, bookmarks: Mapping[str, int]) -> list[Piece]:
    pieces: list[Piece] = []
    for is_ruled, stretch in groupby(lines, key=lambda line: bool(line.rows)):
        if is_ruled:
            pieces.extend(_table(line.rows, style) for line in stretch)
            continue
        for is_table, entries in groupby(gather_tables(list(stretch)), key=lambda entry: isinstance(entry, Table)):
            if is_table:
                pieces.extend(_table(entry.rows, style) for entry in entries)
            else:
                prose = [entry for entry in entries if isinstance(entry, Line)]
                pieces.extend(_lay_out_prose(prose, style, bookmarks))
    return pieces


def _table(rows: Sequence[str], style: Style) -> Piece:
    return Piece("table", "\n".join(mend_hyphens(row, style.words) for row in rows))


def _lay_out_prose(lines: Sequence[Line], style: Style, bookmarks: Mapping[str, int]) -> list[Piece]:
    pieces: list[Piece] = []
    waiting: list[_Run] = []
    kind: BlockKind = "paragraph"
    runs = _runs(lines, style)
    for run in _with_whole_titles(runs, bookmarks) if bookmarks else runs:
        level = _heading_level(run, style, bookmarks)
        run_kind = "heading" if level else _kind(run)
        belongs = run_kind == kind and (kind != "paragraph" or _continues(waiting, run))
        if waiting and (level or not belongs):
            pieces.append(_piece(kind, waiting))
            waiting = []
        if level:
            pieces.append(Piece("heading", run.text, level, open_end=run.lines[0].size < 1.12 * style.body))
        else:
            kind = run_kind
            waiting.append(run)
    if waiting:
        pieces.append(_piece(kind, waiting))
    return pieces


def title_keys(text: str) -> list[str]:
    """Give forms in which titles can be compared: their letters and digits in lower case, with and without a number."""
    keys = (re.sub(r"[\W_]+", "", form).lower() for form in (text, _TITLE_NUMBER.sub("", text)))
    return [key for key in dict.fromkeys(keys) if key]


def _runs(lines: Sequence[Line], style: Style) -> list[_Run]:
    runs: list[_Run] = []
    groups = _groups(lines, style)
    for group in groups:
        column = max(line.right for line in group)
        for index, line in enumerate(group):
            wraps = index > 0 and _wraps(group[index - 1], line, column)
            text = mend_hyphens(line.text, style.words)
            if wraps:
                runs[-1].text = join(runs[-1].text, text, style.words)
                runs[-1].lines.append(line)
            else:
                runs.append(_Run(text, [line], gap_before=index == 0))
            runs[-1].full = len(group) > 1 and line.right > column - 3 * line.size
    return runs


def _groups(lines: Sequence[Line], style: Style) -> list[list[Line]]:
    """Cut where the gap is wider than usual, the size changes, a bold line meets a plain one, or a column ends."""
    groups: list[list[Line]] = []
    for line in lines:
        above = groups[-1][-1] if groups else None
        if above is None:
            groups.append([line])
            continue
        drop = above.baseline - line.baseline
        usual = style.leading.get(line.size, 1.25 * line.size)
        same = abs(above.size - line.size) <= 0.08 * max(line.size, above.size)
        same = same and (above.bold, above.fixed) == (line.bold, line.fixed)
        if same and 0 < drop <= 1.25 * max(usual, line.size) and not _ITEM.match(line.text):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _wraps(above: Line, below: Line, column: float) -> bool:
    if above.fixed or below.fixed:
        return False
    if above.text.endswith(SOFT_HYPHEN):
        return True
    if _is_row(above.text) and _is_row(below.text):
        return False
    if below.text[0].islower() and above.right > 0.6 * column and not _ENDS_SENTENCE.search(above.text):
        return True
    width = max(below.right - below.left, 1.0) / max(len(below.text), 1)
    first = below.text[0] if WIDE.match(below.text) else below.text.split(" ", 1)[0]
    return above.right + (len(first) + 0.5) * width > column - 0.5 * below.size


def _kind(run: _Run) -> BlockKind:
    if run.lines[0].fixed:
        return "code"
    if _ITEM.match(run.text):
        return "list"
    return "table" if len(run.lines) == 1 and _is_row(run.text) else "paragraph"


def _is_row(text: str) -> bool:
    tokens = text.split()
    numbers = sum(1 for token in tokens if _NUMBER.fullmatch(token))
    return numbers >= 2 and numbers >= 0.5 * len(tokens)


def _heading_level(run: _Run, style: Style, bookmarks: Mapping[str, int]) -> int:
    line, text = run.lines[0], run.text
    if len(text) > _LONGEST_TITLE or len(run.lines) > 3 or not re.search(r"[^\W\d_]", text):
        return 0
    if level := _bookmark_level(text, bookmarks):
        return level
    if _is_row(text) or not run.gap_before or line.fixed or _BULLET.match(text):
        return 0
    larger, bold = line.size >= 1.12 * style.body, line.bold and line.size >= 0.9 * style.body
    if not larger and not (bold and len(text) <= 110 and not re.search(r"[.。,，;；:：]$", text)):
        return 0
    if section := _SECTION.match(text):
        return min(section.group(1).count(".") + 1, 6)
    if larger:
        return min(style.heading_sizes.index(line.size) + 1, 4)
    return min(len(style.heading_sizes) + 1, 5)


def _bookmark_level(text: str, bookmarks: Mapping[str, int]) -> int:
    return next((bookmarks[key] for key in title_keys(text) if key in bookmarks), 0) if bookmarks else 0


def _with_whole_titles(runs: Sequence[_Run], bookmarks: Mapping[str, int]) -> list[_Run]:
    """Join two runs that only together are a bookmark's title."""
    whole: list[_Run] = []
    for run in runs:
        above = whole[-1] if whole and len(whole[-1].text) + len(run.text) < _LONGEST_TITLE else None
        text = f"{above.text} {run.text}" if above is not None else ""
        alone = (above.text, run.text) if above is not None else ()
        if above and _bookmark_level(text, bookmarks) and not any(_bookmark_level(t, bookmarks) for t in alone):
            whole[-1] = _Run(text, [*above.lines, *run.lines], above.gap_before, run.full)
        else:
            whole.append(run)
    return whole


def _continues(waiting: Sequence[_Run], run: _Run) -> bool:
    """Keep short unwrapped lines that stand close together (addresses, program text) in one block."""
    if not waiting or run.gap_before:
        return False
    return len(run.lines) == 1 and len(waiting[-1].lines) == 1 and not _ENDS_SENTENCE.search(waiting[-1].text)


def _piece(kind: BlockKind, runs: Sequence[_Run]) -> Piece:
    if kind == "table" and len(runs) == 1:
        kind = "paragraph"
    last = runs[-1]
    full = last.full or len(last.text) > 60
    open_end = kind in ("paragraph", "list") and full and not _ENDS_SENTENCE.search(last.text)
    return Piece(kind, "\n".join(run.text for run in runs), 0, open_end)
