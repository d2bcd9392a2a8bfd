"""A page and spans of its text in, a picture of the page with the spans marked out. Knows nothing of documents.

Pages are those of PDFs and of pictures; where a page's words stand is asked of the PDF, or is what OCR noted. The text
that is quoted was tidied when the page was read: lines joined, hyphens mended, table cells put in rows. So a span is
found again by its characters without white space, hyphens, leaders and bars; the others never change.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2.raw as pdfium
from PIL import Image, ImageChops, ImageDraw
from pypdfium2 import PdfDocument, PdfPage

from ingest.document import ReadPage, Span
from ingest.errors import SourceError
from ingest.load import decompressed
from ingest.load_image import open_frames
from ingest.load_pdf_page import LEADER, char_box, open_pdf
from ingest.ocr_engine import turned_picture
from ingest.original import read_original

Box = tuple[float, float, float, float]  # left, top, right, bottom

_IGNORED = re.compile(r"[\s\x00-\x1f\x7f\-‐\u00ad\ufffe\ufeff\u200b|¦…]")
_YELLOW = (255, 233, 92)
_MAX_PIXELS = 4000  # on the longer side


@dataclass(frozen=True, slots=True)
class PageToDraw:
    """Page `number` of a source whose bytes have a hash, at `scale` times 72 dpi; `is_picture`: of a picture, else of a
    PDF. `text` is the page's, `spans` are in it, and `read` is where OCR read it.
    """

    source: str
    content_hash: str
    number: int
    is_picture: bool
    scale: float
    text: str
    spans: Sequence[Span]
    read: ReadPage | None = None


@dataclass(frozen=True, slots=True)
class PageImage:
    """A PNG of one page. `boxes` are in its pixels from the top left, one for each marked stretch of a line; they are
    empty when no span could be found on the page.
    """

    png: bytes
    width: int
    height: int
    boxes: tuple[Box, ...]


def draw_page(page: PageToDraw) -> PageImage:
    """Draw a page, in this process. SourceError when its file is gone or has changed since it was read."""
    name = Path(page.source).name
    data = _unchanged_bytes(page)
    boxes: tuple[Box, ...] = ()
    if page.is_picture:
        with open_frames(data, name) as frames:
            picture = frames.picture(page.number)
        picture.thumbnail((_MAX_PIXELS, _MAX_PIXELS))
    else:
        with open_pdf(data, name) as pdf:
            picture, boxes = _draw(pdf, page)
    if page.read is not None:
        picture = turned_picture(picture, page.read.turn)
        boxes = tuple(_read_boxes(page.read, page, picture.size))
    for box in boxes:
        _mark(picture, box)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return PageImage(buffer.getvalue(), picture.width, picture.height, boxes)


def _unchanged_bytes(page: PageToDraw) -> bytes:
    name = Path(page.source).name
    data = read_original(page.source)
    if hashlib.sha256(data).hexdigest() != page.content_hash:
        raise SourceError(f"{name} has changed since it was added; add it again to see its pages.")
    return decompressed(data, name) if data.startswith(b"\x1f\x8b") else data


def _draw(pdf: PdfDocument, asked: PageToDraw) -> tuple[Image.Image, tuple[Box, ...]]:
    page = pdf[asked.number - 1]
    bitmap = page.render(scale=min(asked.scale, _MAX_PIXELS / max(page.get_size())))
    picture: Image.Image = bitmap.to_pil().convert("RGB")
    to_pixels = bitmap.get_posconv(page).to_bitmap
    boxes = []
    for left, bottom, right, top in _page_boxes(page, asked) if asked.read is None else ():
        (x0, y0), (x1, y1) = to_pixels(left, bottom), to_pixels(right, top)
        boxes.append((float(min(x0, x1)), float(min(y0, y1)), float(max(x0, x1)), float(max(y0, y1))))
    return picture, tuple(boxes)


def _page_boxes(page: PdfPage, asked: PageToDraw) -> list[Box]:
    """Give the boxes of the spans in page points, as left, bottom, right, top with y upwards."""
    textpage = page.get_textpage()
    try:
        codes = [pdfium.FPDFText_GetUnicode(textpage, index) for index in range(textpage.count_chars())]
        found = _find_spans(_Characters("".join(map(_character, codes))), asked)
        return [box for numbers in found for box in _line_boxes(char_box(textpage, at) for at in numbers)]
    finally:
        textpage.close()


def _read_boxes(read: ReadPage, page: PageToDraw, size: tuple[int, int]) -> Iterator[Box]:
    """Give the boxes of the spans on a page that was read by OCR, in pixels of its picture of this size."""
    width, height = size
    characters: list[str] = []
    boxes: list[Box] = []
    for word in read.words:
        step = (word.right - word.left) / len(word.text)
        for at, character in enumerate(word.text):
            left = word.left + at * step
            boxes.append((left * width, word.top * height, (left + step) * width, word.bottom * height))
            characters.append(character)
        boxes.append((0.0, 0.0, 0.0, 0.0))
        characters.append(" ")
    for numbers in _find_spans(_Characters("".join(characters)), page):
        yield from _line_boxes(boxes[at] for at in numbers)


def _find_spans(characters: "_Characters", page: PageToDraw) -> Iterator[list[int]]:
    """Give, for each span, the numbers of its characters on the page."""
    for span in page.spans:
        yield characters.find(span.of(page.text), page.text[: span.start], page.text[span.end :])


class _Characters:
    """The characters of a page that tidying keeps, with their numbers among all of them."""

    def __init__(self, raw: str) -> None:
        raw = LEADER.sub(lambda dots: " " * len(dots.group()), raw)
        self._numbers = [index for index, character in enumerate(raw) if not _IGNORED.match(character)]
        self._text = "".join(raw[index] for index in self._numbers)

    def find(self, quote: str, before: str, after: str) -> list[int]:
        """Give the numbers of the quote's characters; none when it isn't there whole."""
        words, lead, rest = _kept(quote), _kept(before), _kept(after)
        if not words:
            return []
        if (at := self._text.find(lead + words + rest)) >= 0:
            start = at + len(lead)
            return self._numbers[start : start + len(words)]
        expected = len(lead) + (len(self._text) - len(lead) - len(words) - len(rest)) // 2
        if (at := self._nearest(words, expected)) >= 0:
            return self._numbers[at : at + len(words)]
        return self._find_parts(quote, expected)

    def _find_parts(self, quote: str, expected: int) -> list[int]:
        """Find the cells of table rows one by one, and the words of cells whose lines are interleaved."""
        found: list[int] = []
        for cell in re.split(r"[|\n]", quote):
            parts = [_kept(cell)] if self._nearest(_kept(cell), expected) >= 0 else [*map(_kept, cell.split())]
            for part in filter(None, parts):
                at = self._nearest(part, expected)
                if at < 0:
                    return []
                found.extend(self._numbers[at : at + len(part)])
                expected = at + len(part)
        return found

    def _nearest(self, part: str, expected: int) -> int:
        at = self._text.find(part)
        best = at
        while at >= 0:
            if abs(at - expected) < abs(best - expected):
                best = at
            at = self._text.find(part, at + 1)
        return best


def _character(code: int) -> str:
    return chr(code) if 0 < code <= 0x10FFFF else "\x00"


def _kept(text: str) -> str:
    return _IGNORED.sub("", text)


def _line_boxes(characters: Iterable[Box]) -> Iterator[Box]:
    """Give one box for each stretch of a line, from those of its characters."""
    current: Box | None = None
    for left, bottom, right, top in characters:
        if right <= left:
            continue
        if current is not None and _goes_on(current, left, bottom, top):
            current = (min(current[0], left), min(current[1], bottom), max(current[2], right), max(current[3], top))
        else:
            if current is not None:
                yield current
            current = (left, bottom, right, top)
    if current is not None:
        yield current


def _goes_on(box: Box, left: float, bottom: float, top: float) -> bool:
    height = box[3] - box[1]
    overlap = min(box[3], top) - max(box[1], bottom)
    is_level = max(box[3], top) - min(box[1], bottom) < 1.35 * max(top - bottom, 1.0)  # a box never leans far
    return is_level and overlap > 0.5 * min(height, top - bottom) and -height < left - box[2] < 2 * height


def _mark(picture: Image.Image, box: Box) -> None:
    """Lay translucent yellow over a box: multiplied, so that black stays black."""
    area = (round(box[0]) - 1, round(box[1]) - 1, round(box[2]) + 1, round(box[3]) + 1)
    region = picture.crop(area)
    marker = Image.new("RGB", region.size, _YELLOW)
    picture.paste(ImageChops.multiply(region, marker), area[:2])
    ImageDraw.Draw(picture).line((area[0], area[3], area[2], area[3]), fill=(214, 158, 0))
