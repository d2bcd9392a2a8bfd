"""EPUB and RTF bytes in, a draft out, through LlamaIndex's file readers.

Only this tail goes through LlamaIndex. PDF, DOCX, HTML, Markdown, CSV, mail and text go our own way because a citation
needs exact places: LlamaIndex's PDF reader gives a page's text without places on it, its DOCX reader loses tables and
styles, its HTML reader wants a tag chosen, its Markdown parser gives offsets relative to a section or none, and its
mailbox reader mixes up messages. Its PPTX and notebook readers want packages (python-pptx, nbconvert) that aren't ours.

Importing LlamaIndex costs seconds, so it happens here and only when such a file comes along.
"""

import html
import io
import logging
import posixpath
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, brief, one_line
from ingest.load_markdown import load_markdown

# ebooklib follows broken references to None and lxml gives up on some broken XML by an assertion
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, SyntaxError, AttributeError, EOFError, AssertionError,
    TypeError, OSError, IndexError, NotImplementedError, RuntimeError,
)  # fmt: skip
_OPF_ITEM = re.compile(r"<(?:\w+:)?item\b[^>]*>")
_OPF_HREF = re.compile(r"\bhref\s*=\s*[\"']([^\"']+)[\"']")
_OPF_FIELD = re.compile(r"<dc:(title|creator|date)\b[^>]*>([^<]+)</dc:")


def load_epub(data: bytes, name: str) -> Draft:
    """Give a book's chapters, with the headings that its HTML holds."""
    with _quiet_logging():
        from ebooklib.epub import EpubException
        from llama_index.readers.file.epub import EpubReader

    def read(path: Path) -> list[str]:
        return [document.text for document in EpubReader().load_data(path)]

    try:
        texts = _read(_with_lost_pictures(data), ".epub", read)
    except (EpubException, *_DAMAGED) as error:
        raise SourceError(f"{name} is a damaged EPUB ({brief(error)}); get a fresh copy and add that.") from error
    draft = load_markdown("\n\n".join(texts))
    fields = _package_fields(data)
    metadata = {"author": fields.get("creator", ""), "date": fields.get("date", "")[:10]}
    return replace(draft, title=fields.get("title") or draft.title, metadata=metadata)


def _with_lost_pictures(data: bytes) -> bytes:
    """Put empty files where a book lists pictures or styles that aren't in it: the reader would give up on them, and no
    word is lost with them.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        listed = [
            posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(html.unescape(href.group(1)))))
            for package in sorted(names)
            if package.endswith(".opf")
            for item in _OPF_ITEM.findall(archive.read(package).decode("utf-8", "replace"))
            if "html" not in item and (href := _OPF_HREF.search(item))
        ]
    lost = [name for name in dict.fromkeys(listed) if name not in names]
    if not lost:
        return data
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name in lost:
            archive.writestr(name, b"")
    return buffer.getvalue()


def _package_fields(data: bytes) -> dict[str, str]:
    """Title, author and date from the book's package file, which the reader leaves out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".opf")]
        package = archive.read(names[0]).decode("utf-8", "replace") if names else ""
    found: dict[str, str] = {}
    for field, value in _OPF_FIELD.findall(package):
        found.setdefault(field, one_line(html.unescape(value)))
    return found


def load_rtf(data: bytes, name: str) -> Draft:
    """Give an RTF file's paragraphs."""
    with _quiet_logging():
        from llama_index.readers.file.rtf import RTFReader

    writer = DraftWriter()
    try:
        texts = _read(data, ".rtf", lambda path: [found.text for found in RTFReader().load_data(path)])
    except (UnicodeDecodeError, ValueError, IndexError) as error:
        raise SourceError(f"{name} is a damaged RTF file ({brief(error)}); save it again and add that.") from error
    for paragraph in "\n".join(texts).split("\n"):
        writer.add("table" if paragraph.count("|") > 1 else "paragraph", paragraph)
    return writer.finish()


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Undo the `logging.basicConfig` of LlamaIndex's readers, which turns on everybody's INFO messages."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _read(data: bytes, suffix: str, read: Callable[[Path], list[str]]) -> list[str]:
    """The readers want a file of their own; ours may be compressed or still in memory only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"source{suffix}"
        path.write_bytes(data)
        return read(path)
