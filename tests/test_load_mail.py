"""Mail: a message with its history and what is attached, from EML and from Outlook's MSG."""

import io
import struct
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest

from ingest.document import Document
from ingest.errors import SourceError
from ingest.load import load_document
from ingest.rtf_compression import decompress_rtf
from ingest.unread_parts import unread_parts
from tests.ole_writer import Folder, ole_file


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(document.text)) for block in document.blocks]


def save(folder: Path, name: str, data: bytes) -> Document:
    (folder / name).write_bytes(data)
    return load_document(folder / name)


def message(subject: str = "Fares", body: str = "The fare stays at 4.20.") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "rook@example.org", "all@example.org"
    made["Date"] = "Tue, 18 Mar 2025 17:30:00 +0000"
    made.set_content(body)
    return made


HEADERS = ("paragraph", 0, "From: rook@example.org\nTo: all@example.org\nDate: Tue, 18 Mar 2025 17:30:00 +0000")


def word_file(words: str) -> bytes:
    document, buffer = docx.Document(), io.BytesIO()
    document.add_heading("Terms", 1)
    document.add_paragraph(words)
    document.save(buffer)
    return buffer.getvalue()


def test_a_message_keeps_its_headers_and_quoted_history(tmp_path: Path) -> None:
    document = save(tmp_path, "a.eml", message("票价 Fares", "It stays.\n\n> What is the fare?\n> Rook").as_bytes())
    assert blocks(document) == [
        ("heading", 1, "票价 Fares"),
        HEADERS,
        ("paragraph", 0, "It stays."),
        ("paragraph", 0, "> What is the fare?\n> Rook"),
    ]
    assert (document.title, document.metadata["author"]) == ("票价 Fares", "rook@example.org")
    assert (document.metadata["date"], document.metadata["to"]) == ("2025-03-18", "all@example.org")


def test_html_alone_is_read_as_a_page(tmp_path: Path) -> None:
    made = message()
    made.set_content("<h1>News</h1><table><tr><td>a</td><td>b</td></tr></table>", subtype="html")
    assert blocks(save(tmp_path, "a.eml", made.as_bytes()))[2:] == [
        ("heading", 2, "News"),
        ("table", 0, "| a | b |"),
    ]


def test_attachments_are_read_under_their_names_and_bad_ones_are_reported(tmp_path: Path) -> None:
    made = message()
    made.add_attachment(word_file("Dogs travel free."), maintype="application", subtype="x", filename="条款.docx")
    made.add_attachment(b"Line,Fare\nRed,4.20\n", maintype="text", subtype="csv", filename="fares.csv")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    made.add_attachment(message("Inner", "Inner words."), filename=None)
    document = save(tmp_path, "a.eml", made.as_bytes())
    assert blocks(document)[3:] == [
        ("heading", 2, "Attachment: 条款.docx"),
        ("heading", 3, "Terms"),
        ("paragraph", 0, "Dogs travel free."),
        ("heading", 2, "Attachment: fares.csv"),
        ("table", 0, "Line: Red; Fare: 4.20"),
        ("heading", 2, "Attachment: logo.png"),
        ("heading", 2, "Attachment: message 4.eml"),
        ("heading", 3, "Inner"),
        HEADERS,
        ("paragraph", 0, "Inner words."),
    ]
    assert document.metadata["attachments"] == "条款.docx; fares.csv; logo.png; message 4.eml"
    [part] = unread_parts(document.metadata)
    assert (part.name, part.is_skipped) == ("logo.png", False)
    assert part.reason.startswith("logo.png is damaged or not a picture")


def test_messages_inside_messages_are_opened_to_a_bound(tmp_path: Path) -> None:
    made = message("Level 6", "words 6")
    for level in range(5, -1, -1):
        outer = message(f"Level {level}", f"words {level}")
        outer.add_attachment(made, filename=f"m{level + 1}.eml")
        made = outer
    document = save(tmp_path, "a.eml", made.as_bytes())
    assert "words 4" in document.text and "words 5" not in document.text
    assert "Attachment: m5.eml" in document.text


def test_text_that_is_no_message_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^a\.eml is no mail message: it has no sender"):
        save(tmp_path, "a.eml", b"just words\n")


