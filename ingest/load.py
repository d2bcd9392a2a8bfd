"""A path in, its Document out, or a SourceError that says why not. Knows which loader reads what, not how.

The suffix says what a file claims to be and its first bytes say what it is; where both are known and differ, the bytes
win if that format can be read, and the file is refused by name if not.
"""

import gzip
import hashlib
import io
import re
import zlib
from datetime import UTC, datetime
from pathlib import Path

from ingest.document import Document, document_id
from ingest.encoding import decode_bytes
from ingest.errors import SourceError
from ingest.language import detect_language
from ingest.load_csv import load_csv
from ingest.load_draft import Draft, one_line
from ingest.load_html import load_html
from ingest.load_markdown import load_markdown
from ingest.load_sniff import sniff
from ingest.load_text import load_text

_FORMATS = {
    ".md": "markdown", ".markdown": "markdown", ".txt": "text", ".text": "text", ".rst": "text", ".log": "text",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf", ".docx": "docx", ".csv": "csv", ".tsv": "csv",
    ".epub": "epub", ".mbox": "mbox", ".rtf": "rtf",
}  # fmt: skip
SUPPORTED = frozenset(_FORMATS)
_NAMES = {"pdf": "PDF", "docx": "DOCX", "epub": "EPUB", "rtf": "RTF", "html": "HTML", "csv": "CSV", "text": "text file",
          "markdown": "Markdown", "mbox": "mailbox"}  # fmt: skip
_BINARY = frozenset({"pdf", "docx", "epub", "rtf", "mbox"})
MAX_BYTES = 512 * 1024 * 1024
_SAYS_NOTHING = frozenset(
    {"united states", "contents", "table of contents", "abstract", "introduction", "目录", "摘要"}
)
_WORD = re.compile(r"\w")


def source_suffix(path: Path) -> str:
    """Give the suffix that names a file's format: lower case, without a `.gz` around it."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def is_supported(path: Path) -> bool:
    """Tell by its name whether a file is of a kind that can be read."""
    return source_suffix(path) in SUPPORTED


def load_document(path: Path, *, source: str | None = None) -> Document:
    """Read a file as a Document named `source` (default: its absolute path); SourceError says why it can't be read.

    `metadata` holds "format", "size_bytes", "modified" (the file's day), "named_as" where the suffix claims another
    format, "encoding" for texts, and what the file itself states: "author", "date", "subject", "keywords", ...
    """
    name = path.name
    source = source if source is not None else path.absolute().as_posix()
    data = read_source(path)
    draft, metadata = _parse(data, path)
    if not _WORD.search(draft.text):
        raise SourceError(f"{name} holds no words; there is nothing in it to search or quote.")
    metadata |= {key: value for key, value in draft.metadata.items() if value}
    metadata["size_bytes"] = str(len(data))
    metadata["modified"] = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    return Document(
        id=document_id(source),
        source=source,
        content_hash=hashlib.sha256(data).hexdigest(),
        title=_title(draft, path),
        text=draft.text,
        pages=draft.pages,
        blocks=draft.blocks,
        language=detect_language(draft.text),
        metadata=metadata,
    )


def read_source(path: Path) -> bytes:
    """Give a file's bytes; SourceError says why they can't be had."""
    name = path.name or str(path)
    try:
        if path.is_dir():
            raise SourceError(f"{name} is a folder, not a file; add the folder itself to read all that is in it.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SourceError(
                f"{name} is {size / 2**20:.0f} MiB, the limit is {MAX_BYTES // 2**20} MiB; split it and add the parts."
            )
        if not path.is_file():
            raise SourceError(f"{name} is not a regular file; add a file or a folder.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{name} does not exist; check the path {path.absolute().parent}.") from error
    except PermissionError as error:
        raise SourceError(
            f"{name} can't be read: no permission; allow your user to read it and add it again."
        ) from error
    except OSError as error:
        raise SourceError(f"{name} can't be read: {error.strerror or error}; check the path and the disk.") from error
    if not data:
        raise SourceError(f"{name} is empty (0 bytes); add it again once it has content.")
    return data


def _parse(data: bytes, path: Path) -> tuple[Draft, dict[str, str]]:
    name = path.name
    suffix = source_suffix(path)
    claimed = _FORMATS.get(suffix)
    if claimed is None:
        kinds = ", ".join(sorted(SUPPORTED))
        raise SourceError(f"{name} is of an unsupported type ({suffix or 'no suffix'}); supported are {kinds}.")
    actual = sniff(data)
    if actual == "gzip":
        data = decompressed(data, name)
        actual = sniff(data)
    file_format = _agreed_format(name, claimed, actual)
    metadata = {"format": file_format}
    if file_format != claimed:
        metadata["named_as"] = claimed
    if file_format in _BINARY:
        return _load_binary(file_format, data, name), metadata
    decoded = decode_bytes(data)
    if decoded is None:
        raise SourceError(
            f"{name} is not text, or in an encoding that can't be told; save it as UTF-8 text and add that."
        )
    metadata["encoding"] = decoded.encoding
    if decoded.replaced:
        metadata["undecodable_bytes"] = str(decoded.replaced)
    return _load_text(file_format, decoded.text, name), metadata


def decompressed(data: bytes, name: str) -> bytes:
    """Unpack gzip, but never more than `MAX_BYTES`: a small file can hold gigabytes of zeros."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name} is a damaged gzip file; pack it again and add that.") from error
    if len(unpacked) > MAX_BYTES:
        raise SourceError(f"{name} unpacks to more than {MAX_BYTES // 2**20} MiB; split it and add the parts.")
    return unpacked


