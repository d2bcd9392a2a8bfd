"""PDF: the order of columns, ruled tables, turned pages, printed page numbers, bookmarks; all from PDFs made here."""

import io
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pypdf import PdfReader, PdfWriter
from pypdf.constants import PageLabelStyle
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from benchmarks.pdf_oracle import pairs_in_order
from ingest.load import load_document
from ingest.load_draft import Draft
from ingest.load_pdf import load_pdf
from ingest.load_pdf_columns import usual_gutters
from tests.test_load_pdf import SAMPLES, drawn, lines, outline

LEFT = (
    "The counters see about nine in ten of the eels",
    "that pass them. Counter two stood still for four",
    "nights in November, and these nights are left",
    "out. Eels that pass over the crest are not",
    "counted at all; in a high flood they may be",
    "many. A second season begins in the early au-",
)
RIGHT = (
    "tumn, with a fourth counter. October brought",
    "more than half of the run. The few eels of",
    "December all came in the first six nights,",
    "before the frost closed the season. None was",
    "seen later, although the counters ran on for",
    "another week, until the twelfth.",
)
JOINED = (
    "The counters see about nine in ten of the eels that pass them. Counter two stood still for four nights in "
    "November, and these nights are left out. Eels that pass over the crest are not counted at all; in a high flood "
    "they may be many. A second season begins in the early autumn, with a fourth counter. October brought more than "
    "half of the run. The few eels of December all came in the first six nights, before the frost closed the season. "
    "None was seen later, although the counters ran on for another week, until the twelfth."
)


def side_by_side(canvas: Canvas, top: float = 650) -> None:
    lines(canvas, top, *LEFT)
    lines(canvas, top, *RIGHT, left=320)


def row_by_row(canvas: Canvas, top: float = 650) -> None:
    for index, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        canvas.drawString(60, top - 12 * index, left)
        canvas.drawString(320, top - 12 * index, right)


@pytest.mark.parametrize("columns", [side_by_side, row_by_row])
def test_columns_are_read_one_after_the_other_under_what_spans_them(columns: Callable[[Canvas], None]) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(60, 700, "Silver eels at the weir: a season of counting in the river")
        canvas.setFont("Helvetica", 10)
        columns(canvas)
        lines(canvas, 540, "Below the columns a line runs over both of them, from the left margin to the right one.")

    assert [text for _, _, text in outline(load_pdf(drawn(page), "a.pdf"))] == [
        "Silver eels at the weir: a season of counting in the river",
        JOINED,
        "Below the columns a line runs over both of them, from the left margin to the right one.",
    ]


def test_three_chinese_columns_are_read_in_order() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    text = (
        "合作社全年运送乘客四十一万二千六百人次，比上年增长百分之六，"
        "其中夏季航线增长最快，冬季航线略有下降，主要是因为河面结冰。"
        "董事会决定明年不再提高票价，但要求各船节省燃油并按时检修设备"
    )
    columns = [[text[start : start + 10] for start in range(30 * n, 30 * n + 30, 10)] for n in range(3)]

    def page(canvas: Canvas) -> None:
        canvas.setFont("STSong-Light", 10)
        for index, column in enumerate(columns):
            for repeat in range(2):  # each column says its part twice
                lines(canvas, 700 - 42 * repeat, *column, leading=14, left=60 + 130 * index)

    text_read = load_pdf(drawn(page), "a.pdf").text.replace("\n\n", "")
    assert text_read == "".join("".join(column) * 2 for column in columns)


def test_a_table_of_sentences_keeps_its_rows() -> None:
    cells = (
        ("Ferry crew may not take annual leave during", "Returned buoys need a number from the"),
        ("the second full week of August.", "workshop first; the form is IN-31."),
        ("The exception is the pool, where the anchor", "The extra cost comes from the fleet reserve"),
        ("block is permanent and deep.", "and not from the building."),
    )

    def page(canvas: Canvas) -> None:
        canvas.setLineWidth(0.5)
        canvas.grid([58, 305, 550], [652, 680, 708])
        for row, top in ((0, 696), (2, 668)):
            for column, left in ((0, 62), (1, 310)):
                lines(canvas, top, cells[row][column], cells[row + 1][column], left=left)

    assert outline(load_pdf(drawn(page), "a.pdf")) == [
        (
            "table",
            0,
            "| Ferry crew may not take annual leave during the second full week of August. "
            "| Returned buoys need a number from the workshop first; the form is IN-31. |\n"
            "| The exception is the pool, where the anchor block is permanent and deep. "
            "| The extra cost comes from the fleet reserve and not from the building. |",
        )
    ]


def test_figures_that_stand_close_are_cut_where_the_rows_around_have_gaps() -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 700, "Sand Holm", "Heron House eleven", "Lake Orrin", leading=16)
        lines(canvas, 700, "3,619", "2,393", "7,688", leading=16, left=160)

    assert load_pdf(drawn(page), "a.pdf").text == (
        "| Sand Holm | 3,619 |\n| Heron House eleven | 2,393 |\n| Lake Orrin | 7,688 |"
    )


def test_a_currency_sign_goes_with_its_number() -> None:
    def page(canvas: Canvas) -> None:
        for top, label, amount, change, other in (
            (700, "Sales", "19.6", "(14)", "19.8"),
            (684, "Costs", "(4.1)", "7", "3.9"),
        ):
            for left, text in ((60, label), (200, "$"), (225, amount), (300, change), (326, "$"), (355, other)):
                canvas.drawString(left, top, text)

    assert load_pdf(drawn(page), "a.pdf").text == "| Sales | $ 19.6 | (14) | $ 19.8 |\n| Costs | $ (4.1) | 7 | $ 3.9 |"


