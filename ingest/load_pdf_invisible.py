"""One open PDF page in, the page without the text that no reader sees, and how many characters that was.

Text is taken out that is drawn without ink or in white where the drawn page shows nothing at that place, that is
smaller than anyone can read, or that lies beside the page. The text beneath a scan is drawn without ink too: it stays,
for the scan shows it. The caller holds `PDFIUM`.
"""

import ctypes
import math

import pypdfium2.raw as pdfium
from pypdfium2 import PdfObject, PdfPage

_UNREADABLE_POINTS = 1.0
_WHITE = 250  # of 255, in each colour
_INVISIBLE_MODES = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_LEAST_INK = 12  # how much darker or lighter than the rest a pixel must be to be seen


def take_out_invisible(page: PdfPage) -> int:
    """Remove invisible text from the page, as it is in memory, and count its characters."""
    objects = list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=1))
    beside = [text for text in objects if _is_beside(text, page) or _is_tiny(text)]
    suspects = [text for text in objects if text not in beside and _may_be_invisible(text)]
    doomed = beside + (_unseen(page, suspects) if suspects else [])
    if not doomed:
        return 0
    n_characters = 0
    textpage = page.get_textpage()
    try:
        for text in doomed:
            n_units = pdfium.FPDFTextObj_GetText(text.raw, textpage.raw, None, 0) // 2
            buffer = (ctypes.c_ushort * max(n_units, 1))()
            pdfium.FPDFTextObj_GetText(text.raw, textpage.raw, buffer, 2 * n_units)
            words = bytes(buffer)[: 2 * n_units].decode("utf-16-le", "replace").rstrip("\x00")
            n_characters += len(words.strip())
    finally:
        textpage.close()
    if n_characters:
        for text in doomed:
            page.remove_obj(text)
            text.close()
    return n_characters


def _is_beside(text: PdfObject, page: PdfPage) -> bool:
    left, bottom, right, top = text.get_bounds()
    page_left, page_bottom, page_right, page_top = page.get_cropbox()
    return bool(right < page_left or left > page_right or top < page_bottom or bottom > page_top)


def _is_tiny(text: PdfObject) -> bool:
    size = ctypes.c_float()
    if not pdfium.FPDFTextObj_GetFontSize(text.raw, size):
        return False
    matrix = text.get_matrix()
    return 0 < size.value * math.hypot(matrix.c, matrix.d) < _UNREADABLE_POINTS


def _may_be_invisible(text: PdfObject) -> bool:
    if pdfium.FPDFTextObj_GetTextRenderMode(text.raw) in _INVISIBLE_MODES:
        return True
    colours = [ctypes.c_uint() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetFillColor(text.raw, *colours):
        return False
    red, green, blue, alpha = (colour.value for colour in colours)
    return alpha == 0 or min(red, green, blue) >= _WHITE


def _unseen(page: PdfPage, suspects: list[PdfObject]) -> list[PdfObject]:
    """Give those at whose place the drawn page is of one colour."""
    bitmap = page.render(scale=1, may_draw_forms=False)
    pixels = bitmap.to_numpy().copy()  # (height, width, channels)
    converter = bitmap.get_posconv(page)
    found = []
    for text in suspects:
        left, bottom, right, top = text.get_bounds()
        x0, y0 = converter.to_bitmap(left, top)
        x1, y1 = converter.to_bitmap(right, bottom)
        rows, columns = sorted((y0, y1)), sorted((x0, x1))
        part = pixels[max(rows[0], 0) : rows[1] + 1, max(columns[0], 0) : columns[1] + 1]
        if part.size and int(part.max()) - int(part.min()) < _LEAST_INK:
            found.append(text)
    bitmap.close()
    return found
