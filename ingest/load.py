"""A path in, its Document out, or a SourceError that says why not. Knows which format a file is, not how it is read.

The suffix says what a file claims to be and its first bytes say what it is; where both are known and differ, the bytes
win if that format can be read, and the file is refused by name if not.
"""

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ingest.document import Document, document_id
from ingest.encoding import decode_bytes, decode_large_utf8
from ingest.errors import SourceError
from ingest.language import detect_language
from ingest.load_config import LoadConfig
from ingest.load_draft import Draft, one_line
from ingest.load_formats import (
    ARCHIVES,
    BINARY,
    FORMATS,
    NAMES,
    PLAIN,
    WITH_MAGIC,
    is_archive,
    load_binary,
    load_decoded,
    source_suffix,
    unsupported,
)
from ingest.load_sniff import AVIF, HEIC, MP4, OLD_OFFICE, is_bomb, sniff
from ingest.parts import Parts
from ingest.step import OnStep, unsaid

NO_PARTS: Mapping[str, str] = MappingProxyType({})
MAX_BYTES = 512 * 1024 * 1024
_LARGE_BYTES = 32_000_000  # of a text; below, memory is no matter
_MAX_DEPTH = 4  # of messages inside messages
_WORD = re.compile(r"\w")
_ARCHIVE_NAMES = {
    "zip": "a ZIP archive", "tar": "a TAR archive", "bzip2": "a bzip2 archive", "xz": "an xz archive",
    "gzip": "a gzip archive inside another",
}  # fmt: skip


def load_document(
    path: Path,
    *,
    source: str | None = None,
    config: LoadConfig | None = None,
    on_step: OnStep = unsaid,
    bad_parts: Mapping[str, str] = NO_PARTS,
) -> Document:
    """Read a file as a Document named `source` (default: its absolute path); SourceError says why it can't be read.
    `on_step` is told how far a slow one is read. Attachments in `bad_parts` (`ingest/parts.py`) are left out.

    `metadata` holds "format", "size_bytes", "modified" (the file's day), "named_as" where the suffix claims another
    format, "encoding" for texts, and what the file itself states: "author", "date", "subject", "keywords", ...
    """
    data = read_source(path)
    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    named = source if source is not None else path.absolute().as_posix()
    return read_document(data, path.name, named, modified, config, on_step=on_step, bad_parts=bad_parts)


def read_document(
    data: bytes,
    name: str,
    source: str,
    modified: datetime | None = None,
    config: LoadConfig | None = None,
    *,
    on_step: OnStep = unsaid,
    bad_parts: Mapping[str, str] = NO_PARTS,
) -> Document:
    """Read bytes as a Document: a file's, an archive member's, a web page's. `name` says by its suffix what they are.

    Raises SourceError, whose message starts with `name`.
    """
    draft, metadata = _parse(data, name, config or LoadConfig(), on_step, Parts(bad_parts, on_step), depth=0)
    if not _WORD.search(draft.text):
        raise SourceError(f"{name} holds no words; there is nothing in it to search or quote.")
    metadata |= {key: value for key, value in draft.metadata.items() if value}
    metadata["size_bytes"] = str(len(data))
    if modified is not None:
        metadata["modified"] = modified.date().isoformat()
    return Document(
        id=document_id(source),
        source=source,
        content_hash=hashlib.sha256(data).hexdigest(),
        title=_title(draft, name),
        text=draft.text,
        pages=draft.pages,
        blocks=draft.blocks,
        language=detect_language(draft.text),
        metadata=metadata,
        read_pages=draft.read_pages,
        utterances=draft.utterances,
    )


def read_source(path: Path) -> bytes:
    """Give a file's bytes; SourceError says why they can't be had."""
    name = path.name or str(path)
    try:
        check_file(path)
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if not data:
        raise SourceError(f"{name} is empty (0 bytes); add it again once it has content.")
    return data


def check_file(path: Path, *, limit: int | None = None) -> None:
    """Raise SourceError unless it is a regular file of at most `limit` bytes (default: `MAX_BYTES`)."""
    name, limit = path.name or str(path), MAX_BYTES if limit is None else limit
    if path.is_dir():
        raise SourceError(f"{name} is a folder, not a file; add the folder itself to read all that is in it.")
    size = path.stat().st_size
    if size > limit:
        raise SourceError(
            f"{name} is {size / 2**20:.0f} MiB, the limit is {limit // 2**20} MiB; split it and add the parts."
        )
    if not path.is_file():
        raise SourceError(f"{name} is not a regular file; add a file or a folder.")


def unreadable(path: Path, error: OSError) -> SourceError:
    """Make the error for a file that the system doesn't give."""
    name = path.name or str(path)
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{name} does not exist; check the path {path.absolute().parent}.")
    if isinstance(error, PermissionError):
        return SourceError(f"{name} can't be read: no permission; allow your user to read it and add it again.")
    return SourceError(f"{name} can't be read: {error.strerror or error}; check the path and the disk.")


