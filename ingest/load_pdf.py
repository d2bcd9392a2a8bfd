"""PDF bytes in, a draft out: the text of every page in order, with headings, paragraphs, lists and tables.

Running heads and feet are dropped. A PDF without any text layer is refused, because nothing in it could be quoted.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pypdfium2 import PdfDocument

from ingest.document import Block, Page, Span
from ingest.errors import SourceError
from ingest.load_draft import Draft, one_line
from ingest.load_pdf_layout import Piece, join, lay_out, learn_style, normalise_title
from ingest.load_pdf_page import Line, open_pdf, read_lines

_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_FILE_NAME = re.compile(r"\.(?:docx?|xlsx?|pptx?|pdf|rtf|indd|qxd|tex|dvi|ps|html?)$", re.I)
_EDGE_LINES = 3


def load_pdf(data: bytes, name: str) -> Draft:
    """Give the text of a PDF; SourceError when it is locked, damaged or holds only pictures."""
    with open_pdf(data, name) as document:
        pages: Sequence[Sequence[Line]] = [read_lines(page) for page in document]
        labels = [document.get_page_label(index) or None for index in range(len(document))]
        bookmarks = _bookmarks(document)
        metadata = {key: one_line(value) for key, value in document.get_metadata_dict().items()}
    if not any(pages):
        raise SourceError(
            f"{name} has no text layer: its {len(pages)} pages are pictures, and reading pictures (OCR) is not built "
            "in yet; run it through an OCR tool first and add the result."
        )
    without_text = [str(number) for number, lines in enumerate(pages, 1) if not lines]
    pages = without_running_lines(pages)
    pages = _without_typewriter(pages)
    style = learn_style(pages)
    laid_out = [lay_out(lines, style, bookmarks.get(index, {})) for index, lines in enumerate(pages)]
    text, blocks, starts = _assemble(laid_out, style.words)
    ends = [*starts[1:], len(text)]
    spans = [Span(start, end) for start, end in zip(starts, ends, strict=True)]
    numbered = tuple(Page(number, span, labels[number - 1]) for number, span in enumerate(spans, 1))
    return Draft(text, tuple(blocks), numbered, _title(metadata), _metadata(metadata, without_text))


def _without_typewriter(pages: Sequence[Sequence[Line]]) -> Sequence[Sequence[Line]]:
    """Fixed pitch marks program text only in a document that isn't set in it throughout."""
    fixed = sum(len(line.text) for lines in pages for line in lines if line.fixed)
    if fixed <= 0.5 * sum(len(line.text) for lines in pages for line in lines):
        return pages
    return [[replace(line, fixed=False) for line in lines] for lines in pages]


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Drop lines at the top and bottom edge that repeat, but for their digits, on at least a third of the pages."""
    counts: Counter[tuple[str, int]] = Counter()
    for lines in pages:
        counts.update({_running_key(line) for line in _edge(lines)})
    needed = max(3, len(pages) / 3)
    kept = []
    for lines in pages:
        rest = list(lines)
        for at in (0, -1):
            for _ in range(_EDGE_LINES):
                if len(rest) > 1 and _repeats(counts, rest[at]) >= needed:
                    del rest[at]
        kept.append(rest)
    return kept


def _edge(lines: Sequence[Line]) -> list[Line]:
    return list(lines) if len(lines) <= 2 * _EDGE_LINES else [*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]]


def _running_key(line: Line) -> tuple[str, int]:
    """The words and the height; a page number may stand at any height, where the page ends early."""
    text = re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text)
    return text, 0 if re.fullmatch(r"\W*#\W*", text) else max(round(line.baseline / 6), 1)


def _repeats(counts: Counter[tuple[str, int]], line: Line) -> int:
    text, height = _running_key(line)
    if not height:
        return counts[text, height]
    return sum(counts[text, near] for near in (height - 1, height, height + 1))


def _bookmarks(document: PdfDocument) -> dict[int, dict[str, int]]:
    """Give the outline by page index: normalised title to heading level."""
    found: dict[int, dict[str, int]] = {}
    for bookmark in document.get_toc(max_depth=8):
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        if index is not None and (title := normalise_title(bookmark.get_title())):
            found.setdefault(index, {}).setdefault(title, min(bookmark.level + 1, 6))
    return found


def _assemble(pages: Sequence[Sequence[Piece]], words: frozenset[str]) -> tuple[str, list[Block], list[int]]:
    """Join the pages' blocks into one text; what runs on overleaf or in the next column becomes one block."""
    parts: list[str] = []
    blocks: list[Block] = []
    starts: list[int] = []
    length = 0
    before: Piece | None = None
    for pieces in pages:
        starts.append(length)
        for index, piece in enumerate(pieces):
            glue = "\n\n" if parts else ""
            runs_on = before is not None and _runs_on(before, piece)
            if runs_on:
                tail, head = parts[-1][-60:], piece.text[:60]
                joined = join(tail, head, words)
                glue = " " if len(joined) > len(tail) + len(head) else ""
            length += len(glue)
            if index == 0:
                starts[-1] = length
            parts.extend((glue, piece.text))
            if runs_on:
                kind = "paragraph" if blocks[-1].kind == "heading" else blocks[-1].kind
                blocks[-1] = Block(kind, Span(blocks[-1].span.start, length + len(piece.text)))
            else:
                blocks.append(Block(piece.kind, Span(length, length + len(piece.text)), piece.level))
            length += len(piece.text)
            before = piece
    if starts:
        starts[0] = 0
    return "".join(parts), blocks, starts


def _runs_on(before: Piece, piece: Piece) -> bool:
    first = piece.text[:1]
    if not before.open_end or piece.kind != "paragraph":
        return False
    return first.islower() or first in "(（" or "\u3400" <= first <= "\u9fff"


def _title(metadata: dict[str, str]) -> str | None:
    """Trust the metadata's title only when it is one: not a file name, a number or a program's placeholder."""
    title = re.sub(r"^(?:Microsoft \w+|PowerPoint \w+)\s*-\s*", "", metadata.get("Title", "")).strip()
    if len(title) < 3 or _FILE_NAME.search(title) or title.lower() in ("untitled", "document", "slide 1"):
        return None
    letters = sum(1 for character in title if character.isalpha())
    return title if letters >= 0.5 * len(title) and ("\\" not in title) else None


def _metadata(found: dict[str, str], without_text: Sequence[str]) -> dict[str, str]:
    metadata = {"author": found.get("Author", ""), "subject": found.get("Subject", "")}
    metadata["keywords"] = found.get("Keywords", "")
    metadata["pages_without_text"] = ", ".join(without_text)
    date = _DATE.match(found.get("ModDate") or "") or _DATE.match(found.get("CreationDate") or "")
    metadata["date"] = "-".join(date.groups()) if date else ""
    return {key: value for key, value in metadata.items() if value}
