"""An archive of `export_kb` in, the same knowledge base out, whole or not at all. Embeds nothing, trusts nothing.

The knowledge base is made in a folder of its own, checked against the archive's sums and against itself, and only then
given its name. Nothing is ever unpacked under a name that the archive chose.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from ingest.catalog import Catalog
from ingest.catalog_file import is_made
from ingest.catalog_index import index_rows
from ingest.catalog_rows import StoredDocument, read_pages_of, utterances_of
from ingest.dense_index import DenseIndexConfig
from ingest.document import Block, Chunk, Document, Page, Span, chunk_id, document_id
from ingest.errors import KnowledgeBaseError, StorageError
from ingest.export_kb import (
    DOCUMENTS,
    EXPORT_KIND,
    EXPORT_VERSION,
    HASHES,
    MANIFEST,
    META_KEYS,
    VECTORS,
    Exported,
)
from ingest.index_generation import build_generation
from ingest.tags import clean_tag
from ingest.verify import catalog_problems

_MANIFEST_BYTES = 1_000_000
_KINDS = frozenset({"heading", "paragraph", "list", "table", "code", "figure"})


def import_knowledge_base(file: Path, folder: Path, *, config: DenseIndexConfig | None = None) -> Exported:
    """Restore the archive `file` as the knowledge base in `folder`, which must not be there yet.

    Raises KnowledgeBaseError when the archive is damaged, was made by a newer Footnote, or holds anything that no
    export does; StorageError when the disk refuses. Nothing is left behind then.
    """
    if is_made(folder / "catalog.sqlite"):
        raise KnowledgeBaseError(f"there is a knowledge base {folder.name} already; import under another --kb name")
    making = folder.with_name(f".importing-{folder.name}-{os.getpid()}")
    try:
        _sweep(folder.parent)
        making.mkdir(parents=True)
        imported = _restore(file, making, config or DenseIndexConfig())
        shutil.rmtree(folder, ignore_errors=True)  # at most what an interrupted first ingest left
        making.rename(folder)
    except FileNotFoundError as error:
        raise KnowledgeBaseError(f"there is no file {file} to import; check the path") from error
    except OSError as error:
        raise StorageError(f"{file} can't be restored to {folder} ({error.strerror or error})") from error
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refusal(file, f"it is no whole ZIP archive: {error}") from error
    except (ValueError, KeyError, TypeError, IndexError, sqlite3.IntegrityError) as error:
        raise _refusal(file, f"it holds something that no export does: {error}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return imported


def _sweep(folder: Path) -> None:
    """Remove what imports left that were killed."""
    for leftover in folder.glob(".importing-*"):
        pid = leftover.name.rpartition("-")[2]
        if not (pid.isdecimal() and _is_alive(int(pid))):
            shutil.rmtree(leftover, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _restore(file: Path, making: Path, config: DenseIndexConfig) -> Exported:
    with ZipFile(file) as archive:
        manifest = _manifest(file, archive)
        total = sum(entry.file_size for entry in archive.infolist())
        if total > shutil.disk_usage(making).free:
            raise StorageError(f"{file.name} needs {total:,} bytes, more than are free at {making.parent}; make room")
        meta = {key: str(manifest["meta"][key]) for key in META_KEYS if key in manifest["meta"]}
        catalog = Catalog(making / "catalog.sqlite", create=True)
        try:
            catalog.restore(
                (_document(line) for line in _checked(archive, file, manifest, DOCUMENTS)),
                _vectors(archive, file, manifest, int(meta.get("dimension", 0))),
                meta,
            )
            _check_whole(catalog, file, manifest)
            build_generation(
                making,
                index_rows(catalog, meta.get("embedder", "")),
                revision=catalog.revision,
                embedder=meta.get("embedder", ""),
                dimension=int(meta.get("dimension", 1)),
                config=config,
            )
        finally:
            catalog.close()
    counts = (int(manifest["documents"]), int(manifest["chunks"]), int(manifest["vectors"]))
    return Exported(*counts, meta.get("embedder", ""), file.stat().st_size)


def _manifest(file: Path, archive: ZipFile) -> dict[str, Any]:  # JSON
    names = archive.namelist()
    expected = [DOCUMENTS, HASHES, VECTORS, MANIFEST]
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
        raise _refusal(file, f"it has no {MANIFEST}, so it is no export of Footnote")
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest.get("kind") != EXPORT_KIND:
        raise _refusal(file, f"its {MANIFEST} isn't that of an export")
    if manifest["version"] != EXPORT_VERSION:
        raise KnowledgeBaseError(
            f"{file.name} has export format {manifest['version']}, this Footnote reads {EXPORT_VERSION}; update"
            f" Footnote and import it then"
        )
    if strange := [name for name in names if name not in expected]:
        raise _refusal(file, f"it holds {strange[0]!r}, which no export does")
    if len(names) != len(expected):
        raise _refusal(file, "it lacks a file, or holds one twice")
    for name in expected[:3]:
        if archive.getinfo(name).file_size != manifest["files"][name]["bytes"]:
            raise _refusal(file, f"{name} in it has another size than was written")
    return manifest


def _checked(archive: ZipFile, file: Path, manifest: Mapping[str, Any], name: str) -> Iterator[bytes]:
    """Give the lines of a file in the archive; after the last, refuse it if its SHA-256 isn't the one written."""
    digest = hashlib.sha256()
    with archive.open(name) as lines:
        for line in lines:
            digest.update(line)
            yield line
    if digest.hexdigest() != manifest["files"][name]["sha256"]:
        raise _refusal(file, f"{name} in it was changed after it was written")