def _parse(
    data: bytes, name: str, config: LoadConfig, on_step: OnStep, parts: Parts, *, depth: int
) -> tuple[Draft, dict[str, str]]:
    suffix = source_suffix(Path(name))
    claimed = FORMATS.get(suffix)
    if suffix in ARCHIVES:
        raise SourceError(
            f"{name} is an archive, not a document; add it as a file, or unpack it and add what is in it."
        )
    if claimed is None:
        raise unsupported(name, suffix)
    actual = sniff(data)
    if actual == "gzip":
        data = decompressed(data, name)
        actual = sniff(data)
    file_format = _agreed_format(name, claimed, actual)
    metadata = {"format": file_format}
    if file_format != claimed:
        metadata["named_as"] = claimed
    if file_format in BINARY:
        read_part = partial(_read_part, config=config, on_step=on_step, parts=parts, depth=depth + 1)
        return load_binary(file_format, data, name, read_part, config, on_step), metadata
    if len(data) > _LARGE_BYTES and file_format in PLAIN and (text := decode_large_utf8(data)) is not None:
        return load_decoded(file_format, text, name), metadata | {"encoding": "utf-8"}
    decoded = decode_bytes(data)
    if decoded is None:
        raise SourceError(
            f"{name} is not text, or in an encoding that can't be told; save it as UTF-8 text and add that."
        )
    metadata["encoding"] = decoded.encoding
    if decoded.replaced:
        metadata["undecodable_bytes"] = str(decoded.replaced)
    return load_decoded(file_format, decoded.text, name), metadata


def _read_part(data: bytes, name: str, *, config: LoadConfig, on_step: OnStep, parts: Parts, depth: int) -> Draft:
    """Read what is attached to something else. Raises SourceError."""
    if depth > _MAX_DEPTH:
        raise SourceError(f"{name} lies more than {_MAX_DEPTH} messages deep; save it on its own and add that.")
    if not data:
        raise SourceError(f"{name} is empty (0 bytes); ask for it again.")
    with parts.reading(data, name):
        if is_archive(Path(name)):
            from ingest.load_packed import load_packed  # which reads archives by what is above

            read_part = partial(_read_part, config=config, on_step=on_step, parts=parts, depth=depth + 1)
            return load_packed(data, name, read_part)
        return _parse(data, name, config, on_step, parts, depth=depth)[0]


def decompressed(data: bytes, name: str) -> bytes:
    """Unpack gzip, but never more than `MAX_BYTES`: a small file can hold gigabytes of zeros."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name} is a damaged gzip file; pack it again and add that.") from error
    if len(unpacked) > MAX_BYTES:
        raise SourceError(f"{name} unpacks to more than {MAX_BYTES // 2**20} MiB; split it and add the parts.")
    if is_bomb(len(unpacked), len(data)):
        raise SourceError(
            f"{name} unpacks to more than 200 times its size; that is no document, look at what it holds."
        )
    return unpacked


def _agreed_format(name: str, claimed: str, actual: str | None) -> str:
    if actual == "an encrypted Office file":
        raise SourceError(f"{name} is encrypted; save a copy without a password and add that.")
    if actual is None:
        if claimed in WITH_MAGIC:
            raise SourceError(
                f"{name} is damaged or not a {NAMES[claimed]}: it doesn't begin like one; save it again and add that."
            )
        return claimed
    if actual == "a damaged ZIP archive" and claimed in WITH_MAGIC:
        raise SourceError(f"{name} is a damaged {NAMES[claimed]} file; get or save a fresh copy and add that.")
    if actual == "html" and claimed not in WITH_MAGIC | {"text", "markdown", "csv"}:
        return claimed  # a mail, a program or a template may begin like a page
    if actual in NAMES:
        return actual
    if (claimed, actual) in (("msg", OLD_OFFICE), ("audio", MP4)):
        return claimed
    if actual == OLD_OFFICE:
        raise SourceError(f"{name} is {actual}; save it as .docx, .xlsx or .pptx and add that.")
    if actual in (HEIC, AVIF):
        raise SourceError(f"{name} is {actual}; save it as JPEG or PNG and add that.")
    kind = _ARCHIVE_NAMES.get(actual, actual)
    raise SourceError(f"{name} is {kind}, not a {NAMES[claimed]}; add a document with text in it instead.")


def _title(draft: Draft, name: str) -> str:
    """The title that the file states, else its first heading, else its name."""
    if draft.title and (title := one_line(draft.title)):
        return title[:300]
    first = draft.blocks[0] if draft.blocks else None
    if (
        first is not None
        and first.kind == "heading"
        and not first.name
        and (heading := one_line(first.span.of(draft.text)).strip("#=-~ "))
    ):
        return heading[:300]
    return Path(name.removesuffix(".gz")).stem
