"""The ruled lines of a PDF page in, its tables' grids out, and the lines of text put into their cells."""

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage

from ingest.load_draft import table_row
from ingest.load_pdf_page import Cell, Line, main_turn, turned, user_size
from ingest.load_pdf_words import put_together

_THIN = 2.0  # points
_NEAR = 2.5  # points: how far apart two rules that meet may end
_LONG = 6.0  # points
_MAX_OBJECTS = 20_000  # a map or a chart has more, and no table
_MAX_RULES = 1_500

_Rule = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: where its columns' rules stand, from the left, and its rows', from the bottom."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def holds(self, line: Line) -> bool:
        """Tell whether a line stands inside."""
        return self.ys[0] < line.baseline < self.ys[-1] and self.xs[0] - _NEAR < line.left < self.xs[-1]


def read_grids(page: PdfPage, lines: Sequence[Line]) -> list[Grid]:
    """Give the grids of at least two rows and two columns, in the place that `lines` are in."""
    size, turn = user_size(page), main_turn(lines)
    rules = []
    for left, bottom, right, top in _rules(page):
        (x0, y0), (x1, y1) = turned(left, bottom, size, turn), turned(right, top, size, turn)
        rules.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    if not 6 <= len(rules) <= _MAX_RULES:
        return []
    return [grid for group in _touching(rules) if (grid := _grid(group)) is not None]


def fold_grids(lines: Sequence[Line], grids: Sequence[Grid]) -> list[Line]:
    """Replace the lines inside each grid by one that has its table's rows, where the first of them stood."""
    folded = list(lines)
    for grid in grids:
        inside = [line for line in folded if not line.rows and grid.holds(line)]
        rows = _rows(inside, grid)
        if rows:
            at = folded.index(inside[0])
            extent = Cell("", grid.xs[0], grid.xs[-1])
            table = replace(inside[0], cells=(extent,), baseline=grid.ys[-1] - inside[0].size, rows=rows)
            taken = set(map(id, inside))
            folded = [line if index != at else table for index, line in enumerate(folded)]
            folded = [line for line in folded if id(line) not in taken]
    return folded


def _rows(lines: Sequence[Line], grid: Grid) -> tuple[str, ...]:
    """Put every word into its cell; nothing when that makes no table."""
    n_columns, n_rows = len(grid.xs) - 1, len(grid.ys) - 1
    cells: list[list[list[tuple[float, float, str]]]] = [[[] for _ in range(n_columns)] for _ in range(n_rows)]
    for line in lines:
        row = cells[n_rows - bisect_right(grid.ys, line.baseline)]
        for column, part in _by_column(line, grid):
            row[column].append((-line.baseline, part.left, part.text))
    rows = [row for row in cells if any(row)]
    n_filled = sum(1 for row in rows if sum(map(bool, row)) >= 2)
    if n_filled < 2 or n_filled < 0.5 * len(rows) or any(map(_is_several_rows, rows)):
        return ()
    return tuple(table_row([_cell_text(cell) for cell in row]) for row in rows)


def _by_column(line: Line, grid: Grid) -> Iterator[tuple[int, Cell]]:
    """Give the stretches of a line with their columns; one that runs over a rule stays whole, in its first column."""
    for cell in line.cells:
        whole = _column(cell, grid) == _column(Cell("", cell.right, cell.right), grid)
        for part in (cell,) if whole else cell.parts or (cell,):
            yield _column(part, grid), part


def _column(cell: Cell, grid: Grid) -> int:
    return min(max(bisect_right(grid.xs, cell.left + _THIN) - 1, 0), len(grid.xs) - 2)


def _is_several_rows(row: Sequence[Sequence[tuple[float, float, str]]]) -> bool:
    """Tell a row of the grid that holds several of the table: numbers stand in it one below the other."""
    stacks = [[text for _, _, text in cell] for cell in row]
    return sum(1 for stack in stacks if len(stack) >= 3 and sum(map(_is_number, stack)) >= 0.7 * len(stack)) >= 1


def _is_number(text: str) -> bool:
    return sum(1 for character in text if character.isdigit()) >= 0.4 * len(text)


def _cell_text(cell: Sequence[tuple[float, float, str]]) -> str:
    text = ""
    for _, _, part in sorted(cell):
        text = put_together(text, part) if text else part
    return text


def _rules(page: PdfPage) -> Iterator[_Rule]:
    """Give the thin straight strokes of a page and the edges of its boxes."""
    count = pdfium.FPDFPage_CountObjects(page)
    if count > _MAX_OBJECTS:
        return
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for index in range(count):
        thing = pdfium.FPDFPage_GetObject(page, index)
        if pdfium.FPDFPageObj_GetType(thing) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if not pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
            continue
        box = (left.value, bottom.value, right.value, top.value)
        width, height = box[2] - box[0], box[3] - box[1]
        if min(width, height) <= _THIN < _LONG <= max(width, height):
            yield box
        elif min(width, height) > _LONG and _is_stroked(thing) and pdfium.FPDFPath_CountSegments(thing) in (4, 5):
            yield from _edges(box)


def _is_stroked(thing: object) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(pdfium.FPDFPath_GetDrawMode(thing, fill, stroke)) and bool(stroke.value)


def _edges(box: _Rule) -> tuple[_Rule, ...]:
    left, bottom, right, top = box
    return (
        (left, bottom, right, bottom),
        (left, top, right, top),
        (left, bottom, left, top),
        (right, bottom, right, top),
    )


def _touching(rules: Sequence[_Rule]) -> list[list[_Rule]]:
    """Group the rules that meet, from the left."""
    groups: list[list[_Rule]] = []
    boxes: list[_Rule] = []
    closed = []
    for rule in sorted(rules):
        mine, box = [rule], rule
        for index in range(len(boxes) - 1, -1, -1):
            if boxes[index][2] + _NEAR < rule[0]:
                closed.append(groups.pop(index))  # all further rules begin further right
                del boxes[index]
            elif _meet(rule, boxes[index]) and any(_meet(rule, other) for other in groups[index]):
                mine = groups.pop(index) + mine
                box = _around(boxes.pop(index), box)
        groups.append(mine)
        boxes.append(box)
    return closed + groups


def _meet(one: _Rule, other: _Rule) -> bool:
    return (
        one[0] <= other[2] + _NEAR
        and other[0] <= one[2] + _NEAR
        and one[1] <= other[3] + _NEAR
        and other[1] <= one[3] + _NEAR
    )


def _around(one: _Rule, other: _Rule) -> _Rule:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _grid(rules: Sequence[_Rule]) -> Grid | None:
    flat = [rule for rule in rules if rule[3] - rule[1] <= _THIN]
    upright = [rule for rule in rules if rule[2] - rule[0] <= _THIN and rule not in flat]
    ys = _places([((rule[1] + rule[3]) / 2, rule[2] - rule[0]) for rule in flat])
    xs = _places([((rule[0] + rule[2]) / 2, rule[3] - rule[1]) for rule in upright])
    return Grid(xs, ys) if len(xs) >= 3 and len(ys) >= 3 else None


def _places(rules: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """Give the places of rules, those near each other once, of which at least a third of the longest is ruled."""
    found: list[tuple[float, float]] = []
    for place, length in sorted(rules):
        if found and place - found[-1][0] <= 2 * _THIN:
            found[-1] = (found[-1][0], found[-1][1] + length)
        else:
            found.append((place, length))
    longest = max((length for _, length in found), default=0.0)
    return tuple(place for place, length in found if length >= 0.3 * longest)
