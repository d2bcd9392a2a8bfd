"""A mail goes in with its good attachments; each bad one is named with its reason, like a bad member of an archive."""

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from ingest.catalog import Catalog
from ingest.chunk import ChunkingConfig
from ingest.discover import Failure
from ingest.document import document_id
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, IngestReport, ingest_paths
from ingest.unread_parts import UnreadPart
from tests.footnote_process import footnote
from tests.hashing_embedder import HashingEmbedder
from tests.scans import encoded

CONFIG = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5), parse_workers=1)
HTML = "<html><body><h1>{0}</h1><p>The {0} boat sails.</p></body></html>"
ENDED = "ended the process that read it (by signal 9); it is damaged or too large, save it anew and add that."


def mail(**attachments: bytes) -> bytes:
    """Give a message; `a_html` is attached as a.html."""
    made = EmailMessage()
    made["Subject"], made["From"], made["Date"] = "Fares", "rook@example.org", "Tue, 18 Mar 2025 17:30:00 +0000"
    made.set_content("The fare stays at 4.20.")
    for name, data in attachments.items():
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name.replace("_", "."))
    return made.as_bytes()


def page(name: str) -> bytes:
    return HTML.format(name).encode()


def take_in(folder: Path, home: Path, config: IngestConfig = CONFIG) -> IngestReport:
    kb = KnowledgeBase.open(home, HashingEmbedder(), create=True)
    try:
        return ingest_paths(kb, [folder], config, base=folder)
    finally:
        kb.close()


def text_of(home: Path, source: str) -> str:
    catalog = Catalog(home / "catalog.sqlite", create=False)
    try:
        return catalog.document(document_id(source)).text
    finally:
        catalog.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f").mkdir()
    return tmp_path / "f"


def test_a_bad_attachment_is_named_and_the_mail_and_its_good_ones_are_in(folder: Path, tmp_path: Path) -> None:
    (folder / "a.eml").write_bytes(
        mail(terms_docx=b"PK no", plan_html=page("red"), tool_exe=b"MZ", x_csv=b"A,B\n1,2\n")
    )

    first = take_in(folder, tmp_path / "kb")
    again = take_in(folder, tmp_path / "kb")

    assert (first.added, again.unchanged) == (("a.eml",), ("a.eml",))
    [failure] = first.failed
    assert failure.source == "a.eml!/terms.docx" and failure.reason.startswith("terms.docx is damaged or not a DOCX")
    assert [skip.source for skip in first.skipped] == ["a.eml!/tool.exe"]
    assert (again.failed, again.skipped) == (first.failed, first.skipped)
    assert "The red boat sails." in text_of(tmp_path / "kb", "a.eml")
    catalog = Catalog(tmp_path / "kb" / "catalog.sqlite", create=False)
    assert [info.unread for info in catalog.documents()] == [
        (UnreadPart("terms.docx", failure.reason), UnreadPart("tool.exe", first.skipped[0].reason, is_skipped=True))
    ]
    catalog.close()


def test_an_attachment_that_ends_its_reader_is_left_out_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.parsing._MODULE", "tests.dying_worker")
    inner = mail(killer_html=page("killer"), blue_html=page("blue"))
    (folder / "a.eml").write_bytes(mail(inner_eml=inner, red_html=page("red")))
    (folder / "b.eml").write_bytes(mail(red_html=page("red")))

    report = take_in(folder, tmp_path / "kb")

    assert report.added == ("a.eml", "b.eml")
    assert report.failed == (Failure("a.eml!/inner.eml!/killer.html", f"killer.html {ENDED}"),)
    text = text_of(tmp_path / "kb", "a.eml")
    assert "The red boat sails." in text and "The blue boat sails." in text


def test_an_attachment_that_holds_its_reader_up_is_left_out_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.parsing._MODULE", "tests.dying_worker")
    (folder / "a.eml").write_bytes(mail(hanging_html=page("hanging"), red_html=page("red")))

    report = take_in(folder, tmp_path / "kb", replace(CONFIG, file_timeout_seconds=4))

    assert report.added == ("a.eml",)
    [failure] = report.failed
    assert failure.source == "a.eml!/hanging.html"
    assert failure.reason.startswith("hanging.html was stopped: nothing more of it was read in 4 s")
    assert "The red boat sails." in text_of(tmp_path / "kb", "a.eml")


def test_after_three_attachments_that_end_their_reader_the_mail_goes_in_without_any(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.parsing._MODULE", "tests.dying_worker")
    made = EmailMessage()
    made["Subject"], made["From"] = "Fares", "rook@example.org"
    made.set_content("The fare stays at 4.20.")
    for number in range(4):
        made.add_attachment(
            f"<html><p>{number}</p></html>".encode(), maintype="text", subtype="html", filename="killer.html"
        )
    (folder / "a.eml").write_bytes(made.as_bytes())

    report = take_in(folder, tmp_path / "kb")

    others = "not read, because 3 other attachments of a.eml ended or held up their reading."
    assert [failure.reason for failure in report.failed] == [f"killer.html {ENDED}"] * 3 + [others]
    assert "The fare stays at 4.20." in text_of(tmp_path / "kb", "a.eml")


def test_a_logo_without_words_in_a_mail_is_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "a.eml").write_bytes(mail(logo_png=encoded(Image.new("RGB", (600, 400), "white"), "PNG")))

    report = take_in(folder, tmp_path / "kb")

    assert (report.added, report.failed) == (("a.eml",), ())
    assert report.skipped == (
        Failure("a.eml!/logo.png", "logo.png is a picture without words; there is nothing in it to search or quote."),
    )


def test_the_command_names_it_exits_1_and_shows_it_afterwards(folder: Path, tmp_path: Path) -> None:
    (folder / "a.eml").write_bytes(mail(terms_docx=b"PK no"))

    done, _ = footnote(tmp_path, "ingest", str(folder), status=1)
    shown, _ = footnote(tmp_path, "kb", "show")

    assert "terms.docx is damaged or not a DOCX" in done
    assert "a.eml  (attachments not read: terms.docx)" in shown
