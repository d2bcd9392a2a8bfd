"""One open PDF page in, its text lines with their places out. Knows nothing about paragraphs or documents.

pdfium is not thread-safe: whoever touches it holds `PDFIUM`.
"""

import ctypes
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

from ingest.errors import SourceError
from ingest.load_draft import clean_text

PDFIUM = threading.Lock()
SOFT_HYPHEN = "\u00ad"  # how a hyphen that pdfium takes for a line-end hyphen is written in a Line

_BREAK = re.compile("\r\n|\r|\n")
_BOLD = re.compile(rb"bold|black|heavy|semib|demi", re.I)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and its place on the page in points, y upwards. `size` is the size of its font.

    pdfium joins a line that ends in a hyphen with the next one: `baseline` is then that of the first, `last_baseline`
    that of the last of them, and `left` and `right` are those of its first and last character.
    """

    text: str
    left: float
    right: float
    baseline: float
    last_baseline: float
    size: float
    bold: bool


@contextmanager
def open_pdf(data: bytes, name: str) -> Iterator[PdfDocument]:
    """Open a PDF while holding `PDFIUM`; SourceError when it is locked or damaged."""
    with PDFIUM:
        try:
            document = PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                raise SourceError(f"{name} is encrypted; save a copy without a password and add that.") from error
            raise SourceError(
                f"{name} is a damaged PDF; open it in a PDF viewer, save it again and add that."
            ) from error
        try:
            yield document
        finally:
            document.close()


def read_lines(page: PdfPage) -> list[Line]:
    """Give the lines of a page in the order of the file, without empty ones."""
    textpage = page.get_textpage()
    try:
        return list(_lines(textpage))
    finally:
        textpage.close()


def _lines(textpage: PdfTextPage) -> Iterator[Line]:
    text = textpage.get_text_range() if textpage.count_chars() else ""
    start = 0
    for part in [*_BREAK.finditer(text), None]:
        end = part.start() if part else len(text)
        raw = text[start:end]
        if words := _normalise(raw):
            first = start + len(raw) - len(raw.lstrip())
            last = start + len(raw.rstrip()) - 1
            yield _line(textpage, words, _utf16(text, first), _utf16(text, last))
        start = part.end() if part else end


def _normalise(raw: str) -> str:
    raw = raw.replace("\ufffe", SOFT_HYPHEN).replace("\x02", SOFT_HYPHEN)
    return re.sub(r"[ \t\u00a0\u2000-\u200b]+", " ", clean_text(raw)).strip()


def _utf16(text: str, index: int) -> int:
    """pdfium counts UTF-16 units; almost no page holds a character that needs two."""
    return index if text.isascii() else index + sum(1 for character in text[:index] if character > "\uffff")


def _line(textpage: PdfTextPage, words: str, first: int, last: int) -> Line:
    first = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, first)
    last = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, last)
    left, baseline = _origin(textpage, first)
    _, last_baseline = _origin(textpage, last)
    _, _, right, _ = char_box(textpage, last)
    bold = _is_bold(textpage, first) and _is_bold(textpage, last)
    return Line(words, left, right, baseline, last_baseline, _font_size(textpage, first), bold)


def char_box(textpage: PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Give left, bottom, right, top of a character's cell, which is as high as its font; zeros where unknown."""
    box = pdfium.FS_RECTF()
    if index < 0 or not pdfium.FPDFText_GetLooseCharBox(textpage, index, box):
        return (0.0, 0.0, 0.0, 0.0)
    return (min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top))


def _origin(textpage: PdfTextPage, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, index, x, y)
    return x.value, y.value


def _font_size(textpage: PdfTextPage, index: int) -> float:
    """Give the size as drawn: the nominal size is often 1, scaled up by the text matrix."""
    matrix = pdfium.FS_MATRIX()
    size = float(pdfium.FPDFText_GetFontSize(textpage, index))
    if pdfium.FPDFText_GetMatrix(textpage, index, matrix):
        return round(size * math.hypot(matrix.c, matrix.d), 1)
    return round(size, 1)


def _is_bold(textpage: PdfTextPage, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(textpage, index) >= 600:
        return True
    flags = ctypes.c_int()
    buffer = ctypes.create_string_buffer(96)
    length = pdfium.FPDFText_GetFontInfo(textpage, index, buffer, len(buffer), flags)
    return 0 < length <= len(buffer) and _BOLD.search(buffer.value) is not None
