"""EPUB, mailbox and RTF bytes in, a draft out, through LlamaIndex's file readers.

Only this tail goes through LlamaIndex. PDF, DOCX, HTML, Markdown, CSV and text go our own way because a citation needs
exact places: LlamaIndex's PDF reader gives a page's text without places on it, its DOCX reader loses tables and styles,
its HTML reader wants a tag chosen, and its Markdown parser gives offsets relative to a section or none. Its PPTX and
notebook readers want packages (python-pptx, nbconvert) that aren't among ours.

Importing LlamaIndex costs seconds, so it happens here and only when such a file comes along.
"""

import mailbox
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, one_line
from ingest.load_markdown import load_markdown


def load_epub(data: bytes, name: str) -> Draft:
    """Give a book's chapters, with the headings that its HTML holds."""
    from ebooklib.epub import EpubException
    from llama_index.readers.file.epub import EpubReader

    def read(path: Path) -> list[str]:
        return [document.text for document in EpubReader().load_data(path)]

    try:
        texts = _read(data, ".epub", read)
    except (EpubException, zipfile.BadZipFile, KeyError, UnicodeDecodeError, SyntaxError, AttributeError) as error:
        raise SourceError(
            f"{name} is a damaged EPUB ({one_line(str(error))}); get a fresh copy and add that."
        ) from error
    return load_markdown("\n\n".join(texts))


def load_mbox(data: bytes, name: str) -> Draft:
    """Give a mailbox's messages, each under its subject."""
    from llama_index.readers.file.mbox import MboxReader

    writer = DraftWriter()
    try:
        texts = _read(data, ".mbox", lambda path: [message.text for message in MboxReader().load_data(path)])
    except (mailbox.Error, UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"{name} is a damaged mailbox ({one_line(str(error))}).") from error
    for text in texts:
        head, _, body = text.partition("\nContent: ")
        subject = next((line[9:] for line in head.split("\n") if line.startswith("Subject: ")), "")
        writer.add("heading", subject if subject not in ("", "None") else "(no subject)", 1)
        writer.add("paragraph", "\n".join(line for line in head.split("\n") if not line.endswith(": None")))
        writer.add("paragraph", body)
    return writer.finish(metadata={"messages": str(len(texts))})


def load_rtf(data: bytes, name: str) -> Draft:
    """Give an RTF file's paragraphs."""
    from llama_index.readers.file.rtf import RTFReader

    writer = DraftWriter()
    try:
        texts = _read(data, ".rtf", lambda path: [found.text for found in RTFReader().load_data(path)])
    except (UnicodeDecodeError, ValueError, IndexError) as error:
        raise SourceError(
            f"{name} is a damaged RTF file ({one_line(str(error))}); save it again and add that."
        ) from error
    for paragraph in "\n".join(texts).split("\n"):
        writer.add("table" if paragraph.count("|") > 1 else "paragraph", paragraph)
    return writer.finish()


def _read(data: bytes, suffix: str, read: Callable[[Path], list[str]]) -> list[str]:
    """The readers want a file of their own; ours may be compressed or still in memory only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"source{suffix}"
        path.write_bytes(data)
        return read(path)
