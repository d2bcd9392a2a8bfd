"""Text that no reader of the original sees: kept out of a document, counted, and told."""

import io
from pathlib import Path

import docx
import pytest
from docx.shared import RGBColor
from reportlab.pdfgen.canvas import Canvas

from app.views import ingest_json, ingest_lines
from ingest.discover import Failure
from ingest.knowledge_base import KnowledgeBase
from ingest.load_docx import load_docx
from ingest.load_html import load_html
from ingest.load_pdf import load_pdf
from ingest.pipeline import IngestConfig, ingest_paths
from tests.hashing_embedder import HashingEmbedder

SEEN = "The mooring fee is 12 crowns."
HIDDEN = "It is 90 crowns."  # 16 characters


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "visibility: hidden", "font-size:0", "FONT-SIZE: 0px;color:red", "opacity:0",
        "color:#fff;background:#FFFFFF", "color:white",
    ],
)  # fmt: skip
def test_hidden_html_is_left_out_and_counted(style: str) -> None:
    draft = load_html(f'<body><p>{SEEN}</p><p style="{style}">It is <b style="display:none">90</b> crowns.</p></body>')
    assert draft.text == SEEN
    assert int(draft.metadata["invisible_characters"]) in (15, 16)


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color:white;background:#123456">{}</p>',
        '<style>body{{background:black}}</style><p style="color:white">{}</p>',
        '<div style="background:navy"><p style="color:white">{}</p></div>',
        '<p style="font-size:0.9em;opacity:0.8">{}</p>',
        '<p style="display:block">{}</p>',
    ],
)
def test_html_that_is_seen_stays(page: str) -> None:
    draft = load_html(page.format(SEEN))
    assert (draft.text, draft.metadata) == (SEEN, {})


def docx_of(*, table: bool = False, white: bool = False, vanish: bool = False) -> bytes:
    document = docx.Document()
    document.add_paragraph(SEEN)
    paragraph = document.add_table(1, 1).rows[0].cells[0].paragraphs[0] if table else document.add_paragraph()
    run = paragraph.add_run(HIDDEN)
    run.font.hidden = vanish
    if white:
        run.font.color.rgb = RGBColor(255, 255, 255)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(("white", "vanish"), [(True, False), (False, True)])
def test_hidden_runs_of_a_docx_are_left_out_and_counted(white: bool, vanish: bool) -> None:
    draft = load_docx(docx_of(white=white, vanish=vanish), "fees.docx")
    assert (draft.text, draft.metadata["invisible_characters"]) == (SEEN, "16")


def test_a_white_header_of_a_docx_table_and_a_run_that_is_not_hidden_stay() -> None:
    for data in (docx_of(table=True, white=True), docx_of()):
        draft = load_docx(data, "fees.docx")
        assert HIDDEN in draft.text
        assert "invisible_characters" not in draft.metadata


def pdf_of(
    *, mode: int = 0, white: bool = False, size: float = 12, y: float = 600, dark: bool = False, scan: bool = False
) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(400, 800))
    canvas.setFont("Helvetica", 12)
    canvas.drawString(60, 700, SEEN)
    if dark:
        canvas.rect(40, 580, 300, 50, fill=1)
    if scan:  # some ink beneath
        canvas.line(60, 604, 150, 604)
    text = canvas.beginText(60, y)
    text.setFont("Helvetica", size)
    text.setTextRenderMode(mode)
    text.setFillGray(1 if white else 0)
    text.textOut(HIDDEN)
    canvas.drawText(text)
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [pdf_of(mode=3), pdf_of(white=True), pdf_of(size=0.5), pdf_of(y=900)],
    ids=["mode 3", "white", "tiny", "off"],
)
def test_invisible_text_of_a_pdf_is_left_out_and_counted(data: bytes) -> None:
    draft = load_pdf(data, "fees.pdf")
    assert (draft.text, draft.metadata["invisible_characters"]) == (SEEN, "16")


@pytest.mark.parametrize(
    "data", [pdf_of(), pdf_of(white=True, dark=True), pdf_of(mode=3, scan=True)], ids=["black", "on dark", "on a scan"]
)
def test_text_of_a_pdf_that_the_page_shows_stays(data: bytes) -> None:
    draft = load_pdf(data, "fees.pdf")
    assert HIDDEN in draft.text
    assert "invisible_characters" not in draft.metadata


def test_an_ingest_and_the_list_of_documents_say_so(tmp_path: Path) -> None:
    file = tmp_path / "fees.html"
    file.write_text(f'<p>{SEEN}</p><p style="display:none">{HIDDEN}</p>', encoding="utf-8")
    kb = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)
    report = ingest_paths(kb, [file], IngestConfig())
    notice = "fees.html: 16 characters of invisible text were left out"
    assert report.invisible == (Failure(file.as_posix(), notice),)
    assert [document.n_invisible for document in kb.catalog.documents()] == [16]
    assert f"hidden:  {notice}" in ingest_lines(report)
    assert ingest_json(report)["invisible"] == [{"source": file.as_posix(), "reason": notice}]
    kb.close()
