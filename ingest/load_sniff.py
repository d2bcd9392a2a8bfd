"""The first bytes of a file in, what it really is out. Knows nothing about suffixes or how formats are read."""

import io
import re
import zipfile
import zlib

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"II+\x00", "image"),
    (b"MM\x00+", "image"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a Windows program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"{\\rtf", "rtf"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"fLaC", "audio"),
    *((bytes((0xFF, second)), "audio") for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)),  # MP3 without a tag
    (b"%!PS", "a PostScript file"),
    (b"PAR1", "a Parquet file"),
)
MP4 = "an MP4 film or recording"
HEIC, AVIF = "a HEIC picture", "an AVIF picture"
OLD_OFFICE = "an Office file of the old binary kind (.doc, .xls, .ppt)"
MAX_UNPACKED = 2**30  # a small archive can hold gigabytes of zeros
MAX_RATIO, RATIO_FROM = 200, 2**26  # what unpacks to more than 64 MiB and 200 times its size is no document
_OFFICE = (("word/", "docx"), ("ppt/", "pptx"), ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"), ("xl/", "xlsx"),
           ("META-INF/container.xml", "epub"))  # fmt: skip
_BRANDS = {b"avif": AVIF, b"avis": AVIF, b"heic": HEIC, b"heix": HEIC, b"mif1": HEIC}  # the first that is named counts
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\xff]")  # bytes that no encoding of prose has
_HTML = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.I | re.S)


def sniff(data: bytes) -> str | None:
    """Name what the bytes are: a format's key ("pdf", "docx", "zip", "gzip", ...), or words for a person ("a RAR
    archive"); None for what only its text can tell, prose that begins with "ID3" or "GIF89a" included.
    """
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return _sniff_zip(data)
    is_binary = _NOT_TEXT.search(data[:512]) is not None
    if is_binary and data.startswith(b"RIFF"):
        return {b"WEBP": "image", b"WAVE": "audio"}.get(data[8:12], "an AVI film")
    if data[257:262] == b"ustar":
        return "tar"
    if is_binary and data[4:8] == b"ftyp":
        return _sniff_ftyp(data)
    for magic, name in _MAGIC:
        if name in ("image", "audio") and not is_binary:
            continue
        if data.startswith(magic) and (magic != b"BM" or b"\x00" in data[:32]):
            return _sniff_ole(data) if name == "ole" else name
    return "html" if _HTML.match(data[:4096].removeprefix(b"\xef\xbb\xbf")) else None


def _sniff_ftyp(data: bytes) -> str:
    """Films, recordings and pictures share one container; its first box lists what it is compatible with."""
    listed = data[8 : min(int.from_bytes(data[:4]), 128)]
    brands = {listed[at : at + 4] for at in range(0, len(listed), 4)}
    if data[8:11] in (b"M4A", b"M4B"):
        return "audio"
    return next((kind for brand, kind in _BRANDS.items() if brand in brands), MP4)


def _sniff_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            kind = next((kind for prefix, kind in _OFFICE if any(name.startswith(prefix) for name in names)), "zip")
            if kind == "zip" and "content.xml" in names and "mimetype" in names:
                kind = "ods" if b"spreadsheet" in archive.read("mimetype")[:100] else "an OpenDocument file"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error, KeyError):
        return "a damaged ZIP archive"
    n_bytes = sum(entry.file_size for entry in entries)
    if kind != "zip" and n_bytes > MAX_UNPACKED:
        return "an archive that unpacks to more than 1 GiB"
    if kind != "zip" and any(is_bomb(entry.file_size, entry.compress_size) for entry in entries):
        return f"an archive that unpacks to more than {MAX_RATIO} times its size"
    return kind


def is_bomb(n_unpacked: int, n_packed: int) -> bool:
    """Tell whether something unpacks to more than any real document does."""
    return n_unpacked > RATIO_FROM and n_unpacked > MAX_RATIO * max(n_packed, 1)


def _sniff_ole(data: bytes) -> str:
    """Old Office files and password-protected new ones share one container."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "an encrypted Office file"
    if "__substg1.0_".encode("utf-16-le") in data:
        return "msg"
    return OLD_OFFICE
