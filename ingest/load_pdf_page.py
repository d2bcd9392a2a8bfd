"""One open PDF page in, its text lines with their places out. Knows nothing about paragraphs or documents.

pdfium is not thread-safe: whoever touches it holds `PDFIUM`.
"""

import ctypes
import math
import re
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
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
_SPACES = re.compile("[ \u00a0\t]+")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
LEADER = re.compile(r"(?: ?\.){5,} ?")  # the dots of a table of contents
_CELL_GAP = 1.2  # of the font size; a space is 0.25 to 0.3, and rarely more than 1 in justified text
_LEADS = re.compile(r"[$€£¥]|[(（]?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4}|[一二三四五六七八九十]+)[.)）、]|[^\w\s$€£¥%()\-–—]")
_TRAILS = re.compile(r"[%)）]+")
_BOLD = re.compile(rb"bold|black|heavy|semib|demi", re.I)
_FIXED = re.compile(rb"mono|courier|consol|typewriter|cmtt|menlo", re.I)
_FIXED_PITCH = 1  # a flag of the PDF font descriptor


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without a wide gap: the whole line in running text, a cell in a table."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and its place on the page in points, y upwards. `size` is the size of its font;
    `fixed` says that all its characters are equally wide, as in program text.

    pdfium joins a line that ends in a hyphen with the next one: `baseline` is then that of the first, `last_baseline`
    that of the last of them.
    """

    cells: tuple[Cell, ...]
    baseline: float
    last_baseline: float
    size: float
    bold: bool
    fixed: bool = False

    @property
    def text(self) -> str:
        """The words of the line, cells a space apart."""
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        """Where the first character begins."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Where the last character ends."""
        return self.cells[-1].right


@contextmanager
def open_pdf(data: bytes, name: str) -> Iterator[PdfDocument]:
    """Open a PDF while holding `PDFIUM`; SourceError when it is locked or damaged."""
    with PDFIUM:
        try:
            document = PdfDocument(data)
            try:
                yield document
            finally:
                document.close()
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                raise SourceError(f"{name} is encrypted; save a copy without a password and add that.") from error
            raise SourceError(
                f"{name} is a damaged PDF; open it in a PDF viewer, save it again and add that."
            ) from error


def read_lines(page: PdfPage) -> list[Line]:
    """Give the lines of a page in the order of the file, without empty ones."""
    textpage = page.get_textpage()
    try:
        return list(_lines(textpage))
    finally:
        textpage.close()


def _lines(textpage: PdfTextPage) -> Iterator[Line]:
    text = textpage.get_text_range() if textpage.count_chars() else ""
    page = _Characters(textpage, text, tuple(match.start() for match in _ASTRAL.finditer(text)))
    start = 0
    for part in [*_BREAK.finditer(text), None]:
        end = part.start() if part else len(text)
        raw = text[start:end]
        if raw.strip() and _normalise(raw):
            for first, last in _level_parts(page, start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip())):
                yield _line(page, first, last)
        start = part.end() if part else end


@dataclass(frozen=True, slots=True)
class _Characters:
    """A page's text, and its characters as pdfium counts them: in UTF-16 units, less those it can't name."""

    textpage: PdfTextPage
    text: str
    astral: tuple[int, ...]

    def index(self, offset: int) -> int:
        units = offset + bisect_left(self.astral, offset)
        return int(pdfium.FPDFText_GetCharIndexFromTextIndex(self.textpage, units))

    def box(self, offset: int) -> tuple[float, float, float, float]:
        return char_box(self.textpage, self.index(offset))


def _level_parts(page: _Characters, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut where pdfium joined the numbers of a column, one above the other, to one line."""
    first, last = page.index(start), page.index(end - 1)
    tolerance = 0.5 * _font_size(page.textpage, first)
    if abs(_origin(page.textpage, first)[1] - _origin(page.textpage, last)[1]) > tolerance:
        for gap in _SPACES.finditer(page.text, start, end):
            above, below = page.index(gap.start() - 1), page.index(gap.end())
            if abs(_origin(page.textpage, above)[1] - _origin(page.textpage, below)[1]) > tolerance:
                yield start, gap.start()
                start = gap.end()
    yield start, end


def _normalise(raw: str) -> str:
    raw = raw.replace("\ufffe", SOFT_HYPHEN).replace("\x02", SOFT_HYPHEN)
    raw = re.sub(r"[ \t\u00a0\u2000-\u200b]+", " ", clean_text(raw))
    return LEADER.sub(" … ", raw).strip()


def _line(page: _Characters, start: int, end: int) -> Line:
    first, last = page.index(start), page.index(end - 1)
    left, baseline = _origin(page.textpage, first)
    _, last_baseline = _origin(page.textpage, last)
    size = _font_size(page.textpage, first)
    (bold, fixed), (ends_bold, ends_fixed) = _face(page.textpage, first), _face(page.textpage, last)
    bold, fixed = bold and ends_bold, fixed and ends_fixed
    cells: list[Cell] = []
    if abs(baseline - last_baseline) < size and not fixed:
        for gap in _SPACES.finditer(page.text, start, end):
            before, after = page.box(gap.start() - 1)[2], page.box(gap.end())[0]
            if after - before > _CELL_GAP * size:
                cells.append(Cell(_normalise(page.text[start : gap.start()]), left, before))
                start, left = gap.end(), after
    cells.append(Cell(_normalise(page.text[start:end]), left, char_box(page.textpage, last)[2]))
    return Line(_tidy_cells(cells), baseline, last_baseline, size, bold, fixed)


def _tidy_cells(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Join a currency sign, a percent sign or a list mark that stands apart with what it belongs to."""
    joined: list[Cell] = []
    for cell in cells:
        if joined and (_LEADS.fullmatch(joined[-1].text) or _TRAILS.fullmatch(cell.text)):
            before = joined.pop()
            joined.append(Cell(f"{before.text} {cell.text}", before.left, cell.right))
        elif cell.text:
            joined.append(cell)
    return tuple(joined) or tuple(cells[:1])


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


def _face(textpage: PdfTextPage, index: int) -> tuple[bool, bool]:
    """Tell whether the character's font is bold, and whether it is of fixed pitch."""
    flags = ctypes.c_int()
    buffer = ctypes.create_string_buffer(96)
    length = pdfium.FPDFText_GetFontInfo(textpage, index, buffer, len(buffer), flags)
    name = buffer.value if 0 < length <= len(buffer) else b""
    bold = _BOLD.search(name) is not None or pdfium.FPDFText_GetFontWeight(textpage, index) >= 600
    return bold, bool(flags.value & _FIXED_PITCH) or _FIXED.search(name) is not None
