"""What an export shows in, a PDF of it out: text that can be read, selected and searched, with its font inside.

The font is WenQuanYi Micro Hei (Apache-2.0): Latin, Greek, Cyrillic and Chinese. Only the letters used are embedded.
"""

import io
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from xml.sax.saxutils import escape

from PIL import Image as Pillow
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from app.export_content import Exported, Figure, Piece, Source
from app.page_parts.answer_html import STATUS_SIGNS, STRONG
from app.page_parts.texts import Texts
from generation.answer import Status

_FONT = "FootnoteSans"
_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TALLEST = 550.0  # points: a page's picture stands on one page with its source's name and a quote of some lines
_LARGE_PNG = 400_000  # bytes; beyond it is a scan or a photograph, which JPEG holds in a fifth
_MARKER = re.compile(r"\[(\d{1,3})\]")
_COLOURS: dict[Status, str] = {"supported": "#1a7f4b", "partial": "#8f5a00", "unsupported": "#b3261e"}
_SIGNS: dict[Status, str] = {**STATUS_SIGNS, "unsupported": "×"}  # the font has no ✗
_NO_LETTER = "□"


def draw_pdf(shown: Exported) -> bytes:
    """Draw the PDF. The same content gives the same bytes."""
    pen = _Pen(shown.texts)
    head = list(_answer(shown, pen))
    sources = [KeepTogether(list(_source(source, pen))) for source in shown.sources]
    if pen.n_missing:
        head.append(pen.paragraph(shown.texts.counted(shown.texts.not_in_font, pen.n_missing), "caution"))
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=shown.question,
        author=shown.written_by,
        creator="Footnote",
        lang=shown.texts.code,
        invariant=1,
    )
    document.build([*head, *sources], onFirstPage=_number_page, onLaterPages=_number_page)
    return buffer.getvalue()


class _Pen:
    """Makes paragraphs of any text, and counts the characters that the font has no letter for."""

    def __init__(self, texts: Texts) -> None:
        self._letters = _letters()
        self._texts = texts
        self.n_missing = 0

    def paragraph(self, text: str, style: str) -> Paragraph:
        """Give a paragraph of plain text."""
        return self.marked(self.escaped(text), style)

    def marked(self, markup: str, style: str) -> Paragraph:
        """Give a paragraph of what is escaped already."""
        return Paragraph(markup, _STYLES[style])

    def escaped(self, text: str) -> str:
        """Escape text for a paragraph, its lines kept, with □ for what the font can't show."""
        return escape("".join(map(self._shown, text))).replace("\n", "<br/>")

    def _shown(self, character: str) -> str:
        if character.isspace():
            return "\n" if character == "\n" else " "
        if ord(character) in self._letters:
            return character
        if unicodedata.category(character) in ("Cc", "Cf", "Mn"):
            return ""  # no reader sees it
        self.n_missing += 1
        return _NO_LETTER


def _answer(shown: Exported, pen: _Pen) -> Iterator[Flowable]:
    yield pen.paragraph(shown.question, "question")
    yield pen.marked("".join(_piece(piece, pen) for piece in shown.pieces), "text")
    for remark in (*shown.remarks, shown.written_by):
        yield pen.paragraph(remark, "small")
    if shown.conflict:
        yield pen.marked(_piece(shown.conflict, pen), "caution")
    for caution in shown.cautions:
        yield pen.paragraph(caution, "caution")
    for picture in shown.pictures:
        yield from _figure(picture, pen)


def _piece(piece: Piece, pen: _Pen) -> str:
    def link(match: re.Match[str]) -> str:
        if int(match[1]) not in piece.markers:
            return match[0]
        colour = _COLOURS[piece.status or "supported"]
        return f'<a href="#s{match[1]}" color="{colour}">{match[0]}</a>'

    text = STRONG.sub(r"\1", _MARKER.sub(link, pen.escaped(piece.text)))  # the font has no bold letters
    if piece.status is None or not piece.flag:
        return text
    colour = _COLOURS[piece.status]
    flag = f"{_SIGNS[piece.status]} {pen.escaped(piece.flag)}"
    return f'<u color="{colour}">{text.strip()}</u> <font color="{colour}" size="8">({flag})</font> '