def test_the_two_column_sample_has_columns_as_text_and_tables_as_tables() -> None:
    document = load_document(SAMPLES / "eel-passage-first-season.pdf")
    headings = [text for kind, _, text in outline(document) if kind == "heading"]
    assert headings[4:9] == [
        "3. Which way they take",
        "4. What goes wrong in the west sluice",
        "5. What we propose",
        "6. How sure we are",
        "7. Month by month",
    ]
    assert "every tagged eel but one survived.\n\n5. What we propose\n\nFrom 15 September" in document.text
    assert "| October | 31 | 3,871 | 11.8 °C | 19 to 20 October, 1,127 eels |" in document.text


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_reads_like_an_upright_one(turn: int) -> None:
    def page(canvas: Canvas) -> None:
        canvas.translate(*{90: (A4[0], 0), 180: A4, 270: (0, A4[1])}[turn])
        canvas.rotate(turn)
        lines(canvas, 400, "Kind", "Fees", "Income", leading=16)
        lines(canvas, 400, "2021", "1,687", "(704)", leading=16, left=300)
        lines(canvas, 400, "2020", "1,706", "320", leading=16, left=400)

    assert (
        load_pdf(drawn(page), "a.pdf").text
        == "| Kind | 2021 | 2020 |\n| Fees | 1,687 | 1,706 |\n| Income | (704) | 320 |"
    )


def test_what_is_turned_otherwise_comes_after_the_page() -> None:
    def page(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.rotate(90)
        canvas.drawString(300, -30, "arXiv stamp in the margin")
        canvas.restoreState()
        lines(canvas, 700, "The page itself is upright and reads first.")

    assert (
        load_pdf(drawn(page), "a.pdf").text
        == "The page itself is upright and reads first.\n\narXiv stamp in the margin"
    )


def labelled(draft: Draft) -> list[tuple[int, str | None, str]]:
    return [(page.number, page.label, page.printed) for page in draft.pages]


def test_printed_page_numbers_are_labels_where_they_count_on() -> None:
    def page(number: str) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            lines(canvas, 700, f"Chapter text says something of its own, here {number or 'on the cover'}.")
            lines(canvas, 30, number, left=300)

        return draw

    draft = load_pdf(drawn(*map(page, ("", "1", "2", "3", "4"))), "a.pdf")
    assert labelled(draft) == [(1, None, ""), (2, "1", "1"), (3, "2", "2"), (4, "3", "3"), (5, "4", "4")]


def test_the_files_own_labels_win_and_are_shown_only_where_they_differ() -> None:
    writer = PdfWriter(io.BytesIO(drawn(*[lambda canvas: lines(canvas, 700, "Words.")] * 4)))
    writer.set_page_label(0, 1, PageLabelStyle.LOWERCASE_ROMAN, start=4)
    writer.set_page_label(2, 3, PageLabelStyle.DECIMAL, prefix="A-", start=3)
    buffer = io.BytesIO()
    writer.write(buffer)
    assert len(PdfReader(buffer).pages) == 4
    draft = load_pdf(buffer.getvalue(), "a.pdf")
    assert labelled(draft) == [(1, "iv", "iv"), (2, "v", "v"), (3, "A-3", "A-3"), (4, "A-4", "A-4")]


def with_outline(entries: Sequence[tuple[str, int]], *texts: str) -> Draft:
    def page(canvas: Canvas) -> None:
        for index, (title, level) in enumerate(entries):
            canvas.bookmarkPage(str(index))
            canvas.addOutlineEntry(title, str(index), level)
        for index, text in enumerate(texts):
            lines(canvas, 700 - 30 * index, text)

    return load_pdf(drawn(page), "a.pdf")


def test_a_bookmark_makes_its_title_a_heading_though_number_or_line_break_differ() -> None:
    draft = with_outline(
        [("Leave", 0), ("2.1 Parental leave", 1), ("Chapter 3: Rules for boats in winter", 1)],
        "1. Leave",
        "Members have twenty days of leave a year, and they ask for it in writing.",
        "Parental leave",
        "Rules for boats",
        "in winter",
        "No boat leaves the quay while there is ice on the river above the bridge.",
    )
    assert [(level, text) for kind, level, text in outline(draft) if kind == "heading"] == [
        (1, "1. Leave"),
        (2, "Parental leave"),
        (2, "Rules for boats in winter"),
    ]


def test_pairs_in_order_counts_neighbours_that_follow_directly() -> None:
    # B is there, but D stands between A and B, so of the pairs AB, BC, CD only BC follows directly.
    assert pairs_in_order("Al-\npha. Delta! Bravo, Charlie", ["Alpha.", "Bravo", "Charlie", "Delta"]) == (1, 3)


def usual_by_definition(pages: list[list[int]]) -> list[int]:
    found: list[int] = []
    for gutter in (gutter for page in pages for gutter in page):
        n_pages = sum(1 for page in pages if any(abs(gutter - other) <= 2 for other in page))
        if n_pages >= 0.15 * len(pages) and all(abs(gutter - other) > 2 for other in found):
            found.append(gutter)
    return found


@given(some.lists(some.lists(some.integers(0, 40), max_size=6), max_size=20))
def test_a_usual_gutter_is_within_two_points_of_one_on_every_seventh_page(pages: list[list[int]]) -> None:
    assert usual_gutters(pages) == usual_by_definition(pages)


def test_usual_gutters_are_found_among_the_gutters_of_20_000_pages_in_a_second() -> None:
    """Each page has a gutter that no other has beside the one they share: 20,000 x 20,000 comparisons take minutes."""
    pages = [[300.0, 1000.0 + 3 * number] for number in range(20_000)]
    start = time.process_time()
    assert usual_gutters(pages) == [300.0]
    assert time.process_time() - start < 1
