"""Pictures as documents: every kind, every way up, and the ones that hold no words."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ingest.document import Span
from ingest.errors import SourceError, WordlessError
from ingest.knowledge_base import KnowledgeBase
from ingest.load import load_document, read_document
from ingest.page_image import has_page_images, page_image
from ingest.pipeline import IngestConfig, IngestReport, ingest_paths, plan_paths
from tests.hashing_embedder import HashingEmbedder
from tests.scans import encoded, picture_of

WORDS = "Ottermere pays seven crowns"


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)


def texture() -> Image.Image:
    return Image.effect_noise((400, 300), 60).convert("RGB")


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("PNG", "png"), ("JPEG", "jpg"), ("BMP", "bmp"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tif")],
)
def test_every_kind_of_picture_is_read(kind: str, suffix: str) -> None:
    document = read_document(encoded(picture_of(WORDS), kind), f"a.{suffix}", f"a.{suffix}")
    assert document.text == WORDS
    assert (document.metadata["format"], document.metadata["picture"]) == ("image", kind)


def test_a_tiff_has_a_page_a_frame_and_frames_without_words_are_named() -> None:
    frames = [picture_of(WORDS), texture(), picture_of("Dogs travel free")]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    document = read_document(data, "a.tif", "a.tif")
    assert [page.span.of(document.text).strip() for page in document.pages] == [WORDS, "", "Dogs travel free"]
    assert document.metadata["pages_read_by_ocr"] == "1, 3"
    assert document.metadata["pages_without_text"] == "2"


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "RGBA", "LA"])
def test_pictures_in_every_mode_are_read(mode: str) -> None:
    picture = picture_of(WORDS)
    if mode in ("RGBA", "LA"):  # black on nothing
        alpha = ImageOps.invert(picture.convert("L"))
        picture = Image.new("L", picture.size).convert(mode)
        picture.putalpha(alpha)
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype("uint16") * 200)
    else:
        picture = picture.convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert read_document(encoded(picture, kind), f"a.{kind.lower()}", "a").text == WORDS


def test_a_photograph_is_read_the_way_the_camera_was_held(tmp_path: Path) -> None:
    sideways = picture_of(WORDS).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter to see it upright
    (tmp_path / "a.jpg").write_bytes(encoded(sideways, "JPEG", exif=exif))
    document = load_document(tmp_path / "a.jpg")
    assert (document.text, document.read_pages[0].turn) == (WORDS, 0)
    drawn = page_image(document, 1, [Span(0, len(WORDS))])
    assert (drawn.width, drawn.height) == (420, 90)
    [(left, top, right, bottom)] = drawn.boxes
    assert (left < 25, top < 35, 350 < right < 420, 45 < bottom < 70) == (True, True, True, True)
    assert has_page_images(document)


def test_a_picture_with_far_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    data = bytearray(encoded(picture_of(WORDS), "PNG"))
    data[16:24] = (100_000).to_bytes(4) * 2
    with pytest.raises(SourceError, match=r"^huge\.png has (?:100,000 x 100,000|more) pixels"):
        read_document(_with_checksum(bytes(data)), "huge.png", "huge.png")


def _with_checksum(png: bytes) -> bytes:
    return png[:29] + zlib.crc32(png[12:29]).to_bytes(4) + png[33:]


@pytest.mark.parametrize("picture", [texture(), Image.new("RGB", (600, 400), "white"), Image.new("RGB", (3, 3))])
def test_a_picture_without_words_says_so(picture: Image.Image) -> None:
    with pytest.raises(WordlessError, match=r"^a\.png is a picture without words; there is nothing in it to search"):
        read_document(encoded(picture, "PNG"), "a.png", "a.png")


def test_photographs_in_a_folder_are_passed_over_once_and_fail_only_when_named(
    tmp_path: Path, kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "photo.png").write_bytes(encoded(texture(), "PNG"))
    (folder / "note.md").write_text("Dogs travel free.")

    def ingest(path: Path) -> IngestReport:
        return ingest_paths(kb, [path], IngestConfig(parse_workers=0), base=tmp_path)  # here, where it can be patched

    def outcome(report: IngestReport) -> tuple[tuple[str, ...], list[str], list[str]]:
        return report.added, [skip.source for skip in report.skipped], [failure.source for failure in report.failed]

    assert outcome(ingest(folder)) == (("docs/note.md",), ["docs/photo.png"], [])
    with monkeypatch.context() as patch:
        patch.setattr("ingest.load_image.read_picture", None)  # reading it again would fail
        assert outcome(ingest(folder)) == ((), ["docs/photo.png"], [])
    plan = plan_paths(kb.catalog, [folder], IngestConfig(), base=tmp_path)
    assert (plan.added, [skip.source for skip in plan.skipped]) == ((), ["docs/photo.png"])
    assert outcome(ingest(folder / "photo.png")) == ((), [], ["docs/photo.png"])
    (folder / "photo.png").write_bytes(encoded(picture_of(WORDS), "PNG"))
    assert outcome(ingest(folder)) == (("docs/photo.png",), [], [])


def test_a_png_under_another_name_is_read_as_what_it_is() -> None:
    document = read_document(encoded(picture_of(WORDS), "PNG"), "a.txt", "a.txt")
    assert (document.text, document.metadata["named_as"]) == (WORDS, "text")


def test_a_cut_off_picture_is_refused() -> None:
    data = encoded(picture_of(WORDS), "PNG")
    with pytest.raises(SourceError, match=r"^a\.png is a damaged picture; open it in a viewer"):
        read_document(data[: len(data) // 2], "a.png", "a.png")