def _source(source: Source, pen: _Pen) -> Iterator[Flowable]:
    yield HRFlowable(width="100%", color=HexColor("#cccccc"), spaceBefore=8, spaceAfter=2)
    place = pen.escaped(source.place)
    yield pen.marked(f'<a name="s{source.marker}"/>[{source.marker}] {place}', "heading")
    status = f"{_SIGNS[source.status]} {pen.escaped(source.status_name)}"
    colour = _COLOURS[source.status]
    yield pen.marked(f'{pen.escaped(source.file)} · <font color="{colour}">{status}</font>', "small")
    yield pen.paragraph(source.quote, "quote")
    for note in source.notes:
        yield pen.paragraph(note, "small")
    if source.page is not None:
        yield from _figure(source.page, pen)
    if (excerpt := source.excerpt) is not None:
        before = ("… " if excerpt.cut_before else "") + pen.escaped(excerpt.before)
        after = pen.escaped(excerpt.after) + (" …" if excerpt.cut_after else "")
        quote = f'<font backColor="#ffe95c">{pen.escaped(excerpt.quote)}</font>'
        yield pen.marked(before + quote + after, "excerpt")


def _figure(figure: Figure, pen: _Pen) -> Iterator[Flowable]:
    data = _compact(figure.png)
    width, height = ImageReader(io.BytesIO(data)).getSize()
    scale = min(_WIDTH / width, _TALLEST / height, 1.0)
    yield pen.paragraph(figure.label, "label")
    framed = Table([[Image(io.BytesIO(data), width * scale, height * scale)]])
    framed.setStyle([("BOX", (0, 0), (0, 0), 0.5, HexColor("#cccccc"))])
    yield framed
    yield Spacer(0, 6)


def _compact(png: bytes) -> bytes:
    """Give a picture as JPEG where it is a scan or a photograph."""
    if len(png) <= _LARGE_PNG:
        return png
    with Pillow.open(io.BytesIO(png)) as picture:
        picture.thumbnail((2000, 2000))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=85)
    return min(png, buffer.getvalue(), key=len)


@cache
def _letters() -> frozenset[int]:
    """Load the font once; give the characters that it has a letter for and that a PDF's index of its text can name."""
    file = files("paperang_p2_fonts_cjk") / "fonts" / "wqy-microhei.ttc"
    with as_file(file) as path:
        font = TTFont(_FONT, str(path), subfontIndex=0)
    registerFont(font)
    return frozenset(code for code in font.face.charToGlyph if code <= 0xFFFF)


def _number_page(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(_FONT, 8)
    canvas.setFillColor(HexColor("#555555"))
    canvas.drawCentredString(A4[0] / 2, _MARGIN / 2, str(document.page))


def _style(name: str, size: float) -> ParagraphStyle:
    """Give a style in the one font. Lines may end between any two Chinese characters, and else at blanks."""
    return ParagraphStyle(name, fontName=_FONT, fontSize=size, leading=size * 1.5, wordWrap="CJK", spaceAfter=4)


_STYLES = {
    name: _style(name, size)
    for name, size in (
        ("question", 16),
        ("text", 11),
        ("small", 8.5),
        ("caution", 9),
        ("heading", 12),
        ("quote", 10.5),
        ("label", 8.5),
        ("excerpt", 9.5),
    )
}
for _name, _paper in (("caution", "#fbeccc"), ("quote", "#fff8dc")):
    _STYLES[_name].backColor = HexColor(_paper)
    _STYLES[_name].borderPadding = 4
    _STYLES[_name].spaceBefore, _STYLES[_name].spaceAfter = 6, 10
for _name in ("small", "label"):
    _STYLES[_name].textColor = HexColor("#555555")
for _name in ("heading", "label"):
    _STYLES[_name].keepWithNext = True
