"""A sheet's cells in, its tables as lines that name their columns out. Knows nothing about file formats.

A sheet may hold several tables: apart by empty rows, or side by side with an empty column between. A row that carries
its column names can be quoted, searched and read by a model on its own (as in `load_csv`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.load_csv import NUMBER, record_line
from ingest.load_draft import DraftWriter

_YEAR = re.compile(r"(?:19|20)\d\d")
_MAX_HEADER_ROWS = 3

Row = Sequence[str]
Place = tuple[int, int]  # row and column, from 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's cells as a person sees them, each on one line. `rows` names rows by number from 0; empty ones may be
    missing. `merged` gives for each cell that a merged one covers the place that holds its text.
    """

    name: str
    rows: Mapping[int, Row]
    hidden: bool = False
    merged: Mapping[Place, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Header:
    first: int  # the table's leftmost column
    names: tuple[str, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.names)

    def covers(self, first: int, last: int) -> bool:
        return self.first <= first and last <= self.last


def write_sheet(sheet: Sheet, writer: DraftWriter) -> int:
    """Append a sheet as a page of its own under its name; give the number of its rows that hold something."""
    writer.begin_page(sheet.name)
    filled = {number: row for number, row in sheet.rows.items() if any(cell.strip() for cell in row)}
    if not filled:
        return 0
    writer.add("heading", f"{sheet.name} (hidden sheet)" if sheet.hidden else sheet.name, 1)
    above: list[_Header] = []
    for numbers in _bands(sorted(filled)):
        for first, last in _segments([filled[number] for number in numbers]):
            _write_table(sheet, numbers, first, last, above, writer)
    return len(filled)


def _bands(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Group row numbers that follow each other without a gap."""
    band: list[int] = []
    for number in numbers:
        if band and number != band[-1] + 1:
            yield band
            band = []
        band.append(number)
    if band:
        yield band


def _segments(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Find the column ranges of a band's tables. A lone column beside a gap belongs to what stands next to it."""
    used = sorted({index for row in rows for index, cell in enumerate(row) if cell.strip()})
    segments: list[tuple[int, int]] = []
    for column in used:
        if segments and column == segments[-1][1]:
            segments[-1] = (segments[-1][0], column + 1)
        else:
            segments.append((column, column + 1))
    if len(rows) < 2 or any(last - first < 2 for first, last in segments):
        return [(used[0], used[-1] + 1)]
    return segments


def _write_table(
    sheet: Sheet, numbers: Sequence[int], first: int, last: int, above: list[_Header], writer: DraftWriter
) -> None:
    """Append the table in columns first..last (excluded). `above` holds the headers that count for what is below."""
    rows = [_cells(sheet, number, first, last) for number in numbers]
    own = [_own(sheet, number, first, row) for number, row in zip(numbers, rows, strict=True)]
    at = 0
    while at < len(rows) and last - first > 1 and sum(map(bool, own[at])) == 1:  # a title, a note
        writer.add("paragraph", next(filter(None, own[at])))
        at += 1
    if _is_form(rows[at:]):
        writer.add("table", "\n".join(f"{name.rstrip(' :：')}: {value}" for name, value in rows[at:] if value))
        return
    size = _header_size(rows[at:], own[at:])
    header = _Header(first, _names(rows[at : at + size])) if size else None
    if header is not None:
        above[:] = [other for other in above if other.last <= first or last <= other.first] + [header]
    names = next(
        (other.names[first - other.first : last - other.first] for other in above if other.covers(first, last)), ()
    )
    data = _data_rows(sheet, numbers[at + size :], first, last)
    lines = [line for row in data if (line := record_line(list(names), row))]
    if header is not None and not lines:
        lines = ["; ".join(filter(None, header.names))]
    writer.add("table" if last - first > 1 or header else "paragraph", "\n".join(lines))


def _data_rows(sheet: Sheet, numbers: Sequence[int], first: int, last: int) -> Iterator[list[str]]:
    """Give rows of data: a cell merged downwards counts for each of its rows, one merged across counts once."""
    for number in numbers:
        row = _cells(sheet, number, first, last)
        for at in range(len(row) if sheet.merged else 0):
            holder = sheet.merged.get((number, first + at))
            if holder is not None and holder[1] != first + at:
                row[at] = ""
        yield row


def _cells(sheet: Sheet, number: int, first: int, last: int) -> list[str]:
    if not sheet.merged:
        own = list(sheet.rows.get(number, ())[first:last])
        return own + [""] * (last - first - len(own))
    cells = []
    for column in range(first, last):
        row, at = sheet.merged.get((number, column), (number, column))
        held = sheet.rows.get(row, ())
        cells.append(held[at] if at < len(held) else "")
    return cells


def _own(sheet: Sheet, number: int, first: int, row: Sequence[str]) -> list[str]:
    """Give a row's texts without those of cells that a merged one covers."""
    if not sheet.merged:
        return list(row)
    return ["" if (number, first + at) in sheet.merged else cell for at, cell in enumerate(row)]


def _is_form(rows: Sequence[Sequence[str]]) -> bool:
    """Tell names with their values, as in a form, from two columns: values of one column are of one kind."""
    if len(rows) < 3 or any(len(row) != 2 or not row[0] or NUMBER.fullmatch(row[0]) for row in rows):
        return False
    numbers = [bool(NUMBER.fullmatch(value)) for _, value in rows[1:] if value]
    marked = [name for name, _ in rows if name.endswith((":", "："))]
    return len(marked) * 2 > len(rows) or (0.2 * len(numbers) < sum(numbers) < 0.8 * len(numbers))


def _header_size(rows: Sequence[list[str]], own: Sequence[list[str]]) -> int:
    """Count the rows that name the columns: more than one only where a name spans several columns."""
    if not rows or not _can_name(rows[0]):
        return 0
    size = 1
    while size < min(_MAX_HEADER_ROWS, len(rows) - 1) and own[size - 1] != rows[size - 1] and _can_name(rows[size]):
        size += 1
    names = [name for name in _names(rows[:size]) if name]
    return size if len(set(names)) == len(names) else 0


def _can_name(row: Sequence[str]) -> bool:
    """Names are short words or years, for most of the columns."""
    named = [cell for cell in row if cell]
    if len(named) * 2 < len(row) or len(named) < min(2, len(row)):
        return False
    numbers = [cell for cell in named if NUMBER.fullmatch(cell)]
    if len(row) == 1 or any(len(cell) > 80 for cell in named):
        return False
    return all(_YEAR.fullmatch(cell) for cell in numbers) and not (row[0] and _YEAR.fullmatch(row[0]))


def _names(rows: Sequence[list[str]]) -> tuple[str, ...]:
    columns = zip(*rows, strict=True)
    return tuple(" ".join(dict.fromkeys(filter(None, column))) for column in columns)
