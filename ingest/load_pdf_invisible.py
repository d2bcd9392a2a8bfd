"""One open PDF page in, the page without the text that no reader sees, and how many characters that was.

Text is taken out that is drawn without ink or in white where the drawn page shows nothing at that place, that is
smaller than anyone can read, or that lies beside the page. The text beneath a scan is drawn without ink too: it stays,
for the scan shows it. The caller holds `PDFIUM`.
"""

import ctypes
import math
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

_UNREADABLE_POINTS = 1.0
_WHITE = 250  # of 255, in each colour
_INVISIBLE_MODES = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_LEAST_INK = 12  # how much darker or lighter than the rest a pixel must be to be seen

# pdfium's handles, numbers and structures have no types.
_RED, _GREEN, _BLUE, _ALPHA = (ctypes.c_uint() for _ in range(4))  # one for all: whoever calls holds `PDFIUM`
_LEFT, _BOTTOM, _RIGHT, _TOP, _SIZE = (ctypes.c_float() for _ in range(5))
_MATRIX = pdfium.FS_MATRIX()


def take_out_invisible(page: PdfPage) -> int:
    """Remove invisible text from the page, as it is in memory, and count its characters."""
    crop = page.get_cropbox()
    doomed: list[Any] = []
    suspects: list[Any] = []
    for index in range(pdfium.FPDFPage_CountObjects(page.raw)):
        text = pdfium.FPDFPage_GetObject(page.raw, index)
        if pdfium.FPDFPageObj_GetType(text) != pdfium.FPDF_PAGEOBJ_TEXT:
            continue
        if _is_tiny(text) or _is_beside(text, crop):
            doomed.append(text)
        elif _may_be_invisible(text):
            suspects.append(text)
    if not doomed and not suspects:
        return 0
    textpage = page.get_textpage()
    try:
        worded = [text for text in suspects if _words(textpage, text)]
        doomed += _unseen(page, worded) if worded else []
        n_characters = sum(len(_words(textpage, text)) for text in doomed)
    finally:
        textpage.close()
    for text in doomed:
        pdfium.FPDFPage_RemoveObject(page.raw, text)
        pdfium.FPDFPageObj_Destroy(text)
    return n_characters


def _words(textpage: PdfTextPage, text: Any) -> str:
    size = pdfium.FPDFTextObj_GetText(text, textpage.raw, None, 0)  # in bytes
    buffer = (ctypes.c_ushort * max(size // 2, 1))()
    pdfium.FPDFTextObj_GetText(text, textpage.raw, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\x00").strip()


def _bounds(text: Any) -> tuple[float, float, float, float]:
    if not pdfium.FPDFPageObj_GetBounds(text, _LEFT, _BOTTOM, _RIGHT, _TOP):
        return (0.0, 0.0, 0.0, 0.0)
    return _LEFT.value, _BOTTOM.value, _RIGHT.value, _TOP.value


def _is_beside(text: Any, crop: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = _bounds(text)
    return right > left and (right < crop[0] or left > crop[2] or top < crop[1] or bottom > crop[3])


def _is_tiny(text: Any) -> bool:
    if not pdfium.FPDFTextObj_GetFontSize(text, _SIZE) or not pdfium.FPDFPageObj_GetMatrix(text, _MATRIX):
        return False
    return 0 < _SIZE.value * math.hypot(_MATRIX.c, _MATRIX.d) < _UNREADABLE_POINTS


def _may_be_invisible(text: Any) -> bool:
    if pdfium.FPDFTextObj_GetTextRenderMode(text) in _INVISIBLE_MODES:
        return True
    if not pdfium.FPDFPageObj_GetFillColor(text, _RED, _GREEN, _BLUE, _ALPHA):
        return False
    return _ALPHA.value == 0 or min(_RED.value, _GREEN.value, _BLUE.value) >= _WHITE


def _unseen(page: PdfPage, suspects: list[Any]) -> list[Any]:
    """Give those at whose place the drawn page is of one colour."""
    bitmap = page.render(scale=1, may_draw_forms=False)
    pixels = bitmap.to_numpy()  # (height, width, channels)
    converter = bitmap.get_posconv(page)
    found = []
    for text in suspects:
        left, bottom, right, top = _bounds(text)
        x0, y0 = converter.to_bitmap(left, top)
        x1, y1 = converter.to_bitmap(right, bottom)
        rows, columns = sorted((y0, y1)), sorted((x0, x1))
        part = pixels[max(rows[0], 0) : rows[1] + 1, max(columns[0], 0) : columns[1] + 1]
        if part.size and int(part.max()) - int(part.min()) < _LEAST_INK:
            found.append(text)
    return found
