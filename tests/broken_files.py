"""Makes broken and hostile files of every format, the same ones for the same seed."""

import bz2
import gzip
import io
import lzma
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from tests.ole_writer import ole_file
from tests.scans import encoded, picture_of, scan_pdf
from tests.whole_files import sample_mail, sample_pdf, samples, tarred, zipped

_ZEROS = bytes(65 * 2**20)  # a little more than is let through at any rate of packing


def broken(seed: int, *, per_format: int = 12) -> Iterator[tuple[str, bytes]]:
    """Give names and bytes of broken files: cut, changed, damaged inside their packing, wrongly named, made to hurt."""
    dice = random.Random(seed)
    whole = samples()
    whole["packed.pdf"] = sample_pdf(compressed=True)
    whole["scan.pdf"] = scan_pdf([picture_of("The ferry leaves at nine.")])
    whole["mp3"] = (Path(__file__).parent / "recordings" / "ferry-notice.mp3").read_bytes()
    for suffix, data in whole.items():
        for number in range(per_format):
            yield f"damaged-{suffix}-{number}.{suffix}", damaged(data, number, dice)
    for suffix in ("docx", "pptx", "xlsx", "ods", "epub"):
        for number in range(per_format):
            yield f"inside-{suffix}-{number}.{suffix}", _damaged_inside(whole[suffix], number, dice)
    suffixes = sorted(whole)
    for index, suffix in enumerate(suffixes):
        for step in (1, 5, 11):
            other = suffixes[(index + step) % len(suffixes)]
            yield f"really-{suffix.replace('.', '-')}.{other}", whole[suffix]
    yield from _hostile()


def damaged(data: bytes, number: int, dice: random.Random) -> bytes:
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
        parts[chosen] = damaged(parts[chosen], number, dice)
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
    png = bytearray(whole["png"])
    png[16:24] = (100_000).to_bytes(4) * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4)
    yield "huge.png", bytes(png)
    white = encoded(Image.new("1", (13_000, 13_000), 1), "TIFF", compression="group4")
    yield "white.tif", white
    yield "many.gif", encoded(Image.new("P", (900, 900)), "GIF", save_all=True, append_images=[Image.new("P", (9, 9))])
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
    yield "huge-page.pdf", sample_pdf(compressed=False).replace(b"595.2756 841.8898", b"9999999 99999999")
    yield "loop.pdf", sample_pdf(compressed=False).replace(b"/Type /Page\n", b"/Type /Pages /Kids [ 3 0 R 3 0 R ]\n")
    yield "own-attachment.eml", _mail_chain(60)
    yield "many-parts.eml", _many_parts(3000)
    yield "many-headers.eml", b"".join(b"X-%d: y\n" % number for number in range(50_000)) + b"Subject: s\n\nwords"
    yield "nul.md", bytes(5000)
    yield "surrogates.json", b'["\\ud800 words \\udfff"]'
    yield "controls.txt", bytes(range(1, 32)) * 40 + b" words"


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
    made = sample_mail()
    for _ in range(depth):
        outer = sample_mail()
        outer.add_attachment(made, filename="inner.eml")
        made = outer
    return made.as_bytes()


def _many_parts(count: int) -> bytes:
    part = b"--edge\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nwords\r\n"
    return b'Subject: s\r\nContent-Type: multipart/mixed; boundary="edge"\r\n\r\n' + part * count + b"--edge--\r\n"