def _agreed_format(name: str, claimed: str, actual: str | None) -> str:
    if actual == "an encrypted Office file":
        raise SourceError(f"{name} is encrypted; save a copy without a password and add that.")
    if actual is None:
        if claimed in ("pdf", "docx", "epub", "rtf"):
            raise SourceError(
                f"{name} is damaged or not a {_NAMES[claimed]}: it doesn't begin like one; save it again and add that."
            )
        return claimed
    if actual == "a damaged ZIP archive" and claimed in ("docx", "epub"):
        raise SourceError(f"{name} is a damaged {_NAMES[claimed]} file; get or save a fresh copy and add that.")
    if actual in _NAMES:
        return actual if actual != "html" or claimed != "mbox" else claimed
    raise SourceError(f"{name} is {actual}, not a {_NAMES[claimed]}; add a document with text in it instead.")


def _load_binary(file_format: str, data: bytes, name: str) -> Draft:
    # imported when needed: a run over Markdown notes shouldn't wait for pdfium, lxml or LlamaIndex
    if file_format == "pdf":
        from ingest.load_pdf import load_pdf

        return load_pdf(data, name)
    if file_format == "docx":
        from ingest.load_docx import load_docx

        return load_docx(data, name)
    if file_format == "mbox":
        from ingest.load_mbox import load_mbox

        return load_mbox(data, name)
    from ingest import load_tail

    return load_tail.load_epub(data, name) if file_format == "epub" else load_tail.load_rtf(data, name)


def _load_text(file_format: str, text: str, name: str) -> Draft:
    if file_format == "csv":
        return load_csv(text, name)
    return {"markdown": load_markdown, "html": load_html, "text": load_text}[file_format](text)


def _title(draft: Draft, path: Path) -> str:
    """The title that the file states, else its first heading, else its name."""
    if draft.title and (title := one_line(draft.title)):
        return title[:300]
    first = draft.blocks[0] if draft.blocks else None
    if (
        first is not None
        and first.kind == "heading"
        and (heading := one_line(first.span.of(draft.text)).strip("#=-~ "))
    ):
        return heading[:300]
    return Path(path.name.removesuffix(".gz")).stem
