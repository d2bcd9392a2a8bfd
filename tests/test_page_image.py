"""Pictures of cited pages: the marks lie on the quoted words."""

import hashlib
import io
import threading
from pathlib import Path

import pytest
from PIL import Image

from ingest.document import Document, Page, Span
from ingest.errors import SourceError
from ingest.load import load_document
from ingest.load_pdf_page import open_pdf
from ingest.page_image import PageImage, _Drawer, page_image
from ingest.sentences import split_sentences
from ingest.worker_process import WorkerProcess

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


def nested_forms() -> bytes:
    """Give a PDF of one page that draws a form that draws a form ten times, and so on, twelve deep."""
    depth = 12
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<</XObject<</F 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length 5>>stream\n/F Do\nendstream",
    ]
    for level in range(depth):
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level) if level < depth - 1 else b""
        drawn = b"/F Do " * 10 if level < depth - 1 else b"0 0 9 9 re f "
        head = b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]%b/Length %d>>" % (inner, len(drawn))
        objects.append(head + b"stream\n" + drawn + b"\nendstream")
    body = b"".join(b"%d 0 obj%b endobj\n" % (number, held) for number, held in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R/Size %d>>\n" % (len(objects) + 1)


def test_a_page_that_pdfium_draws_for_ever_is_stopped_and_the_next_one_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "endless.pdf").write_bytes(nested_forms())
    endless = Document(
        id="x",
        source=str(tmp_path / "endless.pdf"),
        content_hash=hashlib.sha256(nested_forms()).hexdigest(),
        title="Endless",
        text="x",
        pages=(Page(1, Span(0, 1)),),
        blocks=(),
        language="en",
        metadata={},
    )
    handbook = load_document(SAMPLES / PDFS[0])
    before = page_image(handbook, 1, [])

    with monkeypatch.context() as patched:
        patched.setattr("ingest.page_image._DRAW_SECONDS", 1.0)
        with pytest.raises(SourceError, match=r"^endless\.pdf can't be shown: drawing its page 1 took longer than 1 s"):
            page_image(endless, 1, [])

    assert page_image(handbook, 1, []) == before


def test_a_page_that_ends_the_process_that_draws_it_is_named_and_the_others_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handbook = load_document(SAMPLES / PDFS[0])
    before = page_image(handbook, 1, [])
    drawer = _Drawer()
    monkeypatch.setattr("ingest.page_image._DRAWER", drawer)
    monkeypatch.setattr("ingest.page_image._MODULE", "tests.dying_drawer")

    assert page_image(handbook, 1, []) == before
    with pytest.raises(
        SourceError, match=r"handbook-2025\.pdf ended the process that drew its page 2 \(by signal 11\)"
    ):
        page_image(handbook, 2, [])
    assert page_image(handbook, 1, []) == before
    drawer.close()


def test_one_process_draws_page_after_page(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WorkerProcess] = []

    class Counted(WorkerProcess):
        def __init__(self, module: str) -> None:
            super().__init__(module)
            started.append(self)

    drawer = _Drawer()
    monkeypatch.setattr("ingest.page_image._DRAWER", drawer)
    monkeypatch.setattr("ingest.page_image.WorkerProcess", Counted)
    handbook = load_document(SAMPLES / PDFS[0])

    drawn = {page_image(handbook, page, []).png for page in (1, 2, 3, 1)}

    assert (len(drawn), len(started), started[0].n_done) == (3, 1, 4)
    drawer.close()
    assert started[0].process.poll() is not None


def test_a_drawing_that_is_interrupted_does_not_give_the_next_page_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: WorkerProcess, n_bytes: int) -> bytes:
        raise KeyboardInterrupt("stop")

    drawer = _Drawer()
    monkeypatch.setattr("ingest.page_image._DRAWER", drawer)
    handbook = load_document(SAMPLES / PDFS[0])
    second = page_image(handbook, 2, [])

    with monkeypatch.context() as patched:
        patched.setattr(WorkerProcess, "data", interrupted)
        with pytest.raises(KeyboardInterrupt, match="stop"):
            page_image(handbook, 1, [])

    assert page_image(handbook, 2, []) == second
    drawer.close()
