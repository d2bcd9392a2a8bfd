"""Scanned pages: read by OCR where a PDF has no text of its own, in order, with the place of every word."""

import io
import time
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.discover import Failure
from ingest.document import Document, Span, document_id
from ingest.errors import SourceError, WordlessError
from ingest.knowledge_base import KnowledgeBase
from ingest.load import load_document, read_document
from ingest.load_config import LoadConfig
from ingest.load_pdf_ocr import is_noise, page_ranges
from ingest.ocr_engine import _engine
from ingest.page_image import page_image
from ingest.pipeline import IngestConfig, ingest_paths, plan_paths
from tests.hashing_embedder import HashingEmbedder
from tests.scans import CHINESE, ENGLISH, degraded, encoded, picture_of, sample_page, scan_pdf, top

WORDS = "people of Brackholm, Sallow Point and Ketter Island bought the bankrupt ferry company Tarr Brothers"
RULE = "船长对本船安全负全部责任，任何人不得强令船长冒险开航。"


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """An English page that is a poor scan, and a Chinese one that lies on its side."""
    path = tmp_path_factory.mktemp("scan") / "scan.pdf"
    english = degraded(top(sample_page(ENGLISH)))
    chinese = top(sample_page(CHINESE)).transpose(Image.Transpose.ROTATE_90)
    path.write_bytes(scan_pdf([english, chinese]))
    return load_document(path)


def quoted(document: Document, quote: str) -> Span:
    start = document.text.index(quote)
    return Span(start, start + len(quote))


def test_a_scanned_page_gives_headings_and_paragraphs(scan: Document) -> None:
    assert WORDS in scan.text
    headings = [block.span.of(scan.text) for block in scan.blocks if block.kind == "heading"]
    assert [heading.replace(" ", "") for heading in headings[:2]] == ["MemberHandbook", "1.Whoweare"]
    assert scan.title == "Member Handbook"  # not "scan", which the scanner wrote


def test_a_page_that_lies_on_its_side_is_read_upright(scan: Document) -> None:
    assert RULE in scan.text
    assert [page.turn for page in scan.read_pages] == [0, 1]
    assert scan.page_at(scan.text.index(RULE)) == 2


def test_the_metadata_says_which_pages_were_read_by_ocr_and_how_surely(scan: Document) -> None:
    assert scan.metadata["pages_read_by_ocr"] == "1-2"
    assert 0.9 < float(scan.metadata["ocr_confidence"]) <= 1.0


def dark_share(picture: Image.Image) -> float:
    histogram = picture.convert("L").histogram()
    return sum(histogram[:128]) / max(sum(histogram), 1)


@pytest.mark.parametrize(("page", "quote", "n_lines"), [(1, WORDS, 2), (2, RULE, 2)])
def test_the_marks_of_a_scanned_page_lie_on_the_quoted_lines(
    scan: Document, page: int, quote: str, n_lines: int
) -> None:
    image = page_image(scan, page, [quoted(scan, quote)], scale=2.0)
    drawn = Image.open(io.BytesIO(image.png))
    assert drawn.width > drawn.height  # the upper part of a page, held upright
    middles = sorted((box_top + bottom) / 2 for _, box_top, _, bottom in image.boxes)
    height = min(bottom - box_top for _, box_top, _, bottom in image.boxes)
    assert 1 + sum(after - before > height / 2 for before, after in pairwise(middles)) >= n_lines
    for left, box_top, right, bottom in image.boxes:
        height = bottom - box_top
        inside = drawn.crop((int(left), int(box_top), int(right), int(bottom)))
        between = drawn.crop((int(left), int(bottom + 0.1 * height), int(right), int(bottom + 0.25 * height)))
        assert dark_share(inside) > 0.05 > dark_share(between)


def test_the_marked_words_are_the_quoted_ones(scan: Document) -> None:
    """What OCR reads below the marks alone is the quote."""
    from ingest.ocr_engine import read_picture

    image = page_image(scan, 1, [quoted(scan, "212 people of Brackholm")], scale=3.0)
    clean = Image.open(io.BytesIO(page_image(scan, 1, [], scale=3.0).png))
    [(left, box_top, right, bottom)] = image.boxes
    below = read_picture(clean.crop((int(left) - 4, int(box_top) - 4, int(right) + 4, int(bottom) + 4)))
    assert [line.text for line in below.lines] == ["212 people of Brackholm"]


