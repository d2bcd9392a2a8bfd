"""Lines of a PDF page in, the same lines out with those that stand side by side gathered into tables. Pure.

A table is a run of rows with at least two cells whose edges line up from row to row. The cells of a row may come from
the file in any order and may be several lines high.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from ingest.load_draft import table_row
from ingest.load_pdf_page import Cell, Line
from ingest.load_pdf_words import put_together

_LOOK_BACK = 8  # lines: how far back in the file the neighbour of a cell may stand
_ALIGNED = 4.0  # points
_NUMERIC = re.compile(r"[-+–—$€£¥(（]?\s*[\d.,]*\d[\d.,]*\s*[%)）]*|[-–—]+")

_LOOSE_SIGN = re.compile(r"(?:(.*\S)\s+)?([$€£¥])")
_AMOUNT = re.compile(r"[(（-]?[\d.—–-]")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one table, each drawn as `| a | b |`."""

    rows: tuple[str, ...]


def gather_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """Give the lines in reading order, each run of aligned rows replaced by its Table."""
    rows = _cut_at_narrow_gaps(_visual_rows(lines))
    result: list[Line | Table] = []
    index = 0
    while index < len(rows):
        end = _table_end(rows, index)
        if end > index:
            result.append(
                Table(
                    tuple(
                        table_row(_with_currency([cell.text for cell in row])) for row in _logical_rows(rows[index:end])
                    )
                )
            )
            index = end
        else:
            result.append(rows[index])
            index += 1
    return result


def _with_currency(texts: Sequence[str]) -> list[str]:
    """Move a currency sign that stands alone, or at the end of the cell before, to its number."""
    moved: list[str] = []
    sign = ""
    for index, text in enumerate(texts):
        found = _LOOSE_SIGN.fullmatch(text) if index < len(texts) - 1 and _AMOUNT.match(texts[index + 1]) else None
        kept = (found.group(1) or "") if found else text
        if kept or not found:
            moved.append(f"{sign} {kept}" if sign else kept)
            sign = ""
        sign = found.group(2) if found else sign
    return moved


def _visual_rows(lines: Sequence[Line]) -> list[Line]:
    """Join what stands on one base line, at whatever place of the file it comes."""
    rows: list[Line] = []
    for line in lines:
        for back in range(len(rows) - 1, max(len(rows) - 1 - _LOOK_BACK, -1), -1):
            row = rows[back]
            if abs(row.baseline - line.baseline) < 0.25 * max(line.size, 4.0) and _fits_beside(row, line):
                rows[back] = _beside(row, line)
                break
        else:
            at = len(rows)
            while at > max(len(rows) - _LOOK_BACK, 0) and _is_above(line, rows[at - 1]):
                at -= 1
            rows.insert(at, line)
    return rows


def _cut_at_narrow_gaps(rows: Sequence[Line]) -> list[Line]:
    """Cut cells where a gap that alone would be none has gaps above and below it, as between columns of figures."""
    cut: list[Line] = []
    for has_gaps, run in groupby(rows, key=lambda row: len(row.cells) > 1 or bool(row.cells[0].parts)):
        stretch = list(run)
        if has_gaps and len(stretch) >= 3 and any(cell.parts for row in stretch for cell in row.cells):
            gaps = [_gaps(row) for row in stretch]
            stretch = [_cut_row(row, gaps) for row in stretch]
        cut.extend(stretch)
    return cut


_Gap = tuple[float, float, bool]  # from, to, and whether it is wide or before a number


def _gaps(row: Line) -> list[_Gap]:
    parts = [(part, part is parts[0]) for cell in row.cells for parts in [cell.parts or (cell,)] for part in parts]
    return [
        (before.right, after.left, is_first or _NUMERIC.fullmatch(after.text) is not None)
        for (before, _), (after, is_first) in pairwise(parts)
    ]


def _cut_row(row: Line, gaps: Sequence[Sequence[_Gap]]) -> Line:
    cells: list[Cell] = []
    for cell in row.cells:
        for index, part in enumerate(cell.parts or (cell,)):
            if index and not _is_between_columns(cells[-1].right, part.left, gaps):
                before = cells.pop()
                part = Cell(f"{before.text} {part.text}", before.left, part.right)
            cells.append(part)
    return replace(row, cells=tuple(cells))


def _is_between_columns(left: float, right: float, gaps: Sequence[Sequence[_Gap]]) -> bool:
    beside = [
        counts
        for row in gaps
        for start, end, counts in row
        if min(end, right) - max(start, left) > 0.5 * min(right - left, end - start)
    ]
    return len(beside) >= 0.66 * len(gaps) and sum(beside) >= 0.5 * len(beside)


def _fits_beside(row: Line, line: Line) -> bool:
    return all(line.right <= cell.left + 1 or line.left >= cell.right - 0.5 * line.size for cell in row.cells)


def _is_above(line: Line, row: Line) -> bool:
    """Tell whether a cell that comes later in the file belongs higher up, beside an earlier one."""
    return 0 < line.baseline - row.baseline < 6 * row.size and (line.left >= row.right or len(row.cells) > 1)


