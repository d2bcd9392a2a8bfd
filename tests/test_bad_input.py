"""Every file that can't be read is refused in one sentence that starts with its name and says what to do."""

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from ingest import load
from ingest.errors import SourceError, WordlessError
from ingest.load import load_document

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


def pdf(words: str | None) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    if words is not None:
        canvas.drawString(72, 700, words)
    else:
        canvas.rect(72, 500, 200, 200, fill=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encrypted(data: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
FTYP = b"\0\0\0\x18ftyp"
INSTEAD = "add a document with text in it instead."
NO_WORDS = "holds no words; there is nothing in it to search or quote."
CASES = [
    ("empty.md", b"", "is empty (0 bytes); add it again once it has content."),
    ("locked.pdf", encrypted(pdf("words")), "is encrypted; save a copy without a password and add that."),
    ("cut.pdf", b"%PDF-1.7\n1 0 obj", "is a damaged PDF; open it in a PDF viewer, save it again and add that."),
    ("x.png", PNG, "is a damaged picture; open it in a viewer, save it again and add that."),
    ("x.pdf", PNG, "is a damaged picture; open it in a viewer, save it again and add that."),
    ("x.png", b"words", "is damaged or not a picture: it doesn't begin like one; save it again and add that."),
    ("x.jpg", FTYP + b"heic\0\0\0\0mif1heic", "is a HEIC picture; save it as JPEG or PNG and add that."),
    ("x.jpg", FTYP + b"mif1\0\0\0\0mif1heic", "is a HEIC picture; save it as JPEG or PNG and add that."),
    ("x.png", FTYP + b"mif1\0\0\0\0avifmif1", "is an AVIF picture; save it as JPEG or PNG and add that."),
    ("x.png", FTYP + b"isom\0\0\0\0isommp42", f"is an MP4 film or recording, not a picture; {INSTEAD}"),
    ("x.mp3", b"RIFF\0\0\0\0AVI LIST", f"is an AVI film, not a recording; {INSTEAD}"),
    (
        "x.docx",
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "is encrypted; save a copy without a password and add that.",
    ),
    ("x.docx", zipped("xl/workbook.bin"), f"is a binary Excel workbook (.xlsb), not a DOCX; {INSTEAD}"),
    (
        "x.docx",
        OLE,
        "is an Office file of the old binary kind (.doc, .xls, .ppt); save it as .docx, .xlsx or .pptx and add that.",
    ),
    ("x.docx", zipped("readme"), f"is a ZIP archive, not a DOCX; {INSTEAD}"),
    ("x.pdf", b"words", "is damaged or not a PDF: it doesn't begin like one; save it again and add that."),
    (
        "junk.txt",
        bytes(range(256)) * 20,
        "is not text, or in an encoding that can't be told; save it as UTF-8 text and add that.",
    ),
    ("blank.md", b" \n\n--- \n", NO_WORDS),
    ("blank.html", b"<html><body><p> </p></body></html>", NO_WORDS),
    ("a.txt.gz", b"\x1f\x8b\x08\x00 broken", "is a damaged gzip file; pack it again and add that."),
]


@pytest.mark.parametrize(("name", "data", "message"), CASES)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        load_document(tmp_path / name)
    assert str(caught.value) == f"{name} {message}"


def test_a_pdf_of_pictures_without_words_says_so(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(pdf(None))
    with pytest.raises(WordlessError, match=r"^scan\.pdf holds no words: its 1 pages are empty, or pictures without"):
        load_document(tmp_path / "scan.pdf")


@pytest.mark.parametrize("name", ["film.xyz", "README"])
def test_an_unknown_type_is_named_not_guessed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("plain words")
    with pytest.raises(SourceError, match=rf"^{name} is of an unsupported type \({Path(name).suffix or 'no suffix'}\)"):
        load_document(tmp_path / name)


@pytest.mark.parametrize(("name", "better"), [("a.doc", ".docx"), ("a.xls", ".xlsx"), ("a.ppt", ".pptx")])
def test_an_old_office_file_is_told_what_to_save_it_as(tmp_path: Path, name: str, better: str) -> None:
    (tmp_path / name).write_bytes(OLE)
    with pytest.raises(SourceError, match=rf"^{name} is of a type that isn't read \(.*\); save it as {better} and add"):
        load_document(tmp_path / name)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^gone\.md does not exist; check the path"):
        load_document(tmp_path / "gone.md")
    (tmp_path / "notes.md").mkdir()
    with pytest.raises(SourceError, match=r"^notes\.md is a folder, not a file"):
        load_document(tmp_path / "notes.md")


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    """In a process of its own, because root must become somebody else for good to be refused anything."""
    path = tmp_path / "closed.md"
    path.write_text("words")
    path.chmod(0)
    for parent in path.parents:
        if parent != Path("/") and parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    script = (
        "import os, sys; from pathlib import Path; from ingest.load import load_document\n"
        "from ingest.errors import SourceError\n"
        "os.seteuid(65534) if os.geteuid() == 0 else None\n"
        "try: load_document(Path(sys.argv[1]))\n"
        "except SourceError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "closed.md can't be read: no permission; allow your user to read it and add it again.\n"


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_BYTES", 2**20)
    (tmp_path / "big.txt").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(SourceError, match=r"^big\.txt is 1 MiB, the limit is 1 MiB; split it"):
        load_document(tmp_path / "big.txt")
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(bytes(2**21)))
    with pytest.raises(SourceError, match=r"^bomb\.txt\.gz unpacks to more than 1 MiB; split it"):
        load_document(tmp_path / "bomb.txt.gz")


def test_compressed_documents_are_read_as_what_is_inside(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("第一条 words".encode()))
    (tmp_path / "b.pdf.gz").write_bytes(gzip.compress(pdf("Words on paper.")))
    assert load_document(tmp_path / "a.txt.gz").text == "第一条 words"
    document = load_document(tmp_path / "b.pdf.gz")
    assert (document.text, document.title, len(document.pages)) == ("Words on paper.", "b", 1)


def test_a_pdf_named_txt_is_read_as_a_pdf(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(pdf("Words on paper."))
    document = load_document(tmp_path / "a.txt")
    assert (document.metadata["format"], document.metadata["named_as"]) == ("pdf", "text")
    assert document.page_at(0) == 1


def test_a_name_in_any_script_and_a_given_source_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "年度 report (1).md"
    path.write_text("词 words")
    document = load_document(path)
    assert document.source == path.as_posix() and document.title == "年度 report (1)"
    assert load_document(path, source="kb://x").source == "kb://x"


@pytest.mark.parametrize(
    "text",
    [
        "ID3 tags name a song.", "GIF89a is a format of 1989.", "BM\tbook of minutes", "OggS begins a page.",
        "RIFF holds chunks.", "The ftyp box comes first.", "fLaC begins a file.\x0cPage two", "GIF89a 是一种格式。",
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.py"])
def test_prose_that_begins_like_a_picture_or_a_recording_is_read_as_text(text: str, encoding: str, name: str) -> None:
    document = load.read_document(text.encode(encoding), name, name)
    assert (document.metadata["format"], document.text.split()) == (load.FORMATS[name[1:]], text.split())
