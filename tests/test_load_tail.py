"""EPUB and RTF, which go through LlamaIndex's readers, and mailboxes, which don't."""

import logging
from email.message import EmailMessage
from mailbox import mbox
from pathlib import Path
from zipfile import ZipFile

import pytest
from ebooklib import epub

from ingest.errors import SourceError
from ingest.load import load_document


def test_an_epub_gives_its_chapters_with_their_headings(tmp_path: Path) -> None:
    book = epub.EpubBook()
    book.set_title("River")
    book.set_language("en")
    chapters = []
    for number, body in enumerate(
        ["<h1>The weir</h1><p>Eels climb at night.</p>", "<h1>鳗鱼</h1><p>鳗鱼夜里洄游。</p>"]
    ):
        chapter = epub.EpubHtml(title=f"c{number}", file_name=f"c{number}.xhtml")
        chapter.content = f"<html><body>{body}</body></html>"
        book.add_item(chapter)
        chapters.append(chapter)
    book.spine = chapters
    book.add_item(epub.EpubNcx())
    epub.write_epub(str(tmp_path / "river.epub"), book)
    level = logging.getLogger().level
    document = load_document(tmp_path / "river.epub")
    headings = [block.span.of(document.text) for block in document.blocks if block.kind == "heading"]
    assert headings == ["# The weir", "# 鳗鱼"]
    assert "Eels climb at night." in document.text and "鳗鱼夜里洄游。" in document.text
    assert (document.title, document.metadata["format"]) == ("River", "epub")
    assert logging.getLogger().level == level


def test_a_damaged_epub_is_named(tmp_path: Path) -> None:
    path = tmp_path / "river.epub"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(SourceError, match=r"^river\.epub is a damaged EPUB"):
        load_document(path)


def test_a_mailbox_gives_each_message_under_its_subject(tmp_path: Path) -> None:
    box = mbox(tmp_path / "post.mbox")
    for subject, body in (("Fares", "The fare stays at 4.20 crowns."), ("票价", "票价不变。")):
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, "rook@example.org", "all@example.org"
        message["Date"] = "Tue, 18 Mar 2025 17:30:00 +0000"
        message.set_content(body)
        box.add(message)
    box.flush()
    document = load_document(tmp_path / "post.mbox")
    headings = [block.span.of(document.text) for block in document.blocks if block.kind == "heading"]
    assert headings == ["Fares", "票价"]
    assert "The fare stays at 4.20 crowns." in document.text and "票价不变。" in document.text
    assert "From: rook@example.org" in document.text
    assert document.metadata["messages"] == "2"


def test_a_message_of_html_alone_keeps_its_own_words(tmp_path: Path) -> None:
    box = mbox(tmp_path / "post.mbox")
    for body in ("plain words", "<p>Only <b>HTML</b> 正文</p>"):
        message = EmailMessage()
        message["Subject"] = "s"
        if body.startswith("<"):
            message.set_content(body, subtype="html")
            message.make_mixed()
        else:
            message.set_content(body)
        message.add_attachment(b"attached words", maintype="text", subtype="plain", filename="a.txt")
        box.add(message)
    box.flush()
    text = load_document(tmp_path / "post.mbox").text
    attached = "Attachment: a.txt\n\nattached words"
    assert text == f"s\n\nplain words\n\n{attached}\n\ns\n\nOnly HTML 正文\n\n{attached}"


def test_a_file_that_is_no_mailbox_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_text("just words\n")
    with pytest.raises(SourceError, match=r"^a\.mbox is no mailbox"):
        load_document(tmp_path / "a.mbox")


def test_rtf_gives_its_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_text(r"{\rtf1\ansi\ansicpg1252 The caf\'e9 is \b open\b0 .\par \u28193?\u33337? leaves at nine.\par}")
    document = load_document(path)
    assert [block.span.of(document.text) for block in document.blocks] == ["The café is open.", "渡船 leaves at nine."]


def test_an_epub_that_lists_a_picture_it_lacks_is_read(tmp_path: Path) -> None:
    book = epub.EpubBook()
    book.set_title("River")
    book.add_item(epub.EpubItem(uid="logo", file_name="img/logo.png", media_type="image/png", content=b"x"))
    chapter = epub.EpubHtml(title="c1", file_name="c1.xhtml")
    chapter.content = "<h1>Banks</h1><p>The north bank is steep.</p>"
    book.add_item(chapter)
    book.spine = [chapter]
    book.add_item(epub.EpubNcx())
    epub.write_epub(str(tmp_path / "whole.epub"), book)
    with ZipFile(tmp_path / "whole.epub") as whole, ZipFile(tmp_path / "river.epub", "w") as river:
        for name in whole.namelist():
            if not name.endswith("logo.png"):
                river.writestr(name, whole.read(name))

    assert "The north bank is steep." in load_document(tmp_path / "river.epub").text
