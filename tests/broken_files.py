"""Makes broken files of every format, the same ones for the same seed. Run as a module it reads a folder of them."""

import bz2
import gzip
import io
import json
import lzma
import random
import resource
import signal
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path
from types import FrameType

import docx
from ebooklib import epub
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from reportlab.pdfgen.canvas import Canvas

from tests.ole_writer import ole_file

WORDS = "The ferry leaves at nine. 渡船九点开。 Fares: 4.20 crowns, dogs free of charge."
SECONDS_EACH = 10
_ZEROS = bytes(65 * 2**20)  # a little more than is let through at any rate of packing
_RST_TABLES = "+---+---+\n| a | b |\n+---+---+\n\n== ==\na  b\n== ==\n"
_MEMORY_BYTES = 6 * 2**30


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
        "pdf": _pdf(compressed=False),
        "docx": _docx(),
        "pptx": _pptx(),
        "xlsx": _xlsx(),
        "ods": _ods(),
        "epub": _epub(),
        "eml": _mail().as_bytes(),
        "mbox": b"From a@b Tue Mar 18 17:30:00 2025\n" + _mail().as_bytes() + b"\n\n",
        "msg": _msg(),
    }
    found["zip"] = zipped({f"folder/a.{suffix}": found[suffix] for suffix in ("md", "docx", "csv")})
    found["tar.gz"] = tarred({f"a.{suffix}": found[suffix] for suffix in ("md", "json")})
    return found


def broken(seed: int, *, per_format: int = 12) -> Iterator[tuple[str, bytes]]:
    """Give names and bytes of broken files: cut, changed, damaged inside their packing, wrongly named, made to hurt."""
    dice = random.Random(seed)
    whole = samples()
    whole["packed.pdf"] = _pdf(compressed=True)
    for suffix, data in whole.items():
        for number in range(per_format):
            yield f"damaged-{suffix}-{number}.{suffix}", _damaged(data, number, dice)
    for suffix in ("docx", "pptx", "xlsx", "ods", "epub"):
        for number in range(per_format):
            yield f"inside-{suffix}-{number}.{suffix}", _damaged_inside(whole[suffix], number, dice)
    suffixes = sorted(whole)
    for index, suffix in enumerate(suffixes):
        for step in (1, 5, 11):
            other = suffixes[(index + step) % len(suffixes)]
            yield f"really-{suffix.replace('.', '-')}.{other}", whole[suffix]
    yield from _hostile()


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


