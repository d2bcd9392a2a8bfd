"""A stretch of a PDF page with lines left and right of a gutter: is it two columns, or rows of a table? Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ingest.load_pdf_page import Cell, Line

_LEVEL = 0.25  # of the size: how far apart baselines of one row may be
_TALL = 7  # lines: more than a table's cell has
_LETTERS = re.compile(r"[^\W\d_]")
_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")
_ENDS_SENTENCE = re.compile(r"[.。!！?？:：;；][\"”’)）\]]*$")
_ENOUGH = 15  # characters of a stretch of running text, at least; an ideograph counts as two


@dataclass(frozen=True)
class Side:
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
class Band:
    """A stretch of the page between two lines that cross the gutter. `order` is the file's: True is the right side.
    `whole` are its lines before they were split, each with its place in the file; `in_rows` says that the file has
    another pair of stretches above or below, as it has the cells of a table.
    """

    left: Side
    right: Side
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
