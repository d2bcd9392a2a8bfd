"""Archives: each file inside is a document of its own; nothing is unpacked, leads outside or hides the rest."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from ingest.archive import Member, read_member, read_members, split_source
from ingest.document import Span
from ingest.errors import SourceError
from ingest.knowledge_base import KnowledgeBase
from ingest.load import load_document
from ingest.original import has_original, read_original
from ingest.page_image import has_page_images, page_image
from ingest.pipeline import IngestConfig, IngestReport, ingest_paths
from tests.hashing_embedder import HashingEmbedder
from tests.whole_files import tarred, zipped


def members(path: Path) -> dict[str, bytes | str]:
    return {member.path: member.problem or member.data for member in read_members(path)}


def ingest(kb: KnowledgeBase, *paths: Path) -> IngestReport:
    return ingest_paths(kb, paths, IngestConfig(), base=paths[0].parent)


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)


@pytest.mark.parametrize(
    ("suffix", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz"), ("tar.bz2", "w:bz2"), ("txz", "w:xz")]
)
def test_tar_archives_give_their_files_whatever_they_are_packed_with(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(tarred({"./notes/a.md": "# 票价".encode(), ".hidden.md": b"x", "b.txt": b"words"}, mode))
    assert members(path) == {"notes/a.md": "# 票价".encode(), "b.txt": b"words"}


def test_archives_inside_archives_are_opened_to_a_bound(tmp_path: Path) -> None:
    inner = zipped({"deep.md": b"deep words"})
    deeper = zipped({"x.zip": zipped({"y.zip": zipped({"z.md": b"z"})})})
    (tmp_path / "a.zip").write_bytes(
        zipped({"in.zip": inner, "n.tgz": tarred({"t.md": b"t"}), "d.zip": deeper, "bad.zip": b"PK junk"})
    )
    found = members(tmp_path / "a.zip")
    assert found["in.zip!/deep.md"] == b"deep words" and found["n.tgz!/t.md"] == b"t"
    assert str(found["d.zip!/x.zip!/y.zip"]).startswith("y.zip lies more than 3 archives deep")
    assert str(found["bad.zip"]).startswith("bad.zip is a damaged archive, or not one")
    assert len(found) == 4


def test_names_that_lead_outside_are_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    names = ["../up.md", "/etc/passwd.md", "a/../../b.md", "C:/x.md", "..\\w.md", "good.md"]
    (tmp_path / "a.zip").write_bytes(zipped(dict.fromkeys(names, b"words")))
    (tmp_path / "a.tar").write_bytes(tarred(dict.fromkeys(names, b"words"), "w"))
    for path in (tmp_path / "a.zip", tmp_path / "a.tar"):
        found = list(read_members(path))
        assert [member.path for member in found if not member.problem] == ["good.md"]
        assert all("names a place outside the archive" in member.problem for member in found[:-1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "a.zip"]


def test_chinese_names_of_old_archives_are_understood(tmp_path: Path) -> None:
    data = zipped({"xxxxxxxx.md": b"words"}).replace(b"xxxxxxxx", "票价说明".encode("gb18030"))
    (tmp_path / "a.zip").write_bytes(data)
    assert list(members(tmp_path / "a.zip")) == ["票价说明.md"]


def test_bombs_are_refused_before_they_unpack(tmp_path: Path) -> None:
    zeros = bytes(80 * 2**20)
    (tmp_path / "a.zip").write_bytes(zipped({"zeros.txt": zeros, "good.md": b"words"}))
    found = members(tmp_path / "a.zip")
    assert str(found["zeros.txt"]).startswith("zeros.txt in a.zip unpacks to more than 200 times its size")
    assert found["good.md"] == b"words"
    (tmp_path / "many.zip").write_bytes(zipped({f"{number}.txt": bytes(60 * 2**20) for number in range(2)}))
    (tmp_path / "a.tar.gz").write_bytes(tarred({"zeros.txt": zeros}))
    for name in ("many.zip", "a.tar.gz"):
        with pytest.raises(SourceError, match=rf"^{name} unpacks to more than 200 times its size"):
            list(read_members(tmp_path / name))


def test_an_encrypted_or_damaged_member_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.md": b"first words", "b.md": b"second words", "c.md": b"third words"}))
    for mark, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags_at] |= 1  # says that a.md is encrypted
    at = data.index(b"b.md") + 4
    data[at : at + 6] = b"\xff" * 6
    (tmp_path / "x.zip").write_bytes(bytes(data))
    assert members(tmp_path / "x.zip") == {
        "a.md": "a.md in x.zip is encrypted; pack it without a password and add that.",
        "b.md": "b.md in x.zip is damaged; pack it again and add that.",
        "c.md": b"third words",
    }


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("passwd.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert members(tmp_path / "a.tar") == {"passwd.txt": "passwd.txt in a.tar is a link or a device, not a file."}


def test_a_member_is_found_again_by_its_source(tmp_path: Path) -> None:
    folder = tmp_path / "odd!" / "place"
    folder.mkdir(parents=True)
    (folder / "a.zip").write_bytes(zipped({"in.zip": zipped({"deep.md": b"deep words"})}))
    source = f"{folder}/a.zip!/in.zip!/deep.md"
    assert split_source(source) == (folder / "a.zip", "in.zip!/deep.md")
    assert has_original(source) and read_original(source) == b"deep words"
    assert not has_original(f"{folder}/gone.zip!/deep.md")
    with pytest.raises(SourceError, match=r"^x\.md isn't in a\.zip any more"):
        read_member(folder / "a.zip", "x.md")


def test_what_is_not_wanted_is_not_unpacked(tmp_path: Path) -> None:
    inner = zipped({"a.md": b"a", "b.png": b"b"})
    for name, data in (
        ("x.zip", zipped({"in.zip": inner, "n.zip": b"junk", "c.md": b"c"})),
        ("x.tar", tarred({"in.zip": inner, "n.zip": b"junk", "c.md": b"c"}, "w")),
    ):
        (tmp_path / name).write_bytes(data)
        found = read_members(tmp_path / name, lambda path: path in ("in.zip", "in.zip!/a.md"))
        assert [(member.path, member.data) for member in found] == [
            ("in.zip!/a.md", b"a"),
            ("in.zip!/b.png", b""),
            ("n.zip", b""),
            ("c.md", b""),
        ]


def test_an_archive_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.md": b"words"}))
    with pytest.raises(SourceError, match=r"^a\.zip is an archive, not a document"):
        load_document(tmp_path / "a.zip")


def test_ingest_takes_in_each_file_of_an_archive_and_reports_the_bad_ones(tmp_path: Path, kb: KnowledgeBase) -> None:
    files = {"a.md": b"# Fares\n\nAdults pay 4.20.", "sub/b.txt": b"Dogs travel free.", "p.psd": b"x", "bad.pdf": b"no"}
    (tmp_path / "x.zip").write_bytes(zipped(files))
    report = ingest(kb, tmp_path / "x.zip")
    assert report.added == ("x.zip!/a.md", "x.zip!/sub/b.txt")
    assert [failure.source for failure in report.failed] == ["x.zip!/bad.pdf"]
    assert [failure.source for failure in report.skipped] == ["x.zip!/p.psd"]
    assert [info.source for info in kb.catalog.documents()] == ["x.zip!/a.md", "x.zip!/sub/b.txt"]


def test_an_unchanged_archive_is_not_opened_and_a_changed_one_rereads_what_changed(
    tmp_path: Path, kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a.md": b"Adults pay.", "b.md": b"Dogs travel.", "p.psd": b"x"}))
    ingest(kb, path)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.inputs.read_members", None)  # opening it would fail
        again = ingest(kb, path)
    assert again.unchanged == ("x.zip!/a.md", "x.zip!/b.md") and again.embedded == 0
    assert [failure.source for failure in again.skipped] == ["x.zip!/p.psd"]
    path.write_bytes(zipped({"a.md": b"Adults pay.", "c.md": b"Cats pay.", "p.psd": b"x"}))
    changed = ingest(kb, path)
    assert (changed.added, changed.removed) == (("x.zip!/c.md",), ("x.zip!/b.md",))
    assert (changed.unchanged, changed.embedded) == (("x.zip!/a.md",), 1)


def test_an_archive_that_breaks_keeps_what_was_read_and_one_that_is_gone_takes_it_along(
    tmp_path: Path, kb: KnowledgeBase
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "x.zip").write_bytes(zipped({"a.md": b"Adults pay.", "b.md": b"Dogs travel."}))
    ingest(kb, folder)
    (folder / "x.zip").write_bytes(b"PK\x03\x04 cut off")
    broken = ingest(kb, folder)
    assert [failure.source for failure in broken.failed] == ["docs/x.zip"] and broken.removed == ()
    assert kb.catalog.counts()[0] == 2
    (folder / "x.zip").unlink()
    (folder / "c.md").write_text("Cats pay.")
    assert ingest(kb, folder).removed == ("docs/x.zip!/a.md", "docs/x.zip!/b.md")


def test_a_document_deleted_by_hand_comes_back_like_that_of_a_file(tmp_path: Path, kb: KnowledgeBase) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a.md": b"Adults pay.", "b.md": b"Dogs travel."}))
    ingest(kb, path)
    with kb.writing():
        kb.remove(kb.catalog.documents()[0].id)
    assert ingest(kb, path).added == ("x.zip!/a.md",)


def test_an_archive_that_changes_back_after_a_failure_is_read_again(tmp_path: Path, kb: KnowledgeBase) -> None:
    path = tmp_path / "x.zip"
    first = zipped({"a.md": b"Adults pay.", "b.pdf.md": b"Dogs travel."})
    path.write_bytes(first)
    ingest(kb, path)
    path.write_bytes(zipped({"a.md": b"Adults pay more.", "b.pdf.md": b""}))
    report = ingest(kb, path)
    assert report.updated == ("x.zip!/a.md",) and [failure.source for failure in report.failed] == ["x.zip!/b.pdf.md"]
    path.write_bytes(first)
    assert ingest(kb, path).updated == ("x.zip!/a.md",)
    assert kb.catalog.document(kb.catalog.documents()[0].id).text == "Adults pay."


def test_an_archive_of_nothing_readable_is_a_failure(tmp_path: Path, kb: KnowledgeBase) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({"p.psd": b"x"}))
    for _ in range(2):  # the second time too
        assert [failure.reason for failure in ingest(kb, tmp_path / "x.zip").failed] == ["x.zip holds no documents."]


def test_a_member_knows_when_it_was_changed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.md", (2025, 3, 7, 1, 2, 4)), b"words")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    [member] = read_members(tmp_path / "a.zip")
    assert isinstance(member, Member) and member.modified is not None
    assert member.modified.isoformat() == "2025-03-07T01:02:04+00:00"


def test_a_cited_page_of_a_pdf_inside_an_archive_can_be_drawn(tmp_path: Path, kb: KnowledgeBase) -> None:
    sample = Path(__file__).parent.parent / "data" / "samples" / "member-handbook-2025.pdf"
    (tmp_path / "x.zip").write_bytes(zipped({"docs/handbook.pdf": sample.read_bytes()}))
    ingest_paths(kb, [tmp_path / "x.zip"], IngestConfig())
    [info] = kb.catalog.documents()
    document = kb.catalog.document(info.id)
    quote = "The laboratory needs the green card"
    start = document.text.index(quote)
    image = page_image(document, document.page_at(start) or 0, [Span(start, start + len(quote))])
    assert image.boxes and has_page_images(document)
    (tmp_path / "x.zip").write_bytes(zipped({"docs/handbook.pdf": sample.read_bytes() + b"\n%"}))
    with pytest.raises(SourceError, match=r"^handbook\.pdf has changed since it was added"):
        page_image(document, 1, [])
    (tmp_path / "x.zip").write_bytes(zipped({"other.md": b"words"}))
    with pytest.raises(SourceError, match=r"^docs/handbook\.pdf isn't in x\.zip any more"):
        page_image(document, 1, [])


def test_what_is_remembered_of_an_archive_raises_no_revision(kb: KnowledgeBase) -> None:
    before = kb.catalog.revision
    kb.catalog.remember_state("a.zip", "state")
    assert (kb.catalog.source_state("a.zip"), kb.catalog.source_state("b.zip")) == ("state", None)
    assert kb.catalog.revision == before


def test_the_names_of_headings_survive_the_catalog(tmp_path: Path, kb: KnowledgeBase) -> None:
    (tmp_path / "boat.py").write_text("class Boat:\n    def sail(self):\n        return 1\n")
    ingest(kb, tmp_path / "boat.py")
    document = kb.catalog.document(kb.catalog.documents()[0].id)
    assert [(block.name, block.level) for block in document.blocks if block.kind == "heading"] == [
        ("Boat", 1),
        ("Boat.sail", 2),
    ]
