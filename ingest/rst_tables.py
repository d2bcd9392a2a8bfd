"""The lines of a reStructuredText table in, its rows of cells out. Knows nothing about the text around it."""

import csv
import io
import re
from collections.abc import Sequence
from itertools import pairwise
from unicodedata import east_asian_width

_SIMPLE_BORDER = re.compile(r"=+(?:\s+=+)+\s*$")
_GRID_BORDER = re.compile(r"\+(?:[-=]+\+)+\s*$")
_ITEM = re.compile(r"([*+-])\s+")


def is_grid_border(line: str) -> bool:
    """Tell whether a line begins a table drawn with `+---+`."""
    return bool(_GRID_BORDER.match(line.strip()))


def is_simple_border(line: str) -> bool:
    """Tell whether a line begins a table under `==== ====`."""
    return bool(_SIMPLE_BORDER.match(line.strip()))


def grid_rows(lines: Sequence[str]) -> list[list[str]]:
    """Read a grid table: a cell of several lines is one cell, one that spans columns comes once."""
    lines = [_widened(line) for line in lines]
    rows: list[list[str]] = []
    group: list[str] = []
    for line in lines:
        if line.strip().startswith("+") and set(line.strip()) & set("-=") and "|" not in line:
            if group:
                rows.append(_grid_cells(group))
            group = []
        else:
            group.append(line)
    if group:
        rows.append(_grid_cells(group))
    return [row for row in rows if any(row)]


def _grid_cells(group: Sequence[str]) -> list[str]:
    """Cut lines where every one of them has a bar."""
    width = max(map(len, group))
    padded = [line.ljust(width) for line in group]
    bars = [at for at in range(width) if all(line[at] in "|+" for line in padded)]
    cells = []
    for left, right in pairwise(bars):
        cells.append(" ".join(" ".join(_narrowed(line[left + 1 : right]).split()) for line in padded).strip())
    return cells


def simple_rows(lines: Sequence[str]) -> list[list[str]]:
    """Read a simple table; a line whose first cell is empty goes on with the row above."""
    border = lines[0]
    starts = [found.start() for found in re.finditer(r"=+", border)]
    ends = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines[1:]:
        if not line.strip() or set(line.strip()) <= set("=- "):
            continue
        wide = _widened(line)
        cells = [_narrowed(wide[start:end]).strip() for start, end in zip(starts, ends, strict=True)]
        if rows and not cells[0]:
            rows[-1] = [f"{above} {cell}".strip() for above, cell in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return rows


def _widened(line: str) -> str:
    """Give each character as many places as it takes on screen: two for a Chinese one."""
    return "".join(f"{character}\x00" if east_asian_width(character) in "WF" else character for character in line)


def _narrowed(cell: str) -> str:
    return cell.replace("\x00", "")


def csv_rows(lines: Sequence[str]) -> list[list[str]]:
    """Read the body of a `csv-table` directive."""
    try:
        return [row for row in csv.reader(io.StringIO("\n".join(lines)), skipinitialspace=True) if any(row)]
    except csv.Error:
        return [[line] for line in lines if line.strip()]


def list_rows(lines: Sequence[str]) -> list[list[str]]:
    """Read the body of a `list-table` directive: a list of rows, each a list of cells."""
    rows: list[list[str]] = []
    depth: int | None = None
    for line in lines:
        rest = line.strip()
        indent = len(line) - len(line.lstrip())
        if (outer := _ITEM.match(rest)) and (depth is None or indent <= depth):
            depth = indent
            rows.append([])
            rest = rest[outer.end() :]
        if not rows or not rest:
            continue
        if cell := _ITEM.match(rest + " "):
            rows[-1].append(rest[cell.end() :].strip())
        elif rows[-1]:
            rows[-1][-1] = f"{rows[-1][-1]} {rest}".strip()
    return [row for row in rows if any(row)]
