"""Pages that show more than their words say, which a model that sees is shown."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from app.engine import Engine
from app.settings import LLMSettings, Settings
from generation.answer import Answer
from ingest.document import Document, Span
from ingest.load import load_document
from ingest.pictured import is_pictured
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder

_WIDTH, _HEIGHT = A4


def pdf_of(*pages: tuple[str, tuple[float, float] | None]) -> bytes:
    """Make a PDF: each page has a line of words, and a picture of so many points where one is wanted."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for words, size in pages:
        canvas.drawString(72, _HEIGHT - 72, words)
        if size:
            corner = 0 if size == A4 else 72
            canvas.drawImage(ImageReader(Image.new("RGB", (40, 30), "navy")), corner, corner, *size)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _loaded(path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    return load_document(path)


def test_a_page_with_a_large_picture_is_pictured_and_one_with_a_logo_or_paper_is_not(tmp_path: Path) -> None:
    words = "The ferries carried more passengers in every month of the year than ever before."
    sizes = (None, (400, 300), (60, 40), A4, (400, 250))  # 24%, .5%, all and 20% of the page
    document = _loaded(tmp_path / "report.pdf", pdf_of(*((words, size) for size in sizes)))

    assert document.metadata["pages_with_pictures"] == "2, 5"
    assert [is_pictured(document, number) for number in range(1, 6)] == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("words", "pictured"),
    [
        ("Figure 3: Passengers by month", True),
        ("Exhibit 12 Passengers by month", True),
        ("Figure 3 shows what the ferries carried.", False),
        ("As Figure 3 shows, more came in June.", False),
    ],
)
def test_a_caption_tells_of_a_chart_that_is_drawn_in_lines(tmp_path: Path, words: str, pictured: bool) -> None:
    document = _loaded(tmp_path / "report.pdf", pdf_of((words, None)))

    assert is_pictured(document, 1) is pictured


def test_a_chinese_caption_tells_of_a_chart(tmp_path: Path) -> None:
    document = _loaded(tmp_path / "report.pdf", pdf_of(("x", None)))

    assert is_pictured(replace(document, text="图3", pages=(replace(document.pages[0], span=Span(0, 2)),)), 1)


def test_the_page_of_a_chart_is_shown_to_a_model_that_sees_and_no_more_than_wanted(tmp_path: Path) -> None:
    pages = [(f"Chart {n}: Ferry passengers on line {n} by month", (400, 300)) for n in range(1, 5)]
    (tmp_path / "report.pdf").write_bytes(pdf_of(*pages, ("The crew of the ferry is paid by month.", None)))
    llm = ScriptedLLM("Most came in June [1].")
    engine = Engine(
        Settings(home=tmp_path / "home", llm=LLMSettings(vision="yes", page_images=2)),
        embedder=HashingEmbedder(),
        llm=llm,
    )
    engine.ingest("default", [tmp_path / "report.pdf"])

    *_, answer = engine.ask("default", "In which month did the ferry have most passengers?")

    assert isinstance(answer, Answer)
    assert len(answer.pictures) == 2
    assert {picture.title for picture in answer.pictures} == {"report"}
    assert 5 not in {picture.page for picture in answer.pictures}
