"""PDF bytes in, a draft out: the text of every page in order, with headings, paragraphs, lists and tables.

Running heads and feet are dropped. Pages without a text of their own are read by OCR.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import getitem
from pathlib import Path

from pypdfium2 import PdfDocument

from ingest.document import Block, Page, Span
from ingest.errors import WordlessError
from ingest.invisible import with_invisible
from ingest.load_config import LoadConfig
from ingest.load_draft import Draft, one_line
from ingest.load_pdf_columns import find_gutters, usual_gutters
from ingest.load_pdf_grid import Grid, fold_grids, read_grids
from ingest.load_pdf_invisible import take_out_invisible
from ingest.load_pdf_layout import Piece, lay_out, learn_style, title_keys
from ingest.load_pdf_ocr import is_noise, ocr_metadata, page_ranges, pages_to_read, read_pages, within_page_limit
from ingest.load_pdf_page import Line, open_pdf, read_lines, upright_height
from ingest.load_pdf_running import printed_labels, without_running_lines
from ingest.load_pdf_words import join
from ingest.ocr_draft import lay_pages
from ingest.pictured import PICTURED_PAGES, holds_picture
from ingest.step import OnStep, Step, unsaid

_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_FILE_NAME = re.compile(r"\.(?:docx?|xlsx?|pptx?|pdf|rtf|indd|qxd|tex|dvi|ps|html?)$", re.I)
_SAYS_NOTHING = re.compile(
    r"$|united states\b|commission file|securities registered"
    r"|(?:form 10-[kq]|(?:table of )?contents|abstract|introduction|目录|目 录|摘要)$",
    re.I,
)


def load_pdf(data: bytes, name: str, config: LoadConfig | None = None, on_step: OnStep = unsaid) -> Draft:
    """Give the text of a PDF; SourceError when it is locked or damaged, WordlessError when no page has any words."""
    with open_pdf(data, name) as document:
        pages: list[Sequence[Line]] = []
        heights = []
        grids: list[list[Grid]] = []
        pictured: list[int] = []
        n_invisible = 0
        for page in document:
            n_invisible += take_out_invisible(page)
            lines = read_lines(page)
            pages.append(lines)
            on_step(Step("page", len(pages), len(document)))
            heights.append(upright_height(page, lines))
            grids.append(read_grids(page, lines))
            if holds_picture(page):
                pictured.append(len(pages))
        without_text = pages_to_read(document, pages)
        labels = [document.get_page_label(index) or None for index in range(len(document))]
        bookmarks = _bookmarks(document)
        metadata = {key: one_line(value) for key, value in document.get_metadata_dict().items()}
    config = config or LoadConfig()
    max_pages = config.max_ocr_pages
    to_read = within_page_limit(without_text, pages, name, max_pages=max_pages)
    readings = {}
    for number, reading in read_pages(data, name, to_read, threads=config.threads):
        readings[number] = reading
        on_step(Step("scanned page", len(readings), len(to_read)))
    found = {number: reading for number, reading in readings.items() if reading[0].has_words}
    laid = lay_pages(found)
    for number in without_text:
        if number in laid:
            pages[number - 1], heights[number - 1] = laid[number].lines, laid[number].height
        elif is_noise("".join(line.text for line in pages[number - 1])):
            pages[number - 1] = ()
        grids[number - 1] = []
    if not any(pages):
        raise WordlessError(
            f"{name} holds no words: its {len(pages)} pages are empty, or pictures without text; there is nothing to"
            f" quote."
        )
    kept = _metadata(metadata) | ocr_metadata({number: reading for number, (reading, _) in found.items()})
    unread = without_text[len(to_read) :]
    if pictured:
        kept[PICTURED_PAGES] = page_ranges(pictured)
    if unread:
        kept["ocr_pages_limit"] = str(max_pages)
    if empty := sorted({*unread, *(number for number, lines in enumerate(pages, 1) if not lines)}):
        kept["pages_without_text"] = page_ranges(empty)
    regions = {number - 1: page.regions for number, page in laid.items()}
    draft = draft_of_lines(pages, heights, labels, bookmarks, grids, regions)
    stem = Path(name.removesuffix(".gz")).stem
    stated = _title(metadata)
    if stated == stem and found:  # a scanner's idea of a title
        stated = None
    read = tuple(page.words for page in laid.values())
    draft = replace(draft, title=stated or draft.title or stem, metadata=kept, read_pages=read)
    return with_invisible(draft, n_invisible)


def draft_of_lines(
    pages: Sequence[Sequence[Line]],
    heights: Sequence[float],
    labels: Sequence[str | None],
    bookmarks: Mapping[int, Mapping[str, int]],
    grids: Sequence[Sequence[Grid]],
    regions: Mapping[int, Mapping[Line, int]],
) -> Draft:
    """Give the text of pages whose lines are known, and the title that stands on the first of them.

    `bookmarks` give the levels of headings, by normalised title, for pages by index. So do `regions` the columns of
    pages that are in reading order already; of others, the columns are found here.
    """
    kept = _without_typewriter(without_running_lines(pages, heights))
    style = learn_style(kept)
    folded = [fold_grids(lines, ruled) for lines, ruled in zip(kept, grids, strict=True)]
    gutters = [[] if index in regions else find_gutters(lines) for index, lines in enumerate(folded)]
    usual = usual_gutters(gutters)
    laid_out = []
    for index, lines in enumerate(folded):
        titles = bookmarks.get(index, {})
        if index in regions:
            parts = groupby(lines, key=partial(getitem, regions[index]))
            laid_out.append([piece for _, part in parts for piece in lay_out([*part], style, titles)])
        else:
            laid_out.append(lay_out(lines, style, titles, [*gutters[index], *usual]))
    text, blocks, starts = _assemble(laid_out, style.words)
    ends = [*starts[1:], len(text)]
    spans = [Span(start, end) for start, end in zip(starts, ends, strict=True)]
    printed = printed_labels(pages, heights)
    numbered = tuple(
        Page(number, span, label or seen)
        for number, (span, label, seen) in enumerate(zip(spans, labels, printed, strict=True), 1)
    )
    return Draft(text, tuple(blocks), numbered, _title_on_page(text, blocks, spans[0].end))


def _without_typewriter(pages: Sequence[Sequence[Line]]) -> Sequence[Sequence[Line]]:
    """Fixed pitch marks program text only in a document that isn't set in it throughout."""
    fixed = sum(len(line.text) for lines in pages for line in lines if line.fixed)
    if fixed <= 0.5 * sum(len(line.text) for lines in pages for line in lines):
        return pages
    return [[replace(line, fixed=False) for line in lines] for lines in pages]


