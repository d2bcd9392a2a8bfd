"""DOCX bytes in, a draft out: headings by style, lists, tables in their place, the core properties as metadata."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import XmlchemyError
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import LxmlError

from ingest.errors import SourceError
from ingest.invisible import with_invisible
from ingest.load_draft import Draft, DraftWriter, brief, office_metadata, one_line, table_row

_DAMAGED = (
    OpcError, PythonDocxError, XmlchemyError, LxmlError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError,
    AttributeError, TypeError, IndexError, NotImplementedError,
)  # fmt: skip
_HEADING = re.compile(r"(?:heading|标题|überschrift|titre)\s*(\d)", re.I)


def load_docx(data: bytes, name: str) -> Draft:
    """Give the document's text in reading order; SourceError when the file is damaged."""
    try:
        document = docx.Document(io.BytesIO(data))
        n_invisible = _take_out_invisible(document)
        writer = DraftWriter()
        _write(document, writer)
        draft = writer.finish(title=_title(document), metadata=_metadata(document))
        return with_invisible(draft, n_invisible)
    except _DAMAGED as error:
        raise SourceError(
            f"{name} is a damaged DOCX file ({brief(error)}); open it in a word processor, save it again and add that."
        ) from error


def _take_out_invisible(document: WordDocument) -> int:
    """Remove the runs that are marked hidden, too small to read, or white where nothing is shaded, and count their
    characters. In a table white is a header's, whose shade may come from the table's style.
    """
    n_characters = 0
    body = document.element.body
    page_is_white = document.element.find(qn("w:background")) is None
    for run in list(body.iter(qn("w:r"))):
        properties = run.find(qn("w:rPr"))
        if properties is None:
            continue
        is_white = page_is_white and (_value(properties, "w:color") or "").upper() == "FFFFFF"
        if (
            (_value(properties, "w:vanish", "true") or "false").lower() not in ("false", "0", "off")
            or (_value(properties, "w:sz") or "9") in ("1", "2")
            or (is_white and not _is_shaded(run, properties))
        ):
            words = one_line("".join(part.text or "" for part in run.iter(qn("w:t"))))
            n_characters += len(words)
            run.getparent().remove(run)
    return n_characters


def _value(properties: Any, name: str, without: str = "") -> str | None:  # an lxml element, which has no types
    """Give what a property says, `without` where it says nothing, None where it isn't there."""
    found = properties.find(qn(name))
    return None if found is None else str(found.get(qn("w:val")) or without)


def _is_shaded(run: Any, properties: Any) -> bool:
    if any(properties.find(qn(name)) is not None for name in ("w:shd", "w:highlight")):
        return True
    paragraph = next(run.iterancestors(qn("w:p")), None)
    if paragraph is not None and paragraph.find(f"{qn('w:pPr')}/{qn('w:shd')}") is not None:
        return True
    return next(run.iterancestors(qn("w:tc"), qn("w:txbxContent")), None) is not None


def _write(document: WordDocument, writer: DraftWriter) -> None:
    items: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            level, is_item = _heading_level(block), _is_item(block)
            if is_item and not level:
                if block.text.strip():
                    items.append(f"{'  ' * _depth(block)}- {one_line(block.text)}")
                continue
            writer.add("list", "\n".join(items))
            items = []
            writer.add("heading" if level else "paragraph", block.text, level)
        else:
            writer.add("list", "\n".join(items))
            items = []
            writer.add("table", "\n".join(_rows(block)))
    writer.add("list", "\n".join(items))


def _heading_level(paragraph: Paragraph) -> int:
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    if found := _HEADING.match(style):
        return max(1, min(int(found.group(1)), 6))
    return 1 if style in ("Title", "标题") else 0


def _is_item(paragraph: Paragraph) -> bool:
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    properties = paragraph._p.pPr
    return style.startswith("List") or (properties is not None and properties.numPr is not None)


def _depth(paragraph: Paragraph) -> int:
    properties = paragraph._p.pPr
    numbering = properties.numPr if properties is not None else None
    if numbering is not None and numbering.ilvl is not None:
        return min(int(numbering.ilvl.val), 8)
    return 0


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells, previous = [], None
        for cell in row.cells:  # a merged cell comes once for each column it spans
            if cell._tc is not previous:
                cells.append(one_line(cell.text))
            previous = cell._tc
        if any(cells):
            yield table_row(cells)


def _title(document: WordDocument) -> str | None:
    if title := one_line(document.core_properties.title or ""):
        return title if title.lower() not in ("word document", "document") else None
    return None


def _metadata(document: WordDocument) -> dict[str, str]:
    properties = document.core_properties
    date = properties.modified or properties.created
    return office_metadata(properties.author, properties.subject, properties.keywords, date)