def mixed_pdf() -> bytes:
    """A page of text with a picture of words, a picture of words alone, one with a stamp, and an empty page."""
    picture = ImageReader(picture_of("Ottermere pays seven crowns"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(420, 300), invariant=True)
    for line in range(5):
        canvas.drawString(20, 270 - 16 * line, f"Line {line} of a page that has a text of its own.")
    canvas.drawImage(picture, 0, 20, 420, 90)
    canvas.showPage()
    canvas.drawImage(picture, 0, 100, 420, 90)
    canvas.showPage()
    canvas.drawImage(ImageReader(picture_of("Ottermere pays seven crowns", (420, 300))), 0, 0, 420, 300)
    canvas.drawString(20, 4, "Scanned by X")
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_only_pages_without_text_are_read() -> None:
    document = read_document(mixed_pdf(), "mixed.pdf", "mixed.pdf")
    of_pages = [page.span.of(document.text) for page in document.pages]
    assert "Ottermere" not in of_pages[0] and "Line 4 of a page" in of_pages[0]
    assert "Ottermere pays seven crowns" in of_pages[1]
    assert "Ottermere pays seven crowns" in of_pages[2]
    assert document.metadata["pages_read_by_ocr"] == "2-3"
    assert document.metadata["pages_without_text"] == "4"
    assert "ocr_pages_limit" not in document.metadata


def test_a_document_with_few_scanned_pages_leaves_no_models_in_memory() -> None:
    loaded = []
    for max_ocr_pages in (2, 1):  # of 4
        read_document(mixed_pdf(), "mixed.pdf", "mixed.pdf", config=LoadConfig(max_ocr_pages=max_ocr_pages))
        loaded.append(_engine.cache_info().currsize)
    assert loaded == [1, 0]


@pytest.mark.parametrize("size", [(14_400, 2), (2, 14_400), (14_400, 40)])
def test_pages_too_thin_for_words_are_not_read(size: tuple[int, int]) -> None:
    """The thinnest took 6 to 40 seconds each, since the models stretch what they read to a height."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    for _ in range(5):
        canvas.rect(0, 0, size[0] / 2, size[1] / 2, fill=1)
        canvas.showPage()
    canvas.save()
    start = time.process_time()
    with pytest.raises(WordlessError, match=r"^thin\.pdf holds no words: its 5 pages are empty, or pictures"):
        read_document(buffer.getvalue(), "thin.pdf", "thin.pdf")
    assert time.process_time() - start < 2


def test_more_pages_than_the_limit_are_refused() -> None:
    data = scan_pdf([picture_of("One"), picture_of("Two")])
    with pytest.raises(SourceError, match=r"^long\.pdf has 2 pages to be read by OCR, more than the limit of 1; split"):
        read_document(data, "long.pdf", "long.pdf", config=LoadConfig(max_ocr_pages=1))


def test_of_a_document_with_text_pages_over_the_limit_are_left_unread_and_named() -> None:
    document = read_document(mixed_pdf(), "mixed.pdf", "mixed.pdf", config=LoadConfig(max_ocr_pages=1))
    of_pages = [page.span.of(document.text).strip() for page in document.pages]
    assert "Line 4 of a page" in of_pages[0]
    assert of_pages[1:] == ["Ottermere pays seven crowns", "Scanned by X", ""]
    assert document.metadata["pages_read_by_ocr"] == "2"
    assert document.metadata["pages_without_text"] == "3-4"
    assert document.metadata["ocr_pages_limit"] == "1"


def test_a_raised_limit_has_exactly_the_documents_read_again_whose_pages_were_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "mixed.pdf").write_bytes(mixed_pdf())
    (folder / "scan.png").write_bytes(encoded(picture_of("Ottermere pays seven crowns"), "PNG"))
    kb = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)

    def configured(pages: int) -> IngestConfig:
        return IngestConfig(load=LoadConfig(max_ocr_pages=pages))

    def ingest(pages: int) -> tuple[tuple[str, ...], ...]:
        report = ingest_paths(kb, [folder], configured(pages), base=folder)
        return report.added, report.updated, report.unchanged

    both, mixed = ("mixed.pdf", "scan.png"), ("mixed.pdf",)
    assert ingest(1) == (both, (), ())
    assert ingest(0) == ((), (), both)
    assert ingest(1) == ((), (), both)
    plan = plan_paths(kb.catalog, [folder], configured(9), base=folder)
    assert (plan.updated, plan.unchanged) == (mixed, ("scan.png",))
    assert ingest(9) == ((), mixed, ("scan.png",))
    document = kb.catalog.document(document_id("mixed.pdf"))
    assert (document.metadata["pages_read_by_ocr"], document.metadata.get("ocr_pages_limit")) == ("2-3", None)
    assert ingest(20) == ((), (), both)
    assert ingest(1) == ((), (), both)  # what is read stays
    kb.close()


@pytest.mark.parametrize("is_named", [True, False])
def test_with_ocr_turned_off_pictures_in_a_folder_are_passed_over_and_one_that_is_named_fails(
    tmp_path: Path, is_named: bool
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "scan.png").write_bytes(encoded(picture_of("Ottermere pays seven crowns"), "PNG"))
    kb = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)
    config = IngestConfig(load=LoadConfig(max_ocr_pages=0))
    paths = [folder / "scan.png"] if is_named else [folder]

    plan = plan_paths(None, paths, config, base=folder)
    report = ingest_paths(kb, paths, config, base=folder)
    once_on = ingest_paths(kb, paths, IngestConfig(), base=folder)
    kb.close()

    reason = (
        "scan.png has 1 page to be read by OCR, and OCR is turned off; set ocr_pages to how many pages it may read."
    )
    left_out = (Failure("scan.png", reason),)
    assert (report.failed, report.skipped) == ((left_out, ()) if is_named else ((), left_out))
    assert (plan.added, plan.failed, plan.skipped) == (report.added, report.failed, report.skipped)
    assert once_on.added == ("scan.png",)


@pytest.mark.parametrize(
    ("text", "noise"),
    [("", True), (". — .", True), ("\ue001\ue002\ue003 a", True), ("\ufffd\ufffdb\ufffd", True), ("第 7 页", False)],
)
def test_a_text_layer_that_nobody_can_read_is_noise(text: str, noise: bool) -> None:
    assert is_noise(text) == noise


def test_page_ranges_are_written_short() -> None:
    assert page_ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"


def test_columns_are_read_one_after_the_other_and_tables_row_by_row() -> None:
    data = encoded(sample_page("eel-passage-first-season.pdf"), "PNG")
    text = read_document(data, "eels.png", "eels.png").text
    assert "were later heard at Brackholm Bridge. Most of the losses happened on nights when" in text
    assert text.index("1. Place and method") < text.index("2. When they go") < text.index("3. Which way they take")
    assert "| East sluice (counter 1) | 3,412 | 54.0 % | 51 | 45 (88 %) |" in text


def test_reading_twice_gives_the_same_document() -> None:
    data = scan_pdf([picture_of("Dogs travel free.")])
    assert read_document(data, "a.pdf", "a.pdf") == read_document(data, "a.pdf", "a.pdf")
