"""One open PDF page in, its text lines with their places out. Knows nothing about paragraphs or documents.

pdfium is not thread-safe: whoever touches it holds `PDFIUM`.
"""

import ctypes
import math
import re
import threading
from bisect import bisect_left
from collections import Counter
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
_JOINT = re.compile("[ \u00a0\t]+|[\ufffe\x02]")  # where pdfium may have joined two lines
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
LEADER = re.compile(r"(?: ?\.){5,} ?")  # the dots of a table of contents
_CELL_GAP = 1.2  # of the font size; a space is 0.25 to 0.3, and rarely more than 1 in justified text
_PART_GAP = 0.55  # narrower than a cell's gap: a gap only where the lines around have one too
_LEADS = re.compile(r"[$€£¥]|[(（]?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4}|[一二三四五六七八九十]+)[.)）、]|[^\w\s$€£¥%()\-–—]")
_SIGN = re.compile("[$€£¥]")
_TRAILS = re.compile(r"[%)）]+")
_BOLD = re.compile(rb"bold|black|heavy|semib|demi", re.I)
_FIXED = re.compile(rb"mono|courier|consol|typewriter|cmtt|menlo", re.I)
_BOX = pdfium.FS_RECTF()  # one for all characters: whoever calls holds `PDFIUM`
_FIXED_PITCH = 1  # a flag of the PDF font descriptor


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without a wide gap: the whole line in running text, a cell in a table.

    `parts` are the stretches between its less wide gaps, where it has any: a narrow gutter may run through one.
    """

    text: str
    left: float
    right: float
    parts: tuple["Cell", ...] = ()

    def without_parts(self) -> "Cell":
        """Give the cell as one stretch."""
        return Cell(self.text, self.left, self.right)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and its place on the page in points, y upwards, turned so that the words run to the right.

    `size` is the size of its font; `fixed` says that all its characters are equally wide, as in program text; `turn`
    is by how many quarters (counter-clockwise) the words are turned on the page. `rows` are those of a ruled table that
    stands here in place of its lines.
    """

    cells: tuple[Cell, ...]
    baseline: float
    size: float
    bold: bool
    fixed: bool = False
    turn: int = 0
    rows: tuple[str, ...] = ()

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
    """Give the lines of a page in the order of the file, without empty ones; lines that are turned otherwise than most
    of the page come last.
    """
    textpage = page.get_textpage()
    try:
        lines = list(_lines(textpage, user_size(page)))
    finally:
        textpage.close()
    turn = main_turn(lines)
    upward = [-line.baseline if line.turn > 1 else 0.0 for line in lines]  # pdfium gives these from the bottom
    order = sorted(range(len(lines)), key=lambda index: (lines[index].turn != turn, upward[index]))
    return [lines[index] for index in order]


def main_turn(lines: Sequence[Line]) -> int:
    """Give the turn of most of the page's words."""
    turns: Counter[int] = Counter()
    for line in lines:
        turns[line.turn] += len(line.text)
    return max(turns, key=lambda turn: turns[turn], default=0)


def turned(x: float, y: float, size: tuple[float, float], turn: int) -> tuple[float, float]:
    """Give a place on a page of that width and height as it is when words turned by `turn` are held upright."""
    if turn == 0:
        return x, y
    return ((y, size[0] - x), (size[0] - x, size[1] - y), (size[1] - y, x))[turn - 1]


def upright_height(page: PdfPage, lines: Sequence[Line]) -> float:
    """Give the height of the page when it is held so that most of its words run to the right."""
    return user_size(page)[1 - main_turn(lines) % 2]


def user_size(page: PdfPage) -> tuple[float, float]:
    """Give width and height of the page as its words are placed, before a viewer turns it."""
    width, height = page.get_size()
    return (height, width) if page.get_rotation() % 180 else (width, height)


def _lines(textpage: PdfTextPage, size: tuple[float, float]) -> Iterator[Line]:
    text = textpage.get_text_range() if textpage.count_chars() else ""
    page = _Characters(textpage, text, tuple(match.start() for match in _ASTRAL.finditer(text)), size)
    start = 0
    for part in [*_BREAK.finditer(text), None]:
        end = part.start() if part else len(text)
        raw = text[start:end]
        if raw.strip() and _normalise(raw):
            begin = start + len(raw) - len(raw.lstrip())
            turn = page.turn(begin)
            for first, last in _level_parts(page, begin, start + len(raw.rstrip()), turn):
                if (line := _line(page, first, last, turn)).text:
                    yield line
        start = part.end() if part else end


