"""OpenDocument spreadsheet bytes in, a draft out: as XLSX, with the words that the file itself keeps for each cell."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, brief, one_line
from ingest.load_xlsx import MAX_CELLS
from ingest.sheet_tables import Place, Sheet, write_sheet

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DAMAGED = (etree.LxmlError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError)
_MAX_REPEATED = 1000  # an empty rest of a sheet is stored as one cell, repeated; so many equal values are an accident


def load_ods(data: bytes, name: str) -> Draft:
    """Give the sheets in order; SourceError when damaged or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            root = etree.fromstring(
                archive.read("content.xml"), etree.XMLParser(resolve_entities=False, no_network=True)
            )
    except _DAMAGED as error:
        raise SourceError(
            f"{name} is a damaged or encrypted ODS file ({brief(error)}); "
            "open it in a spreadsheet program, save it again without a password and add that."
        ) from error
    writer = DraftWriter()
    hidden_styles = {
        style.get(f"{_STYLE}name")
        for style in root.iter(f"{_STYLE}style")
        if any(entry.get(f"{_TABLE}display") == "false" for entry in style)
    }
    budget = [MAX_CELLS]
    hidden, n_rows, n_sheets = [], 0, 0
    for table in root.iter(f"{_TABLE}table"):
        sheet = _sheet(table, table.get(f"{_TABLE}style-name") in hidden_styles, budget, name)
        n_sheets += 1
        n_rows += write_sheet(sheet, writer)
        hidden += [sheet.name] if sheet.hidden else []
    metadata = {"sheets": str(n_sheets), "rows": str(n_rows), "hidden_sheets": "; ".join(hidden)}
    return writer.finish(metadata={key: value for key, value in metadata.items() if value})


def _sheet(table: _Element, hidden: bool, budget: list[int], name: str) -> Sheet:
    rows: dict[int, list[str]] = {}
    merged: dict[Place, Place] = {}
    number = 0
    for row in table.iter(f"{_TABLE}table-row"):
        cells = _cells(row, number, merged)
        repeated = _count(row, "number-rows-repeated")
        for _ in range(min(repeated, _MAX_REPEATED) if cells else 0):
            budget[0] -= len(cells)
            if budget[0] < 0:
                raise SourceError(
                    f"{name} holds more than {MAX_CELLS:,} cells; save the sheets that matter as files of their own, "
                    "or as CSV, and add those."
                )
            rows[number] = cells
            number += 1
        number += repeated if not cells else max(0, repeated - _MAX_REPEATED)
    return Sheet(table.get(f"{_TABLE}name") or "Sheet", rows, hidden, merged)


def _cells(row: _Element, number: int, merged: dict[Place, Place]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        text = one_line(" ".join(_words(part) for part in cell.iterchildren(f"{_TEXT}p")))
        if not text:
            text = one_line(cell.get(f"{_OFFICE}string-value") or cell.get(f"{_OFFICE}value") or "")
        across, down = _count(cell, "number-columns-spanned"), _count(cell, "number-rows-spanned")
        if across * down > 1 and across * down <= 10_000:
            place = (number, len(cells))
            for y in range(down):
                for x in range(across):
                    if (y, x) != (0, 0):
                        merged[number + y, len(cells) + x] = place
        cells.extend([text] * min(_count(cell, "number-columns-repeated"), _MAX_REPEATED if text else 16_384))
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _words(paragraph: _Element) -> str:
    return "".join(_pieces(paragraph))


def _pieces(node: _Element) -> Iterator[str]:
    if node.tag in (f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"):
        yield " "
    yield node.text or ""
    for child in node:
        yield from _pieces(child)
        yield child.tail or ""


def _count(node: _Element, name: str) -> int:
    value = node.get(f"{_TABLE}{name}") or "1"
    return max(1, int(value)) if value.isdigit() and len(value) < 9 else 1
