"""A PDF's pages that have no text of their own in, what OCR reads on them out. Knows nothing about layout.

A page is such a one when it has no text layer, when its text layer is noise, and when it is a picture with at most a
stamp over it. All other pages are left as they are, pictures on them included.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfPage

from ingest.errors import SourceError, UnseenError
from ingest.load_pdf_page import Line, open_pdf
from ingest.ocr_engine import MAX_SIDE, Reading, let_go, read_picture

_DPI = 200  # the fewest errors of 150, 200 and 300 on poor scans: benchmarks/LOG.md 2026-11-25
_STAMP = 60  # characters: a scanner's mark, a page number, a file's number
_PICTURE = 0.6  # of the page
_WORD = re.compile(r"\w")
_NO_TEXT = frozenset({"Co", "Cn", "Cs", "Cc"})  # private use, unassigned, lone surrogates, control characters


def pages_to_read(document: PdfDocument, pages: Sequence[Sequence[Line]]) -> list[int]:
    """Give the numbers of the pages that must be read by OCR."""
    return [number for number, lines in enumerate(pages, 1) if _is_picture(document[number - 1], lines)]


def within_page_limit(
    numbers: Sequence[int], pages: Sequence[Sequence[Line]], name: str, *, max_pages: int
) -> Sequence[int]:
    """Give those of the pages to be read that may be: the first `max_pages`.

    Raises SourceError when there are more and no other page has text: then too little of the document would be known.
    """
    if len(numbers) > max_pages:
        to_read = set(numbers)
        if not any(lines for number, lines in enumerate(pages, 1) if number not in to_read):
            raise too_many_pages(name, len(numbers), max_pages)
    return numbers[:max_pages]


def read_pages(
    data: bytes, name: str, numbers: Sequence[int], *, threads: int = 0
) -> Iterator[tuple[int, tuple[Reading, float]]]:
    """Read pages by OCR; give the number of each with what was read, and how many points a pixel is.

    pdfium is free for others while a page is read. A book with a scanned cover leaves no models in memory: scans, which
    need them again, come in numbers.
    """
    n_pages = 0
    for number in numbers:
        with open_pdf(data, name) as document:
            n_pages = len(document)
            page = document[number - 1]
            scale = min(_DPI / 72, MAX_SIDE / max(page.get_size()))
            picture = page.render(scale=scale).to_pil().convert("RGB")
            n_points = page.get_width() * page.get_height()
        reading = read_picture(picture, threads=threads)
        yield number, (reading, (n_points / (reading.width * reading.height)) ** 0.5)
    if 2 * len(numbers) < n_pages:
        let_go()


def too_many_pages(name: str, n_pages: int, max_pages: int) -> SourceError:
    """Make the error for a document that OCR would take hours to read."""
    if not max_pages:
        return SourceError(_off(name, n_pages))
    return SourceError(
        f"{name} has {n_pages:,} pages to be read by OCR, more than the limit of {max_pages:,}; split it, or raise the"
        f" setting ocr_pages."
    )


def ocr_is_off(name: str, n_frames: int) -> UnseenError:
    """Make the error for a picture that would be read if OCR were on."""
    return UnseenError(_off(name, n_frames))


def _off(name: str, n_pages: int) -> str:
    pages = "1 page" if n_pages == 1 else f"{n_pages:,} pages"
    return f"{name} has {pages} to be read by OCR, and OCR is turned off; set ocr_pages to how many pages it may read."


def is_noise(text: str) -> bool:
    """Tell whether a text layer holds nothing that a person could read."""
    if not _WORD.search(text):
        return True
    kept = [character for character in text if not character.isspace()]
    wrong = sum(1 for character in kept if character == "\ufffd" or unicodedata.category(character) in _NO_TEXT)
    return wrong > 0.3 * len(kept)


def page_ranges(numbers: Sequence[int]) -> str:
    """Write ascending page numbers as `1-3, 7`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def ocr_metadata(readings: Mapping[int, Reading]) -> dict[str, str]:
    """Say which pages (by number) were read by OCR, how surely, and how many of their lines are in doubt."""
    read = {number: reading for number, reading in readings.items() if reading.lines}
    if not read:
        return {}
    lines = [line for reading in read.values() for line in reading.lines]
    weights = [len(line.text) for line in lines]
    mean = sum(line.confidence * weight for line, weight in zip(lines, weights, strict=True)) / sum(weights)
    return {
        "pages_read_by_ocr": page_ranges(sorted(read)),
        "ocr_confidence": f"{mean:.3f}",
        "ocr_lines_in_doubt": str(sum(1 for line in lines if line.is_in_doubt) or ""),
    }


def _is_picture(page: PdfPage, lines: Sequence[Line]) -> bool:
    if pdfium.FPDFPage_CountObjects(page) <= 0:
        return False
    text = "\n".join(line.text for line in lines)
    if is_noise(text):
        return True
    return len("".join(text.split())) <= _STAMP and picture_share(page) >= _PICTURE


def picture_share(page: PdfPage) -> float:
    """Give how much of the page its largest picture covers."""
    width, height = page.get_size()
    if page.get_rotation() % 180:
        width, height = height, width
    largest = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        left, bottom, right, top = image.get_bounds()
        largest = max(largest, (min(right, width) - max(left, 0)) * (min(top, height) - max(bottom, 0)))
    return float(largest / max(width * height, 1.0))
