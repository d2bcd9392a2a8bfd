"""Lines of a PDF page in, the same lines out in regions that are read one after the other: columns, and what spans
them. Pure; knows nothing about paragraphs or tables.

A gutter is a left edge that many stretches share and few cross. What crosses it cuts the page into bands, and a band is
two columns where both sides run on like text and don't line up row by row like a table. Each side is cut again.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby, pairwise

from ingest.load_pdf_page import Cell, Line

_LEVEL = 0.25  # of the size: how far apart baselines of one row may be
_GUTTER = 0.6  # of the size: the least width of a gutter
_LEAST_GUTTER = 5.0  # points
_STRIP = 2.3  # of the size: from baseline to baseline, what is more than a gap between paragraphs
_TALL = 7  # lines: more than a table's cell has
_OUTDENT = 5.0  # points: by how much single lines of a column may begin further left
_MAX_EDGES = 8
_MAX_CUTS = 6  # columns within columns
_LETTERS = re.compile(r"[^\W\d_]")
_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")
_ENDS_SENTENCE = re.compile(r"[.。!！?？:：;；][\"”’)）\]]*$")
_ENOUGH = 15  # characters of a stretch of running text, at least; an ideograph counts as two


def find_gutters(lines: Sequence[Line]) -> list[float]:
    """Give the right edges of the gutters that are sure on a page."""
    gutters: list[float] = []
    for _ in _cut(_upright(lines), 0, gutters):
        pass
    return gutters


def usual_gutters(pages: Sequence[Sequence[float]]) -> list[float]:
    """Give the gutters that a good part of the pages shares, of all pages' gutters."""
    found: list[float] = []
    for gutter in (gutter for page in pages for gutter in page):
        n_pages = sum(1 for page in pages if any(abs(gutter - other) <= 2 for other in page))
        if n_pages >= 0.15 * len(pages) and all(abs(gutter - other) > 2 for other in found):
            found.append(gutter)
    return found


def read_order(lines: Sequence[Line], gutters: Sequence[float]) -> list[list[Line]]:
    """Give the regions of a page in reading order. Lines of one region keep the order of the file. `gutters` are those
    that are known: of this page and of the document.
    """
    upright = _upright(lines)
    regions = list(_cut(upright, 0, list(gutters))) if gutters else [upright]
    return regions + [list(run) for _, run in groupby(lines[len(upright) :], key=lambda line: line.turn)]


def _upright(lines: Sequence[Line]) -> list[Line]:
    """Give the lines that are turned like the first; the others stand at the end."""
    return [line for line in lines if line.turn == lines[0].turn]


