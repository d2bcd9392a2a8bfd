"""What was read in a page's picture in, Lines as a PDF's text layer gives them out: in reading order, in points. Pure.

Sizes are taken from how wide the words are, which is far steadier than how high their boxes are.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ingest.load_draft import clean_text
from ingest.load_pdf_page import LEADER, Cell, Line
from ingest.ocr_engine import Reading, ReadLine

_RUNNING_EMS = 10.0  # what a line of running text has at least, in a column of its own
_MAX_CUTS = 6  # columns inside columns
_NEAR = 3.0  # points: left edges that are meant to be one
_BODY = 10.0  # points: what the usual size is taken for where a picture doesn't say how large it was


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line on a page held straight, in points, y downwards. `ems` is how wide its words are in a usual font."""

    read: ReadLine
    text: str
    left: float
    right: float
    middle: float
    size: float
    ems: float


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A line, what it was made of, and the number of its region: a column, or what spans columns."""

    line: Line
    read: ReadLine
    region: int


def lines_of(reading: Reading, points_per_pixel: float) -> list[OrderedLine]:
    """Give the lines in reading order; sizes are measured, see `with_usual_sizes`."""
    slope = _slope(reading.lines)
    placed = [line for read in reading.lines if (line := _place(read, reading, slope, points_per_pixel)).text]
    height = reading.height * points_per_pixel
    return [
        OrderedLine(_line(line, height), line.read, number)
        for number, region in enumerate(_regions(placed, 0))
        for line in _level(region)
    ]


def with_usual_sizes(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Give the pages with lines that were meant to be of one size in one size, and edges that were meant to be one in
    one place. A size is a measurement: the shorter a line, the less sure.
    """
    lines = [line for page in pages for line in page]
    if not lines:
        return [list(page) for page in pages]
    body = _weighted_median([(line.size, _ems(line.text)) for line in lines])
    others = sorted({line.size for line in lines if not _is_body(line, body)})
    usual: dict[float, float] = {}
    for size in others:
        known = list(usual.values())
        usual[size] = known[-1] if known and size <= 1.12 * known[-1] else size
    sized = [[replace(line, size=round(usual.get(line.size, body), 1)) for line in page] for page in pages]
    return [_with_common_edges(page) for page in sized]


def usual_size(pages: Sequence[Sequence[Line]]) -> float:
    """Give the size of most of the text; `_BODY` without any."""
    lines = [line for page in pages for line in page]
    return _weighted_median([(line.size, _ems(line.text)) for line in lines]) if lines else _BODY


def scaled(pages: Sequence[Sequence[Line]], factor: float) -> list[list[Line]]:
    """Give the pages enlarged by `factor`."""
    return [[_scaled(line, factor) for line in page] for page in pages]


def _scaled(line: Line, factor: float) -> Line:
    cells = tuple(Cell(cell.text, cell.left * factor, cell.right * factor) for cell in line.cells)
    return replace(line, cells=cells, baseline=line.baseline * factor, size=line.size * factor)


def body_factor(pages: Sequence[Sequence[Line]]) -> float:
    """Say by what to enlarge pages whose picture doesn't say how large they were, so that the text is of usual size."""
    return _BODY / usual_size(pages)


def _is_body(line: Line, body: float) -> bool:
    tolerance = 0.12 + 0.8 / max(_ems(line.text), 1.0)
    return body / (1 + tolerance) <= line.size <= body * (1 + tolerance)


def _weighted_median(values: Sequence[tuple[float, float]]) -> float:
    ordered = sorted(values)
    half = sum(weight for _, weight in ordered) / 2
    for value, weight in ordered:
        half -= weight
        if half <= 0:
            return value
    return ordered[-1][0]


def _with_common_edges(lines: Sequence[Line]) -> list[Line]:
    common: dict[float, float] = {}
    for left in sorted({cell.left for line in lines for cell in line.cells}):
        known = list(common.values())
        common[left] = known[-1] if known and left - known[-1] <= _NEAR else left
    return [replace(line, cells=tuple(replace(cell, left=common[cell.left]) for cell in line.cells)) for line in lines]


def _slope(lines: Sequence[ReadLine]) -> float:
    """Give by how much the page's lines fall to the right; 0 where too few of them are long enough to tell."""
    long = [line.slope for line in lines if line.right - line.left > 10 * line.height and abs(line.slope) < 0.3]
    return median(long) if len(long) >= 3 else 0.0


def _place(line: ReadLine, reading: Reading, slope: float, points_per_pixel: float) -> _Placed:
    across, down = (line.left + line.right) / 2 - reading.width / 2, line.middle - reading.height / 2
    moved_down, moved_right = -slope * across, slope * down
    text = LEADER.sub(" … ", clean_text(line.text)).strip()
    ems = _ems(text)
    length = (line.right - line.left) * math.hypot(1.0, slope)
    return _Placed(
        line,
        text,
        (line.left + moved_right) * points_per_pixel,
        (line.right + moved_right) * points_per_pixel,
        (line.middle + moved_down) * points_per_pixel,
        length / max(ems, 0.5) * points_per_pixel,
        ems,
    )