def _damaged(data: bytes, number: int, dice: random.Random) -> bytes:
    """Cut a file, change some of its bytes, blank a stretch, repeat one, or put noise into it: in turn."""
    changed = bytearray(data)
    at = dice.randrange(len(data))
    size = dice.randrange(1, max(2, len(data) // 8))
    match number % 6:
        case 0:
            return data[:at]
        case 1 | 2:
            for _ in range(dice.randrange(1, 24)):
                changed[dice.randrange(len(data))] = dice.randrange(256)
        case 3:
            changed[at : at + size] = bytes(len(changed[at : at + size]))
        case 4:
            changed[at:at] = data[at : at + size]
        case _:
            changed[at : at + size] = dice.randbytes(size)
    return bytes(changed)


def _damaged_inside(data: bytes, number: int, dice: random.Random) -> bytes:
    """Damage one part of a packed file and pack it again, so that its checksum is right and its content isn't."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chosen = dice.choice([name for name, part in parts.items() if part])
    if number % 4 == 3:
        del parts[chosen]
    elif number % 4 == 2:  # swap numbers and names inside the XML, which stays well formed
        for old, new in ((b'"1"', b'"-9999999999"'), (b'"0"', b'"x"'), (b"rId1", b"rId99"), (b"<v>", b"<v>e")):
            parts = {name: part.replace(old, new) if dice.random() < 0.5 else part for name, part in parts.items()}
    else:
        parts[chosen] = _damaged(parts[chosen], number, dice)
    return zipped(parts)


def _hostile() -> Iterator[tuple[str, bytes]]:
    """Files made to take all memory or time, to lead outside, or to stay locked."""
    whole = samples()
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>'
    outside = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e; words</x>'
    yield "bomb.xml", f"{bomb}<x>&l11;</x>".encode()
    yield "outside.xml", outside.encode()
    for suffix, part in (("docx", "word/document.xml"), ("pptx", "ppt/slides/slide1.xml"), ("ods", "content.xml"),
                         ("xlsx", "xl/worksheets/sheet1.xml"), ("epub", "EPUB/c0.xhtml")):  # fmt: skip
        yield f"bomb-in.{suffix}", _with_part(whole[suffix], part, lambda xml: _behind_declaration(xml, bomb, b"&l11;"))
        yield f"zeros-in.{suffix}", _with_part(whole[suffix], part, lambda xml: _ZEROS.replace(b"\0", b" ") + xml)
    yield "zeros.zip", zipped({"zeros.txt": _ZEROS})
    yield "zeros.txt.gz", gzip.compress(_ZEROS)
    yield "zeros.tar.xz", lzma.compress(tarred({"zeros.txt": _ZEROS}, "w"))
    yield "zeros.tar.bz2", bz2.compress(tarred({"zeros.txt": _ZEROS}, "w"))
    yield "matryoshka.zip", _nested_zip(12)
    yield (
        "outside.zip",
        zipped({"../../../tmp/evil.md": b"evil words", "/tmp/evil.md": b"evil", "ok.md": b"good words"}),
    )
    yield "outside.tar", tarred({"../evil.md": b"evil words", "/tmp/evil2.md": b"evil"}, "w")
    yield "locked.docx", ole_file({"EncryptedPackage": bytes(5000), "EncryptionInfo": bytes(200)})
    yield "locked.xlsx", ole_file({"EncryptedPackage": bytes(5000), "EncryptionInfo": bytes(200)})
    yield "old.docx", ole_file({"WordDocument": bytes(5000)})
    yield "deep.json", b"[" * 200_000
    yield "deep2.json", b'{"a":' * 900 + b"1" + b"}" * 900
    yield "deep3.json", b'[{"a":' * 300 + b'"words"' + b"}]" * 300
    yield "deep.html", b"<div>" * 50_000 + b"words" + b"</div>" * 50_000
    yield "deep2.html", b"<ul><li>words" * 20_000
    yield "deep3.html", b"<b>" * 20_000 + b"words"
    yield "deep.xml", b"<a>" * 100_000 + b"words" + b"</a>" * 100_000
    yield "deep2.xml", b"<a>" * 200 + b"words" + b"</a>" * 200
    yield "deep.md", b"> " * 5_000 + b"words"
    yield "deep2.md", "".join("  " * n + "- words\n" for n in range(500)).encode()
    yield "deep.rst", "".join("   " * n + ".. note::\n\n" for n in range(400)).encode()
    yield "deep2.rst", "".join("  " * n + "- words\n\n" for n in range(300)).encode()
    yield "deep.py", b"(" * 20_000 + b")" * 20_000
    yield "deep2.py", "".join("    " * n + "class A:\n" for n in range(90)).encode()
    yield "deep.js", b"{" * 50_000
    yield "deep.rtf", b"{\\rtf1" + b"{" * 50_000 + b"words" + b"}" * 50_000
    yield "deep.ipynb", b'{"cells":' + b"[" * 100_000
    yield "backtrack.md", b"[" * 20_000 + b"words"
    yield "backtrack2.md", b"*a_ " * 10_000
    yield "backtrack.rst", b"`a <b " * 20_000 + b"\n" + b"**a " * 20_000 + b"\n" + b"|a" * 20_000
    yield "wide.csv", b"a," * 500_000
    yield "quote.csv", b'"' + b"a\n" * 500_000
    yield "long-line.txt", b"word " * 2_000_000
    yield "one-word.txt", b"a" * 5_000_000
    yield "line.js", b"function a(){return 1};" * 50_000
    yield "numbers.json", b"[" + b"1" * 1_000_000 + b"]"
    yield "far.xlsx", _with_part(whole["xlsx"], "xl/worksheets/sheet1.xml", _far_cell)
    yield "merged.xlsx", _with_part(whole["xlsx"], "xl/worksheets/sheet1.xml", _merge_all)
    yield "repeated.ods", _with_part(
        whole["ods"], "content.xml",
        lambda xml: xml.replace(b"<table:table-cell>", b'<table:table-cell table:number-columns-repeated="99999999">')
        .replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="99999999">'),
    )  # fmt: skip
    yield "huge-picture.pptx", _with_part(whole["pptx"], "ppt/media/image1.png", _huge_picture)
    yield "huge-page.pdf", _pdf(compressed=False).replace(b"595.2756 841.8898", b"9999999 99999999")
    yield "loop.pdf", _pdf(compressed=False).replace(b"/Type /Page\n", b"/Type /Pages /Kids [ 3 0 R 3 0 R ]\n")
    yield "own-attachment.eml", _mail_chain(60)
    yield "many-parts.eml", _many_parts(3000)
    yield "many-headers.eml", b"".join(b"X-%d: y\n" % number for number in range(50_000)) + b"Subject: s\n\nwords"
    yield "nul.md", bytes(5000)
    yield "surrogates.json", b'["\\ud800 words \\udfff"]'
    yield "controls.txt", bytes(range(1, 32)) * 40 + b" words"


def _html() -> bytes:
    body = f"<h1>T</h1><p>{WORDS}</p><ul><li>a<li>b</ul><table><tr><td>1<td>2</table><pre>x</pre>"
    return f"<html><head><title>T</title></head><body>{body}</body></html>".encode()


def _pdf(*, compressed: bool) -> bytes:
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


def _mail() -> EmailMessage:
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


def _with_part(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    return zipped(parts)


def _behind_declaration(xml: bytes, declarations: str, reference: bytes) -> bytes:
    body = xml[xml.index(b"?>") + 2 :] if xml.startswith(b"<?xml") else xml
    body = body[body.index(b">") + 1 :] if body.lstrip().startswith(b"<!DOCTYPE") else body
    return declarations.encode() + body.replace(b"The ferry", reference + b" The ferry").replace(b"Line", reference)


def _far_cell(xml: bytes) -> bytes:
    return xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>')


def _merge_all(xml: bytes) -> bytes:
    return xml.replace(b'ref="A3:B3"', b'ref="A1:XFD1048576"')


def _huge_picture(png: bytes) -> bytes:
    return png[:16] + b"\x7f\xff\xff\xff\x7f\xff\xff\xff" + png[24:]


def _nested_zip(depth: int) -> bytes:
    data = zipped({"a.md": b"words"})
    for _ in range(depth):
        data = zipped({f"{number}.zip": data for number in range(4)})
    return data


def _mail_chain(depth: int) -> bytes:
    made = _mail()
    for _ in range(depth):
        outer = _mail()
        outer.add_attachment(made, filename="inner.eml")
        made = outer
    return made.as_bytes()


def _many_parts(count: int) -> bytes:
    part = b"--edge\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nwords\r\n"
    return b'Subject: s\r\nContent-Type: multipart/mixed; boundary="edge"\r\n\r\n' + part * count + b"--edge--\r\n"


def read_folder(folder: Path) -> Iterator[dict[str, object]]:
    """Read every file as an ingest does, and say for each what came of it and how long it took."""
    from ingest.archive import read_members
    from ingest.errors import SourceError
    from ingest.load import is_archive, load_document, read_document

    for path in sorted(folder.iterdir()):
        yield {"file": path.name, "started": True}
        before, result, reason = time.perf_counter(), "loaded", ""
        signal.setitimer(signal.ITIMER_REAL, SECONDS_EACH)
        try:
            if is_archive(path):
                for member in read_members(path):
                    try:
                        if not member.problem:
                            read_document(member.data, Path(member.path).name, member.path)
                    except SourceError:
                        continue
            else:
                document = load_document(path)
                text = document.text
                ends = [0, *(block.span.end for block in document.blocks)]
                assert all(block.span.start >= end for block, end in zip(document.blocks, ends, strict=False))
                assert ends[-1] <= len(text) and all(page.span.end <= len(text) for page in document.pages)
                text.encode()
        except SourceError as error:
            result, reason = "refused", str(error)
        except BaseException as error:  # noqa: BLE001 (what else may be raised is what is asked here)
            result, reason = "crashed", f"{type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        seconds = round(time.perf_counter() - before, 2)
        yield {"file": path.name, "result": result, "reason": reason[:300], "seconds": seconds}


def _too_late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"took more than {SECONDS_EACH} s")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _too_late)
    for line in read_folder(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