@dataclass(frozen=True)
class _Side:
    """What of a band lies on one side of a gutter."""

    lines: tuple[Line, ...]

    @cached_property
    def rows(self) -> list[list[Line]]:
        """The lines, those of one baseline together, from the top."""
        rows: list[list[Line]] = []
        for line in sorted(self.lines, key=lambda line: -line.baseline):
            if rows and rows[-1][0].baseline - line.baseline < _LEVEL * line.size:
                rows[-1].append(line)
            else:
                rows.append([line])
        return rows

    @cached_property
    def n_running(self) -> int:
        """How many rows hold running text: long stretches of words that fill their column."""
        return sum(1 for row in self.rows if any(self._runs(cell) for line in row for cell in line.cells))

    @cached_property
    def n_wrapping(self) -> int:
        """How many rows of running text go on in the row below: in lower case, or in Chinese up to the right edge."""
        return sum(
            1
            for above, below in pairwise(self.rows)
            if any(self._wraps(cell, other) for line in above for cell in line.cells for other in _close(line, below))
        )

    @property
    def is_running(self) -> bool:
        return self.n_running >= 0.5 * len(self.rows)

    @cached_property
    def starts(self) -> list[float]:
        """The baselines below a gap that is wider than the usual one: where paragraphs or a table's rows begin."""
        drops = [(above[0].baseline - below[0].baseline, below[0].baseline) for above, below in pairwise(self.rows)]
        usual = sorted(drop for drop, _ in drops)[len(drops) // 4] if drops else 0.0
        return [baseline for drop, baseline in drops if drop > 1.2 * usual]

    def _wraps(self, cell: Cell, below: Cell) -> bool:
        if abs(cell.left - below.left) > 0.25 * (cell.right - cell.left) or not self._runs(cell):
            return False
        if _WIDE.match(cell.text[-1:]) or _WIDE.match(below.text[:1]):
            return cell.right - cell.left >= 1.4 * self._least_width and not _ENDS_SENTENCE.search(cell.text)
        return below.text[:1].islower() and not _ENDS_SENTENCE.search(cell.text)

    @cached_property
    def _least_width(self) -> float:
        """How wide a stretch of running text is at least, measured by the wider ones of this side."""
        widths = sorted(cell.right - cell.left for line in self.lines for cell in line.cells)
        return 0.6 * widths[len(widths) * 4 // 5] if widths else 0.0

    def _runs(self, cell: Cell) -> bool:
        n_wide = len(_WIDE.findall(cell.text))
        long = len(cell.text) + n_wide >= _ENOUGH and cell.right - cell.left >= self._least_width
        return long and len(_LETTERS.findall(cell.text)) >= 0.5 * len(cell.text.replace(" ", ""))


def _close(line: Line, below: Sequence[Line]) -> Iterator[Cell]:
    """Give the stretches below a line that stand no further down than the next line of its paragraph would."""
    for other in below:
        if line.baseline - other.baseline < 1.9 * line.size and abs(line.size - other.size) < 1:
            yield from other.cells


@dataclass(frozen=True)
class _Band:
    """A stretch of the page between two lines that cross the gutter. `order` is the file's: True is the right side.
    `whole` are its lines before they were split, each with its place in the file; `in_rows` says that the file has
    another pair of stretches above or below, as it has the cells of a table.
    """

    left: _Side
    right: _Side
    order: tuple[bool, ...]
    whole: tuple[tuple[int, Line], ...]
    in_rows: bool

    @property
    def n_wrapping(self) -> int:
        return min(self.left.n_wrapping, self.right.n_wrapping)

    @property
    def is_surely_columns(self) -> bool:
        """Tell whether this is two columns, whatever the rest of the page is."""
        return (
            self.n_wrapping >= (_TALL - 1 if self.in_rows else 3)
            and self.n_wrapping >= 0.1 * self.n_rows
            and (self._is_drawn_side_by_side or (self.left.is_running and self.right.is_running and not self._lines_up))
        )

    @property
    def may_be_columns(self) -> bool:
        """Tell whether this is two columns where another band of the page surely is, with the same gutter."""
        if not self.left.lines or not self.right.lines or (self._is_short_row and not self._runs_over):
            return False
        if self.n_rows < 3 and not (self.left.n_wrapping or self.right.n_wrapping or self._runs_over):
            return False
        if self._is_drawn_side_by_side:
            return self.left.is_running or self.right.is_running or not self._is_level
        return self.left.is_running and self.right.is_running and not self._lines_up

    @property
    def n_rows(self) -> int:
        """How many rows the taller side has."""
        return max(len(self.left.rows), len(self.right.rows))

    @property
    def _is_short_row(self) -> bool:
        return self.in_rows and self.n_rows < _TALL

    @property
    def _runs_over(self) -> bool:
        """Tell whether a sentence goes on from the foot of the left side to the top of the right one."""
        foot = self.left.rows[-1][-1].cells[-1]
        width = max(cell.right - cell.left for line in self.left.lines for cell in line.cells)
        is_full = foot.text != "" and foot.right - foot.left > 0.85 * width and not _ENDS_SENTENCE.search(foot.text)
        goes_on = self.right.rows[0][0].text[:1]
        return is_full and (goes_on.islower() or goes_on.isdigit() or bool(_WIDE.match(goes_on)) or self.n_rows > 2)

    @property
    def _is_drawn_side_by_side(self) -> bool:
        """Tell whether the file has all of the left side before the right one."""
        return sum(1 for one, other in pairwise(self.order) if one != other) == 1 and not self.order[0]

    @property
    def _is_level(self) -> bool:
        """Tell whether most rows have one beside them."""
        return _share_level(*([row[0].baseline for row in side.rows] for side in (self.left, self.right))) > 0.7

    @property
    def _lines_up(self) -> bool:
        """Tell whether the sides begin new rows together, like a table's cells of several lines."""
        left, right = self.left.starts, self.right.starts
        return min(len(left), len(right)) >= 1 and _share_level(left, right) >= 0.6


def _share_level(one: Sequence[float], other: Sequence[float]) -> float:
    shorter, longer = sorted((one, other), key=len)
    return sum(1 for at in shorter if any(abs(at - place) < 2 for place in longer)) / max(len(longer), 1)


def _cut(lines: Sequence[Line], depth: int, gutters: list[float]) -> Iterator[list[Line]]:
    """Give the regions of a stretch of the page. `gutters` are those that are sure on this page; new ones are added."""
    bands = _best_bands(lines, gutters) if depth < _MAX_CUTS else []
    whole: list[tuple[int, Line]] = []
    for band in bands:
        if band.may_be_columns:
            if whole:
                yield from _cut(_in_file_order(whole), depth + 1, gutters)
            yield from _cut(band.left.lines, depth + 1, gutters)
            yield from _cut(band.right.lines, depth + 1, gutters)
            whole = []
        else:
            whole.extend(band.whole)
    if whole:
        yield from _cut(_in_file_order(whole), depth + 1, gutters)
    if not bands:
        yield list(lines)


def _in_file_order(lines: Sequence[tuple[int, Line]]) -> list[Line]:
    return [line for _, line in sorted(lines, key=lambda entry: entry[0])]


def _best_bands(lines: Sequence[Line], gutters: list[float]) -> list[_Band]:
    """Give the bands of the gutter with the most running text beside it; no bands when no gutter is sure here, and
    none of those that are sure elsewhere has two columns here.
    """
    best: list[_Band] = []
    most = 0
    for gutter in _left_edges(lines):
        bands = _bands(lines, gutter)
        n_wrapping = _sure(bands)
        if n_wrapping > most:
            best, most = bands, n_wrapping
        if n_wrapping and all(abs(gutter - other) > 2 for other in gutters):
            gutters.append(gutter)
    if best:
        return best
    for gutter in gutters:
        bands = _bands(lines, gutter)
        n_rows = sum(band.n_rows for band in bands if band.may_be_columns)
        if n_rows > most:
            best, most = bands, n_rows
    return best


def _sure(bands: Sequence[_Band]) -> int:
    """Give how many lines wrap beside a gutter; 0 when it isn't sure, by one band or by several together."""
    sure = sum(band.n_wrapping for band in bands if band.is_surely_columns)
    likely = [band.n_wrapping for band in bands if band.n_wrapping and band.may_be_columns]
    return sure or (sum(likely) if len(likely) >= 2 and sum(likely) >= 4 else 0)


def _left_edges(lines: Sequence[Line]) -> list[float]:
    """Give where at least three stretches begin that have something to the left of them, the commonest first."""
    stretches = sorted(part.left for line in lines for cell in line.cells for part in cell.parts or (cell,))
    clusters: list[list[float]] = []
    for left in stretches:
        if clusters and left - clusters[-1][0] <= 2.0:
            clusters[-1].append(left)
        else:
            clusters.append([left])
    common = [cluster for cluster in clusters[1:] if len(cluster) >= 3]
    commonest = sorted(common, key=len, reverse=True)[:_MAX_EDGES]
    return list(dict.fromkeys(stretches[bisect_left(stretches, cluster[0] - _OUTDENT)] for cluster in commonest))


def _bands(lines: Sequence[Line], gutter: float) -> list[_Band]:
    halves = [None if _is_table_row(half := split_line(line, gutter)) else half for line in lines]
    n_beside = sum(1 for half in halves if half is not None and half[1] is not None)
    if n_beside < 1 or sum(1 for half in halves if half is None) > 2 * n_beside:
        return []
    runs, in_rows = _runs_of_rows(lines, halves)
    return [_band(rows, is_row) for rows, is_row in zip(runs, in_rows, strict=True)]


_Half = tuple[Line | None, Line | None] | None  # None where the line crosses the gutter
_Row = tuple[int, Line, _Half]


def _runs_of_rows(lines: Sequence[Line], halves: Sequence[_Half]) -> tuple[list[list[_Row]], list[bool]]:
    """Part the lines, from the top: where one crosses the gutter, and where the file has everything above before
    everything below, if there is a strip of white from side to side, or the file goes from a stretch of the right side
    to one of the left there. For each part tell whether the latter is above or below it.
    """
    rows: list[_Row] = sorted(
        ((at, line, halves[at]) for at, line in enumerate(lines)), key=lambda row: (-row[1].baseline, row[0])
    )
    first_below = list(accumulate((row[0] for row in reversed(rows)), min))[::-1]
    size = Counter(line.size for line in lines).most_common(1)[0][0]
    in_stretches = _is_drawn_in_stretches(halves)
    runs: list[list[_Row]] = []
    in_rows: list[bool] = []
    last = -1
    for place, row in enumerate(rows):
        above = runs[-1][-1] if runs else None
        crosses = row[2] is None
        parts = last < first_below[place]
        back = parts and in_stretches and last >= 0 and _goes_back(halves[last], halves[first_below[place]])
        strip = parts and above is not None and above[1].baseline - row[1].baseline > _STRIP * size
        if above is None or crosses != (above[2] is None) or strip or back:
            runs.append([])
            in_rows.append(back)
            if back:
                in_rows[-2] = True
            last = -1
        runs[-1].append(row)
        last = max(last, row[0])
    return runs, in_rows


def _is_table_row(half: _Half) -> bool:
    """Tell a row of figures, on both sides of the gutter and drawn in one go, from two lines side by side."""
    if half is None or half[0] is None or half[1] is None:
        return False
    left, right = half[0].text, half[1].text
    return len(left) < 60 and sum(map(str.isdigit, right)) >= 0.4 * len(right.replace(" ", ""))


def _goes_back(above: _Half, below: _Half) -> bool:
    """Tell whether one line of the file ends on the right side and the next one begins on the left."""
    return above is not None and above[1] is not None and below is not None and below[0] is not None


def _is_drawn_in_stretches(halves: Sequence[_Half]) -> bool:
    """Tell a file that has several lines of one side before those of the other from one that is drawn line by line."""
    sides = [is_right for half in halves if half is not None for is_right in (False, True) if half[is_right]]
    lengths = [len(list(stretch)) for _, stretch in groupby(sides)]
    return lengths.count(1) <= 0.5 * len(lengths)


def _band(rows: Sequence[_Row], in_rows: bool) -> _Band:
    sides: tuple[list[Line], list[Line]] = ([], [])
    order: list[bool] = []
    for _, _, half in sorted(rows, key=lambda row: row[0]):
        for is_right in (False, True):
            line = half[is_right] if half is not None else None
            if line is not None:
                sides[is_right].append(line)
                order.append(is_right)
    left, right = (_Side(tuple(side)) for side in sides)
    return _Band(left, right, tuple(order), tuple((at, line) for at, line, _ in rows), in_rows)


def split_line(line: Line, gutter: float) -> _Half:
    """Give what of a line lies left and right of a gutter, which ends at `gutter`; None when the line crosses it."""
    cells: tuple[list[Cell], list[Cell]] = ([], [])
    for cell in line.cells:
        whole = cell.right <= gutter - _GUTTER * line.size or cell.left >= gutter - 2
        for part in (cell,) if whole else cell.parts or (cell,):
            if part.left >= gutter - 2:
                cells[1].append(part)
            elif part.right <= gutter - min(_GUTTER * line.size, _LEAST_GUTTER):
                cells[0].append(part)
            else:
                return None
    left, right = (replace(line, cells=tuple(side)) if side else None for side in cells)
    return left, right