def outlook(
    properties: dict[str, bytes], *, moment: datetime | None = None, code_page: int = 0, head: int = 32
) -> Folder:
    """Give a message's streams: strings by property and type, and the table of its numbers."""
    entries = b""
    if moment is not None:
        ticks = int((moment - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000)
        entries += struct.pack("<HHIQ", 0x0040, 0x0039, 6, ticks)
    if code_page:
        entries += struct.pack("<HHIQ", 0x0003, 0x3FFD, 6, code_page)
    folder: Folder = {f"__substg1.0_{key}": value for key, value in properties.items()}
    folder["__properties_version1.0"] = bytes(head) + entries
    return folder


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def test_an_outlook_message_reads_like_any_other(tmp_path: Path) -> None:
    folder = outlook(
        {
            "0037001F": wide("票价 Fares"),
            "1000001F": wide("It stays.\r\n\r\n> What is the fare?" + " filler" * 900),
            "0C1A001F": wide("Rook"),
            "5D01001F": wide("rook@example.org"),
            "0E04001F": wide("all@example.org"),
        },
        moment=datetime(2025, 3, 18, 17, 30, tzinfo=UTC),
    )
    folder["__attach_version1.0_#00000000"] = {
        "__substg1.0_3707001F": wide("条款.docx"),
        "__substg1.0_37010102": word_file("Dogs travel free."),
        "__properties_version1.0": bytes(8),
    }
    folder["__attach_version1.0_#00000001"] = {
        "__substg1.0_3001001F": wide("Forwarded"),
        "__substg1.0_3701000D": outlook({"0037001F": wide("Inner"), "1000001F": wide("Inner words.")}, head=24),
        "__properties_version1.0": bytes(8),
    }
    document = save(tmp_path, "a.msg", ole_file(folder))
    found = blocks(document)
    assert found[:2] == [
        ("heading", 1, "票价 Fares"),
        ("paragraph", 0, "From: Rook <rook@example.org>\nTo: all@example.org\nDate: 2025-03-18 17:30 UTC"),
    ]
    assert found[3][2].startswith("> What is the fare?")
    assert found[4:7] == [
        ("heading", 2, "Attachment: 条款.docx"),
        ("heading", 3, "Terms"),
        ("paragraph", 0, "Dogs travel free."),
    ]
    assert found[7] == ("heading", 2, "Attachment: Forwarded.txt") and "Inner words." in document.text
    assert (document.metadata["format"], document.metadata["date"]) == ("msg", "2025-03-18")


def test_an_outlook_message_of_an_older_kind_is_decoded_by_its_code_page(tmp_path: Path) -> None:
    folder = outlook({"0037001E": "票价".encode("gbk"), "10130102": "<p>票价不变。</p>".encode("gbk")}, code_page=936)
    assert blocks(save(tmp_path, "a.msg", ole_file(folder))) == [("heading", 1, "票价"), ("paragraph", 0, "票价不变。")]


def test_a_cut_outlook_message_is_named(tmp_path: Path) -> None:
    data = ole_file(outlook({"0037001F": wide("Fares"), "1000001F": wide("words " * 2000)}))
    with pytest.raises(SourceError, match=r"^a\.msg is a damaged Outlook message"):
        save(tmp_path, "a.msg", data[:1500])


def test_compressed_rtf_of_the_specification_is_unpacked() -> None:
    # [MS-OXRTFCP] section 4.1.1: the example of a whole stream
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0".replace(
            " ", ""
        )
    )
    assert decompress_rtf(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    with pytest.raises(ValueError, match="cut off"):
        decompress_rtf(b"short")


def test_an_archive_that_is_attached_gives_its_files_and_names_the_bad_ones(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("docs/a.md", "# Terms\n\nDogs travel free.")
        archive.writestr("b.png", "x")
        archive.writestr("../c.md", "x")
    inner = message("Inner", "Inner words.")
    inner.add_attachment(buffer.getvalue(), maintype="application", subtype="zip", filename="a.zip")
    made = message()
    made.add_attachment(inner, filename="inner.eml")
    document = save(tmp_path, "a.eml", made.as_bytes())
    assert blocks(document)[7:] == [
        ("heading", 4, "Attachment: a.zip"),
        ("heading", 5, "docs/a.md"),
        ("heading", 6, "# Terms"),
        ("paragraph", 0, "Dogs travel free."),
    ]
    picture, outside = unread_parts(document.metadata)
    assert (picture.name, outside.name) == ("inner.eml!/a.zip!/b.png", "inner.eml!/a.zip!/../c.md")
    assert picture.reason.startswith("b.png is damaged or not a picture")
    assert outside.reason.startswith("'../c.md' in a.zip names a place outside")


def test_an_archive_of_nothing_readable_that_is_attached_is_reported(tmp_path: Path) -> None:
    made = message()
    made.add_attachment(b"PK\x03\x04 cut", maintype="application", subtype="zip", filename="a.zip")
    document = save(tmp_path, "a.eml", made.as_bytes())
    [part] = unread_parts(document.metadata)
    assert part.reason.startswith("a.zip is a damaged archive, or not one")


def test_an_attachment_whose_streams_are_damaged_does_not_take_its_outlook_message_along(tmp_path: Path) -> None:
    folder = outlook({"0037001F": wide("Fares"), "1000001F": wide("The fare stays at 4.20.")})
    inner = outlook({"0037001F": wide("Inner")}, head=24)
    inner["__substg1.0_10090102"] = b"short"  # a body in RTF that is no compressed RTF
    for number, held in enumerate((inner, {"__substg1.0_37010102": b"Dogs travel free."})):
        held = {"__substg1.0_3701000D": held} if number == 0 else held
        held["__substg1.0_3707001F"] = wide(f"{number}.txt")
        folder[f"__attach_version1.0_#0000000{number}"] = held | {"__properties_version1.0": bytes(8)}

    document = save(tmp_path, "a.msg", ole_file(folder))

    assert "The fare stays at 4.20." in document.text and "Dogs travel free." in document.text
    [part] = unread_parts(document.metadata)
    assert (part.name, part.is_skipped) == ("attachment 00000000", False)
    assert part.reason.startswith("attachment 00000000 is damaged (") and part.reason.endswith("; ask for it again.")
