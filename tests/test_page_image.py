"""Pictures of cited pages: the marks lie on the quoted words."""

import io
import threading
from pathlib import Path

import pytest
from PIL import Image

from ingest.document import Document, Span
from ingest.errors import SourceError
from ingest.load import load_document
from ingest.load_pdf_page import open_pdf
from ingest.page_image import PageImage, page_image
from ingest.sentences import split_sentences

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
PDFS = ["member-handbook-2025.pdf", "渡船安全操作规程.pdf", "eel-passage-first-season.pdf"]


def span_of(document: Document, quote: str) -> Span:
    start = document.text.index(quote)
    return Span(start, start + len(quote))


def words_under(document: Document, page: int, image: PageImage, scale: float) -> str:
    """Read the page's text below the marks back from the PDF, without white space."""
    with open_pdf(Path(document.source).read_bytes(), "x") as pdf:
        height = pdf[page - 1].get_height()
        textpage = pdf[page - 1].get_textpage()
        found = [
            textpage.get_text_bounded(left / scale, height - bottom / scale, right / scale, height - top / scale)
            for left, top, right, bottom in image.boxes
        ]
        textpage.close()
    return "".join("".join(found).split())


QUOTES = [
    (PDFS[0], 1, "The laboratory needs the green card, which is given only after the chemical safety course."),
    (PDFS[0], 1, "| The Malt Store | Maltings Path, rear | Stores, winter berth for buoys, bicycle room |"),
    (PDFS[1], 1, "任何人不得强令船长冒险开航。"),
    (PDFS[1], 1, "| 灰鹭号（Grey Heron） | 30节 | 150米 | 4人 |"),
]


@pytest.mark.parametrize(("name", "page", "quote"), QUOTES)
def test_the_words_under_the_marks_are_the_quoted_words(name: str, page: int, quote: str) -> None:
    document = load_document(SAMPLES / name)
    image = page_image(document, page, [span_of(document, quote)], scale=4.0)
    under = words_under(document, page, image, 4.0)
    assert sorted(under) == sorted("".join(quote.replace("|", "").split()))
    assert Image.open(io.BytesIO(image.png)).size == (image.width, image.height)


@pytest.mark.parametrize("name", PDFS)
def test_every_sentence_of_the_samples_can_be_marked(name: str) -> None:
    document = load_document(SAMPLES / name)
    for page in document.pages[:2]:
        sentences = [
            Span(page.span.start + s.start, page.span.start + s.end)
            for s in split_sentences(page.span.of(document.text))
        ]
        for sentence in sentences[::6]:
            assert page_image(document, page.number, [sentence], scale=0.3).boxes, sentence.of(document.text)


def test_the_mark_is_yellow_and_the_words_stay_black() -> None:
    document = load_document(SAMPLES / PDFS[0])
    image = page_image(document, 1, [span_of(document, "The laboratory needs the green card")])
    left, top, right, bottom = image.boxes[0]
    region = Image.open(io.BytesIO(image.png)).crop((int(left), int(top), int(right), int(bottom)))
    colours = {colour for _, colour in region.getcolors(10_000) or []}
    assert (255, 233, 92) in colours
    assert min(sum(colour) for colour in colours) < 150


def test_only_the_part_on_the_page_is_marked() -> None:
    document = load_document(SAMPLES / PDFS[0])
    second = document.pages[1].span.start
    around = Span(second - 60, second + 60)
    first, after = (page_image(document, page, [around]).boxes for page in (1, 2))
    assert first and after and first != after
    assert page_image(document, 3, [around]).boxes == ()


def test_a_span_that_cannot_be_found_leaves_the_page_unmarked() -> None:
    document = load_document(SAMPLES / PDFS[0])
    changed = Document(**{**_fields(document), "text": document.text.replace("green card", "brown bird")})
    assert page_image(changed, 1, [span_of(changed, "brown bird")]).boxes == ()


def _fields(document: Document) -> dict[str, object]:
    return {name: getattr(document, name) for name in Document.__slots__}


def test_a_changed_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.pdf"
    path.write_bytes((SAMPLES / PDFS[0]).read_bytes())
    document = load_document(path)
    path.write_bytes((SAMPLES / PDFS[1]).read_bytes())
    with pytest.raises(SourceError, match=r"^book\.pdf has changed since it was added"):
        page_image(document, 1, [])
    path.unlink()
    with pytest.raises(SourceError, match=r"^book\.pdf does not exist"):
        page_image(document, 1, [])


def test_documents_without_pages_and_pages_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words")
    with pytest.raises(SourceError, match=r"^a\.md has no pages to draw"):
        page_image(load_document(tmp_path / "a.md"), 1, [])
    with pytest.raises(ValueError, match=r"has pages 1\.\.4, got 5"):
        page_image(load_document(SAMPLES / PDFS[0]), 5, [])


def test_threads_may_draw_at_once() -> None:
    document = load_document(SAMPLES / PDFS[0])
    span = span_of(document, "green card")
    images: list[PageImage] = []
    threads = [threading.Thread(target=lambda: images.append(page_image(document, 1, [span]))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(images) == 6 and len({image.png for image in images}) == 1