def _vectors(archive: ZipFile, file: Path, manifest: Mapping[str, Any], dimension: int) -> Iterator[tuple[str, bytes]]:
    digest = hashlib.sha256()
    with archive.open(VECTORS) as raw:
        for line in _checked(archive, file, manifest, HASHES):
            vector = raw.read(4 * dimension)
            digest.update(vector)
            yield line.decode("ascii").strip(), vector
        digest.update(raw.read())
    if digest.hexdigest() != manifest["files"][VECTORS]["sha256"]:
        raise _refusal(file, f"{VECTORS} in it was changed after it was written")


def _document(line: bytes) -> StoredDocument:
    values = json.loads(line)
    text = str(values["text"])
    id_ = document_id(values["source"])
    pages = tuple(Page(int(number), Span(start, end), label) for number, start, end, label in values["pages"])
    blocks = tuple(
        Block(kind, Span(start, end), int(level), str(name[0]) if name else "")
        for kind, start, end, level, *name in values["blocks"]
    )
    if unknown := {block.kind for block in blocks} - _KINDS:
        raise ValueError(f"blocks of a kind that there isn't: {sorted(unknown)}")
    chunks, hashes = [], []
    for start, end, page, headings, hash_ in values["chunks"]:
        span = Span(start, end)
        words = span.of(text)
        chunks.append(Chunk(chunk_id(id_, span, words), id_, span, words, tuple(map(str, headings)), page))
        hashes.append(str(hash_))
    metadata = {str(key): str(value) for key, value in values["metadata"].items()}
    head = (id_, str(values["source"]), str(values["content_hash"]), str(values["title"]), text)
    places = (read_pages_of(values.get("read_pages", ())), utterances_of(values.get("utterances", ())))
    document = Document(*head, pages, blocks, str(values["language"]), metadata, *places)
    tags = tuple(dict.fromkeys(clean_tag(str(tag)) for tag in values.get("tags", ())))
    return StoredDocument(document, tuple(chunks), tuple(hashes), str(values["chunking"]), tags)


def _check_whole(catalog: Catalog, file: Path, manifest: Mapping[str, Any]) -> None:
    if catalog.counts() != (manifest["documents"], manifest["chunks"]):
        raise _refusal(file, f"it holds {catalog.counts()} documents and chunks, its manifest says otherwise")
    if problems := catalog_problems(catalog):
        raise _refusal(file, problems[0])


def _refusal(file: Path, reason: str) -> KnowledgeBaseError:
    return KnowledgeBaseError(f"{file.name} can't be imported: {reason}; get a fresh copy, or export it again")
