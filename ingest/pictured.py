"""A page in, whether it shows something that its words don't tell out. Knows no model that looks at it."""

import re

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage

from ingest.document import Document
from ingest.load_pdf_ocr import picture_share

PICTURED_PAGES = "pages_with_pictures"  # in a document's metadata: "2, 5-7"
# Less is a logo, more is the scan or the paper that the words stand on.
_LEAST_SHARE, _MOST_SHARE = 0.08, 0.95
_MOST_OBJECTS = 3000  # a drawing of more is no page of text with a photograph, and looking through them takes long
# A chart drawn in lines is no picture to the file, and goes by what is written under it.
_CAPTION = re.compile(
    r"^(?:(?:figure|fig\.|chart|graph|diagram|exhibit)\s*\d[\d.]*\s*(?:[:：—–-]|$|(?-i:[A-Z]))"
    r"|[图圖](?:表|示)?\s*[\d一二三四五六七八九十])",
    re.IGNORECASE | re.MULTILINE,
)


def holds_picture(page: PdfPage) -> bool:
    """Tell whether a picture takes up a good part of a PDF's page."""
    if not 0 < pdfium.FPDFPage_CountObjects(page) <= _MOST_OBJECTS:
        return False
    return _LEAST_SHARE <= picture_share(page) < _MOST_SHARE


def is_pictured(document: Document, number: int) -> bool:
    """Tell whether page `number` of a document was read by OCR, or holds a picture, a figure or a chart."""
    page = document.pages[number - 1]
    return (
        any(read.number == number for read in document.read_pages)
        or any(block.kind == "figure" and block.span.overlaps(page.span) for block in document.blocks)
        or _is_among(number, document.metadata.get(PICTURED_PAGES, ""))
        or bool(_CAPTION.search(page.span.of(document.text)))
    )


def _is_among(number: int, ranges: str) -> bool:
    ends = [part.split("-") for part in ranges.split(", ") if part]
    return any(int(end[0]) <= number <= int(end[-1]) for end in ends)