def _ems(text: str) -> float:
    """Estimate how wide a text is, in font sizes: of common text fonts, they differ by a tenth."""
    return sum(map(_advance, text))


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in " iljI.,:;'|!‘’`":
        return 0.27
    if character in "tfr()[]-":
        return 0.36
    if character in "mwMW@%":
        return 0.83
    return 0.68 if character.isupper() else 0.51


def _regions(lines: Sequence[_Placed], depth: int) -> Iterator[list[_Placed]]:
    """Give the parts of a page that are read one after the other: columns, and what spans them."""
    gutter = _gutter(lines) if depth < _MAX_CUTS else None
    if gutter is None:
        if lines:
            yield list(lines)
        return
    whole: list[_Placed] = []
    for band in _bands(lines, gutter):
        left, right = _sides(band, gutter)
        if _are_columns(left, right):
            yield from _regions(whole, depth + 1)
            yield from _regions(left, depth + 1)
            yield from _regions(right, depth + 1)
            whole = []
        else:
            whole.extend(band)
    yield from _regions(whole, _MAX_CUTS)


def _gutter(lines: Sequence[_Placed]) -> float | None:
    """Give where the right column begins; None where there are no columns."""
    best, most = None, 0
    for edge in _left_edges(lines):
        beside = [_sides(band, edge) for band in _bands(lines, edge)]
        n_running = sum(min(_n_running(left), _n_running(right)) for left, right in beside if _are_columns(left, right))
        if n_running > most:
            best, most = edge, n_running
    return best


def _left_edges(lines: Sequence[_Placed]) -> list[float]:
    clusters: list[list[float]] = []
    for line in sorted(lines, key=lambda line: line.left):
        if clusters and line.left - clusters[-1][0] <= line.size:
            clusters[-1].append(line.left)
        else:
            clusters.append([line.left])
    return [min(cluster) for cluster in clusters[1:] if len(cluster) >= 3]


def _bands(lines: Sequence[_Placed], gutter: float) -> Iterator[list[_Placed]]:
    """Cut the page, from the top, where a line or a table's row crosses the gutter."""
    band: list[_Placed] = []
    crossed = False
    beside = [(line, row) for row in _rows(lines) for line in row]
    for line, row in beside:
        crosses = line.left < gutter - 0.5 * line.size and line.right > gutter - 0.3 * line.size
        crosses = crosses or (len(row) >= 3 and all(cell.ems < _RUNNING_EMS for cell in row))
        if band and crosses != crossed:
            yield band
            band = []
        crossed = crosses
        band.append(line)
    if band:
        yield band


def _sides(band: Sequence[_Placed], gutter: float) -> tuple[list[_Placed], list[_Placed]]:
    left = [line for line in band if line.left < gutter - 0.5 * line.size]
    return left, [line for line in band if line.left >= gutter - 0.5 * line.size]


def _are_columns(left: Sequence[_Placed], right: Sequence[_Placed]) -> bool:
    """Tell columns of text from a table's: on both sides most lines are long and fill the column."""
    return all(_n_running(side) >= max(3, 0.3 * len(side)) for side in (left, right))


def _n_running(side: Sequence[_Placed]) -> int:
    if not side:
        return 0
    widths = sorted(line.right - line.left for line in side)
    full = 0.7 * widths[len(widths) * 4 // 5]
    return sum(1 for line in side if line.right - line.left >= full and line.ems >= _RUNNING_EMS)


def _level(region: Sequence[_Placed]) -> Iterator[_Placed]:
    """Give a region's lines row by row, those that stand side by side on one level."""
    for row in _rows(region):
        level = sum(line.middle for line in row) / len(row)
        yield from (replace(line, middle=level) for line in row)


def _rows(lines: Sequence[_Placed]) -> list[list[_Placed]]:
    """Gather what stands side by side: rows from the top, each from the left."""
    rows: list[list[_Placed]] = []
    for line in sorted(lines, key=lambda line: (line.middle, line.left)):
        row = rows[-1] if rows else []
        level = sum(other.middle for other in row) / len(row) if row else 0.0
        if row and line.middle - level < 0.5 * line.size and not any(_overlap(line, other) for other in row):
            row.append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _overlap(line: _Placed, other: _Placed) -> bool:
    return min(line.right, other.right) - max(line.left, other.left) > 0.5 * min(line.size, other.size)


def _line(placed: _Placed, page_height: float) -> Line:
    baseline = page_height - placed.middle - 0.35 * placed.size
    cell = Cell(placed.text, placed.left, placed.right)
    return Line((cell,), baseline, placed.size, bold=False)