def _bookmarks(document: PdfDocument) -> dict[int, dict[str, int]]:
    """Give the outline by page index: normalised title, with and without its number, to heading level."""
    found: dict[int, dict[str, int]] = {}
    for bookmark in document.get_toc(max_depth=8):
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        if index is not None:
            for title in title_keys(bookmark.get_title()):
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
                if len(joined) < len(tail) + len(head):  # the hyphen between them is mended away
                    parts[-1], length = parts[-1][:-1], length - 1
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
    if before.kind == "heading":
        return first.islower()
    return first.islower() or first in "(（" or "\u3400" <= first <= "\u9fff"


def _title(metadata: dict[str, str]) -> str | None:
    """Trust the metadata's title only when it is one: not a file name, a number or a program's placeholder."""
    title = re.sub(r"^(?:Microsoft \w+|PowerPoint \w+)\s*-\s*", "", metadata.get("Title", "")).strip()
    if (
        len(title) < 3
        or _FILE_NAME.search(title)
        or _SAYS_NOTHING.match(title)
        or title.lower() in ("untitled", "document", "slide 1")
    ):
        return None
    letters = sum(1 for character in title if character.isalpha())
    return title if letters >= 0.5 * len(title) and ("\\" not in title) else None


def _title_on_page(text: str, blocks: Sequence[Block], end: int) -> str | None:
    """The first heading of the highest rank on the first page, unless it is one that any document may have."""
    headings = [block for block in blocks if block.kind == "heading" and block.span.end <= end]
    best = min((block.level for block in headings), default=0)
    titles = [one_line(block.span.of(text)) for block in headings if block.level == best <= 2]
    return next((title for title in titles if not _SAYS_NOTHING.match(title)), None)


def _metadata(found: dict[str, str]) -> dict[str, str]:
    metadata = {"author": found.get("Author", ""), "subject": found.get("Subject", "")}
    metadata["keywords"] = found.get("Keywords", "")
    date = _DATE.match(found.get("ModDate") or "") or _DATE.match(found.get("CreationDate") or "")
    metadata["date"] = "-".join(date.groups()) if date else ""
    return {key: value for key, value in metadata.items() if value}
