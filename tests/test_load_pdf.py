"""PDF: pages, paragraphs, tables and headings, from PDFs made here and from the samples."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest.document import Document
from ingest.load import load_document
from ingest.load_draft import Draft
from ingest.load_pdf import load_pdf
from ingest.load_pdf_words import join

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


def drawn(*pages: Callable[[Canvas], None], title: str = "") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.setTitle(title or "untitled")
    for page in pages:
        canvas.setFont("Helvetica", 10)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def lines(canvas: Canvas, top: float, *texts: str, leading: float = 12, left: float = 60) -> None:
    for index, text in enumerate(texts):
        canvas.drawString(left, top - index * leading, text)


def outline(draft: Draft | Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(draft.text)) for block in draft.blocks]


PARAGRAPH = (
    "The cooperative began on the fourteenth of May, when two hundred and twelve people of",
    "three villages bought the bankrupt ferry company. They wanted boats that ran in win-",
    "ter, and they got them.",
)


def test_wrapped_lines_join_and_gaps_separate() -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 700, *PARAGRAPH)
        lines(canvas, 640, "A second paragraph stands apart. It says winter again.")

    assert outline(load_pdf(drawn(page), "a.pdf")) == [
        (
            "paragraph",
            0,
            "The cooperative began on the fourteenth of May, when two hundred and twelve people of three villages "
            "bought the bankrupt ferry company. They wanted boats that ran in winter, and they got them.",
        ),
        ("paragraph", 0, "A second paragraph stands apart. It says winter again."),
    ]


def test_larger_and_bold_lines_are_headings() -> None:
    def page(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold", 18)
        lines(canvas, 760, "Handbook")
        canvas.setFont("Helvetica-Bold", 13)
        lines(canvas, 730, "1. Who we are")
        canvas.setFont("Helvetica", 10)
        lines(canvas, 700, *PARAGRAPH)
        canvas.setFont("Helvetica-Bold", 10)
        lines(canvas, 640, "Shares")
        canvas.setFont("Helvetica", 10)
        lines(canvas, 620, "One share costs 150 crowns.")

    draft = load_pdf(drawn(page), "handbook.pdf")
    assert [(level, text) for kind, level, text in outline(draft) if kind == "heading"] == [
        (1, "Handbook"),
        (2, "1. Who we are"),
        (3, "Shares"),
    ]
    assert draft.title == "Handbook"


def test_cells_side_by_side_become_rows() -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 700, "Building", "Lantern", "Wharf", "Heron House", leading=18)
        lines(canvas, 700, "Open", "05:00 to", "24:00", "06:30 to 21:00", leading=18, left=200)
        lines(canvas, 700, "Rooms", "1,204", leading=18, left=350)
        lines(canvas, 700 - 3 * 18, "$ 12", left=350)

    kind, _, table = outline(load_pdf(drawn(page), "a.pdf"))[0]
    assert kind == "table"
    assert table.split("\n")[0] == "| Building | Open | Rooms |"
    assert table.split("\n")[-1] == "| Heron House | 06:30 to 21:00 | $ 12 |"


def test_a_label_on_two_lines_is_one_row() -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 700, "Kind", "Other", "Fees of the", "first kind", "Income", leading=11)
        lines(canvas, 700, "2021", "3", "", "1,687", "704", leading=11, left=300)
        lines(canvas, 700, "2020", "4", "", "1,706", "320", leading=11, left=400)

    assert load_pdf(drawn(page), "a.pdf").text == (
        "| Kind | 2021 | 2020 |\n| Other | 3 | 4 |\n| Fees of the first kind | 1,687 | 1,706 |\n| Income | 704 | 320 |"
    )


def test_running_heads_and_page_numbers_are_dropped_but_words_never() -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            lines(canvas, 810, f"Annual report, page {number} of 4")
            lines(canvas, 700, f"Chapter text number {number} says something of its own.")
            lines(canvas, 30, str(number), left=300)

        return draw

    draft = load_pdf(drawn(*map(page, (1, 2, 3, 4))), "a.pdf")
    assert draft.text.split("\n\n") == [
        f"Chapter text number {number} says something of its own." for number in (1, 2, 3, 4)
    ]
    assert [page.span.of(draft.text).strip() for page in draft.pages] == draft.text.split("\n\n")


def test_a_paragraph_that_runs_on_overleaf_is_one_block_on_two_pages() -> None:
    def first(canvas: Canvas) -> None:
        lines(canvas, 700, *PARAGRAPH[:2])

    def second(canvas: Canvas) -> None:
        lines(canvas, 700, "ter, and they got them.")

    draft = load_pdf(drawn(first, second), "a.pdf")
    assert len(draft.blocks) == 1
    assert draft.pages[1].span.of(draft.text) == "ter, and they got them."
    assert "ran in win" in draft.pages[0].span.of(draft.text)


def test_an_empty_page_is_counted_and_reported() -> None:
    draft = load_pdf(drawn(lambda canvas: lines(canvas, 700, "Words."), lambda canvas: None), "a.pdf")
    assert [page.number for page in draft.pages] == [1, 2]
    assert draft.metadata["pages_without_text"] == "2"


def test_metadata_title_wins_unless_it_is_a_file_name() -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 700, "Words.")

    assert load_pdf(drawn(page, title="River Atlas"), "a.pdf").title == "River Atlas"
    assert load_pdf(drawn(page, title="final_v3.docx"), "atlas.pdf").title == "atlas"


@pytest.mark.parametrize(
    ("above", "below", "words", "joined"),
    [
        ("exam-", "ple text", {"example"}, "example text"),
        ("long-", "term debt", {"long", "term"}, "long-term debt"),
        ("long-", "term debt", {"long-term"}, "long-term debt"),
        ("Pfizer-", "BioNTech", set(), "Pfizer-BioNTech"),
        ("one", "two", set(), "one two"),
        ("管道是一", "个文件", set(), "管道是一个文件"),
        ("使用", "UNIX 系统", set(), "使用 UNIX 系统"),
        ("结束，", "UNIX", set(), "结束，UNIX"),
        ("see https://example.org/", "path now", set(), "see https://example.org/path now"),
    ],
)
def test_lines_are_joined_as_they_would_have_been_written(above: str, below: str, words: set[str], joined: str) -> None:
    assert join(above, below, frozenset(words)) == joined


def test_the_chinese_sample_reads_in_order() -> None:
    document = load_document(SAMPLES / "渡船安全操作规程.pdf")
    assert document.title == "渡船安全操作规程"
    assert document.language == "zh"
    assert "| 灰鹭号（Grey Heron） | 30节 | 150米 | 4人 |" in document.text
    assert "船长对本船安全负全部责任，任何人不得强令船长冒险开航。" in document.text  # wrapped on the page
    headings = [(level, text) for kind, level, text in outline(document) if kind == "heading"]
    assert (2, "第二章 开航条件") in headings and (3, "一、有人落水") in headings
    assert [page.number for page in document.pages] == [1, 2, 3]


def test_the_english_sample_reads_in_order() -> None:
    document = load_document(SAMPLES / "member-handbook-2025.pdf")
    headings = [text for kind, _, text in outline(document) if kind == "heading"]
    assert headings[:4] == ["Member Handbook", "1. Who we are", "2. Our houses", "3. Membership and shares"]
    row = "| Lantern Wharf | 3 Tidegate Row | Head office, duty desk, ticket hall, Rope Room | 05:00 to 24:00 |"
    assert row in document.text
    assert document.page_at(document.text.index(row)) == 1


@pytest.mark.parametrize("name", ["渡船安全操作规程.pdf", "member-handbook-2025.pdf", "eel-passage-first-season.pdf"])
def test_pages_cover_the_text_in_order_and_blocks_lie_inside(name: str) -> None:
    document = load_document(SAMPLES / name)
    end = 0
    for page in document.pages:
        assert page.span.start == end
        end = page.span.end
    assert end == len(document.text)
    end = 0
    for block in document.blocks:
        assert end <= block.span.start < block.span.end <= len(document.text)
        end = block.span.end
