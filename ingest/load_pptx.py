"""PPTX bytes in, a draft out: each slide a page under its title, with lists, tables, charts, pictures and notes."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.presentation import Presentation as PowerPoint
from pptx.shapes.base import BaseShape
from pptx.slide import Slide
from pptx.table import Table
from pptx.text.text import TextFrame, _Paragraph

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, brief, office_metadata, one_line, table_row
from ingest.load_pptx_chart import chart_rows

_DAMAGED = (
    PythonPptxError, etree.LxmlError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, AttributeError,
    NotImplementedError, IndexError, TypeError,
)  # fmt: skip
_FURNITURE = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_LISTED = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY)
_FILE_NAME = re.compile(r"[^\s]+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg)", re.I)
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_NO_TITLE = ("powerpoint presentation", "presentation", "演示文稿", "powerpoint 演示文稿")
_MAX_DEPTH = 20  # of groups inside groups


def load_pptx(data: bytes, name: str) -> Draft:
    """Give the slides in order; SourceError when the file is damaged."""
    try:
        presentation = Presentation(io.BytesIO(data))
        writer = DraftWriter()
        hidden = []
        for number, slide in enumerate(presentation.slides, 1):
            _write_slide(slide, number, writer)
            if slide._element.get("show") in ("0", "false"):
                hidden.append(str(number))
        metadata = {**_metadata(presentation), "slides": str(len(presentation.slides))}
        if hidden:
            metadata["hidden_slides"] = ", ".join(hidden)
        return writer.finish(title=_title(presentation), metadata=metadata)
    except _DAMAGED as error:
        raise SourceError(
            f"{name} is a damaged PPTX file ({brief(error)}); "
            "open it in a presentation program, save it again and add that."
        ) from error


def _write_slide(slide: Slide, number: int, writer: DraftWriter) -> None:
    writer.begin_page()
    title = slide.shapes.title
    writer.add("heading", (one_line(title.text_frame.text) if title is not None else "") or f"Slide {number}", 1)
    for shape in slide.shapes:
        if title is None or shape.shape_id != title.shape_id:
            _write_shape(shape, slide, writer, 0)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
        writer.add("heading", "Notes", 2)
        for paragraph in frame.paragraphs:
            writer.add("paragraph", paragraph.text)


def _write_shape(shape: BaseShape, slide: Slide, writer: DraftWriter, depth: int) -> None:
    if hasattr(shape, "shapes"):
        for inner in shape.shapes if depth < _MAX_DEPTH else ():
            _write_shape(inner, slide, writer, depth + 1)
        return
    placeholder = shape.placeholder_format.type if shape.is_placeholder else None
    if placeholder in _FURNITURE:
        return
    if getattr(shape, "has_table", False):
        writer.add("table", "\n".join(_rows(shape.table)))
    elif getattr(shape, "has_chart", False):
        title, rows = chart_rows(shape.chart)
        writer.add("paragraph", title)
        writer.add("table", "\n".join(rows))
    elif shape.has_text_frame and shape.text_frame.text.strip():
        _write_text(shape.text_frame, writer, listed=placeholder in _LISTED)
    elif relation := _diagram_relation(shape):
        writer.add("list", "\n".join(_diagram_items(slide.part.related_part(relation).blob)))
    if alternative := _alternative_text(shape):
        writer.add("figure", alternative)


def _write_text(frame: TextFrame, writer: DraftWriter, *, listed: bool) -> None:
    """Give runs of bullets as lists. In a body placeholder a paragraph has a bullet unless it says otherwise."""
    paragraphs = [paragraph for paragraph in frame.paragraphs if paragraph.text.strip()]
    items: list[str] = []
    for paragraph in paragraphs:
        if _has_bullet(paragraph, listed and len(paragraphs) > 1):
            items.append(f"{'  ' * paragraph.level}- {one_line(paragraph.text)}")
            continue
        writer.add("list", "\n".join(items))
        items = []
        writer.add("paragraph", paragraph.text.replace("\v", "\n"))
    writer.add("list", "\n".join(items))


def _has_bullet(paragraph: _Paragraph, usual: bool) -> bool:
    properties = paragraph._p.pPr
    marks = {child.tag.removeprefix(_DRAWING) for child in properties} if properties is not None else set()
    if "buNone" in marks:
        return False
    return usual or paragraph.level > 0 or bool(marks & {"buChar", "buAutoNum", "buBlip"})


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells = [one_line(cell.text) for cell in row.cells if not cell.is_spanned]
        if any(cells):
            yield table_row(cells)


def _diagram_relation(shape: BaseShape) -> str | None:
    """Give the relation that leads to a SmartArt diagram's words; None for other shapes."""
    for found in shape._element.iter(f"{_DIAGRAM}relIds"):
        relation: str | None = found.get(f"{_RELATION}dm")
        return relation
    return None


def _diagram_items(xml: bytes) -> Iterator[str]:
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    for point in root.iter(f"{_DIAGRAM}pt"):
        text = one_line(" ".join(run.text or "" for run in point.iter(f"{_DRAWING}t")))
        if text:
            yield f"- {text}"


def _alternative_text(shape: BaseShape) -> str:
    """What the author wrote for those who can't see a picture; a file's name says nothing."""
    for properties in shape._element.xpath("./*/p:cNvPr"):
        text = one_line(properties.get("descr") or "")
        return "" if _FILE_NAME.fullmatch(text) else text
    return ""


def _title(presentation: PowerPoint) -> str | None:
    stated = one_line(presentation.core_properties.title or "")
    if stated and stated.lower() not in _NO_TITLE:
        return stated
    first = presentation.slides[0].shapes.title if len(presentation.slides) else None
    return one_line(first.text_frame.text) or None if first is not None else None


def _metadata(presentation: PowerPoint) -> dict[str, str]:
    properties = presentation.core_properties
    date = properties.modified or properties.created
    return office_metadata(properties.author, properties.subject, properties.keywords, date)
