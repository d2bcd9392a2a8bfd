"""Makes a whole file of each format that is read, for the tests that break them."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage

import docx
from ebooklib import epub
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from reportlab.pdfgen.canvas import Canvas

from tests.ole_writer import ole_file
from tests.scans import encoded, picture_of

WORDS = "The ferry leaves at nine. 渡船九点开。 Fares: 4.20 crowns, dogs free of charge."
_RST_TABLES = "+---+---+\n| a | b |\n+---+---+\n\n== ==\na  b\n== ==\n"


def samples() -> dict[str, bytes]:
    """Give a whole file of each format, by suffix."""
    text = f"# Title\n\n{WORDS}\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n"
    record = {"name": "Ada", "born": {"year": 1815}, "works": [{"t": "A"}, {"t": "B"}], "bio": WORDS * 5}
    cells = [
        {"cell_type": "markdown", "source": text},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": "1\n"}]},
    ]
    found = {
        "md": text.encode(),
        "txt": f"1. Title\n\n{WORDS}\n".encode("gb18030"),
        "html": _html(),
        "csv": f'Line,Fare\nRed,4.20\n{WORDS},"a ""b"""\n'.encode(),
        "rst": f"Title\n=====\n\n{WORDS}\n\n.. note:: x\n\n{_RST_TABLES}".encode(),
        "json": json.dumps([record, record]).encode(),
        "jsonl": f"{json.dumps(record)}\n{json.dumps(record)}\n".encode(),
        "xml": f'<?xml version="1.0"?><a><title>T</title><b x="1"><c>{WORDS}</c></b><b x="2"/></a>'.encode(),
        "yaml": f"version: 3\nservices:\n  web: '{WORDS}'\n".encode(),
        "ipynb": json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode(),
        "py": f"import os\n\n\nclass A:\n    def f(self):\n        return '{WORDS}'\n".encode(),
        "js": f"export class A {{\n  f() {{ return '{WORDS}'; }}\n}}\n".encode(),
        "rtf": rb"{\rtf1\ansi\ansicpg1252 The caf\'e9 is \b open\b0 .\par \u28193?\u33337? leaves.\par}",
        "pdf": sample_pdf(compressed=False),
        "docx": _docx(),
        "pptx": _pptx(),
        "xlsx": _xlsx(),
        "ods": _ods(),
        "epub": _epub(),
        "eml": sample_mail().as_bytes(),
        "mbox": b"From a@b Tue Mar 18 17:30:00 2025\n" + sample_mail().as_bytes() + b"\n\n",
        "msg": _msg(),
        "png": encoded(picture_of("The ferry leaves at nine."), "PNG"),
        "jpg": encoded(picture_of("The ferry leaves at nine."), "JPEG"),
        "tif": encoded(picture_of("The ferry leaves at nine."), "TIFF", compression="tiff_lzw"),
        "gif": encoded(picture_of("The ferry leaves at nine."), "GIF"),
        "webp": encoded(picture_of("The ferry leaves at nine."), "WEBP"),
        "bmp": encoded(picture_of("The ferry leaves at nine."), "BMP"),
    }
    found["zip"] = zipped({f"folder/a.{suffix}": found[suffix] for suffix in ("md", "docx", "csv")})
    found["tar.gz"] = tarred({f"a.{suffix}": found[suffix] for suffix in ("md", "json")})
    return found


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack files as ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """Pack files as TAR."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _html() -> bytes:
    body = f"<h1>T</h1><p>{WORDS}</p><ul><li>a<li>b</ul><table><tr><td>1<td>2</table><pre>x</pre>"
    return f"<html><head><title>T</title></head><body>{body}</body></html>".encode()


def sample_pdf(*, compressed: bool) -> bytes:
    """Give a PDF of three pages with bookmarks."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=int(compressed), invariant=True)
    for page in range(3):
        canvas.bookmarkPage(f"p{page}")
        canvas.addOutlineEntry(f"Page {page}", f"p{page}")
        for line in range(12):
            canvas.drawString(72, 700 - 20 * line, f"The ferry leaves at {line}. Fares are 4.20.")
        canvas.grid([72, 172, 272], [300, 320, 340])
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _docx() -> bytes:
    document, buffer = docx.Document(), io.BytesIO()
    document.add_heading("Title", 1)
    document.add_paragraph(WORDS)
    document.add_paragraph("item", style="List Bullet")
    table = document.add_table(2, 2)
    table.cell(0, 0).text = "a"
    document.save(buffer)
    return buffer.getvalue()


def _pptx() -> bytes:
    presentation, buffer, picture = Presentation(), io.BytesIO(), io.BytesIO()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text_frame.text = "Title", WORDS
    slide.shapes.add_table(2, 2, 0, 0, 99, 99).table.cell(0, 0).text = "a"
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    slide.shapes.add_picture(picture, 0, 0)
    slide.notes_slide.notes_text_frame.text = "Notes"
    presentation.save(buffer)
    return buffer.getvalue()


def _xlsx() -> bytes:
    workbook, buffer = Workbook(), io.BytesIO()
    workbook.active.append(["Line", "Fare"])
    workbook.active.append([WORDS, 4.2])
    workbook.active["B2"].number_format = "0.00"
    workbook.active.merge_cells("A3:B3")
    workbook.save(buffer)
    return buffer.getvalue()


def _ods() -> bytes:
    names = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    row = f"<table:table-row><table:table-cell><text:p>{WORDS}</text:p></table:table-cell></table:table-row>"
    table = f'<table:table table:name="S">{row * 3}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f"<office:document-content{names}>{body}</office:document-content>".encode(),
        }
    )


def _epub() -> bytes:
    book, buffer = epub.EpubBook(), io.BytesIO()
    book.set_identifier("x")
    book.set_title("Title")
    chapter = epub.EpubHtml(title="c", file_name="c0.xhtml")
    chapter.content = f"<html><body><h1>T</h1><p>{WORDS}</p></body></html>"
    book.add_item(chapter)
    book.spine = [chapter]
    book.add_item(epub.EpubNcx())
    epub.write_epub(buffer, book)
    return buffer.getvalue()


def sample_mail() -> EmailMessage:
    """Give a message with an HTML twin and an attachment."""
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "渡船", "rook@example.org", "all@example.org"
    made.set_content(WORDS)
    made.add_alternative(f"<p>{WORDS}</p>", subtype="html")
    made.add_attachment(b"Line,Fare\nRed,4.20\n", maintype="text", subtype="csv", filename="fares.csv")
    made.set_boundary("edge")
    return made


def _msg() -> bytes:
    return ole_file(
        {
            "__substg1.0_0037001F": "渡船".encode("utf-16-le"),
            "__substg1.0_1000001F": (WORDS * 60).encode("utf-16-le"),
            "__properties_version1.0": bytes(64),
            "__attach_version1.0_#00000000": {
                "__substg1.0_3707001F": "a.csv".encode("utf-16-le"),
                "__substg1.0_37010102": b"Line,Fare\nRed,4.20\n",
            },
        }
    )
