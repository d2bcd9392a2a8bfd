"""XLSX bytes in, a draft out: each sheet a page, each row a line that names its columns, values as shown."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import ParseError

from lxml.etree import LxmlError
from openpyxl import load_workbook
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from ingest.cell_format import shown_value
from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, brief, office_metadata, one_line
from ingest.sheet_tables import Place, Sheet, write_sheet

_DAMAGED = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, LxmlError, KeyError, ValueError, TypeError,
    IndexError, AttributeError, EOFError, OverflowError, NotImplementedError, SyntaxError, AssertionError,
)  # fmt: skip
MAX_CELLS = 2_000_000  # about 30 s of reading, benchmarks/LOG.md 2026-11-25
_MAX_MERGED = 100_000
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9$]+:[A-Z0-9$]+)"')
_UNCALCULATED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
_OVERLAP = 400  # more than a tag that two blocks of bytes share


def load_xlsx(data: bytes, name: str) -> Draft:
    """Give the sheets in order, formulas by the values last calculated; SourceError when damaged or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts of the file that don't matter here
            return _load(data, name)
    except _DAMAGED as error:
        raise SourceError(
            f"{name} is a damaged XLSX file ({brief(error)}); "
            "open it in a spreadsheet program, save it again and add that."
        ) from error


def _load(data: bytes, name: str) -> Draft:
    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    writer = DraftWriter()
    hidden, n_cells, n_uncalculated, n_rows = [], 0, 0, 0
    try:
        for worksheet in workbook.worksheets:
            merged, uncalculated = _scan(data, worksheet._worksheet_path)
            rows: dict[int, list[str]] = {}
            for number, cells in _rows(worksheet):
                n_cells += len(cells)
                if n_cells > MAX_CELLS:
                    raise SourceError(
                        f"{name} holds more than {MAX_CELLS:,} cells; save the sheets that matter as files of their "
                        "own, or as CSV, and add those."
                    )
                rows[number] = cells
            is_hidden = worksheet.sheet_state != "visible"
            n_rows += write_sheet(Sheet(worksheet.title, rows, is_hidden, merged), writer)
            n_uncalculated += uncalculated
            hidden += [worksheet.title] if is_hidden else []
        metadata = {**_metadata(workbook), "sheets": str(len(workbook.worksheets)), "rows": str(n_rows)}
        title = one_line(workbook.properties.title or "") or None
    finally:
        workbook.close()
    if hidden:
        metadata["hidden_sheets"] = "; ".join(hidden)
    if n_uncalculated:
        metadata["formulas_without_values"] = str(n_uncalculated)
    return writer.finish(title=title, metadata=metadata)


def _rows(worksheet: ReadOnlyWorksheet) -> Iterator[tuple[int, list[str]]]:
    """Give each row that holds something, with its number from 0."""
    worksheet.reset_dimensions()  # what the file states about its size is often wrong
    for number, row in enumerate(worksheet.iter_rows()):
        cells = [_shown(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _shown(cell: ReadOnlyCell | EmptyCell) -> str:
    value = cell.value
    return (
        one_line(value)
        if isinstance(value, str)
        else shown_value(value, cell.number_format)
        if value is not None
        else ""
    )


def _scan(data: bytes, path: str) -> tuple[dict[Place, Place], int]:
    """Find what reading row by row doesn't tell: which cells are merged, and how many formulas have no value yet."""
    ranges: set[bytes] = set()
    n_uncalculated = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(path.lstrip("/")) as part:
        for block, fresh in _blocks(part):
            ranges.update(_MERGE.findall(block))
            n_uncalculated += sum(1 for found in _UNCALCULATED.finditer(block) if found.end() > fresh)
    merged: dict[Place, Place] = {}
    for reference in sorted(ranges):
        left, top, right, bottom = range_boundaries(reference.decode("ascii"))
        if (right - left + 1) * (bottom - top + 1) + len(merged) > _MAX_MERGED:
            continue
        for row in range(top - 1, bottom):
            for column in range(left - 1, right):
                if (row, column) != (top - 1, left - 1):
                    merged[row, column] = (top - 1, left - 1)
    return merged, n_uncalculated


def _blocks(part: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Give the bytes in blocks that overlap, each with the length of what the block before held already."""
    tail = b""
    while fresh := part.read(1 << 20):
        yield tail + fresh, len(tail)
        tail = (tail + fresh)[-_OVERLAP:]


def _metadata(workbook: Workbook) -> dict[str, str]:
    properties = workbook.properties
    date = properties.modified or properties.created
    return office_metadata(properties.creator, properties.subject, properties.keywords, date)
