"""Lines of a PDF page in, the same lines out in regions that are read one after the other: columns, and what spans
them. Pure; knows nothing about paragraphs or tables.

A gutter is a left edge that many stretches share and few cross. What crosses it cuts the page into bands, and a band is
two columns where both sides run on like text and don't line up row by row like a table. Each side is cut again.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, groupby
from math import inf

from ingest.load_pdf_bands import Band, Side
from ingest.load_pdf_page import Cell, Line

_GUTTER = 0.6  # of the size: the least width of a gutter
_LEAST_GUTTER = 5.0  # points
_STRIP = 2.3  # of the size: from baseline to baseline, what is more than a gap between paragraphs
_OUTDENT = 5.0  # points: by how much single lines of a column may begin further left
_NEAR = 2.0  # points: gutters of two pages that are the same one
_MAX_EDGES = 8
_MAX_CUTS = 6  # columns within columns


def find_gutters(lines: Sequence[Line]) -> list[float]:
    """Give the right edges of the gutters that are sure on a page."""
    gutters: list[float] = []
    for _ in _cut(_upright(lines), 0, gutters):
        pass
    return gutters


def usual_gutters(pages: Sequence[Sequence[float]]) -> list[float]:
    """Give the gutters that a good part of the pages shares, of all pages' gutters."""
    reaches = [reach for page in pages for reach in _reaches(page)]
    begins, ends = sorted(low for low, _ in reaches), sorted(high for _, high in reaches)
    found: list[float] = []
    for gutter in chain.from_iterable(pages):
        if any(abs(gutter - other) <= _NEAR for other in found):
            continue
        n_pages = bisect_right(begins, gutter) - bisect_left(ends, gutter)  # a page's reaches don't overlap
        if n_pages >= 0.15 * len(pages):
            found.append(gutter)
    return found


def read_order(lines: Sequence[Line], gutters: Sequence[float]) -> list[list[Line]]:
    """Give the regions of a page in reading order. Lines of one region keep the order of the file. `gutters` are those
    that are known: of this page and of the document.
    """
    upright = _upright(lines)
    regions = list(_cut(upright, 0, list(gutters))) if gutters else [upright]
    return regions + [list(run) for _, run in groupby(lines[len(upright) :], key=lambda line: line.turn)]


def _reaches(gutters: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Give where a gutter counts as one of a page's: stretches that don't overlap, in ascending order."""
    low = high = -inf
    for gutter in sorted(gutters):
        if gutter - _NEAR > high:
            if high > low:
                yield low, high
            low = gutter - _NEAR
        high = gutter + _NEAR
    if high > low:
        yield low, high


def _upright(lines: Sequence[Line]) -> list[Line]:
    """Give the lines that are turned like the first; the others stand at the end."""
    return [line for line in lines if line.turn == lines[0].turn]


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


def _best_bands(lines: Sequence[Line], gutters: list[float]) -> list[Band]:
    """Give the bands of the gutter with the most running text beside it; no bands when no gutter is sure here, and
    none of those that are sure elsewhere has two columns here.
    """
    best: list[Band] = []
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


def _sure(bands: Sequence[Band]) -> int:
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


def _bands(lines: Sequence[Line], gutter: float) -> list[Band]:
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


def _band(rows: Sequence[_Row], in_rows: bool) -> Band:
    sides: tuple[list[Line], list[Line]] = ([], [])
    order: list[bool] = []
    for _, _, half in sorted(rows, key=lambda row: row[0]):
        for is_right in (False, True):
            line = half[is_right] if half is not None else None
            if line is not None:
                sides[is_right].append(line)
                order.append(is_right)
    left, right = (Side(tuple(side)) for side in sides)
    return Band(left, right, tuple(order), tuple((at, line) for at, line, _ in rows), in_rows)


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