@dataclass(frozen=True, slots=True)
class _Characters:
    """A page's text, and its characters as pdfium counts them: in UTF-16 units, less those it can't name.

    Places are given turned by `turn` quarters, so that words turned that way run to the right.
    """

    textpage: PdfTextPage
    text: str
    astral: tuple[int, ...]
    size: tuple[float, float]

    def index(self, offset: int) -> int:
        units = offset + bisect_left(self.astral, offset)
        return int(pdfium.FPDFText_GetCharIndexFromTextIndex(self.textpage, units))

    def turn(self, offset: int) -> int:
        angle = pdfium.FPDFText_GetCharAngle(self.textpage, self.index(offset))
        return -round(angle / (math.pi / 2)) % 4 if angle > 0 else 0  # pdfium counts clockwise

    def origin(self, index: int, turn: int) -> tuple[float, float]:
        return turned(*_origin(self.textpage, index), self.size, turn)

    def sides(self, index: int, turn: int) -> tuple[float, float]:
        """Give where a character begins and ends."""
        left, bottom, right, top = char_box(self.textpage, index)
        if turn == 0:
            return left, right
        one, other = turned(left, bottom, self.size, turn)[0], turned(right, top, self.size, turn)[0]
        return min(one, other), max(one, other)


def _level_parts(page: _Characters, start: int, end: int, turn: int) -> Iterator[tuple[int, int]]:
    """Cut where pdfium joined the numbers of a column, one above the other, or two lines at a hyphen to one line."""
    first, last = page.index(start), page.index(end - 1)
    tolerance = 0.5 * _font_size(page.textpage, first)
    (x, y), (last_x, last_y) = page.origin(first, turn), page.origin(last, turn)
    if abs(y - last_y) > tolerance or last_x < x:
        for gap in _JOINT.finditer(page.text, start, end - 1):
            cut = gap.start() if gap.group()[0] in " \u00a0\t" else gap.end()
            above, below = page.index(gap.start() - 1), page.index(gap.end())
            (x, y), (next_x, next_y) = page.origin(above, turn), page.origin(below, turn)
            if cut > start and (abs(y - next_y) > tolerance or next_x < x):
                yield start, cut
                start = gap.end()
    yield start, end


def _normalise(raw: str) -> str:
    raw = raw.replace("\ufffe", SOFT_HYPHEN).replace("\x02", SOFT_HYPHEN)
    raw = re.sub(r"[ \t\u00a0\u2000-\u200b]+", " ", clean_text(raw))
    return LEADER.sub(" … ", raw).strip()


def _line(page: _Characters, start: int, end: int, turn: int) -> Line:
    first, last = page.index(start), page.index(end - 1)
    left, baseline = page.origin(first, turn)
    size = _font_size(page.textpage, first)
    (bold, fixed), (ends_bold, ends_fixed) = _face(page.textpage, first), _face(page.textpage, last)
    bold, fixed = bold and ends_bold, fixed and ends_fixed
    parts: list[Cell] = []
    if not fixed:
        shift = first - start if last - first == end - 1 - start else None  # None: some character has no number
        for gap in _SPACES.finditer(page.text, start, end):
            ahead, behind = gap.start() - 1, gap.end()
            ahead, behind = (i + shift if shift is not None else page.index(i) for i in (ahead, behind))
            before, after = page.sides(ahead, turn)[1], page.sides(behind, turn)[0]
            if after - before > _PART_GAP * size:
                parts.append(Cell(_normalise(page.text[start : gap.start()]), left, before))
                start, left = gap.end(), after
    parts.append(Cell(_normalise(page.text[start:end]), left, page.sides(last, turn)[1]))
    return Line(_tidy_cells(_cells(parts, _CELL_GAP * size)), baseline, size, bold, fixed, turn)


def _cells(parts: Sequence[Cell], gap: float) -> list[Cell]:
    """Join parts that stand less than `gap` apart; a currency sign begins a cell."""
    cells: list[Cell] = []
    for part in parts:
        if not part.text:
            continue
        if cells and part.left - cells[-1].right <= gap and not _SIGN.fullmatch(part.text):
            before = cells.pop()
            pieces = (*(before.parts or (before,)), part)
            part = Cell(f"{before.text} {part.text}", before.left, part.right, pieces)
        cells.append(part)
    return cells or list(parts[:1])


def _tidy_cells(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Join a currency sign, a percent sign or a list mark that stands apart with what it belongs to."""
    joined: list[Cell] = []
    for cell in cells:
        if joined and (_LEADS.fullmatch(joined[-1].text) or _TRAILS.fullmatch(cell.text)):
            before = joined.pop()
            joined.append(_tied(before, cell))
        elif cell.text:
            joined.append(cell)
    return tuple(joined) or tuple(cells[:1])


def _tied(before: Cell, cell: Cell) -> Cell:
    """Join two cells, leaving no part's end between them."""
    ahead, behind = before.parts or (before,), cell.parts or (cell,)
    tie = Cell(f"{ahead[-1].text} {behind[0].text}", ahead[-1].left, behind[0].right)
    parts = (*ahead[:-1], tie, *behind[1:])
    return Cell(f"{before.text} {cell.text}", before.left, cell.right, parts if len(parts) > 1 else ())


def char_box(textpage: PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Give left, bottom, right, top of a character's cell, which is as high as its font; zeros where unknown."""
    if index < 0 or not pdfium.FPDFText_GetLooseCharBox(textpage, index, _BOX):
        return (0.0, 0.0, 0.0, 0.0)
    left, bottom, right, top = _BOX.left, _BOX.bottom, _BOX.right, _BOX.top
    return (
        left if left < right else right,
        bottom if bottom < top else top,
        right if left < right else left,
        top if bottom < top else bottom,
    )


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