def _beside(row: Line, line: Line) -> Line:
    last = row.cells[-1]
    is_next_amount = line.text[0] in "$€£¥" and _NUMERIC.fullmatch(last.text)
    if 0 <= line.left - row.right < 1.2 * line.size and len(line.cells) == 1 and not is_next_amount:
        first = line.cells[0]
        gap = "" if line.left - row.right < 0.1 * line.size else " "
        parts = (*(last.parts or (last,)), *(first.parts or (first,))) if gap else ()
        cells = (*row.cells[:-1], Cell(last.text + gap + first.text, last.left, line.right, parts))
    else:
        cells = tuple(sorted((*row.cells, *line.cells), key=lambda cell: cell.left))
    return replace(row, cells=cells, bold=row.bold and line.bold)


def _table_end(rows: Sequence[Line], start: int) -> int:
    """Give the index after the table that begins at `start`; `start` itself when none does."""
    if len(rows[start].cells) < 2:
        return start
    end = start + 1
    for index in range(start + 1, len(rows)):
        row = rows[index]
        drop = rows[index - 1].baseline - row.baseline
        if not 0 < drop < 3.5 * max(row.size, rows[index - 1].size) or index - end > 3:
            break
        if len(row.cells) >= 2:
            end = index + 1
        elif row.size > 1.1 * rows[start].size or _is_prose(row, rows[end - 1]):
            break
    end = _with_last_lines(rows, start, end)
    table = [row for row in rows[start:end] if len(row.cells) >= 2]
    n_aligned = sum(1 for above, below in pairwise(table) if _lines_up(above, below))
    return end if len(table) >= 2 and n_aligned >= 0.5 * (len(table) - 1) else start


def _with_last_lines(rows: Sequence[Line], start: int, end: int) -> int:
    """Take in the further lines of the last row's cells, where they stand closer together than the rows do."""
    drops = sorted(above.baseline - below.baseline for above, below in pairwise(rows[start:end]))
    usual = drops[len(drops) // 2] if drops else 0.0
    while end < len(rows) and 0 < rows[end - 1].baseline - rows[end].baseline < 0.8 * usual:
        if not any(_overlap(cell, rows[end].cells[0]) > 0 for cell in rows[end - 1].cells):
            break
        end += 1
    return end


def _is_prose(row: Line, above: Line) -> bool:
    """Tell running text from a row's label: it reaches into the last column of the row above."""
    return row.right > above.cells[-1].left + 1 and len(row.text) > 40


def _lines_up(above: Line, below: Line) -> bool:
    """Tell whether a cell other than the first starts, ends or is centred where one of the row above does."""
    return any(
        abs(cell.left - other.left) < _ALIGNED
        or abs(cell.right - other.right) < _ALIGNED
        or abs(cell.left + cell.right - other.left - other.right) < _ALIGNED
        for cell in below.cells[1:] or below.cells
        for other in above.cells[1:] or above.cells
    )


def _logical_rows(rows: Sequence[Line]) -> Iterator[list[Cell]]:
    """Join the lines of cells that are several lines high."""
    drops = [above.baseline - below.baseline for above, below in pairwise(rows)]
    tight = min(drops, default=0.0) * 1.12
    spaced = sum(1 for drop in drops if drop > tight * 1.08) >= 0.3 * len(drops)  # rows stand further apart than lines
    left = min(row.left for row in rows)
    current: list[Cell] = []
    for index, row in enumerate(rows):
        close = index > 0 and drops[index - 1] <= tight
        words = not any(_NUMERIC.fullmatch(cell.text) for cell in row.cells)
        hangs = row.left > left + 1.5 * row.size
        below = close and words and (spaced or hangs) and _under(current, row)
        if current and (below or (index == 1 and _completes_dates(current, row))):
            current = _merged(current, row.cells)
        elif close and _is_wrapped_label(current, row):
            label = Cell(put_together(current[0].text, row.cells[0].text), current[0].left, current[0].right)
            current = [label, *row.cells[1:]]
        else:
            if current:
                yield current
            current = list(row.cells)
    if current:
        yield current


def _is_wrapped_label(cells: Sequence[Cell], row: Line) -> bool:
    """Tell whether a row's label began on the line above, which has no values of its own."""
    label = row.cells[0]
    return len(cells) == 1 and len(row.cells) > 1 and label.text[0].islower() and _overlap(cells[0], label) > 0


def _completes_dates(cells: Sequence[Cell], row: Line) -> bool:
    """Tell whether a head says "August 29," and the row below it "2021", column by column."""
    return (
        len(cells) == len(row.cells)
        and all(_YEAR.fullmatch(cell.text) for cell in row.cells)
        and not any(_NUMERIC.fullmatch(cell.text) for cell in cells)
        and all(_overlap(above, cell) > 0 for above, cell in zip(cells, row.cells, strict=True))
    )


def _under(cells: Sequence[Cell], row: Line) -> bool:
    return all(any(_overlap(cell, other) > 0 for other in cells) for cell in row.cells)


def _merged(cells: Sequence[Cell], below: Sequence[Cell]) -> list[Cell]:
    merged = list(cells)
    for cell in below:
        at = max(range(len(merged)), key=lambda index: _overlap(merged[index], cell))
        other = merged[at]
        merged[at] = Cell(put_together(other.text, cell.text), min(other.left, cell.left), max(other.right, cell.right))
    return merged


def _overlap(one: Cell, other: Cell) -> float:
    return min(one.right, other.right) - max(one.left, other.left)
